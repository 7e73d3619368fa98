"""What a model does on data held out."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import mean_squared_error

from .._base import Data
from .._statistics import outlier_bound
from ..metrics import noise_sensitivity, prediction_variance

Error = Callable[..., Any]
Predict = Callable[[np.ndarray], np.ndarray]


class Assessment(NamedTuple):
    """Errors, how good they are, and smoothness.

    `errors` are mean squared errors by output, `sensitivities` those to noise by
    feature, `variance` is that of the predictions.
    """

    errors: np.ndarray
    score: float
    sensitivities: np.ndarray
    variance: float


def assess(
    predict: Predict,
    data: Data,
    copies: Sequence[np.ndarray],
    error: Error,
    unit: np.ndarray,
) -> Assessment:
    """Assess on copies of the features of the data.

    The score is the negated `error`, as those of sklearn.metrics, in units of each
    output.
    """
    errors, scores = [], []
    for copy in copies:
        y_pred = predict(copy)
        errors.append(_by_output(mean_squared_error, data, y_pred))
        scores.append(-np.mean(_by_output(error, data, y_pred) / unit))
    return Assessment(
        np.mean(errors, axis=0), float(np.mean(scores)), *_smoothness(predict, data.X)
    )


def _smoothness(predict: Predict, X: np.ndarray) -> tuple[np.ndarray, float]:
    """Sensitivities and variance; NaN of a single row, which has neither."""
    if len(X) == 1:
        return np.full(X.shape[1], np.nan), np.nan
    predictor = SimpleNamespace(predict=predict)
    variance = float(np.mean(prediction_variance(predictor, X)))
    return noise_sensitivity(predictor, X).mean(axis=0), variance


def bounded(error: Error) -> Error:
    """The error, in which those of rows count up to that of an outlier."""

    def bounded_error(y: np.ndarray, y_pred: np.ndarray, **options: Any) -> Any:
        difference = (y_pred - y).reshape(len(y), -1)
        bound = outlier_bound(difference, options.get("sample_weight"))
        nearest = y + np.clip(difference, -bound, bound).reshape(y.shape)
        return error(y, nearest, **options)

    return bounded_error


def _by_output(error: Error, data: Data, y_pred: np.ndarray) -> np.ndarray:
    return error(
        data.y, y_pred, sample_weight=data.sample_weight, multioutput="raw_values"
    )
