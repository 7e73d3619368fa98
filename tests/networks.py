"""Networks for tests: random weights, and what autograd makes of them."""

from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from sklearn_lai.loss import input_gradient

N_FEATURES = 4
HIDDEN = [(), (5,), (5, 3), (6, 5, 4)]
REFERENCES = {
    "identity": lambda z: z,
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "softplus": lambda z: functional.softplus(z, threshold=40),
    "silu": functional.silu,
    "gelu": functional.gelu,
}


def random_layers(sizes, seed=0):
    """Weights from a stream of their own: data with the same seed is independent."""
    rng = np.random.default_rng([seed, 1])
    coefs = [rng.normal(size=shape) / shape[0] ** 0.5 for shape in pairwise(sizes)]
    return coefs, [rng.normal(size=size) for size in sizes[1:]]


def to_tensors(layers):
    return [[torch.from_numpy(array) for array in arrays] for arrays in layers]


def with_ones(X):
    return torch.hstack([X, torch.ones_like(X[:, :1])])


def outputs(layers, X, activation):
    """Outputs, for automatic differentiation."""
    *hidden, output = zip(*layers, strict=True)
    for coef, intercept in hidden:
        X = REFERENCES[activation](X @ coef + intercept)
    return X @ output[0] + output[1]


def reference(layers, X, activation):
    """Outputs and slopes by automatic differentiation."""
    X = X.clone().requires_grad_()
    y_pred = outputs(layers, X, activation)
    return y_pred, input_gradient(y_pred, X)


def flat(gradients):
    """Gradients of coefficients and intercepts in the order of `Network.parameters`."""
    coefs, intercepts = (
        gradients[: len(gradients) // 2],
        gradients[len(gradients) // 2 :],
    )
    by_layer = zip(coefs, intercepts, strict=True)
    return torch.cat([torch.vstack([coef, b]).flatten() for coef, b in by_layer])
