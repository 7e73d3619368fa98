"""scikit-learn's callbacks, where it has them (1.9), and its decorators, with types."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.utils import metaestimators

from ._recipe.watch import MakeLayers, Watch

# A type checker that met two classes of this name would take the stand-in.
if TYPE_CHECKING:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
else:
    try:
        from sklearn.callback import CallbackSupportMixin
        from sklearn.callback import with_callbacks as _with_callbacks
    except ImportError:  # scikit-learn < 1.9

        class CallbackSupportMixin:
            """Stands in for the class that brings `set_callbacks`."""

        def _with_callbacks(method):
            """Stands in for the decorator of `fit`."""
            return method


__all__ = ["CallbackSupportMixin", "available_if", "watched", "with_callbacks"]

Method = TypeVar("Method", bound=Callable[..., Any])


# scikit-learn has no types, so that a method it decorates would be Any.
def with_callbacks(method: Method) -> Method:
    """scikit-learn's decorator of `fit`; the method keeps its type."""
    return _with_callbacks(method)


def available_if(condition: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """scikit-learn's decorator of methods; the method keeps its type."""
    return metaestimators.available_if(condition)


class CallbackWatch(Watch):
    """Tells the callbacks of an estimator of the epochs of its fit."""

    def __init__(self, estimator: Any, context: Any, *, verbose: bool, may_stop: bool):
        super().__init__(verbose=verbose)
        self._estimator = estimator
        self._context = context
        self._may_stop = may_stop

    def begin_stage(self, name: str, n_epochs: int) -> None:
        self._of_stage = self._context.subcontext(name, max_subtasks=n_epochs)
        self._of_stage.call_on_fit_task_begin(estimator=self._estimator)

    def begin_epoch(self) -> None:
        self._of_epoch = self._of_stage.subcontext("epoch")
        self._of_epoch.call_on_fit_task_begin(estimator=self._estimator)

    def end_epoch(self, make_layers: MakeLayers | None = None) -> bool:
        estimator = self._estimator
        is_to_stop = self._of_epoch.call_on_fit_task_end(
            estimator=estimator,
            reconstruction_attributes=make_layers
            and (lambda: estimator._attributes_of(make_layers())),
        )
        return bool(is_to_stop) and self._may_stop

    def end_stage(self) -> None:
        self._of_stage.call_on_fit_task_end(estimator=self._estimator)


@contextmanager
def watched(
    estimator: Any, *, n_stages: int = 0, may_stop: bool = True, may_print: bool = True
) -> Iterator[Watch]:
    """What watches a fit of so many stages; to be opened before anything is changed.

    `may_stop` is whether callbacks may end a stage.
    """
    verbose = may_print and getattr(estimator, "verbose", False)
    verbose = isinstance(verbose, int | np.integer | np.bool_) and bool(verbose)
    if not hasattr(estimator, "_init_callback_context"):
        yield Watch(verbose=verbose)
        return
    context = estimator._init_callback_context(max_subtasks=n_stages)
    context.call_on_fit_task_begin(estimator=estimator)
    yield CallbackWatch(estimator, context, verbose=verbose, may_stop=may_stop)
    context.call_on_fit_task_end(estimator=estimator)
