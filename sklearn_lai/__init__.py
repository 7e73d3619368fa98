"""Scikit-learn regressors whose slopes the user controls, with the Lai loss."""

from ._feature_k import FeatureK
from ._linear.cv import LaiLinearRegressorCV
from ._linear.path import lai_linear_path
from ._linear.regressor import LaiLinearRegressor
from ._mlp.cv import LaiMLPRegressorCV
from ._mlp.regressor import LaiMLPRegressor
from ._version import __version__ as __version__

__all__ = [
    "FeatureK",
    "LaiLinearRegressor",
    "LaiLinearRegressorCV",
    "LaiMLPRegressor",
    "LaiMLPRegressorCV",
    "lai_linear_path",
]
