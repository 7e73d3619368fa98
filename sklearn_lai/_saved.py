"""Objects of ours as plain containers, so that a saved model has no private class.

Libraries that load only what they trust then ask for the estimator's class alone.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def private_hints(owner: type) -> Mapping[str, Any]:
    """Our annotations of the private attributes that instances of a class have."""
    ours = [c for c in owner.__mro__ if c.__module__.startswith("sklearn_lai.")]
    return {
        name: hint
        for c in reversed(ours)
        for name, hint in get_annotations(c).items()
        if name.startswith("_")
    }


def to_plain(value: Any) -> Any:
    """The value, dataclasses and named tuples in it as dicts."""
    names = _fields_of(type(value))
    if names:
        return {name: to_plain(getattr(value, name)) for name in names}
    if type(value) in (list, tuple):
        return type(value)(map(to_plain, value))
    return value


def from_plain(value: Any, hint: Any) -> Any:
    """What was made plain, of the type that an annotation has."""
    if value is None:
        return None
    if get_origin(hint) in (Union, UnionType):  # with None, and nothing else
        [hint] = set(get_args(hint)) - {NoneType}
    if isinstance(hint, type) and _fields_of(hint) and isinstance(value, Mapping):
        hints = get_type_hints(hint)
        return hint(**{name: from_plain(v, hints[name]) for name, v in value.items()})
    items = get_args(hint)
    if get_origin(hint) is list:
        return [from_plain(item, items[0]) for item in value]
    if get_origin(hint) is tuple:
        return tuple(map(from_plain, value, items))
    return value


def _fields_of(kind: type) -> list[str]:
    """Names of the fields of a dataclass or a named tuple, of others none."""
    if is_dataclass(kind):
        return [field.name for field in fields(kind)]
    return list(getattr(kind, "_fields", ()))
