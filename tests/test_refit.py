"""Scorers of smoothness, and the choice of a search's candidate by them."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from common import FRAME, X, Y, y
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
    cross_validate,
)

from sklearn_lai.metrics import (
    make_noise_sensitivity_scorer,
    neg_noise_sensitivity,
    neg_prediction_variance,
    noise_sensitivity,
    prediction_variance,
)
from sklearn_lai.model_selection import most_accurate_within, smoothest_within

SCORING = {
    "accuracy": "neg_root_mean_squared_error",
    "smoothness": neg_noise_sensitivity,
    "variance": neg_prediction_variance,
    "a": make_noise_sensitivity_scorer("a"),
}
ALPHAS = [0.01, 1, 30, 100, 300, 1e6]


def results(accuracy, smoothness):
    """`cv_results_` of a search with these scores on each fold, (n_folds, n)."""
    found = {}
    for name, scores in {"accuracy": accuracy, "smoothness": smoothness}.items():
        scores = np.array(scores, dtype=float)
        found |= {f"split{i}_test_{name}": score for i, score in enumerate(scores)}
        found[f"mean_test_{name}"] = scores.mean(axis=0)
    return found


@pytest.mark.parametrize("target", [y, Y])
def test_scorers_are_the_negated_metrics(target):
    model = LinearRegression().fit(FRAME, target)
    sensitivity = noise_sensitivity(model, FRAME).to_numpy()
    mean = pytest.approx(-sensitivity.mean(), rel=1e-14)
    assert neg_noise_sensitivity(model, FRAME) == mean
    variance = -np.mean(prediction_variance(model, FRAME))
    assert neg_prediction_variance(model, FRAME, target) == variance
    for j, name in enumerate(FRAME):
        for feature in (j, name):
            scorer = pickle.loads(pickle.dumps(make_noise_sensitivity_scorer(feature)))
            mean = pytest.approx(-sensitivity[..., j].mean(), rel=1e-14)
            assert scorer(model, FRAME, target) == mean
    options = {"noise": 0.5, "n_repeats": 2, "random_state": 7}
    other = make_noise_sensitivity_scorer(**options)
    expected = -noise_sensitivity(model, FRAME, **options).to_numpy().mean()
    # The order of the sum is that of the memory.
    assert other(model, FRAME) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("feature", ["z", 5, -1])
def test_a_feature_that_is_not_there_is_named(feature):
    model = LinearRegression().fit(FRAME, y)
    scorer = make_noise_sensitivity_scorer(feature)
    with pytest.raises(ValueError, match=rf"0 to 4 or one of 'a'.*got {feature!r}"):
        scorer(model, FRAME)
    with pytest.raises(ValueError, match=r"noise must be a finite number > 0, got 0"):
        make_noise_sensitivity_scorer(noise=0)


def test_a_name_needs_a_data_frame():
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="feature must be a position from 0 to 4, got"):
        make_noise_sensitivity_scorer("a")(model, X)


@pytest.mark.parametrize(
    "search",
    [
        lambda **options: GridSearchCV(Ridge(), {"alpha": ALPHAS}, **options),
        lambda **options: RandomizedSearchCV(
            Ridge(), {"alpha": uniform(0, 40)}, random_state=0, **options
        ),
    ],
)
def test_searches_refit_the_smoothest_accurate_candidate(search):
    found = search(scoring=SCORING, refit=smoothest_within(0.05)).fit(FRAME, y)
    error = -found.cv_results_["mean_test_accuracy"]
    smoothness = found.cv_results_["mean_test_smoothness"]
    is_within = error <= 1.05 * error.min()
    assert 1 < is_within.sum() < len(error)
    assert is_within[found.best_index_]
    assert smoothness[found.best_index_] == smoothness[is_within].max()
    assert (
        found.best_estimator_.alpha > found.cv_results_["param_alpha"][error.argmin()]
    )


def test_scorers_work_in_halving_searches_and_cross_validate():
    halving = HalvingGridSearchCV(
        Ridge(), {"alpha": ALPHAS}, scoring=neg_noise_sensitivity, min_resources=30
    ).fit(FRAME, y)
    assert halving.best_params_["alpha"] == max(ALPHAS)
    first, second = (cross_validate(Ridge(), FRAME, y, scoring=SCORING) for _ in "ab")
    for name in SCORING:
        np.testing.assert_array_equal(first[f"test_{name}"], second[f"test_{name}"])


@pytest.mark.parametrize(
    ("tolerance", "index"), [(0, 0), (0.05, 0), (0.1, 1), (0.2, 2), (5.0, 3)]
)
def test_tolerance_is_a_share_of_the_least_error(tolerance, index):
    found = results([[-1, -1.1, -1.2, -5]], [[-4, -3, -2, -1]])
    assert smoothest_within(tolerance)(found) == index


def test_one_fold_with_an_outlier_does_not_decide():
    accuracy = [[-1, -1.01, -1.1], [-1, -1.01, -1.1], [-1, -3, -1]]
    found = results(accuracy, [[-3, -2, -1]] * 3)
    assert smoothest_within(0.02)(found) == 1
    assert smoothest_within(0)(found) == 0


def test_means_alone_are_enough_for_a_share():
    found = results([[-1, -1.01, -1.1]], [[-3, -2, -1]])
    means = {key: found[key] for key in found if key.startswith("mean")}
    assert smoothest_within(0.02)(means) == 1


def test_tolerance_may_be_a_standard_error_of_the_best():
    accuracy = [[-0.9, -1.0, -1.2], [-1.1, -1.15, -1.2]]
    found = results(accuracy, [[-3, -2, -1]] * 2)
    # Of the best candidate: 0.1414 / sqrt(2) = 0.1.
    assert smoothest_within("1se")(found) == 1


def test_scores_that_are_to_be_large_may_be_within_a_share_too():
    found = results([[0.8, 0.79, 0.7]], [[-3, -2, -1]])
    assert smoothest_within(0.02)(found) == 1


def test_failed_candidates_are_skipped_and_ties_go_to_accuracy():
    found = results([[-1, np.nan, -1.01, -1.02]], [[-3, -1, -2, -2]])
    assert smoothest_within(0.1)(found) == 2
    with pytest.raises(ValueError, match="No candidate of the search worked"):
        smoothest_within(0.1)(results([[np.nan]], [[-1]]))


def test_a_constant_wins_only_if_accuracy_does_not_count():
    found = {}
    for name, model in {"ridge": Ridge(), "constant": DummyRegressor()}.items():
        scores = cross_validate(model, FRAME, y, scoring=SCORING)
        found[name] = [scores["test_accuracy"], scores["test_smoothness"]]
    table = results(*(np.stack(s, axis=1) for s in zip(*found.values(), strict=True)))
    assert smoothest_within(0.1)(table) == 0
    assert smoothest_within(10)(table) == 1


def test_a_missing_metric_is_named_with_those_there_are():
    found = results([[-1]], [[-1]])
    with pytest.raises(ValueError, match=r"smoothness='b'.*has 'accuracy', 'smooth"):
        smoothest_within(0, smoothness="b")(found)
    search = GridSearchCV(Ridge(), {"alpha": [1]}, refit=smoothest_within(0.1))
    with pytest.raises(ValueError, match=r"accuracy='accuracy' must be a metric"):
        search.fit(X, y)


@pytest.mark.parametrize(
    ("tolerance", "error"), [(-0.1, ValueError), ("2se", ValueError), (None, TypeError)]
)
def test_a_wrong_tolerance_is_named(tolerance, error):
    with pytest.raises(error, match=rf"tolerance must be .*1se.*, got {tolerance!r}"):
        smoothest_within(tolerance)


RULES = [smoothest_within(0.05), most_accurate_within(0.6)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("as_callable", [False, True])
def test_a_search_with_a_rule_scores_by_its_accuracy(rule, as_callable):
    def score_all(estimator, X, y):
        error = root_mean_squared_error(y, estimator.predict(X))
        return {
            "accuracy": -error,
            "smoothness": neg_noise_sensitivity(estimator, X),
        }

    scoring = score_all if as_callable else SCORING
    search = GridSearchCV(Ridge(), {"alpha": ALPHAS}, scoring=scoring, refit=rule)
    found = clone(search).fit(FRAME, y)
    error = root_mean_squared_error(y, found.best_estimator_.predict(FRAME))
    assert found.score(FRAME, y) == -error
    nested = cross_val_score(search, FRAME, y, cv=3)
    for score, (train, test) in zip(nested, KFold(3).split(FRAME), strict=True):
        found = clone(search).fit(FRAME.iloc[train], y[train])
        error = root_mean_squared_error(y[test], found.predict(FRAME.iloc[test]))
        assert score == -error


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_copied_and_pickled_whole(rule):
    found = results([[-1, -1.02, -2]], [[-3, -0.5, -0.1]])
    for copied in (pickle.loads(pickle.dumps(rule)), deepcopy(rule)):
        assert repr(copied) == repr(rule)
        assert copied(found) == rule(found) == 1


@pytest.mark.parametrize(("limit", "index"), [(0.5, 0), (4, 2), (3, 2), (2.5, 1)])
def test_the_most_accurate_is_smooth_enough(limit, index):
    found = results([[-3, -2, -1, -np.nan]], [[-0.5, -2, -3, 0]])
    assert most_accurate_within(limit)(found) == index


def test_of_equally_accurate_ones_the_smoothest_is_taken():
    assert most_accurate_within(9)(results([[-1, -1, -2]], [[-3, -2, -1]])) == 1


def test_the_smoothest_is_taken_with_a_warning_if_none_is_smooth_enough():
    found = results([[-1, -2]], [[-3, -2]])
    with pytest.warns(UserWarning, match=r"at most max_sensitivity=1;.* with 2, is"):
        assert most_accurate_within(1)(found) == 1
    of_equal_ones = results([[-5, -1, -3]], [[-2, -2, -4]])
    with pytest.warns(UserWarning, match="the smoothest, with 2, is taken"):
        assert most_accurate_within(1)(of_equal_ones) == 1


@pytest.mark.parametrize(
    ("limit", "error"), [(-0.1, ValueError), ("1se", TypeError), (None, TypeError)]
)
def test_a_wrong_limit_is_named(limit, error):
    with pytest.raises(error, match=rf"max_sensitivity must be .*>= 0, got {limit!r}"):
        most_accurate_within(limit)


def test_a_standard_error_needs_two_folds():
    split = ShuffleSplit(1, random_state=0)
    scoring = {"accuracy": "r2", "smoothness": neg_noise_sensitivity}
    search = GridSearchCV(
        Ridge(),
        {"alpha": [1, 10]},
        cv=split,
        scoring=scoring,
        refit=smoothest_within("1se"),
    )
    with pytest.raises(ValueError, match="at least 2 folds, got 1"):
        search.fit(X, y)
