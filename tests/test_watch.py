"""What is told of training while it runs, and how it is interrupted."""

import importlib.util
import re
from itertools import chain

import numpy as np
import pytest
from common import X, estimators, fitted_state, quick, y
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)
from sklearn_lai._train.trainer import Trainer


def printed(model, capsys):
    """Lines that a fit prints."""
    capsys.readouterr()
    model.fit(X, y)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("Estimator", "stopping"),
    [
        (LaiLinearRegressor, {}),
        (LaiMLPRegressor, {}),
        (LaiMLPRegressor, {"early_stopping": True}),
    ],
)
def test_verbose_prints_as_mlp_regressor_does(Estimator, stopping, capsys):
    shared = {"verbose": True, "tol": 10.0, "n_iter_no_change": 2, **stopping}
    ours = printed(quick(Estimator, max_iter=9, lai_epochs=0, **shared), capsys)
    theirs = printed(MLPRegressor(max_iter=9, **shared), capsys)
    assert theirs[-1].endswith("Stopping.")
    assert list(map(form, ours)) == list(map(form, theirs))


def form(line):
    """A line with digits of 0 in the decimal number at its end, if any."""
    return re.sub(r"-?\d+\.(\d+)$", lambda number: "0." + "0" * len(number[1]), line)


needs_callbacks = pytest.mark.skipif(
    importlib.util.find_spec("sklearn.callback") is None,
    reason="scikit-learn has callbacks from 1.9 on",
)


@estimators
def test_verbose_prints_the_losses_of_every_epoch(Estimator, capsys):
    model = quick(Estimator, verbose=True, lai_interval=2)
    lines = printed(model, capsys)
    expected = [
        f"Iteration {i}, loss = {loss:.8f}"
        for i, loss in enumerate(model.loss_curve_ + model.lai_plain_loss_curve_, 1)
    ]
    lai_losses = [f"Lai loss = {loss:.8f}" for loss in model.lai_loss_curve_]
    stage_2 = zip(expected[3:], lai_losses, strict=True)
    assert lines == [*expected[:3], *chain.from_iterable(stage_2)]
    assert printed(model.set_params(verbose=False), capsys) == []


class Recorder:
    """A callback that notes what it is told."""

    def __init__(self, stop_after=None):
        self.events, self.scores, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name, context.max_subtasks))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.events.append(("end", context.task_name))
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
        ended = self.events.count(("end", "epoch"))
        return context.task_name == "epoch" and ended == self.stop_after

    def teardown(self, estimator, context):
        self.events.append("teardown")


def names(events, kind):
    return [event[1] for event in events if event[0] == kind]


@estimators
@needs_callbacks
def test_callbacks_hear_of_every_epoch_of_both_stages(Estimator):
    recorder = Recorder()
    model = quick(Estimator).set_callbacks(recorder).fit(X, y)
    expected = ["epoch"] * 3 + ["pretraining"] + ["epoch"] * 3 + ["Lai Training", "fit"]
    assert names(recorder.events, "end") == expected
    assert sorted(names(recorder.events, "begin")) == sorted(expected)
    assert ("begin", "pretraining", 3) in recorder.events
    assert (recorder.events[0], recorder.events[-1]) == ("setup", "teardown")
    assert recorder.scores[-1] == pytest.approx(model.score(X, y))
    assert len(recorder.scores) == 6


@estimators
@needs_callbacks
def test_a_callback_may_end_a_stage(Estimator):
    model = quick(Estimator).set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert (model.n_iter_, model.n_lai_iter_) == (2, 3)


@needs_callbacks
def test_a_stage_that_a_callback_ended_is_not_called_too_short():
    model = quick(LaiMLPRegressor, batch_size=len(X), lai_epochs=20, lai_interval=5)
    model.set_callbacks(Recorder(stop_after=4)).fit(X, y)
    assert (model.n_iter_, model.n_lai_iter_) == (3, 1)


@needs_callbacks
def test_a_stage_that_a_callback_ended_is_not_kept_in_memory(tmp_path):
    model = quick(LaiMLPRegressor, memory=tmp_path)
    stopped = model.set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert stopped.n_iter_ == 2
    assert model.set_callbacks().fit(X, y).n_iter_ == 3


@needs_callbacks
def test_callbacks_end_no_stage_of_a_cross_validation():
    model = quick(LaiMLPRegressorCV, ks=2, cv=2, path_epochs=3, tolerance=0)
    expected = fitted_state(model.fit(X, y))
    for after in (2, 4, 6):
        model.set_callbacks(Recorder(stop_after=after)).fit(X, y)
        assert fitted_state(model) == expected


@needs_callbacks
def test_the_last_epoch_of_a_plateau_is_told():
    recorder = Recorder()
    model = quick(LaiMLPRegressor, tol=10.0, n_iter_no_change=1, lai_epochs=0)
    model.set_params(max_iter=9).set_callbacks(recorder).fit(X, y)
    assert names(recorder.events, "end").count("epoch") == model.n_iter_ == 3


@estimators
@needs_callbacks
def test_callbacks_are_torn_down_when_fit_fails(Estimator):
    recorder = Recorder()
    model = quick(Estimator, k=-1.0).set_callbacks(recorder)
    with pytest.raises(ValueError, match="k must be"):
        model.fit(X, y)
    assert recorder.events[-1] == "teardown"
    assert not hasattr(model, "_callback_fit_ctx")


@pytest.mark.parametrize(
    ("model", "n_tasks"),
    [
        (quick(LaiMLPRegressorCV, ks=2, cv=2, lai_fraction=0, path_epochs=4), 13),
        (quick(LaiMLPRegressorCV, ks=2, cv=2, lai_fraction=0, path_epochs=None), 11),
        (quick(LaiMLPRegressorCV, ks=[1.0], cv=2, lai_fraction=0, n_jobs=2), 30),
        (LaiLinearRegressor(), 0),
        (LaiLinearRegressorCV(ks=2), 0),
    ],
)
@needs_callbacks
def test_callbacks_of_the_other_estimators(model, n_tasks):
    recorder = Recorder()
    model.set_callbacks(recorder).fit(X, y)
    assert names(recorder.events, "end").count("epoch") == n_tasks
    assert names(recorder.events, "end")[-1] == "fit"


@estimators
@needs_callbacks
def test_a_progress_bar_shows_both_stages_alone_and_in_a_search(Estimator, capsys):
    callback = importlib.import_module("sklearn.callback")
    pytest.importorskip("rich", reason="the progress bar of scikit-learn needs it")
    model = quick(Estimator).set_callbacks(callback.ProgressBar()).fit(X, y)
    shown = capsys.readouterr().out
    for stage in ("pretraining", "Lai Training"):
        assert stage in shown
    model = model.set_callbacks()
    search = GridSearchCV(model, {"k": [0.3, 0.1]}, cv=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
    assert "Lai Training" in capsys.readouterr().out


def interrupt_after(monkeypatch, n_steps):
    """Ctrl-C in the middle of an epoch, after so many steps."""
    step, counts = Trainer.take_gradient, iter(range(10**9))

    def interrupted(*args):
        if next(counts) == n_steps:
            raise KeyboardInterrupt
        return step(*args)

    monkeypatch.setattr(Trainer, "take_gradient", interrupted)


@estimators
@pytest.mark.parametrize("n_epochs", [1, 2, 3, 4, 5])
def test_an_interrupted_fit_is_the_model_of_the_epochs_done(
    Estimator, n_epochs, monkeypatch
):
    stages = {"max_iter": min(n_epochs, 3), "lai_epochs": max(n_epochs - 3, 0)}
    expected = fitted_state(quick(Estimator, lai_interval=2, **stages).fit(X, y))
    n_batches = 4
    interrupt_after(monkeypatch, n_epochs * n_batches + 2)
    model = quick(Estimator, lai_interval=2)
    message = rf"interrupted by user after {n_epochs} epoch\(s\), {min(n_epochs, 3)} of"
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__
    assert fitted_state(model) == expected


@estimators
def test_an_interruption_before_the_first_epoch_keeps_the_earlier_fit(
    Estimator, monkeypatch
):
    model = quick(Estimator).fit(X, y)
    before = fitted_state(model)
    interrupt_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:50], y[:50])
    assert fitted_state(model) == before


def test_an_interrupted_fit_goes_back_to_its_best_weights(monkeypatch):
    model = quick(
        LaiMLPRegressor,
        early_stopping=True,
        learning_rate_init=0.5,
        max_iter=30,
    )
    with monkeypatch.context() as patch:
        interrupt_after(patch, 14 * 4 + 2)
        with pytest.warns(UserWarning, match="interrupted by user after 14 epoch"):
            model.fit(X, y)
    best, scores = model.coefs_, model.validation_scores_
    assert len(scores) == 14
    assert model.best_validation_score_ == max(scores)
    n_best = 1 + int(np.argmax(scores))
    assert n_best < 14
    model.set_params(max_iter=n_best, lai_epochs=0).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], best[0])


@pytest.mark.parametrize(("moment", "n_epochs"), [("before", 2), ("after", 3)])
def test_an_interruption_between_two_epochs_leaves_whole_epochs(
    moment, n_epochs, monkeypatch
):
    stages = {"early_stopping": True, "max_iter": n_epochs, "lai_epochs": 0}
    expected = fitted_state(quick(LaiMLPRegressor, **stages).fit(X, y))
    keep, counts = Trainer.keep, iter(range(100))

    def interrupted(*args):
        is_third = next(counts) == 2
        if moment == "after" or not is_third:
            keep(*args)
        if is_third:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "keep", interrupted)
    model = quick(LaiMLPRegressor, early_stopping=True, max_iter=9)
    with pytest.warns(UserWarning, match=rf"after {n_epochs} epoch\(s\)"):
        model.fit(X, y)
    assert fitted_state(model) == expected


@pytest.mark.parametrize(
    "search",
    [
        lambda model: GridSearchCV(model, {"k": [0.3, 0.1]}, cv=2).fit(X, y),
        lambda model: cross_val_score(model, X, y),
        lambda model: LaiMLPRegressorCV((8,), ks=2, cv=2, max_iter=3, lai_epochs=3).fit(
            X, y
        ),
    ],
    ids=["GridSearchCV", "cross_val_score", "LaiMLPRegressorCV"],
)
def test_an_interruption_ends_a_search(search, monkeypatch):
    interrupt_after(monkeypatch, 13)
    with pytest.raises(KeyboardInterrupt):
        search(quick(LaiMLPRegressor))


def test_interrupted_pretraining_is_not_kept_in_memory(tmp_path, monkeypatch):
    model = quick(LaiMLPRegressor, memory=tmp_path)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 6)
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(X, y)
    assert model.fit(X, y).n_lai_iter_ == 3
