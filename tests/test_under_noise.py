"""Errors and scores with noise in the features."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.metrics import (
    get_scorer,
    max_error,
    mean_squared_error,
    root_mean_squared_error,
)
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_lai import FeatureK
from sklearn_lai.metrics import (
    error_under_noise,
    make_noisy_scorer,
    neg_noise_sensitivity,
)

rng = np.random.default_rng(0)
NAMES = ["a", "b", "c"]
X = rng.normal(5, [1, 3, 0.5], (500, 3))
y = X @ [2.0, 0.0, -4.0] + rng.normal(size=500)
WEIGHT = rng.uniform(0, 2, 500)
FRAMES = {
    "pandas": lambda columns: pd.DataFrame(columns),
    "polars": lambda columns: pl.DataFrame(columns),
}
frames = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)


class Recorder:
    """An estimator that keeps what it is asked to predict from."""

    def __init__(self):
        self.seen = []

    def predict(self, X):
        self.seen.append(X)
        return np.zeros(len(X))


def seen(data, noise, **options):
    """The copies of the data that an estimator gets."""
    recorder = Recorder()
    error_under_noise(recorder, data, np.ones(len(data)), noise=noise, **options)
    return recorder.seen


def named(frame, X=X):
    return frame(dict(zip(NAMES, X.T, strict=True)))


def pipeline(estimator=None):
    return make_pipeline(StandardScaler(), estimator or Ridge())


def test_the_error_is_the_mean_metric_over_copies_made_by_hand():
    model = HistGradientBoostingRegressor(max_iter=10).fit(X, y)
    sds, random = np.array([0.5, 0, 1]), np.random.RandomState(7)
    errors = [
        root_mean_squared_error(
            y, model.predict(X + sds * X.std(0) * random.standard_normal(X.shape))
        )
        for _ in range(3)
    ]
    measured = error_under_noise(model, X, y, noise=sds, n_repeats=3, random_state=7)
    assert measured == pytest.approx(np.mean(errors), rel=1e-12)
    assert len(set(errors)) == 3


def test_a_linear_model_errs_by_its_slopes_times_the_noise():
    model = LinearRegression().fit(X, y)
    noise = np.array([0.3, 2.0, 0.1])
    measured = error_under_noise(
        model, X, y, noise=noise, metric=mean_squared_error, n_repeats=500
    )
    added = np.square(noise * X.std(0) * model.coef_).sum()
    clean = mean_squared_error(y, model.predict(X))
    assert added > 0.3
    assert measured == pytest.approx(clean + added, rel=0.01)


@pytest.mark.parametrize("noise", [None, 0, [0, 0, 0.0], {}, {1: None, 2: 0}])
def test_no_noise_is_the_metric_itself_and_one_prediction(noise):
    model = LinearRegression().fit(X, y)
    assert error_under_noise(model, X, y, noise=noise) == root_mean_squared_error(
        y, model.predict(X)
    )
    assert make_noisy_scorer("r2", noise=noise)(model, X, y) == model.score(X, y)
    [copy] = seen(X, noise)
    assert copy is X


def test_weights_reach_the_metric():
    model = LinearRegression().fit(X, y)
    weighted = error_under_noise(model, X, y, noise=0, sample_weight=WEIGHT)
    expected = root_mean_squared_error(y, model.predict(X), sample_weight=WEIGHT)
    assert weighted == expected


def test_a_draw_depends_on_no_other_column():
    every = seen(X, [0.5, 1, 2])
    for j, sd in enumerate([0.5, 1, 2]):
        for copy, alone in zip(every, seen(X, {j: sd}), strict=True):
            np.testing.assert_array_equal(copy[:, j], alone[:, j])
            np.testing.assert_array_equal(np.delete(alone, j, 1), np.delete(X, j, 1))
    double = seen(X, [1, 2, 4])
    np.testing.assert_allclose(double[0] - X, 2 * (every[0] - X))


def test_draws_of_columns_and_repeats_are_independent_and_normal():
    data = np.concatenate([X] * 40)
    moves = np.hstack([(c - data) / X.std(0) for c in seen(data, 0.5, n_repeats=2)])
    np.testing.assert_allclose(np.cov(moves.T), 0.25 * np.eye(6), atol=0.01)


@frames
@pytest.mark.parametrize(
    "noise",
    [0.3, [0.1, 0.0, 2.0], {"b": 1.0, "c": None}, FeatureK(b=1), {"a": 1, 2: 3}],
)
def test_data_frames_have_the_noise_of_arrays_by_name_or_position(frame, noise):
    data = named(frame)
    copies = seen(data, noise)
    by_position = noise
    if not isinstance(noise, float | list):
        by_position = {n if n == 2 else NAMES.index(n): sd for n, sd in noise.items()}
    for copy, array in zip(copies, seen(X, by_position), strict=True):
        assert type(copy) is type(data)
        assert list(copy.columns) == NAMES
        np.testing.assert_array_equal(np.asarray(copy), array)
    np.testing.assert_array_equal(np.asarray(data), X)


def test_the_input_stays_as_it_is():
    before = X.copy()
    model = pipeline().fit(X, y)
    error_under_noise(model, X, y, noise=1.0)
    np.testing.assert_array_equal(X, before)
    listed = error_under_noise(model, X.tolist(), y.tolist(), noise=1.0)
    assert listed == error_under_noise(model, X, y, noise=1.0)


@frames
def test_integers_get_noise_as_floats_and_columns_without_noise_keep_their_type(frame):
    counts = np.arange(200)
    data = frame({"n": counts, "m": counts % 7, "s": (counts / 3).astype("f")})
    for copy in seen(data, {"n": 0.5, "s": 0.5}):
        kinds = [str(dtype).lower() for dtype in copy.dtypes]
        assert kinds == ["float64", "int64", "float32"]
        assert np.std(np.asarray(copy["n"]) - counts) == pytest.approx(
            0.5 * counts.std(), rel=0.2
        )
    [copy] = seen(np.column_stack([counts, counts]), {0: 0.5}, n_repeats=1)
    assert copy.dtype == np.float64
    np.testing.assert_array_equal(copy[:, 1], counts)


@frames
def test_columns_that_are_not_numeric_get_no_noise(frame):
    labels = np.where(X[:, 1] > 5, "u", "v").astype(object)
    data = frame({"a": X[:, 0], "kind": labels, "flag": X[:, 2] > 5})
    for copy in seen(data, 0.5):
        assert (np.asarray(copy["a"]) != X[:, 0]).all()
        for name in ("kind", "flag"):
            np.testing.assert_array_equal(np.asarray(copy[name]), data[name])
    assert len(seen(data, [0.5, 0, 0])) == 5
    for noise in ({"kind": 0.1}, {1: 0.1}, [0.1, 0.1, 0]):
        with pytest.raises(ValueError, match=r"noise must be 0 .*numeric: 'kind'\."):
            seen(data, noise)
    with pytest.raises(ValueError, match=r"numeric: 'kind', 'flag'\."):
        seen(data, {"kind": 1, "a": 1, "flag": 1})
    with pytest.raises(ValueError, match=r"noise=0\.5 needs a numeric column"):
        seen(data[["kind", "flag"]], 0.5)


@pytest.mark.parametrize("kind", [pd.Categorical, pl.Categorical])
def test_categories_of_numbers_are_not_numeric(kind):
    codes = np.arange(500) % 3
    if kind is pd.Categorical:
        data = pd.DataFrame({"a": X[:, 0], "kind": pd.Categorical(codes)})
    else:
        data = pl.DataFrame({"a": X[:, 0], "kind": pl.Series(codes.astype(str))})
        data = data.with_columns(pl.col("kind").cast(kind))
    assert list(seen(data, 1.0)[0]["kind"]) == list(data["kind"])
    with pytest.raises(ValueError, match="numeric: 'kind'"):
        seen(data, {"kind": 1})


def test_missing_values_stay_missing_and_count_for_no_deviation():
    holes = X.copy()
    holes[::10, 0] = np.nan
    holes[:, 1] = np.nan
    filled = np.where(np.isnan(holes), 0, holes)
    for data in (holes, named(pd.DataFrame, holes), named(pl.DataFrame, holes)):
        for copy in seen(data, 0.5):
            copy = np.asarray(copy)
            np.testing.assert_array_equal(np.isnan(copy), np.isnan(holes))
            change = np.nanstd(copy[:, 0] - filled[:, 0])
            assert change == pytest.approx(0.5 * np.nanstd(holes[:, 0]), rel=0.1)
    gaps = pl.DataFrame({"n": [1, None, 3, 7]})
    assert all(copy["n"].is_null().to_list() == [0, 1, 0, 0] for copy in seen(gaps, 1))
    gaps = pd.DataFrame({"n": pd.array([1, None, 3, 7], dtype="Int64")})
    assert all(copy["n"].isna().tolist() == [0, 1, 0, 0] for copy in seen(gaps, 1))


def test_noise_goes_into_the_columns_as_a_pipeline_gets_them():
    data = named(pd.DataFrame).assign(kind=np.where(X[:, 1] > 5, "u", "v"))
    columns = make_column_transformer(
        (StandardScaler(), ["a", "c"]), (OneHotEncoder(), ["kind"])
    )
    model = make_pipeline(columns, LinearRegression()).fit(data, y)
    clean = root_mean_squared_error(y, model.predict(data))
    assert error_under_noise(model, data, y, noise={"b": 1.0}) == clean
    assert error_under_noise(model, data, y, noise={"a": 1.0}) > 1.5 * clean


@pytest.mark.parametrize(
    "scoring",
    ["neg_root_mean_squared_error", get_scorer("neg_root_mean_squared_error")],
)
def test_a_noisy_scorer_is_the_negated_error(scoring):
    model = pipeline().fit(X, y)
    scorer = make_noisy_scorer(scoring, noise={0: 0.5}, n_repeats=2, random_state=3)
    error = error_under_noise(model, X, y, noise={0: 0.5}, n_repeats=2, random_state=3)
    assert scorer(model, X, y) == -error
    assert pickle.loads(pickle.dumps(scorer))(model, X, y) == -error


def test_scorers_work_in_cross_validation_and_in_parallel():
    data = named(pd.DataFrame)
    scorer = make_noisy_scorer("r2", noise={"a": 1.0})
    scores = cross_val_score(pipeline(), data, y, scoring=scorer)
    assert (scores < cross_val_score(pipeline(), data, y) - 0.1).all()
    for n_jobs in (1, 2):
        again = cross_validate(
            pipeline(),
            data,
            y,
            scoring={"clean": "r2", "noisy": scorer, "moves": neg_noise_sensitivity},
            n_jobs=n_jobs,
        )
        np.testing.assert_array_equal(again["test_noisy"], scores)


def test_searches_choose_more_regularisation_when_there_is_noise():
    data = named(pl.DataFrame)
    search = GridSearchCV(
        pipeline(),
        {"ridge__alpha": [0.1, 10, 100, 1000]},
        scoring={"clean": "r2", "noisy": make_noisy_scorer("r2", noise=1.0)},
        refit="noisy",
    )
    search = clone(search).fit(data, y)
    alphas = search.cv_results_["param_ridge__alpha"]
    clean = alphas[search.cv_results_["mean_test_clean"].argmax()]
    assert search.best_params_["ridge__alpha"] >= 100 > clean
    single = GridSearchCV(
        pipeline(),
        {"ridge__alpha": alphas},
        scoring=make_noisy_scorer("r2", noise=1.0),
    ).fit(data, y)
    np.testing.assert_array_equal(
        single.cv_results_["mean_test_score"], search.cv_results_["mean_test_noisy"]
    )


def test_scorers_work_in_estimators_that_choose_by_cross_validation():
    alphas = [0.1, 10, 100, 1000]
    clean, noisy = (
        RidgeCV(alphas, cv=5, scoring=scoring).fit(X, y).alpha_
        for scoring in ("r2", make_noisy_scorer("r2", noise=1.0))
    )
    assert noisy > clean


def test_weights_reach_the_score_without_metadata_routing():
    model = pipeline().fit(X, y)
    for noise in (0, 0.5):
        scorer = make_noisy_scorer("neg_mean_squared_error", noise=noise)
        assert scorer(model, X, y, sample_weight=WEIGHT) == -error_under_noise(
            model, X, y, noise=noise, metric=mean_squared_error, sample_weight=WEIGHT
        )


def test_a_search_passes_weights_on_as_it_does_to_the_scorer_underneath():
    plain, noisy = (
        GridSearchCV(Ridge(), {"alpha": [1, 100]}, scoring=scoring)
        .fit(X, y, sample_weight=WEIGHT)
        .cv_results_["mean_test_score"]
        for scoring in ("r2", make_noisy_scorer("r2", noise=0))
    )
    np.testing.assert_array_equal(noisy, plain)


def test_metadata_routing_sends_what_the_scorer_underneath_requests():
    kept = np.arange(500) % 2
    with sklearn.config_context(enable_metadata_routing=True):
        base = get_scorer("r2").set_score_request(sample_weight="weight")
        scoring = {
            "weighted": make_noisy_scorer(base, noise=0.5),
            "base": make_noisy_scorer(base, noise=0),
            "reference": base,
            "plain": make_noisy_scorer(max_error_scorer, noise=0.5),
        }
        scores = cross_validate(
            Ridge(), X, y, scoring=scoring, params={"weight": kept.astype(float)}
        )
        np.testing.assert_array_equal(scores["test_base"], scores["test_reference"])
        noisy = make_noisy_scorer("r2", noise=0.5)
        unweighted = cross_val_score(Ridge(), X, y, scoring=noisy, params={})
        assert (scores["test_weighted"] != unweighted).all()
        with pytest.raises(TypeError, match="got unexpected argument"):
            cross_validate(
                Ridge(),
                X,
                y,
                scoring=scoring["plain"],
                params={"weight": kept},
                error_score="raise",
            )


def max_error_scorer(estimator, X, y):
    return -max_error(y, estimator.predict(X))


def test_a_noisy_scorer_shows_how_it_was_made():
    shown = "make_noisy_scorer('r2', noise={'a': 0.1}, n_repeats=2, random_state=None)"
    scorer = make_noisy_scorer("r2", noise={"a": 0.1}, n_repeats=2, random_state=None)
    assert repr(scorer) == shown


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"noise": -1},
            ValueError,
            r"noise must be None or .* in .0, 1e.*, got -1",
        ),
        ({"noise": np.nan}, ValueError, r"noise must be .*, got nan"),
        ({"noise": "much"}, TypeError, r"noise must be .*, got 'much' of type str"),
        ({"noise": [0.1, -1, 0]}, ValueError, r"noise must be .*, got \[0\.1, -1, 0\]"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be an integer >= 1, got 0"),
        ({"n_repeats": 2.5}, TypeError, "n_repeats must be an integer >= 1, got 2.5"),
        ({"random_state": -1}, ValueError, "random_state must be .*, got -1"),
    ],
)
def test_wrong_arguments_are_named(change, error, message):
    arguments = {"noise": 0.1, **change}
    with pytest.raises(error, match=message):
        error_under_noise(Recorder(), X, y, **arguments)
    with pytest.raises(error, match=message):
        make_noisy_scorer("r2", **arguments)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ([0.1, 0.2], r"one per feature of X, shape \(3,\)"),
        ({"z": 0.1}, "noise has the column name 'z', which is not a column of X"),
        ({5: 0.1}, r"must be an integer in \[0, 2\], got 5"),
        (
            {"a": -1},
            r"noise\['a'\] must be .* in \[0, 1e\+100\] or None, got -1",
        ),
    ],
)
def test_noise_that_does_not_fit_the_data_is_named(noise, message):
    with pytest.raises(ValueError, match=message):
        seen(named(pd.DataFrame), noise)
    with pytest.raises(ValueError, match=message):
        make_noisy_scorer("r2", noise=noise)(Recorder(), named(pd.DataFrame), y)


def test_a_name_needs_names():
    for data in (X, pd.DataFrame(X)):
        with pytest.raises(ValueError, match="'a', but X has no column names"):
            seen(data, {"a": 0.1})


def test_data_of_other_dimensions_is_refused():
    with pytest.raises(
        ValueError, match=r"X must be .*, got ndarray of shape \(500,\)"
    ):
        seen(X[:, 0], 0.1)


@pytest.mark.parametrize("scoring", [None, ["r2"], {"r2": "r2"}, 3])
def test_scoring_is_a_single_score(scoring):
    with pytest.raises(TypeError, match="scoring must be the name of a scikit-learn"):
        make_noisy_scorer(scoring, noise=0.1)


def test_a_metric_is_no_scorer_and_a_scorer_no_metric():
    with pytest.raises(ValueError, match="metric function rather than a scorer"):
        make_noisy_scorer(root_mean_squared_error, noise=0.1)
    with pytest.raises(ValueError, match="'r3'"):
        make_noisy_scorer("r3", noise=0.1)
    with pytest.raises(
        TypeError, match=r"metric must be a callable \(y_true, y_pred\)"
    ):
        error_under_noise(Recorder(), X, y, noise=0.1, metric="r2")


def test_noise_needs_deviations():
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="X must have at least 2 rows, got 1"):
        error_under_noise(model, X[:1], y[:1], noise=1.0)
    infinite = X.copy()
    infinite[0, 1] = np.inf
    with pytest.raises(ValueError, match="infinite ones in 1"):
        error_under_noise(model, infinite, y, noise=1.0)
    assert error_under_noise(model, X[:1], y[:1], noise=0) >= 0
