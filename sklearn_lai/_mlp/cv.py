"""The multilayer perceptron with k chosen by cross-validation."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from joblib import Parallel, delayed

from .. import _train
from .. import _typing as types
from .._base import all_or_nothing, check_data
from .._callbacks import watched, with_callbacks
from .._folds import list_folds, naming
from .._recipe.record import Model
from .._recipe.stages import LaiStage
from .._recipe.watch import Watch
from .._statistics import ColumnStatistics
from .._validation import JOBS, as_floats
from .assessment import Assessment
from .path import PathMLP, Start
from .regressor import LaiMLPRegressor

if TYPE_CHECKING:
    from .._train import Trainer

# Share of the variance of chosen predictions from which on others are others.
VARIES = 2.0


class LaiMLPRegressorCV(PathMLP):
    """LaiMLPRegressor with the boundary slope chosen by cross-validation.

    On each fold one run has the whole curve of accuracy against smoothness: the network
    is pretrained, then trained from the smallest `k` upwards, where each model begins
    with the one before. The errors of the folds, noise sensitivities and variances of
    their predictions are recorded. The same run on all data then gives the model for
    the chosen `k`, and for all others: :meth:`estimator_at` returns them without
    training.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer, >= 1 each; empty for a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'softplus', 'silu', 'gelu'}, \
            default='relu'
        Activation of the hidden layers.
    ks : int or array-like of shape (n_ks,), default=10
        At most 1000 boundary slopes to choose from, > 0, in target standard deviations
        per feature standard deviation. An int is that many, spread on a logarithmic
        scale, from the `k` that stands for noise of 0.05 standard deviations in every
        feature to that for 1.5, which is
        ``sqrt(lai_fraction / (1 - lai_fraction)) * e / noise`` with the mean error
        ``e`` of the pretrained network.
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
        their names. The slopes are then those of :class:`LaiMLPRegressor` with this
        noise, the `ks` are multiples of the `k` that follows there, and the errors of
        the folds are those under noise, on five noisy copies. An int `ks` is that many
        from 4 to 1/4, 1 among them. Only for the squared error, `norm` 'l1',
        `lai_error` 'mean', and `lai_fraction` in (0, 1). With None, there is no noise.
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
    cv : int, cross-validation splitter or iterable of splits, default=None
        Folds, as in :class:`sklearn.linear_model.LassoCV`; None is 5.
    scoring : str or callable, default=None
        Score to choose `k` by, higher is better: the name of a scorer of scikit-learn
        or a callable ``scorer(estimator, X, y)``, such as that of
        :func:`sklearn_lai.metrics.make_noisy_scorer`. It gets the rows held out as
        `fit` got them, and their `sample_weight` if there is one. None is the negated
        root mean squared error; for the losses 'absolute_error' and 'huber' mean
        absolute error, for 'quantile' pinball loss, in which errors count up to 5 times
        1.4826 times the median one; of several outputs the mean, each in its standard
        deviations; with `noise`, under it.
    tolerance : float or '1se', default=0.02
        Accuracy to give for smoothness, >= 0 or '1se': of all `ks` whose score is below
        that of the best mean by at most this share of it, 0.02 is 2 % of the error, the
        smallest is chosen. It is as far below as in the median fold, so that a fold
        with an outlier does not decide. With '1se', the mean is below by at most the
        standard error of the best over the folds. Accuracy alone, 0, never asks for a
        smooth model.
    path_epochs : int or None, default=25
        Epochs for each `k`, >= 1, in one run from the smallest `k` to the largest: each
        goes on from the last weights of the one before, and its model is the average of
        those at the ends of the epochs of the second half, with `average`. The error
        inside the Lai loss is that of the pretrained network for all of them. None:
        each `k` starts from the pretrained network and takes `lai_epochs`, as
        :class:`LaiMLPRegressor` does, several times the work.
    n_jobs : int, default=None
        Folds at a time, as for joblib.Parallel, at most all of them; None is one, or
        what the surrounding ``joblib.parallel_config`` says.
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
        Epochs of the second stage of each `k`, >= 0, with ``path_epochs=None`` alone.
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

    Attributes
    ----------
    k_ : float
        Chosen boundary slope; with `noise`, chosen multiple.
    feature_k_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        The same by feature, with the overrides of `feature_k`; NaN where one is None.
        With `noise` as that of :class:`LaiMLPRegressor`.
    ks_ : ndarray of shape (n_ks,)
        Boundary slopes that were compared; with `noise`, multiples.
    mse_path_ : ndarray of shape (n_ks, n_folds)
        Mean squared error on the test data of every fold, in squared target units; the
        mean over outputs. With `noise`, the error under it.
    sensitivity_path_ : ndarray of shape (n_ks, n_folds, n_features)
        Noise sensitivity on the test data of every fold, in target units; the mean over
        outputs. See :func:`sklearn_lai.metrics.noise_sensitivity`. NaN for a fold with
        a single test row, as `variance_path_`.
    variance_path_ : ndarray of shape (n_ks, n_folds)
        Variance of the predictions on the test data of every fold, in squared target
        units; the mean over outputs.
    score_path_ : ndarray of shape (n_ks, n_folds)
        Score on the test data of every fold; see `scoring`.
    best_score_ : float
        Mean of `k_` over the folds.
    coefs_, intercepts_, X_min_, X_max_, feature_importances_, n_iter_, ...
        The attributes of :class:`LaiMLPRegressor`, of the fit with `k_` to all data.
        With `path_epochs` the record of the second stage has that of smaller `k`, too.

    See Also
    --------
    LaiMLPRegressor : The same for a given `k`.
    LaiLinearRegressorCV : The same for a linear model.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiMLPRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LaiMLPRegressorCV(ks=4, cv=2, random_state=0).fit(X, y)
    >>> model.score_path_.shape
    (4, 2)
    >>> smoothest = model.estimator_at(model.ks_.min())  # no training
    >>> type(smoothest).__name__
    'LaiMLPRegressor'
    """

    n_jobs: Annotated[int | None, JOBS]

    sensitivity_path_: np.ndarray
    variance_path_: np.ndarray

    _models: list[LaiMLPRegressor]

    def __init__(
        self,
        hidden_layer_sizes: types.HiddenLayerSizes = (100,),
        *,
        activation: types.Activation = "relu",
        ks: types.KsLike = 10,
        feature_k: types.FeatureKLike = None,
        noise: types.NoiseLike = None,
        reach: float = 0.5,
        lai_error: types.LaiError = "mean",
        norm: types.Norm = "l1",
        l1_ratio: float = 0.5,
        lai_fraction: float = 0.01,
        lai_interval: int | None = 5,
        cv: types.Folds = None,
        scoring: types.Scoring = None,
        tolerance: types.Tolerance = 0.02,
        path_epochs: int | None = 25,
        n_jobs: int | None = None,
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
        standardize: bool = True,
        random_state: types.RandomState = None,
        verbose: bool | int = False,
        device: types.Device = "cpu",
        memory: types.MemoryLike = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.ks = ks
        self.feature_k = feature_k
        self.noise = noise
        self.reach = reach
        self.lai_error = lai_error
        self.norm = norm
        self.l1_ratio = l1_ratio
        self.lai_fraction = lai_fraction
        self.lai_interval = lai_interval
        self.cv = cv
        self.scoring = scoring
        self.tolerance = tolerance
        self.path_epochs = path_epochs
        self.n_jobs = n_jobs
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
        self.standardize = standardize
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.memory = memory

    @property
    def _name_of_lai_epochs(self) -> str:
        return "lai_epochs" if self.path_epochs is None else "path_epochs"

    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> Self:
        """Choose `k` by cross-validation and fit the model with it to all data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite. float32 data trains in float32, all other in
            float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0, in training and in the errors of the folds.
            None is 1 for every sample.
        groups : array-like of shape (n_samples,), default=None
            Groups of the samples, for a `cv` that needs them, such as GroupKFold.

        Returns
        -------
        LaiMLPRegressorCV
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
            If the first stage reached `max_iter` on all data; if the Lai loss made the
            predictions collapse towards a constant; if training for the chosen `k`
            ended far worse than with one.
        UserWarning
            If the second stage has too few batches for a single one with the Lai loss,
            or a feature or target varies by rounding of its size.
        """
        self._check_parameters()
        self._check_epochs()
        n_ks = (
            int(self.ks) if isinstance(self.ks, Integral) else as_floats(self.ks).size
        )
        with (
            watched(self, n_stages=2 + n_ks, may_stop=False) as watch,
            all_or_nothing(self),
        ):
            rows = check_data(self, X, y, sample_weight)
            folds = list_folds(self.cv, *rows, groups, self.tolerance)
            self._resolve_k(1.0)  # errors come before training
            scorer, seed = self._scorer(), self._seed()
            plan = self._plan(rows.with_weight(), seed)
            self._warn_of_stuck(plan.data.units)
            unit = np.ones(1)
            if rows.y.shape[1] > 1:
                of_y = ColumnStatistics.of(rows.y, rows.sample_weight)
                unit = of_y.deviation(constant=1)
            assess = partial(self._assess_fold, rows, X, scorer, unit, seed)
            with _train.training(plan.data, plan.recipe, watch) as trainer:
                start = self._pretrained(trainer, plan)
                self._warn_of_no_convergence(trainer)
                self.ks_ = self._resolve_ks(start)
                chosen = self._choose(self._assess_folds(assess, folds, watch))
                self._keep_path(start, chosen)
        return self

    def _assess_folds(
        self,
        assess: Callable[[int, tuple[np.ndarray, np.ndarray]], list[Assessment]],
        folds: list[tuple[np.ndarray, np.ndarray]],
        watch: Watch,
    ) -> np.ndarray:
        """Set the paths; returns the scores, (n_ks, n_folds)."""
        watch.begin_stage("folds", len(folds))
        assessed = []
        with _make_parallel(self.n_jobs, len(folds)) as parallel:
            results = iter(
                parallel(delayed(assess)(*fold) for fold in enumerate(folds))
            )
            for _ in folds:
                watch.begin_epoch()
                assessed.append(next(results))
                watch.end_epoch()
        watch.end_stage()
        of_folds = [map(np.array, zip(*fold, strict=True)) for fold in assessed]
        errors, scores, self.sensitivity_path_, self.variance_path_ = (
            np.stack(path, axis=1) for path in zip(*of_folds, strict=True)
        )
        self.mse_path_ = errors.mean(axis=2)
        return scores

    def _warn_of_collapse(
        self, trainer: "Trainer", stage: LaiStage, before: Model
    ) -> bool:
        """The same, unless scores chose it although others vary."""
        variances = self.variance_path_.mean(axis=1)
        if variances.max() > VARIES * variances[self.ks_ == self.k_].min():
            return False
        return super()._warn_of_collapse(trainer, stage, before)

    def _model_at(self, place: int) -> LaiMLPRegressor:
        return deepcopy(self._models[place])

    def _keep_path(self, start: Start, chosen: int) -> None:
        """Train for every `k` on all data; this is the model of the chosen one."""
        pretrained, models = start.trainer.model, {}
        for place, stage in self._follow_path(start):
            with naming(f"k={self.ks_[place]:g}"):
                models[place] = self._fitted_model(self.ks_[place], start)
            if place == chosen:
                self._warn_of_second_stage(start.trainer, stage, pretrained)
        self._models = [models[place] for place in range(len(models))]
        fitted = vars(models[chosen]).items()
        vars(self).update({name: value for name, value in fitted if name[-1] == "_"})


def _make_parallel(n_jobs: int | None, n_folds: int) -> Parallel:
    """Results come one by one if the backend can do that, else all at the end."""
    if n_jobs is not None:  # some backends start all of them, however few have work
        n_jobs = min(n_jobs, n_folds)
    try:
        return Parallel(n_jobs=n_jobs, return_as="generator")
    except ValueError:
        return Parallel(n_jobs=n_jobs)
