"""Access control: people sign in with a password, programs send a token.

With `auth` in the configuration, actions need either, and with `protect: site` everything does.
A session is a signed cookie. Its signing key is in the database, so that sessions work in every
process; signing out and a changed password or token replace the key, which ends all sessions.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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
from aggregator.web.middleware.addresses import root
from aggregator.web.middleware.attempts import LoginAttempts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

COOKIE = "aggregator_session"
SESSION_SECONDS = 30 * 86_400
KEY = "session_key"
MAX_PASSWORD = 1_000

BUSY_SECONDS = 1.0
"""Wait before another sign-in while a password is being checked."""

OPEN = (
    "/login", "/style.css", "/logo", "/static/", "/favicon.ico", "/apple-touch-icon.png",
    "/manifest.webmanifest", "/robots.txt", "/healthz", "/readyz", "/websub/",
)  # fmt: skip
"""Paths that are served without signing in, even with `protect: site`."""


def hash_password(password: str) -> str:
    """Return the hash of a password for the configuration."""
    return generate_password_hash(password, method="scrypt:32768:8:1")


def bearer_token(environ: Mapping[str, Any]) -> str:
    """Return the token of a request's `Authorization: Bearer` field, "" when it has none."""
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A successful sign-in, with the value of the session cookie."""

    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refused sign-in: the seconds until the next attempt, 0.0 after a wrong password."""

    wait: float = 0.0


class Authenticator:
    """Checks passwords, tokens and sessions."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], float]
    ) -> None:
        """Check by the configuration in force.

        Args:
            config: Returns it.
            store: Holds the key that signs sessions.
            clock: Seconds, monotonic.
        """
        self._config, self._store = config, store
        self._attempts = LoginAttempts(clock)
        self._hashing = Lock()

    @property
    def auth(self) -> Auth:
        """The rules in force."""
        return self._config().auth

    def admits(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request has access to protected pages; without `auth` all have."""
        auth = self.auth
        if not auth.on:
            return True
        return self._has_token(auth, environ) or self._has_session(auth, environ)

    def is_signed_in(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request shows a session or the token; without `auth` none can."""
        return self.auth.on and self.admits(environ)

    def has_bearer(self, environ: Mapping[str, Any]) -> bool:
        """Return whether a request has the token in a field that browsers don't send themselves."""
        auth = self.auth
        return bool(auth.token) and is_same_secret(bearer_token(environ), auth.token)

    def sign_in(self, password: str, address: str) -> SignedIn | Refused:
        """Check a password, or the token in its place, and start a session.

        Args:
            password: As sent.
            address: IP address of the client, for which failures are counted.
        """
        wait = self._attempts.begin(address)
        if wait > 0:
            return Refused(wait=wait)
        is_right = self._is_right(password)
        if is_right is None:
            self._attempts.take_back(address)
            return Refused(wait=BUSY_SECONDS)
        if not is_right:
            return Refused()
        self._attempts.take_back(address)
        auth = self.auth
        key = self._key(auth) or self._replace_key(auth, unless_valid=True)
        return SignedIn(cookie=_serializer(key).dumps("in"))

    def sign_out(self, environ: Mapping[str, Any]) -> None:
        """End all sessions, if the request belongs to one."""
        auth = self.auth
        if self._has_session(auth, environ):
            self._replace_key(auth)

    def _has_token(self, auth: Auth, environ: Mapping[str, Any]) -> bool:
        if not auth.token:
            return False
        if token := bearer_token(environ):
            return is_same_secret(token, auth.token)
        # Feed readers support Basic only: the token is the password, with any user name.
        sent = Authorization.from_header(environ.get("HTTP_AUTHORIZATION"))
        password = sent.get("password") if sent else ""
        return bool(password) and is_same_secret(str(password), auth.token)

    def _has_session(self, auth: Auth, environ: Mapping[str, Any]) -> bool:
        value = _cookie(environ)
        if not value:
            return False
        key = self._key(auth)
        if not key:
            # Replaced at once: sessions must not come back with an earlier password.
            self._replace_key(auth, unless_valid=True)
            return False
        try:
            _serializer(key).loads(value, max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return True

    def _is_right(self, password: str) -> bool | None:
        """Return whether a password or token is right, None while another one is checked.

        A check takes 32 MB and a tenth of a second: one at a time, and no request waits for it.
        """
        auth = self.auth
        if len(password) > MAX_PASSWORD:
            return False
        if auth.token and is_same_secret(password, auth.token):
            return True
        if not self._hashing.acquire(blocking=False):
            return None
        try:
            return bool(auth.password) and check_password_hash(auth.password, password)
        finally:
            self._hashing.release()

    def _key(self, auth: Auth) -> str:
        """Return the signing key, "" if there is none for this password and token."""
        with self._store.reading() as db:
            stored = metadata.get(db, KEY)
        return stored if _is_for(stored, auth) else ""

    def _replace_key(self, auth: Auth, *, unless_valid: bool = False) -> str:
        with self._store.transaction() as db:
            stored = metadata.get(db, KEY)
            if unless_valid and _is_for(stored, auth):  # another process was first
                return stored
            salt = secrets.token_hex(32)
            key = f"{salt}:{_digest(auth, salt)}"
            metadata.put(db, KEY, key)
        return key


def _is_for(key: str, auth: Auth) -> bool:
    salt, _, digest = key.partition(":")
    return bool(salt) and is_same_secret(digest, _digest(auth, salt))


def _digest(auth: Auth, salt: str) -> str:
    return hmac.digest(salt.encode(), f"{auth.password} {auth.token}".encode(), "sha256").hex()


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer([key], salt="session")


def is_same_secret(sent: str, secret: str) -> bool:
    """Return whether a request sent a secret; the time it takes does not depend on the texts."""
    return hmac.compare_digest(sent.encode(errors="replace"), secret.encode())


def _cookie(environ: Mapping[str, Any]) -> str:
    try:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


class AuthMiddleware:
    """WSGI middleware for `protect: site`: without signing in, only `OPEN` paths are served.

    It wraps the cache too, and keeps caches on the way from storing responses.
    """

    def __init__(self, app: "WSGIApplication", authenticator: Authenticator) -> None:
        """Wrap an application."""
        self._app, self._authenticator = app, authenticator

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve a request, or send it to the login page."""
        path = environ["PATH_INFO"]
        auth = self._authenticator.auth
        if not auth.on or auth.protect != "site" or _is_open(path):
            return self._app(environ, start_response)
        if not self._authenticator.admits(environ):
            return _unauthorized(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            others = [(name, value) for name, value in headers if name.lower() != "cache-control"]
            return start_response(status, [*others, ("Cache-Control", "private, no-cache")], *rest)

        return self._app(environ, start)


def _is_open(path: str) -> bool:
    return any(path == open or (open.endswith("/") and path.startswith(open)) for open in OPEN)


def _unauthorized(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    wants_page = "text/html" in environ.get("HTTP_ACCEPT", "")
    headers = [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]
    if wants_page and not path.startswith(("/feeds/", "/api/")):
        query = environ.get("QUERY_STRING", "")
        target = quote(f"{path}?{query}" if query else path, safe="/")
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
        start_response(
            "303 See Other", [*headers, ("Location", f"{root(environ)}/login?next={target}")]
        )
        return [b"Sign in first.\n"]
    message = "Send the token, as Authorization: Bearer or as the password of Basic."
    body, kind = f"{message}\n", "text/plain; charset=utf-8"
    if path.startswith("/api/"):
        kind = "application/problem+json"
        fields = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": message}
        body = json.dumps(fields)
    challenge = 'Basic realm="the token as password", charset="UTF-8"'
    headers += [("Content-Type", kind), ("WWW-Authenticate", challenge)]
    start_response("401 Unauthorized", headers)
    return [body.encode()]
