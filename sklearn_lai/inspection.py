"""Displays of what training, slopes and tuning are like."""

from ._loss_curve_display import LossCurveDisplay
from ._sensitivity_display import SensitivityDisplay
from ._slope_display import SlopeDisplay
from ._tradeoff_display import TradeoffDisplay

__all__ = ["LossCurveDisplay", "SensitivityDisplay", "SlopeDisplay", "TradeoffDisplay"]
