"""What both linear estimators share: the solution, and what follows from it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from .._base import BaseLaiRegressor
from .._box import MAX_BOXES, Box
from .._noise import Noise
from .._validation import BOOLEAN, check
from .._warnings import warn_caller, warn_of_collapse
from .exact import Fit, Regression
from .moments import Moments
from .path import solve_paths


class BaseLaiLinear(BaseLaiRegressor):
    """A linear model and how it is solved from moments."""

    fit_intercept: Annotated[bool, BOOLEAN]

    coef_: np.ndarray
    intercept_: float | np.ndarray
    objective_: float | np.ndarray
    optimality_: float

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

    def slope_bounds(
        self, lower: Any = None, upper: Any = None, *, max_boxes: int = 1000
    ) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of every slope: the coefficients, whatever the box of inputs.

        The slopes of a linear model are the same everywhere, so that no box has to be
        known. Its parameters are those of
        :meth:`sklearn_lai.LaiMLPRegressor.slope_bounds`.

        Parameters
        ----------
        lower : float, array-like of shape (n_features,) or mapping of \
                {str or int: float or None}, default=None
            Lower ends of the box, in feature units, finite or -inf; None is -inf.
        upper : float, array-like of shape (n_features,) or mapping of \
                {str or int: float or None}, default=None
            Upper ends, finite or inf, not below `lower`; None is inf.
        max_boxes : int, default=1000
            Boxes that a box may be divided into, >= 1; no effect here.

        Returns
        -------
        lower : ndarray of shape (n_features,) or (n_outputs, n_features)
            The coefficients, float64, in target units per feature unit.
        upper : ndarray of shape (n_features,) or (n_outputs, n_features)
            The same.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `lower`, `upper` or `max_boxes` has a value that is not allowed, or
            `lower` is above `upper`.
        TypeError
            If one of them has a wrong type.
        """
        check_is_fitted(self)
        check("max_boxes", max_boxes, MAX_BOXES)
        self._resolve_box(lower, upper, Box.everywhere(self.n_features_in_))
        return self.coef_.astype(np.float64), self.coef_.astype(np.float64)

    def _coef_attributes(
        self, coef: np.ndarray, intercept: np.ndarray, dtype: np.dtype
    ) -> dict[str, Any]:
        """Attributes of coefficients (n_features, n_outputs) and intercepts."""
        is_set = coef != 0
        with np.errstate(over="ignore", under="ignore"):
            coef, intercept = coef.astype(dtype), intercept.astype(dtype)
        is_lost = (np.abs(coef) < np.finfo(dtype).tiny) & is_set
        problem = "small" if is_lost.any() else ""
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            problem = "large"
        if problem:
            raise ValueError(
                f"The coefficients are too {problem} for {np.dtype(dtype).name}: "
                "rescale y or the features of X, raise k or ks, or pass float64 data."
            )
        single = coef.shape[1] == 1
        return {
            "coef_": coef[:, 0] if single else coef.T,
            "intercept_": float(intercept[0]) if single else intercept,
        }

    def _regression(self, moments: Moments) -> Regression:
        """The regression on these moments, under noise if there is some."""
        return self._under_noise(self._plain_regression(moments), moments)

    def _under_noise(
        self, regression: Regression, moments: Moments, k: float = 1.0
    ) -> Regression:
        """The same under noise, if there is some.

        `k` is a multiple of that which follows from the noise; its square divides the
        noise's.
        """
        if self.noise is None:
            return regression
        noise = self._noise_in(moments, self._joint_noise())
        return regression.under(replace(noise, sds=noise.sds / k))

    def _noise_in(self, moments: Moments, noise: Noise) -> Noise:
        """The noise of features that vary: of no deviation there is no share."""
        if not self.standardize:
            return noise
        return noise.without(moments.features.is_constant_but_for_rounding())

    def _plain_regression(self, moments: Moments) -> Regression:
        return Regression.of(
            moments,
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            names=self._feature_names(),
        )

    def _fit_exactly(self, regression: Regression, k: np.ndarray) -> Fit:
        """Solution for resolved boundary slopes."""
        [fit] = next(self._solve_paths([regression], [k]))
        return fit

    def _solve_paths(
        self, regressions: Iterable[Regression], ks: Sequence[np.ndarray]
    ) -> Iterator[list[Fit]]:
        """Solutions of regressions for resolved boundary slopes."""
        return solve_paths(regressions, ks, self.norm, self.l1_ratio, self.lai_fraction)

    def _set_solution(self, fit: Fit, dtype: np.dtype) -> None:
        """Set what is known of an exact solution."""
        vars(self).update(self._coef_attributes(fit.coef, fit.intercept, dtype))
        objectives = np.array([solution.objective for solution in fit.solutions])
        self.objective_ = float(objectives[0]) if len(objectives) == 1 else objectives
        self.optimality_ = max(solution.optimality for solution in fit.solutions)
        self.n_iter_ = max(solution.n_iter for solution in fit.solutions)

    def _warn_of_solution(self, fit: Fit) -> None:
        """Warn if it is a bad one."""
        if fit.collapsed and self.noise is None:  # with noise it may be best
            warn_of_collapse(self)
        if self.optimality_ > self.tol:
            warn_caller(
                "The exact solver stopped where its objective still falls, at a "
                f"relative rate of {self.optimality_:.2g}, above tol={self.tol!r}. "
                "Raise tol, or drop features that are nearly collinear.",
                ConvergenceWarning,
            )
