"""Lists for the pages of other sites, in a frame, and the way to find them (oembed.com).

    /embed                         all stories
    /embed/section/europe?limit=5  a section, source, saved view or topic, narrowed as its page is
    /oembed?url=ADDRESS-OF-A-PAGE  the frame's HTML, for editors that are given the page's address

`site.embed` lists the sites whose pages may show them; without it there are none.
"""

from collections.abc import Callable
from datetime import datetime
from html import escape
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from flask import Blueprint, Response, abort, jsonify, render_template, request

from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.models.numbers import parse_number
from aggregator.store.database.connection import Store
from aggregator.web.feeds.views import NeedsToken, NoSuchView, ViewSpec, resolve
from aggregator.web.middleware.etags import PageEtags, matches, not_modified, with_etag
from aggregator.web.pages.entry_lists import EMBEDDABLE, EntryLists, embed_path
from aggregator.web.pages.routes import PAGE_KEYS, requested_view
from aggregator.web.pages.view_models import EmbeddedList

ENTRIES = 10
WIDTH, HEIGHT = 480, 520
"""Pixels of the frame, unless there is room for less."""
CACHE_SECONDS = 86_400
"""How long the HTML of a frame may be kept: it only names an address."""

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors {sites}"
)

_OFF = N_("The lists of this site can’t be shown on other sites.")


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the routes."""
    routes, lists = Blueprint("embed", __name__), EmbeddedLists(config, store, clock)
    routes.add_url_rule("/embed", "all", lists.page, defaults={"kind": "all", "name": ""})
    routes.add_url_rule("/embed/<kind>", "named", lists.page, defaults={"name": ""})
    routes.add_url_rule("/embed/<kind>/<path:name>", "list", lists.page)
    routes.add_url_rule("/oembed", "oembed", lambda: oembed(config()))
    return routes


class EmbeddedLists:
    """The pages for frames."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock
        self._etags = PageEtags(clock)

    def page(self, kind: str, name: str) -> Response:
        """Show the headlines of a view."""
        config = self._config()
        if not config.site.embed:
            abort(404, _OFF)
        if kind not in EMBEDDABLE:
            abort(404)
        spec = requested_view(kind, name or request.args.get("name", ""), config)
        if spec.private:  # the frame's address would show its token
            abort(404)
        with self._store.reading() as db:
            etag = self._etags.of(db, config, by_minute=spec.query.within is not None)
            if matches(etag):
                return not_modified(etag)
            lists, spec = EntryLists(db, config), spec.at(self._clock())
            entries, _ = lists.page(spec.query, size=spec.query.limit or ENTRIES, before=None)
            page = EmbeddedList(title=_title(spec), url=spec.page_url, entries=lists.items(entries))
        response = with_etag(render_template("embed.html", page=page), etag)
        response.headers["Content-Security-Policy"] = CSP.format(sites=" ".join(config.site.embed))
        return response


def _title(spec: ViewSpec) -> str:
    """Return the title of a view without that of the site, which stands below the list."""
    title, _, site = spec.title.rpartition(" – ")
    return title or site


def oembed(config: Config) -> Response:
    """Return how to embed the page of a list: JSON or XML (oembed.com §2.3).

    Other addresses are answered with 404, other formats with 501, as §2.3.5 says.
    """
    if not config.site.embed:
        abort(404, _OFF)
    form = request.args.get("format", "json")
    if form not in ("json", "xml"):
        abort(501)
    spec = _view_at(request.args.get("url", ""), config)
    fields = {
        "version": "1.0",
        "type": "rich",
        "title": spec.title,
        "provider_name": config.site.title,
        "provider_url": f"{config.site.url}/",
        "cache_age": CACHE_SECONDS,
        **_frame(spec, _side("maxwidth", WIDTH), _side("maxheight", HEIGHT)),
    }
    if form == "json":
        return jsonify(fields)
    inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    declaration = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n'
    return Response(f"{declaration}<oembed>{inner}</oembed>\n", mimetype="text/xml")


def _frame(spec: ViewSpec, width: int, height: int) -> dict[str, str | int]:
    url, title = escape(f"{spec.base}{embed_path(spec)}"), escape(spec.title)
    html = (
        f'<iframe src="{url}" title="{title}" width="{width}" height="{height}" frameborder="0"'
        ' loading="lazy"></iframe>'
    )
    return {"html": html, "width": width, "height": height}


def _side(name: str, usual: int) -> int:
    """Return a side of the frame; unreadable limits count as none."""
    return min(parse_number(request.args.get(name, "")) or usual, usual)


def _view_at(url: str, config: Config) -> ViewSpec:
    """Return the view whose page has a URL; 404 if none has, or if it is private."""
    base = config.site.url
    if not f"{url}/".startswith(f"{base}/"):
        abort(404)
    try:
        parts = urlsplit(url.removeprefix(base))
    except ValueError:
        abort(404)
    _, _, path = unquote(parts.path).partition("/")
    kind, _, name = path.partition("/")
    pairs = parse_qsl(parts.query, errors="replace")
    name = name or dict(pairs).get("name", "")
    if kind in ("", "stories"):
        kind, name = "all", ""
    args = urlencode([pair for pair in pairs if pair[0] not in PAGE_KEYS])
    try:
        spec = resolve(kind, name, args, config)
    except (NoSuchView, NeedsToken):
        abort(404)
    if kind not in EMBEDDABLE or spec.private:
        abort(404)
    return spec
