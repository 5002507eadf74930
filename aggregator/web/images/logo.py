"""The site's logo: a file of this machine that is served as ours, or a URL elsewhere."""

from pathlib import Path

from flask import Response, abort, request

from aggregator.models import image_types
from aggregator.models.config import Site

PATH = "/logo"
CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Somebody may open the picture alone, and an SVG is a document that could run scripts."""


def url(site: Site) -> str:
    """Return where pages find the logo, "" when the site has none."""
    return site.logo if "://" in site.logo else PATH if site.logo else ""


def response(site: Site) -> Response:
    """Return the file; the configuration was only taken because it is a picture."""
    if url(site) != PATH:
        abort(404)
    try:
        body = Path(site.logo).read_bytes()
    except OSError:
        abort(404, "The file of the logo can't be read any more.")
    made = Response(body, mimetype=image_types.type_of(body) or "application/octet-stream")
    made.headers["Content-Security-Policy"] = CSP
    made.headers["Cache-Control"] = "public, max-age=3600"
    made.add_etag()
    made.make_conditional(request)
    return made
