"""The login page."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, render_template, request

from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.web.i18n import gettext
from aggregator.web.middleware.addresses import root, see_other
from aggregator.web.middleware.auth import COOKIE, SESSION_SECONDS, Authenticator, Refused
from aggregator.web.middleware.csrf import same_origin
from aggregator.web.pages.view_models import Head


def blueprint(config: Callable[[], Config], authenticator: Authenticator) -> Blueprint:
    """Return the routes for signing in and out."""
    routes = Blueprint("login", __name__)
    login = Login(config, authenticator)
    routes.add_url_rule("/login", "form", login.form)
    routes.add_url_rule("/login", "sign_in", login.sign_in, methods=["POST"])
    routes.add_url_rule("/logout", "sign_out", login.sign_out, methods=["POST"])
    return routes


class Login:
    """The routes for signing in and out; 404 while the site has no password."""

    def __init__(self, config: Callable[[], Config], authenticator: Authenticator) -> None:
        """Check passwords with an authenticator."""
        self._config, self._authenticator = config, authenticator

    def form(self) -> Response:
        """Show the form."""
        return self._form()

    def sign_in(self) -> Response:
        """Check the password and set the session cookie."""
        self._check_same_origin()
        password, address = request.form.get("password", ""), request.remote_addr or ""
        result = self._authenticator.sign_in(password, address)
        if isinstance(result, Refused):
            return self._refused(result)
        response = see_other(_local_path(request.form.get("next", "")))
        response.set_cookie(
            COOKIE,
            result.cookie,
            max_age=SESSION_SECONDS,
            path=root() or "/",
            secure=self._config().site.url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
        return response

    def sign_out(self) -> Response:
        """End all sessions, and delete the cookie."""
        self._check_same_origin()
        self._authenticator.sign_out(request.environ)
        response = see_other("/login")
        response.delete_cookie(COOKIE, path=root() or "/", httponly=True, samesite="Lax")
        return response

    def _refused(self, refused: Refused) -> Response:
        if not refused.wait:
            return self._form(403, N_("Wrong password."))
        problem = (
            N_("Too many attempts. Please wait a few minutes.")
            if refused.wait > 60
            else N_("Too many attempts. Please wait a moment.")
        )
        response = self._form(429, problem)
        response.headers["Retry-After"] = str(round(refused.wait) + 1)
        return response

    def _check_same_origin(self) -> None:
        if not self._authenticator.auth.on:
            abort(404)
        if not same_origin(self._config().site.url):
            abort(403, N_("This request came from another site. Use the form on the login page."))

    def _form(self, status: int = 200, problem: str = "") -> Response:
        if not self._authenticator.auth.on:
            abort(404)
        head = Head(title=gettext("Sign in") + f" – {self._config().site.title}", updated=None)
        next_path = _local_path(request.values.get("next", ""))
        body = render_template("login.html", head=head, problem=problem, next_path=next_path)
        response = Response(body, status)
        response.headers["Cache-Control"] = "no-store"
        return response


def _local_path(path: str) -> str:
    """Return a path on this site, "/" for any other target."""
    is_plain = path.isprintable() and "\\" not in path
    return path if is_plain and path.startswith("/") and not path.startswith("//") else "/"
