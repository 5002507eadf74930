"""Access control: passwords, sessions and tokens."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.test import Client, TestResponse

from aggregator.cli.main import main
from aggregator.config import file
from aggregator.models.config import Auth
from aggregator.web.middleware.attempts import MAX_ATTEMPTS, PERIOD
from aggregator.web.middleware.auth import Authenticator, Refused, SignedIn, hash_password
from tests.web.pages.test_pages import SITE, PageSite, next_poll
from tests.web.sample_store import open_sample

PASSWORD, TOKEN = "correct horse", "a-token-for-programs"
HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")  # quick; the cost is not tested
OURS = {"Origin": "http://localhost"}
Made = Callable[[Auth], PageSite]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Made]:
    with open_sample(tmp_path, SITE) as sample:
        sample.add("herald", 3)

        def make(auth: Auth) -> PageSite:
            sample.config = replace(SITE, auth=auth)
            return PageSite(sample)

        yield make


def sign_in(client: Client, password: str = PASSWORD, target: str = "/") -> TestResponse:
    return client.post("/login", data={"password": password, "next": target}, headers=OURS)


def poll(client: Client, **headers: str) -> TestResponse:
    return client.post("/source/herald/poll", headers=headers or OURS)


CONTROL = Auth(password=HASH, token=TOKEN)
CLOSED = replace(CONTROL, protect="site")


def test_without_auth_there_is_no_login_page_and_all_may_act(site: Made) -> None:
    pages = site(Auth())
    assert pages.get("/login").status_code == 404
    assert poll(pages.client).status_code == 303
    assert next_poll(pages) == "requested"


def test_a_stranger_may_read_but_not_act(site: Made) -> None:
    pages = site(CONTROL)
    page = pages.text("/source/herald")
    assert "Poll now" not in page
    assert 'href="/login?next=/source/herald"' in page
    answer = poll(pages.client)
    assert answer.headers["Location"] == "/login?next=/source/herald"
    assert next_poll(pages) == "first poll"


def test_a_signed_in_user_may_act_until_sign_out(site: Made) -> None:
    pages = site(CONTROL)
    answer = sign_in(pages.client, target="/source/herald")
    assert answer.headers["Location"] == "/source/herald"
    assert "Poll now" in pages.text("/source/herald")
    assert "You are signed in" in pages.text("/login")
    poll(pages.client)
    assert next_poll(pages) == "requested"
    pages.client.post("/logout", headers=OURS)
    assert "Poll now" not in pages.text("/source/herald")


@pytest.mark.parametrize(("base_url", "secure"), [("https://x.example", True), ("http://x", False)])
def test_the_cookie_is_not_for_scripts_and_other_sites(
    site: Made, base_url: str, secure: bool
) -> None:
    pages = site(CONTROL)
    pages.sample.config = replace(
        pages.sample.config, site=replace(pages.sample.config.site, base_url=base_url)
    )
    parts = sign_in(pages.client).headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(parts)
    assert ("Secure" in parts) is secure


@pytest.mark.parametrize("password", ["", "wrong", "x" * 2_000, HASH, "pass\0word"])
def test_a_wrong_password_is_refused(site: Made, password: str) -> None:
    pages = site(CONTROL)
    answer = sign_in(pages.client, password)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert "Poll now" not in pages.text("/source/herald")


def test_the_token_works_on_the_login_page(site: Made) -> None:
    assert sign_in(site(Auth(token=TOKEN)).client, TOKEN).status_code == 303


def test_after_some_failures_the_right_password_is_refused_too(site: Made) -> None:
    pages = site(CONTROL)
    for _ in range(MAX_ATTEMPTS):
        assert sign_in(pages.client, "wrong").status_code == 403
    answer = sign_in(pages.client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= PERIOD + 1
    elsewhere = Client(pages.app)
    answer = elsewhere.post(
        "/login",
        data={"password": PASSWORD},
        headers=OURS,
        environ_base={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert answer.status_code == 303


def test_signing_out_ends_all_sessions(site: Made) -> None:
    pages = site(CLOSED)
    stolen = sign_in(pages.client).headers["Set-Cookie"].partition(";")[0]
    other = Client(pages.app)
    sign_in(other)
    assert other.get("/opml").status_code == 200
    pages.client.post("/logout", headers=OURS)
    assert pages.get("/opml", Cookie=stolen).status_code == 401
    assert other.get("/opml").status_code == 401


def test_a_stranger_ends_no_session(site: Made) -> None:
    pages = site(CLOSED)
    sign_in(pages.client)
    stranger = Client(pages.app)
    stranger.post("/logout", headers=OURS)
    stranger.post("/logout", headers=OURS | {"Cookie": "aggregator_session=forged"})
    assert pages.get("/opml").status_code == 200


def test_a_session_does_not_come_back_with_an_earlier_password(site: Made) -> None:
    pages = site(CLOSED)
    sign_in(pages.client)
    for password in (generate_password_hash("new", method="scrypt:1024:8:1"), HASH):
        auth = replace(CLOSED, password=password)
        pages.sample.config = replace(pages.sample.config, auth=auth)
        assert pages.get("/opml").status_code == 401


def make_authenticator(pages: PageSite) -> Authenticator:
    return Authenticator(lambda: pages.sample.config, pages.sample.store, lambda: 0.0)


def test_sign_ins_are_counted_before_their_passwords_are_checked(site: Made) -> None:
    authenticator = make_authenticator(site(CONTROL))
    start = threading.Barrier(4 * MAX_ATTEMPTS)
    results: list[SignedIn | Refused] = []

    def attempt() -> None:
        start.wait()
        results.append(authenticator.sign_in("wrong", "192.0.2.1"))

    threads = [threading.Thread(target=attempt) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= results.count(Refused()) <= MAX_ATTEMPTS


def test_a_sign_in_does_not_wait_for_another_one(site: Made) -> None:
    authenticator = make_authenticator(site(CONTROL))
    with authenticator._hashing:
        for _ in range(2 * MAX_ATTEMPTS):  # and they are not counted
            assert authenticator.sign_in(PASSWORD, "192.0.2.1") == Refused(wait=1.0)
    assert isinstance(authenticator.sign_in(PASSWORD, "192.0.2.1"), SignedIn)


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_forms_of_other_sites_are_refused(site: Made, path: str) -> None:
    pages = site(CONTROL)
    data = {"password": PASSWORD}
    answer = pages.client.post(path, data=data, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil",
        "/\nx",
        "javascript:x",
    ],
)
def test_the_login_redirects_to_this_site_only(site: Made, target: str) -> None:
    assert sign_in(site(CONTROL).client, target=target).headers["Location"] == "/"


def test_a_new_password_ends_all_sessions(site: Made) -> None:
    pages = site(CONTROL)
    sign_in(pages.client)
    changed = replace(CONTROL, password=generate_password_hash("new", method="scrypt:1024:8:1"))
    pages.sample.config = replace(pages.sample.config, auth=changed)
    assert "Poll now" not in pages.text("/source/herald")


@pytest.mark.parametrize("value", ["in", "", "ImluIg.aaaa.bbbb", '"', "a" * 5_000])
def test_a_forged_cookie_is_refused(site: Made, value: str) -> None:
    pages = site(CLOSED)
    sign_in(Client(pages.app))
    for cookie in (f"aggregator_session={value}", f"aggregator_session={value}; ;=;"):
        assert pages.get("/opml", Cookie=cookie).status_code == 401


def test_a_program_may_act_with_the_token(site: Made) -> None:
    pages = site(CONTROL)
    assert poll(pages.client, Authorization="Bearer wrong").headers["Location"] != "/source/herald"
    assert next_poll(pages) == "first poll"
    poll(pages.client, Authorization=f"Bearer {TOKEN}")
    assert next_poll(pages) == "requested"


def test_credentials_that_browsers_add_need_the_same_origin(site: Made) -> None:
    pages = site(CONTROL)
    answer = pages.client.post("/source/herald/poll", auth=("me", TOKEN))
    assert answer.status_code == 403


SECRET_PATHS = (
    "/", "/section/world", "/entry/1", "/source/herald", "/status", "/status.json", "/metrics",
    "/feeds/all.atom", "/feeds/health.rss", "/opml", "/api/v1/entries", "/search?q=rain",
    "/static", "/login/x", "/nowhere",
)  # fmt: skip


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_a_protected_site_shows_strangers_nothing(site: Made, path: str) -> None:
    pages = site(CLOSED)
    allowed = pages.client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert allowed.status_code in (200, 404)
    assert allowed.headers["Cache-Control"] == "private, no-cache"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
        answer = pages.client.get(path, headers=headers)
        assert answer.status_code == 401
        assert "Report" not in answer.text
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_protected_api_responds_with_problem_details(site: Made) -> None:
    answer = site(CLOSED).get("/api/v1/entries", Accept="text/html")
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.json
    assert answer.json["status"] == 401


def test_a_protected_site_redirects_browsers_to_the_login_and_back(site: Made) -> None:
    pages = site(CLOSED)
    answer = pages.get("/search?q=a%26b&since=7d", Accept="text/html,*/*")
    assert answer.status_code == 303
    login = pages.client.get(answer.headers["Location"])
    assert 'value="/search?q=a%26b&amp;since=7d"' in login.text
    assert "Herald" not in login.text


def test_a_feed_reader_sends_the_token_as_password(site: Made) -> None:
    pages = site(CLOSED)
    assert pages.client.get("/feeds/all.atom", auth=("any name", TOKEN)).status_code == 200
    assert pages.client.get("/feeds/all.atom", auth=("any name", PASSWORD)).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/style.css", "/static/site.js", "/login"])
def test_a_protected_site_serves_health_checks(site: Made, path: str) -> None:
    assert site(CLOSED).get(path).status_code in (200, 503)


def test_the_configuration_accepts_the_hash(tmp_path: Path) -> None:
    text = f"auth: {{password: '{hash_password('x')}'}}\nsources: []\n"
    assert file.parse(text, "x.yaml", {}).auth.on


def test_the_command_prints_the_line_for_the_configuration() -> None:
    result = CliRunner().invoke(main, ["password"], input=f"{PASSWORD}\n{PASSWORD}\n")
    name, _, hashed = result.stdout.strip().partition(": ")
    assert name == "password"
    assert check_password_hash(hashed, PASSWORD)
