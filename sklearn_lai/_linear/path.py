"""Exact linear solutions along k."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from .._base import BaseLaiRegressor, check_data, check_parameters
from .._feature_k import KS, resolve_k
from .._typing import FeatureKLike, KsLike, Norm
from .._validation import BOOLEAN, as_floats, rules_of
from .._warnings import warn_of_silent, warn_of_stuck
from .descent import TOGETHER
from .error import LARGEST_SLOPE, LEAST_SLOPE
from .exact import Fit, Regression, warn_if_exact
from .moments import Moments
from .solver import solve_all

# Least k of a path over its largest.
LEAST_SHARE = 1e-2
# What `l1_ratio` is for the norms that do not have the parameter.
L1_RATIOS: Mapping[str, float] = {"l1": 1.0, "l2": 0.0}


def lai_linear_path(
    X: Any,
    y: Any,
    ks: KsLike = 50,
    *,
    feature_k: FeatureKLike = None,
    norm: Norm = "l1",
    l1_ratio: float = 0.5,
    lai_fraction: float = 0.01,
    fit_intercept: bool = True,
    standardize: bool = True,
    sample_weight: Any = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients of exact linear Lai Training along the boundary slope `k`.

    The data is visited once, or a few times if it is nearly collinear. Each `k` is
    solved as by ``LaiLinearRegressor(k=k)``, and then from the solutions of the next
    smaller and larger `k`, too, as long as that leads lower. So the objective is not
    above that of ``LaiLinearRegressor(k=k)``. With one or two features both are the
    least there is; with more, that of the path may be lower, and depend on which other
    `ks` there are.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Features, dense and finite.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    ks : int or array-like of shape (n_ks,), default=50
        At most 1000 boundary slopes, > 0, in target standard deviations per feature
        standard deviation. An int is that many, as in LaiLinearRegressorCV.
    feature_k : mapping of {str or int: float or None} or FeatureK, default=None
        Overrides of `k` for single features, as in LaiLinearRegressor.
    norm : {'l1', 'l2', 'elasticnet'}, default='l1'
        Norm by which the losses of the directions become one.
    l1_ratio : float, default=0.5
        Share of the l1 norm in 'elasticnet', in [0, 1].
    lai_fraction : float, default=0.01
        Weight of the Lai loss, in [0, 1].
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    standardize : bool, default=True
        Whether `k` is in standard deviations; False is the units of the data.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Weights, >= 0 and not all 0; None is 1 for every sample.

    Returns
    -------
    ks : ndarray of shape (n_ks,)
        Boundary slopes along the path.
    coefs : ndarray of shape (n_features, n_ks) or (n_outputs, n_features, n_ks)
        Coefficients along the path, in target units per feature unit.
    optimalities : ndarray of shape (n_ks,)
        `optimality_` of LaiLinearRegressor along the path.

    Raises
    ------
    ValueError
        If the data or a parameter has a value that is not allowed.
    TypeError
        If `X` is sparse or a parameter has a wrong type.

    Warns
    -----
    UserWarning
        If least squares fits the data exactly, so that `k` has no effect.

    See Also
    --------
    LaiLinearRegressorCV : Chooses a `k` of the path by cross-validation.
    sklearn.linear_model.lasso_path : The path of the lasso.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import lai_linear_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> ks, coefs, optimalities = lai_linear_path(X, y, ks=[1.0, 0.1])
    >>> coefs.shape
    (10, 2)
    """
    rules = {"ks": KS, "fit_intercept": BOOLEAN, **rules_of(BaseLaiRegressor)}
    check_parameters(rules, locals())
    # Is named in errors, and takes the names of the features.
    checked = type("lai_linear_path", (BaseEstimator,), {})()
    data = check_data(checked, X, y, sample_weight)
    names = getattr(checked, "feature_names_in_", None)
    moments = Moments.of(*data)
    regression = Regression.of(
        moments, fit_intercept=fit_intercept, standardize=standardize, names=names
    ).refined(*data)
    ks = resolve_ks(ks, regression)
    n_features, n_outputs = data.X.shape[1], data.y.shape[1]
    slopes = [resolve_k(k, feature_k, n_features, n_outputs, names) for k in ks]
    [fits] = solve_paths([regression], slopes, norm, l1_ratio, lai_fraction)
    warn_if_exact(fits)
    warn_of_stuck(moments.features, names, data.X.dtype)
    warn_of_silent(moments.outputs, regression.units.constant_outputs())
    coefs = np.stack([fit.coef.T for fit in fits], axis=-1)
    optimalities = [max(s.optimality for s in fit.solutions) for fit in fits]
    return ks, coefs[0] if len(coefs) == 1 else coefs, np.array(optimalities)


def solve_paths(
    regressions: Iterable[Regression],
    ks: Sequence[np.ndarray],
    norm: str,
    l1_ratio: float,
    lai_fraction: float,
) -> Iterator[list[Fit]]:
    """Exact solutions of regressions for resolved boundary slopes.

    As many regressions are solved together as is fast and takes little memory.
    """
    for k in ks:
        check_sizes_of(k)
    # Of another float type, what is computed from them would have that, too.
    mixture = float(lai_fraction), float(L1_RATIOS.get(norm, l1_ratio))
    size = max(1, TOGETHER // (len(ks) * ks[0].shape[-1] ** 2))
    regressions = iter(regressions)
    while together := list(islice(regressions, size)):
        yield from _solve_together(together, ks, *mixture)


def _solve_together(
    regressions: Sequence[Regression],
    ks: Sequence[np.ndarray],
    lai_fraction: float,
    l1_ratio: float,
) -> Iterator[list[Fit]]:
    """Exact solutions of regressions, whose problems are solved as one batch."""
    # Neighbours on a path are next in size.
    order = np.argsort([np.nansum(np.log(k)) for k in ks], kind="stable")
    paths = []
    for regression in regressions:
        problems = [regression.problems(ks[i], lai_fraction, l1_ratio) for i in order]
        paths += list(zip(*problems, strict=True))
    solved = iter(solve_all(paths))
    for regression in regressions:
        of_outputs = islice(solved, len(regression.errors))
        fits = map(regression.fit_of, zip(*of_outputs, strict=True))
        by_place = dict(zip(order.tolist(), fits, strict=True))
        yield [by_place[i] for i in range(len(ks))]


def resolve_ks(ks: Any, regression: Regression) -> np.ndarray:
    """The boundary slopes themselves, or as many as `ks` says."""
    if not isinstance(ks, Integral):
        return as_floats(ks)
    largest = max(mse.largest_single_slope for mse in regression.errors) or 1.0
    return np.geomspace(largest, LEAST_SHARE * largest, int(ks))


def check_sizes_of(k: np.ndarray) -> None:
    """Raise an error if boundary slopes are of no size to compute with."""
    for value in k[~np.isnan(k)]:
        if not LEAST_SLOPE <= value <= LARGEST_SLOPE:
            raise ValueError(
                f"Slopes of k, ks and feature_k must be from {LEAST_SLOPE:g} to "
                f"{LARGEST_SLOPE:g} for the exact solver, got {value:g}."
            )
