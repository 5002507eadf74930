"""Dataclasses with every field set to a different value of its type."""

import itertools
import types
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def filled(kind: Any, numbers: Iterator[int] | None = None) -> Any:
    """Return a value of a type, different from all earlier values of `numbers`."""
    numbers = numbers or itertools.count(1)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, typing.NewType):
        return filled(kind.__supertype__, numbers)
    if origin is types.UnionType:
        return filled(arguments[0], numbers)
    if origin is tuple:
        kinds = arguments[:1] * 2 if arguments[-1] is Ellipsis else arguments
        return tuple(filled(each, numbers) for each in kinds)
    if origin is frozenset:
        return frozenset({filled(arguments[0], numbers)})
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind)
        return kind(**{name: filled(hint, numbers) for name, hint in hints.items()})
    return _plain(kind, next(numbers))


def _plain(kind: Any, number: int) -> Any:
    values = {
        bool: True,
        int: number,
        str: f"text {number}",
        bytes: f"bytes {number}".encode(),
        float: number / 2,
        datetime: START + timedelta(minutes=number),
        timedelta: timedelta(seconds=number),
    }
    return values[kind]
