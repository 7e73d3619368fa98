"""Displays of what training, slopes and tuning are like; they need matplotlib."""

from ._loss_curve import LossCurveDisplay
from ._sensitivity import SensitivityDisplay
from ._slope import SlopeDisplay
from ._tradeoff import TradeoffDisplay

__all__ = ["LossCurveDisplay", "SensitivityDisplay", "SlopeDisplay", "TradeoffDisplay"]
