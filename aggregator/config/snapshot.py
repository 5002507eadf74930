"""Keep a copy of the last valid configuration, for processes that start with a broken file."""

import contextlib
import os
from pathlib import Path

SUFFIX = ".config"
"""Ends the name of the copy, which is beside the database. `${NAME}` stays unexpanded in it."""


def path_for(storage: str) -> str:
    """Return the path of the copy for a database."""
    return f"{storage}{SUFFIX}"


def save(path: str, text: str) -> None:
    """Replace the copy, readable by its owner only; raises OSError."""
    if read(path) == text:
        return
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8", opener=_open_private) as file:
        file.write(text)
    Path(temporary).replace(path)


def read(path: str) -> str | None:
    """Return the text of the copy, None if there is none."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return Path(path).read_text(encoding="utf-8")
    return None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
