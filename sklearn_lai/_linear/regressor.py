"""The linear regressor."""

from typing import Any, Literal, Self

from .._base import all_or_nothing, check_data
from .._callbacks import watched, with_callbacks
from .._typing import (
    Device,
    FeatureKLike,
    KLike,
    LinearSolver,
    Loss,
    NoiseLike,
    Norm,
    RandomState,
)
from .adam import AdamLinear
from .chunks import ChunksLinear
from .exact import warn_if_exact
from .moments import Moments
from .partial_fit import is_exact


class LaiLinearRegressor(ChunksLinear, AdamLinear):
    """Linear regression whose coefficients are controlled by the Lai loss.

    For a linear model the slopes are the coefficients, the same for every row, and
    Lai Training of the squared error minimises, for every output on its own::

        mse(w) * (1 - a + a * norm_j(phi(w_j; k_j)**2)),    a = lai_fraction

    with the Lai factor ``phi`` of [1]_, which is least where ``|w_j| = k_j``. Its kinks
    there hold coefficients exactly, as the lasso's hold them at zero; large opposite
    coefficients of collinear features, which change the error little, shrink to them.
    With the same slopes in every row, own and mean errors are the same thing; unlike
    that of :class:`LaiMLPRegressor`, the mean error falls as the model is fitted.

    The exact solver needs the data once, for its second moments, or a few times if it
    is nearly collinear, to correct least squares. From there it descends until the
    objective falls along no coefficient, in either direction, and tries further starts,
    since the loss is blind to signs and has several minima; for one and two features
    the result is the least of them all. It is deterministic. Where least squares leaves
    no error, as with more features than samples, it is the solution, of minimum norm.
    Equal columns may get different coefficients, in their order, since kinks hold some.

    Training runs on standardised features and target, so that no StandardScaler is
    needed; the fitted coefficients are in the units of the data.

    The parameters from `max_iter` on are for ``solver='adam'`` alone.

    Parameters
    ----------
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
        their names. The mean squared error is then the one expected under that noise,
        which but for covariances is independent; its least has a closed form, a ridge
        regression with a penalty for each feature, or each pair. Features in
        `feature_k` have their slope, or with None nothing, in place of the noise; but
        for them, `k` and `lai_fraction` have no effect. Only for the exact solver and
        `norm` 'l1'. 0 is least squares; with None, `k` says how smooth the model is.
    norm : {'l1', 'l2', 'elasticnet'}, default='l1'
        Norm by which the losses of the directions become one.
    l1_ratio : float, default=0.5
        Share of the l1 norm in 'elasticnet', in [0, 1]; the rest is l2.
    lai_fraction : float, default=0.01
        Weight of the Lai loss beside the plain one, in [0, 1]; 0 is plain training.
    fit_intercept : bool, default=True
        Whether to fit an intercept. Without it the data is not centred.
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
    solver : {'auto', 'exact', 'adam'}, default='auto'
        'exact' solves for the squared error as above; 'adam' trains on mini-batches,
        from coefficients of 0. 'auto' is 'exact' for the squared error, else 'adam'.
    tol : float, default=0.0001
        For 'exact', the largest `optimality_` without a warning, >= 0. For 'adam', the
        least improvement of an epoch, in standardised units; see `n_iter_no_change`.
    standardize : bool, default=True
        Whether to train in standard deviations of the features and the target; constant
        features then have no influence. False: in the units of the data, slopes, too.
    max_iter : int, default=200
        Epochs of the first stage at most, >= 0.
    lai_epochs : int, default=100
        Epochs of the second stage, >= 0. It always runs to its end.
    lai_interval : int or None, default=5
        Every `lai_interval`-th batch of the second stage has the Lai loss, >= 1, with a
        weight that makes up for the others; 1 is the exact mixture. None:
        ``round(lai_fraction * n_batches)`` random batches of the stage have the Lai
        loss alone and the others the plain loss alone, as in [1]_.
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch, >= 1; 'auto' is 200. Smaller data is one batch.
    learning_rate_init : float, default=0.01
        Step size of the first stage, > 0, in standardised units.
    lai_learning_rate_init : float, default=0.03
        Step size of the second stage, > 0, whatever that of the first.
    average : bool, default=True
        Whether the model has the average of the weights over the second half of the
        second stage, at the ends of its epochs, or the last weights.
    shuffle : bool, default=True
        Whether to visit the rows in a new order in each epoch. If not, the Lai loss may
        meet the same batches in all epochs.
    n_iter_no_change : int or inf, default=10
        The first stage ends when the training loss has not improved by `tol` for more
        than this many epochs in a row, >= 1; inf: never.
    random_state : int, RandomState instance or None, default=None
        Seed of the batches, with a random stream of its own for each stage. None is
        fresh entropy.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    device : {'cpu', 'cuda', 'mps', 'auto'}, default='cpu'
        Where torch trains. 'auto' is a GPU if there is one, else the CPU; 'mps' needs
        float32 data. The fitted model is the same to rounding.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients, in target units per feature unit.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept, in target units; 0 without `fit_intercept`.
    feature_k_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Boundary slope of each feature (and output), NaN where `feature_k` has None, or
        with `noise` nothing.
    n_iter_ : int
        Epochs of the first stage; for 'exact', Newton steps from all starts together,
        the largest number over outputs.
    objective_ : float or ndarray of shape (n_outputs,)
        Objective at the solution, in squared units of training. Only 'exact'.
    optimality_ : float
        Largest rate at which the objective still falls along a coefficient, relative to
        the objective and in units of training; 0 if that is rounding. Only 'exact'.
    n_samples_seen_ : int
        Samples with a positive weight in the moments. Only 'exact'.
    n_lai_iter_ : int
        Epochs of the second stage. Only 'adam'.
    loss_ : float
        Mean plain training loss of the last epoch. Only 'adam'.
    loss_curve_ : list of float
        Mean plain training loss of each epoch of the first stage, in standardised
        units; half the squared error, or the absolute error. Only 'adam'.
    lai_loss_curve_ : list of float
        Mean Lai loss of each epoch of the second stage, on the scale of the plain
        loss; NaN where no batch had one. Only 'adam'.
    lai_plain_loss_curve_ : list of float
        Mean plain training loss of each epoch of the second stage. Only 'adam'.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    LaiLinearRegressorCV : Chooses `k` by cross-validation.
    lai_linear_path : The coefficients along `k`.
    LaiMLPRegressor : A multilayer perceptron with the same loss.
    sklearn.linear_model.Ridge : Least squares with an L2 penalty.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LaiLinearRegressor(k=0.1).fit(X, y)
    >>> slopes = model.coef_ * X.std(axis=0) / y.std()
    >>> slopes[5].round(3)  # held at the kink
    np.float64(-0.1)
    """

    def __init__(
        self,
        *,
        k: KLike = 0.15,
        feature_k: FeatureKLike = None,
        noise: NoiseLike = None,
        norm: Norm = "l1",
        l1_ratio: float = 0.5,
        lai_fraction: float = 0.01,
        fit_intercept: bool = True,
        loss: Loss = "squared_error",
        huber_delta: float = 1.0,
        quantile: float = 0.5,
        solver: LinearSolver = "auto",
        tol: float = 1e-4,
        standardize: bool = True,
        max_iter: int = 200,
        lai_epochs: int = 100,
        lai_interval: int | None = 5,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float = 0.01,
        lai_learning_rate_init: float = 0.03,
        average: bool = True,
        shuffle: bool = True,
        n_iter_no_change: float = 10,
        random_state: RandomState = None,
        verbose: bool | int = False,
        device: Device = "cpu",
    ):
        self.k = k
        self.feature_k = feature_k
        self.noise = noise
        self.norm = norm
        self.l1_ratio = l1_ratio
        self.lai_fraction = lai_fraction
        self.fit_intercept = fit_intercept
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.solver = solver
        self.tol = tol
        self.standardize = standardize
        self.max_iter = max_iter
        self.lai_epochs = lai_epochs
        self.lai_interval = lai_interval
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.lai_learning_rate_init = lai_learning_rate_init
        self.average = average
        self.shuffle = shuffle
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose
        self.device = device

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model: pretraining, then Lai Training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite. float32 data gives float32 coefficients, all
            other float64 ones.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; each is a problem of its own.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0, in the losses and in the standardisation. None
            is 1 for every sample.

        Returns
        -------
        LaiLinearRegressor
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
            If the Lai loss made the predictions collapse towards a constant, the exact
            solver did not reach `tol`, the first stage of 'adam' reached `max_iter`, or
            its training ended far worse than with a constant.
        UserWarning
            If least squares fits the data exactly, so that `k` has no effect; or if the
            second stage of 'adam' has too few batches for a single one with the
            Lai loss, or Ctrl-C ended it; the model is then that of the epochs done.
        """
        n_stages = 0 if is_exact(self) else 2
        with watched(self, n_stages=n_stages) as watch, all_or_nothing(self):
            self._check_parameters()
            self._forget()
            data = check_data(self, X, y, sample_weight)
            if is_exact(self):
                moments = Moments.of(*data)
                regression = self._regression(moments).refined(*data)
                warn_if_exact([self._solve(moments, regression, data.X.dtype)])
            else:
                self._check_epochs()
                self.feature_k_ = self._resolve_k(self.k, data.y.shape[1])
                self._fit_by_adam(data.with_weight(), watch)
        return self

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.solver == "exact" and self.loss != "squared_error":
            raise ValueError(
                f"solver='exact' needs loss='squared_error', got loss={self.loss!r}; "
                "use solver='adam' or 'auto'."
            )

    def _check_what_noise_needs(self) -> None:
        super()._check_what_noise_needs()
        if self.solver == "adam":
            raise ValueError("noise needs solver='exact' or 'auto', got solver='adam'.")
