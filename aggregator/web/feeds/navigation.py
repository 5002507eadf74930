"""Chooses the representation of a feed: the feed itself, or in a browser a page that explains it.

Only a request that opens an address in a browser's tab gets the page. Feed readers, other programs
and scripts get the feed, and so does a browser with `?raw`.
"""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from aggregator.formats.table import FORMATS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

RAW = "raw"
"""Query parameter with which a browser gets the feed itself."""

VARY = "Sec-Fetch-Dest, Upgrade-Insecure-Requests"
"""Fields that feeds vary by. Feed readers send neither, so a shared cache keeps one copy for them.

Accept is not listed: it counts only in requests with the second field, and has a value of its own
in each feed reader.
"""

_FEED_TYPES = (*(row.media_type for row in FORMATS.values()), "application/xml", "text/xml")


def wants_page(environ: "WSGIEnvironment") -> bool:
    """Return whether a request for a feed comes from a browser that opens it in a tab.

    Browsers send Sec-Fetch-Dest (W3C Fetch Metadata) over https and to localhost only. Without
    it, the request must ask for secure pages and prefer HTML, as browsers do when they navigate.
    """
    destination = environ.get("HTTP_SEC_FETCH_DEST")
    if destination is None:
        if environ.get("HTTP_UPGRADE_INSECURE_REQUESTS") != "1" or not _prefers_html(environ):
            return False
    elif destination != "document":
        return False
    return RAW not in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _prefers_html(environ: "WSGIEnvironment") -> bool:
    accept = parse_accept_header(environ.get("HTTP_ACCEPT"), MIMEAccept)
    return accept.quality("text/html") > max(map(accept.quality, _FEED_TYPES))
