"""The multilayer perceptron regressor."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_memory

from . import _inference
from ._base import SHARED_RULES, BaseLaiRegressor, all_or_nothing, random_streams
from ._fitting import Task, run_first_stage, run_second_stage
from ._inference import ACTIVATIONS
from ._optimizers import SGD, Adam
from ._scaling import Layers
from ._training import History
from ._validation import (
    MEMORY,
    POSITIVE,
    AnyOf,
    Boolean,
    Each,
    Number,
    OneOf,
    Rule,
    check_writable,
)


class LaiMLPRegressor(BaseLaiRegressor):
    """Multilayer perceptron whose slopes are controlled by the Lai loss.

    A drop-in for :class:`sklearn.neural_network.MLPRegressor` that trains in two
    stages: `pretrain_epochs` epochs of the plain loss, then `lai_epochs` epochs of
    the mixture ``(1 - lai_fraction) * plain + lai_fraction * Lai``. The Lai loss
    multiplies each error by a factor of the model's own slopes, which draws them
    towards the boundary slope `k` [1]_. The epochs of the stages take the place of
    MLPRegressor's `max_iter`; its solver 'lbfgs', its loss 'poisson' and its schedules
    of the learning rate are not here.

    Training runs on standardised features and target, so that no StandardScaler
    is needed and `k` means the same on every data set; the fitted weights are in
    the units of the data.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer, >= 1 each; empty for a linear model.
    k : float or array-like of shape (n_features,) or (n_outputs, n_features), \
            default=0.3
        Boundary slope, > 0, in target standard deviations per feature standard
        deviation: the Lai loss draws slopes towards it, in magnitude. Lower values
        give a smoother model. One for all features, one each, or one each per output.
    feature_k : mapping of {str or int: float or None} or FeatureK, default=None
        Overrides of `k` for single features, by column name (`X` must be a
        DataFrame) or position, from 0. None leaves that direction alone. With
        :class:`FeatureK`, searches can set each slope by ``feature_k__NAME``.
    norm : {'l1', 'l2', 'elasticnet'}, default='l2'
        Norm by which the losses of the directions become one.
    l1_ratio : float, default=0.5
        Share of the l1 norm in 'elasticnet', in [0, 1]; the rest is l2.
    lai_fraction : float, default=0.01
        Weight of the Lai loss in the second stage, in [0, 1]; 0 is plain training.
    lai_interval : int or None, default=5
        The Lai loss is computed in every `lai_interval`-th batch of the second
        stage, >= 1, with a weight that makes up for the others; 1 is the exact
        mixture. None: ``round(lai_fraction * n_batches)`` batches of the stage, drawn
        at random, use the Lai loss alone and the others the plain loss alone, as in
        [1]_.
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile'}, \
            default='squared_error'
        Loss of an error, plain and inside the Lai loss. 'squared_error' is halved,
        as in MLPRegressor. 'huber' is the same for small errors and linear for large
        ones; 'quantile' is the pinball loss. These two go beyond [1]_.
    huber_delta : float, default=1.0
        For 'huber': the error from which on it is linear, > 0, in target standard
        deviations (in target units without `standardize`).
    quantile : float, default=0.5
        For 'quantile': the quantile of the target to predict, in (0, 1).
    pretrain_epochs : int, default=100
        Epochs of the first stage at most, >= 0.
    lai_epochs : int, default=100
        Epochs of the second stage, >= 0. It always runs to its end.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'softplus', 'silu', 'gelu'}, \
            default='relu'
        Activation of the hidden layers.
    solver : {'adam', 'sgd'}, default='adam'
        Optimiser. It keeps its state between the stages.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the coefficients, >= 0, in standardised units;
        divided by the batch size, as in MLPRegressor.
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch, >= 1; 'auto' is 200. Smaller data is one batch.
    learning_rate_init : float, default=0.001
        Step size, > 0.
    shuffle : bool, default=True
        Whether to visit the rows in a new order in each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the validation split and the batches. Each stage
        has a random stream of its own; no global generator is touched. None is
        fresh entropy.
    tol : float, default=0.0001
        Least improvement of an epoch, >= 0, in standardised units; see
        `n_iter_no_change`.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` starts from the weights of the last one.
    momentum : float, default=0.9
        Momentum of 'sgd', in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.
    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the data aside, to end the first
        stage when their R2 score stops improving, and to go on from its best weights.
    validation_fraction : float, default=0.1
        Share of the data set aside for `early_stopping`, in (0, 1); at least 2 samples.
    beta_1 : float, default=0.9
        Decay of Adam's first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of Adam's second moment, in [0, 1).
    epsilon : float, default=1e-08
        Numerical stability of Adam, > 0.
    n_iter_no_change : int or inf, default=10
        The first stage ends when the training loss (the validation score with
        `early_stopping`) has not improved by `tol` for more than this many epochs in
        a row, >= 1; inf never ends it early.
    standardize : bool, default=True
        Whether to train on standardised features and target; a feature that is
        constant then has no influence. False is the loss of
        [1]_ in the units of the data, in which `k` then is, too.
    memory : None, str, path or object with the joblib.Memory interface, default=None
        Where results of the first stage are kept, as in
        :class:`sklearn.pipeline.Pipeline`: a folder, which is made if need be, or a
        joblib.Memory. The first stage does not depend on `k`, `feature_k`, `norm`,
        `l1_ratio`, `lai_fraction`, `lai_interval` and `lai_epochs`, so a search over
        these trains it once per fold. Results are the same as without; `random_state`
        must be an int, or no result is met again.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_units_in, n_units_out)
        Coefficients of each layer, in the units of the data.
    intercepts_ : list of ndarray of shape (n_units_out,)
        Intercepts of each layer, in the units of the data.
    k_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Boundary slope of each feature, and of each output if `k` is 2-D; NaN where
        `feature_k` has None.
    n_iter_ : int
        Epochs of both stages.
    n_pretrain_iter_ : int
        Epochs of the first stage.
    loss_ : float
        Last entry of `loss_curve_`.
    loss_curve_ : list of float
        Mean plain training loss of each epoch of both stages with the L2 penalty, in
        standardised units.
    lai_loss_curve_ : list of float
        Mean Lai loss of each epoch of the second stage, on the scale of the plain
        loss; NaN where no batch had one.
    validation_scores_ : list of float or None
        R2 of the validation data after each epoch; None without `early_stopping`.
    best_validation_score_ : float or None
        Best of them in the first stage; None without `early_stopping` or such a stage.
    t_ : int
        Training samples seen.
    n_layers_ : int
        Layers, input and output among them.
    n_outputs_ : int
        Outputs.
    hidden_activation_ : str
        Activation of the hidden layers.
    out_activation_ : str
        Activation of the output, 'identity'.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    LaiLinearRegressor : A linear model with the same loss.
    sklearn.neural_network.MLPRegressor : Training without control of the slopes.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control",
       arXiv:2405.07884.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LaiMLPRegressor(k=0.3, feature_k={"bmi": 0.1}, random_state=0)
    >>> model.fit(X, y).predict(X).shape
    (442,)
    """

    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    n_outputs_: int
    t_: int
    validation_scores_: list[float] | None

    _rules: ClassVar[Mapping[str, Rule]] = {
        **SHARED_RULES,
        "hidden_layer_sizes": AnyOf(Number(Integral, 1), Each(Number(Integral, 1))),
        "activation": OneOf(tuple(ACTIVATIONS)),
        "solver": OneOf(("adam", "sgd")),
        "alpha": Number(Real, 0),
        "warm_start": Boolean(),
        "momentum": Number(Real, 0, 1),
        "nesterovs_momentum": Boolean(),
        "early_stopping": Boolean(),
        "validation_fraction": Number(Real, 0, 1, closed="neither"),
        "beta_1": Number(Real, 0, 1, closed="left"),
        "beta_2": Number(Real, 0, 1, closed="left"),
        "epsilon": POSITIVE,
        "memory": MEMORY,
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        *,
        k=0.3,
        feature_k=None,
        norm="l2",
        l1_ratio=0.5,
        lai_fraction=0.01,
        lai_interval=5,
        loss="squared_error",
        huber_delta=1.0,
        quantile=0.5,
        pretrain_epochs=100,
        lai_epochs=100,
        activation="relu",
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate_init=0.001,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        standardize=True,
        memory=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.k = k
        self.feature_k = feature_k
        self.norm = norm
        self.l1_ratio = l1_ratio
        self.lai_fraction = lai_fraction
        self.lai_interval = lai_interval
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.pretrain_epochs = pretrain_epochs
        self.lai_epochs = lai_epochs
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.standardize = standardize
        self.memory = memory

    def fit(self, X: Any, y: Any) -> "LaiMLPRegressor":
        """Fit the model: pretraining, then Lai Training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite. float32 data trains in float32, all other in
            float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        Returns
        -------
        LaiMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter has a value that is not allowed, or training
            diverges. An earlier fit is kept.
        TypeError
            If `X` is sparse or a parameter has a wrong type. An earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the Lai loss made the predictions collapse towards a constant.
        UserWarning
            If the second stage has too few batches for a single one with the Lai loss.
        """
        with all_or_nothing(self):
            self._check_parameters()
            is_warm = self.warm_start and hasattr(self, "coefs_")
            X, y = self._check_data(X, y, reset=not is_warm)
            self.k_ = self._resolve_k(self.k, y.shape[1])
            pretrain_rng, lai_rng = random_streams(self._seed())
            task = self._mlp_task(X, y, pretrain_rng, is_warm=is_warm)
            verbose, lai = bool(self.verbose), self._lai_loss(self.k_)
            pretrained = self._cached(run_first_stage)(task, verbose=verbose)
            layers, history = run_second_stage(
                task, pretrained, lai, lai_rng, verbose=verbose
            )
            self._set_fitted(layers, history, len(task.X), is_warm=is_warm)
            self._warn_of(history, self.k)
        return self

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

    def _mlp_task(
        self,
        X: np.ndarray,
        y: np.ndarray,
        rng: np.random.Generator,
        *,
        is_warm: bool,
    ) -> Task:
        """What is to be trained on this data."""
        X, y, validation = self._hold_out(X, y, rng)
        units = self._units(X, y)
        sizes = [X.shape[1], *self._hidden_sizes(), y.shape[1]]
        if is_warm:
            self._check_same_sizes(sizes)
            layers = units.unfold((self.coefs_, self.intercepts_))
        else:
            layers = _glorot_uniform(sizes, self.activation, X.dtype, rng)
        return self._task(
            X,
            y,
            layers,
            units,
            rng,
            optimizer=self._optimizer(),
            activation=self.activation,
            alpha=self.alpha,
            validation=validation,
        )

    def _set_fitted(
        self, layers: Layers, history: History, n_samples: int, *, is_warm: bool
    ) -> None:
        """Set what training gave and recorded; records go on if warm."""
        self.coefs_, self.intercepts_ = layers
        self.n_layers_ = len(self.coefs_) + 1
        self.n_outputs_ = len(self.intercepts_[-1])
        self.hidden_activation_ = self.activation
        self.out_activation_ = "identity"
        self._record(history, is_warm=is_warm)
        self.t_ = (self.t_ if is_warm else 0) + n_samples * history.n_iter
        earlier = self.validation_scores_ if is_warm else None
        self.validation_scores_ = (
            (earlier or []) + history.validation_scores if self.early_stopping else None
        )
        self.best_validation_score_ = history.best_validation_score

    def _cached(self, function: Callable) -> Callable:
        """The function, or one that looks its results up in `memory`."""
        memory = self.memory
        if isinstance(memory, str | PathLike):
            memory = fspath(memory)
            check_writable("memory", memory)
        return check_memory(memory).cache(function, ignore=["verbose"])

    def _hidden_sizes(self) -> list[int]:
        return np.atleast_1d(self.hidden_layer_sizes).astype(int).tolist()

    def _hold_out(
        self, X: np.ndarray, y: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
        """Training data, and validation data where early stopping needs them."""
        if not self.early_stopping:
            return X, y, None
        if len(X) < 3:
            raise ValueError(
                "early_stopping=True needs at least 3 samples, 2 of them for "
                f"validation, got {len(X)} sample(s)."
            )
        n_validation = max(2, math.ceil(self.validation_fraction * len(X)))
        X, X_val, y, y_val = train_test_split(
            X,
            y,
            test_size=min(n_validation, len(X) - 1),
            random_state=int(rng.integers(2**31)),
        )
        return X, y, (X_val, y_val)

    def _check_same_sizes(self, sizes: list[int]) -> None:
        fitted = [len(self.coefs_[0]), *map(len, self.intercepts_)]
        if sizes != fitted:
            raise ValueError(
                "warm_start=True needs the layer sizes of the last fit, features and "
                f"outputs included, {fitted}; hidden_layer_sizes and the data have "
                f"{sizes}."
            )

    def _optimizer(self) -> partial:
        if self.solver == "sgd":
            return partial(
                SGD,
                learning_rate=self.learning_rate_init,
                momentum=self.momentum,
                nesterov=self.nesterovs_momentum,
            )
        return partial(
            Adam,
            learning_rate=self.learning_rate_init,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )


def _glorot_uniform(
    sizes: list[int], activation: str, dtype: np.dtype, rng: np.random.Generator
) -> Layers:
    """Initial weights as in MLPRegressor, by Glorot and Bengio (2010)."""
    factor = 2 if activation == "logistic" else 6
    coefs, intercepts = [], []
    for n_in, n_out in pairwise(sizes):
        bound = np.sqrt(factor / (n_in + n_out))
        coefs.append(rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype))
        intercepts.append(rng.uniform(-bound, bound, n_out).astype(dtype))
    return coefs, intercepts
