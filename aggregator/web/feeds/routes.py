"""Routes of feeds: every view as Atom, RSS and JSON Feed, its archives, and its sources as OPML.

/feeds/all.atom                     /feeds/section/europe.rss?q=nato
/feeds/all/archive/3.atom           /feeds/search.json?q=nato
/feeds/view/nato.opml               /opml
"""

from flask import Blueprint, Response, request

from aggregator.web.feeds.server import FeedServer
from aggregator.web.middleware.representation import ExactResponse


def blueprint(server: FeedServer) -> Blueprint:
    """Return the routes of feeds, for requests that the cache does not serve."""
    routes = Blueprint("feeds", __name__)

    @routes.get("/opml")
    @routes.get("/feeds/<path:_>")
    def feed(_: str = "") -> Response:
        return ExactResponse(server.response(request.environ))

    return routes
