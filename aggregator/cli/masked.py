"""Masks the secrets of the configuration in everything that this process prints or logs."""

import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from aggregator.policy.masking import Masker

_masker: "Masker | None" = None


def hide(secrets: Iterable[str]) -> None:
    """Mask these secrets from now on; the loaded configuration names them."""
    from aggregator.policy.masking import Masker  # not needed until a configuration is read

    global _masker
    _masker = Masker(secrets)


def text(value: str) -> str:
    """Return text without secrets."""
    return _masker.text(value) if _masker else value


def body(value: bytes) -> bytes:
    """Return UTF-8 without secrets."""
    return _masker.body(value) if _masker else value


class Stream:
    """`sys.stdout` or `sys.stderr` as they are at each write, without secrets."""

    def __init__(self, name: str) -> None:
        """Wrap the stream of this name in `sys`."""
        self._name = name

    def write(self, value: str) -> int:
        """Write a text with its secrets masked."""
        written: int = getattr(sys, self._name).write(text(value))
        return written

    def __getattr__(self, attribute: str) -> Any:
        """Delegate everything else."""
        return getattr(getattr(sys, self._name), attribute)


STDOUT, STDERR = cast("IO[str]", Stream("stdout")), cast("IO[str]", Stream("stderr"))
