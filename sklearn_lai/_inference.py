"""Prediction and input gradient of a fitted multilayer perceptron, in NumPy."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr

from ._blocks import row_blocks

# Hidden values of a block of rows, about as many as a cache holds.
BLOCK_BYTES = 2**19


class Activation(NamedTuple):
    """A function, which overwrites its argument, and its derivative."""

    apply: Callable[[np.ndarray], object]
    derivative: Callable[[np.ndarray], np.ndarray]


def _identity(z: np.ndarray) -> None:
    pass


def _logistic(z: np.ndarray) -> None:
    expit(z, out=z)


def _logistic_derivative(z: np.ndarray) -> np.ndarray:
    value = expit(z)
    return value * (1 - value)


def _tanh(z: np.ndarray) -> None:
    np.tanh(z, out=z)


def _tanh_derivative(z: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(z) ** 2


def _relu(z: np.ndarray) -> None:
    np.maximum(z, 0, out=z)


def _step(z: np.ndarray) -> np.ndarray:
    return (z > 0).astype(z.dtype)


def _softplus(z: np.ndarray) -> None:
    np.logaddexp(0, z, out=z)


def _silu(z: np.ndarray) -> None:
    z *= expit(z)


def _silu_derivative(z: np.ndarray) -> np.ndarray:
    sigmoid = expit(z)
    return sigmoid * (1 + z * (1 - sigmoid))


def _gelu(z: np.ndarray) -> None:
    z *= ndtr(z)


def _gelu_derivative(z: np.ndarray) -> np.ndarray:
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi, dtype=z.dtype)
    return ndtr(z) + z * density


ACTIVATIONS = {
    "identity": Activation(_identity, np.ones_like),
    "logistic": Activation(_logistic, _logistic_derivative),
    "tanh": Activation(_tanh, _tanh_derivative),
    "relu": Activation(_relu, _step),
    "softplus": Activation(_softplus, expit),
    "silu": Activation(_silu, _silu_derivative),
    "gelu": Activation(_gelu, _gelu_derivative),
}


def predict(
    X: np.ndarray,
    coefs: list[np.ndarray],
    intercepts: list[np.ndarray],
    activation: str,
) -> np.ndarray:
    """Outputs of the network, shape (n_samples, n_outputs)."""
    apply = ACTIVATIONS[activation].apply
    outputs = np.empty((len(X), coefs[-1].shape[1]), _dtype(X, coefs))
    for rows in _blocks(len(X), coefs, outputs.itemsize):
        hidden = X[rows]
        for coef, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
            hidden = np.dot(hidden, coef)  # less overhead than @
            hidden += intercept
            apply(hidden)
        np.dot(hidden, coefs[-1], out=outputs[rows])
    outputs += intercepts[-1]
    return outputs


def input_gradient(
    X: np.ndarray,
    coefs: list[np.ndarray],
    intercepts: list[np.ndarray],
    activation: str,
) -> np.ndarray:
    """Slopes of every output, shape (n_samples, n_outputs, n_features)."""
    n_outputs = coefs[-1].shape[1]
    shape = (len(X), n_outputs, X.shape[1])
    slopes = np.empty(shape, _dtype(X, coefs))
    for rows in _blocks(len(X), coefs, n_outputs * slopes.itemsize):
        slopes[rows] = _block_gradient(X[rows], coefs, intercepts, activation)
    return slopes


def _block_gradient(
    X: np.ndarray,
    coefs: list[np.ndarray],
    intercepts: list[np.ndarray],
    activation: str,
) -> np.ndarray:
    apply, derivative = ACTIVATIONS[activation]
    hidden, derivatives = X, []
    for coef, intercept in zip(coefs[:-1], intercepts[:-1], strict=True):
        hidden = hidden @ coef
        hidden += intercept
        derivatives.append(derivative(hidden))
        apply(hidden)
    chain = np.broadcast_to(coefs[-1].T, (len(X), *coefs[-1].T.shape))
    for coef, d in zip(coefs[-2::-1], derivatives[::-1], strict=True):
        chain = (chain * d[:, None, :]) @ coef.T
    return chain


def _dtype(X: np.ndarray, coefs: list[np.ndarray]) -> np.dtype:
    return np.promote_types(X.dtype, coefs[0].dtype)


def _blocks(
    n_samples: int, coefs: list[np.ndarray], item_bytes: int
) -> Iterator[slice]:
    """Blocks of rows whose values in the widest layer fill about a cache."""
    widest = max([max(coef.shape) for coef in coefs])
    return row_blocks(n_samples, widest * item_bytes, BLOCK_BYTES)
