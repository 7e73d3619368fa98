"""Errors and scores of predictions from data with noise."""

from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring, root_mean_squared_error
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object

from .._noise import NOISE, resolve_noise
from .._typing import NoiseLike, RandomState
from .._validation import (
    FUNCTION,
    NONE,
    RANDOM_STATE,
    SCORING,
    AnyOf,
    InstanceOf,
    Number,
    check,
)
from ._noisy_copies import (
    Column,
    as_table,
    column_names,
    numeric_columns,
    with_columns,
)

METRIC = InstanceOf(FUNCTION, "a callable (y_true, y_pred)")
# A generator would go on between calls, so that no two could be compared.
SEED = AnyOf(NONE, Number(Integral, 0, 2**32 - 1))


def error_under_noise(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    noise: NoiseLike,
    metric: Callable[..., float] = root_mean_squared_error,
    n_repeats: int = 5,
    random_state: RandomState = 0,
    sample_weight: Any = None,
) -> float:
    """Error of the predictions when the features are measured with noise.

    Every numeric column `j` with the standard deviation `sd_j` over the rows of `X`
    becomes ``X_j + noise_j * sd_j * N(0, 1)``, all of them at once and independently,
    before the estimator gets them: of a pipeline, before its first step. The metric is
    applied to each noisy copy, and the results are averaged.

    The draw for a column depends on `random_state` and the shape of `X`, neither on the
    estimator nor on the noise, so that figures of models and of noise can be compared.

    Parameters
    ----------
    estimator : object with a predict method
        Fitted regressor or pipeline.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Data to predict from, as the estimator takes it; it is not changed. Missing
        values stay missing, integers become floats.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, without noise.
    noise : float, array-like of shape (n_features,), mapping or None
        Standard deviation of the noise, >= 0, in standard deviations of the feature: a
        number for all numeric features, one for each feature, or one by column name or
        position, from 0, for those that a mapping has. 0 and None are no noise.
    metric : callable, default=root_mean_squared_error
        Function ``metric(y_true, y_pred)`` that returns a number.
    n_repeats : int, default=5
        How often to draw the noise, >= 1.
    random_state : int, RandomState instance or None, default=0
        Seed of the noise.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, passed to the metric by this name unless None.

    Returns
    -------
    float
        Mean of the metric over the noisy copies, in its units: target units for the
        root mean squared error. Without noise, the metric itself.

    Raises
    ------
    ValueError
        If a parameter has a value that is not allowed, `noise` names a column that
        is not numeric or that `X` does not have, or `X` has no numeric column.
    TypeError
        If a parameter has a wrong type.

    See Also
    --------
    make_noisy_scorer : The same for searches and cross-validation.
    noise_sensitivity : How much the predictions move, feature by feature.

    Examples
    --------
    A model whose only slope is 3 errs by 3 * 0.1 times the deviation of its feature:

    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_lai.metrics import error_under_noise
    >>> X = np.random.default_rng(0).normal(size=(10_000, 2))
    >>> y = 3 * X[:, 0]
    >>> model = LinearRegression().fit(X, y)
    >>> round(error_under_noise(model, X, y, noise=0.1), 2)
    0.3
    >>> round(error_under_noise(model, X, y, noise={1: 0.1}), 2)
    0.0
    """
    _check_noise(noise, n_repeats)
    check("metric", metric, METRIC)
    check("random_state", random_state, RANDOM_STATE)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    copies = _noisy_copies(X, noise, n_repeats, random_state)
    errors = [metric(y, estimator.predict(copy), **weights) for copy in copies]
    return float(np.mean(errors))


def make_noisy_scorer(
    scoring: str | Callable[..., float],
    *,
    noise: NoiseLike,
    n_repeats: int = 5,
    random_state: int | None = 0,
) -> Callable[..., float]:
    """Make a scorer that scores on noisy copies of the data out of any other scorer.

    For `scoring` of scikit-learn's searches, of `cross_val_score` and of estimators
    that choose by cross-validation: training data stays as it is, what is scored has
    noise in its columns as :func:`error_under_noise` makes it.

    Parameters
    ----------
    scoring : str or callable
        Name of a scikit-learn scorer, or a callable ``scoring(estimator, X, y)`` that
        returns a number, such as those of :func:`sklearn.metrics.make_scorer`.
    noise : float, array-like of shape (n_features,), mapping or None
        Standard deviation of the noise, >= 0, in standard deviations of the feature
        over the rows that are scored: a number for all numeric features, one for each
        feature, or one by column name or position, from 0, for those that a mapping
        has. 0 and None are no noise.
    n_repeats : int, default=5
        How often to draw the noise, >= 1.
    random_state : int or None, default=0
        Seed of the noise; None is fresh entropy in every call.

    Returns
    -------
    callable
        Scorer with the signature
        ``scorer(estimator, X, y=None, *, sample_weight=None, **metadata)``, the mean
        over the noisy copies, in the units of `scoring`; it can be pickled.

    Raises
    ------
    ValueError
        If a parameter has a value that is not allowed; when called, if `noise` names a
        column that is not numeric or that the data does not have, or the data has no
        numeric column.
    TypeError
        If a parameter has a wrong type.

    See Also
    --------
    error_under_noise : The error of one fitted model.

    Notes
    -----
    With metadata routing, the scorer requests what `scoring` requests: call
    ``set_score_request(sample_weight=True)`` on that. Without metadata
    routing, scikit-learn 1.9 passes the `sample_weight` of a search with one score on;
    with several scores and weights, it fails for every scorer that is not made by
    :func:`sklearn.metrics.make_scorer`, so that metadata routing is needed.

    Examples
    --------
    Which regularisation is best if the body mass index will be known roughly only?

    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_lai.metrics import make_noisy_scorer
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> pipeline = make_pipeline(StandardScaler(), Ridge())
    >>> alphas = {"ridge__alpha": [1, 10, 100, 1000]}
    >>> GridSearchCV(pipeline, alphas, scoring="r2").fit(X, y).best_params_
    {'ridge__alpha': 1}
    >>> scorer = make_noisy_scorer("r2", noise={"bmi": 1.0})
    >>> GridSearchCV(pipeline, alphas, scoring=scorer).fit(X, y).best_params_
    {'ridge__alpha': 100}
    """
    return _NoisyScorer(scoring, noise, n_repeats, random_state)


class _NoisyScorer:
    """A scorer as scikit-learn wants one, which `make_noisy_scorer` documents."""

    def __init__(
        self,
        scoring: str | Callable[..., float],
        noise: NoiseLike,
        n_repeats: int,
        random_state: int | None,
    ):
        check("scoring", scoring, SCORING)
        _check_noise(noise, n_repeats)
        check("random_state", random_state, SEED)
        self._scorer = check_scoring(scoring=scoring)
        self._scoring = scoring
        self._noise = noise
        self._n_repeats = n_repeats
        self._random_state = random_state

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        **metadata: Any,
    ) -> float:
        # Searches without metadata routing look for this name in the signature.
        if sample_weight is not None:
            metadata["sample_weight"] = sample_weight
        copies = _noisy_copies(X, self._noise, self._n_repeats, self._random_state)
        scores = [self._scorer(estimator, copy, y, **metadata) for copy in copies]
        return float(np.mean(scores))

    def get_metadata_routing(self) -> Any:
        """Metadata that the scorer underneath requests."""
        return get_routing_for_object(self._scorer)

    def __repr__(self) -> str:
        return (
            f"make_noisy_scorer({self._scoring!r}, noise={self._noise!r}, "
            f"n_repeats={self._n_repeats!r}, random_state={self._random_state!r})"
        )


def _check_noise(noise: Any, n_repeats: Any) -> None:
    check("noise", noise, NOISE)
    check("n_repeats", n_repeats, Number(Integral, 1))


def _noisy_copies(
    X: Any, noise: NoiseLike, n_repeats: int, random_state: RandomState
) -> Iterator[Any]:
    """Copies of `X` with independent noise in all noisy columns; `X` if none is."""
    table = as_table(X)
    sds = resolve_noise(noise, table.shape[1], column_names(table))
    noisy = np.flatnonzero(sds).tolist()
    if not noisy:
        yield X
        return
    columns = numeric_columns(table, noisy)
    _check_numeric(table, noise, [j for j in noisy if j not in columns])
    _check_deviations(table, columns)
    rng = check_random_state(random_state)
    for _ in range(n_repeats):
        # For columns without noise, too, so that they change no draw of another one.
        draws = rng.standard_normal(table.shape)
        yield with_columns(
            table,
            {j: column.noisy(sds[j] * draws[:, j]) for j, column in columns.items()},
        )


def _check_deviations(table: Any, columns: Mapping[int, Column]) -> None:
    """Check that the noisy columns have standard deviations to count noise in."""
    if len(table) == 1:
        raise ValueError(
            "X must have at least 2 rows, got 1: noise is in standard deviations of "
            "the columns over the rows."
        )
    names = getattr(table, "columns", range(table.shape[1]))
    wrong = ", ".join(
        repr(names[j]) for j, column in columns.items() if not np.isfinite(column.sd)
    )
    if wrong:
        raise ValueError(
            f"X must have finite or missing values where it is to have noise, got "
            f"infinite ones in {wrong}."
        )


def _check_numeric(table: Any, noise: NoiseLike, not_numeric: list[int]) -> None:
    """Check that what shall get noise can; one number is for those columns that can."""
    if not isinstance(noise, Real):
        names = getattr(table, "columns", range(table.shape[1]))
        wrong = ", ".join(repr(names[j]) for j in not_numeric)
        if wrong:
            raise ValueError(
                f"noise must be 0 or None for columns that are not numeric, got "
                f"{noise!r}; not numeric: {wrong}."
            )
    elif len(not_numeric) == table.shape[1]:
        raise ValueError(f"noise={noise!r} needs a numeric column, and X has none.")
