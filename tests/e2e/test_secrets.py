"""No secret of the configuration leaves the program: by pages, feeds, commands, log or errors."""

import os
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import Client

from aggregator.config import file as config_file
from aggregator.store.database.connection import Store
from aggregator.web.app import create_app
from tests.e2e.service import Service
from tests.feedserver import Behaviour, FeedServer, Received, Step, response
from tests.web.test_routes import endpoints, reading

ENVIRON = {
    "PATH_TOKEN": "path-token",
    "QUERY_TOKEN": "query-token",
    "HEADER_TOKEN": "header-token",
    "SPECIAL_TOKEN": "spe%2Fcial%26tok\u00e9n",
}
SECRETS = {
    *ENVIRON.values(),
    "spe/cial&tok\u00e9n",
    "whole-url-token-0123",
    "userinfo-password",
    "userinfo-token",
    "literal-query",
}
NEVER_TEXT = {
    "static",
    "style",
    "logo",
    "media.picture",
    "as_of.choose",
    "websub.verify",
    "api.root",
    "favicon.ico",
    "icon-180.png",
    "icons.icon",
    "logo_file",
}
"""Routes that show nothing of a source."""


def forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote(secret)}


def leaks(text: str) -> set[str]:
    return {secret for secret in SECRETS if any(form in text for form in forms(secret))}


def feed(server: FeedServer, name: str, address: str) -> bytes:
    """A feed that repeats its own address in every place that a feed has for one."""
    url = address.replace("&", "&amp;")
    return f"""<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
      <title>{name} {url}</title><link>{url}</link><description>{url}</description>
      <atom:link rel="self" href="{url}"/><atom:link rel="hub" href="{url}"/>
      <item><guid>{name}-1</guid><title>Story of {name}</title><link>{url}#1</link>
        <comments>{url}#c</comments><category>topic</category>
        <description>&lt;a href="{url}"&gt;text of {url}&lt;/a&gt;
        &lt;img src="{url}" width="800" height="600"&gt;</description>
        <enclosure url="{url}" type="audio/mpeg" length="1"/></item>
    </channel></rss>""".encode()


def echo(name: str, server: FeedServer) -> Behaviour:
    def behaviour(request: Received) -> Sequence[Step]:
        url = server.url(request.path)
        return [response(200, {"Content-Type": "application/rss+xml"}, feed(server, name, url))]

    return behaviour


@pytest.fixture
def polled(service: Service, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that polled sources with nine secrets twice; some of them fail."""
    url = feed_server.url
    host = f"127.0.0.1:{feed_server.port}"
    environ = ENVIRON | {"WHOLE": url("/whole-url-token-0123/feed?x=whole-url-token-0123")}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    feed_server.on("/path-token/feed", echo("path", feed_server))
    feed_server.on("/whole-url-token-0123/feed", echo("whole", feed_server))
    feed_server.on("/userinfo", echo("userinfo", feed_server))
    feed_server.redirect("/name", url("/gone/userinfo-token?t=userinfo-token"))
    feed_server.redirect("/private", url("/there?auth=literal-query"))
    feed_server.on("/there", echo("private", feed_server))
    feed_server.on("/special", echo("special", feed_server))
    page = f'<link rel="alternate" type="application/rss+xml" href="{url("/f?k=header-token")}">'
    feed_server.reply("/header", body=page.encode(), headers={"Content-Type": "text/html"})
    feed_server.on("/f", echo("header", feed_server))
    service.configure(
        [
            {"id": "path", "url": url("/${PATH_TOKEN}/feed"), "sections": ["world"]},
            {"id": "query", "url": url("/missing?key=${QUERY_TOKEN}"), "sections": ["world"]},
            {"id": "userinfo", "url": f"http://ann:userinfo-password@{host}/userinfo"},
            {"id": "name", "url": f"http://userinfo-token@{host}/name"},
            {"id": "private", "url": url("/private?auth=literal-query"), "private": True},
            {"id": "special", "url": url("/special?k=${SPECIAL_TOKEN}")},
            {"id": "header", "url": url("/header"), "headers": {"X-Key": "${HEADER_TOKEN}"}},
            {"id": "whole", "url": "${WHOLE}"},
        ],
        sections=[{"id": "world", "title": "World"}],
        views=[{"id": "all", "title": "All", "query": "q=story"}],
    )
    for _ in range(3):
        service.run("poll", "--force")
    assert service.one("select count(*) from entries") >= 5
    return service


def paths(service: Service) -> list[str]:
    sources = [row[0] for row in service.rows("select id from sources")]
    entries = [row[0] for row in service.rows("select id from entries")]
    views = ["all", "section/world", "view/all", "health", "corrections", "search"]
    views += [f"source/{source}" for source in sources]
    feeds = [f"/feeds/{view}.{format}" for view in views for format in ("atom", "rss", "json")]
    feeds = [f"{path}?q=story" if "/search." in path else path for path in feeds]
    return [
        *(
            "/",
            "/topics",
            "/corrections",
            "/help",
            "/search?q=story",
            "/section/world",
            "/news.json",
        ),
        *("/view/all", "/opml", "/status", "/status.json", "/status/hosts", "/status/websub"),
        *("/metrics", "/healthz", "/readyz", "/login", "/at/2026-11-27T00:00Z/", "/all"),
        *("/category?name=topic", "/author?name=none", "/at/2026-11-27T00:00Z/section/world"),
        *("/at/2026-11-27T00:00Z/section", "/at/2026-11-27T00:00Z/feeds/all.atom"),
        *("/category/topic", "/author/none", "/lang/en"),
        *(f"/api/v1/{name}" for name in ("entries", "sources", "sections", "stories")),
        *("/stories", "/stories?page=2", "/status.csv", "/robots.txt", "/manifest.webmanifest"),
        *("/sitemap.xml", "/sitemap/pages.xml", "/sitemap/news.xml", "/sitemap/stories/0.xml"),
        *("/api/v1/openapi.json", f"/api/v1/stories/{entries[0]}"),
        *(f"/api/v1/entries/{entry}" for entry in entries),
        *(f"/api/v1/sources/{source}{more}" for source in sources for more in ("", "/polls")),
        *("/embed", "/embed/section", "/embed/section/world", "/oembed?url=http://127.0.0.1:8000/"),
        *("/search/index.json", "/search/0.json", "/stories/before/9"),
        *(f"/{view}/before/9" for view in ("section/world", "view/all", "category/topic")),
        *(f"/{view}/before/9" for view in ("author/none", "lang/en", "source/path")),
        *(f"/source/{source}" for source in sources),
        *(f"/entry/{entry}" for entry in entries),
        *(f"/entry/{entry}/print" for entry in entries),
        *feeds,
    ]


@pytest.fixture
def app(polled: Service) -> Iterator[Flask]:
    config = config_file.load(str(polled.config), os.environ)
    store = Store(str(polled.database))
    yield create_app(lambda: config, store)
    store.close()


def test_no_route_shows_a_secret(app: Flask, polled: Service) -> None:
    asked = paths(polled)
    missing = reading(app) - endpoints(app, asked) - NEVER_TEXT
    assert not missing, sorted(missing)
    client = Client(app)
    masked = 0
    for path in asked:
        answer = client.get(path, buffered=True)
        assert not leaks(answer.text), path
        assert not leaks(str(answer.headers)), path
        masked += "***" in answer.text
    assert masked > 20, "the secrets have to be there to be masked"


def test_no_command_and_no_log_line_shows_a_secret(polled: Service) -> None:
    sources = [row[0] for row in polled.rows("select id from sources")]
    commands = [("check",), ("status",), ("export",), ("poll", "--force")]
    commands += [(name, source) for source in sources for name in ("explain", "doctor")]
    commands += [("explain", str(row[0])) for row in polled.rows("select id from entries")]
    masked = 0
    for command in commands:
        output = polled.run(*command).stdout
        assert not leaks(re.sub(r"\s*\n\s*", "", output)), command  # a terminal may wrap a URL
        masked += "***" in output
    assert masked > 10, "the secrets have to be there to be masked"


def test_no_stored_text_of_an_error_holds_a_secret(polled: Service) -> None:
    texts = polled.rows(
        "select error from sources union all select next_poll_reason from sources"
        " union all select detail from polls union all select reason from polls"
        " union all select detail from incidents"
    )
    assert not leaks("\n".join(str(row[0]) for row in texts))
