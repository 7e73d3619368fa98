"""Fits in several processes: who takes part, and what has to be the same."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import joblib

from .. import _train
from .._base import Data
from .._peers import ALONE, Peers
from .._validation import BOOLEAN, check

# What processes may have of their own.
OWN = ("random_state", "verbose")
# Values that parameters need, with what for.
NEEDED: Mapping[str, tuple[Any, str]] = {
    "device": ("cpu", "processes compute on CPUs"),
    "memory": (None, "some of the processes might find a result there, and others not"),
    "norm": ("l1", "other norms of the Lai loss are no sums over rows"),
}


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


def check_alike(
    estimator: Any, peers: Peers, rows: Data, validation: Data | None
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
        "The fit before": joblib.hash(getattr(estimator, "coefs_", None)),
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
