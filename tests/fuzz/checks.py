"""What must hold of a model that was fitted without a word; None, or what does not."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from oracle import is_finite, warned
from program import Outcome
from sklearn.base import clone

# Worse than the mean of the target by so much is a failure of which users must hear.
WORST_R2 = -10.0
# The same of networks that have hardly left their first weights.
WORST_OF_FIRST_WEIGHTS, FEW_EPOCHS = -1000.0, 10
EPS = np.finfo(np.float64).eps
RIDGE_PENALTIES = (0.0, 1e-6, 1e-3, 0.1, 1.0, 10.0)


class Rows:
    """The data as float64 arrays, rows that count alone; `ok` if there are such."""

    def __init__(self, names: Mapping[str, Any]):
        X, y, weight = (names[name] for name in ("X", "y", "sample_weight"))
        self.X = _floats(X)
        self.y = _floats(y).reshape(len(self.X), -1)
        weight = np.ones(1) if weight is None else _floats(weight)
        weight = np.broadcast_to(weight.reshape(-1), len(self.X))
        counts = weight > 0
        self.X, self.y, weight = self.X[counts], self.y[counts], weight[counts]
        self.weight = weight / weight.max()
        self.weight /= self.weight.sum()

    def centred(self, array: np.ndarray) -> np.ndarray:
        """Deviations from the mean, exact where the mean is far from 0."""
        near = array - array[0]
        return near - self.weight @ near


def _floats(array: Any) -> np.ndarray:
    array = array.to_numpy() if hasattr(array, "to_numpy") else np.asarray(array)
    return array.astype(np.float64)


def shapes(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """Predictions have the shape of the target and the type of the features."""
    X, y, model = names["X"], names["y"], names["model"]
    shape = (
        np.shape(y) if np.shape(y)[-1:] != (1,) or np.ndim(y) == 1 else np.shape(y)[:1]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = model.predict(X)
    if predicted.shape != shape:
        return f"predictions have the shape {predicted.shape}, the target {shape}"
    dtype = X.dtype if isinstance(X, np.ndarray) else None
    if dtype in (np.float32, np.float64) and predicted.dtype != dtype:
        return f"predictions have the type {predicted.dtype}, X has {dtype}"
    return None


def attributes(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """What was fitted is finite."""
    for name in ("coefs_", "intercepts_", "coef_", "intercept_", "loss_", "objective_",
                 "optimality_", "loss_curve_", "feature_importances_", "score_path_",
                 "mse_path_", "best_score_", "k_"):  # fmt: skip
        if not is_finite(getattr(names["model"], name, 0.0)):
            return f"{name} is not finite"
    return None


def constants(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """A constant target is predicted, to rounding."""
    rows, model = Rows(names), names["model"]
    if not getattr(model, "fit_intercept", True) or not model.standardize:
        return None
    predicted = _predictions(names).reshape(len(_floats(names["X"])), -1)
    for j, column in enumerate(rows.y.T):
        eps = np.finfo(predicted.dtype).eps
        is_constant = (column == column[0]).all()
        if is_constant and not np.allclose(
            predicted[:, j],
            column[0],
            rtol=4 * eps,
            atol=np.finfo(predicted.dtype).tiny,
        ):
            return f"a target of {column[0]!r} everywhere is predicted as others"
    return None


def learns(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """A fit without warning is not far worse than the mean of the target."""
    _rows, model = Rows(names), names["model"]
    is_plain = getattr(model, "loss", "squared_error") == "squared_error"
    if warned(outcome) or not is_plain or not getattr(model, "fit_intercept", True):
        return None
    worst = WORST_R2
    if hasattr(model, "coefs_") and model.n_iter_ + model.n_lai_iter_ < FEW_EPOCHS:
        worst = WORST_OF_FIRST_WEIGHTS
    if np.max(model.__dict__.get("k_", model.get_params().get("k", 0.0))) > 1:
        return None  # slopes are drawn towards it
    X = names["X"]
    predicted = _predictions(names).reshape(len(X), -1)
    y = _floats(names["y"]).reshape(len(predicted), -1)
    scale = np.abs(y).max(axis=0)
    for j in np.flatnonzero(scale):
        spread = np.var(y[:, j] / scale[j])
        error = np.mean((predicted[:, j] / scale[j] - y[:, j] / scale[j]) ** 2)
        if names["sample_weight"] is None and error > (1 - worst) * spread + 1e-12:
            return f"R2 is {1 - error / spread:.7g} without a warning"
    return None


def columns_count(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """No column that varies is dropped without a warning."""
    rows, model = Rows(names), names["model"]
    if warned(outcome):
        return None
    varies = (rows.X[0] != rows.X).any(axis=0)
    target_varies = (rows.y != rows.y[0]).any()
    coefs = model.coefs_[0].T if hasattr(model, "coefs_") else model.coef_
    unused = ~np.atleast_2d(coefs).any(axis=0)
    # Of two that say the same, one may have no slope.
    unused &= np.linalg.matrix_rank(rows.X - rows.X.mean(axis=0)) == len(unused)
    if target_varies and (varies & unused).any():
        return f"column {np.flatnonzero(varies & unused)[0]} was left out silently"
    return None


def is_least(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """The exact solution has its objective, which is not above that of others."""
    rows, model = Rows(names), names["model"]
    is_exact = hasattr(model, "objective_") and model.noise is None
    if not is_exact or warned(outcome) or model.feature_k is not None:
        return None
    with np.errstate(all="ignore"):
        return _objective_fault(rows, model)


def _objective_fault(rows: Rows, model: Any) -> str | None:
    centred = model.fit_intercept
    X = rows.centred(rows.X) if centred else rows.X
    Y = rows.centred(rows.y) if centred else rows.y
    sd_X, sd_Y = (np.sqrt(rows.weight @ _unit(A) ** 2) * _size(A) for A in (X, Y))
    if not centred and ((rows.X[0] == rows.X).all(axis=0)).any():
        return None
    if not model.standardize:
        sd_X, sd_Y = np.ones_like(sd_X), np.ones_like(sd_Y)
    elif not centred:
        plain = (rows.centred(A) for A in (rows.X, rows.y))
        sd_X, sd_Y = (np.sqrt(rows.weight @ _unit(A) ** 2) * _size(A) for A in plain)
    kept = (rows.X[0] != rows.X).any(axis=0) & (sd_X > 0)
    Z, coefs = X[:, kept] / sd_X[kept], np.atleast_2d(model.coef_)[:, kept]
    size = 1.0 if model.standardize else max(_size(Z).max(initial=0.0), 1e-300)
    for j, (y, sd, coef) in enumerate(zip(Y.T, sd_Y, coefs, strict=True)):
        if sd == 0 or not np.isfinite([*sd_X, sd]).all() or not size < 1e50:
            continue
        t = y / sd
        own = coef.astype(np.float64) * sd_X[kept] / sd
        value = _objective(model, Z, t, rows.weight, own)
        said = np.ravel(model.objective_)[j]
        far = np.append(_size(rows.X)[kept] / sd_X[kept], _size(rows.y)[j] / sd)
        floor = _rounding(Z, t, own, model.coef_.dtype)
        floor += (10 * EPS * far.max()) ** 2  # of means, and so of intercepts
        share = 1e-6 + 100 * EPS * far.max() ** (1 if centred else 2)
        if not np.isfinite(value) or not np.isfinite(said):
            continue
        for other in _others(Z, t, rows.weight):
            least = _objective(model, Z, t, rows.weight, other)
            noise = floor + _rounding(Z, t, other, model.coef_.dtype)
            if value > least * (1 + share) + noise:
                at = f"at {other.tolist()} it is {least:.7g}"
                return f"the objective is {value:.7g}, {at}"
        if abs(said - value) > (1e-4 + share) * value + floor:
            return f"objective_ is {said:.7g}, and it is {value:.7g}"
    return None


def _size(array: np.ndarray) -> np.ndarray:
    return np.abs(array).max(axis=0, initial=0.0)


def _unit(array: np.ndarray) -> np.ndarray:
    size = _size(array)
    return array / np.where(size > 0, size, 1)


def _objective(
    model: Any, Z: np.ndarray, t: np.ndarray, weight: np.ndarray, coef: np.ndarray
) -> float:
    """The one that the documentation of the estimator has."""
    k = getattr(model, "k_", None)
    k = float(model.k if k is None else k)
    a, mse = model.lai_fraction, weight @ (t - Z @ coef) ** 2
    if coef.size == 0:  # with no direction left the loss is the plain one
        a = 0
    size = np.abs(coef)
    phi2 = (np.maximum(size, k) / (min(k, 1) * np.hypot(1, size))) ** 2
    l1, l2 = phi2.sum(), np.sqrt((phi2**2).sum())
    share = {"l1": 1, "l2": 0, "elasticnet": model.l1_ratio}[model.norm]
    return float(mse * (1 - a + a * (share * l1 + (1 - share) * l2)))


def _others(Z: np.ndarray, t: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    """Coefficients to compare with: 0, and those of ridge regressions."""
    root = np.sqrt(weight)
    found = [np.zeros(Z.shape[1])]
    for penalty in RIDGE_PENALTIES:
        rows = np.vstack([root[:, None] * Z, np.sqrt(penalty) * np.eye(Z.shape[1])])
        target = np.concatenate([root * t, np.zeros(Z.shape[1])])
        if np.isfinite(rows).all():
            found.append(np.linalg.lstsq(rows, target, rcond=1e-10)[0])
    return found


def _rounding(Z: np.ndarray, t: np.ndarray, coef: np.ndarray, dtype: Any) -> float:
    """How large an objective may be by rounding of coefficients and data alone."""
    eps = max(np.finfo(dtype).eps, EPS)
    size = np.abs(Z).max(initial=0) * np.abs(coef).sum() + np.abs(t).max(initial=0)
    return float((1000 * eps * size) ** 2) * 10


def scales(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """Powers of two in the units of the data change nothing but those of the result."""
    X, y, model = names["X"], names["y"], names["model"]
    is_float = isinstance(X, np.ndarray) and X.dtype in (np.float32, np.float64)
    is_float &= isinstance(y, np.ndarray) and y.dtype == np.float64
    if not is_float or not (X.flags.c_contiguous and y.flags.c_contiguous):
        return None  # the order of sums is another
    if not model.standardize or _is_extreme(X) or _is_extreme(y):
        return None
    seed = model.get_params().get("random_state", 0)
    if seed is None or isinstance(seed, np.random.RandomState):
        return None  # two fits are never the same
    scale_X, scale_y = X.dtype.type(2) ** np.array([7, -5], X.dtype)[: X.shape[1]], 64.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = scale_y * model.predict(X)
        try:
            other = clone(model).fit(X * scale_X, y * scale_y, names["sample_weight"])
        except Exception as error:
            return f"powers of two make it fail: {error}"
        found = other.predict(X * scale_X)
    if not np.array_equal(found, expected):
        return (
            f"powers of two change predictions by {np.abs(found - expected).max():.7g}"
        )
    return None


def _is_extreme(array: np.ndarray) -> bool:
    size = np.abs(array[array != 0])
    info = np.finfo(array.dtype)
    low, high = (1e-60, 1e60) if info.bits == 64 else (1e-7, 1e7)
    return not (size > low).all() or not (size < high).all()


def _predictions(names: Mapping[str, Any]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return names["model"].predict(names["X"])


FIT_CHECKS = (attributes, shapes, constants, learns, columns_count, is_least, scales)
