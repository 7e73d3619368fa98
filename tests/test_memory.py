"""Pretraining shared between fits: the same results, found once."""

import pickle
import warnings
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from common import X, fitted_state, mlp, y
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_lai import LaiMLPRegressor


def epochs_run(model, capsys):
    """How many epochs a fit trains, told by what it prints."""
    capsys.readouterr()
    model.set_params(verbose=True).fit(X, y)
    return capsys.readouterr().out.count("Iteration")


@pytest.mark.parametrize("make", [str, Path, joblib.Memory], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.01},
        {"early_stopping": True, "max_iter": 20},
        {"lai_interval": None, "activation": "tanh"},
        {"max_iter": 0},
    ],
)
def test_results_are_the_same_bit_for_bit(make, parameters, tmp_path):
    memory = make(tmp_path) if make is not joblib.Memory else make(tmp_path, verbose=0)
    expected = fitted_state(mlp(**parameters).fit(X, y))
    for _ in range(2):
        model = mlp(memory=memory, **parameters).fit(X, y)
        assert fitted_state(model) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"k": 0.1},
        {"k": [0.1, 0.2, 0.3, 0.4, 0.5]},
        {"feature_k": {0: None}},
        {"norm": "l1"},
        {"norm": "elasticnet", "l1_ratio": 0.1},
        {"lai_fraction": 0.5},
        {"lai_interval": None},
        {"lai_epochs": 5},
    ],
    ids=str,
)
def test_what_belongs_to_the_second_stage_pretrains_no_more(change, tmp_path, capsys):
    mlp(memory=str(tmp_path)).fit(X, y)
    model = mlp(memory=str(tmp_path), **change)
    assert epochs_run(model, capsys) == model.lai_epochs
    assert fitted_state(model) == fitted_state(mlp(**change).fit(X, y))


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": (7,)},
        {"activation": "tanh"},
        {"alpha": 0.1},
        {"batch_size": 16},
        {"solver": "sgd"},
        {"learning_rate_init": 0.01},
        {"beta_1": 0.5},
        {"loss": "absolute_error"},
        {"standardize": False},
        {"shuffle": False},
        {"max_iter": 4},
        {"random_state": 1},
        {"early_stopping": True},
    ],
    ids=str,
)
def test_what_belongs_to_the_first_stage_pretrains_again(change, tmp_path, capsys):
    mlp(memory=str(tmp_path)).fit(X, y)
    model = mlp(memory=str(tmp_path), **change)
    assert epochs_run(model, capsys) == model.n_iter_ + model.lai_epochs


def test_another_version_pretrains_again(tmp_path, monkeypatch, capsys):
    recipe_of = LaiMLPRegressor._mlp_recipe
    with monkeypatch.context() as patch:
        patch.setattr(
            LaiMLPRegressor,
            "_mlp_recipe",
            lambda self, data: replace(recipe_of(self, data), version="0.0.0"),
        )
        mlp(memory=str(tmp_path)).fit(X, y)
    model = mlp(memory=str(tmp_path))
    assert epochs_run(model, capsys) == model.n_iter_ + model.n_lai_iter_
    assert epochs_run(model, capsys) == model.n_lai_iter_


def test_other_data_pretrains_again(tmp_path):
    model = mlp(memory=str(tmp_path)).fit(X, y)
    before = fitted_state(model)
    for data, target in [(X[:-1], y[:-1]), (X + 1e-9, y), (X, 2 * y)]:
        after = fitted_state(model.fit(data, target))
        assert after == fitted_state(mlp().fit(data, target)) != before


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_pretrains_once_per_fold(n_jobs, tmp_path):
    grid = {"k": [1.0, 0.3, 0.1], "norm": ["l1", "l2"]}
    plain, shared = (
        GridSearchCV(mlp(memory=memory), grid, cv=3, n_jobs=n_jobs).fit(X, y)
        for memory in (None, str(tmp_path))
    )
    np.testing.assert_array_equal(
        plain.cv_results_["mean_test_score"], shared.cv_results_["mean_test_score"]
    )
    if n_jobs is None:
        results = list(tmp_path.rglob("output.pkl"))
        assert len(results) == 3 + 1  # folds, and the refit


def test_copies_keep_the_memory(tmp_path):
    model = mlp(memory=str(tmp_path)).fit(X, y)
    assert clone(model).memory == str(tmp_path)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    assert len(pickle.dumps(model)) < len(pickle.dumps(mlp().fit(X, y))) + 500


def test_warm_starts_are_not_mixed_up(tmp_path):
    states = []
    for memory in (None, str(tmp_path)):
        model = mlp(memory=memory, warm_start=True)
        states.append([fitted_state(model.fit(X, y)) for _ in range(3)])
    assert states[0] == states[1]
    assert states[0][0] != states[0][1] != states[0][2]


def test_a_folder_that_takes_no_files_is_named(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for memory in (str(file), file / "below"):
        with pytest.raises(ValueError, match="memory must be a folder that can be wri"):
            mlp(memory=memory).fit(X, y)
    with pytest.raises(TypeError, match=r"memory must be None or a folder.*got 3 of"):
        mlp(memory=3).fit(X, y)


def stored_result(folder):
    (path,) = folder.rglob("output.pkl")
    return path


def test_a_result_of_another_pretraining_is_computed_again(tmp_path):
    mine, other = (joblib.Memory(tmp_path / name, verbose=0) for name in "ab")
    model = mlp(memory=mine).fit(X, y)
    mlp(memory=other, random_state=1).fit(X, y)
    stored = stored_result(tmp_path / "b").read_bytes()
    stored_result(tmp_path / "a").write_bytes(stored)
    expected = fitted_state(model)
    with pytest.warns(UserWarning, match="is not as it was stored"):
        assert fitted_state(model.fit(X, y)) == expected


def test_damaged_results_are_replaced(tmp_path, capsys):
    model = mlp(memory=joblib.Memory(tmp_path, verbose=0)).fit(X, y)
    path = stored_result(tmp_path)
    joblib.dump((b"damaged", b"no checksum"), path)
    with pytest.warns(UserWarning, match="is not as it was stored"):
        model.fit(X, y)
    assert epochs_run(model, capsys) == model.n_lai_iter_


class Kept:
    """A memory with what an interface of `cache` alone has."""

    def __init__(self):
        self.results = {}

    def cache(self, function, ignore):
        def run(key, *arguments):
            if key not in self.results:
                self.results[key] = function(key, *arguments)
            return self.results[key]

        return run


def test_a_memory_that_replaces_nothing_is_warned_of_and_not_believed():
    model = mlp(memory=Kept()).fit(X, y)
    expected, results = fitted_state(model), model.memory.results
    for key in results:
        results[key] = None
    with pytest.warns(UserWarning, match="is not as it was stored"):
        assert fitted_state(model.fit(X, y)) == expected


def test_damaged_results_are_computed_again(tmp_path):
    model = mlp(memory=joblib.Memory(tmp_path, verbose=0))
    expected = fitted_state(model.fit(X, y))
    path = stored_result(tmp_path)
    stored, rng, n_noticed = path.read_bytes(), np.random.default_rng(0), 0
    for place in rng.integers(len(stored), size=100).tolist():
        damaged = bytearray(stored)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert fitted_state(model.fit(X, y)) == expected
        n_noticed += any("is not as it was stored" in str(w.message) for w in caught)
    assert (
        n_noticed > 10
    )  # the others do not load, which joblib tells, or change nothing
