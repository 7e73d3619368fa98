"""What several test files share: small data, and quick estimators."""

import numpy as np
from sklearn.datasets import make_friedman1

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor

X, y = make_friedman1(120, n_features=5, noise=3.0, random_state=0)
Y = np.column_stack([y, -3 * y + X[:, 0]])

ESTIMATORS = [LaiMLPRegressor, LaiLinearRegressor]


def quick(estimator_class, **parameters):
    """An estimator that fits in milliseconds, with several batches an epoch."""
    defaults = {
        "pretrain_epochs": 3,
        "lai_epochs": 3,
        "batch_size": 32,
        "lai_fraction": 0.2,
        "random_state": 0,
    }
    if estimator_class is LaiMLPRegressor:
        defaults["hidden_layer_sizes"] = (8,)
    else:
        defaults["solver"] = "adam"
    return estimator_class(**{**defaults, **parameters})


def fitted_state(estimator):
    """Fitted attributes in full, as text, in which NaN equals NaN."""
    return {
        name: repr([np.asarray(item).tolist() for item in value])
        if isinstance(value, list)
        else repr(np.asarray(value).tolist())
        for name, value in vars(estimator).items()
        if name.endswith("_")
    }
