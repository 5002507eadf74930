"""The site's logo: a local file that the site serves, or a URL."""

from pathlib import Path

from flask import Response, abort, request

from aggregator.models import image_types
from aggregator.models.config import Site

PATH = "/logo"
CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""For an SVG that is opened as a document: it runs no scripts."""


def url(site: Site, root: str) -> str:
    """Return the URL of the logo, "" without one.

    Args:
        site: The configured site.
        root: The address of the site or its path prefix.
    """
    return site.logo if "://" in site.logo or not site.logo else f"{root}{PATH}"


def page_url(site: Site, root: str) -> str:
    """Return the URL of the logo for pages; those of a site of files end as the file does.

    Servers of files tell the type by the ending, which browsers need for SVG.
    """
    address = url(site, root)
    is_file = site.static and address == f"{root}{PATH}"
    return f"{address}{Path(site.logo).suffix.lower()}" if is_file else address


def response(site: Site) -> Response:
    """Return the file; the configuration check made sure that it is an image."""
    if not url(site, "").startswith(PATH):
        abort(404)
    try:
        body = Path(site.logo).read_bytes()
    except OSError:
        abort(404, "The logo file can't be read.")
    logo = Response(body, mimetype=image_types.type_of(body) or "application/octet-stream")
    logo.headers["Content-Security-Policy"] = CSP
    logo.headers["Cache-Control"] = "public, max-age=3600"
    logo.add_etag()
    logo.make_conditional(request)
    return logo
