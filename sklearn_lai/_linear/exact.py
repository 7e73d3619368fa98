"""Linear Lai Training solved exactly: from moments of the data to coefficients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from .._noise import Noise
from .._units import Units
from .._warnings import COLLAPSED_SHARE, warn_caller
from .error import LARGEST_SLOPE, LEAST_SLOPE, Gram, Quadratic
from .moments import Moments, triangle, with_rows
from .objective import Problem
from .solver import Solution

# Condition number of a Gram matrix from which on the rows are visited again.
ILL_CONDITIONED = 1e7
# Share of the target's mean square below which the same holds for the error left.
UNCLEAR = 1e-6


class Fit(NamedTuple):
    """Coefficients (n_features, n_outputs) and intercepts in the units of the data.

    `solutions` has one per output, in the units of training; `unit` is that of outputs.
    The fit is exact if an output that varies has an exact solution.
    """

    coef: np.ndarray
    intercept: np.ndarray
    solutions: list[Solution]
    unit: np.ndarray
    collapsed: bool
    is_exact: bool


@dataclass(frozen=True)
class Regression:
    """A linear regression: units of training, and the mean squared error per output.

    `is_constant` has the outputs that are so but for rounding.

    The error is the one expected under `noise`, if there is some, in units of training.
    """

    units: Units
    errors: list[Quadratic]
    is_constant: np.ndarray
    noise: Noise | None = None

    @classmethod
    def of(
        cls,
        moments: Moments,
        *,
        fit_intercept: bool,
        standardize: bool,
        names: np.ndarray | None,
    ) -> Self:
        """Regression on moments; `names` are those of the features, for errors."""
        n_features = moments.n_features
        # In the units of the data, too, means are centred: the intercept is solved for.
        units = Units.of(
            (moments.features, moments.outputs),
            standardize=standardize,
            centre=fit_intercept,
            names=names,
        )
        unit = np.append(units.X.unit, units.y.unit)
        products = moments.mean_products(centre=fit_intercept)
        # Divided one after the other: the product of two units may overflow.
        products = products / unit[:, None] / unit
        products[:, n_features + np.flatnonzero(units.constant_outputs())] = 0
        gram = Gram(products[:n_features, :n_features])
        if not standardize:
            _check_slopes(gram, products[:n_features, n_features:], names)
        # As many parameters as rows leave no error.
        residual = 0.0 if moments.n_rows <= gram.rank + fit_intercept else None
        return cls(
            units,
            [
                Quadratic(
                    gram,
                    correlation=products[:n_features, j],
                    power=products[j, j],
                    residual=residual,
                )
                for j in range(n_features, len(products))
            ],
            moments.outputs.is_constant_but_for_rounding(),
        )

    def under(self, noise: Noise) -> Self:
        """The same, not yet refined, under noise."""
        gram = Gram(self.errors[0].gram.matrix + noise.covariance())
        errors = [replace(mse, gram=gram, residual=None) for mse in self.errors]
        return replace(self, errors=errors, noise=noise)

    def refined(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> Self:
        """The same from another pass over the rows, if moments do not tell enough.

        They lose twice the digits that the data's condition number costs, and half of
        all in the error that is left.
        """
        gram = self.errors[0].gram
        is_cut = gram.rank < np.count_nonzero(np.diag(gram.matrix))
        unclear = [
            mse.residual is None
            and (is_cut or mse.is_exact or mse.least < UNCLEAR * mse.power)
            for mse in self.errors
        ]
        if gram.condition < ILL_CONDITIONED and not any(unclear):
            return self
        n_features, n_outputs = X.shape[1], len(self.errors)
        root = triangle(X, y, sample_weight, self.units)
        if self.noise:
            no_targets = np.zeros((n_features, n_outputs))
            root = with_rows(root, np.hstack([self.noise.root().T, no_targets]))
        gram = Gram(self.errors[0].gram.matrix, root[:n_features, :n_features])
        offset = np.abs(self.units.y.mean) / self.units.y.unit
        errors = [
            Quadratic.of_root(gram, mse, root[:, n_features + j], float(offset[j]))
            for j, mse in enumerate(self.errors)
        ]
        return replace(self, errors=errors)

    def problems(
        self, k: np.ndarray, lai_fraction: float, l1_ratio: float
    ) -> list[Problem]:
        """The Lai objective of every output.

        `k` has shape (n_features,) or (n_outputs, n_features). Features that are always
        0, in the units of training, have no influence, so their directions are left
        out.
        """
        k = np.where(np.diag(self.errors[0].gram.matrix) == 0, np.nan, k)
        k = np.broadcast_to(k, (len(self.errors), k.shape[-1]))
        # With no direction left the loss is the plain one.
        fractions = np.where(np.isnan(k).all(axis=1), 0.0, lai_fraction).tolist()
        return [
            Problem(mse, k_of_output, fraction, l1_ratio)
            for mse, k_of_output, fraction in zip(
                self.errors, k, fractions, strict=True
            )
        ]

    def fit_of(self, solutions: Sequence[Solution]) -> Fit:
        """The model of a solution per output."""
        coef = np.stack([solution.coef for solution in solutions], axis=1)
        is_exact = [solution.is_exact for solution in solutions]
        return Fit(
            *self._fold(coef),
            list(solutions),
            self.units.y.unit,
            collapsed=any(map(_collapses, self.errors, solutions)),
            is_exact=bool((is_exact & ~self.is_constant).any()),
        )

    def _fold(self, coef: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and intercepts in the units of the data."""
        no_intercept = np.zeros(coef.shape[1])
        (coef,), (intercept,) = self.units.fold(([coef], [no_intercept]))
        return coef, intercept


def warn_if_exact(fits: Iterable[Fit]) -> None:
    """Warn if least squares leaves no error in one of these fits."""
    if any(fit.is_exact for fit in fits):
        warn_caller(
            "Least squares fits the training data exactly, so that k has no effect: "
            "the Lai loss multiplies an error, and there is none. Give an estimator "
            "noise, take fewer features or more rows.",
            UserWarning,
        )


def expected_changes(noise: Noise, fits: Sequence[Fit]) -> np.ndarray:
    """Expected squared changes of outputs of fits by noise, (n_fits, n_outputs).

    The noise is in units of training.
    """
    coef = np.array([[solution.coef for solution in fit.solutions] for fit in fits])
    return np.square(fits[0].unit) * noise.variance_of(coef)


def mean_squared_errors(moments: Moments, fits: Sequence[Fit]) -> np.ndarray:
    """Mean squared errors of fits on rows with these moments, (n_fits, n_outputs)."""
    products = moments.mean_products(centre=True)
    coef = np.stack([fit.coef for fit in fits])
    intercept = np.stack([fit.intercept for fit in fits])
    bias = moments.outputs.mean - intercept - moments.features.mean @ coef
    # Products of deviations of the residuals, which are linear in the columns.
    identity = np.eye(coef.shape[2])
    identity = np.broadcast_to(identity, (len(coef), *identity.shape))
    residual = np.concatenate([-coef, identity], axis=1)
    variance = (residual * (products @ residual)).sum(axis=1)
    return np.maximum(variance, 0) + np.square(bias)


def _check_slopes(
    gram: Gram, correlations: np.ndarray, names: np.ndarray | None
) -> None:
    """Raise an error if slopes, in the units of the data, are of no usual size."""
    power = np.diag(gram.matrix)[:, None]
    slopes = np.abs(
        np.divide(correlations, power, where=power > 0, out=0 * correlations)
    )
    is_wrong = (slopes > LARGEST_SLOPE) | ((slopes < LEAST_SLOPE) & (slopes > 0))
    for column in np.flatnonzero(is_wrong.any(axis=1)):
        which = column if names is None else repr(names[column])
        raise ValueError(
            f"The slope of y to column {which} of X is {slopes[column].max():.2g}, too "
            "far from 1 to compute with: rescale X or y, or keep standardize=True."
        )


def _collapses(mse: Quadratic, solution: Solution) -> bool:
    """Whether predictions hardly vary, though those of least squares did."""
    least_squares, lai = mse.explained(mse.minimum), mse.explained(solution.coef)
    return bool(lai < COLLAPSED_SHARE * mse.power <= least_squares)
