"""The stylesheet and the other static files of the pages."""

from pathlib import Path
from zlib import crc32

from flask import Response, abort, request

from aggregator.models.config import Config

STATIC = Path(__file__).parent.parent / "static"
STATIC_TYPES = {"site.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Stylesheet:
    """The stylesheet: the built-in one, then the accent and the CSS of the configuration."""

    def __init__(self) -> None:
        """Read the built-in stylesheet."""
        self._built_in = (STATIC / "style.css").read_text(encoding="utf-8")

    def url(self, config: Config) -> str:
        """Return a URL that changes with the contents, so that browsers may cache it for good."""
        return f"/style.css?v={crc32(self._text(config).encode()):08x}"

    def response(self, config: Config) -> Response:
        """Return the stylesheet as a response."""
        response = Response(self._text(config), mimetype="text/css")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    def _text(self, config: Config) -> str:
        accent = f":root {{ --accent: {config.site.accent}; }}\n" if config.site.accent else ""
        return f"{self._built_in}{accent}{config.site.css}"


def static_file(name: str) -> Response:
    """Return a static file by name; 404 for other names."""
    if name not in STATIC_TYPES:
        abort(404)
    # Read whole, not streamed: no file handle stays open.
    response = Response((STATIC / name).read_bytes(), mimetype=STATIC_TYPES[name])
    response.add_etag()
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.make_conditional(request)
    return response
