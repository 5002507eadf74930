"""The Flask application: routes, error pages, and the header fields of every response."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import xxhash
from flask import Flask, Response, current_app, render_template, request
from markupsafe import Markup
from prometheus_client import CollectorRegistry
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from aggregator.config.watch import LiveConfig
from aggregator.errors import QueryError, StoreError, TooSlow
from aggregator.models.config import Config
from aggregator.models.entry import SafeHtml
from aggregator.models.messages import N_
from aggregator.models.network import Network
from aggregator.models.urls import is_loopback, server_url
from aggregator.policy.masking import masker
from aggregator.store.database.connection import Store
from aggregator.store.queries.select import LAST_ID
from aggregator.store.sources import network, poll_plan
from aggregator.web import i18n, websub
from aggregator.web.api import routes as api
from aggregator.web.feeds import routes as feeds
from aggregator.web.feeds import views
from aggregator.web.feeds.server import FeedServer
from aggregator.web.images import icons, logo, proxy
from aggregator.web.images.proxy import ImageProxy
from aggregator.web.middleware import conditional
from aggregator.web.middleware.addresses import AddressMiddleware, RequestConfig, root
from aggregator.web.middleware.auth import Authenticator, AuthMiddleware
from aggregator.web.middleware.cache import serve_from, serve_repeated
from aggregator.web.middleware.hosts import HostMiddleware, TrustedProxyMiddleware
from aggregator.web.middleware.representation import compress, compress_for_good
from aggregator.web.middleware.request_metrics import RequestMetrics
from aggregator.web.middleware.search_limit import SearchLimitMiddleware
from aggregator.web.ops import health_feed, metrics, probes, source, status, websub_status
from aggregator.web.pages import (
    as_of,
    assets,
    colours,
    corrections,
    dates,
    direction,
    embed,
    feed_page,
    headline_index,
    login,
    numbers,
    recorded,
    sitemap,
)
from aggregator.web.pages import routes as pages
from aggregator.web.pages.view_models import Head

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

READ_SECONDS = 1.0
"""CPU time after which reading the database for one request is interrupted."""

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " manifest-src 'self'; img-src {images}; media-src http: https:; form-action 'self';"
    " base-uri 'none'"
)
"""Images and media may come from publishers; scripts, styles and frames may not."""

NO_FRAMES = "; frame-ancestors 'none'"
"""The part of the policy that only a header field can state."""

MIN_COMPRESSED = 200
"""Bytes from which a response is compressed."""

COMPRESSIBLE = frozenset(
    {
        "text/html",
        "text/css",
        "text/csv",
        "text/javascript",
        "text/xml",
        "application/json",
        "image/svg+xml",
    }
)


def utc_now() -> datetime:
    """Return the current time; the only clock of the web process."""
    return datetime.now(UTC)


def create_app(
    config: Callable[[], Config],
    store: Store,
    *,
    clock: Callable[[], datetime] = utc_now,
    host: str = "",
    port: int = 8000,
    catalogues: Path = i18n.CATALOGUES,
) -> Flask:
    """Return the application.

    Args:
        config: Returns the configuration in force.
        store: The database.
        clock: Returns the current time.
        host: The host name or IP address that the server listens on, "" when unknown.
        port: The port that it listens on.
        catalogues: Folder with the translations of the interface.
    """
    process_config, config = config, RequestConfig(config)
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # no redirect from //host: it would be another site
    app.url_map.converters["int"] = _IdConverter
    app.config["MAX_CONTENT_LENGTH"] = 64_000
    authenticator = Authenticator(process_config, store, time.monotonic)
    feed_server = FeedServer(store, process_config, clock=time.monotonic, now=clock)
    images = ImageProxy(process_config, store, clock)
    requests = CollectorRegistry()

    def policy() -> str:
        return CSP.format(images=images.sources)

    _set_up_templates(app, config, store, clock, authenticator, images, policy)
    app.before_request(lambda: i18n.use(config().site.language, catalogues))
    app.teardown_request(lambda _: i18n.use(i18n.SOURCE_LANGUAGE))
    for blueprint in (
        pages.blueprint(config, store, clock, authenticator),
        headline_index.blueprint(config, store),
        login.blueprint(config, authenticator),
        status.blueprint(config, store, clock),
        source.blueprint(config, store, clock, authenticator),
        probes.blueprint(store, clock),
        feeds.blueprint(
            feed_server, lambda feed, format: feed_page.response(feed, format, config())
        ),
        health_feed.blueprint(config, store),
        corrections.blueprint(config, store, clock),
        as_of.blueprint(config, store, clock),
        embed.blueprint(config, store, clock),
        sitemap.blueprint(config, store, clock),
        metrics.blueprint(store, requests),
        websub.blueprint(process_config, store, clock),
        websub_status.blueprint(process_config, store),
        api.blueprint(config, store, clock, authenticator),
        proxy.blueprint(images),
        icons.blueprint(store),
    ):
        app.register_blueprint(blueprint)
    app.add_url_rule(logo.PATH, "logo", lambda: logo.response(config().site))
    app.add_url_rule(f"{logo.PATH}.<_>", "logo_file", lambda _: logo.response(config().site))
    app.add_url_rule("/static/<name>", "static", assets.static_file)
    for path, name in assets.ICONS.items():
        app.add_url_rule(path, name, assets.static_file, defaults={"name": name})
    app.add_url_rule("/manifest.webmanifest", "manifest", lambda: assets.manifest(config(), root()))
    _handle_errors(app)
    app.after_request(lambda response: _finish(response, f"{policy()}{NO_FRAMES}"))
    app.after_request(lambda response: _mask(response, config().secrets))  # runs first
    wrapped = _wrap(app, process_config, feed_server, authenticator, requests, host=host, port=port)
    app.wsgi_app = wrapped  # type: ignore[assignment, method-assign]
    return app


def _wrap(
    app: Flask,
    config: Callable[[], Config],
    feed_server: FeedServer,
    authenticator: Authenticator,
    requests: CollectorRegistry,
    *,
    host: str,
    port: int,
) -> "WSGIApplication":
    """Return the application in its middleware: cache, address, metrics, access."""
    names = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    limited = SearchLimitMiddleware(app.wsgi_app)
    protected = AuthMiddleware(serve_from(feed_server.cached_document, limited), authenticator)
    measured = RequestMetrics(names, requests)
    counted = measured.counting(measured.timing(protected))
    addressed = AddressMiddleware(counted, config, host=host, port=port, names=names)
    served: WSGIApplication = TrustedProxyMiddleware(addressed, config)
    if is_loopback(host):
        served = HostMiddleware(served, config, listening=server_url(host, port))
    return serve_repeated(feed_server.cached_response, measured.count, served)


def serve_app(
    loaded: Callable[[Config], None] = lambda _: None, *, host: str, port: int, snapshot: str = ""
) -> "WSGIApplication":
    """Return the application for the file that AGGREGATOR_CONFIG names.

    Args:
        loaded: Called with each configuration that comes into force.
        host: The host name or IP address that the server listens on.
        port: The port that it listens on.
        snapshot: Path for a copy of the last valid file, used if the file is invalid; "" for none.
    """
    path = os.environ["AGGREGATOR_CONFIG"]
    config = LiveConfig(path, os.environ, clock=time.monotonic, loaded=loaded, snapshot=snapshot)
    store = Store(config().storage, read_seconds=READ_SECONDS)
    return create_app(config, store, host=host, port=port).wsgi_app


class _IdConverter(IntegerConverter):
    """A number in a path, at most the largest id that the database can have."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LAST_ID)


# --- templates -------------------------------------------------------------------------------


def _set_up_templates(
    app: Flask,
    config: Callable[[], Config],
    store: Store,
    clock: Callable[[], datetime],
    authenticator: Authenticator,
    images: ImageProxy,
    policy: Callable[[], str],
) -> None:
    stylesheet, static_urls = assets.Stylesheet(), assets.static_urls()

    def now() -> datetime | None:
        return None if config().site.static else clock()

    app.add_url_rule("/style.css", "style", lambda: stylesheet.response(config()))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    i18n.set_up(app.jinja_env)
    app.jinja_env.globals["theme_colours"] = {
        "light": colours.LIGHT_PAPERS[0],
        "dark": colours.DARK_PAPERS[0],
    }
    app.jinja_env.globals["page_path"] = views.page_path
    app.jinja_env.globals["may_act"] = lambda: (
        not config().site.static and authenticator.admits(request.environ)
    )
    app.jinja_env.globals["csp"] = policy
    app.jinja_env.filters |= {
        "safe_html": _safe_html,
        "with_code": _with_code,
        "picture_url": images.url,
        "shared_picture_url": lambda url: urljoin(config().site.url, images.url(url)),
        "with_pictures": images.content,
        "icon_path": icons.path,
        "rfc3339": dates.rfc3339,
        "datetime_local": dates.datetime_local,
        "time_of_day": dates.time_of_day,
        "short_time": lambda time: dates.short_time(time, now()),
        "long_day": dates.long_day,
        "short_day": dates.short_day,
        "host": lambda url: (urlsplit(url).hostname or "").removeprefix("www."),
        "recorded": recorded.recorded,
        "number": numbers.number,
        "size": lambda value: i18n.own(numbers.size(value)),
        "playtime": dates.playtime,
        "in_zones": lambda time: dates.in_zones(time, config().site.zones),
    }

    @app.context_processor
    def shared() -> dict[str, Any]:
        current = config()
        return {
            "config": current,
            "root": root(),
            "direction": direction.of_language(current.site.language),
            "style": f"{root()}{stylesheet.url(current)}",
            "static": {name: f"{root()}{url}" for name, url in static_urls.items()},
            "logo": logo.page_url(current.site, root()),
            "path": request.path,
            "past": None,
            "network": Network() if current.site.static else _network(store),
            "opml_path": "/feeds/all.opml" if current.site.static else "/opml",
            "now": clock(),
        }


def _network(store: Store) -> Network:
    try:
        with store.reading() as db:
            state = network.get(db)
            if state.retry_at is None:
                return state
            next_poll = poll_plan.next_due(db)  # a few sources are polled before the round
            return replace(state, retry_at=min(state.retry_at, next_poll or state.retry_at))
    except StoreError:  # the page reports it, or is its error page
        return Network()


def _safe_html(text: SafeHtml) -> Markup:
    return Markup(text)  # noqa: S704, only the sanitiser makes SafeHtml


def _with_code(text: str) -> Markup:
    """Return text with the parts between backticks as code elements."""
    code = Markup("<code>{}</code>")
    parts = enumerate(text.split("`"))
    return Markup("").join(code.format(part) if at % 2 else part for at, part in parts)


# --- errors ----------------------------------------------------------------------------------

_NAMES = (
    N_("Bad Request"), N_("Unauthorized"), N_("Forbidden"), N_("Not Found"),
    N_("Method Not Allowed"), N_("Gone"), N_("Request Entity Too Large"), N_("Too Many Requests"),
)  # fmt: skip
"""Names that Werkzeug gives to errors, for the catalogues."""

_MESSAGES = {
    404: N_("There is no page at this address. It may have been removed."),
    405: N_("This address does not support this request method."),
    413: N_("The request is too large."),
    429: N_("Too many requests. Please wait a moment."),
}


def _handle_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(QueryError, _query_error)
    app.register_error_handler(TooSlow, _too_slow)
    app.register_error_handler(StoreError, _store_error)
    app.register_error_handler(Exception, _unexpected_error)


def _error_page(status: int, title: str, message: str) -> Response:
    if request.path.startswith(f"{api.ROOT}/"):
        return api.problem(status, title, message)
    head = Head(title=i18n.translated(title), updated=None)
    body = render_template("error.html", head=head, status=status, message=message)
    return Response(body, status)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 304:
        return Response(status=304)
    specific = error.description if error.description != type(error).description else ""
    message = specific or _MESSAGES.get(status) or error.description or ""
    response = _error_page(status, error.name, message)
    if status == 401:  # a private view; AuthMiddleware responds for a site with a password
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 405 and isinstance(getattr(error, "valid_methods", None), list):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return response


def _query_error(error: QueryError) -> Response:
    return _error_page(400, N_("Invalid query"), error.args[0])


def _too_slow(_: TooSlow) -> Response:
    current_app.logger.warning("event=request_too_slow path=%r", request.full_path)
    message = N_("The query takes too long: narrow it, or search for other words.")
    response = _error_page(503, N_("Too slow"), message)
    response.headers["Retry-After"] = "10"
    return response


def _store_error(error: StoreError) -> Response:
    current_app.logger.error("event=store_failed error=%r", str(error))
    message = N_("The database can’t be read. Please try again.")
    response = _error_page(503, N_("Temporarily unavailable"), message)
    response.headers["Retry-After"] = "5"
    return response


def _unexpected_error(error: Exception) -> Response:
    current_app.logger.error("event=request_failed path=%r", request.path, exc_info=error)
    message = N_("The request failed. Details are in the log.")
    return _error_page(500, N_("Internal error"), message)


# --- every response --------------------------------------------------------------------------


def _finish(response: Response, csp: str) -> Response:
    """Set the common header fields, respond to conditional requests, and compress."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", csp)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cache-Control", "no-cache")
    if _can_have_etag(response):
        headers["ETag"] = f'W/"{xxhash.xxh3_128_hexdigest(response.get_data())}"'
        if "If-None-Match" in request.headers:
            response.make_conditional(request)
    if response.status_code in (200, 304):  # a 304 has the Vary of its 200 (RFC 9110 §15.4.5)
        response.vary.add("Accept-Encoding")
    if _is_worth_compressing(response):
        coding = conditional.coding(request.headers.get("Accept-Encoding"))
        if coding and coding != "identity":
            is_kept = "immutable" in headers["Cache-Control"]
            encode = compress_for_good if is_kept else compress
            response.set_data(encode(coding, response.get_data()))
            headers["Content-Encoding"] = coding
    return response


def _mask(response: Response, secrets: frozenset[str]) -> Response:
    """Mask secrets in a text response; feeds are masked before they are cached."""
    mimetype = response.mimetype or ""
    is_text = mimetype.startswith("text/") or mimetype == "application/json"
    if secrets and is_text and "Content-Encoding" not in response.headers:
        body = response.get_data()
        masked = masker(secrets).body(body)
        if masked != body:
            response.set_data(masked)
    return response


def _can_have_etag(response: Response) -> bool:
    return (
        response.status_code == 200
        and request.method in ("GET", "HEAD")
        and not response.direct_passthrough
        and "ETag" not in response.headers
        and "no-store" not in response.headers["Cache-Control"]
    )


def _is_worth_compressing(response: Response) -> bool:
    return (
        response.status_code == 200
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and response.mimetype in COMPRESSIBLE
        and (response.content_length or 0) >= MIN_COMPRESSED
    )
