"""Fits in several processes: who takes part, and what has to be the same."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import joblib

from .. import _train
from .._base import Data
from .._peers import ALONE, Peers
from .._validation import BOOLEAN, check
from .._warnings import warn_caller

if TYPE_CHECKING:
    from .._train import Trainer

# What processes may have of their own.
OWN = ("random_state", "verbose")
# Values that parameters need, with what for.
NEEDED: Mapping[str, tuple[Any, str]] = {
    "device": ("cpu", "processes compute on CPUs"),
    "memory": (None, "some of the processes might find a result there, and others not"),
    "norm": ("l1", "other norms of the Lai loss are no sums over rows"),
}
# Batches that are so many times as large as asked for are not what was meant.
LARGE = 2


@contextmanager
def peers_of(estimator: Any) -> Iterator[Peers]:
    """The processes of a fit, this one alone unless it is distributed."""
    check("distributed", estimator.distributed, BOOLEAN)
    if not estimator.distributed:
        yield ALONE
        return
    with _train.all_processes() as peers:
        yield peers


def check_can_be_shared(estimator: Any) -> None:
    """Raise an error if a parameter does not go with several processes."""
    for name, (needed, reason) in NEEDED.items():
        value = getattr(estimator, name)
        if estimator.distributed and value != needed:
            raise ValueError(
                f"distributed=True needs {name}={needed!r}, got {name}={value!r}: "
                f"{reason}."
            )
    if estimator.distributed and estimator.solver == "lbfgs":
        raise ValueError(
            "distributed=True needs solver='adam' or 'sgd', got solver='lbfgs', whose "
            "line searches would have to agree in all processes to the last bit."
        )


def warn_of_few_rows(trainer: "Trainer", batch_size: int) -> None:
    """Warn if a process has so few rows that batches are far larger than asked for."""
    sharing = trainer.sharing
    largest = int(sharing.sizes.max())
    if largest > LARGE * batch_size:
        n_rows = min(sharing.peers.gather(len(trainer.batches.X)))
        warn_caller(
            f"Batches have up to {largest} rows in place of {batch_size}, since every "
            f"process needs a row in each, and one has only {n_rows} of "
            f"{sharing.n_samples}. Give all processes about as many rows.",
            UserWarning,
        )


def check_alike(
    estimator: Any, peers: Peers, rows: Data, validation: Data | None, *, is_warm: bool
) -> None:
    """Raise an error if data or parameters do not go with those of other processes."""
    if peers.number == 1:
        return
    names = getattr(estimator, "feature_names_in_", None)
    parameters = estimator.get_params(deep=False)
    of_validation = None if validation is None else validation.sample_weight
    facts = {
        "n_features": rows.X.shape[1],
        "The names of the columns of X": None if names is None else names.tolist(),
        "The type of X": str(rows.X.dtype),
        "The number of columns of y": rows.y.shape[1],
        "Whether there is a sample_weight": rows.sample_weight is not None,
        "Whether there is an X_val": validation is not None,
        "Whether there is a sample_weight_val": of_validation is not None,
        "Whether there is a fit to start from": is_warm,
        "The fit to start from": joblib.hash(estimator.coefs_) if is_warm else None,
        **{name: joblib.hash(parameters[name]) for name in parameters.keys() - OWN},
    }
    shown = {**facts, **{name: repr(value) for name, value in parameters.items()}}
    for rank, (others, others_shown) in enumerate(peers.gather((facts, shown))):
        for name in sorted(facts):
            if facts[name] != others[name]:
                raise ValueError(
                    f"{name} must be the same in all processes of a fit, got "
                    f"{shown[name]} in process {peers.rank} and {others_shown[name]} "
                    f"in process {rank}."
                )
