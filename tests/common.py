"""What several test files share: small data, and quick estimators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_friedman1

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)

X, y = make_friedman1(120, n_features=5, noise=3.0, random_state=0)
Y = np.column_stack([y, -3 * y + X[:, 0]])
NAMES = list("abcde")
FRAME = pd.DataFrame(X, columns=NAMES)

ESTIMATORS = [LaiMLPRegressor, LaiLinearRegressor]
estimators = pytest.mark.parametrize("Estimator", ESTIMATORS)


def quick(estimator_class, **parameters):
    """An estimator that trains all its epochs, of several batches, in milliseconds."""
    defaults = {
        "max_iter": 3,
        "lai_epochs": 3,
        "batch_size": 32,
        "lai_fraction": 0.2,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    if estimator_class is LaiMLPRegressor:
        defaults["hidden_layer_sizes"] = (8,)
    else:
        defaults["solver"] = "adam"
    return estimator_class(**{**defaults, **parameters})


MODELS = {
    "mlp": quick(LaiMLPRegressor),
    "mlp-cv": quick(LaiMLPRegressorCV, ks=[0.3], cv=2, lai_interval=1),
    "adam": quick(LaiLinearRegressor),
    "exact": LaiLinearRegressor(),
    "linear-cv": LaiLinearRegressorCV(ks=[0.3, 0.1]),
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def mlp(**parameters):
    return quick(LaiMLPRegressor, **parameters)


def fitted_state(estimator):
    """Fitted attributes in full, as text, in which NaN equals NaN."""
    return {
        name: repr([np.asarray(item).tolist() for item in value])
        if isinstance(value, list)
        else repr(np.asarray(value).tolist())
        for name, value in vars(estimator).items()
        if name.endswith("_")
    }


def least_under_noise(covariance, X, y, sample_weight=None):
    """Coefficients of the least expected squared error, in the units of the data."""
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    X, y = (a - np.average(a, axis=0, weights=weight) for a in (X, y))
    unit = np.sqrt(np.average(X**2, axis=0, weights=weight))
    Z = X / unit
    gram = (weight[:, None] * Z).T @ Z / weight.sum()
    products = (weight[:, None] * Z).T @ y / weight.sum()
    return (np.linalg.solve(gram + covariance, products).T / unit).T
