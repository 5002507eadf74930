"""The login page."""

import ipaddress
from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, render_template, request

from aggregator.models.config import Config
from aggregator.web.middleware.auth import COOKIE, SESSION_SECONDS, Authenticator
from aggregator.web.middleware.csrf import same_origin
from aggregator.web.pages.view_models import Head


def blueprint(config: Callable[[], Config], guard: Authenticator) -> Blueprint:
    """Return the routes for signing in and out."""
    made = Blueprint("login", __name__)

    @made.get("/login")
    def form() -> Response:
        return _form(config(), guard)

    @made.post("/login")
    def sign_in() -> Response:
        _check_asked_here(config(), guard)
        address = _network(request.remote_addr or "")
        wait = guard.attempts.wait(address)
        if wait > 0:
            words = "Too many attempts. Please wait a few minutes."
            late = _form(config(), guard, 429, words)
            late.headers["Retry-After"] = str(round(wait) + 1)
            return late
        if not guard.knows(request.form.get("password", "")):
            guard.attempts.failed(address)
            return _form(config(), guard, 403, "That is not the password.")
        answer = _see(_local(request.form.get("next", "")))
        answer.set_cookie(
            COOKIE,
            guard.session(),
            max_age=SESSION_SECONDS,
            secure=config().site.base_url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
        return answer

    @made.post("/logout")
    def sign_out() -> Response:
        _check_asked_here(config(), guard)
        answer = _see("/login")
        answer.delete_cookie(COOKIE, httponly=True, samesite="Lax")
        return answer

    return made


def _check_asked_here(config: Config, guard: Authenticator) -> None:
    if not guard.auth.on:
        abort(404)
    if not same_origin(config.site.base_url):
        abort(403, "This came from another site. Use the form on the login page.")


def _see(path: str) -> Response:
    return redirect(path, 303)  # type: ignore[return-value]  # werkzeug's base class


def _form(config: Config, guard: Authenticator, status: int = 200, problem: str = "") -> Response:
    if not guard.auth.on:
        abort(404)
    head = Head(title=f"Sign in – {config.site.title}", updated=None)
    following = _local(request.values.get("next", ""))
    body = render_template("login.html", head=head, problem=problem, following=following)
    made = Response(body, status)
    made.headers["Cache-Control"] = "no-store"
    return made


def _local(path: str) -> str:
    """Return a path on this site, "/" for what leads elsewhere."""
    plain = path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _network(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64, which one household has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
