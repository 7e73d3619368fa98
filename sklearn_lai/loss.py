"""The Lai loss, for any torch model.

Source: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from numbers import Real
from typing import Annotated, Any

import torch
from torch import Tensor

from ._validation import (
    NONE,
    POSITIVE,
    AnyOf,
    Each,
    NotANumber,
    Number,
    OneOf,
    Rule,
    checked,
    shown,
)

__all__ = ["LaiLoss", "input_gradient", "lai_factor", "lai_loss"]


def _huber(error: Tensor, delta: float) -> Tensor:
    limits, magnitude = torch.finfo(error.dtype), error.abs()
    if not limits.tiny <= float(delta) <= limits.max:
        raise ValueError(
            f"huber_delta must be from {limits.tiny:.2g} to {limits.max:.2g} for "
            f"errors of {error.dtype}, got {shown(delta)}."
        )
    inner = magnitude.clamp(max=delta)
    return inner * (magnitude - inner / 2)


def _pinball(error: Tensor, quantile: float) -> Tensor:
    return torch.maximum(-quantile * error, (1 - quantile) * error)


# Losses of an error, prediction minus target, given `huber_delta` and `quantile`.
BASE_LOSSES: Mapping[str, Callable[[Tensor, float, float], Tensor]] = {
    "squared_error": lambda error, huber_delta, quantile: error.square(),
    "absolute_error": lambda error, huber_delta, quantile: error.abs(),
    "huber": lambda error, huber_delta, quantile: _huber(error, huber_delta),
    "quantile": lambda error, huber_delta, quantile: _pinball(error, quantile),
}


def _l1(x: Tensor, l1_ratio: float) -> Tensor:
    return x.sum(-1)


def _l2(x: Tensor, l1_ratio: float) -> Tensor:
    # In units of the largest, whose square may be no number.
    info = torch.finfo(x.dtype)
    largest = x.detach().amax(-1, keepdim=True).clamp(info.tiny, info.max)
    return torch.linalg.vector_norm(x / largest, dim=-1) * largest[..., 0]


def _elasticnet(x: Tensor, l1_ratio: float) -> Tensor:
    return l1_ratio * _l1(x, l1_ratio) + (1 - l1_ratio) * _l2(x, l1_ratio)


# Norms of a vector of losses, which are never negative, over the last axis.
NORMS: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "l1": _l1,
    "l2": _l2,
    "elasticnet": _elasticnet,
}


@dataclass(frozen=True)
class TensorOf(Rule):
    """A tensor whose type has a property."""

    words: str
    is_right: Callable[[Tensor], bool]

    def allowed(self) -> str:
        return f"a torch.Tensor of {self.words}"

    def has_type(self, value: Any) -> bool:
        return isinstance(value, Tensor)

    def accepts(self, value: Any) -> bool:
        return self.is_right(value)


FLOATS = TensorOf("a float type", Tensor.is_floating_point)
REALS = TensorOf("real numbers", lambda x: not x.is_complex() and x.dtype != torch.bool)
# Those of a mask count as 0 and 1.
WEIGHTS = TensorOf("real numbers or bool", lambda x: not x.is_complex())
SLOPE = AnyOf(POSITIVE, NotANumber())
K = AnyOf(SLOPE, Each(AnyOf(SLOPE, NONE)), REALS)
LOSS, NORM = OneOf(tuple(BASE_LOSSES)), OneOf(tuple(NORMS))
L1_RATIO = Number(Real, 0, 1)
QUANTILE = Number(Real, 0, 1, closed="neither")


@checked
def lai_factor(
    slope: Annotated[Tensor, FLOATS],
    k: Annotated[float | Tensor, AnyOf(POSITIVE, REALS)],
) -> Tensor:
    r"""Factor by which the Lai loss multiplies an error.

    .. math:: \varphi(s; k) = \frac{\max(|s|, k)}{\min(k, 1) \sqrt{1 + s^2}}

    Parameters
    ----------
    slope : Tensor of any shape
        Slope `s` of the model, of a float type.
    k : float or Tensor that broadcasts to the shape of `slope`
        Boundary slope, > 0: the factor is smallest where ``|slope| == k``.

    Returns
    -------
    Tensor of the shape of `slope`
        The factor: ``max(k, 1)`` at slope 0, towards ``1 / min(k, 1)`` for steep
        slopes. At its kinks, ``|slope| == k``, its gradient is a subgradient.

    Raises
    ------
    ValueError
        If `slope` is not of a float type, or any `k` is not a positive finite number
        in it, or has more dimensions than `slope`.
    TypeError
        If `slope` is not a Tensor, or `k` neither a number nor a Tensor.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
    """
    boundary = torch.as_tensor(k, dtype=slope.dtype, device=slope.device)
    limits = torch.finfo(slope.dtype)
    _check_range(k, boundary, limits.tiny, limits.max)
    if not _broadcasts(boundary.shape, slope.shape):
        raise ValueError(
            f"k must broadcast to the shape of slope, {tuple(slope.shape)}, got "
            f"{tuple(boundary.shape)}."
        )
    return _factor(slope, boundary)


def _factor(slope: Tensor, k: Tensor) -> Tensor:
    hypotenuse = torch.hypot(slope, torch.ones_like(slope))
    return torch.maximum(slope.abs(), k) / (k.clamp(max=1) * hypotenuse)


@checked
def lai_loss(
    y_pred: Annotated[Tensor, FLOATS],
    y_true: Annotated[Tensor, REALS],
    slope: Annotated[Tensor, FLOATS],
    k: Annotated[float | Sequence[float | None] | Tensor, K],
    *,
    loss: Annotated[str, LOSS] = "squared_error",
    huber_delta: Annotated[float, POSITIVE] = 1.0,
    quantile: Annotated[float, QUANTILE] = 0.5,
    norm: Annotated[str, NORM] = "l1",
    l1_ratio: Annotated[float, L1_RATIO] = 0.5,
    sample_weight: Annotated[Tensor | None, AnyOf(NONE, WEIGHTS)] = None,
) -> Tensor:
    """Lai loss: the norm, over input directions, of the slope-weighted errors.

    Direction `j` has the loss ``L_j = mean_i l(e_i * lai_factor(s_ij, k_j))`` with
    the error ``e_i = y_pred_i - y_true_i``; the Lai loss is the norm of the vector
    `L`, averaged over the outputs.

    Parameters
    ----------
    y_pred : Tensor of shape (n_samples,) or (n_samples, n_outputs)
        Predictions, of a float type.
    y_true : Tensor of the shape of `y_pred`
        Targets.
    slope : Tensor of shape (n_samples, n_features) or \
            (n_samples, n_outputs, n_features)
        Derivative of each prediction with respect to each input, as
        `input_gradient` gives it, in units in which slopes are of order 1.
    k : float, sequence of float or None, or Tensor
        Boundary slope of every direction, or one per feature, in the units of
        `slope`; a Tensor may also have one per output and feature. A feature whose
        `k` is None or NaN, for any output, is left out; with none left the loss is the
        plain one. No gradient flows to `k`. Its square, and the inverse of that, are
        to be numbers in the type of `slope`.
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile'}, \
            default='squared_error'
        Base loss `l` of a signed error: ``u ** 2``; ``abs(u)``; ``u ** 2 / 2`` up to
        the magnitude ``huber_delta`` and linear beyond; or the pinball loss. The last
        two go beyond [1]_.
    huber_delta : float, default=1.0
        Where 'huber' becomes linear, > 0, in the units of the errors.
    quantile : float, default=0.5
        Quantile at which 'quantile' is least, in (0, 1).
    norm : {'l1', 'l2', 'elasticnet'}, default='l1'
        Norm of the vector of losses: sum, Euclidean, or
        ``l1_ratio * l1 + (1 - l1_ratio) * l2``.
    l1_ratio : float, default=0.5
        Mix of the elastic net, in [0, 1].
    sample_weight : Tensor of shape (n_samples,), default=None
        Weights of the samples in the means, >= 0 and not all 0; None weighs all alike.

    Returns
    -------
    Tensor of shape ()
        The loss, twice differentiable except at the kinks of `lai_factor` and where
        all errors are 0; its first derivatives are finite everywhere.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or a parameter has a value not listed here.
    TypeError
        If a parameter has a type not listed here.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.

    Examples
    --------
    >>> import torch
    >>> from sklearn_lai.loss import input_gradient, lai_loss
    >>> X = torch.tensor([[0.0], [1.0]], requires_grad=True)
    >>> y_pred = 2 * X[:, 0]
    >>> y_true = torch.tensor([0.0, 1.0])
    >>> lai_loss(y_pred, y_true, input_gradient(y_pred, X), k=2.0)
    tensor(0.4000, grad_fn=<MeanBackward0>)
    """
    base_loss, norm_of = BASE_LOSSES[loss], NORMS[norm]
    _check_shapes(y_pred, y_true, slope, sample_weight)
    error = (y_pred - y_true).reshape(len(y_pred), -1)
    slope = slope.reshape(*error.shape, -1)
    boundaries = _boundaries(k, slope)
    kept = ~boundaries.isnan().any(0)
    if not kept.any():
        return _weighted_mean(
            base_loss(error, huber_delta, quantile), sample_weight
        ).mean()
    if not kept.all():
        slope, boundaries = slope[..., kept], boundaries[:, kept]
    largest = torch.finfo(slope.dtype).max ** 0.5
    _check_range(k, boundaries, 1 / largest, largest)
    errors = error[..., None] * _factor(slope, boundaries)
    losses = base_loss(errors, huber_delta, quantile)
    return norm_of(_weighted_mean(losses, sample_weight), l1_ratio).mean()


@checked
def input_gradient(
    y_pred: Annotated[Tensor, FLOATS], X: Annotated[Tensor, FLOATS]
) -> Tensor:
    """Slopes of a model by automatic differentiation, themselves differentiable.

    Parameters
    ----------
    y_pred : Tensor of shape (n_samples,) or (n_samples, n_outputs)
        Predictions computed from `X`, each row from its own row of `X` alone (no
        batch normalisation).
    X : Tensor of shape (n_samples, n_features)
        Inputs with ``requires_grad=True``.

    Returns
    -------
    Tensor of shape (n_samples, n_features) or (n_samples, n_outputs, n_features)
        Derivative of each prediction with respect to each input.

    Raises
    ------
    ValueError
        If `X` does not require a gradient, `y_pred` was not computed from `X`, or it
        has other rows.
    TypeError
        If one of them is not a Tensor.
    """
    if X.ndim != 2:
        raise ValueError(
            f"X must have shape (n_samples, n_features), got shape {tuple(X.shape)}."
        )
    if not X.requires_grad:
        raise ValueError(
            "X must require a gradient: call X.requires_grad_() before the model."
        )
    if y_pred.ndim not in (1, 2) or len(y_pred) != len(X):
        raise ValueError(
            "y_pred must have shape (n_samples,) or (n_samples, n_outputs) with "
            f"{len(X)} samples as X, got shape {tuple(y_pred.shape)}."
        )
    slopes = [
        torch.autograd.grad(
            output,
            X,
            torch.ones_like(output),
            create_graph=True,
            allow_unused=True,
        )[0]
        for output in y_pred.reshape(len(y_pred), -1).unbind(1)
        if output.requires_grad
    ]
    if not slopes or any(slope is None for slope in slopes):
        raise ValueError(
            "X must be the tensor that y_pred was computed from, not a copy or a view "
            "of it, with gradients on: y_pred does not depend on it."
        )
    return slopes[0] if y_pred.ndim == 1 else torch.stack(slopes, dim=1)


class LaiLoss(torch.nn.Module):
    """Lai loss as a torch module.

    Parameters
    ----------
    k : float, sequence of float or None, or Tensor, default=0.2
        Boundary slope of every direction, or one per feature; None leaves one out.
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile'}, \
            default='squared_error'
        Base loss.
    huber_delta : float, default=1.0
        Where 'huber' becomes linear, > 0.
    quantile : float, default=0.5
        Quantile of 'quantile', in (0, 1).
    norm : {'l1', 'l2', 'elasticnet'}, default='l1'
        Norm over the directions.
    l1_ratio : float, default=0.5
        Mix of the elastic net, in [0, 1].

    Raises
    ------
    ValueError
        If a parameter has a value not listed here.
    TypeError
        If a parameter has a type not listed here.

    See Also
    --------
    lai_loss : The same as a function, with every shape and unit.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.

    Examples
    --------
    >>> import torch
    >>> from sklearn_lai.loss import LaiLoss, input_gradient
    >>> model = torch.nn.Linear(3, 1)
    >>> X = torch.randn(8, 3, requires_grad=True)
    >>> y_pred = model(X)
    >>> criterion = LaiLoss(k=0.3)
    >>> loss = criterion(y_pred, torch.zeros(8, 1), input_gradient(y_pred, X))
    >>> loss.backward()
    """

    @checked
    def __init__(
        self,
        k: Annotated[float | Sequence[float | None] | Tensor, K] = 0.2,
        *,
        loss: Annotated[str, LOSS] = "squared_error",
        huber_delta: Annotated[float, POSITIVE] = 1.0,
        quantile: Annotated[float, QUANTILE] = 0.5,
        norm: Annotated[str, NORM] = "l1",
        l1_ratio: Annotated[float, L1_RATIO] = 0.5,
    ):
        super().__init__()
        self.k = k
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.norm = norm
        self.l1_ratio = l1_ratio

    def forward(
        self,
        y_pred: Tensor,
        y_true: Tensor,
        slope: Tensor,
        sample_weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss of a batch.

        Parameters
        ----------
        y_pred : Tensor of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        y_true : Tensor of the shape of `y_pred`
            Targets.
        slope : Tensor of shape (n_samples, n_features) or \
                (n_samples, n_outputs, n_features)
            Slopes of the predictions, as `input_gradient` gives them.
        sample_weight : Tensor of shape (n_samples,), default=None
            Weights of the samples, >= 0 and not all 0; None weighs all alike.

        Returns
        -------
        Tensor of shape ()
            The loss.

        Raises
        ------
        ValueError
            As :func:`lai_loss`.
        TypeError
            As :func:`lai_loss`.
        """
        return lai_loss(
            y_pred,
            y_true,
            slope,
            self.k,
            loss=self.loss,
            huber_delta=self.huber_delta,
            quantile=self.quantile,
            norm=self.norm,
            l1_ratio=self.l1_ratio,
            sample_weight=sample_weight,
        )

    def extra_repr(self) -> str:
        """Parameters as torch prints them.

        Returns
        -------
        str
            Names and values.
        """
        return (
            f"k={self.k}, loss={self.loss!r}, huber_delta={self.huber_delta}, "
            f"quantile={self.quantile}, norm={self.norm!r}, l1_ratio={self.l1_ratio}"
        )


def _weighted_mean(losses: Tensor, sample_weight: Tensor | None) -> Tensor:
    """Mean over the samples, the first axis."""
    if sample_weight is None:
        return losses.mean(0)
    dtype = torch.promote_types(losses.dtype, torch.float32)
    weight = sample_weight.to(torch.promote_types(sample_weight.dtype, dtype))
    largest = weight.detach().max()
    if not (weight >= 0).all() & (largest > 0) & largest.isfinite():
        raise ValueError(
            "sample_weight must be finite, >= 0 and not all zero, got weights from "
            f"{weight.min():g} to {largest:g}."
        )
    # Sums of large weights, and in float16 of many, are infinite.
    share = (weight / largest).to(dtype)
    share = share / share.sum()
    return torch.tensordot(share, losses.to(dtype), dims=1).to(losses.dtype)


def _boundaries(k: float | Sequence[float | None] | Tensor, slope: Tensor) -> Tensor:
    """Boundary slopes, shape (1 or n_outputs, n_features); NaN where left out."""
    if isinstance(k, Tensor):
        k = k.detach().to(slope)
    elif isinstance(k, Real | float):
        k = slope.new_tensor(float(k))
    else:
        k = slope.new_tensor([nan if k_j is None else float(k_j) for k_j in k])
    n_outputs, n_features = slope.shape[1:]
    if k.shape not in ((), (n_features,), (n_outputs, n_features)):
        raise ValueError(
            f"k must be one number, one per feature, shape ({n_features},), or one per "
            f"output and feature, shape ({n_outputs}, {n_features}), got shape "
            f"{tuple(k.shape)}."
        )
    return torch.atleast_2d(k).expand(-1, n_features)


def _check_range(k: Any, boundaries: Tensor, least: float, largest: float) -> None:
    """Check boundary slopes in the type of the slopes; `k` is what the user gave."""
    if not ((boundaries >= least) & (boundaries <= largest)).all():
        raise ValueError(
            f"k must be a finite number > 0, from {least:.2g} to {largest:.2g} for "
            f"slopes of {boundaries.dtype}, got {shown(k)}."
        )


def _broadcasts(shape: torch.Size, target: torch.Size) -> bool:
    """Whether a tensor of a shape becomes one of the other as it is."""
    n_missing = len(target) - len(shape)
    return n_missing >= 0 and all(
        own in (1, other) for own, other in zip(shape, target[n_missing:], strict=True)
    )


def _check_shapes(
    y_pred: Tensor, y_true: Tensor, slope: Tensor, sample_weight: Tensor | None
) -> None:
    # Broadcasting would turn a mismatch into a wrong number without an error.
    if y_pred.ndim not in (1, 2):
        raise ValueError(
            "y_pred must have shape (n_samples,) or (n_samples, n_outputs), got "
            f"shape {tuple(y_pred.shape)}."
        )
    if y_pred.numel() == 0:
        raise ValueError(
            "y_pred must have at least one prediction, got shape "
            f"{tuple(y_pred.shape)}."
        )
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {tuple(y_pred.shape)}, got "
            f"{tuple(y_true.shape)}."
        )
    if slope.shape[:-1] != y_pred.shape:
        raise ValueError(
            f"slope must have the shape of y_pred, {tuple(y_pred.shape)}, and one "
            f"more axis for the features, got {tuple(slope.shape)}."
        )
    if sample_weight is not None and sample_weight.shape != y_pred.shape[:1]:
        raise ValueError(
            f"sample_weight must have shape ({len(y_pred)},), got "
            f"{tuple(sample_weight.shape)}."
        )
