"""Icons of sources: PNG files whose address changes with their contents, so they cache for good."""

from flask import Blueprint, Response, abort, request

from aggregator.store.database.connection import Store
from aggregator.store.sources import icons
from aggregator.web.images.proxy import CSP

PATH = "/icon"


def path(hash: str) -> str:
    """Return the path of an icon."""
    return f"{PATH}/{hash}.png"


def response(store: Store, hash: str) -> Response:
    """Return an icon; 404 for one that no source has."""
    with store.reading() as db:
        image = icons.image(db, hash)
    if image is None:
        abort(404, "No source has this icon.")
    icon = Response(image, mimetype="image/png")
    icon.headers["Content-Security-Policy"] = CSP
    icon.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    icon.set_etag(hash)
    icon.make_conditional(request)
    return icon


def blueprint(store: Store) -> Blueprint:
    """Return the route of the icons."""
    routes = Blueprint("icons", __name__)
    routes.add_url_rule(f"{PATH}/<hash>.png", "icon", lambda hash: response(store, hash))
    return routes
