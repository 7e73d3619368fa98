"""Linear models of data in chunks, the moments of which are made where the data is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain, zip_longest
from operator import add
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from .._base import all_or_nothing, check_data
from .._callbacks import available_if
from .._folds import naming
from .._tables import check_n_outputs
from .._validation import JOBS, Iterated, check, shown
from .moments import Moments
from .partial_fit import PartialFitLinear, columns_of, may_be_exact

CHUNKS = Iterated("an iterable of tuples (X, y) or (X, y, sample_weight)")


class ChunksLinear(PartialFitLinear):
    """A linear model that chunks on several processes or machines can make."""

    @available_if(may_be_exact)
    def fit_chunks(self, chunks: Any, *, n_jobs: int | None = None) -> Self:
        """Fit the model to data in chunks, each of which is read once.

        Only with the exact solver. Of every chunk only the moments are kept, which are
        summed; so data of any size is fitted, by threads, or by Dask where it lies: all
        that travels are ``(n_features + n_outputs) ** 2`` numbers a chunk. The result
        is that of `fit` on all rows but for rounding, as with `partial_fit`, and
        further calls of that go on from it.

        Parameters
        ----------
        chunks : iterable of (X, y) or (X, y, sample_weight), or one such tuple of Dask
            Chunks of arrays or DataFrames as for `fit`, such as a generator that reads
            files; or of their Dask delayed objects. Or once the collections of Dask, X,
            y and the weights, with equal partitions, with all columns in each.
        n_jobs : int, default=None
            Threads that make moments, as in joblib; None is 1. Of Dask's objects the
            scheduler decides.

        Returns
        -------
        LaiLinearRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If there are no chunks, one has data or columns that are not allowed, which
            is named, or a parameter has a value that is not allowed. An earlier fit is
            kept.
        TypeError
            If `chunks` are none, or a parameter has a wrong type.

        Warns
        -----
        ConvergenceWarning
            As for `fit`.

        See Also
        --------
        partial_fit : Chunks one after the other, with a model after each.
        merge : Models fitted to parts of the data.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_lai import LaiLinearRegressor
        >>> rng = np.random.default_rng(0)
        >>> def read():
        ...     for _ in range(10):
        ...         X = rng.standard_normal((1000, 3))
        ...         yield X, X @ [1.0, 2.0, 0.0] + rng.standard_normal(1000)
        >>> model = LaiLinearRegressor(k=0.1).fit_chunks(read())
        >>> model.n_samples_seen_
        10000
        """
        with all_or_nothing(self):
            self._check_parameters()
            check("n_jobs", n_jobs, JOBS)
            total = _total(clone(self), chunks, n_jobs)
            self._forget()
            self.n_features_in_ = total.moments.n_features
            if isinstance(total.columns, list):
                self.feature_names_in_ = np.array(total.columns, dtype=object)
            self._solve(total.moments, self._regression(total.moments), total.dtype)
        return self


@dataclass(frozen=True)
class Part:
    """Moments of some chunks from a number on, and what their features are."""

    moments: Moments
    dtype: np.dtype
    columns: list[str] | int
    number: int

    def __add__(self, other: Self) -> Self:
        with naming(f"chunk {other.number}"):
            if self.columns != other.columns:
                raise ValueError(
                    f"X must have the columns of chunk {self.number}, {self.columns}, "
                    f"got {other.columns}."
                )
            first, further = (len(part.moments.outputs.mean) for part in (self, other))
            check_n_outputs(further, first, "y", f"chunk {self.number}")
        return type(self)(
            self.moments + other.moments,
            np.promote_types(self.dtype, other.dtype),
            self.columns,
            self.number,
        )


def _total(estimator: PartialFitLinear, chunks: Any, n_jobs: int | None) -> Part:
    """The sum of all chunks, made by Dask if they are its objects."""
    numbered = enumerate(_checked(chunks))
    first = next(numbered, None)
    if first is None:
        raise ValueError("chunks must have at least one chunk, got none.")
    listed = chain([first], numbered)
    if _are_of_dask(first[1]):
        return _summed_by_dask(estimator, listed)
    tasks = (delayed(_part)(estimator, number, *chunk) for number, chunk in listed)
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    return reduce(add, parallel(tasks))


def _part(
    estimator: PartialFitLinear, number: int, X: Any, y: Any, sample_weight: Any = None
) -> Part:
    """What counts of a chunk, of an estimator that is not fitted."""
    estimator = clone(estimator)
    with naming(f"chunk {number}"):
        data = check_data(estimator, X, y, sample_weight)
        moments = Moments.of(*data)
    return Part(moments, data.X.dtype, columns_of(estimator), number)


def _checked(chunks: Any) -> Iterator[tuple[Any, ...]]:
    """The chunks, each of which is a tuple of two or three."""
    check("chunks", chunks, CHUNKS)
    if _are_of_dask(chunks):
        chunks = _partitions(chunks)
    for number, chunk in enumerate(chunks):
        if not (isinstance(chunk, tuple | list) and len(chunk) in (2, 3)):
            raise TypeError(
                "chunks must be tuples (X, y) or (X, y, sample_weight), chunk "
                f"{number} is {shown(chunk)}."
            )
        yield tuple(chunk)


def _are_of_dask(chunk: Any) -> bool:
    """Whether some items of a tuple are collections or delayed objects of Dask."""
    is_tuple = isinstance(chunk, tuple | list)
    return is_tuple and any(hasattr(item, "__dask_graph__") for item in chunk)


def _partitions(collections: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Partitions of rows of collections of Dask, as delayed objects."""
    parts = []
    for collection in collections:
        if not hasattr(collection, "to_delayed"):
            raise TypeError(
                "chunks must be collections of Dask all, or chunks of them, got a "
                f"{type(collection).__name__} beside one."
            )
        parts.append(np.asarray(collection.to_delayed(), dtype=object))
        if parts[-1].ndim == 2 and parts[-1].shape[1] > 1:
            raise ValueError(
                "chunks must have all columns in each partition, got "
                f"{parts[-1].shape[1]} partitions of columns; rechunk as by "
                "X.rechunk({1: -1})."
            )
    if len({len(part) for part in parts}) > 1:
        raise ValueError(
            "chunks must be collections with equal partitions, got "
            f"{', '.join(str(len(part)) for part in parts)} of them."
        )
    return list(zip(*(part.ravel() for part in parts), strict=True))


def _summed_by_dask(
    estimator: PartialFitLinear, chunks: Iterable[tuple[int, tuple[Any, ...]]]
) -> Part:
    """The sum, pair by pair, of what the workers of Dask make of the chunks."""
    import dask

    part, plus = dask.delayed(_part), dask.delayed(add)
    sums = [part(estimator, number, *chunk) for number, chunk in chunks]
    while len(sums) > 1:
        pairs = zip_longest(sums[::2], sums[1::2])
        sums = [one if other is None else plus(one, other) for one, other in pairs]
    return sums[0].compute()
