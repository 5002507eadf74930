"""The stylesheet and the other static files of the pages."""

import re
from pathlib import Path
from zlib import crc32

from flask import Response, abort, jsonify, request

from aggregator.models.config import Config
from aggregator.web.pages import colours

STATIC = Path(__file__).parent.parent / "static"
STATIC_TYPES = {
    "operations.css": "text/css",
    "site.js": "text/javascript",
    "theme.js": "text/javascript",
    "search.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "icon-180.png": "image/png",
    "icon-512.png": "image/png",
    "favicon.ico": "image/x-icon",
}
ICONS = {"/favicon.ico": "favicon.ico", "/apple-touch-icon.png": "icon-180.png"}
"""Addresses at which browsers look for an icon without being told, and its static file."""

SHEETS = (
    "base", "masthead", "front", "lists", "entry", "features", "icons", "embed", "forms", "print",
)  # fmt: skip
"""The files of `static/style`, in the order of the cascade."""


class Stylesheet:
    """The stylesheet: the built-in one, then the accent and the CSS of the configuration."""

    def __init__(self) -> None:
        """Read the built-in stylesheet."""
        folder = STATIC / "style"
        sheets = ((folder / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS)
        self._built_in = compact_css("".join(sheets))

    def url(self, config: Config) -> str:
        """Return a URL that changes with the contents, so that browsers may cache it for good."""
        return f"/style.css?v={_version(self._text(config).encode())}"

    def response(self, config: Config) -> Response:
        """Return the stylesheet as a response."""
        response = Response(self._text(config), mimetype="text/css")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    def _text(self, config: Config) -> str:
        accent = colours.accent_rules(config.site.accent) if config.site.accent else ""
        return f"{self._built_in}{accent}{config.site.css}"


def static_urls() -> dict[str, str]:
    """Return the URL of each static file; it changes with the contents."""
    return {name: f"/static/{name}?v={_version(_body(name))}" for name in STATIC_TYPES}


def manifest(config: Config, root: str) -> Response:
    """Return the web manifest, by which a browser installs the site as an app (W3C)."""
    icons = (("icon-512.png", "512x512"), ("icon-180.png", "180x180"), ("icon.svg", "any"))
    urls, site = static_urls(), config.site
    fields = {
        "name": site.title,
        "description": site.description,
        "lang": site.language,
        "start_url": f"{root}/",
        "scope": f"{root}/",
        "display": "minimal-ui",
        "background_color": colours.LIGHT_PAPERS[0],
        "theme_color": colours.LIGHT_PAPERS[0],
        "icons": [
            {"src": f"{root}{urls[name]}", "sizes": sizes, "type": STATIC_TYPES[name]}
            for name, sizes in icons
        ],
    }
    response = jsonify(fields)
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def static_file(name: str) -> Response:
    """Return a static file by name; 404 for other names."""
    if name not in STATIC_TYPES:
        abort(404)
    body = _body(name)
    response = Response(body, mimetype=STATIC_TYPES[name])
    response.add_etag()
    is_current = request.args.get("v") == _version(body)
    lifetime = "max-age=31536000, immutable" if is_current else "max-age=3600"
    response.headers["Cache-Control"] = f"public, {lifetime}"
    response.make_conditional(request)
    return response


def _body(name: str) -> bytes:
    # Read whole, not streamed: no file handle stays open.
    body = (STATIC / name).read_bytes()
    compact = _COMPACT.get(Path(name).suffix)
    return compact(body.decode()).encode() if compact else body


def compact_css(css: str) -> str:
    """Return a stylesheet without comments and line breaks.

    Strings in it must hold no comment, and no space beside a brace, comma or semicolon.
    """
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return re.sub(r" ?([{};,]) ?", r"\1", re.sub(r"\s+", " ", css)).strip()


def compact_script(script: str) -> str:
    """Return a script without indentation, empty lines and comments on lines of their own."""
    lines = (line.strip() for line in script.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


_COMPACT = {".css": compact_css, ".js": compact_script}


def _version(body: bytes) -> str:
    return f"{crc32(body):08x}"
