"""Requests beside those for feeds: the pages of entries, and their hosts' robots.txt."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.models.config import PageRules
from aggregator.models.entry import Author, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTask:
    """Fetch the page of an entry for its text.

    Args:
        entry_id: The entry.
        title: Its title, which the text need not repeat.
        rules: The parts of the page that are its text.
    """

    entry_id: int
    title: str = ""
    rules: PageRules = PageRules()  # noqa: RUF009, frozen

    @property
    def key(self) -> str:
        """The key of the request; no id of a source contains a colon."""
        return f"page:{self.entry_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsTask:
    """Fetch the robots.txt of an origin: scheme, host and port."""

    origin: str

    @property
    def key(self) -> str:
        """The key of the request; no id of a source contains a colon."""
        return f"robots:{self.origin}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPage:
    """The content of an entry's page. Nothing in it may be trusted.

    Args:
        markup: The HTML of its text.
        base: URL that relative references resolve against.
        images: Pictures that its metadata names for previews.
        published: With zone, unclamped; None when absent or unreadable.
    """

    markup: str
    base: str
    images: tuple[Image, ...] = ()
    authors: tuple[Author, ...] = ()
    published: datetime | None = None
