"""All links of the site work at every kind of address."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from aggregator.models.config import Auth, Config
from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from aggregator.web.app import create_app
from tests.web.crawl import Reply, crawl
from tests.web.middleware.test_auth import HASH, PASSWORD
from tests.web.sample_store import CONFIG, open_sample, proxied
from tests.web.test_browser import fill

IDN = "https://xn--e1afmkfd.example/%D0%B4%D0%BD%D0%B8"


def requests(client: Client, base: str, *, strips: bool) -> Callable[[str], Reply]:
    """Return a function that sends requests as a proxy does, which may take off the prefix."""
    parts = urlsplit(base)

    def get(url: str) -> Reply:
        path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        if strips:
            path = path.removeprefix(parts.path) or "/"
        response = client.get(path, headers={"Host": parts.netloc}, buffered=True)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, response.data)

    return get


@pytest.mark.parametrize(
    ("base_url", "address", "strips"),
    [
        ("", "http://127.0.0.1:9137", False),
        ("", "http://0.0.0.0:9137", False),
        ("https://site.example", "https://site.example", False),
        ("https://site.example/news", "https://site.example/news", True),
        ("https://site.example/news", "https://site.example/news", False),
        ("https://site.example/feeds", "https://site.example/feeds", True),
        ("https://site.example/a/b", "https://site.example/a/b", False),
        (IDN, IDN, False),
        ("http://[fd00::7]:8080/news", "http://[fd00::7]:8080/news", True),
    ],
)
def test_every_address_leads_to_a_page(
    tmp_path: Path, base_url: str, address: str, strips: bool
) -> None:
    site = replace(CONFIG.site, base_url=base_url, embed=("*",))
    config = replace(CONFIG, site=site, auth=Auth(password=HASH))
    config = replace(config, path="", allow=("fd00::/8",))
    listening = urlsplit(address)
    with open_sample(tmp_path, config) as sample:
        fill(sample)
        with sample.store.transaction() as db:
            metadata.put(db, "tick", format_time(sample.now))
        app = create_app(
            lambda: config,
            sample.store,
            clock=lambda: sample.now,
            host="" if base_url else listening.hostname or "",
            port=listening.port or 80,
        )
        address = address.replace("0.0.0.0", "nas.lan")
        result = crawl(address, requests(Client(app.wsgi_app), address, strips=strips))
    assert result.broken == {}
    assert result.outside == set()
    assert len(result.statuses) > 150
    for path in ("/embed", "/embed/section/world", "/embed/source/odd", "/embed/view/rain"):
        assert result.statuses[address + path] == 200
    for path in ("/opml", "/feeds/all.atom", "/api/v1/entries", "/stories", "/login"):
        assert result.statuses[address + path] == 200
    assert any(url.startswith(f"{address}/static/site.js?v=") for url in result.statuses)


# --- below a path ----------------------------------------------------------------------------


@pytest.fixture
def closed(tmp_path: Path) -> Config:
    site = replace(CONFIG.site, base_url="https://site.example/news")
    config = replace(CONFIG, site=site, auth=Auth(password=HASH, protect="site"))
    return replace(proxied(config, tmp_path), allow=())


def test_signing_in_below_a_path(tmp_path: Path, closed: Config) -> None:
    with open_sample(tmp_path, closed) as sample:
        sample.add("herald")
        client = Client(create_app(lambda: closed, sample.store, clock=lambda: sample.now).wsgi_app)
        pages = {"Accept": "text/html", "Origin": "https://site.example"}
        response = client.get("/news/entry/1", headers=pages)
        assert response.headers["Location"] == "/news/login?next=/entry/1"
        response = client.post(
            "/news/login", data={"password": PASSWORD, "next": "/entry/1"}, headers=pages
        )
        assert response.headers["Location"] == "/news/entry/1"
        cookie = response.headers["Set-Cookie"]
        assert "Path=/news" in cookie.split("; ")
        assert "Secure" in cookie
        client = Client(client.application, use_cookies=False)
        signed_in = pages | {"Cookie": cookie.partition(";")[0]}
        assert client.get("/news/entry/1", headers=signed_in).status_code == 200
        response = client.post("/news/source/herald/poll", headers=signed_in)
        assert response.headers["Location"] == "/news/source/herald?asked=1"
        response = client.post("/news/logout", headers=signed_in)
        assert response.headers["Location"] == "/news/login"
        assert "Path=/news" in response.headers["Set-Cookie"].split("; ")


def test_our_hub_takes_subscriptions_below_a_path(tmp_path: Path, closed: Config) -> None:
    config = replace(closed, auth=Auth())
    topic = "https://site.example/news/feeds/all.atom"
    form = {"hub.mode": "subscribe", "hub.callback": "https://reader.example/callback"}
    with open_sample(tmp_path, config) as sample:
        client = Client(create_app(lambda: config, sample.store, clock=lambda: sample.now).wsgi_app)
        link = client.get("/news/feeds/all.atom").headers["Link"]
        assert '<https://site.example/news/hub>; rel="hub"' in link
        assert client.post("/news/hub", data=form | {"hub.topic": topic}).status_code == 202
        other = topic.replace("/news", "")
        assert client.post("/news/hub", data=form | {"hub.topic": other}).status_code == 404


def test_a_form_of_another_site_on_the_same_path_is_refused(tmp_path: Path, closed: Config) -> None:
    with open_sample(tmp_path, closed) as sample:
        client = Client(create_app(lambda: closed, sample.store).wsgi_app)
        headers = {"Origin": "https://site.example.evil.example"}
        response = client.post("/news/login", data={"password": PASSWORD}, headers=headers)
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [("/news", 200), ("/news/", 200), ("/", 200), ("/newsroom", 404), ("/news/news/", 404)],
)
def test_only_the_prefix_is_taken_off(tmp_path: Path, path: str, status: int) -> None:
    config = replace(CONFIG, site=replace(CONFIG.site, base_url="https://site.example/news"))
    with open_sample(tmp_path) as sample:
        client = Client(create_app(lambda: config, sample.store, clock=lambda: sample.now).wsgi_app)
        assert client.get(path).status_code == status


def test_pictures_and_logo_below_a_path(tmp_path: Path, closed: Config) -> None:
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    site = replace(closed.site, logo=str(tmp_path / "logo.svg"))
    config = replace(closed, site=site, auth=Auth())
    with open_sample(tmp_path, config) as sample:
        fill(sample)
        client = Client(create_app(lambda: config, sample.store, clock=lambda: sample.now).wsgi_app)
        page = client.get("/news/").text
        assert '<img src="/news/logo"' in page
        assert client.get("/news/logo").status_code == 200
        picture = re.findall('src="(/news/picture[^"]*)"', page)[0]
        assert client.get(unescape(picture)).status_code == 502  # signed, but there is no publisher
        table = client.get("/news/entry/29").text
        assert 'src="/news/picture?' in table
        assert client.get("/news/feeds/all.atom").data.count(b"https://site.example/news/logo") == 1
