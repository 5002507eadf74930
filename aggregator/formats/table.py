"""The output formats of merged feeds: a module that renders, and a row here, make a format.

Addresses, links, content types, topics of WebSub and the help page follow this table.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aggregator.formats import atom, jsonfeed, rss
from aggregator.formats.merged import MergedFeed
from aggregator.models.messages import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """An output format.

    Args:
        name: The ending of addresses: `/feeds/all.NAME`.
        label: The name that people know.
        hint: Which programs read it, as a sentence.
        media_type: Of links to documents.
        content_type: Of the documents themselves, with the charset where the type needs one.
    """

    name: str
    label: str
    hint: str
    media_type: str
    content_type: str
    render: Callable[[MergedFeed], bytes]


_ROWS = (
    Format(
        name="atom",
        label="Atom",
        hint=N_("For every feed reader; the best choice if you don’t know."),
        media_type=atom.TYPE,
        content_type=f"{atom.TYPE}; charset=utf-8",
        render=atom.render,
    ),
    Format(
        name="rss",
        label="RSS",
        hint=N_("For every feed reader, and for podcast apps."),
        media_type=rss.TYPE,
        content_type=f"{rss.TYPE}; charset=utf-8",
        render=rss.render,
    ),
    Format(
        name="json",
        label="JSON Feed",
        hint=N_("For newer feed readers and for scripts."),
        media_type=jsonfeed.TYPE,
        content_type=jsonfeed.TYPE,  # defined to be UTF-8
        render=jsonfeed.render,
    ),
)

FORMATS = {row.name: row for row in _ROWS}
"""The formats by name, in the order in which they are offered."""

OPML = "opml"
"""The ending of the list of sources behind a view, which is no merged feed."""

ENDINGS = (*FORMATS, OPML)
"""All endings of a view's addresses under `/feeds/`."""
