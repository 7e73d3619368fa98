"""Bounds of a product of two uncertain vectors with a matrix between them.

Of ``u @ coef @ v``, with every ``|u_i|`` and ``|v_k|`` bounded, the bound entry by
entry is ``|u| @ |coef| @ |v|``. Signs of a matrix cannot all be matched at once, which
its spectral norm knows: for any positive weights ``a`` and ``b``, the product is at
most the norm of the matrix with entries ``coef_ik / (a_i * b_k)`` times the lengths of
``a * u`` and ``b * v``. The weights are chosen for one box and hold for all.

It is the bound of a semidefinite relaxation at a point that need not be its best.
Source: M. Fazlyab, A. Robey, H. Hassani, M. Morari, G. J. Pappas, "Efficient and
Accurate Estimation of Lipschitz Constants for Deep Neural Networks", NeurIPS 2019.
"""

from typing import NamedTuple

import numpy as np

from .curves import rounding_of

# Weights that are tried: sums of magnitudes to these powers.
POWERS = (0.0, 0.25, 0.5, 1.0)
# Least share of the largest magnitude, lest a weight be infinite.
LEAST = 1e-6
# Pairs of a feature and an output that have weights of their own, at most.
MAX_PAIRS = 100


class Coupling(NamedTuple):
    """Norms, (n_outputs, n_features), and squared weights of each.

    Weights of the left vector have shape (n_outputs, n_features, n_units_in), those of
    the right one (n_outputs, n_features, n_units_out).
    """

    norm: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, coef: np.ndarray, left: np.ndarray, right: np.ndarray) -> "Coupling":
        """Weights that are good for vectors (n_features, ...) and (n_outputs, ...)."""
        left, right = _shares(left), _shares(right)
        n_left, n_right = len(left), len(right)
        if n_left * n_right > MAX_PAIRS:  # the same weights for all
            left, right = (part.mean(axis=0, keepdims=True) for part in (left, right))
        found = [_weights(coef, u, v) for v in right for u in left]
        parts = [np.array(part) for part in zip(*found, strict=True)]
        norm, *squares = (
            part.reshape(len(right), len(left), *part.shape[1:]) for part in parts
        )
        shape = n_right, n_left
        return cls(
            np.broadcast_to(norm, shape),
            *(np.broadcast_to(part, (*shape, part.shape[2])) for part in squares),
        )

    def bound(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Bounds for vectors (n_boxes, n_features, ...) and (n_boxes, n_outputs, ...).

        Shape (n_boxes, n_outputs, n_features).
        """
        lengths = np.einsum("njk,ojk->noj", left**2, self.left) * np.einsum(
            "nok,ojk->noj", right**2, self.right
        )
        return self.norm * np.sqrt(lengths)


def _shares(vectors: np.ndarray) -> np.ndarray:
    """Entries as shares of the largest of their vector."""
    largest = vectors.max(axis=-1, keepdims=True)
    return np.maximum(np.where(largest > 0, vectors / largest, 1), LEAST)


def _weights(
    coef: np.ndarray, left: np.ndarray, right: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Norm and squared weights with the least bound for two vectors."""
    matrix = np.abs(left[:, None] * coef * right)
    sums = matrix.sum(axis=1), matrix.sum(axis=0)
    found = []
    for power in POWERS:
        of_left, of_right = (_shares(part) ** power for part in sums)
        squares = of_left / left**2, of_right / right**2
        norm = _norm(coef / np.sqrt(squares[0])[:, None] / np.sqrt(squares[1]))
        bound = norm * np.sqrt(of_left.sum() * of_right.sum())
        found.append((bound, norm, *squares))
    return min(found, key=lambda one: one[0])[1:]


def _norm(matrix: np.ndarray) -> float:
    """At least the spectral norm; singular values are right to rounding."""
    if not np.isfinite(matrix).all():
        return np.inf
    rounding = rounding_of(sum(matrix.shape)) * np.linalg.norm(matrix)
    return float(np.linalg.norm(matrix, 2) + rounding)
