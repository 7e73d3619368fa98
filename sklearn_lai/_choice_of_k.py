"""`k` chosen by scores on folds, and the models along it."""

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from ._base import BaseLaiRegressor, Data, check_parameters
from ._feature_k import KS
from ._folds import compare, naming, take_rows
from ._typing import Folds, KsLike, Scoring, Tolerance
from ._validation import (
    CV,
    NONE,
    POSITIVE,
    SCORING,
    TOLERANCE,
    AnyOf,
    NotANumber,
    Number,
    check,
    rules_of,
)

SCORE = AnyOf(Number(Real, -np.inf), NotANumber())
# Relative difference up to which a number stands for a k, such as one that was printed.
SAME_K = 1e-5

Model = TypeVar("Model", bound=BaseLaiRegressor)
Scorer = Callable[..., float]
Fold = tuple[np.ndarray, np.ndarray]


class ChoosesK(Generic[Model]):
    """Chooses among `ks` by cross-validation, and keeps the model of each."""

    ks: Annotated[KsLike, KS]
    cv: Annotated[Folds, CV]
    scoring: Annotated[Scoring, AnyOf(NONE, SCORING)]
    tolerance: Annotated[Tolerance, TOLERANCE]

    k_: float
    ks_: np.ndarray
    score_path_: np.ndarray
    mse_path_: np.ndarray
    best_score_: float

    def estimator_at(self, k: float) -> Model:
        """The model of another `k`, fitted to all data already.

        Parameters
        ----------
        k : float
            One of `ks_`, or the same to five digits.

        Returns
        -------
        LaiMLPRegressor or LaiLinearRegressor
            The fitted estimator, a copy that is the caller's own. Its parameters are
            those of this one. With `noise`, where `k` is a multiple, a linear model has
            the noise divided by it; a network goes on with it in `partial_fit`, while
            `fit` takes the `k` that follows from noise.

        Raises
        ------
        ValueError
            If `k` is not one of `ks_`.
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        # Which the model takes, as they are now.
        owner: type = type(self)
        check_parameters(rules_of(owner), vars(self))
        return self._model_at(place_of(k, self.ks_))

    def _model_at(self, place: int) -> Model:
        """The fitted model of a place in `ks_`, the caller's own."""
        raise NotImplementedError

    def _scorer(self) -> Scorer | None:
        """The scorer, if it is another than the default."""
        scoring = self.scoring
        return None if scoring is None else check_scoring(self, scoring=scoring)

    def _choose(self, scores: np.ndarray) -> int:
        """Set what follows from scores, (n_ks, n_folds); returns the place of `k_`."""
        mean = scores.mean(axis=1)
        if np.isnan(mean).all():
            raise ValueError(
                f"scoring={self.scoring!r} gave NaN on a fold for each of the ks."
            )
        compared, lowest = compare(scores, self.tolerance)
        chosen = int(np.where(compared >= lowest, self.ks_, np.inf).argmin())
        self.score_path_ = scores
        self.k_, self.best_score_ = float(self.ks_[chosen]), float(mean[chosen])
        return chosen


def place_of(k: float, ks: np.ndarray, name: str = "k") -> int:
    """Position of a `k` among `ks`; `name` is what an error calls it."""
    check(name, k, POSITIVE)
    nearest = int(np.abs(ks - k).argmin())
    if not np.isclose(ks[nearest], k, rtol=SAME_K, atol=0):
        allowed = ", ".join(f"{one:.6g}" for one in ks)
        raise ValueError(f"{name} must be one of ks_, {allowed}, got {k!r}.")
    return nearest


def score_on(
    scorer: Scorer, model: BaseLaiRegressor, X: Any, rows: Data, test: np.ndarray
) -> float:
    """Score of a model on test rows that have a weight; `X` is what the user gave."""
    test = rows.that_count(test)
    y = rows.y[test, 0] if rows.y.shape[1] == 1 else rows.y[test]
    table = take_rows(X if hasattr(X, "columns") else rows.X, test)
    weight = {}
    if rows.sample_weight is not None:
        weight["sample_weight"] = rows.sample_weight[test]
    score = scorer(model, table, y, **weight)
    check("the score that scoring returns", score, SCORE)
    return float(score)


def score_paths(
    scorer: Scorer,
    paths: Iterable[Iterable[BaseLaiRegressor]],
    X: Any,
    rows: Data,
    folds: Iterable[Fold],
) -> np.ndarray:
    """Scores of the models of each fold on its test rows, (n_folds, n_models)."""
    scores = []
    for number, (models, (_, test)) in enumerate(zip(paths, folds, strict=True)):
        with naming(f"fold {number} of cv"):
            scores.append([score_on(scorer, model, X, rows, test) for model in models])
    return np.array(scores)


def make_model(estimator: Any, kind: type[Model], k: float) -> Model:
    """A model to be fitted to what an estimator has checked, with its parameters.

    With noise, `k` is a multiple, which the model has no parameter for.
    """
    model, own = kind(), estimator.get_params(deep=False)
    shared = {name: own[name] for name in model.get_params(deep=False) if name in own}
    if estimator.noise is None:
        shared["k"] = float(k)
    model = clone(model.set_params(**shared))
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(model, name, getattr(estimator, name))
    return model
