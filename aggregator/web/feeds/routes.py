"""Routes of feeds: every view as Atom, RSS and JSON Feed, its archives, and its sources as OPML.

/feeds/all.atom                     /feeds/section/europe.rss?q=nato
/feeds/all/archive/3.atom           /feeds/search.json?q=nato
/feeds/view/nato.opml               /opml
"""

from collections.abc import Callable

from flask import Blueprint, Response, request

from aggregator.formats.merged import MergedFeed
from aggregator.web.feeds.navigation import wants_page
from aggregator.web.feeds.server import FeedServer
from aggregator.web.middleware.representation import ExactResponse


def blueprint(server: FeedServer, page: Callable[[MergedFeed, str], Response]) -> Blueprint:
    """Return the routes of feeds, for requests that the cache does not serve.

    Args:
        server: Responds to feed readers.
        page: Returns what a browser shows for a feed in a format.
    """
    routes = Blueprint("feeds", __name__)

    @routes.get("/opml")
    @routes.get("/feeds/<path:_>")
    def feed(_: str = "") -> Response:
        if wants_page(request.environ) and (requested := server.feed(request.environ)):
            return page(*requested)
        return ExactResponse(server.response(request.environ))

    return routes
