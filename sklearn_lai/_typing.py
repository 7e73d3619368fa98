"""Types of what users pass, for type checkers; what is checked is in _validation."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

Activation = Literal["identity", "logistic", "tanh", "relu", "softplus", "silu", "gelu"]
Device = Literal["cpu", "cuda", "mps", "auto"]
LaiError = Literal["mean", "own"]
LearningRate = Literal["constant", "invscaling", "adaptive"]
LinearSolver = Literal["auto", "exact", "adam"]
Loss = Literal["squared_error", "absolute_error", "huber", "quantile"]
MLPSolver = Literal["adam", "sgd", "lbfgs"]
Norm = Literal["l1", "l2", "elasticnet"]


class SupportsArray(Protocol):
    """An array of NumPy, or what becomes one: of pandas, polars, torch and the like."""

    def __array__(self) -> np.ndarray: ...


@runtime_checkable
class SupportsCache(Protocol):
    """An object with the joblib.Memory interface."""

    def cache(self, *args: Any, **kwargs: Any) -> Any: ...


class SupportsSplit(Protocol):
    """A cross-validation splitter."""

    def split(
        self, X: Any, y: Any = ..., groups: Any = ..., /
    ) -> Iterable[tuple[Any, Any]]: ...


# NumPy's ArrayLike takes any str, too, so that no misspelt value would be noticed.
Numbers = Sequence[float] | SupportsArray
HiddenLayerSizes = int | Sequence[int] | SupportsArray
KLike = float | Numbers | Sequence[Sequence[float]] | Sequence[SupportsArray]
KsLike = int | Numbers

# The keys of a mapping are invariant: a dict[str, float] is no Mapping[str | int, ...].
FeatureKLike = (
    Mapping[str, float | None]
    | Mapping[int, float | None]
    | Mapping[str | int, float | None]
    | None
)
NoiseLike = float | Numbers | Sequence[Sequence[float]] | FeatureKLike

Folds = int | SupportsSplit | Iterable[tuple[Any, Any]] | None
MemoryLike = str | PathLike[str] | SupportsCache | None
Tolerance = float | Literal["1se"]
Scoring = str | Callable[..., float] | None
RandomState = int | np.random.RandomState | None
