"""Finds the address of the site in each request, and takes the path prefix off the request's path.

The address is `site.base_url`. If it is not set, it is the address that the server listens on;
behind trusted proxies, and for a server that listens on all addresses, the one in the request.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Response, has_request_context, redirect, request

from aggregator.models.config import Config, Site
from aggregator.models.urls import PATH_PREFIX, origin_of, server_url

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADDRESS = "aggregator.address"
"""Key in the WSGI environment: the address of the site, without a trailing slash."""

MAX_HOST = 300
"""Characters of the Host field that are used; a host name has at most 253."""

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


def with_address(config: Config, environ: "WSGIEnvironment") -> Config:
    """Return the configuration with the address of a request."""
    address = environ.get(ADDRESS, "")
    if address in ("", config.site.url):
        return config
    return replace(config, site=replace(config.site, here=address))


class RequestConfig:
    """Returns the configuration in force, in a request with the address of the request."""

    def __init__(self, config: Callable[[], Config]) -> None:
        """Wrap the function that returns the configuration."""
        self._config = config
        self._last: tuple[Config | None, Config | None] = (None, None)

    def __call__(self) -> Config:
        """Return the same object while neither configuration nor address change."""
        config = self._config()
        if not has_request_context():
            return config
        last_config, last = self._last
        address = request.environ.get(ADDRESS, "")
        if config is last_config and last is not None and last.site.url == address:
            return last
        here = with_address(config, request.environ)
        self._last = config, here
        return here


def root(environ: "WSGIEnvironment | None" = None) -> str:
    """Return the path prefix of the site in a request, "" at the root of a host.

    Args:
        environ: The request's, by default that of Flask's current request.
    """
    return urlsplit((environ or request.environ).get(ADDRESS, "")).path


def see_other(path: str) -> Response:
    """Return a redirect to a path on this site, which is written without the prefix."""
    return redirect(f"{root()}{path}", 303)  # type: ignore[return-value]  # werkzeug's base class


def moved_permanently(path: str) -> Response:
    """Return a permanent redirect to a path on this site, with the query string of the request."""
    args = request.query_string.decode("ascii", "ignore")
    return redirect(f"{root()}{path}{'?' if args else ''}{args}", 301)  # type: ignore[return-value]


class AddressMiddleware:
    """Sets `ADDRESS`, SCRIPT_NAME and PATH_INFO.

    A reverse proxy may leave the prefix in the path or take it off.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        config: Callable[[], Config],
        *,
        host: str,
        port: int,
        names: Collection[str],
    ) -> None:
        """Wrap an application.

        Args:
            host: The host name or IP address that the server listens on, "" when unknown.
            names: First segments of the application's paths. A prefix that begins with one is
                never taken off, since the path may come without it.
        """
        self._app, self._config, self._names = app, config, names
        self._listening = server_url(host, port) if host else ""
        self._follows = bool(host) and not self._listening
        self._default = self._listening or f"http://127.0.0.1:{port}"

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve a request."""
        site = self._config().site
        address = environ[ADDRESS] = site.base_url or self._address(environ, site)
        if address.count("/") > 2:
            self._take_off(environ, urlsplit(address).path)
        else:
            environ["SCRIPT_NAME"] = ""
        return self._app(environ, start_response)

    def _address(self, environ: "WSGIEnvironment", site: Site) -> str:
        if not (self._follows or site.trusted_proxies):
            return self._default
        host = environ.get("HTTP_HOST", "")
        if len(host) > MAX_HOST or not _HOST.fullmatch(host):
            return self._default
        scheme = "https" if environ["wsgi.url_scheme"] == "https" else "http"
        origin = origin_of(f"{scheme}://{host}")
        prefix = environ.get("SCRIPT_NAME", "").rstrip("/")
        is_usable = len(prefix) <= MAX_HOST and PATH_PREFIX.fullmatch(prefix)
        return f"{origin}{prefix if is_usable else ''}" if origin else self._default

    def _take_off(self, environ: "WSGIEnvironment", prefix: str) -> None:
        path = environ["PATH_INFO"]
        script_name = unquote_to_bytes(prefix).decode("latin-1")
        environ["SCRIPT_NAME"] = script_name
        if prefix.split("/")[1] not in self._names and f"{path}/".startswith(f"{script_name}/"):
            environ["PATH_INFO"] = path[len(script_name) :] or "/"
