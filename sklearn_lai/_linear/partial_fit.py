"""Linear models of parts of the data, which their moments add up to one of all."""

from typing import Annotated, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import all_or_nothing, check_data
from .._callbacks import available_if
from .._feature_k import K
from .._tables import check_n_outputs
from .._typing import KLike, LinearSolver
from .._validation import OneOf, shown
from .._warnings import warn_of_silent, warn_of_stuck
from .base import BaseLaiLinear
from .exact import Fit, Regression
from .moments import Moments


def is_exact(estimator: Any) -> bool:
    """Whether the solver is the exact one; no, if it is none, or there is no loss."""
    solver, loss = estimator.solver, estimator.loss
    if not (isinstance(solver, str) and isinstance(loss, str)):
        return False
    return solver == "exact" or (solver == "auto" and loss == "squared_error")


def may_be_exact(estimator: Any) -> bool:
    """Whether there is partial_fit; what is no solver and no loss, it tells itself."""
    solver, loss = estimator.solver, estimator.loss
    is_other = isinstance(loss, str) and loss != "squared_error"
    if isinstance(solver, str) and (
        solver == "adam" or (solver == "auto" and is_other)
    ):
        raise AttributeError(
            "partial_fit, fit_chunks and merge need the exact solver, which has no "
            f"loss but 'squared_error', got solver={solver!r} and loss={loss!r}."
        )
    return True


class PartialFitLinear(BaseLaiLinear):
    """A linear model that keeps the moments of all rows seen."""

    k: Annotated[KLike, K]
    solver: Annotated[LinearSolver, OneOf.of(LinearSolver)]

    n_samples_seen_: int
    _moments: Moments

    @available_if(may_be_exact)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model to these rows and all those of earlier calls.

        Only with the exact solver, and after calls of `fit`, `partial_fit` or `merge`
        with it. The data is kept as its moments, so the result is that of `fit` on all
        rows, in whatever order and parts they come. It differs by rounding, which
        moments magnify by the square of the condition number of the standardised
        features; only `fit` corrects that, by a second pass where it is large. An error
        that may be rounding of moments counts as one of that size: where the data is
        fitted exactly, `k` has an effect here, which in `fit` it has not.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0; None is 1 for every sample.

        Returns
        -------
        LaiLinearRegressor
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
            As for `fit`.
        """
        with all_or_nothing(self):
            self._check_parameters()
            is_first = not hasattr(self, "_moments")
            if is_first:
                self._forget()
            data = check_data(self, X, y, sample_weight, reset=is_first)
            moments, dtype = Moments.of(*data), data.X.dtype
            if not is_first:
                self._check_outputs_of(moments, "y", "in earlier data")
                moments = self._moments + moments
                dtype = np.promote_types(dtype, self.coef_.dtype)
            self._solve(moments, self._regression(moments), dtype)
        return self

    @available_if(may_be_exact)
    def merge(self, other: "PartialFitLinear") -> Self:
        """Fit the model to its own rows and those of another fitted model.

        Only with the exact solver. So parts of the data can be fitted apart, on several
        machines even, and reduced to one model, which is that of `fit` on all rows,
        but for rounding as in `partial_fit`. The hyperparameters are those of this
        model.

        Parameters
        ----------
        other : LaiLinearRegressor
            A model fitted to other rows of the same columns. It is not changed.

        Returns
        -------
        LaiLinearRegressor
            This estimator.

        Raises
        ------
        ValueError
            If the features or outputs of the models differ, or one was not fitted by
            the exact solver.
        NotFittedError
            If one of the models is not fitted.
        TypeError
            If `other` is no LaiLinearRegressor.

        Warns
        -----
        ConvergenceWarning
            As for `fit`.
        """
        if not isinstance(other, PartialFitLinear):
            raise TypeError(
                f"other must be a LaiLinearRegressor, got {shown(other)} of type "
                f"{type(other).__name__}."
            )
        models: dict[str, PartialFitLinear] = {"this model": self, "other": other}
        for name, model in models.items():
            check_is_fitted(model)
            if not hasattr(model, "_moments"):
                raise ValueError(
                    "merge needs models fitted by the exact solver; "
                    f"{name} has solver={model.solver!r} and "
                    f"loss={getattr(model, 'loss', 'squared_error')!r}."
                )
        if columns_of(self) != columns_of(other):
            raise ValueError(
                "merge needs models with the same features, got "
                f"{columns_of(self)} and {columns_of(other)}."
            )
        with all_or_nothing(self):
            self._check_parameters()
            self._check_outputs_of(other._moments, "other", "this model")
            moments = self._moments + other._moments
            dtype = np.promote_types(self.coef_.dtype, other.coef_.dtype)
            self._solve(moments, self._regression(moments), dtype)
        return self

    def _forget(self) -> None:
        """Drop what the last fit left, some of which only one solver sets."""
        for name in list(vars(self)):
            if name.endswith("_") or name == "_moments":
                delattr(self, name)

    def _check_outputs_of(self, moments: Moments, name: str, like: str) -> None:
        """Check that moments are of as many outputs as those of all rows seen."""
        needed, found = (len(m.outputs.mean) for m in (self._moments, moments))
        check_n_outputs(found, needed, name, like)

    def _solve(self, moments: Moments, regression: Regression, dtype: np.dtype) -> Fit:
        """Set the solution of the regression on these moments, and return it."""
        k = self._resolve_k(self.k, len(moments.outputs.mean))
        fit = self._fit_exactly(regression, k)
        self._set_model(moments, k, fit, dtype)
        self._warn_of_solution(fit)
        warn_of_stuck(moments.features, self._feature_names(), dtype)
        warn_of_silent(moments.outputs, regression.units.constant_outputs())
        return fit

    def _set_model(
        self, moments: Moments, k: np.ndarray, fit: Fit, dtype: np.dtype
    ) -> None:
        """Set what a fit to these moments gave."""
        self._moments = moments
        self.n_samples_seen_ = moments.n_rows
        self.feature_k_ = k
        self._set_solution(fit, dtype)


def columns_of(model: BaseLaiLinear) -> list[str] | int:
    """Names of the features, or how many there are."""
    names = model._feature_names()
    return model.n_features_in_ if names is None else names.tolist()
