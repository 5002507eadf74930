"""The image proxy: serves entries' images from this site, so that readers contact no publisher.

    /picture?url=https%3A%2F%2Fnews.example%2Fa.jpg&key=…

Off by default. The key signs the URL, so that only URLs of this site's pages are fetched.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from html import escape, unescape
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, request

from aggregator.models.config import Config
from aggregator.models.entry import SafeHtml
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store
from aggregator.web.images.cache import RETRY, Busy, ImageCache
from aggregator.web.middleware.addresses import root

KEY = "picture_key"
CSP = "default-src 'none'; frame-ancestors 'none'; sandbox"
_IMAGE = re.compile(r'<(?:img|video)(?: [a-z-]+="[^"]*")*>')
_SOURCE = re.compile(r'(?<= )(src|poster)="(https?://[^"]*)"')


class ImageProxy:
    """Rewrites the URLs of images in pages, and serves the images."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve the images of a site; nothing is read or fetched yet."""
        self._config, self._store, self._clock = config, store, clock
        self._key = b""
        self._cache: tuple[Config, ImageCache] | None = None

    @property
    def sources(self) -> str:
        """The img-src of the Content-Security-Policy: sources from which pages may load images."""
        config = self._config()
        if not config.media.proxy:
            return "'self' http: https:"
        logo = urlsplit(config.site.logo)
        return f"'self' {logo.scheme}://{logo.netloc}" if logo.netloc else "'self'"

    def url(self, url: str) -> str:
        """Return the URL of an image for use in a page."""
        if not self._config().media.proxy:
            return url
        return f"{root()}/picture?{urlencode({'url': url, 'key': self._sign(url)})}"

    def content(self, content: SafeHtml) -> SafeHtml:
        """Return an entry's content with the URLs of its images rewritten."""
        if not self._config().media.proxy:
            return content
        return SafeHtml(_IMAGE.sub(lambda tag: self._rewrite(tag[0]), content))

    def _rewrite(self, tag: str) -> str:
        only_poster = tag.startswith("<video")

        def proxied(attribute: re.Match[str]) -> str:
            if only_poster and attribute[1] == "src":
                return attribute[0]
            return f'{attribute[1]}="{escape(self.url(unescape(attribute[2])))}"'

        return _SOURCE.sub(proxied, tag)

    def _sign(self, url: str) -> str:
        if not self._key:
            self._key = self._stored_key().encode()
        return hmac.digest(self._key, url.encode(), "sha256")[:16].hex()

    def _stored_key(self) -> str:
        with self._store.reading() as db:
            key = metadata.get(db, KEY)
        if key:
            return key
        with self._store.transaction() as db:
            key = metadata.get(db, KEY) or secrets.token_hex(32)  # another process may be first
            metadata.put(db, KEY, key)
        return key

    def response(self) -> Response:
        """Return the image of the request's URL, if the URL is signed."""
        config = self._config()
        if not config.media.proxy:
            abort(404)
        url = request.args.get("url", "")
        if not hmac.compare_digest(request.args.get("key", "").encode(), self._sign(url).encode()):
            abort(403, "No page of this site shows this image.")
        try:
            image = self._cache_of(config).get(url, self._clock())
        except Busy:
            return _failed(503, "too many images are being fetched", 1)
        if image is None:
            return _failed(502, "the image can't be fetched", int(RETRY.total_seconds()))
        response = Response(image.body, mimetype=image.type)
        response.headers["Content-Security-Policy"] = CSP
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    def _cache_of(self, config: Config) -> ImageCache:
        if self._cache is None or self._cache[0] is not config:
            self._cache = config, ImageCache(config)
        return self._cache[1]


def _failed(status: int, message: str, seconds: int) -> Response:
    response = Response(f"{message}\n", status, mimetype="text/plain")
    response.headers["Cache-Control"] = f"max-age={seconds}"
    response.headers["Retry-After"] = str(seconds)
    return response


def blueprint(proxy: ImageProxy) -> Blueprint:
    """Return the route of the image proxy."""
    routes = Blueprint("media", __name__)
    routes.add_url_rule("/picture", "picture", proxy.response)
    return routes
