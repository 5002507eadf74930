"""The service at several addresses: all of its links work."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests import feedserver
from tests.e2e.nginx import PROGRAM, nginx
from tests.e2e.service import Running, Service, free_port
from tests.feedserver import FeedServer
from tests.web.crawl import Reply, crawl
from tests.web.server import chromium

TOKEN = "a-token-for-programs"
RSS = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>The Loop</title><link>http://loop.example/</link>
<description>d</description><item><title>News {number}</title><guid>loop-{number}</guid>
<link>http://loop.example/{number}</link><category>weather</category>
<enclosure url="{picture}" type="image/png" length="70"/></item></channel></rss>"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6364"
    "f8cf500f00038601805a3469dc0000000049454e44ae426082"
)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def opener() -> Callable[[str], Reply]:
    """Return a function that sends a request, follows nothing, and trusts every certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    https = urllib.request.HTTPSHandler(context=context)
    opened = urllib.request.build_opener(NoRedirect, https)

    def get(url: str) -> Reply:
        try:
            with opened.open(url, timeout=20) as response:
                body, status, fields = response.read(), response.status, response.headers
        except urllib.error.HTTPError as error:
            with error:
                body, status, fields = error.read(), error.code, error.headers
        return Reply(status, {name.lower(): value for name, value in fields.items()}, body)

    return get


def publish(server: FeedServer, number: int) -> None:
    server.reply("/p", body=PIXEL, headers={"Content-Type": "image/png"})
    body = RSS.format(number=number, picture=server.url("/p")).encode()
    server.reply("/feed", body=body, headers={"Content-Type": "application/rss+xml"})


def start(service: Service, server: FeedServer, *options: str, **site: object) -> Running:
    publish(server, 1)
    source = {"id": "loop", "url": server.url("/feed"), "sections": ["world"], "every": "1s"}
    service.configure(
        [source],
        site=site,
        network={"allow": ["127.0.0.0/8", "::1", "localhost"]},
        sections=[{"id": "world", "title": "World"}],
        views=[{"id": "rain", "title": "Rain", "query": "q=news"}],
        auth={"token": TOKEN},
        media={"proxy": True},
    )
    running = service.start("run", *options)
    service.wait(lambda: service.rows("select 1 from entries"))
    return running


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0"])
def test_on_another_port(service: Service, feed_server: FeedServer, host: str) -> None:
    port = free_port()
    name = {"::1": "[::1]", "0.0.0.0": "127.0.0.1"}.get(host, host)
    base = f"http://{name}:{port}"
    running = start(service, feed_server, "--host", host, "--port", str(port))
    get = opener()
    service.wait(lambda: get(f"{base}/readyz").status == 200)
    result = crawl(base, get)
    assert result.broken == {}
    assert len(result.statuses) > 50
    link = get(f"{base}/feeds/all.atom").headers["link"]
    agent = feed_server.requests[0].headers["user-agent"]
    if host == "0.0.0.0":  # the scheduler does not know by which name it is reached
        assert 'rel="hub"' not in link
        assert "127.0.0.1" not in agent
    else:
        assert f'<{base}/hub>; rel="hub"' in link
        assert f"+{base}" in agent
    assert f"{base}/feeds/all.atom" in running.log
    assert "warning" not in running.log


def test_a_base_url_with_another_port_is_named(service: Service, feed_server: FeedServer) -> None:
    port = free_port()
    running = start(service, feed_server, "--port", str(port), base_url="http://127.0.0.1:8000")
    service.wait(lambda: "warning" in running.log)
    assert (
        f"site.base_url is http://127.0.0.1:8000, but the server listens on port {port}"
    ) in running.log


def test_a_base_url_beyond_ascii_is_sent_in_ascii(
    service: Service, feed_server: FeedServer
) -> None:
    port = free_port()
    start(service, feed_server, "--port", str(port), base_url="https://новости.example/дни")
    base = "https://xn--b1amnebsh.example/%D0%B4%D0%BD%D0%B8"
    assert f"(+{base})" in feed_server.requests[0].headers["user-agent"]
    get = opener()
    inner = f"http://127.0.0.1:{port}/%D0%B4%D0%BD%D0%B8"
    service.wait(lambda: get(f"{inner}/readyz").status == 200)
    link = get(f"{inner}/feeds/all.atom").headers["link"]
    assert f'<{base}/feeds/all.atom>; rel="self"' in link
    assert f'<{base}/hub>; rel="hub"' in link
    assert f'href="{base}/"'.encode() in get(f"{inner}/").body


# --- behind nginx, below a path --------------------------------------------------------------

needs_nginx = pytest.mark.skipif(
    PROGRAM is None, reason="nginx is not installed here: apt-get install nginx-light"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return feedserver.certificate(tmp_path_factory.mktemp("tls"))


Site = Callable[[str, str, dict[str, object]], str]


@pytest.fixture
def behind_nginx(
    service: Service, feed_server: FeedServer, certificate: Path, tmp_path: Path
) -> Iterator[Site]:
    """Start the service behind nginx at a path, and return its address."""
    stack = ExitStack()

    def site(prefix: str, slash: str, site: dict[str, object]) -> str:
        port, inner = free_port(), free_port()
        base = f"https://127.0.0.1:{port}{prefix}"
        if "base_url" in site:
            site = site | {"base_url": base}
        start(service, feed_server, "--port", str(inner), trusted_proxies=1, **site)
        upstream = f"http://127.0.0.1:{inner}{slash}"
        stack.enter_context(
            nginx(tmp_path / "nginx", certificate, port=port, prefix=prefix, upstream=upstream)
        )
        get = opener()
        service.wait(lambda: get(f"{base}/readyz").status == 200)
        return base

    with stack:
        yield site


@needs_nginx
@pytest.mark.parametrize(
    ("prefix", "slash", "site"),
    [
        pytest.param("/news", "/", {"base_url": ""}, id="nginx takes the path off"),
        pytest.param("/a/news", "", {"base_url": ""}, id="nginx leaves the path"),
        pytest.param("/feeds", "/", {}, id="no base_url"),
    ],
)
def test_below_a_path_behind_nginx(
    behind_nginx: Site, prefix: str, slash: str, site: dict[str, object]
) -> None:
    base = behind_nginx(prefix, slash, site)
    result = crawl(base, opener())
    assert result.broken == {}
    assert result.outside == set()
    assert len(result.statuses) > 50


@needs_nginx
@pytest.mark.parametrize("slash", ["/", ""])
def test_a_browser_below_a_path(
    behind_nginx: Site, browser: Browser, service: Service, feed_server: FeedServer, slash: str
) -> None:
    base = behind_nginx("/news", slash, {"base_url": ""})
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(base))
    context = browser.new_context(ignore_https_errors=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    page.on("request", lambda request: problems.extend(outside(request.url)))

    def outside(url: str) -> list[str]:
        return [] if url.startswith(f"{base}/") else [url]

    page.clock.install()
    page.goto(f"{base}/")
    expect(page.locator(".lead")).to_contain_text("News 1")
    expect(page.locator(".lead img")).to_have_js_property("naturalWidth", 1)
    assert int(page.evaluate("document.styleSheets[0].cssRules.length")) > 50
    publish(feed_server, 2)
    service.wait(lambda: len(service.rows("select 1 from entries")) == 2)
    page.clock.run_for(61_000)
    expect(page.locator("#news")).to_have_text("1 new entry")
    page.locator("#news a").click()
    expect(page.locator(".lead")).to_contain_text("News 2")

    page.get_by_role("link", name="World", exact=True).first.click()
    page.wait_for_url(f"{base}/section/world")
    page.locator("button.copy").first.click()
    expect(page.locator("button.copy").first).to_have_text("Copied")
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert copied.startswith(f"{base}/feeds/section/world.")

    page.locator("#find").fill("news")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/search?q=news")
    expect(page.locator("a.headline")).to_have_count(2)

    page.goto(f"{base}/source/loop")
    page.get_by_role("link", name="Sign in to see its polls and settings").click()
    page.get_by_label("Password").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/source/loop")
    page.get_by_role("button", name="Poll now").click()
    page.wait_for_url(f"{base}/source/loop?asked=1")
    [cookie] = context.cookies()
    assert (cookie["path"], cookie["secure"]) == ("/news", True)
    page.get_by_role("link", name="Sign in or out").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{base}/login")
    assert context.cookies() == []
    context.close()
    assert problems == []
