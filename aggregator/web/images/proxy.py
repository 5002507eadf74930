"""Pictures of entries from our own address, so that readers ask nobody else for them.

    /picture?url=https%3A%2F%2Fnews.example%2Fa.jpg&key=…

Off by default. The key signs the URL: nobody can have us fetch what no entry shows.
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
from aggregator.web.images.cache import RETRY, Busy, Pictures

KEY = "picture_key"
CSP = "default-src 'none'; frame-ancestors 'none'; sandbox"
_IMAGE = re.compile(r'<(?:img|video)(?: [a-z-]+="[^"]*")*>')
_SOURCE = re.compile(r'(?<= )(src|poster)="(https?://[^"]*)"')


class Media:
    """Where the pages find pictures: at their publishers, or here."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Fetch nothing yet."""
        self._config, self._store, self._clock = config, store, clock
        self._key = b""
        self._made: tuple[Config, Pictures] | None = None

    @property
    def sources(self) -> str:
        """Where pages may load pictures from, in the words of a Content-Security-Policy."""
        config = self._config()
        if not config.media.proxy:
            return "'self' http: https:"
        logo = urlsplit(config.site.logo)
        return f"'self' {logo.scheme}://{logo.netloc}" if logo.netloc else "'self'"

    def url(self, url: str) -> str:
        """Return where a page finds a picture."""
        if not self._config().media.proxy:
            return url
        return f"/picture?{urlencode({'url': url, 'key': self._sign(url)})}"

    def content(self, content: SafeHtml) -> SafeHtml:
        """Return a story's content with its pictures found there."""
        if not self._config().media.proxy:
            return content
        return SafeHtml(_IMAGE.sub(lambda tag: self._moved(tag[0]), content))

    def _moved(self, tag: str) -> str:
        only_poster = tag.startswith("<video")

        def here(found: re.Match[str]) -> str:
            if only_poster and found[1] == "src":
                return found[0]
            return f'{found[1]}="{escape(self.url(unescape(found[2])))}"'

        return _SOURCE.sub(here, tag)

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
        """Return the picture that an address names, if a page of ours named it."""
        config = self._config()
        if not config.media.proxy:
            abort(404)
        url = request.args.get("url", "")
        if not hmac.compare_digest(request.args.get("key", "").encode(), self._sign(url).encode()):
            abort(403, "No page of this site shows a picture of this address.")
        try:
            picture = self._pictures(config).get(url, self._clock())
        except Busy:
            return _failed(503, "other pictures are being fetched", 1)
        if picture is None:
            return _failed(502, "the picture can't be had", int(RETRY.total_seconds()))
        made = Response(picture.body, mimetype=picture.type)
        made.headers["Content-Security-Policy"] = CSP
        made.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return made

    def _pictures(self, config: Config) -> Pictures:
        if self._made is None or self._made[0] is not config:
            self._made = config, Pictures(config)
        return self._made[1]


def _failed(status: int, words: str, seconds: int) -> Response:
    made = Response(f"{words}\n", status, mimetype="text/plain")
    made.headers["Cache-Control"] = f"max-age={seconds}"
    made.headers["Retry-After"] = str(seconds)
    return made


def blueprint(media: Media) -> Blueprint:
    """Return the route of the pictures."""
    made = Blueprint("media", __name__)
    made.add_url_rule("/picture", "picture", media.response)
    return made
