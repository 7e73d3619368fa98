"""Scikit-learn regressors whose slopes the user controls, with the Lai loss."""

from ._linear import LaiLinearRegressor
from ._mlp import LaiMLPRegressor

__version__ = "0.1.0"

__all__ = ["LaiLinearRegressor", "LaiMLPRegressor"]
