"""How much predictions move: their variance, and under noise in one feature."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._typing import RandomState
from .._validation import POSITIVE, Number, check
from ._noisy_copies import as_table, numeric_columns, with_columns


def prediction_variance(estimator: Any, X: Any) -> float | np.ndarray:
    """Variance of the predictions over the rows of `X`.

    Parameters
    ----------
    estimator : object with a predict method
        Fitted regressor or pipeline.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Data to predict from, as the estimator takes it.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        Variance, in squared target units.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn_lai.metrics import prediction_variance
    >>> model = DummyRegressor().fit([[0], [1]], [0, 1])
    >>> prediction_variance(model, [[0], [1]])
    0.0
    """
    variance = np.var(np.asarray(estimator.predict(X)), axis=0)
    return variance if variance.ndim else float(variance)


def noise_sensitivity(
    estimator: Any,
    X: Any,
    *,
    noise: float = 1.0,
    n_repeats: int = 5,
    random_state: RandomState = 0,
) -> Any:
    """Mean change of the predictions under Gaussian noise in one feature at a time.

    For feature `j` with the standard deviation `sd_j` over the rows of `X`, the mean
    of ``|predict(X + noise * sd_j * N(0, 1) in feature j) - predict(X)|`` [1]_. The
    noise is the same for every feature and every estimator, so that figures can be
    compared.

    Parameters
    ----------
    estimator : object with a predict method
        Fitted regressor or pipeline.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Data to predict from, as the estimator takes it. Missing values stay missing.
    noise : float, default=1.0
        Standard deviation of the noise, > 0, in standard deviations of the feature.
    n_repeats : int, default=5
        How often to draw the noise, >= 1.
    random_state : int, RandomState instance or None, default=0
        Seed of the noise.

    Returns
    -------
    ndarray of shape (n_features,) or (n_outputs, n_features)
        Sensitivity to each feature, in target units; NaN for a column that is not
        numeric. If `X` is a DataFrame of pandas, a Series of shape (n_features,) or a
        DataFrame of shape (n_outputs, n_features), by the names of the columns.

    Raises
    ------
    ValueError
        If `noise` or `n_repeats` is not positive.
    TypeError
        If one of them has a wrong type.

    See Also
    --------
    error_under_noise : The error with noise in all features at once.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control",
       arXiv:2405.07884, section 6.2.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_lai.metrics import noise_sensitivity
    >>> X = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> model = LinearRegression().fit(X, [0.0, 3.0, 0.0, 3.0])
    >>> noise_sensitivity(model, X).round(2)
    array([1.2, 0. ])

    With the names of the columns:

    >>> import pandas as pd
    >>> frame = pd.DataFrame(X, columns=["age", "bmi"])
    >>> noise_sensitivity(model.fit(frame, [0.0, 3.0, 0.0, 3.0]), frame).round(2)
    age    1.2
    bmi    0.0
    dtype: float64
    """
    _check_noise(noise, n_repeats)
    X = as_table(X)
    changes = _changes(estimator, X, range(X.shape[1]), noise, n_repeats, random_state)
    return _with_names(np.stack(changes, axis=-1), X)


def neg_prediction_variance(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer of smoothness: the variance of the predictions, negated.

    Parameters
    ----------
    estimator : object with a predict method
        Fitted regressor or pipeline.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Data to predict from.
    y : object, default=None
        Not used; scorers have it.

    Returns
    -------
    float
        Variance, negated, in squared target units; the mean over outputs.

    See Also
    --------
    prediction_variance : The variance itself.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_lai.metrics import neg_prediction_variance
    >>> X, y = load_diabetes(return_X_y=True)
    >>> scores = cross_val_score(Ridge(), X, y, scoring=neg_prediction_variance)
    >>> bool((scores < 0).all())
    True
    """
    return -float(np.mean(prediction_variance(estimator, X)))


def neg_noise_sensitivity(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer of smoothness: the mean noise sensitivity, negated.

    Parameters
    ----------
    estimator : object with a predict method
        Fitted regressor or pipeline.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Data to predict from.
    y : object, default=None
        Not used; scorers have it.

    Returns
    -------
    float
        Sensitivity to noise of one standard deviation, always the same, negated, in
        target units; the mean over numeric features and outputs.

    See Also
    --------
    noise_sensitivity : The sensitivity to each feature.
    make_noise_sensitivity_scorer : The same for one feature or other noise.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn_lai.metrics import neg_noise_sensitivity
    >>> X, y = load_diabetes(return_X_y=True)
    >>> scoring = {"accuracy": "r2", "smoothness": neg_noise_sensitivity}
    >>> results = cross_validate(Ridge(), X, y, scoring=scoring)
    >>> results["test_smoothness"].shape
    (5,)
    """
    return -float(np.nanmean(np.asarray(noise_sensitivity(estimator, X))))


def make_noise_sensitivity_scorer(
    feature: str | int | None = None,
    *,
    noise: float = 1.0,
    n_repeats: int = 5,
    random_state: int | None = 0,
) -> Callable[..., float]:
    """Make a scorer of the noise sensitivity, negated, to one feature or to all.

    Parameters
    ----------
    feature : str or int, default=None
        Column name (`X` must be a DataFrame) or position, from 0, of a numeric feature.
        None is the mean over all numeric features.
    noise : float, default=1.0
        Standard deviation of the noise, > 0, in standard deviations of the feature.
    n_repeats : int, default=5
        How often to draw the noise, >= 1.
    random_state : int or None, default=0
        Seed of the noise; None is fresh entropy in every call.

    Returns
    -------
    callable
        Scorer with the signature ``scorer(estimator, X, y=None)``, in target units; it
        can be pickled.

    Raises
    ------
    ValueError
        If `noise` or `n_repeats` is not positive; when called, if the data has no such
        feature.
    TypeError
        If `noise` or `n_repeats` has a wrong type.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_lai.metrics import make_noise_sensitivity_scorer
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> scorer = make_noise_sensitivity_scorer("bmi")
    >>> cross_val_score(Ridge(), X, y, scoring=scorer).shape
    (5,)
    """
    _check_noise(noise, n_repeats)
    return partial(
        _score,
        feature=feature,
        noise=noise,
        n_repeats=n_repeats,
        random_state=random_state,
    )


def _score(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    feature: str | int | None,
    noise: float,
    n_repeats: int,
    random_state: int | None,
) -> float:
    X = as_table(X)
    columns = range(X.shape[1]) if feature is None else [_position(X, feature)]
    changes = _changes(estimator, X, columns, noise, n_repeats, random_state)
    return -float(np.nanmean(changes))


def _position(X: Any, feature: str | int) -> int:
    """Position of a feature given by name or position."""
    names = list(getattr(X, "columns", []))
    if isinstance(feature, str) and names.count(feature) == 1:
        return names.index(feature)
    if not isinstance(feature, str) and 0 <= feature < X.shape[1]:
        return feature
    allowed = f"a position from 0 to {X.shape[1] - 1}"
    if names:
        allowed += " or one of " + ", ".join(map(repr, names))
    raise ValueError(f"feature must be {allowed}, got {feature!r}.")


def _check_noise(noise: Any, n_repeats: Any) -> None:
    check("noise", noise, POSITIVE)
    check("n_repeats", n_repeats, Number(Integral, 1))


def _changes(
    estimator: Any,
    X: Any,
    positions: Iterable[int],
    noise: float,
    n_repeats: int,
    random_state: RandomState,
) -> list[np.ndarray]:
    """Mean change, by output, under noise in each of the columns at these positions."""
    rng = check_random_state(random_state)
    draws = [noise * rng.standard_normal(X.shape[0]) for _ in range(n_repeats)]
    baseline = np.asarray(estimator.predict(X))
    columns = numeric_columns(X, positions)
    changes = []
    for j in positions:
        if j not in columns:
            changes.append(np.full(baseline.shape[1:], np.nan))
            continue
        copies = (with_columns(X, {j: columns[j].noisy(draw)}) for draw in draws)
        moves = [np.abs(np.asarray(estimator.predict(N)) - baseline) for N in copies]
        changes.append(np.mean(moves, axis=(0, 1)))
    return changes


def _with_names(values: np.ndarray, X: Any) -> Any:
    """Values by column, in pandas if `X` is, which then has been imported."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return values
    if values.ndim == 1:
        return pandas.Series(values, index=X.columns)
    return pandas.DataFrame(values, columns=X.columns)
