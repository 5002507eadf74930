"""Guards a server on loopback against DNS rebinding, and reads the fields of trusted proxies."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.middleware.proxy_fix import ProxyFix

from aggregator.models.config import Config, Site
from aggregator.models.urls import host_of, is_loopback
from aggregator.web.middleware.addresses import MAX_HOST
from aggregator.web.middleware.forwarded import from_forwarded
from aggregator.web.middleware.representation import PRIVATE, problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class HostMiddleware:
    """Refuses requests for unknown hosts while no password protects the site.

    The browser of a user on this machine can be made to send requests here by a page whose host
    name resolves to 127.0.0.1: to the browser it is the same site, so the page may read responses
    and press buttons. Such requests have the page's host name.
    """

    def __init__(
        self, app: "WSGIApplication", config: Callable[[], Config], *, listening: str
    ) -> None:
        """Wrap the application of a server that listens on loopback, at the URL `listening`."""
        self._app, self._config, self._listening = app, config, listening
        self._last: tuple[Config | None, str] = (None, "")

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve a request, or respond with 421 (RFC 9110 §15.5.20)."""
        config, host = self._config(), environ.get("HTTP_HOST", "")
        last_config, last_host = self._last
        if host == last_host and config is last_config:  # most requests, at a tenth of the cost
            return self._app(environ, start_response)
        if not host or config.auth.on or _is_known(host, config.site):
            self._last = config, host[:MAX_HOST]
            return self._app(environ, start_response)
        right = config.site.base_url or self._listening
        text = (
            f"This site is not at {host[:MAX_HOST]}. Open {right}, or add the host to site.hosts in"
            " the configuration."
        )
        response = problem(421, text, safe=PRIVATE)
        start_response(response.status, response.headers)
        return [response.body]


def _is_known(field: str, site: Site) -> bool:
    try:
        host = (urlsplit(f"//{field}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return is_loopback(host) or (host != "" and host in (host_of(site.base_url), *site.hosts))


class TrustedProxyMiddleware:
    """Takes client address, scheme, host and path prefix from the fields of trusted proxies.

    The rules are those of Werkzeug's `ProxyFix`: of each field, the value that the outermost of
    `site.trusted_proxies` proxies added counts. The fields are `X-Forwarded-*`, or `Forwarded` if
    a request has none of them.
    """

    def __init__(self, app: "WSGIApplication", config: Callable[[], Config]) -> None:
        """Wrap an application."""
        self._app, self._config = app, config
        self._fixed, self._count = app, 0

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve a request."""
        count = self._config().site.trusted_proxies
        if not count:
            return self._app(environ, start_response)
        if count != self._count:
            fix = ProxyFix(self._app, x_for=count, x_proto=count, x_host=count, x_prefix=count)
            self._fixed, self._count = fix, count
        from_forwarded(environ)
        return self._fixed(environ, start_response)
