"""glibc's memory allocator, told to keep less of what was freed; other C libraries are left alone.

A batch of new entries allocates tens of megabytes for a second. Of itself, glibc returns little of
it: each thread has a heap of its own, and one block in use at its end keeps the rest.
"""

import ctypes
from functools import cache

_M_ARENA_MAX = -8  # malloc.h


@cache
def _library() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def share_heap() -> None:
    """Let threads that start later share one heap; Python's lock keeps them from competing."""
    if library := _library():
        library.mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Return freed memory to the system; takes a few milliseconds."""
    if library := _library():
        library.malloc_trim(0)
