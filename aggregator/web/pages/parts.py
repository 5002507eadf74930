"""The pages of lists in a folder of files, and the names that have a list; pure.

    /stories                the newest entries
    /stories/before/4711    those before entry 4711, down to the next entry that ends a page

An entry ends a page if its id says so, one in `SIZE` on average. So a new entry changes only the
page that it is on, where pages of a fixed size would all move on by one entry.
"""

import re
from collections.abc import Iterator, Sequence

SIZE = 40
"""Entries of a page, on average."""

FEWEST = 20
"""Entries of the first page, unless the list has fewer."""

FEWEST_NAMED = 3
"""Entries from which a category or an author has a page: most have one entry."""

_UNPORTABLE = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]|^[. ]|[. ]$')
"""Parts of names that some file systems refuse."""


def is_portable(name: str) -> bool:
    """Return whether a category or author can name a file on every system."""
    return len(name.encode()) <= 200 and not _UNPORTABLE.search(name)


def has_page(name: str, count: int) -> bool:
    """Return whether a category or author with so many entries has a page."""
    return count >= FEWEST_NAMED and is_portable(name)


def ends_page(entry_id: int) -> bool:
    """Return whether a page ends with an entry."""
    # Ids of one source may all be multiples of the same number; this mixes them.
    return (entry_id * 0x9E3779B1 % 2**32) * SIZE < 2**32


def end(entry_ids: Sequence[int], *, is_first: bool) -> int | None:
    """Return the number of entries of the page that a list begins with, None if it goes on."""
    fewest = FEWEST if is_first else 1
    ends = (at for at, id in enumerate(entry_ids, 1) if at >= fewest and ends_page(id))
    return next(ends, None)


def newer(above: Sequence[int]) -> int:
    """Return the id that the page above begins after, 0 for the first page.

    Args:
        above: The ids above a page, from the page upwards, without the one it begins after.
    """
    at = next((at for at, id in enumerate(above) if ends_page(id)), len(above))
    return above[at] if len(above) - at >= FEWEST else 0


def split(entry_ids: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the pages of a whole list: the id that each begins after, 0 for the first, and its ids.

    The first may be empty.
    """
    before, rest = 0, entry_ids
    while True:
        count = end(rest, is_first=not before) or len(rest)
        yield before, rest[:count]
        if count == len(rest):
            return
        before, rest = rest[count - 1], rest[count:]


def path(list_path: str, before: int) -> str:
    """Return the path of a page of a list."""
    return f"{list_path}/before/{before}" if before else list_path
