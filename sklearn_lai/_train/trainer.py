"""A network in training: what it is trained on, what it minimises, what it has made."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._recipe.record import Epoch, History, Model, Snapshot
from .._recipe.stages import LaiStage
from .._recipe.watch import Watch
from .._statistics import outlier_bound
from .._units import Layers
from .base_losses import BaseLoss
from .batches import Batch, Batches, Orders
from .network import Network
from .noise import boundary_change, loss_under_noise
from .objective import Objective, make_objective
from .optimizers import Optimizer
from .outliers import BoundedErrors, Mixture
from .sharing import Part, Sharing
from .slopes import Derivative, SlopeMeasure, make_slope_measure

# Parameters up to which the squares of predictions are numbers.
SAFE_SIZE = 100.0
TOO_LARGE = (
    "Likely cause: steps too large; lower learning_rate_init (in the second stage "
    "lai_learning_rate_init or noise, or raise k or feature_k), keep standardize=True, "
    "beta_2 near 1, and alpha small beside the mean of sample_weight."
)


class DivergenceError(ValueError):
    """The training loss became infinite or no number."""


class Trainer:
    """A network with its batches and optimiser, trained epoch by epoch.

    `model` is what it has made so far. It is replaced as a whole when an epoch is done,
    so that Ctrl-C finds no half of one; `first_parameters` are those it began with.
    `is_constant` says which features have no influence, those that are `is_narrow` keep
    their weights. `boundary`, by output, is where a stage for noise divides changes.
    `alpha` is the strength of the L2 penalty, which is divided by the batch size as
    MLPRegressor does. `score` is that of parameters on validation data, if there is
    some; `fold` makes layers of them, in the units of the data. Before there were
    `n_seen` samples, and what `history` starts with. Of each batch, `sharing` says what
    the part is that `batches` have; `some` are rows of all, enough to tell what errors
    are like.
    """

    boundary: np.ndarray | None = None
    _lai_objective: Mixture
    _slope_measure: SlopeMeasure

    def __init__(
        self,
        network: Network,
        batches: Batches,
        sharing: Sharing,
        some: Batches,
        loss: BaseLoss,
        optimizer: Optimizer,
        *,
        is_constant: np.ndarray,
        is_narrow: np.ndarray,
        alpha: float,
        score: Callable[[Tensor], float] | None,
        fold: Callable[[Tensor], Layers],
        watch: Watch,
        history: History,
        n_seen: int = 0,
    ):
        self.network = network
        self.batches = batches
        self.sharing = sharing
        self.some = some
        self.loss = loss
        self.optimizer = optimizer
        self.is_constant = is_constant
        self.watch = watch
        self.score = score
        self._fold = fold
        self._n_seen_before = n_seen
        self.model = Model(network.parameters.clone(), history)
        self.first_parameters = self.model.parameters
        self._objective = Objective(loss, network.parameters)
        # What is known of features that no longer vary stays.
        known = network.is_coef_of(is_constant & history.is_warm)
        penalised = network.is_coef() * (1 - known)
        self._moves = 1 - network.is_coef_of(is_narrow) if is_narrow.any() else None
        # Strength of the penalty per parameter, by batch size.
        self._decay = {
            size: alpha / size * penalised
            for size in set(sharing.sizes.tolist())
            if alpha > 0
        }
        self._nothing = network.parameters.new_zeros(())

    @property
    def n_seen(self) -> int:
        """Samples seen in epochs of the first stage, those of earlier fits, too."""
        n_epochs = len(self.model.history.pretraining)
        return self._n_seen_before + self.sharing.n_samples * n_epochs

    def snapshot(self) -> Snapshot:
        """Copies of all that training has changed; to be taken between stages."""
        parameters, history = self.model
        model = Model(parameters.to("cpu", copy=True), history)
        return model, self.optimizer.state()

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from there."""
        (parameters, history), optimizer = snapshot
        self.network.parameters.copy_(parameters)
        self.optimizer.resume(optimizer)
        self.model = Model(self.network.parameters.clone(), history)

    def set_lai_loss(self, stage: LaiStage) -> None:
        """Minimise the Lai loss, too; constant features have no direction."""
        self._check_sizes(stage)
        k = self._k_of(stage)
        if stage.noise is None:
            like = self.network.parameters
            candidates = np.flatnonzero(~np.isnan(k).all(axis=0))
            self._slope_measure = make_slope_measure(stage.reach, candidates, like)
            self._lai_objective = self.mixture(stage)
        else:
            mean_error = self._reference(stage)
            noise = stage.noise.without(self.is_constant)
            boundary = stage.multiple * boundary_change(stage.fraction, mean_error)
            self._slope_measure, self._lai_objective = loss_under_noise(
                noise, k, stage.reach, boundary, mean_error
            )
            self.boundary = boundary.cpu().numpy()

    def mixture(self, stage: LaiStage, output: int | None = None) -> Mixture:
        """What a batch with a Lai loss minimises without noise; of one output alone.

        To a robust loss outliers are those of the network as it is.
        """
        k, like = self._k_of(stage), self.network.parameters
        of_outputs = slice(None) if output is None else slice(output, output + 1)
        is_mean = stage.error == "mean"
        objective = make_objective(
            self.loss,
            stage.norm,
            stage.l1_ratio,
            like.new_tensor(k if len(k) == 1 else k[of_outputs]),
            reach=stage.reach,
            mean_error=self._reference(stage)[of_outputs] if is_mean else None,
        )
        if is_mean or not self.loss.is_robust:
            return objective
        return BoundedErrors(objective, self._outlier_bound()[of_outputs])

    def _k_of(self, stage: LaiStage) -> np.ndarray:
        """Boundary slopes in two dimensions, none of constant features."""
        return np.where(self.is_constant, np.nan, np.atleast_2d(stage.k))

    def _check_sizes(self, stage: LaiStage) -> None:
        """Raise an error if fourth powers of slopes or noise are no numbers."""
        info = torch.finfo(self.network.parameters.dtype)
        least, largest = info.tiny**0.25, info.max**0.25
        noise = np.zeros(1) if stage.noise is None else stage.noise.sds
        for what, values, low in (
            ("Slopes of k, ks and feature_k", stage.k[~np.isnan(stage.k)], least),
            ("noise, in units of training,", noise, 0.0),
            ("reach", np.array([stage.reach or 1.0]), least),
        ):
            wrong = values[(values < low) | (values > largest)]
            if wrong.size:
                raise ValueError(
                    f"{what} must be from {low:.2g} to {largest:.2g} in {info.dtype}, "
                    f"got {wrong[0]:g}."
                )

    def keep(self, parameters: Tensor, epoch: Epoch) -> None:
        """Take the parameters as those of the model, after one more epoch."""
        history = self.model.history
        epochs = (*history.epochs, epoch)
        self.model = Model(parameters, replace(history, epochs=epochs))

    def note(self, **ends: Any) -> None:
        """Record how a stage ended."""
        parameters, history = self.model
        self.model = Model(parameters, replace(history, **ends))

    @torch.inference_mode()
    def check_predictions(self) -> None:
        """Raise an error if those of the model, which no loss has seen, are too large.

        Their squares are to be numbers, in float64.
        """
        parameters, history = self.model
        if parameters.abs().max() < SAFE_SIZE:
            return
        with self.network.having(parameters):
            _, errors, _ = self.errors_of_some()
        with np.errstate(over="ignore"):
            squares = errors.astype(np.float64) ** 2
        if not np.isfinite(squares).all():
            raise DivergenceError(
                f"Predictions overflow after {len(history.epochs)} epoch(s). "
                f"{TOO_LARGE}"
            )

    def layers(self) -> Layers:
        """The model in the units of the data."""
        return self._fold(self.model.parameters)

    def standardised_layers(self) -> Layers:
        """The model in units of training."""
        return self.network.arrays(self.model.parameters)

    def run_epoch(
        self,
        weights: np.ndarray,
        orders: Orders,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, float]:
        """Train for an epoch; returns the plain and the Lai loss, NaN if there is none.

        `weights` has a row per batch, as in `lai_schedule`. What the Lai loss has at
        random is drawn from `rng`.
        """
        sizes = self.sharing.sizes
        plain, lai = self._run(weights.tolist(), orders, rng)
        is_lai = weights[:, 1] > 0
        self._check_finite(plain + np.where(is_lai, lai, 0))
        loss, lai_loss = float(np.average(plain, weights=sizes)), math.nan
        if is_lai.any():
            lai_loss = float(np.average(lai[is_lai], weights=sizes[is_lai]))
        n_epochs = len(self.model.history.epochs) + 1
        self.watch.say("Iteration %d, loss = %.8f", n_epochs, loss)
        # By which all decide whether to go on: to the last bit those of the first.
        return self.sharing.peers.gather((loss, lai_loss))[0]

    def validate(self, parameters: Tensor) -> float | None:
        """Score of parameters, if there is validation data."""
        if self.score is None:
            return None
        score = self.score(parameters)
        self.watch.say("Validation score: %f", score)
        return score

    def end_epoch(self) -> bool:
        """Tell the watch that one is done; returns whether the stage is to end."""
        is_to_end = self.watch.end_epoch(self.layers)
        return any(self.sharing.peers.gather(is_to_end))

    @torch.inference_mode()
    def mean_error(self) -> Tensor:
        """Error whose loss is the mean plain loss over the data, of each output.

        To a robust loss outliers have the error from which on they are outliers.
        """
        total = torch.zeros((), dtype=torch.float64, device="cpu")
        bound = self._outlier_bound() if self.loss.is_robust else None
        for X, y, weight in self.batches.in_order():
            error = self.network.forward(X).sub_(y)
            if bound is not None:
                error = error.clamp(-bound, bound)
            losses = self.loss.derivative(error) * self.loss.lever(error)
            if weight is not None:
                losses = losses * weight[:, None]
            total = total + losses.sum(0).cpu().double()
        self.sharing.peers.add_up(total)
        return self.loss.inverse(total / self.sharing.n_samples).to(self._nothing)

    @torch.inference_mode()
    def errors_of_some(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Targets, errors and weights of some rows, which take little time."""
        rows = self.some
        errors = [self.network.forward(X) - y for X, y, _ in rows.in_order()]
        weight = None if rows.weight is None else rows.weight.cpu().numpy()
        return rows.y.cpu().numpy(), torch.cat(errors).cpu().numpy(), weight

    def _outlier_bound(self) -> Tensor:
        """Magnitude of the errors from which on rows are outliers, by output."""
        _, error, weight = self.errors_of_some()
        return self.network.parameters.new_tensor(outlier_bound(error, weight))

    def _reference(self, stage: LaiStage) -> Tensor:
        """The mean error that the Lai loss of a stage has."""
        if stage.mean_error is None:
            return self.mean_error()
        return self.network.parameters.new_tensor(stage.mean_error)

    @torch.inference_mode()
    def _run(
        self,
        weights: list[list[float]],
        orders: Orders,
        rng: np.random.Generator | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take the steps; returns plain losses with penalty, and Lai losses."""
        losses: list[Tensor] = []
        parts, batches = self.sharing.parts, self.batches.epoch(orders)
        with_lai = [p for p, (_, lai) in zip(parts, weights, strict=True) if lai > 0]
        if with_lai and rng is not None:
            self.draw(with_lai, rng)
        for batch, part, (plain_weight, lai_weight) in zip(
            batches, parts, weights, strict=True
        ):
            losses.extend(self.take_gradient(batch, part, plain_weight, lai_weight))
            self.optimizer.step(self.network.gradient)
        plain, lai, penalty = torch.stack(losses).cpu().double().view(-1, 3).T.numpy()
        return plain + penalty / 2, lai

    def measures_random_steps(self) -> bool:
        """Whether the slopes of the Lai loss are those over random steps."""
        return not isinstance(self._slope_measure, Derivative)

    def draw(self, parts: Sequence[Part], rng: np.random.Generator) -> None:
        """Draw what the next batches with a Lai loss have at random."""
        self._slope_measure.draw(parts, rng)

    def take_gradient(
        self,
        batch: Batch,
        part: Part,
        plain_weight: float,
        lai_weight: float,
        copies: int = 1,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Set the network's gradient, of the sum over outputs with the penalty.

        The batch, of which this is a part, has each row so many times. Returns plain
        and Lai loss, means over outputs, and twice the penalty.
        """
        network = self.network
        X, y, sample_weight = batch
        if lai_weight == 0:
            error = network.forward(X).sub_(y)
            plain, output_gradient = self._objective.plain(
                error, plain_weight, sample_weight
            )
            lai = self._nothing
            network.backward(output_gradient)
        else:
            plain, lai = self._slope_measure.backpropagate(
                network, self._lai_objective, batch, plain_weight, lai_weight
            )
        plain, lai = self.sharing.add_up(part, network.gradient, plain, lai)
        penalty = self._nothing
        if self._decay:
            decay = network.parameters * self._decay[part.size // copies]
            network.gradient.add_(decay)
            penalty = torch.dot(network.parameters, decay)
        if self._moves is not None:
            network.gradient.mul_(self._moves)
        return plain, lai, penalty

    def _check_finite(self, losses: np.ndarray) -> None:
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            raise DivergenceError(
                f"The training loss became {losses[bad[0]]} in epoch "
                f"{len(self.model.history.epochs) + 1}, batch {bad[0] + 1} of "
                f"{len(losses)}. {TOO_LARGE}"
            )
