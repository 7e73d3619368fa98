"""What a user may write, for type checkers; test_typing.py runs them, and it, too."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, assert_type

import numpy as np
import pandas as pd

from sklearn_lai import (
    FeatureK,
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
    lai_linear_path,
)
from sklearn_lai.metrics import error_under_noise, make_noisy_scorer

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 2))
y = 3 * X[:, 0] + X[:, 1] + rng.normal(size=60)
weight = rng.uniform(1, 2, size=60)
frame = pd.DataFrame({"age": X[:, 0], "bmi": X[:, 1]})
rows, targets = X.tolist(), y.tolist()

# Annotated as a user's own functions are: their types are not those of a literal.
slopes: list[float] = [0.3, 0.1]
by_name: dict[str, float] = {"bmi": 0.1}
by_position: dict[int, float | None] = {0: 0.1, 1: None}
either: dict[str | int, float] = {"bmi": 0.1, 0: 0.2}
folds: list[tuple[np.ndarray, np.ndarray]] = [
    (np.arange(40), np.arange(40, 60)),
    (np.arange(20, 60), np.arange(20)),
]


class Split:
    """A splitter of the user's own, with the names that scikit-learn has."""

    def split(
        self, X: np.ndarray, y: np.ndarray | None = None, groups: object = None
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        return folds

    def get_n_splits(
        self, X: object = None, y: object = None, groups: object = None
    ) -> int:
        return len(folds)


def perceptron(folder: Path) -> None:
    model = LaiMLPRegressor(
        (16, 8),
        k=0.3,
        feature_k=by_name,
        reach=1,
        lai_error="own",
        norm="elasticnet",
        l1_ratio=0.5,
        lai_fraction=0.2,
        lai_interval=None,
        loss="huber",
        huber_delta=2.0,
        max_iter=2,
        lai_epochs=2,
        activation="tanh",
        solver="sgd",
        alpha=0,
        batch_size=8,
        random_state=np.random.RandomState(0),
        verbose=0,
        momentum=0.5,
        early_stopping=True,
        n_iter_no_change=np.inf,
        device="auto",
        memory=folder,
        distributed=False,
    )
    assert_type(model.norm, Literal["l1", "l2", "elasticnet"])
    assert_type(model.max_iter, int)
    fitted = model.fit(
        frame, y, weight, X_val=frame[:10], y_val=y[:10], sample_weight_val=weight[:10]
    )
    assert_type(fitted, LaiMLPRegressor)
    assert_type(fitted.predict(frame), np.ndarray)
    assert_type(fitted.input_gradient(frame), np.ndarray)
    bounds = fitted.slope_bounds({"bmi": 0.1, "age": None}, by_name, max_boxes=10)
    assert_type(bounds, tuple[np.ndarray, np.ndarray])
    assert_type(fitted.slope_bounds(-1, [1.0, 2.0]), tuple[np.ndarray, np.ndarray])
    assert_type(fitted.X_min_, np.ndarray)
    assert_type(fitted.X_max_, np.ndarray)
    assert_type(fitted.coefs_, list[np.ndarray])
    assert_type(fitted.intercepts_, list[np.ndarray])
    assert_type(fitted.feature_k_, np.ndarray)
    assert_type(fitted.feature_importances_, np.ndarray)
    assert_type(fitted.n_iter_, int)
    assert_type(fitted.n_lai_iter_, int)
    assert_type(fitted.loss_, float)
    assert_type(fitted.loss_curve_, list[float])
    assert_type(fitted.lai_loss_curve_, list[float])
    assert_type(fitted.validation_scores_, list[float] | None)
    assert_type(fitted.best_validation_score_, float | None)
    assert_type(fitted.t_, int)
    assert_type(fitted.n_layers_, int)
    assert_type(fitted.n_outputs_, int)
    assert_type(fitted.hidden_activation_, str)
    assert_type(fitted.out_activation_, str)
    assert_type(fitted.n_features_in_, int)
    assert_type(fitted.feature_names_in_, np.ndarray)
    assert_type(LaiLinearRegressor(noise=[[0.1, 0.0], [0.0, 0.1]]), LaiLinearRegressor)
    assert_type(LaiMLPRegressorCV(noise=frame.cov()), LaiMLPRegressorCV)
    noisy = LaiMLPRegressor(noise=by_name)
    assert_type(noisy.set_params(noise=slopes), LaiMLPRegressor)
    chunks = LaiMLPRegressor(
        8, noise=0.1, k=slopes, feature_k={0: None}, batch_size="auto"
    )
    assert_type(chunks.partial_fit(rows, targets).partial_fit(X, y), LaiMLPRegressor)


def perceptron_cv(folder: Path) -> None:
    model = LaiMLPRegressorCV(
        [8],
        ks=slopes,
        feature_k=FeatureK(bmi=0.1),
        noise=by_position,
        max_iter=1,
        lai_epochs=1,
        lai_interval=1,
        cv=Split(),
        scoring=make_noisy_scorer("r2", noise=0.1),
        path_epochs=2,
        n_jobs=1,
        random_state=0,
        memory=str(folder),
    )
    fitted = model.fit(frame, y, sample_weight=weight, groups=None)
    assert_type(fitted, LaiMLPRegressorCV)
    assert_type(fitted.predict(frame), np.ndarray)
    assert_type(fitted.k_, float)
    assert_type(fitted.ks_, np.ndarray)
    assert_type(fitted.mse_path_, np.ndarray)
    assert_type(fitted.score_path_, np.ndarray)
    assert_type(fitted.estimator_at(0.1), LaiMLPRegressor)
    assert_type(fitted.sensitivity_path_, np.ndarray)
    assert_type(fitted.variance_path_, np.ndarray)
    assert_type(fitted.best_score_, float)
    assert_type(fitted.feature_importances_, np.ndarray)
    assert_type(fitted.coefs_, list[np.ndarray])


def linear() -> None:
    model = LaiLinearRegressor(
        k=np.array([0.3, 0.1]), feature_k=by_position, solver="exact", random_state=None
    )
    fitted = model.fit(X, y, sample_weight=weight)
    assert_type(fitted, LaiLinearRegressor)
    assert_type(fitted.predict(X), np.ndarray)
    assert_type(fitted.input_gradient(X), np.ndarray)
    assert_type(fitted.slope_bounds(), tuple[np.ndarray, np.ndarray])
    assert_type(fitted.coef_, np.ndarray)
    assert_type(fitted.intercept_, float | np.ndarray)
    assert_type(fitted.feature_k_, np.ndarray)
    assert_type(fitted.objective_, float | np.ndarray)
    assert_type(fitted.optimality_, float)
    assert_type(fitted.n_samples_seen_, int)
    assert_type(fitted.n_iter_, int)
    by_name = pd.Series([0.3, 0.1], index=["age", "bmi"])
    LaiLinearRegressor(k=by_name).set_params(feature_k__bmi=0.1).fit(frame, y)
    part = LaiLinearRegressor(k=[[0.3, 0.1]]).partial_fit(rows, targets)
    assert_type(part.merge(fitted), LaiLinearRegressor)
    descended = LaiLinearRegressor(solver="adam", lai_interval=1, lai_epochs=1)
    assert_type(descended.fit(X, y).loss_curve_, list[float])


def linear_cv() -> None:
    fitted = LaiLinearRegressorCV(
        ks=5, feature_k=either, cv=folds, tolerance="1se"
    ).fit(frame, y)
    assert_type(fitted, LaiLinearRegressorCV)
    assert_type(fitted.estimator_at(fitted.k_), LaiLinearRegressor)
    assert_type(fitted.k_, float)
    assert_type(fitted.ks_, np.ndarray)
    assert_type(fitted.mse_path_, np.ndarray)
    assert_type(fitted.coef_, np.ndarray)
    ks, coefs, optimalities = lai_linear_path(
        frame, y, np.geomspace(1, 0.1, 5), feature_k=by_name, norm="l2"
    )
    assert_type(ks, np.ndarray)
    assert_type(coefs, np.ndarray)
    assert_type(optimalities, np.ndarray)


def feature_k() -> None:
    overrides = FeatureK(age=0.1, bmi=None)
    assert_type(overrides["age"], float | None)
    assert_type(overrides.get_params(), dict[str, float | None])
    assert_type(overrides.set_params(age=1), FeatureK)
    for slopes_of_some in (by_name, by_position, either, overrides):
        FeatureK(slopes_of_some, bmi=0.2)


def measure() -> None:
    model = LaiLinearRegressor().fit(frame, y)
    for_all = error_under_noise(model, frame, y, noise=0.1, sample_weight=weight)
    assert_type(for_all, float)
    by_column = error_under_noise(model, frame, y, noise=by_name, random_state=None)
    assert_type(by_column, float)
    assert_type(error_under_noise(model, frame, y, noise=slopes), float)
    scorer = make_noisy_scorer("r2", noise=by_position, n_repeats=2)
    assert_type(scorer, Callable[..., float])
    assert_type(make_noisy_scorer(scorer, noise=None)(model, frame, y), float)


def mistakes(model: LaiLinearRegressor, network: LaiMLPRegressor) -> None:
    """Not to be run; one that a checker misses makes its comment one too many."""
    LaiMLPRegressor(norm="l3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressor(lai_error="mine")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressor(solver="newton")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressor(hidden_layer_sizes="large")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressor(batch_size="large")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressor(memory=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressor(lay_fraction=0.1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LaiMLPRegressorCV(k=0.1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LaiMLPRegressorCV(ks="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressorCV(path_epochs="few")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressorCV(scoring=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiMLPRegressorCV(cv="five")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiLinearRegressor(k="big")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiLinearRegressor(feature_k={"bmi": "small"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiLinearRegressor(solver="sgd")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiLinearRegressorCV(norm="l3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LaiLinearRegressorCV(tolerance="2se")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lai_linear_path(X, y, norm="l3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    error_under_noise(model, X, y, noise="much")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    error_under_noise(model, X, y)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    make_noisy_scorer(3, noise=0.1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    FeatureK(bmi="small")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    model.merge(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    model.fit()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    model.fit(X, y, weights=weight)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    model.merge(model).partial_fit(X, y, weights=weight)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    network.partial_fit(X, y, weights=weight)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # mypy cannot tell where it is to ignore that scikit-learn has no types.
    model.mrege(model)  # type: ignore[attr-defined, unused-ignore]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        perceptron(Path(folder))
        perceptron_cv(Path(folder))
    linear()
    linear_cv()
    measure()
    feature_k()
