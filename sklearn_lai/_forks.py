"""Forks of this process, which neither the threads of torch nor an import survive."""

import os
import threading

# Who holds it makes forks in other threads wait.
fork_lock = threading.RLock()
_is_forked = False


def is_forked() -> bool:
    """Whether this process is a fork of one that had the package."""
    return _is_forked


def _go_on_in_child() -> None:
    global _is_forked
    _is_forked = True
    fork_lock.release()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=fork_lock.acquire,
        after_in_parent=fork_lock.release,
        after_in_child=_go_on_in_child,
    )
