"""Choice of hyperparameters on the trade-off between accuracy and smoothness."""

from ._linear_path import LaiLinearRegressorCV, lai_linear_path
from ._refit import smoothest_within

__all__ = ["LaiLinearRegressorCV", "lai_linear_path", "smoothest_within"]
