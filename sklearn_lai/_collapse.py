"""Predictions that the Lai loss has made all but constant."""

from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ._callers import warn_caller

# Share of the target's variance below which predictions have collapsed.
COLLAPSED_SHARE = 0.01


def has_collapsed(variance: Any, target_variance: Any) -> Any:
    """Whether predictions hardly vary, though their target does; element by element."""
    return variance < COLLAPSED_SHARE * target_variance


def warn_of_collapse(estimator: Any) -> None:
    """Say what to change in an estimator."""
    k = estimator.k_ if hasattr(estimator, "k_") else estimator.k
    share = f"{100 * COLLAPSED_SHARE:g} %"
    warn_caller(
        "The Lai loss made the predictions collapse towards a constant: their "
        f"variance is under {share} of the target's, and after pretraining it was "
        f"not. Raise k ({np.asarray(k).tolist()}) or lower lai_fraction "
        f"({estimator.lai_fraction!r}).",
        ConvergenceWarning,
    )
