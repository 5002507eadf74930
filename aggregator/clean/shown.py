"""Reduce an entry to the parts that the configuration shows (`content`)."""

from dataclasses import replace

from aggregator.clean.html.tags import escape
from aggregator.models.config import Content
from aggregator.models.entry import Entry, SafeHtml


def reduce(entry: Entry, content: Content) -> Entry:
    """Return an entry as it is stored; the fingerprint stays that of all of its text.

    Args:
        entry: As published.
        content: `excerpt` leaves the first words of the text, `link` none, and no picture or file.
    """
    match content:
        case Content.EXCERPT:
            words = f"<p>{escape(entry.summary)}</p>" if entry.summary else ""
            return replace(entry, content=SafeHtml(words), text=entry.summary)
        case Content.LINK:
            return replace(
                entry,
                content=SafeHtml(""),
                text="",
                summary="",
                image=None,
                enclosures=(),
                extensions=(),
            )
        case _:
            return entry
