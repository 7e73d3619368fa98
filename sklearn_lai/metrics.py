"""How much the predictions of any fitted regressor or pipeline move."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = [
    "make_noise_sensitivity_scorer",
    "neg_noise_sensitivity",
    "neg_prediction_variance",
    "noise_sensitivity",
    "prediction_variance",
]


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
    random_state: int | np.random.RandomState | None = 0,
) -> np.ndarray:
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
        numeric.

    Raises
    ------
    ValueError
        If `noise` or `n_repeats` is not positive.

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
    """
    _check_noise(noise, n_repeats)
    X = X if hasattr(X, "columns") else np.asarray(X)
    changes = _changes(estimator, X, range(X.shape[1]), noise, n_repeats, random_state)
    return np.stack(changes, axis=-1)


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
    return -float(np.nanmean(noise_sensitivity(estimator, X)))


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
    X = X if hasattr(X, "columns") else np.asarray(X)
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


def _check_noise(noise: float, n_repeats: int) -> None:
    if not noise > 0:
        raise ValueError(f"noise must be a number > 0, got {noise!r}.")
    if not n_repeats >= 1:
        raise ValueError(f"n_repeats must be an integer >= 1, got {n_repeats!r}.")


def _changes(
    estimator: Any,
    X: Any,
    columns: Iterable[int],
    noise: float,
    n_repeats: int,
    random_state: int | np.random.RandomState | None,
) -> list[np.ndarray]:
    """Mean change, by output, under noise in each of the columns."""
    rng = check_random_state(random_state)
    draws = [noise * rng.standard_normal(X.shape[0]) for _ in range(n_repeats)]
    baseline = np.asarray(estimator.predict(X))
    changes = []
    for j in columns:
        column = _column(X, j)
        if column.dtype.kind != "f":
            changes.append(np.full(baseline.shape[1:], np.nan))
            continue
        scale = np.nanstd(column)
        noisy = (
            _with_column(X, j, (column + scale * draw).astype(column.dtype))
            for draw in draws
        )
        moves = [np.abs(np.asarray(estimator.predict(N)) - baseline) for N in noisy]
        changes.append(np.mean(moves, axis=(0, 1)))
    return changes


def _column(X: Any, j: int) -> np.ndarray:
    """Values of a column, floats if they are numbers and no categories."""
    if isinstance(X, np.ndarray):
        column = X[:, j]
    else:
        series = X.iloc[:, j] if hasattr(X, "iloc") else X.to_series(j)
        is_category = str(series.dtype).lower().startswith("categor")
        column = np.asarray(series, dtype=object if is_category else None)
    return column.astype(np.float64) if column.dtype.kind in "iu" else column


def _with_column(X: Any, j: int, column: np.ndarray) -> Any:
    """Copy of `X`, of its type, with one column replaced."""
    if isinstance(X, np.ndarray):
        X = X.astype(np.result_type(X, column))
        X[:, j] = column
    elif hasattr(X, "iloc"):
        X = X.copy()
        X.isetitem(j, column)
    else:
        series = X.to_series(j)
        X = X.clone().replace_column(j, type(series)(series.name, column))
    return X
