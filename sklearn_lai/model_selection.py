"""Choice of hyperparameters on the trade-off between accuracy and slopes."""

from ._linear_path import LaiLinearRegressorCV, lai_linear_path

__all__ = ["LaiLinearRegressorCV", "lai_linear_path"]
