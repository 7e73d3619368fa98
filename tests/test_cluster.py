"""Searches on a cluster of Dask give what they give in one process."""

import os
import signal
from itertools import chain

import joblib
import numpy as np
import pytest
from common import X, mlp, quick, y
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the event loop and its threads


class DiesOnce(LaiMLPRegressor):
    """Ends its process in the first fit of all, as a machine that fails."""

    def fit(self, X, y, **others):
        if not os.path.exists(self.memory):
            os.makedirs(self.memory)
            if distributed.get_worker():
                os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y, **others)


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(mlp(), {"k": [0.1, 0.3], "reach": [0, 0.5]}, cv=2),
        quick(LaiMLPRegressorCV, hidden_layer_sizes=(8,), ks=3, cv=3, n_jobs=2),
    ],
    ids=["grid", "path"],
)
def test_searches_on_workers_are_those_in_one_process(search, cluster):
    alone = clone(search).fit(X, y)
    with joblib.parallel_config(backend="dask"):
        there = clone(search).fit(X, y)
    np.testing.assert_array_equal(there.predict(X), alone.predict(X))
    if isinstance(search, GridSearchCV):
        alone, there = (s.cv_results_["mean_test_score"] for s in (alone, there))
    else:
        alone, there = alone.score_path_, there.score_path_
    np.testing.assert_array_equal(there, alone)


def test_a_worker_that_dies_costs_nothing_but_time(cluster, tmp_path):
    parameters = mlp().get_params() | {"memory": str(tmp_path / "died")}
    folds = list(KFold(2).split(X))
    search = GridSearchCV(DiesOnce(**parameters), {"k": [0.1, 0.2, 0.3]}, cv=folds)
    # What is sent before the search lies on every worker, so none is missed.
    scatter = [X, y, *chain.from_iterable(folds)]
    with joblib.parallel_config(backend="dask", scatter=scatter):
        there = search.fit(X, y)
    alone = GridSearchCV(mlp(), {"k": [0.1, 0.2, 0.3]}, cv=folds).fit(X, y)
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_array_equal(there.cv_results_[name], alone.cv_results_[name])
