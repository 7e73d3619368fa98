"""How much predictions move: their variance, and under noise in one feature."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from numbers import Integral
from typing import Annotated, Any

import numpy as np
from sklearn.utils import check_random_state

from .._columns import position_of
from .._typing import RandomState
from .._validation import (
    COUNT,
    MODEL,
    NONE,
    POSITIVE,
    RANDOM_STATE,
    SEED,
    STRING,
    AnyOf,
    Number,
    checked,
    shown,
)
from ._noisy_copies import (
    as_table,
    check_rows_vary,
    column_names,
    in_types_of,
    labels_of,
    numeric_columns,
    predictions,
    with_columns,
)

FEATURE = AnyOf(NONE, STRING, Number(Integral, -np.inf))


@checked
def prediction_variance(estimator: Annotated[Any, MODEL], X: Any) -> float | np.ndarray:
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

    Raises
    ------
    ValueError
        If `X` has less than 2 rows, or a prediction is not finite.
    TypeError
        If `estimator` has no predict method, `X` is sparse or not in memory, or the
        predictions are no numbers.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn_lai.metrics import prediction_variance
    >>> model = DummyRegressor().fit([[0], [1]], [0, 1])
    >>> prediction_variance(model, [[0], [1]])
    0.0
    """
    check_rows_vary(as_table(X), "one has no variance")
    with np.errstate(over="ignore", invalid="ignore"):
        variance = np.var(predictions(estimator, X), axis=0)
    if not np.isfinite(variance).all():
        raise ValueError(
            "estimator must make predictions from X whose squares are numbers, got a "
            f"variance of {shown(variance)}."
        )
    return variance if variance.ndim else float(variance)


@checked
def noise_sensitivity(
    estimator: Annotated[Any, MODEL],
    X: Any,
    *,
    noise: Annotated[float, POSITIVE] = 1.0,
    n_repeats: Annotated[int, COUNT] = 5,
    random_state: Annotated[RandomState, RANDOM_STATE] = 0,
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
        Data to predict from, as the estimator takes it. Missing values stay missing;
        integers, numbers among objects, and true and false in an array become floats,
        and floats that are too short for the noise become longer.
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
        numeric, such as one of true and false in a DataFrame. If `X` is a DataFrame of
        pandas, a Series of shape (n_features,) or a DataFrame of shape
        (n_outputs, n_features), by the names of the columns.

    Raises
    ------
    ValueError
        If a parameter has a value that is not allowed, `X` has less than 2 rows, no
        numeric column or infinite values, or a prediction is not finite.
    TypeError
        If a parameter has a wrong type, `X` is sparse or not in memory, or the
        predictions are no numbers.

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
    table = as_table(X)
    columns = range(table.shape[1])
    changes = _changes(estimator, table, columns, noise, n_repeats, random_state)
    return _with_names(np.stack(changes, axis=-1), table)


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


@checked
def make_noise_sensitivity_scorer(
    feature: Annotated[str | int | None, FEATURE] = None,
    *,
    noise: Annotated[float, POSITIVE] = 1.0,
    n_repeats: Annotated[int, COUNT] = 5,
    random_state: Annotated[int | None, SEED] = 0,
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
        If a parameter has a value that is not allowed; when called, if the data has no
        such numeric feature, and as :func:`noise_sensitivity`.
    TypeError
        If a parameter has a wrong type; when called, as :func:`noise_sensitivity`.

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
    table = as_table(X)
    columns: Iterable[int] = range(table.shape[1])
    if feature is not None:
        columns = [_position(table, feature)]
    changes = _changes(estimator, table, columns, noise, n_repeats, random_state)
    return -float(np.nanmean(changes))


def _position(table: Any, feature: str | int) -> int:
    """Position of a feature that is given by its name or position."""
    names, n_features = column_names(table), table.shape[1]
    try:
        return position_of(feature, "feature", n_features, names)
    except ValueError as error:
        allowed = f"a position from 0 to {n_features - 1}"
        if names is not None:
            allowed += " or one of " + ", ".join(map(repr, names))
        raise ValueError(f"feature must be {allowed}, got {feature!r}.") from error


def _changes(
    estimator: Any,
    table: Any,
    positions: Iterable[int],
    noise: float,
    n_repeats: int,
    random_state: RandomState,
) -> list[np.ndarray]:
    """Mean change, by output, under noise in each column; NaN if it is not numeric."""
    columns = numeric_columns(table, dict.fromkeys(positions, noise))
    check_rows_vary(table, "noise is in standard deviations of the columns over them")
    if not columns:
        labels = labels_of(table)
        which = ", ".join(repr(labels[j]) for j in positions)
        raise ValueError(f"X must have numbers in a feature, got none in {which}.")
    rng = check_random_state(random_state)
    table = in_types_of(columns, table)
    baseline = predictions(estimator, table)
    totals = {j: np.full(baseline.shape[1:], np.nan) for j in positions}
    totals.update({j: np.zeros(baseline.shape[1:]) for j in columns})
    for _ in range(n_repeats):
        draw = rng.standard_normal(len(table))
        for j, column in columns.items():
            copy = with_columns(table, {j: column.noisy(draw)})
            moves = np.abs(predictions(estimator, copy) - baseline)
            totals[j] += moves.mean(axis=0)
    return [total / n_repeats for total in totals.values()]


def _with_names(values: np.ndarray, X: Any) -> Any:
    """Values by column, in pandas if `X` is, which then has been imported."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return values
    if values.ndim == 1:
        return pandas.Series(values, index=X.columns)
    return pandas.DataFrame(values, columns=X.columns)
