"""Noise that is expected in the features: as a user says it, and by feature.

A user gives `noise` as one standard deviation for all features, one each, a mapping of
names or positions of columns, or as a matrix of covariances; `resolve_noise` makes a
`Noise` of it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np

from ._columns import OF_SUBSETS, by_position, is_labelled, positions_of_rows
from ._validation import (
    NONE,
    AnyOf,
    Each,
    FiniteFigures,
    InstanceOf,
    Number,
    as_floats,
    check,
    shown,
)

# Of the k that follows from noise; the least is its inverse.
LARGEST_MULTIPLE = 4.0
SD = Number(Real, 0, 1e100)  # whose square is a number
VARIANCE = Number(Real, 0, 1e200)
NOISE = AnyOf(
    NONE,
    SD,
    Each(SD),
    FiniteFigures((2,)),
    InstanceOf(Mapping, "a mapping {column name or position: float or None}"),
)
# Of correlations: what their symmetry, and eigenvalues of 0, may be off by.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Noise:
    """Normal noise: `sds`, its standard deviation in each feature, 0 for none.

    `mixing`, (n_features, n_features), makes the noise of all features, in their
    deviations, out of independent standard normal numbers: ``mixing @ numbers``. With
    None those are it.
    """

    sds: np.ndarray
    mixing: np.ndarray | None = None

    def __bool__(self) -> bool:
        return bool(self.sds.any())

    def times(self, factor: np.ndarray | float) -> Self:
        """The noise of each feature times a factor."""
        return replace(self, sds=self.sds * factor)

    def without(self, features: np.ndarray | list[int]) -> Self:
        """The same noise of all other features; a mask, or positions."""
        sds = self.sds.copy()
        sds[features] = 0
        return replace(self, sds=sds)

    def root(self) -> np.ndarray:
        """A matrix whose product with its transpose is that of the covariances."""
        if self.mixing is None:
            return np.diag(self.sds)
        return self.sds[:, None] * self.mixing

    def covariance(self) -> np.ndarray:
        """Covariances of the features' noise, (n_features, n_features)."""
        if self.mixing is None:
            return np.diag(np.square(self.sds))
        root = self.root()
        return root @ root.T

    def variance_of(self, coef: np.ndarray) -> np.ndarray:
        """Variance of the noise's products with coefficients, the last axis of them."""
        changes = self.sds * coef
        if self.mixing is not None:
            changes = changes @ self.mixing
        return np.square(changes).sum(axis=-1)

    def mixed(self, numbers: np.ndarray) -> np.ndarray:
        """Noise in deviations of it, out of standard normal numbers, a row each."""
        return numbers if self.mixing is None else numbers @ self.mixing.T


def resolve_noise(noise: Any, n_features: int, names: np.ndarray | None) -> Noise:
    """The noise that is meant; it keeps its rule, `names` are those of the columns."""
    if np.ndim(noise) == 2:  # mappings have no dimensions
        return _of_covariance(_resolve_covariance(noise, n_features, names))
    resolved = np.zeros(n_features)
    if isinstance(noise, Mapping) or is_labelled(noise, "noise"):
        found = by_position(noise, "noise", n_features, names)
        for j, (key, sd) in found.items():
            check(f"noise[{key!r}]", sd, AnyOf(SD, NONE))
            resolved[j] = sd or 0
    elif noise is not None:
        values = as_floats(noise)
        if values.shape not in ((), (n_features,)):
            raise ValueError(
                "noise must be one number, one per feature of X, shape "
                f"({n_features},), a mapping, or a matrix of covariances, shape "
                f"({n_features}, {n_features}), got {shown(noise)} of shape "
                f"{values.shape}. {OF_SUBSETS}"
            )
        resolved[:] = values
    return Noise(resolved)


def _resolve_covariance(
    noise: Any, n_features: int, names: np.ndarray | None
) -> np.ndarray:
    """Covariances in the order of the features, 0 for those that labels leave out."""
    values = as_floats(noise)
    if not is_labelled(noise, "noise"):
        if values.shape != (n_features, n_features):
            raise ValueError(
                f"noise must have the shape ({n_features}, {n_features}) if it is a "
                f"matrix of covariances, got {shown(noise)} of shape {values.shape}. "
                f"{OF_SUBSETS}"
            )
        return values
    columns = list(by_position(noise, "noise", n_features, names))
    rows = positions_of_rows(noise, "noise", n_features, names)
    if sorted(rows) != sorted(columns):
        raise ValueError(
            "noise must have the same features as rows and as columns if it is a "
            f"matrix of covariances, got {shown(noise)}."
        )
    covariance = np.zeros((n_features, n_features))
    covariance[np.ix_(rows, columns)] = values
    return covariance


def _of_covariance(covariance: np.ndarray) -> Noise:
    """Noise with these covariances; raises an error if there is none."""
    variances = np.diag(covariance)
    for variance in (variances.min(), variances.max()):
        check("each variance of noise", float(variance), VARIANCE)
    sds = np.sqrt(variances)
    unit = np.where(sds > 0, sds, 1.0)
    with np.errstate(over="ignore"):
        correlation = covariance / unit[:, None] / unit
    np.fill_diagonal(correlation, 1.0)
    if np.array_equal(correlation, np.eye(len(sds))):
        return Noise(sds)
    problem = ""
    if (covariance[sds == 0] != 0).any():
        problem = "have covariances of 0 where it has a variance of 0"
    elif not (np.abs(correlation) <= 1 + ROUNDING).all():
        problem = "have no covariance above the product of both deviations"
    elif np.abs(correlation - correlation.T).max() > ROUNDING:
        problem = "be symmetric"
    else:
        values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
        if values[0] < -ROUNDING * len(sds):
            problem = "be positive semidefinite"
    if problem:
        raise ValueError(
            f"noise must {problem} if it is a matrix of covariances, got "
            f"{shown(covariance)}."
        )
    # The symmetric root, which does not depend on the order of the features.
    mixing = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return Noise(sds, mixing / np.linalg.norm(mixing, axis=1, keepdims=True))


def boundary_ratio(lai_fraction: float) -> float:
    """The change by a draw of noise that `k` is to be, over the mean error.

    The Lai loss of a change ``s`` above ``k``, ``e**2 * s**2 / k**2`` with the mean
    error ``e`` and the weight ``a``, is then the expected ``s**2``, which noise adds to
    the squared error, times the weight ``1 - a`` of the plain loss.
    """
    return math.sqrt(lai_fraction / (1 - lai_fraction))


def over_multiple(noise: Any, resolved: Noise, multiple: float) -> Any:
    """The noise for which a multiple of its `k` is the one that follows."""
    if multiple == 1:
        return noise
    if isinstance(noise, Real):
        return float(noise) / multiple
    if resolved.mixing is None:
        return resolved.sds / multiple
    return resolved.covariance() / multiple**2


def multiples(n_ks: int) -> np.ndarray:
    """As many multiples of the `k` that follows from noise, 1 among them, falling."""
    above = np.geomspace(1, LARGEST_MULTIPLE, n_ks // 2 + 1)[::-1]
    below = np.geomspace(1, 1 / LARGEST_MULTIPLE, n_ks - n_ks // 2)[1:]
    return np.concatenate([above, below])
