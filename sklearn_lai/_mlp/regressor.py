"""The multilayer perceptron regressor."""

from functools import partial, reduce
from typing import Annotated, Any, Literal, Self

import numpy as np

from .. import _train
from .. import _typing as types
from .._base import Data, all_or_nothing, check_data
from .._box import Box
from .._callbacks import watched, with_callbacks
from .._recipe.randomness import random_streams
from .._tables import check_n_outputs
from .._validation import BOOLEAN
from .distributed import (
    check_alike,
    check_can_be_shared,
    peers_of,
    warn_of_few_rows,
)
from .partial_fit import PartialFitMLP, Progress


class LaiMLPRegressor(PartialFitMLP):
    """Multilayer perceptron whose slopes are controlled by the Lai loss.

    A drop-in for :class:`sklearn.neural_network.MLPRegressor` that trains in two
    stages: the first is that of MLPRegressor, the second has `lai_epochs` epochs of the
    mixture ``(1 - lai_fraction) * plain + lai_fraction * Lai``. The Lai loss multiplies
    an error by a factor of the model's own slopes, which draws them towards the
    boundary slope `k` [1]_. With ``reach=0, lai_error='own', lai_interval=None,
    average=False`` and one step size, training is that of [1]_ in standardised units.

    What MLPRegressor has is as there, but for the loss 'poisson' and sparse data. Only
    `hidden_layer_sizes` may be given by position.

    Training runs on standardised features and target, so that no StandardScaler is
    needed; the fitted weights are in the units of the data.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer, >= 1 each; empty for a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'softplus', 'silu', 'gelu'}, \
            default='relu'
        Activation of the hidden layers.
    k : float or array-like of shape (n_features,) or (n_outputs, n_features), \
            default=0.15
        Boundary slope, > 0, in target standard deviations per feature standard
        deviation: the Lai loss draws slopes towards it, in magnitude. Lower values give
        a smoother model. One for all features, one each, or one each per output; a
        Series of pandas or a DataFrame, with names, goes by column name.
    feature_k : mapping of {str or int: float or None} or FeatureK, default=None
        Overrides of `k` by column name (of a DataFrame) or position, from 0; None
        leaves that direction alone. Searches may set ``feature_k__NAME``; see
        :class:`FeatureK`.
    noise : float, array-like of shape (n_features,) or (n_features, n_features), or \
            mapping of {str or int: float or None}, default=None
        Noise to expect in the features when the model is used, beyond that of the
        training data: its standard deviation, >= 0, in feature standard deviations (in
        the units of the data without `standardize`); one for all features, one each, or
        by column name or position. Or, where features err together, the matrix of its
        covariances in products of those deviations, of some features as a DataFrame by
        their names. The second stage then minimises the expected squared error under
        that noise, normal and but for covariances independent, as the user guide says,
        and `k` follows. Features without noise are left alone; those in `feature_k`
        have their slope, or with None nothing, in place of the noise. `k`, and but for
        these features `reach`, have no effect. Only for the squared error, `norm` 'l1',
        `lai_error` 'mean', and `lai_fraction` in (0, 1), best as small as by default. 0
        is plain training; with None, `k` says how smooth the model is.
    reach : float, default=0.5
        Distance over which the Lai loss measures slopes, >= 0, in feature standard
        deviations: it compares the prediction for a row with that at a normal random
        distance of this standard deviation along one feature, in every batch another. 0
        is the derivative, as in [1]_; much below 0.001, float32 data gives little but
        rounding.
    lai_error : {'mean', 'own'}, default='mean'
        Error inside the Lai loss. 'mean' is that whose loss is the mean plain loss of
        the training rows when the second stage begins, for each output, so that the Lai
        loss acts on slopes alone, in all rows alike. 'own' is each row's, as in [1]_.
    norm : {'l1', 'l2', 'elasticnet'}, default='l1'
        Norm by which the losses of the directions become one. With a `reach`, a batch
        estimates them, without bias for 'l1'; 'l2' and 'elasticnet' are too large where
        a batch has not many more rows than there are features.
    l1_ratio : float, default=0.5
        Share of the l1 norm in 'elasticnet', in [0, 1]; the rest is l2.
    lai_fraction : float, default=0.01
        Weight of the Lai loss beside the plain one, in [0, 1]; 0 is plain training.
    lai_interval : int or None, default=5
        Every `lai_interval`-th batch of the second stage has the Lai loss, >= 1, with a
        weight that makes up for the others; 1 is the exact mixture. None:
        ``round(lai_fraction * n_batches)`` random batches of the stage have the Lai
        loss alone and the others the plain loss alone, as in [1]_.
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile'}, \
            default='squared_error'
        Loss of an error, plain and inside the Lai loss. 'squared_error' is halved, as
        in MLPRegressor. 'huber' is the same for small errors and linear for large ones;
        'quantile' is the pinball loss. These two go beyond [1]_. All but the first are
        robust: the unit of the target is 1.4826 times its median deviation from the
        median (that of the others, if most are equal) in place of the standard
        deviation, and in the Lai loss an error counts up to 5 of such of all errors.
    huber_delta : float, default=1.0
        For 'huber': the error where it becomes linear, > 0, in the unit of the target.
    quantile : float, default=0.5
        For 'quantile': the quantile of the target to predict, in (0, 1).
    max_iter : int, default=200
        Epochs of the first stage at most, >= 0.
    lai_epochs : int, default=100
        Epochs of the second stage, >= 0. It always runs to its end.
    solver : {'adam', 'sgd', 'lbfgs'}, default='adam'
        Optimiser. 'adam' and 'sgd' train on mini-batches and keep their state between
        the stages. 'lbfgs' is SciPy's, on all rows at once, as in MLPRegressor; in the
        second stage it minimises the exact mixture, for distances of a `reach` that are
        drawn once. Then `max_iter` and `lai_epochs` are its iterations at most, a stage
        ends where the loss falls by no more than a few 1e-9 of it, the first also where
        no derivative is above `tol`, and what is for batches, step sizes and early
        stopping has no effect, nor has `average`. It is for smooth losses: with
        ``reach=0``, take a smooth activation.
    max_fun : int, default=15000
        For 'lbfgs': evaluations of the loss in each stage at most, >= 1.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the coefficients, >= 0, in standardised units; as
        in MLPRegressor, divided by the batch size (times the mean weight).
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch, >= 1; 'auto' is 200. Smaller data is one batch.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Schedule of the step size of the first stage, for 'sgd': as it is; divided by
        ``(t + 1) ** power_t`` with the samples `t` seen before the epoch; or divided by
        5 each time that training would end by `tol` and `n_iter_no_change`, which it
        then does at 1e-6.
    learning_rate_init : float, default=0.001
        Step size of the first stage, > 0, in standardised units.
    lai_learning_rate_init : float, default=0.003
        Step size of the second stage, > 0, whatever that of the first.
    power_t : float, default=0.5
        Exponent of 'invscaling', >= 0.
    average : bool, default=True
        Whether the model has the average of the weights over the second half of the
        second stage, at the ends of its epochs, or the last weights.
    shuffle : bool, default=True
        Whether to visit the rows in a new order in each epoch. If not, the Lai loss may
        meet the same batches in all epochs.
    momentum : float, default=0.9
        Momentum of 'sgd', in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.
    beta_1 : float, default=0.9
        Decay of Adam's first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of Adam's second moment, in [0, 1).
    epsilon : float, default=1e-08
        Numerical stability of Adam, > 0.
    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the data aside, to end the first stage
        when their score stops improving, R2 or its counterpart for the loss, and to
        go on from its best weights. The second stage always runs to its end.
    validation_fraction : float, default=0.1
        Share of the data set aside for `early_stopping`, in (0, 1); at least 2 samples.
    n_iter_no_change : int or inf, default=10
        The first stage ends when training loss (or validation score) has not improved
        by `tol` for more than this many epochs in a row, >= 1; inf: never.
    tol : float, default=0.0001
        Least improvement, >= 0, in standardised units; see `n_iter_no_change`.
    warm_start : bool, default=False
        Whether `fit` starts from the weights of the last one. With as many rows, the
        same are held out for `early_stopping`, whatever `random_state`.
    standardize : bool, default=True
        Whether to train in standard deviations of the features and the target; constant
        features then have no influence. False: in the units of the data, slopes, too.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the validation split and the batches, with a random
        stream of its own for each stage. None is fresh entropy.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    device : {'cpu', 'cuda', 'mps', 'auto'}, default='cpu'
        Where torch trains. 'auto' is a GPU if there is one, else the CPU; 'mps' needs
        float32 data. The fitted model is the same to rounding.
    memory : None, str, path or object with the joblib.Memory interface, default=None
        Where results of the first stage are kept, as in
        :class:`sklearn.pipeline.Pipeline`: a folder or a joblib.Memory. They do not
        depend on `k`, `feature_k`, `noise`, `reach`, `lai_error`, `norm`, `l1_ratio`,
        `average` and what begins with `lai_`, so a search over these trains the first
        stage once per fold, with the same results. `random_state` must be an int, or no
        result is met again.
    distributed : bool, default=False
        Whether other processes fit the same model, each to rows of its own, as one
        would to all rows, up to rounding: the standardisation is that of all rows, a
        batch has a part from each process, gradients are summed in every step, and in
        the end all have the same model. Needs processes that ``torchrun`` started, or
        a call of :func:`torch.distributed.init_process_group`, in all of which `fit` is
        called; with ``solver`` 'adam' or 'sgd', ``device='cpu'``, ``memory=None`` and
        ``norm='l1'``. `batch_size` is that of all processes together; a seed is that of
        the first. If one fails or ends, or does not answer for a minute, the others end
        with an error, as does Ctrl-C.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_units_in, n_units_out)
        Coefficients of each layer, in the units of the data.
    intercepts_ : list of ndarray of shape (n_units_out,)
        Intercepts of each layer, in the units of the data.
    X_min_ : ndarray of shape (n_features,)
        Least value of each feature in the rows of `fit` that have a weight, and of
        `partial_fit` since; with `X_max_` the default box of `slope_bounds`.
    X_max_ : ndarray of shape (n_features,)
        Largest value, likewise.
    feature_importances_ : ndarray of shape (n_features,)
        Mean magnitude of the slopes at the training rows, in target standard deviations
        per feature standard deviation (of these rows without `standardize`); the
        weighted mean over some hundred of the rows, evenly spread, and over outputs.
        Constant features have 0. Not what a shuffled feature costs in accuracy; see
        :func:`sklearn.inspection.permutation_importance`.
    feature_k_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Boundary slope of each feature (and output), NaN where `feature_k` has None.
        With `noise`, that at which the noise of the feature alone makes the change that
        divides small from large ones; NaN where there is none.
    n_iter_ : int
        Epochs of the first stage of the last `fit`. A pass of `partial_fit` counts as
        an epoch of the second stage after a `fit` that had one, else of the first, as
        in the curves.
    n_lai_iter_ : int
        Epochs of its second stage.
    loss_ : float
        Plain training loss of the last epoch; NaN where that diverged.
    loss_curve_ : list of float
        Mean plain training loss of each epoch of the first stage with the L2 penalty,
        in standardised units.
    lai_loss_curve_ : list of float
        Mean Lai loss of each epoch of the second stage, and each pass with it, on the
        scale of the plain loss; NaN where no batch had one.
    lai_plain_loss_curve_ : list of float
        Mean plain training loss of each epoch of the second stage with the L2 penalty,
        on the way, before the weights are averaged.
    best_loss_ : float or None
        Least entry of `loss_curve_`; None with `early_stopping`.
    validation_scores_ : list of float or None
        Score of the validation data after each epoch of the first stage: R2, or for
        other losses the same of these, as :func:`sklearn.metrics.d2_pinball_score`.
        None without `early_stopping`.
    lai_validation_scores_ : list of float or None
        The same for the second stage, of the averaged weights where there are some.
    best_validation_score_ : float or None
        Best of `validation_scores_`; None without `early_stopping`.
    t_ : int
        Training samples seen in epochs of the first stage, and in passes.
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
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    LaiLinearRegressor : A linear model with the same loss.
    sklearn.neural_network.MLPRegressor : Training without control of the slopes.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LaiMLPRegressor(k=0.3, feature_k={"bmi": 0.1}, random_state=0)
    >>> model.fit(X, y).predict(X).shape
    (442,)
    """

    warm_start: Annotated[bool, BOOLEAN]

    def __init__(
        self,
        hidden_layer_sizes: types.HiddenLayerSizes = (100,),
        *,
        activation: types.Activation = "relu",
        k: types.KLike = 0.15,
        feature_k: types.FeatureKLike = None,
        noise: types.NoiseLike = None,
        reach: float = 0.5,
        lai_error: types.LaiError = "mean",
        norm: types.Norm = "l1",
        l1_ratio: float = 0.5,
        lai_fraction: float = 0.01,
        lai_interval: int | None = 5,
        loss: types.Loss = "squared_error",
        huber_delta: float = 1.0,
        quantile: float = 0.5,
        max_iter: int = 200,
        lai_epochs: int = 100,
        solver: types.MLPSolver = "adam",
        max_fun: int = 15000,
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: types.LearningRate = "constant",
        learning_rate_init: float = 0.001,
        lai_learning_rate_init: float = 0.003,
        power_t: float = 0.5,
        average: bool = True,
        shuffle: bool = True,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        standardize: bool = True,
        random_state: types.RandomState = None,
        verbose: bool | int = False,
        device: types.Device = "cpu",
        memory: types.MemoryLike = None,
        distributed: bool = False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.k = k
        self.feature_k = feature_k
        self.noise = noise
        self.reach = reach
        self.lai_error = lai_error
        self.norm = norm
        self.l1_ratio = l1_ratio
        self.lai_fraction = lai_fraction
        self.lai_interval = lai_interval
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.max_iter = max_iter
        self.lai_epochs = lai_epochs
        self.solver = solver
        self.max_fun = max_fun
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.lai_learning_rate_init = lai_learning_rate_init
        self.power_t = power_t
        self.average = average
        self.shuffle = shuffle
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.standardize = standardize
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.memory = memory
        self.distributed = distributed

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the model: pretraining, then Lai Training.

        Ctrl-C ends training with a warning and leaves the model of the epochs done, as
        long as there is one; within a search of :mod:`sklearn.model_selection` it ends
        the search.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite. float32 data trains in float32, all other in
            float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, each standardised for itself.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0, in the losses of both stages, in the
            standardisation and in the validation score. Rows with weight 0 are left
            out. None is 1 for every sample.
        X_val : array-like of shape (n_val, n_features), default=None
            Features to validate on, with ``early_stopping=True``, in place of a share
            of `X`. In a Pipeline, ``transform_input=["X_val"]`` treats them as `X`.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets to validate on; needed with `X_val`. In a
            :class:`~sklearn.compose.TransformedTargetRegressor`, which transforms `y`
            alone, give them transformed.
        sample_weight_val : float or array-like of shape (n_val,), default=None
            Weights of the samples to validate on.

        Returns
        -------
        LaiMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter has a value that is not allowed, training
            diverges, or with ``distributed=True`` other processes have other parameters
            or columns. An earlier fit is kept.
        TypeError
            If `X` is sparse or a parameter has a wrong type. An earlier fit is kept.
        RuntimeError
            With ``distributed=True``, if another process fails or ends.

        Warns
        -----
        ConvergenceWarning
            If the first stage reached `max_iter`, as with MLPRegressor; if the Lai loss
            made the predictions collapse towards a constant; if training ended far
            worse than with one.
        UserWarning
            If the second stage has too few batches for a single one with the Lai loss,
            training was interrupted, or a feature or target varies by rounding of its
            size.
        """
        with (
            peers_of(self) as peers,
            watched(self, n_stages=2, may_print=peers.rank == 0) as watch,
            all_or_nothing(self),
        ):
            with peers.agreed():
                self._check_parameters()
                self._check_epochs()
                check_can_be_shared(self)
                is_warm = self.warm_start and hasattr(self, "coefs_")
                rows = check_data(self, X, y, sample_weight, reset=not is_warm)
                rows = rows.with_weight()
                validation = self._check_validation(
                    X_val, y_val, sample_weight_val, rows
                )
                self.feature_k_ = self._resolve_k(self.k, rows.y.shape[1])
            check_alike(self, peers, rows, validation, is_warm=is_warm)
            rng, lai_rng = random_streams(peers.gather(self._seed())[0])
            seen = reduce(Box.joined, peers.gather(Box.of(rows.X)))
            if is_warm:
                rows, validation = self._hold_out(rows, validation, rng, is_warm=True)
                data = self._of_new_rows(rows, validation, peers)
            else:
                data = self._from_new_weights(rows, validation, rng, peers)
            self._warn_of_stuck(data.units)
            recipe = self._mlp_recipe(data)
            with _train.training(data, recipe, watch, peers) as trainer:
                warn_of_few_rows(trainer, recipe.batch_size)
                peers.begin_steps()
                self._run_stages(
                    trainer,
                    partial(self._pretrain, trainer, data, recipe, rng),
                    self._lai_recipe(self.feature_k_),
                    lai_rng,
                )
                self._set_fitted(trainer)
                self._progress = Progress.of(trainer, data, [rng, lai_rng])
            self._set_importances(data, peers=peers)
            with peers.agreed():  # nobody leaves whom others still wait for
                self._set_range(seen)
        return self

    def _check_validation(
        self, X: Any, y: Any, sample_weight: Any, data: Data
    ) -> Data | None:
        """Data to validate on, where it is given."""
        if X is None and y is None:
            if sample_weight is not None:
                raise ValueError("sample_weight_val needs X_val and y_val.")
            return None
        if self.solver == "lbfgs":
            raise ValueError(
                "X_val and y_val need mini-batches, whose epochs early_stopping ends: "
                "solver 'adam' or 'sgd', got 'lbfgs'."
            )
        for name, value in {"X_val": X, "y_val": y}.items():
            if value is None:
                raise ValueError(f"X_val and y_val need each other; {name} is None.")
        if not self.early_stopping:
            raise ValueError(
                "X_val and y_val need early_stopping=True, got early_stopping=False."
            )
        validation = check_data(
            self, X, y, sample_weight, reset=False, suffix="_val"
        ).with_weight()
        check_n_outputs(validation.y.shape[1], data.y.shape[1], "y_val", "y")
        if len(validation.X) < 2:
            raise ValueError("X_val must have at least 2 samples with a weight, got 1.")
        with np.errstate(over="ignore"):
            X = validation.X.astype(data.X.dtype, copy=False)
        if not np.isfinite(X).all():
            raise ValueError(f"X_val has values that are too large for {X.dtype}.")
        return validation._replace(X=X)
