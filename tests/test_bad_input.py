"""Every row of the bad-input table: what is raised, and that nothing is lost."""

from typing import Annotated

import numpy as np
import pandas as pd
import pytest
from common import ESTIMATORS, FRAME, NAMES, X, estimators, fitted_state, quick, y
from scipy.sparse import csr_array

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)

WRONG_VALUES = [
    ("k", 0, ValueError, "k must be a finite number > 0 or .*, got 0"),
    ("k", -1.0, ValueError, "k must be .*, got -1.0"),
    ("k", np.nan, ValueError, "k must be .*, got nan"),
    ("k", np.inf, ValueError, "k must be .*, got inf"),
    ("k", "0.3", TypeError, "k must be .*, got '0.3' of type str"),
    ("k", True, TypeError, "k must be .*, got True of type bool"),
    ("k", [0.1, 0.2], ValueError, r"k must be .* shape \(5,\), .*, got \[0.1, 0.2\]"),
    ("k", [0.1] * 4 + [0.0], ValueError, "k must be .*, got "),
    ("k", np.array(0.3), TypeError, "k must be .*, got array"),
    ("k", {0.1, 0.2}, TypeError, "k must be .*, got .* of type set"),
    ("k", np.ones((2, 5)), ValueError, r"k must be .* \(1, 5\), got array"),
    ("k", np.ones((1, 1, 5)), TypeError, "k must be .*, got array"),
    ("k", [[0.1], [0.1, 0.2]], TypeError, r"k must be .*, got \[\[0.1\], \[0.1, 0.2"),
    (
        "feature_k",
        [0.1],
        TypeError,
        r"feature_k must be None or a map.* got \[0.1",
    ),
    ("feature_k", {"a": 0.1}, ValueError, "'a', but X has no column names"),
    ("feature_k", {5: 0.1}, ValueError, r"feature_k .* integer in \[0, 4\], got 5"),
    ("feature_k", {-1: 0.1}, ValueError, r"feature_k .* integer in \[0, 4\], got -1"),
    ("feature_k", {0.5: 0.1}, TypeError, "feature_k .*, got 0.5 of type float"),
    ("feature_k", {0: 0.0}, ValueError, r"feature_k\[0\] must be .* > 0 .*, got 0.0"),
    ("feature_k", {0: "x"}, TypeError, r"feature_k\[0\] must be .*, got 'x'"),
    ("norm", "max", ValueError, "norm must be one of 'l1', 'l2', 'elas.*, got 'max'"),
    ("norm", 2, TypeError, "norm must be one of .*, got 2 of type int"),
    ("l1_ratio", 1.1, ValueError, r"l1_ratio must be .* in \[0, 1\], got 1.1"),
    ("lai_fraction", -0.1, ValueError, r"lai_fraction must be .* \[0, 1\], got -0.1"),
    ("lai_fraction", 1.1, ValueError, r"lai_fraction must be .* \[0, 1\], got 1.1"),
    ("lai_fraction", np.nan, ValueError, "lai_fraction must be .*, got nan"),
    ("lai_fraction", None, TypeError, "lai_fraction must be .*, got None"),
    ("lai_interval", 0, ValueError, "lai_interval must be .* >= 1 or None, got 0"),
    ("lai_interval", 2.5, TypeError, "lai_interval must be .*, got 2.5 of type float"),
    ("lai_learning_rate_init", 0, ValueError, "lai_learning_rate_init .* > 0, got 0"),
    ("average", "yes", TypeError, "average must be True or False, got 'yes'"),
    (
        "loss",
        "poisson",
        ValueError,
        "loss must be one of 'squared_.*, got 'poisson'",
    ),
    ("huber_delta", 0, ValueError, "huber_delta must be a finite number > 0, got 0"),
    ("quantile", 1.0, ValueError, r"quantile must be .* \(0, 1\), got 1.0"),
    ("solver", "newton", ValueError, "solver must be one of .*'adam'.*, got 'newton'"),
    ("max_iter", 1.5, TypeError, "max_iter must be an integer >= 0, got 1.5"),
    ("max_iter", -1, ValueError, "max_iter must be .* >= 0, got -1"),
    ("lai_epochs", 1.5, TypeError, "lai_epochs must be an integer >= 0, got 1.5"),
    ("standardize", "yes", TypeError, "standardize must be True or False, got 'yes'"),
    ("batch_size", 0, ValueError, "batch_size must be .*'auto' or .* >= 1, got 0"),
    ("batch_size", "all", ValueError, "batch_size must be .*, got 'all'"),
    ("learning_rate_init", 0, ValueError, "learning_rate_init must be .* > 0, got 0"),
    ("shuffle", 1, TypeError, "shuffle must be True or False, got 1 of type int"),
    ("random_state", -1, ValueError, "random_state must be .*, got -1"),
    ("random_state", "a", TypeError, "random_state must be .*, got 'a' of type str"),
    ("tol", -1e-9, ValueError, "tol must be .* >= 0, got -1e-09"),
    ("n_iter_no_change", 0, ValueError, "n_iter_no_change must be .*, got 0"),
    ("verbose", None, TypeError, "verbose must be .*, got None"),
]

WRONG_MLP_VALUES = [
    ("hidden_layer_sizes", (8, 0), ValueError, r"hidden_layer_sizes .*, got \(8, 0\)"),
    ("hidden_layer_sizes", "8", TypeError, "hidden_layer_sizes must be .*, got '8'"),
    ("hidden_layer_sizes", (8, 1.5), TypeError, "hidden_layer_sizes must be .*, got"),
    ("reach", -0.1, ValueError, "reach must be a finite number >= 0, got -0.1"),
    ("reach", np.inf, ValueError, "reach must be a finite number >= 0, got inf"),
    ("reach", None, TypeError, "reach must be .*, got None of type NoneType"),
    ("reach", True, TypeError, "reach must be .*, got True of type bool"),
    ("lai_error", "own ", ValueError, "lai_error must be one of 'mean', 'own', got"),
    ("lai_error", None, TypeError, "lai_error must be one of .*, got None"),
    ("activation", "sine", ValueError, "activation must be one of .*, got 'sine'"),
    ("alpha", -1, ValueError, "alpha must be .* >= 0, got -1"),
    ("warm_start", 0, TypeError, "warm_start must be True or False, got 0"),
    ("momentum", 1.5, ValueError, r"momentum must be .* \[0, 1\], got 1.5"),
    ("nesterovs_momentum", None, TypeError, "nesterovs_momentum must be .*, got None"),
    ("early_stopping", "on", TypeError, "early_stopping must be .*, got 'on'"),
    ("validation_fraction", 1, ValueError, r"validation_fraction .* \(0, 1\), got 1"),
    ("beta_1", 1, ValueError, r"beta_1 must be .* \[0, 1\), got 1"),
    ("beta_2", -0.1, ValueError, r"beta_2 must be .* \[0, 1\), got -0.1"),
    ("epsilon", 0, ValueError, "epsilon must be .* > 0, got 0"),
    ("learning_rate", "cosine", ValueError, "learning_rate must be one of .*'adaptive"),
    ("power_t", -0.5, ValueError, "power_t must be a finite number >= 0, got -0.5"),
    ("max_fun", 0, ValueError, "max_fun must be an integer >= 1, got 0"),
]


def assert_fit_fails_and_changes_nothing(model, data, target, error, message):
    before, predicted = fitted_state(model), model.predict(X)
    with pytest.raises(error, match=message):
        model.fit(data, target)
    assert fitted_state(model) == before
    np.testing.assert_array_equal(model.predict(X), predicted)


@estimators
@pytest.mark.parametrize(("name", "value", "error", "message"), WRONG_VALUES)
def test_wrong_value_is_named_and_the_earlier_fit_is_kept(
    Estimator, name, value, error, message
):
    model = quick(Estimator).fit(X, y).set_params(**{name: value})
    assert_fit_fails_and_changes_nothing(model, X + 1, y, error, message)


@pytest.mark.parametrize(("name", "value", "error", "message"), WRONG_MLP_VALUES)
def test_wrong_value_of_the_network_is_named(name, value, error, message):
    model = quick(LaiMLPRegressor).fit(X, y).set_params(**{name: value})
    assert_fit_fails_and_changes_nothing(model, X + 1, y, error, message)


@pytest.mark.parametrize(
    ("Estimator", "name"),
    [
        (Estimator, name)
        for Estimator in (*ESTIMATORS, LaiMLPRegressorCV, LaiLinearRegressorCV)
        for name in Estimator().get_params()
    ],
)
def test_every_parameter_has_a_rule(Estimator, name):
    with pytest.raises(TypeError, match=f"{name} must be .*, got <object object"):
        Estimator(**{name: object()}).fit(X, y)


@estimators
@pytest.mark.parametrize(
    ("feature_k", "message"),
    [
        ({"bmi": 0.1}, "'bmi', which is not a column of X; its columns are 'a', 'b', "),
        ({"a": 0.1, 0: 0.2}, "names column 0 twice, as 'a' and 0"),
    ],
)
def test_wrong_column_names(Estimator, feature_k, message):
    model = quick(Estimator).fit(FRAME, y).set_params(feature_k=feature_k)
    with pytest.raises(ValueError, match=message):
        model.fit(FRAME, y)


@estimators
def test_a_name_of_several_columns_is_refused(Estimator):
    frame = pd.DataFrame(X, columns=list("abcda"))
    with pytest.raises(ValueError, match=r"names several|unique column names"):
        quick(Estimator, feature_k={"a": 0.1}).fit(frame, y)


@estimators
@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (np.where(X > 0.9, np.nan, X), ValueError, "Input X contains NaN"),
        (np.where(X > 0.9, np.inf, X), ValueError, "Input X contains infinity"),
        (X * 1j, ValueError, "Complex data not supported"),
        (X[..., None], ValueError, "Found array with dim 3"),
        (X[:0], ValueError, "Found array with 0 sample"),
        (X[:, :0], ValueError, "Found array with 0 feature"),
        (csr_array(X), TypeError, "Sparse data was passed.*dense data is required"),
    ],
)
def test_bad_data_has_the_message_of_scikit_learn(Estimator, data, error, message):
    model = quick(Estimator).fit(X, y)
    assert_fit_fails_and_changes_nothing(
        model, data, y[: data.shape[0]], error, message
    )
    for method in (model.predict, model.input_gradient):
        with pytest.raises(error, match=message):
            method(data)


@estimators
def test_wrong_feature_count_names_both(Estimator):
    model = quick(Estimator).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 4 features, but .* expecting 5"):
        model.predict(X[:, :4])


@estimators
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.where(y > y.mean(), np.nan, y), "Input y contains NaN"),
        (y[:-1], "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
    ],
)
def test_bad_target(Estimator, target, message):
    model = quick(Estimator).fit(X, y)
    assert_fit_fails_and_changes_nothing(model, X, target, ValueError, message)


@estimators
def test_names_of_an_earlier_fit_survive_a_failed_one(Estimator):
    model = quick(Estimator).fit(FRAME, y)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(FRAME.rename(columns=str.upper) * np.nan, y)
    assert model.feature_names_in_.tolist() == NAMES
    assert np.isfinite(model.predict(FRAME)).all()


@estimators
def test_divergence_names_epoch_and_batch_and_keeps_the_earlier_fit(Estimator):
    model = quick(Estimator).fit(X, y).set_params(learning_rate_init=1e200)
    message = r"training loss became (inf|nan) in epoch \d+, batch \d of 4.*lower learn"
    assert_fit_fails_and_changes_nothing(model, X, y, ValueError, message)


@estimators
def test_a_plain_loss_that_overflows_beside_a_lai_loss_is_divergence(Estimator):
    # The Lai loss of the mean error stays finite, whatever the predictions.
    model = quick(Estimator, lai_interval=1, max_iter=0, lai_epochs=60, k=1e-3)
    model.set_params(lai_learning_rate_init=1e160)
    with pytest.raises(ValueError, match=r"training loss became (inf|nan) in epoch"):
        model.fit(X, y)


@estimators
def test_divergence_in_the_last_step_is_seen(Estimator):
    model = quick(
        Estimator,
        learning_rate_init=1.7e308,
        batch_size=len(X),
        max_iter=1,
        lai_epochs=0,
    )
    with pytest.raises(ValueError, match=r"Predictions overflow.*learning_rate_init"):
        model.fit(X, y)


@estimators
def test_no_epochs_at_all_is_refused(Estimator):
    with pytest.raises(ValueError, match="max_iter and lai_epochs are both 0"):
        quick(Estimator, max_iter=0, lai_epochs=0).fit(X, y)


@pytest.mark.parametrize("n_samples", [1, 2])
def test_early_stopping_needs_samples(n_samples):
    with pytest.raises(ValueError, match=f"early_stopping=True .* got {n_samples} sam"):
        quick(LaiMLPRegressor, early_stopping=True).fit(X[:n_samples], y[:n_samples])


def test_rules_hold_in_subclasses_whatever_their_annotations():
    class Mine(LaiLinearRegressor):
        k: float
        gamma: Annotated[float, "no rule of ours"]
        frame_: "not_there.DataFrame"  # noqa: F821

    Mine().fit(X, y)
    with pytest.raises(ValueError, match=r"k must be .*> 0, got -1"):
        Mine(k=-1).fit(X, y)


@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
@pytest.mark.parametrize("fold", [([], [1, 2]), ([1, 2], [])])
def test_an_empty_fold_is_named(Estimator, fold):
    message = "Fold 1 of cv has no training or no test samples"
    with pytest.raises(ValueError, match=message):
        Estimator(ks=1, cv=[([0, 1, 2], [3, 4]), fold]).fit(X, y)
