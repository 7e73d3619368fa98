"""The first stage kept in `memory`, and checked when it is taken from there."""

import pickle
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import joblib

from .. import _train
from .._recipe.data import TrainingData
from .._recipe.recipe import Recipe
from .._recipe.record import Snapshot
from .._warnings import warn_caller

if TYPE_CHECKING:
    from .._train import Trainer

Arguments = tuple[TrainingData, Recipe, Mapping[str, Any]]


def remembered_pretraining(
    memory: joblib.Memory, arguments: Arguments, trainer: "Trainer"
) -> Snapshot:
    """What the first stage makes of its arguments, by the trainer if not looked up.

    What is not as it was stored is replaced.
    """
    # Computed here, since results are checked by it: joblib's own is not told.
    key = joblib.hash(arguments, coerce_mmap=True)
    run = memory.cache(_packed_pretraining, ignore=["arguments", "trainer"])
    snapshot = _unpacked(key, run(key, arguments, trainer))
    if snapshot is not None:
        return snapshot
    warn_caller(
        f"A result of the first stage in memory ({memory!r}) is not as it was stored "
        "and is computed again.",
        UserWarning,
    )
    # What only has the interface of `cache` cannot replace it.
    getattr(run, "call", _packed_pretraining)(key, arguments, trainer)
    return trainer.snapshot()


def _packed_pretraining(
    key: str, arguments: Arguments, trainer: "Trainer"
) -> tuple[bytes, bytes]:
    """The result of the first stage as bytes, with the checksum for this key."""
    packed = pickle.dumps(_train.run_pretraining(*arguments, trainer))
    return packed, _checksum(key, packed)


def _unpacked(key: str, result: object) -> Snapshot | None:
    """What was packed; None if the bytes are not what they were, or of another key."""
    match result:
        case (bytes() as packed, checksum) if checksum == _checksum(key, packed):
            return pickle.loads(packed)
    return None


def _checksum(key: str, packed: bytes) -> bytes:
    return sha256(key.encode() + packed).digest()
