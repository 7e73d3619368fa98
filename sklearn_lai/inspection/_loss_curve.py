"""How training went: losses and validation score of both stages."""

from numbers import Integral
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._validation import STRING, Figures, Number, checked
from . import _plotting


class LossCurveDisplay:
    """Loss of every epoch of both stages, the Lai loss and the validation score.

    Make it by :meth:`from_estimator`; the parameters are stored as attributes.

    Parameters
    ----------
    loss : array-like of shape (n_epochs,)
        Plain training loss of each epoch, in standardised units; NaN where training
        diverged and went back.
    n_pretrain_epochs : int
        How many of them are the first stage.
    lai_loss : array-like of shape (n_lai_epochs,), default=()
        Lai loss of each of the last epochs; NaN where no batch had one.
    validation_scores : array-like of shape (n_epochs,), default=()
        Score of the validation data after each epoch.
    unit : str, default='standardised units'
        Unit of the losses, for the label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the losses.
    validation_ax_ : matplotlib Axes or None
        Axes of the validation scores, on the right; None without them.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of {str: matplotlib Line2D}
        The curves, by the names in the legend.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiMLPRegressor
    >>> from sklearn_lai.inspection import LossCurveDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LaiMLPRegressor(max_iter=20, lai_epochs=10, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(model.fit(X, y))
    >>> list(display.lines_)
    ['training loss', 'Lai loss', 'end of pretraining']
    """

    @checked
    def __init__(
        self,
        *,
        loss: Annotated[ArrayLike, Figures()],
        n_pretrain_epochs: Annotated[int, Number(Integral, 0)],
        lai_loss: Annotated[ArrayLike, Figures()] = (),
        validation_scores: Annotated[ArrayLike, Figures()] = (),
        unit: Annotated[str, STRING] = "standardised units",
    ):
        self.loss = loss
        self.n_pretrain_epochs = n_pretrain_epochs
        self.lai_loss = lai_loss
        self.validation_scores = validation_scores
        self.unit = unit

    @classmethod
    @checked
    def from_estimator(
        cls,
        estimator: Annotated[Any, _plotting.ESTIMATOR],
        *,
        ax: Annotated[Any, _plotting.AXES] = None,
    ) -> "LossCurveDisplay":
        """Draw how the last fit of an estimator went.

        Parameters
        ----------
        estimator : LaiMLPRegressor, LaiMLPRegressorCV or LaiLinearRegressor
            Fitted estimator that was trained over epochs.
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no loss curve, as with the exact solver of linear models.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "lai_loss_curve_"):
            raise TypeError(
                "estimator must have been trained over epochs and have a "
                f"lai_loss_curve_; this {type(estimator).__name__} has none."
            )
        n_first, n_second = estimator.n_iter_, estimator.n_lai_iter_
        scores = getattr(estimator, "validation_scores_", None) or []
        lai_scores = getattr(estimator, "lai_validation_scores_", None) or []
        display = cls(
            loss=_last(estimator.loss_curve_, n_first)
            + _last(estimator.lai_plain_loss_curve_, n_second),
            n_pretrain_epochs=n_first,
            lai_loss=_lai_losses(estimator),
            validation_scores=_last(scores, n_first) + _last(lai_scores, n_second),
            unit="standardised units" if estimator.standardize else "raw units",
        )
        return display.plot(ax)

    @checked
    def plot(self, ax: Annotated[Any, _plotting.AXES] = None) -> "LossCurveDisplay":
        """Draw, losses on a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are more epochs of `lai_loss` than of `loss`, or no `loss` is
            finite.
        TypeError
            If `ax` is no matplotlib Axes.
        """
        loss, lai_loss, scores = map(
            np.asarray, (self.loss, self.lai_loss, self.validation_scores)
        )
        if len(lai_loss) > len(loss):
            raise ValueError(
                f"lai_loss must have at most the {len(loss)} epochs of loss, got "
                f"{len(lai_loss)}."
            )
        if len(loss) and not np.isfinite(loss).any():
            raise ValueError("loss must be finite in one epoch at least.")
        self.ax_ = _plotting.axes_or_new(ax, height=3.2)
        self.figure_ = self.ax_.figure
        self.validation_ax_, self.lines_ = None, {}
        self._draw(self.ax_, "training loss", loss, 1, color=_plotting.BLUE)
        self._draw(
            self.ax_,
            "Lai loss",
            lai_loss,
            len(loss) - len(lai_loss) + 1,
            color=_plotting.ORANGE,
            marker=".",
        )
        _plotting.plain_log_scale(self.ax_)
        self.ax_.set(xlabel="epoch", ylabel=_plotting.as_label(f"loss ({self.unit})"))
        if 0 < self.n_pretrain_epochs < len(loss):
            self.lines_["end of pretraining"] = self.ax_.axvline(
                self.n_pretrain_epochs + 0.5,
                color=_plotting.GREY,
                linewidth=1,
                label="end of pretraining",
            )
        if len(scores):
            self.validation_ax_ = self.ax_.twinx()
            self._draw(
                self.validation_ax_,
                "validation score",
                scores,
                1,
                color=_plotting.GREEN,
                linestyle="--",
            )
            self.validation_ax_.set_ylabel("score on validation data")
        _plotting.legend_above(self.ax_, list(self.lines_.values()), n_columns=2)
        return self

    def _draw(
        self, ax: Any, name: str, values: np.ndarray, start: int, **style: Any
    ) -> None:
        """A curve from the epoch `start` on, where there is one."""
        if np.isfinite(values).any():
            epochs = np.arange(start, start + len(values))
            (self.lines_[name],) = ax.plot(epochs, values, label=name, **style)


def _lai_losses(estimator: Any) -> list[float]:
    """Those of the second stage, or of passes of which each had one."""
    losses, n_second = estimator.lai_loss_curve_, estimator.n_lai_iter_
    is_of_passes = n_second == 0 and len(losses) == len(estimator.loss_curve_)
    return losses if is_of_passes else _last(losses, n_second)


def _last(values: list[float], n: int) -> list[float]:
    return values[max(len(values) - n, 0) :]
