"""Choice of hyperparameters on the trade-off between accuracy and smoothness."""

from ._linear_path import LaiLinearRegressorCV, lai_linear_path
from ._mlp_cv import LaiMLPRegressorCV
from ._refit import smoothest_within

__all__ = [
    "LaiLinearRegressorCV",
    "LaiMLPRegressorCV",
    "lai_linear_path",
    "smoothest_within",
]
