"""Errors and scores of predictions from data with noise."""

from collections.abc import Callable, Iterator
from numbers import Real
from typing import Annotated, Any

import numpy as np
from sklearn.metrics import check_scoring, root_mean_squared_error
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object

from .._noise import NOISE, resolve_noise
from .._tables import check_n_outputs, check_targets, check_weight
from .._typing import NoiseLike, RandomState
from .._validation import (
    COUNT,
    MODEL,
    RANDOM_STATE,
    SCORING,
    SEED,
    HasMethod,
    check_not_masked,
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

METRIC = HasMethod("__call__", "a callable (y_true, y_pred)")


@checked
def error_under_noise(
    estimator: Annotated[Any, MODEL],
    X: Any,
    y: Any,
    *,
    noise: Annotated[NoiseLike, NOISE],
    metric: Annotated[Callable[..., float], METRIC] = root_mean_squared_error,
    n_repeats: Annotated[int, COUNT] = 5,
    random_state: Annotated[RandomState, RANDOM_STATE] = 0,
    sample_weight: Any = None,
) -> float:
    """Error of the predictions when the features are measured with noise.

    Every numeric column `j` with the standard deviation `sd_j` over the rows of `X`
    becomes ``X_j + noise_j * sd_j * N(0, 1)``, all of them at once, and independently
    unless covariances say otherwise, before the estimator gets them: of a pipeline,
    before its first step. The metric is applied to each noisy copy, and the results are
    averaged.

    The draw for a column depends on `random_state`, the shape of `X` and what noise is
    correlated with its own, neither on the estimator nor on the size of the noise, so
    that figures of models and of noise can be compared.

    Parameters
    ----------
    estimator : object with a predict method
        Fitted regressor or pipeline.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Data to predict from, as the estimator takes it; it is not changed. Missing
        values stay missing. Where there is noise, integers, numbers among objects, and
        true and false in an array become floats, and floats that are too short for it
        become longer.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, without noise.
    noise : float, array-like of shape (n_features,) or (n_features, n_features), \
            mapping or None
        Standard deviation of the noise, >= 0, in standard deviations of the feature: a
        number for all numeric features, one for each feature, or one by column name or
        position, from 0, for those that a mapping has. Or the matrix of its covariances
        in products of those deviations, of some features as a DataFrame by their names.
        0 and None are no noise.
    metric : callable, default=root_mean_squared_error
        Function ``metric(y_true, y_pred)`` that returns a number.
    n_repeats : int, default=5
        How often to draw the noise, >= 1.
    random_state : int, RandomState instance or None, default=0
        Seed of the noise.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Weights, >= 0 and not all 0, passed to the metric by this name unless None.

    Returns
    -------
    float
        Mean of the metric over the noisy copies, in its units: target units for the
        root mean squared error. Without noise, the metric itself.

    Raises
    ------
    ValueError
        If a parameter has a value that is not allowed, `noise` names a column that
        is not numeric or that `X` does not have, `X` has no numeric column, `y` has
        other rows than `X`, other outputs than the predictions or values that are no
        finite numbers, or a prediction or the metric is not finite.
    TypeError
        If a parameter has a wrong type, or the predictions are no numbers.

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
    n_samples = as_table(X).shape[0]
    n_outputs = check_targets(y, n_samples).shape[1]
    weight = check_weight(sample_weight, n_samples)
    weights = {} if weight is None else {"sample_weight": weight}
    copies = _noisy_copies(X, noise, n_repeats, random_state)
    errors = []
    for copy in copies:
        predicted = predictions(estimator, copy)
        n_predicted = predicted.reshape(n_samples, -1).shape[1]
        check_n_outputs(n_outputs, n_predicted, "y", "the estimator")
        errors.append(metric(y, predicted, **weights))
    return _mean("metric", errors)


@checked
def make_noisy_scorer(
    scoring: Annotated[str | Callable[..., float], SCORING],
    *,
    noise: Annotated[NoiseLike, NOISE],
    n_repeats: Annotated[int, COUNT] = 5,
    random_state: Annotated[int | None, SEED] = 0,
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
    noise : float, array-like of shape (n_features,) or (n_features, n_features), \
            mapping or None
        Standard deviation of the noise, >= 0, in standard deviations of the feature
        over the rows that are scored: a number for all numeric features, one for each
        feature, or one by column name or position, from 0, for those that a mapping
        has. Or the matrix of its covariances in products of those deviations, of some
        features as a DataFrame by their names. 0 and None are no noise.
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
        for name, values in {"y": y, "sample_weight": sample_weight}.items():
            check_not_masked(name, values)
        # Searches without metadata routing look for this name in the signature.
        if sample_weight is not None:
            metadata["sample_weight"] = sample_weight
        copies = _noisy_copies(X, self._noise, self._n_repeats, self._random_state)
        scores = [self._scorer(estimator, copy, y, **metadata) for copy in copies]
        return _mean("scoring", scores)

    def get_metadata_routing(self) -> Any:
        """Metadata that the scorer underneath requests."""
        return get_routing_for_object(self._scorer)

    def __repr__(self) -> str:
        return (
            f"make_noisy_scorer({self._scoring!r}, noise={self._noise!r}, "
            f"n_repeats={self._n_repeats!r}, random_state={self._random_state!r})"
        )


def _mean(name: str, results: list[Any]) -> float:
    """Mean of what a function returned; raises an error if it is no number."""
    try:
        mean = float(np.mean(results))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must return a number, got {shown(results[0])}."
        ) from error
    if not np.isfinite(mean):
        raise ValueError(
            f"{name} must return finite numbers, got {shown(results)}. Likely cause, "
            "unless it always does: X, y or noise too large for its squares."
        )
    return mean


def _noisy_copies(
    X: Any, noise: NoiseLike, n_repeats: int, random_state: RandomState
) -> Iterator[Any]:
    """Copies of `X` with noise in all noisy columns; `X` if none is."""
    table = as_table(X)
    resolved = resolve_noise(noise, table.shape[1], column_names(table))
    noisy = np.flatnonzero(resolved.sds).tolist()
    if not noisy:
        yield X
        return
    check_rows_vary(table, "noise is in standard deviations of the columns over them")
    columns = numeric_columns(table, {j: resolved.sds[j] for j in noisy})
    _check_numeric(table, noise, [j for j in noisy if j not in columns])
    table = in_types_of(columns, table)
    rng = check_random_state(random_state)
    for _ in range(n_repeats):
        # For columns without noise, too, so that they change no draw of another one.
        draws = resolved.mixed(rng.standard_normal(table.shape))
        yield with_columns(
            table,
            {j: column.noisy(draws[:, j]) for j, column in columns.items()},
        )


def _check_numeric(table: Any, noise: NoiseLike, not_numeric: list[int]) -> None:
    """Check that what shall get noise can; one number is for those columns that can."""
    if not isinstance(noise, Real):
        labels = labels_of(table)
        wrong = ", ".join(repr(labels[j]) for j in not_numeric)
        if wrong:
            raise ValueError(
                "noise must be 0 or None for columns of X that are not numeric, got "
                f"{shown(noise)}; not numeric: {wrong}."
            )
    elif len(not_numeric) == table.shape[1]:
        raise ValueError(f"noise={noise!r} needs a numeric column, and X has none.")
