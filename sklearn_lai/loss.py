"""The Lai loss, for any torch model.

Source: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf, nan
from numbers import Real
from typing import Any

import torch
from torch import Tensor

__all__ = ["LaiLoss", "input_gradient", "lai_factor", "lai_loss"]


def _huber(error: Tensor, delta: float) -> Tensor:
    magnitude = error.abs()
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
    return torch.linalg.vector_norm(x, dim=-1)


def _elasticnet(x: Tensor, l1_ratio: float) -> Tensor:
    return l1_ratio * _l1(x, l1_ratio) + (1 - l1_ratio) * _l2(x, l1_ratio)


# Norms of a vector of losses, which are never negative, over the last axis.
NORMS: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "l1": _l1,
    "l2": _l2,
    "elasticnet": _elasticnet,
}


def lai_factor(slope: Tensor, k: float | Tensor) -> Tensor:
    r"""Factor by which the Lai loss multiplies an error.

    .. math:: \varphi(s; k) = \frac{\max(|s|, k)}{\min(k, 1) \sqrt{1 + s^2}}

    Parameters
    ----------
    slope : Tensor of any shape
        Slope `s` of the model.
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
        If any `k` is not a positive finite number.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
    """
    k = torch.as_tensor(k, dtype=slope.dtype, device=slope.device)
    if not ((k > 0) & k.isfinite()).all():
        raise ValueError(f"k must be a finite number > 0, got {k.tolist()}.")
    hypotenuse = torch.hypot(slope, torch.ones_like(slope))
    return torch.maximum(slope.abs(), k) / (k.clamp(max=1) * hypotenuse)


def lai_loss(
    y_pred: Tensor,
    y_true: Tensor,
    slope: Tensor,
    k: float | Sequence[float | None] | Tensor,
    *,
    loss: str = "squared_error",
    huber_delta: float = 1.0,
    quantile: float = 0.5,
    norm: str = "l1",
    l1_ratio: float = 0.5,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Lai loss: the norm, over input directions, of the slope-weighted errors.

    Direction `j` has the loss ``L_j = mean_i l(e_i * lai_factor(s_ij, k_j))`` with
    the error ``e_i = y_pred_i - y_true_i``; the Lai loss is the norm of the vector
    `L`, averaged over the outputs.

    Parameters
    ----------
    y_pred : Tensor of shape (n_samples,) or (n_samples, n_outputs)
        Predictions.
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
        plain one. No gradient flows to `k`.
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
        Weights of the samples in the means; None weighs all alike.

    Returns
    -------
    Tensor of shape ()
        The loss, twice differentiable except at the kinks of `lai_factor` and where
        all errors are 0; its first derivatives are finite everywhere.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or a parameter has a value not listed here.

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
    base_loss = _look_up("loss", loss, BASE_LOSSES)
    norm_of = _look_up("norm", norm, NORMS)
    if not 0 <= l1_ratio <= 1:
        raise ValueError(f"l1_ratio must be in [0, 1], got {l1_ratio!r}.")
    if not 0 < huber_delta < inf:
        raise ValueError(f"huber_delta must be a finite number > 0, got {huber_delta}.")
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must be in (0, 1), got {quantile!r}.")
    _check_shapes(y_pred, y_true, slope, sample_weight)
    error = (y_pred - y_true).reshape(len(y_pred), -1)
    slope = slope.reshape(*error.shape, -1)
    k = _boundaries(k, slope)
    kept = ~k.isnan().any(0)
    if not kept.any():
        return _weighted_mean(
            base_loss(error, huber_delta, quantile), sample_weight
        ).mean()
    if not kept.all():
        slope, k = slope[..., kept], k[:, kept]
    errors = error[..., None] * lai_factor(slope, k)
    losses = base_loss(errors, huber_delta, quantile)
    return norm_of(_weighted_mean(losses, sample_weight), l1_ratio).mean()


def input_gradient(y_pred: Tensor, X: Tensor) -> Tensor:
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
        If `X` does not require a gradient, or `y_pred` has other rows than `X`.
    """
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
            materialize_grads=True,
        )[0]
        for output in y_pred.reshape(len(y_pred), -1).unbind(1)
    ]
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

    def __init__(
        self,
        k: float | Sequence[float | None] | Tensor = 0.2,
        *,
        loss: str = "squared_error",
        huber_delta: float = 1.0,
        quantile: float = 0.5,
        norm: str = "l1",
        l1_ratio: float = 0.5,
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
            Weights of the samples; None weighs all alike.

        Returns
        -------
        Tensor of shape ()
            The loss.
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
    weight = sample_weight.to(losses.dtype)
    return torch.tensordot(weight, losses, dims=1) / weight.sum()


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


def _look_up(name: str, value: str, table: Mapping[str, Any]) -> Any:
    if value not in table:
        allowed = ", ".join(map(repr, table))
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}.")
    return table[value]


def _check_shapes(
    y_pred: Tensor, y_true: Tensor, slope: Tensor, sample_weight: Tensor | None
) -> None:
    # Broadcasting would turn a mismatch into a wrong number without an error.
    if y_pred.ndim not in (1, 2):
        raise ValueError(
            "y_pred must have shape (n_samples,) or (n_samples, n_outputs), got "
            f"shape {tuple(y_pred.shape)}."
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
