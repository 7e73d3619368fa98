"""The linear regressor."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ._base import SHARED_RULES, BaseLaiRegressor, all_or_nothing
from ._optimizers import Adam
from ._validation import Boolean, OneOf, Rule


class LaiLinearRegressor(BaseLaiRegressor):
    """Linear regression whose coefficients are controlled by the Lai loss.

    For a linear model the slopes are the coefficients. Training has two stages:
    `pretrain_epochs` epochs of the plain loss, then `lai_epochs` epochs of the mixture
    ``(1 - lai_fraction) * plain + lai_fraction * Lai``, which draws the coefficients
    towards the boundary slope `k` [1]_.

    Training runs on standardised features and target, so that no StandardScaler
    is needed and `k` means the same on every data set; the fitted coefficients are in
    the units of the data.

    Parameters
    ----------
    k : float or array-like of shape (n_features,), default=0.3
        Boundary slope, > 0, in target standard deviations per feature standard
        deviation: the Lai loss draws coefficients towards it, in magnitude. One for
        all features, or one each.
    feature_k : mapping of {str or int: float or None}, default=None
        Overrides of `k` for single features, by column name (`X` must be a
        DataFrame) or position, from 0. None leaves that direction alone.
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
    loss : {'squared_error', 'absolute_error'}, default='squared_error'
        Loss of an error, plain and inside the Lai loss.
    pretrain_epochs : int, default=100
        Epochs of the first stage at most, >= 0.
    lai_epochs : int, default=100
        Epochs of the second stage, >= 0. It always runs to its end.
    fit_intercept : bool, default=True
        Whether to fit an intercept. Without it the data is not centred.
    solver : {'adam'}, default='adam'
        'adam' trains on mini-batches, from coefficients of 0.
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch, >= 1; 'auto' is 200. Smaller data is one batch.
    learning_rate_init : float, default=0.01
        Step size, > 0, in standardised units.
    shuffle : bool, default=True
        Whether to visit the rows in a new order in each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the batches. Each stage has a random stream of its own; no global
        generator is touched. None is fresh entropy.
    tol : float, default=0.0001
        Least improvement of an epoch, >= 0, in standardised units; see
        `n_iter_no_change`.
    n_iter_no_change : int or inf, default=10
        The first stage ends when the training loss has not improved by `tol` for more
        than this many epochs in a row, >= 1; inf never ends it early.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    standardize : bool, default=True
        Whether to train on standardised features and target; a feature that is
        constant then has no influence. False is the loss of
        [1]_ in the units of the data, in which `k` then is, too.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients, in target units per feature unit.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept, in target units; 0 without `fit_intercept`.
    k_ : ndarray of shape (n_features,)
        Boundary slope of each feature; NaN where `feature_k` has None.
    n_iter_ : int
        Epochs of both stages.
    n_pretrain_iter_ : int
        Epochs of the first stage.
    loss_ : float
        Last entry of `loss_curve_`.
    loss_curve_ : list of float
        Mean plain training loss of each epoch of both stages, in standardised units;
        half the squared error, or the absolute error.
    lai_loss_curve_ : list of float
        Mean Lai loss of each epoch of the second stage, on the scale of the plain
        loss; NaN where no batch had one.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    LaiMLPRegressor : A multilayer perceptron with the same loss.
    sklearn.linear_model.Ridge : Least squares with an L2 penalty.

    References
    ----------
    .. [1] Y. Lai, "Lai Loss: A Novel Loss for Gradient Control",
       arXiv:2405.07884.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LaiLinearRegressor(k=0.1, random_state=0).fit(X, y)
    >>> model.coef_.shape
    (10,)
    """

    _rules: ClassVar[Mapping[str, Rule]] = {
        **SHARED_RULES,
        "fit_intercept": Boolean(),
        "solver": OneOf(("adam",)),
    }

    def __init__(
        self,
        *,
        k=0.3,
        feature_k=None,
        norm="l2",
        l1_ratio=0.5,
        lai_fraction=0.01,
        lai_interval=5,
        loss="squared_error",
        pretrain_epochs=100,
        lai_epochs=100,
        fit_intercept=True,
        solver="adam",
        batch_size="auto",
        learning_rate_init=0.01,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
        verbose=False,
        standardize=True,
    ):
        self.k = k
        self.feature_k = feature_k
        self.norm = norm
        self.l1_ratio = l1_ratio
        self.lai_fraction = lai_fraction
        self.lai_interval = lai_interval
        self.loss = loss
        self.pretrain_epochs = pretrain_epochs
        self.lai_epochs = lai_epochs
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.verbose = verbose
        self.standardize = standardize

    def fit(self, X: Any, y: Any) -> "LaiLinearRegressor":
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
            If the Lai loss made the predictions collapse towards a constant.
        UserWarning
            If the second stage has too few batches for a single one with the Lai loss.
        """
        with all_or_nothing(self):
            self._check_parameters()
            X, y = self._check_data(X, y)
            self.k_ = self._resolve_k()
            n_features, n_outputs = X.shape[1], y.shape[1]
            layers = (
                [np.zeros((n_features, n_outputs), X.dtype)],
                [np.zeros(n_outputs, X.dtype)],
            )
            ([coef], [intercept]), history = self._train(
                X,
                y,
                layers,
                self._units(X, y, centre=self.fit_intercept),
                self._random_streams(),
                optimizer=partial(Adam, learning_rate=self.learning_rate_init),
                fit_intercept=self.fit_intercept,
            )
            single = n_outputs == 1
            self.coef_ = coef[:, 0] if single else coef.T
            self.intercept_ = float(intercept[0]) if single else intercept
            self._record(history)
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
        return self._check_features(X) @ self.coef_.T + self.intercept_

    def input_gradient(self, X: Any) -> np.ndarray:
        """Exact slopes of the model: its coefficients, once per row of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_outputs, n_features)
            Slopes in target units per feature unit.
        """
        n_samples = len(self._check_features(X))
        return np.tile(self.coef_, (n_samples, *[1] * self.coef_.ndim))
