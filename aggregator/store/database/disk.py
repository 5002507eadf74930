"""How much room the database takes, and how much is left."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Sizes in bytes: the database, its write-ahead log (WAL), and free space; 0 if unknown."""

    database: int
    wal: int
    free: int


def usage(path: str) -> DiskUsage:
    """Return the sizes for the database at a path."""
    try:
        free = shutil.disk_usage(Path(path).parent).free
    except OSError:
        free = 0
    return DiskUsage(_size(path), _size(f"{path}-wal"), free)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
