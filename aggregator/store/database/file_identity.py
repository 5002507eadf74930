"""Which file the database is: notices one that was removed or replaced while it is open.

An open connection keeps using a removed file, and every later write would be lost. `aggregator
restore` leaves a note beside its file, so that a running process can tell it from any other.
"""

import os
from pathlib import Path


def read(path: str) -> str:
    """Return the device and inode of the file at a path, "" if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116, much faster, and done for each block
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"


def mark_restored(path: str, identity: str) -> None:
    """Note that the file with this identity becomes the database by a restore."""
    _note(path).write_text(identity, encoding="ascii")


def is_restored(path: str, identity: str) -> bool:
    """Return whether the file with this identity came by a restore."""
    try:
        return _note(path).read_text(encoding="ascii") == identity
    except (OSError, ValueError):
        return False


def _note(path: str) -> Path:
    return Path(f"{path}.restored")
