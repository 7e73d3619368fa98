"""What both multilayer perceptrons share: the network, its data, its predictions."""

import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from numbers import Integral, Real
from os import PathLike, fspath
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from joblib import Memory
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, check_memory

from .. import _inference, _train
from .._base import Data
from .._bounds import bound_slopes
from .._box import MAX_BOXES, Box
from .._lai_training import LaiTrainingRegressor
from .._peers import ALONE, Peers
from .._recipe.data import TrainingData
from .._recipe.randomness import RandomState, resumed, state_of
from .._recipe.recipe import OptimizerRecipe, Recipe
from .._recipe.record import WHOLE, History, Model, Patience
from .._recipe.stages import LaiStage
from .._typing import (
    Activation,
    HiddenLayerSizes,
    LaiError,
    LearningRate,
    MemoryLike,
    MLPSolver,
)
from .._units import Layers, Units, statistics_of
from .._validation import (
    BOOLEAN,
    LAYER_SIZES,
    MEMORY,
    POSITIVE,
    Number,
    OneOf,
    check,
    check_writable,
    shown,
)
from .._warnings import warn_caller
from .importances import mean_slopes
from .memory import remembered_pretraining

if TYPE_CHECKING:
    from .._train import Trainer

# Slopes that are enough for their mean, at a cost of about half an epoch or less.
N_SLOPES = 1000

# Arrays of the size of a network that training has at least: weights, gradient, and two
# of the optimiser.
COPIES = 4

# What the Lai loss under noise is divided by; a smaller one may be no number.
LEAST_FRACTION = 1e-20

# Why L-BFGS ended.
NOTHING_LOWER = (
    "no step along its direction leads lower: the loss is not smooth there, or has "
    "values too large for its type. With reach=0, take a smooth activation, such as "
    "'tanh' or 'silu'; keep standardize=True."
)


class FirstOptimizer(NamedTuple):
    """The optimiser at the end of the first stage; NaN without step sizes."""

    learning_rate: float


class BaseLaiMLP(LaiTrainingRegressor):
    """A multilayer perceptron and how it is trained on data."""

    # Hyperparameters of all perceptrons.
    hidden_layer_sizes: Annotated[HiddenLayerSizes, LAYER_SIZES]
    reach: Annotated[float, Number(Real, 0)]
    lai_error: Annotated[LaiError, OneOf.of(LaiError)]
    activation: Annotated[Activation, OneOf.of(Activation)]
    solver: Annotated[MLPSolver, OneOf.of(MLPSolver)]
    max_fun: Annotated[int, Number(Integral, 1)]
    alpha: Annotated[float, Number(Real, 0)]
    learning_rate: Annotated[LearningRate, OneOf.of(LearningRate)]
    power_t: Annotated[float, Number(Real, 0)]
    momentum: Annotated[float, Number(Real, 0, 1)]
    nesterovs_momentum: Annotated[bool, BOOLEAN]
    early_stopping: Annotated[bool, BOOLEAN]
    validation_fraction: Annotated[float, Number(Real, 0, 1, closed="neither")]
    beta_1: Annotated[float, Number(Real, 0, 1, closed="left")]
    beta_2: Annotated[float, Number(Real, 0, 1, closed="left")]
    epsilon: Annotated[float, POSITIVE]
    memory: Annotated[MemoryLike, MEMORY]

    feature_importances_: np.ndarray
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    X_min_: np.ndarray
    X_max_: np.ndarray
    n_layers_: int
    n_outputs_: int
    hidden_activation_: str
    out_activation_: str
    t_: int
    best_loss_: float | None
    validation_scores_: list[float] | None
    lai_validation_scores_: list[float] | None
    best_validation_score_: float | None

    _split_state: Mapping[str, Any] | None
    # By MLPRegressor's names, since its users look at them.
    _no_improvement_count: int = 0
    _optimizer: FirstOptimizer

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the units of the target.
        """
        X = self._check_features(X)
        y_pred = _inference.predict(
            X, self.coefs_, self.intercepts_, self.hidden_activation_
        )
        return y_pred[:, 0] if self.n_outputs_ == 1 else y_pred

    def input_gradient(self, X: Any) -> np.ndarray:
        """Exact slopes of the model: the derivative of predict at each row of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_outputs, n_features)
            Slopes in target units per feature unit.
        """
        X = self._check_features(X)
        slopes = _inference.input_gradient(
            X, self.coefs_, self.intercepts_, self.hidden_activation_
        )
        return slopes[:, 0] if self.n_outputs_ == 1 else slopes

    def slope_bounds(
        self, lower: Any = None, upper: Any = None, *, max_boxes: int = 1000
    ) -> tuple[np.ndarray, np.ndarray]:
        """Certified bounds of every slope over a box of inputs.

        No row of the box has a slope outside. That holds for the network with the
        fitted weights as a function of real numbers, whose derivative at the kink of
        'relu' is any between those beside it; the rounding of the bounds is added
        outwards. `input_gradient` differs from that function by its own rounding,
        which counts with float32 weights. Nothing is said of rows outside the box.

        The bounds come from intervals and linear functions around every unit and its
        derivative [1]_ [2]_ [3]_, and from halving the box where they are loosest. The
        more features there are, the less that helps.

        Parameters
        ----------
        lower : float, array-like of shape (n_features,) or mapping of \
                {str or int: float or None}, default=None
            Lower ends of the box, in feature units, finite or -inf: one for all
            features, one each, or by column name or position; a Series of pandas with
            names goes by name. None, and features that are not named, is `X_min_`.
        upper : float, array-like of shape (n_features,) or mapping of \
                {str or int: float or None}, default=None
            Upper ends, finite or inf, not below `lower`; None is `X_max_`.
        max_boxes : int, default=1000
            Boxes that the box is divided into at most, >= 1. More make the bounds
            tighter, and take longer in proportion. Infinite sides are not divided.

        Returns
        -------
        lower : ndarray of shape (n_features,) or (n_outputs, n_features)
            Lower bounds of the slopes, float64, in target units per feature unit.
        upper : ndarray of shape (n_features,) or (n_outputs, n_features)
            Upper bounds.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `lower`, `upper` or `max_boxes` has a value that is not allowed, or
            `lower` is above `upper`.
        TypeError
            If one of them has a wrong type.

        References
        ----------
        .. [1] H. Zhang, T.-W. Weng, P.-Y. Chen, C.-J. Hsieh, L. Daniel, "Efficient
           Neural Network Robustness Certification with General Activation Functions",
           NeurIPS 2018.
        .. [2] H. Zhang, P. Zhang, C.-J. Hsieh, "RecurJac: An Efficient Recursive
           Algorithm for Bounding Jacobian Matrix of Neural Networks and Its
           Applications", AAAI 2019.
        .. [3] M. Fazlyab, A. Robey, H. Hassani, M. Morari, G. J. Pappas, "Efficient
           and Accurate Estimation of Lipschitz Constants for Deep Neural Networks",
           NeurIPS 2019.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_lai import LaiMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = LaiMLPRegressor(random_state=0).fit(X, y)
        >>> lower, upper = model.slope_bounds()
        >>> bool((model.input_gradient(X) <= upper).all())
        True
        >>> of_high_bmi = model.slope_bounds(lower={"bmi": 0.05}, max_boxes=100)
        """
        check_is_fitted(self)
        check("max_boxes", max_boxes, MAX_BOXES)
        box = self._resolve_box(lower, upper, Box(self.X_min_, self.X_max_))
        bounds = bound_slopes(
            self.coefs_,
            self.intercepts_,
            self.hidden_activation_,
            box,
            int(max_boxes),
        )
        below, above = (b[0] if self.n_outputs_ == 1 else b for b in bounds)
        return below, above

    def _sizes(self, data: Data) -> list[int]:
        """Units of every layer, input and output among them."""
        hidden = np.atleast_1d(self.hidden_layer_sizes).astype(int).tolist()
        sizes = [data.X.shape[1], *hidden, data.y.shape[1]]
        self._check_memory(sizes, data.X.itemsize)
        return sizes

    def _check_memory(self, sizes: list[int], item_bytes: int) -> None:
        """Check that there is memory for the network, before some of it is taken."""
        n_parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        try:
            np.empty(COPIES * n_parameters * item_bytes, dtype=np.uint8)
        except (MemoryError, ValueError, OverflowError) as error:
            raise ValueError(
                "hidden_layer_sizes must make a network that memory can hold, got "
                f"{shown(self.hidden_layer_sizes)}, which makes {n_parameters} "
                "parameters."
            ) from error

    def _from_new_weights(
        self,
        data: Data,
        validation: Data | None,
        rng: RandomState,
        peers: Peers = ALONE,
    ) -> TrainingData:
        """What is trained on, from new weights, but for what is held out."""
        layers = _glorot_uniform(self._sizes(data), self.activation, data.X.dtype, rng)
        data, validation = self._hold_out(data, validation, rng)
        units = self._units_of(self._statistics(data, peers), data.X.dtype)
        return TrainingData(*data, units, layers, validation)

    def _check_fitted_sizes(self, data: Data) -> None:
        """Check that weights of the last fit fit the data."""
        sizes = self._sizes(data)
        fitted = [len(self.coefs_[0]), *map(len, self.intercepts_)]
        if sizes != fitted:
            raise ValueError(
                "warm_start and partial_fit need the layer sizes of the last fit, "
                f"features and outputs included, {fitted}; hidden_layer_sizes and the "
                f"data have {sizes}."
            )

    def _from_fitted_weights(
        self,
        data: Data,
        units: Units,
        layers: Layers,
        validation: Data | None = None,
    ) -> TrainingData:
        """The same from weights of the last fit, in `units`, which fit the data."""
        return TrainingData(
            *data,
            units,
            layers,
            validation,
            is_warm=True,
            n_seen=self.t_,
            patience=self._patience(),
        )

    def _patience(self) -> Patience:
        """That of the last fit, if it looked at the same score."""
        best = self.best_validation_score_ if self._stops_early() else self.best_loss_
        if best is None:
            return WHOLE
        best = best if self._stops_early() else -best
        return Patience(best, self._no_improvement_count)

    def _mlp_recipe(self, data: TrainingData) -> Recipe:
        recipe = self._recipe(
            data.X.dtype,
            self._optimizer_recipe(),
            activation=self.activation,
            alpha=float(self.alpha),
        )
        if self.solver == "lbfgs":
            recipe = replace(recipe, batch_size=sys.maxsize)
        return recipe

    def _check_what_noise_needs(self) -> None:
        super()._check_what_noise_needs()
        if not LEAST_FRACTION <= self.lai_fraction < 1:
            raise ValueError(
                f"noise needs a lai_fraction in [{LEAST_FRACTION:g}, 1), got "
                f"lai_fraction={self.lai_fraction!r}."
            )

    def _lai_recipe(self, k: np.ndarray) -> LaiStage:
        stage = replace(
            super()._lai_recipe(k), error=self.lai_error, reach=float(self.reach)
        )
        return stage if self.noise is None else self._with_noise(stage)

    def _with_noise(self, stage: LaiStage) -> LaiStage:
        """The stage for the noise; one of plain training if there is nothing to do."""
        noise, has_own_k = self._joint_noise(), not np.isnan(stage.k).all()
        if has_own_k and self.reach == 0:
            raise ValueError(
                "reach must be > 0 where feature_k has slopes beside noise, got reach="
                f"{self.reach!r}."
            )
        is_plain = not (noise or has_own_k)
        return replace(stage, noise=noise, fraction=0 if is_plain else stage.fraction)

    def _pretrain(
        self,
        trainer: "Trainer",
        data: TrainingData,
        recipe: Recipe,
        rng: RandomState,
    ) -> None:
        """The first stage, looked up in `memory` if there is one; a hit is a resume.

        The generator stays as it is.
        """
        arguments = data, recipe, state_of(rng)
        with suppress(_train.Stopped):
            if self.memory is None:
                snapshot = _train.run_pretraining(*arguments, trainer)
            else:
                memory = self._checked_memory()
                snapshot = remembered_pretraining(memory, arguments, trainer)
            trainer.resume(snapshot)

    def _checked_memory(self) -> Memory:
        """The memory, of which a folder can be written to."""
        memory = self.memory
        if isinstance(memory, str | PathLike):
            memory = fspath(memory)
            check_writable("memory", memory)
        return check_memory(memory)

    def _set_range(self, box: Box) -> None:
        """Set the range of the training data."""
        self.X_min_, self.X_max_ = box

    def _set_fitted(self, trainer: "Trainer") -> None:
        """Set what training gave and recorded; records go on if warm."""
        self._set_model(trainer)
        history = trainer.model.history
        self._record(history)
        self._no_improvement_count = history.patience.waited
        self._optimizer = FirstOptimizer(history.learning_rate)
        self.t_ = trainer.n_seen

    def _set_model(self, trainer: "Trainer") -> None:
        """Set what the network is."""
        if trainer.boundary is not None:
            self.feature_k_ = self._k_of_noise(trainer.boundary, trainer.is_constant)
        vars(self).update(self._attributes_of(trainer.layers()))

    def _record(self, history: History) -> None:
        super()._record(history)
        scores, lai_scores = (
            [epoch.score for epoch in epochs if epoch.score is not None]
            for epochs in (history.pretraining, history.lai_training)
        )
        if self._stops_early():
            self.best_loss_ = None
            self._extend("validation_scores_", scores, history.is_warm)
            self._extend("lai_validation_scores_", lai_scores, history.is_warm)
            self.best_validation_score_ = max(
                (score for score in self.validation_scores_ or () if score == score),
                default=None,
            )
        else:
            self.best_loss_ = self._least_loss(history)
            self.validation_scores_ = self.lai_validation_scores_ = None
            self.best_validation_score_ = None

    def _least_loss(self, history: History) -> float:
        """Least loss of the curve, by the least before where that is known."""
        earlier = getattr(self, "best_loss_", None) if history.is_warm else None
        if earlier is None:
            return min(self.loss_curve_, default=np.inf)
        return min([earlier, *(epoch.loss for epoch in history.pretraining)])

    def _warn_of_second_stage(
        self, trainer: "Trainer", stage: LaiStage, before: Model
    ) -> None:
        super()._warn_of_second_stage(trainer, stage, before)
        self._warn_of_early_end(trainer, stage)

    def _why_not_converged(self, history: History) -> str:
        if self.solver != "lbfgs":
            return super()._why_not_converged(history)
        n_epochs = len(history.pretraining)
        if history.end == "stuck":
            return (
                f"lbfgs failed to converge: after {n_epochs} iterations of the first "
                f"stage {NOTHING_LOWER}"
            )
        return (
            f"lbfgs failed to converge: after {n_epochs} iterations of the first stage "
            f"there are derivatives above tol ({self.tol}). Raise max_iter "
            f"({self.max_iter}) or max_fun ({self.max_fun}), or tol."
        )

    def _warn_of_early_end(self, trainer: "Trainer", stage: LaiStage) -> None:
        """Warn if the second stage did not get as far as it was to."""
        history = trainer.model.history
        reasons = {
            "limit": f"max_fun ({self.max_fun}) was reached. Raise it.",
            "stuck": NOTHING_LOWER,
        }
        if history.lai_end in reasons:
            warn_caller(
                f"lbfgs ended the second stage before its {stage.epochs} iterations: "
                f"{reasons[history.lai_end]}",
                ConvergenceWarning,
            )

    def _stops_early(self) -> bool:
        """Whether the first stage has validation data."""
        return self.early_stopping and self.solver != "lbfgs"

    def _set_importances(
        self, data: TrainingData, n_slopes: int = N_SLOPES, peers: Peers = ALONE
    ) -> None:
        """Set how much the features count for the fitted network on its rows."""
        layers, statistics = (self.coefs_, self.intercepts_), data.units.statistics
        if statistics is None or self._loss_recipe().is_robust:  # not those of most
            rows = data.X, data.y, data.sample_weight
            statistics = statistics_of(*rows, peers=peers)
        self.feature_importances_ = mean_slopes(
            data, layers, self.hidden_activation_, statistics, n_slopes, peers
        )

    def _k_of_noise(self, boundary: np.ndarray, is_constant: np.ndarray) -> np.ndarray:
        """Slopes at which noise makes the boundary's change, and own slopes."""
        sds = self._joint_noise().without(is_constant).sds
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slopes = np.where(sds > 0, boundary[:, None] / sds, self.feature_k_)
        return slopes[0] if len(slopes) == 1 else slopes

    def _attributes_of(self, layers: Layers) -> dict[str, Any]:
        """Fitted attributes that say what the network is."""
        coefs, intercepts = layers
        return {
            "coefs_": coefs,
            "intercepts_": intercepts,
            "n_layers_": len(coefs) + 1,
            "n_outputs_": len(intercepts[-1]),
            "hidden_activation_": self.activation,
            "out_activation_": "identity",
        }

    def _hold_out(
        self,
        data: Data,
        validation: Data | None,
        rng: RandomState,
        *,
        is_warm: bool = False,
    ) -> tuple[Data, Data | None]:
        """Training data, and validation data where early stopping needs them.

        A warm start holds out what was held out before.
        """
        kept = self._split_state if is_warm else None
        if not self._stops_early() or validation is not None:
            self._split_state = kept
            return data, validation
        n_samples = len(data.X)
        if n_samples < 3:
            raise ValueError(
                "The validation set is too small: early_stopping=True needs at least "
                f"3 samples, 2 of them for validation, got {n_samples} sample(s)."
            )
        self._split_state = kept or state_of(rng)
        n_validation = max(2, math.ceil(self.validation_fraction * n_samples))
        train, test = train_test_split(
            np.arange(n_samples),
            test_size=min(n_validation, n_samples - 1),
            random_state=rng if kept is None else resumed(kept),
        )
        return data.take(train), data.take(test)

    def _optimizer_recipe(self) -> OptimizerRecipe:
        learning_rate = float(self.learning_rate_init)
        options: dict[str, dict[str, Any]] = {
            "lbfgs": {"max_fun": int(self.max_fun)},
            "sgd": {
                "learning_rate": learning_rate,
                "momentum": float(self.momentum),
                "nesterov": self.nesterovs_momentum,
                "schedule": self.learning_rate,
                "power_t": float(self.power_t),
            },
            "adam": {
                "learning_rate": learning_rate,
                "beta_1": float(self.beta_1),
                "beta_2": float(self.beta_2),
                "epsilon": float(self.epsilon),
            },
        }
        return OptimizerRecipe(self.solver, options[self.solver])


def _glorot_uniform(
    sizes: list[int], activation: str, dtype: np.dtype, rng: RandomState
) -> Layers:
    """Initial weights as in MLPRegressor, by Glorot and Bengio (2010)."""
    factor = 2 if activation == "logistic" else 6
    coefs, intercepts = [], []
    for n_in, n_out in pairwise(sizes):
        bound = np.sqrt(factor / (n_in + n_out))
        coefs.append(rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype))
        intercepts.append(rng.uniform(-bound, bound, n_out).astype(dtype))
    return coefs, intercepts
