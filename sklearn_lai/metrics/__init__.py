"""How much any fitted regressor moves, and errs, if its features have noise."""

from ._smoothness import (
    make_noise_sensitivity_scorer,
    neg_noise_sensitivity,
    neg_prediction_variance,
    noise_sensitivity,
    prediction_variance,
)
from ._under_noise import error_under_noise, make_noisy_scorer

__all__ = [
    "error_under_noise",
    "make_noise_sensitivity_scorer",
    "make_noisy_scorer",
    "neg_noise_sensitivity",
    "neg_prediction_variance",
    "noise_sensitivity",
    "prediction_variance",
]
