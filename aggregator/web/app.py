"""The Flask application: made from a configuration and a store, with the rules for every answer."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from flask import Flask, Response, abort, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from aggregator.config import file as config_file
from aggregator.config.watch import FileWatch
from aggregator.errors import AggregatorError, QueryError, StoreError
from aggregator.models.config import Config
from aggregator.models.entry import SafeHtml
from aggregator.policy.masking import masker
from aggregator.store.database.connection import Store
from aggregator.store.queries.select import LAST_ID
from aggregator.web import websub
from aggregator.web.api import routes as api
from aggregator.web.feeds import routes as feeds
from aggregator.web.feeds import views
from aggregator.web.feeds.server import FeedServer
from aggregator.web.images import logo, proxy
from aggregator.web.middleware import auth, conditional
from aggregator.web.middleware.cache import serve_from
from aggregator.web.middleware.representation import compress
from aggregator.web.ops import health_feed, metrics, probes, source, status, websub_status
from aggregator.web.pages import as_of, corrections, dates, login
from aggregator.web.pages import routes as pages
from aggregator.web.pages.view_models import Head

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src {pictures}; media-src http: https:; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
"""Pictures and sound come from publishers; nothing of theirs may run or be framed."""

STATIC = Path(__file__).parent / "static"
STATIC_TYPES = {"site.js": "text/javascript", "icon.svg": "image/svg+xml"}

RELOAD_SECONDS = 2.0
COMPRESS_FROM = 1_000
COMPRESSIBLE = frozenset({"text/html", "text/css", "text/javascript", "application/json"})


def utc_now() -> datetime:
    """Return the present moment; the clock of the web."""
    return datetime.now(UTC)


class Configuration:
    """The configuration in force: the file's, read again when it changes and is right."""

    def __init__(self, path: str, loaded: Callable[[Config], None] = lambda _: None) -> None:
        """Read the file.

        Args:
            path: The file.
            loaded: Called with each configuration that comes into force.

        Raises:
            ConfigError: Nothing is served then.
        """
        self._path, self._loaded = path, loaded
        self._file = FileWatch(path)
        self._config = self._load()
        self._looked = time.monotonic()
        self._guard = threading.Lock()

    def __call__(self) -> Config:
        """Return the configuration; a file that is wrong leaves the last good one in force."""
        if time.monotonic() - self._looked > RELOAD_SECONDS and self._guard.acquire(blocking=False):
            try:
                self._looked = time.monotonic()
                if self._file.has_changed():
                    self._config = self._load()
            except AggregatorError:
                pass  # the scheduler reads the same file and says on the status page what is wrong
            finally:
                self._guard.release()
        return self._config

    def _load(self) -> Config:
        config = config_file.load(self._path, os.environ)
        self._loaded(config)
        return config


def create_app(
    config: Callable[[], Config], store: Store, *, clock: Callable[[], datetime] = utc_now
) -> Flask:
    """Return the application.

    Args:
        config: Gives the configuration in force.
        store: The database.
        clock: The present moment.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # //host is an address that is not there, and no redirect
    app.url_map.converters["int"] = _Number
    app.config["MAX_CONTENT_LENGTH"] = 64_000
    app.jinja_env.filters["safe_html"] = _safe_html
    app.jinja_env.filters["with_code"] = _with_code
    pictures = proxy.ImageProxy(config, store, clock)
    app.jinja_env.filters["picture_url"] = pictures.url
    app.jinja_env.filters["with_pictures"] = pictures.content
    app.jinja_env.filters["rfc3339"] = dates.rfc3339
    app.jinja_env.filters["datetime_local"] = dates.datetime_local
    app.jinja_env.filters["time_of_day"] = dates.time_of_day
    app.jinja_env.filters["short_time"] = lambda moment: dates.short_time(moment, clock())
    app.jinja_env.filters["long_day"] = dates.long_day
    app.jinja_env.filters["short_day"] = dates.short_day
    app.jinja_env.filters["playtime"] = dates.playtime
    app.jinja_env.filters["in_zones"] = lambda moment: dates.in_zones(moment, config().site.zones)
    app.jinja_env.globals["page_path"] = views.page_path
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    style = Style()

    @app.context_processor
    def shared() -> dict[str, Any]:
        now = config()
        return {
            "config": now,
            "style": style.url(now),
            "logo": logo.url(now.site),
            "path": request.path,
            "past": None,
        }

    app.register_blueprint(pages.blueprint(config, store, clock))
    guard = auth.Authenticator(config, store, time.monotonic)
    app.jinja_env.globals["may_act"] = lambda: guard.admits(request.environ)
    app.register_blueprint(login.blueprint(config, guard))
    app.register_blueprint(status.blueprint(config, store, clock))
    app.register_blueprint(source.blueprint(config, store, clock, guard))
    app.register_blueprint(probes.blueprint(store, clock))
    app.add_url_rule("/style.css", "style", lambda: style.response(config()))
    app.add_url_rule(logo.PATH, "logo", lambda: logo.response(config().site))
    app.add_url_rule("/static/<name>", "static", _static)
    feed_server = FeedServer(store, config, clock=time.monotonic, now=clock)
    app.register_blueprint(feeds.blueprint(feed_server))
    app.register_blueprint(health_feed.blueprint(config, store))
    app.register_blueprint(corrections.blueprint(config, store, clock))
    app.register_blueprint(as_of.blueprint(config, store, clock))
    app.register_blueprint(metrics.blueprint(store))
    app.register_blueprint(websub.blueprint(config, store, clock))
    app.register_blueprint(websub_status.blueprint(config, store))
    app.register_blueprint(api.blueprint(config, store))
    app.register_blueprint(proxy.blueprint(pictures))
    _handle_errors(app)
    app.after_request(lambda response: _finish(response, CSP.format(pictures=pictures.sources)))
    app.after_request(lambda response: _mask(response, config().secrets))  # runs first
    inner = auth.AuthMiddleware(serve_from(feed_server.cached_document, app.wsgi_app), guard)
    app.wsgi_app = serve_from(feed_server.cached_response, inner)  # type: ignore[assignment, method-assign]
    return app


class _Number(IntegerConverter):
    """A number in an address, no larger than the database knows any."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LAST_ID)


class Style:
    """The one stylesheet: ours, with the site's accent and rules after it."""

    def __init__(self) -> None:
        """Read our part."""
        self._ours = (STATIC / "style.css").read_text(encoding="utf-8")

    def url(self, config: Config) -> str:
        """Return its URL, another one whenever it changes, so that it may be kept for ever."""
        return f"/style.css?v={crc32(self._text(config).encode()):08x}"

    def _text(self, config: Config) -> str:
        accent = f":root {{ --accent: {config.site.accent}; }}\n" if config.site.accent else ""
        return f"{self._ours}{accent}{config.site.css}"

    def response(self, config: Config) -> Response:
        """Return it."""
        made = Response(self._text(config), mimetype="text/css")
        made.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return made


def _static(name: str) -> Response:
    """Return one of our few small files; read at once, so that no handle stays open."""
    if name not in STATIC_TYPES:
        abort(404)
    made = Response((STATIC / name).read_bytes(), mimetype=STATIC_TYPES[name])
    made.add_etag()
    made.headers["Cache-Control"] = "public, max-age=3600"
    made.make_conditional(request)
    return made


def _safe_html(text: SafeHtml) -> Markup:
    return Markup(text)  # noqa: S704, SafeHtml is made by the sanitiser alone


def _with_code(text: str) -> Markup:
    """Return text of ours with what stands between backticks as code."""
    code = Markup("<code>{}</code>")
    parts = enumerate(text.split("`"))
    return Markup("").join(code.format(part) if at % 2 else part for at, part in parts)


def _handle_errors(app: Flask) -> None:
    def page(status: int, title: str, message: str) -> Response:
        if request.path.startswith(f"{api.ROOT}/"):
            return api.problem(status, title, message)
        head = Head(title=title, updated=None)
        return Response(
            render_template("error.html", head=head, status=status, message=message), status
        )

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status == 304:
            return Response(status=304)
        ours = error.description if error.description != type(error).description else ""
        message = ours or _MESSAGES.get(status, error.description or "")
        made = page(status, error.name, message)
        if status == 401:  # a private view's page; a closed site is answered by its gate
            made.headers["WWW-Authenticate"] = "Bearer"
        if status == 405 and isinstance(getattr(error, "valid_methods", None), list):
            made.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
        return made

    @app.errorhandler(QueryError)
    def query(error: QueryError) -> Response:
        return page(400, "Invalid query", str(error))

    @app.errorhandler(StoreError)
    def store(error: StoreError) -> Response:
        app.logger.error("event=store_failed error=%r", str(error))
        made = page(
            503,
            "Temporarily unavailable",
            "The database can’t be read. Please try again.",
        )
        made.headers["Retry-After"] = "5"
        return made

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        app.logger.error("event=request_failed path=%r", request.path, exc_info=error)
        return page(500, "Internal error", "The request failed. Details are in the log.")


_MESSAGES = {
    404: "There is no page at this address. It may have been removed.",
    405: "This address does not support this request method.",
    413: "The request is too large.",
    429: "Too many requests. Please wait a moment.",
}


def _finish(response: Response, csp: str) -> Response:
    """Add what every answer carries, and compress what is worth it."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", csp)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cache-Control", "no-cache")
    if _worth_compressing(response):
        coding = conditional.coding(request.headers.get("Accept-Encoding"))
        headers["Vary"] = "Accept-Encoding"
        if coding and coding != "identity":
            response.set_data(compress(coding, response.get_data()))
            headers["Content-Encoding"] = coding
    return response


def _mask(response: Response, secrets: frozenset[str]) -> Response:
    """Mask secrets in a body of text; feeds are masked before they are cached."""
    mimetype = response.mimetype or ""
    is_text = mimetype.startswith("text/") or mimetype == "application/json"
    if secrets and is_text and "Content-Encoding" not in response.headers:
        body = response.get_data()
        masked = masker(secrets).body(body)
        if masked != body:
            response.set_data(masked)
    return response


def _worth_compressing(response: Response) -> bool:
    return (
        response.status_code == 200
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and response.mimetype in COMPRESSIBLE
        and (response.content_length or 0) >= COMPRESS_FROM
    )


def serve_app(loaded: Callable[[Config], None] = lambda _: None) -> "WSGIApplication":
    """Return the application for the file that AGGREGATOR_CONFIG names.

    Args:
        loaded: Called with each configuration that comes into force.
    """
    config = Configuration(os.environ["AGGREGATOR_CONFIG"], loaded)
    return create_app(config, Store(config().storage)).wsgi_app
