"""Who may act, and who may read: sessions by password, programs by token.

`auth` in the configuration closes the control actions, or with `protect: site` everything. A
session is a signed cookie: no process keeps state, and a new password ends all sessions.
"""

import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import Authorization
from werkzeug.security import check_password_hash, generate_password_hash

from aggregator.models.config import Auth, Config
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

COOKIE = "aggregator_session"
SESSION_SECONDS = 30 * 86_400
KEY = "session_key"
MOST_PASSWORD = 1_000

ATTEMPTS, ATTEMPTS_SECONDS = 5, 300.0
"""So many failed logins from one address in so many seconds; then it has to wait."""

ADDRESSES_KEPT = 10_000

OPEN = ("/login", "/style.css", "/logo", "/static/", "/healthz", "/readyz", "/websub/")
"""What is answered even where the whole site is closed."""


def hash_password(password: str) -> str:
    """Return what stands for a password in the configuration."""
    return generate_password_hash(password, method="scrypt:32768:8:1")


def bearer_token(environ: Mapping[str, Any]) -> str:
    """Return the token of a request's `Authorization: Bearer` field, "" when it has none."""
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Attempts:
    """Failed logins by address, the oldest forgotten."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count on a monotonic clock, in seconds."""
        self._clock = clock
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return the seconds until an address may try again, 0 for now."""
        recent = self._recent(address)
        if len(recent) < ATTEMPTS:
            return 0.0
        return recent[-ATTEMPTS] + ATTEMPTS_SECONDS - self._clock()

    def failed(self, address: str) -> None:
        """Note a failed login."""
        self._failed[address] = [*self._recent(address), self._clock()]
        self._failed.move_to_end(address)
        if len(self._failed) > ADDRESSES_KEPT:
            self._failed.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - ATTEMPTS_SECONDS
        return [moment for moment in self._failed.get(address, ()) if moment > since]


class Authenticator:
    """Tells who a request comes from."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], float]
    ) -> None:
        """Guard an application; `clock` gives seconds, monotonic."""
        self._config, self._store = config, store
        self.attempts = Attempts(clock)
        self._one_at_a_time = Lock()

    @property
    def auth(self) -> Auth:
        """The rules in force."""
        return self._config().auth

    def admits(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request may do what is closed; anyone may where nothing is."""
        auth = self.auth
        if not auth.on:
            return True
        return self._has_token(auth, environ) or self._has_session(auth, environ)

    def has_bearer(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request carries the token as no browser sends it by itself."""
        auth = self.auth
        return bool(auth.token) and _same(bearer_token(environ), auth.token)

    def _has_token(self, auth: Auth, environ: Mapping[str, Any]) -> bool:
        if not auth.token:
            return False
        if token := bearer_token(environ):
            return _same(token, auth.token)
        # Feed readers support Basic only: the token is the password, with any user name.
        sent = Authorization.from_header(environ.get("HTTP_AUTHORIZATION"))
        password = sent.get("password") if sent else ""
        return bool(password) and _same(str(password), auth.token)

    def _has_session(self, auth: Auth, environ: Mapping[str, Any]) -> bool:
        value = _cookie(environ)
        if not value:
            return False
        with self._store.reading() as db:
            key = metadata.get(db, KEY)
        if not key:
            return False
        try:
            _serializer(auth, key).loads(value, max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return True

    def knows(self, password: str) -> bool:
        """Return whether a password, or the token in its place, is right; takes its time."""
        auth = self.auth
        if len(password) > MOST_PASSWORD:
            return False
        if auth.token and _same(password, auth.token):
            return True
        with self._one_at_a_time:  # a hash takes 32 MB: many at once must not fill the memory
            return bool(auth.password) and check_password_hash(auth.password, password)

    def session(self) -> str:
        """Return the value of the cookie that opens a session."""
        with self._store.transaction() as db:
            key = metadata.get(db, KEY)
            if not key:
                key = secrets.token_hex(32)
                metadata.put(db, KEY, key)
        return _serializer(self.auth, key).dumps("in")


def _serializer(auth: Auth, key: str) -> URLSafeTimedSerializer:
    # The password is part of the key: whoever changes it ends all sessions.
    return URLSafeTimedSerializer([f"{key} {auth.password} {auth.token}"], salt="session")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _cookie(environ: Mapping[str, Any]) -> str:
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


class AuthMiddleware:
    """The WSGI wrapper: lets nobody pass unknown where the whole site is closed.

    It stands before what is answered from memory, and keeps caches on the way from storing
    anything.
    """

    def __init__(self, app: "WSGIApplication", guard: Authenticator) -> None:
        """Wrap an application."""
        self._app, self._guard = app, guard

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request, or send it to the login."""
        path = environ["PATH_INFO"]
        auth = self._guard.auth
        if not auth.on or auth.protect != "site" or _is_open(path):
            return self._app(environ, start_response)
        if not self._guard.admits(environ):
            return _turned_away(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() != "cache-control"]
            kept.append(("Cache-Control", "private, no-cache"))
            return start_response(status, kept, *rest)

        return self._app(environ, start)


def _is_open(path: str) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN)


def _turned_away(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    reads_pages = "text/html" in environ.get("HTTP_ACCEPT", "")
    headers = [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]
    if reads_pages and not path.startswith(("/feeds/", "/api/")):
        query = environ.get("QUERY_STRING", "")
        target = quote(f"{path}?{query}" if query else path, safe="/")
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
        start_response("303 See Other", [*headers, ("Location", f"/login?next={target}")])
        return [b"Sign in first.\n"]
    words = "Send the token: as Authorization: Bearer, or as the password of Basic."
    body, kind = f"{words}\n", "text/plain; charset=utf-8"
    if path.startswith("/api/"):
        kind = "application/problem+json"
        fields = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": words}
        body = json.dumps(fields)
    challenge = 'Basic realm="the token as password", charset="UTF-8"'
    headers += [("Content-Type", kind), ("WWW-Authenticate", challenge)]
    start_response("401 Unauthorized", headers)
    return [body.encode()]
