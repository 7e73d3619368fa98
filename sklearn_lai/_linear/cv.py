"""The linear regressor with k chosen by cross-validation."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, islice
from numbers import Integral
from operator import add
from typing import Any, Self

import numpy as np

from .._base import Data, all_or_nothing, check_data
from .._callbacks import watched, with_callbacks
from .._choice_of_k import ChoosesK, make_model, score_paths
from .._folds import list_folds, naming
from .._noise import multiples, over_multiple
from .._typing import FeatureKLike, Folds, KsLike, NoiseLike, Norm, Scoring, Tolerance
from .._warnings import warn_of_silent, warn_of_stuck
from .base import BaseLaiLinear
from .exact import (
    Fit,
    Regression,
    expected_changes,
    mean_squared_errors,
    warn_if_exact,
)
from .moments import Moments
from .path import check_sizes_of, resolve_ks
from .regressor import LaiLinearRegressor


class LaiLinearRegressorCV(ChoosesK[LaiLinearRegressor], BaseLaiLinear):
    """LaiLinearRegressor with the boundary slope chosen by cross-validation.

    Every `k` is solved exactly on every fold, as by :func:`lai_linear_path`: its
    objective is not above that of :class:`LaiLinearRegressor`, and with three or more
    features it may be lower, thanks to the other `ks`. With folds that divide the data,
    as those of KFold, the data is visited once: the second moments of a fold's training
    data are the sums of those of the other folds, and errors, too, follow from moments.
    With other folds their training data is visited as well, with `scoring` their test
    data. The models for all `ks` on all data are kept: :meth:`estimator_at` returns
    them.

    Parameters
    ----------
    ks : int or array-like of shape (n_ks,), default=50
        At most 1000 boundary slopes to choose from, > 0, in target standard deviations
        per feature standard deviation. An int is that many, spread on a logarithmic
        scale from the largest slope among the regressions on single features down to a
        hundredth of it.
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
        their names. The errors of the folds are then those expected under noise. The
        model is that of :class:`LaiLinearRegressor` with this noise, whose penalty is
        divided by the square of `k`: the `ks` are multiples of the `k` that follows
        from noise. An int `ks` is that many from 4 to 1/4, 1 among them. Only for
        `norm` 'l1'. With None, there is no noise.
    norm : {'l1', 'l2', 'elasticnet'}, default='l1'
        Norm by which the losses of the directions become one.
    l1_ratio : float, default=0.5
        Share of the l1 norm in 'elasticnet', in [0, 1]; the rest is l2.
    lai_fraction : float, default=0.01
        Weight of the Lai loss beside the plain one, in [0, 1]; 0 is plain training.
    cv : int, cross-validation splitter or iterable of splits, default=None
        Folds, as in :class:`sklearn.linear_model.LassoCV`; None is 5.
    scoring : str or callable, default=None
        Score to choose `k` by, higher is better: the name of a scorer of scikit-learn
        or a callable ``scorer(estimator, X, y)``, such as that of
        :func:`sklearn_lai.metrics.make_noisy_scorer`. It gets the rows held out as
        `fit` got them, and their `sample_weight` if there is one. None is the negated
        root mean squared error; of several outputs the mean, each in its standard
        deviations; with `noise`, under it.
    tolerance : float or '1se', default=0.02
        Accuracy to give for smoothness, >= 0 or '1se': of all `ks` whose score is below
        that of the best mean by at most this share of it, 0.02 is 2 % of the error, the
        smallest is chosen. It is as far below as in the median fold, so that a fold
        with an outlier does not decide. With '1se', the mean is below by at most the
        standard error of the best over the folds. Accuracy alone, 0, never asks for a
        smooth model.
    fit_intercept : bool, default=True
        Whether to fit an intercept. Without it the data is not centred.
    tol : float, default=0.0001
        Largest `optimality_` without a warning, >= 0.
    standardize : bool, default=True
        Whether to train in standard deviations of the features and the target; constant
        features then have no influence. False: in the units of the data, slopes, too.

    Attributes
    ----------
    k_ : float
        Chosen boundary slope; with `noise`, chosen multiple.
    feature_k_ : ndarray of shape (n_features,)
        The same by feature, with the overrides of `feature_k`; NaN where one is None.
        With `noise` as that of :class:`LaiLinearRegressor`.
    ks_ : ndarray of shape (n_ks,)
        Boundary slopes that were compared; with `noise`, multiples.
    mse_path_ : ndarray of shape (n_ks, n_folds)
        Mean squared error on the test data of every fold, in squared target units; the
        mean over outputs. With `noise`, the error under it.
    score_path_ : ndarray of shape (n_ks, n_folds)
        Score on the test data of every fold; see `scoring`.
    best_score_ : float
        Mean of `k_` over the folds.
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients for `k_` on all data, in target units per feature unit.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept, in target units; 0 without `fit_intercept`.
    objective_ : float or ndarray of shape (n_outputs,)
        Objective at the solution, in squared units of training.
    optimality_ : float
        Largest rate at which the objective still falls along a coefficient, relative to
        the objective and in units of training; 0 if that is rounding.
    n_iter_ : int
        Newton steps of the solution, at most, over outputs.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    LaiLinearRegressor : The same for a given `k`.
    lai_linear_path : The coefficients along `k`.
    sklearn.linear_model.LassoCV : The lasso with its penalty chosen likewise.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiLinearRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LaiLinearRegressorCV().fit(X, y)
    >>> model.mse_path_.shape
    (50, 5)
    >>> smoothest = model.estimator_at(model.ks_.min())
    >>> type(smoothest).__name__
    'LaiLinearRegressor'
    """

    _path: list[Fit]
    _moments: Moments

    def __init__(
        self,
        *,
        ks: KsLike = 50,
        feature_k: FeatureKLike = None,
        noise: NoiseLike = None,
        norm: Norm = "l1",
        l1_ratio: float = 0.5,
        lai_fraction: float = 0.01,
        cv: Folds = None,
        scoring: Scoring = None,
        tolerance: Tolerance = 0.02,
        fit_intercept: bool = True,
        tol: float = 1e-4,
        standardize: bool = True,
    ):
        self.ks = ks
        self.feature_k = feature_k
        self.noise = noise
        self.norm = norm
        self.l1_ratio = l1_ratio
        self.lai_fraction = lai_fraction
        self.cv = cv
        self.scoring = scoring
        self.tolerance = tolerance
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.standardize = standardize

    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> Self:
        """Choose `k` by cross-validation and fit the model for it to all data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite. float32 data gives float32 coefficients, all
            other float64 ones.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; each is a problem of its own, with the same `k`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0 on any fold, in training and in the errors. None
            is 1 for every sample.
        groups : array-like of shape (n_samples,), default=None
            Groups of the samples, for a `cv` that needs them, such as GroupKFold.

        Returns
        -------
        LaiLinearRegressorCV
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter has a value that is not allowed. An earlier fit
            is kept.
        TypeError
            If `X` is sparse or a parameter has a wrong type. An earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the Lai loss made the predictions collapse towards a constant, or the
            exact solver did not reach `tol`.
        UserWarning
            If least squares fits the data, or the training data of a fold, exactly, so
            that `k` has no effect.
        """
        with watched(self), all_or_nothing(self):
            self._check_parameters()
            data, scorer = check_data(self, X, y, sample_weight), self._scorer()
            folds = list_folds(self.cv, *data, groups, self.tolerance)
            with np.errstate(over="ignore", invalid="ignore"):  # told of by the units
                total, trains, tests = _fold_moments(*data, folds)
            regressions = []
            for number, train in enumerate(trains):
                with naming(f"fold {number} of cv"):
                    regressions.append(self._plain_regression(train))
            regressions.append(self._plain_regression(total))
            self.ks_ = self._resolve_ks(regressions[-1])
            *paths, path = self._follow_ks(regressions, [*trains, total], data)
            errors = np.array(list(map(self._errors_along, paths, trains, tests)))
            self.mse_path_ = errors.mean(axis=2).T
            if scorer is None:
                several = data.y.shape[1] > 1
                unit = total.outputs.deviation(constant=1) if several else np.ones(1)
                scores = -(np.sqrt(errors) / unit).mean(axis=2)
            else:
                fitted = partial(self._models_along, dtype=data.X.dtype)
                models = map(fitted, paths, trains)
                scores = score_paths(scorer, models, X, data, folds)
            chosen = self._choose(scores.T)
            self._path, self._moments = path, total
            self.feature_k_ = self._resolve_k(self.k_)
            self._set_solution(path[chosen], data.X.dtype)
            # That scores chose it is no fault, if there was another.
            is_only_choice = all(fit.collapsed for fit in path)
            self._warn_of_solution(path[chosen]._replace(collapsed=is_only_choice))
            warn_of_stuck(total.features, self._feature_names(), data.X.dtype)
            warn_of_silent(total.outputs, regressions[-1].units.constant_outputs())
            warn_if_exact(chain(path, *paths))
        return self

    def _follow_ks(
        self, plain: Sequence[Regression], moments: Sequence[Moments], data: Data
    ) -> list[list[Fit]]:
        """Fits of regressions on these moments for all `ks`.

        The last is the one on all data, which corrects it.
        """
        slopes = [self._resolve_k(k) for k in self.ks_]
        if self.noise is None:
            *of_folds, whole = plain
            return list(self._solve_paths([*of_folds, whole.refined(*data)], slopes))
        # Under noise every k has a regression of its own.
        noisy = [
            [self._under_noise(regression, part, k) for k in self.ks_]
            for regression, part in zip(plain, moments, strict=True)
        ]
        noisy[-1] = [regression.refined(*data) for regression in noisy[-1]]
        return [list(map(self._fit_exactly, one, slopes)) for one in noisy]

    def _errors_along(
        self, path: Sequence[Fit], train: Moments, test: Moments
    ) -> np.ndarray:
        """Mean squared errors on test rows, (n_ks, n_outputs), those under noise."""
        with np.errstate(over="ignore", invalid="ignore"):
            errors = mean_squared_errors(test, path)
        if self.noise is not None:
            noise = self._noise_in(train, self._resolve_noise())
            errors += expected_changes(noise, path)
        if not np.isfinite(errors).all():
            raise ValueError(
                "The squared errors of a fold of cv are no numbers: X or y has test "
                "rows there that are too far from its training rows. Is a value wrong?"
            )
        return errors

    def _models_along(
        self, path: Sequence[Fit], moments: Moments, dtype: np.dtype
    ) -> Iterator[LaiLinearRegressor]:
        """The models of fits to these moments for all `ks`, as if fitted alone."""
        for k, fit in zip(self.ks_, path, strict=True):
            model = make_model(self, LaiLinearRegressor, k)
            if self.noise is not None:
                noise = over_multiple(self.noise, self._resolve_noise(), float(k))
                model.set_params(noise=noise)
            slopes = model._resolve_k(model.k, len(moments.outputs.mean))
            with naming(f"k={k:g} of ks"):
                model._set_model(moments, slopes, fit, dtype)
            yield model

    def _model_at(self, place: int) -> LaiLinearRegressor:
        models = self._models_along(self._path, self._moments, self.coef_.dtype)
        return next(islice(models, place, None))

    def _resolve_ks(self, regression: Regression) -> np.ndarray:
        """The `ks` themselves, or as many as they say."""
        if self.noise is not None and isinstance(self.ks, Integral):
            return multiples(int(self.ks))
        ks = resolve_ks(self.ks, regression)
        check_sizes_of(ks)
        return ks


def _fold_moments(
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[Moments, list[Moments], list[Moments]]:
    """Moments of all rows, and of every fold's training and test rows."""
    tests = [Moments.of(X, y, sample_weight, rows=test) for _, test in folds]
    if _divide_the_data(folds, len(X)):
        # Sums of the others: a difference to all would lose digits to large values.
        before, after = (list(accumulate(part, add)) for part in (tests, tests[::-1]))
        total = before[-1]
        none = Moments.of(X[:0], y[:0])
        trains = list(map(add, [none, *before[:-1]], [*after[-2::-1], none]))
    else:
        total = Moments.of(X, y, sample_weight)
        trains = [Moments.of(X, y, sample_weight, rows=train) for train, _ in folds]
    return total, trains, tests


def _divide_the_data(
    folds: Sequence[tuple[np.ndarray, np.ndarray]], n_samples: int
) -> bool:
    """Whether every sample is tested once and trains on all other folds."""
    times_tested = np.zeros(n_samples, dtype=int)
    for train, test in folds:
        is_trained = np.zeros(n_samples, dtype=bool)
        is_trained[train] = True
        times_tested[test] += 1
        if is_trained[test].any() or not (
            is_trained.sum() == len(train) == n_samples - len(test)
        ):
            return False
    return bool((times_tested == 1).all())
