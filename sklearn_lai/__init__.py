"""Scikit-learn regressors whose slopes the user controls, with the Lai loss."""

from ._feature_k import FeatureK
from ._linear import LaiLinearRegressor
from ._linear_path import LaiLinearRegressorCV, lai_linear_path
from ._mlp import LaiMLPRegressor
from ._mlp_cv import LaiMLPRegressorCV

__version__ = "0.1.0"

__all__ = [
    "FeatureK",
    "LaiLinearRegressor",
    "LaiLinearRegressorCV",
    "LaiMLPRegressor",
    "LaiMLPRegressorCV",
    "lai_linear_path",
]
