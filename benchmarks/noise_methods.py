"""Ways to a regressor for features that will have noise, and what they cost.

A method gets a task and the settings of noise, each a standard deviation by feature,
and returns a fitted model for each. What does not depend on the noise is fitted once.
The networks are those of `methods.py`, with the same batches and epochs.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from joblib import Memory
from methods import Task, decayed, input_noise, lai_parameters, no_lai
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai.metrics import make_noisy_scorer, noise_sensitivity

SETTINGS = {  # standard deviation, and whether of one feature only
    "0": (0.0, False),
    "0.1": (0.1, False),
    "0.3": (0.3, False),
    "1": (1.0, False),
    "0.3, one feature": (0.3, True),
    "1, one feature": (1.0, True),
}
TIMED = "0.3"  # the setting whose fit is timed, all of it
KS = [0.5, 0.25, 0.12, 0.06, 0.03, 0.015]
DECAYS = np.geomspace(1e-4, 1, 6)  # alpha, divided by the batch size
ALPHAS = np.geomspace(1e-2, 1e4, 13)
N_COPIES, N_FOLDS, N_MULTIPLES = 5, 3, 5

Noises = dict[str, np.ndarray]  # standard deviation in each feature, by setting


class Fits(NamedTuple):
    """A model for each setting, and the seconds that one setting takes."""

    models: dict[str, Any]
    seconds: float


def timed(function: Callable, *arguments) -> tuple[Any, float]:
    """What a function returns, and its seconds."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def fitted(model: Any, task: Task) -> Any:
    """A scikit-learn estimator, fitted to the task's data."""
    return model.fit(task.data.X, task.data.y)


def folds(task: Task) -> KFold:
    """Those of every search."""
    return KFold(N_FOLDS, shuffle=True, random_state=task.seed)


# The three kinds of methods: one model for all settings, one for each, and one search
# for all with a model for each.


def once(fit: Callable[[Task], Any], task: Task, noises: Noises) -> Fits:
    """One model, whatever the noise."""
    model, seconds = timed(fit, task)
    return Fits(dict.fromkeys(noises, model), seconds)


def each(fit: Callable[[Task, np.ndarray], Any], task: Task, noises: Noises) -> Fits:
    """A model for each setting; the one that is timed takes nothing from the cache."""
    models, seconds = {}, {}
    for name, noise in noises.items():
        of_fit = replace(task, cache=None) if name == TIMED else task
        models[name], seconds[name] = timed(fit, of_fit, noise)
    return Fits(models, seconds[TIMED])


def search(model: Any, name: str, values: list, task: Task, noises: Noises) -> Fits:
    """A parameter tuned by noisy scorers: the folds' models serve all settings."""
    scoring = {
        setting: make_noisy_scorer("neg_root_mean_squared_error", noise=noise)
        for setting, noise in noises.items()
    }
    grid = GridSearchCV(
        model, {name: values}, scoring=scoring, refit=False, cv=folds(task)
    )
    found, seconds = timed(fitted, grid, task)
    best = {
        setting: values[found.cv_results_[f"rank_test_{setting}"].argmin()]
        for setting in noises
    }
    refits = {
        value: timed(fitted, clone(model).set_params(**{name: value}), task)
        for value in dict.fromkeys(best.values())
    }
    models = {setting: refits[value][0] for setting, value in best.items()}
    return Fits(models, seconds + max(took for _, took in refits.values()))


def fit_plain(task: Task) -> tuple[LaiMLPRegressor, float]:
    """The plain network and its seconds, which no cache saves or costs."""
    return timed(no_lai, replace(task, cache=None), 0.0)


def kept_plain(task: Task) -> tuple[LaiMLPRegressor, float]:
    """The same from the cache of the task, if it is there."""
    return Memory(task.cache, verbose=0).cache(fit_plain)(task)


def noises_of(task: Task) -> Noises:
    """Settings for a task: "one feature" is that which moves its plain network most."""
    model, _ = kept_plain(task)
    feature = noise_sensitivity(model, task.data.X).argmax()
    is_one = np.arange(task.data.X.shape[1]) == feature
    return {
        name: sd * (is_one if of_one else np.ones(len(is_one)))
        for name, (sd, of_one) in SETTINGS.items()
    }


def plain(task: Task, noises: Noises) -> Fits:
    """The plain network."""
    model, seconds = kept_plain(task)
    return Fits(dict.fromkeys(noises, model), seconds)


def network_for(task: Task, noise: np.ndarray) -> LaiMLPRegressor:
    """The network with `noise` given."""
    return fitted(LaiMLPRegressor(noise=noise, **lai_parameters(task)), task)


def best_multiple(task: Task, noise: np.ndarray) -> LaiMLPRegressorCV:
    """The same with the best multiple, 1/4 to 4, of the `k` that follows."""
    model = LaiMLPRegressorCV(
        ks=N_MULTIPLES,
        noise=noise,
        cv=folds(task),
        tolerance=0,
        path_epochs=None,
        **lai_parameters(task),
    )
    return fitted(model, task)


def noisy_batches(task: Task, noise: np.ndarray) -> Any:
    """The network trained on noisy batches, with our second stage."""
    return input_noise(task, torch.from_numpy(noise.astype(np.float32)), ours=True)


def linear_for(task: Task, noise: np.ndarray) -> LaiLinearRegressor:
    """The linear model with `noise` given, in closed form."""
    return fitted(LaiLinearRegressor(noise=noise), task)


def linear_by_formula(task: Task, noise: np.ndarray) -> LaiLinearRegressor:
    """The linear model with the `k` at which the Lai loss is the noise's, to 2nd order.

    It has the error of least squares; a feature without noise has no `k`.
    """
    rows = task.data
    residuals = rows.y - fitted(LinearRegression(), task).predict(rows.X)
    model = LaiLinearRegressor()
    ratio = np.sqrt(model.lai_fraction / (1 - model.lai_fraction))
    k = ratio * np.sqrt(np.mean(residuals**2)) / np.where(noise > 0, noise, 1)
    model.set_params(k=k, feature_k=dict.fromkeys(np.flatnonzero(noise == 0).tolist()))
    return fitted(model, task)


def better_of_both(task: Task, noise: np.ndarray) -> Any:
    """The network or the linear model, whichever errs less under noise on the folds."""
    scoring = make_noisy_scorer("neg_root_mean_squared_error", noise=noise)
    network = LaiMLPRegressor(noise=noise, **lai_parameters(task))
    score_of = partial(
        cross_val_score, X=task.data.X, y=task.data.y, cv=folds(task), scoring=scoring
    )
    models = [network, LaiLinearRegressor(noise=noise)]
    return fitted(max(models, key=lambda model: score_of(model).mean()), task)


def boosting_on_copies(task: Task, noise: np.ndarray) -> Any:
    """Boosted trees on noisy copies of the rows."""
    X, y, *_ = task.data
    draws = np.random.default_rng(task.seed).standard_normal((N_COPIES, *X.shape))
    copies = (X + noise * draws).reshape(-1, X.shape[1])
    model = HistGradientBoostingRegressor(random_state=task.seed)
    return model.fit(copies, np.tile(y, N_COPIES))


class WithoutFeature:
    """The plain network without the one feature that has noise."""

    def __init__(self, task: Task, noise: np.ndarray):
        self.dropped = np.flatnonzero(noise)
        X, _, X_test, _ = task.data
        data = task.data._replace(X=self._rest(X), X_test=self._rest(X_test))
        self.model = no_lai(replace(task, data=data), 0.0)

    def _rest(self, X: np.ndarray) -> np.ndarray:
        return np.delete(X, self.dropped, axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(self._rest(X))


def dropped(task: Task, noises: Noises) -> Fits:
    """One model for both settings that it is for, by name."""
    name = next(iter(noises))
    return once(lambda of: WithoutFeature(of, noises[name]), task, noises)


def tuned_alpha(task: Task, noises: Noises) -> Fits:
    """MLPRegressor with `alpha` tuned."""
    alphas = (DECAYS * task.batch_size).tolist()
    return search(decayed(task, 0.0), "alpha", alphas, task, noises)


def tuned_k(task: Task, noises: Noises) -> Fits:
    """Our network with `k` tuned: a search keeps the folds' pretrained networks."""
    with tempfile.TemporaryDirectory() as cache:
        model = LaiMLPRegressor(**lai_parameters(replace(task, cache=cache)))
        return search(model, "k", KS, task, noises)


def scikit_learn(make: Callable[[int], Any]) -> Callable[[Task, Noises], Fits]:
    """An estimator of scikit-learn, made of a seed, trained as usual."""
    return partial(once, lambda task: fitted(make(task.seed), task))


class Method(NamedTuple):
    """How to get the models, and the settings that it is for."""

    run: Callable[[Task, Noises], Fits]
    settings: list[str]


ALL = list(SETTINGS)
NOISY = [name for name, (sd, _) in SETTINGS.items() if sd > 0]
ONE = [name for name, (_, of_one) in SETTINGS.items() if of_one]

PLAIN, GIVEN, BATCHES = "plain network", "noise given, network", "noisy batches"
MULTIPLES, TUNED_K = "noise given, best multiple", "k tuned"
BOTH = "noise given, network or linear"
GIVEN_LINEAR, BY_FORMULA = "noise given, linear", "k by formula, linear"
TUNED_ALPHA, DROPPED = "MLPRegressor, alpha tuned", "feature dropped"
RIDGE, SQUARES, FOREST = "Ridge", "least squares", "RandomForest"
BOOSTING = "HistGradientBoosting"
COPIES = f"{BOOSTING}, noisy copies"

METHODS = {  # those first that tell most and cost least
    PLAIN: Method(plain, ALL),
    GIVEN: Method(partial(each, network_for), ALL),
    GIVEN_LINEAR: Method(partial(each, linear_for), ALL),
    BY_FORMULA: Method(partial(each, linear_by_formula), ALL),
    SQUARES: Method(scikit_learn(lambda _: LinearRegression()), ALL),
    RIDGE: Method(scikit_learn(lambda _: RidgeCV(ALPHAS)), ALL),
    BOOSTING: Method(
        scikit_learn(lambda seed: HistGradientBoostingRegressor(random_state=seed)), ALL
    ),
    COPIES: Method(partial(each, boosting_on_copies), NOISY),
    BATCHES: Method(partial(each, noisy_batches), ALL),
    FOREST: Method(
        scikit_learn(lambda seed: RandomForestRegressor(random_state=seed)), ALL
    ),
    DROPPED: Method(dropped, ONE),
    BOTH: Method(partial(each, better_of_both), ALL),
    MULTIPLES: Method(partial(each, best_multiple), NOISY),
    TUNED_ALPHA: Method(tuned_alpha, ALL),
    TUNED_K: Method(tuned_k, ALL),
}
