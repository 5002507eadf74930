"""Views by address."""

from dataclasses import replace

import pytest

from aggregator.errors import QueryError
from aggregator.models.config import Rule, View, WebSub
from aggregator.models.query import Query, parse
from aggregator.web.feeds import documents
from aggregator.web.feeds.views import NoSuchView, describe, narrow, resolve
from tests.web.sample_store import BASE, CONFIG


@pytest.mark.parametrize(
    ("kind", "id", "args", "query", "title", "page", "feed"),
    [
        ("all", "", "", "", "The Site", "/", "/feeds/all.atom"),
        ("all", "", "q=a", "q=a", "a – The Site", "/search?q=a", "/feeds/all.atom?q=a"),
        ("section", "world", "", "section=world", "World – The Site", "/section/world", None),
        (
            *("section", "world", "has=audio&q=x+y", "section=world&q=x+y&has=audio"),
            *("World: x y, has audio – The Site", "/section/world?q=x+y&has=audio"),
            "/feeds/section/world.atom?q=x+y&has=audio",
        ),
        ("source", "herald", "", "source=herald", "Herald – The Site", "/source/herald", None),
        ("source", "odd", "", "source=odd", "odd – The Site", "/source/odd", None),
        ("view", "rain", "not=sun", "q=rain&not=sun", "Rain: not sun – The Site", None, None),
        ("view", "rain", "q=wind", "q=rain+wind", "Rain: wind – The Site", None, None),
        (
            "category",
            "A/B é",
            "",
            "category=A%2FB+%C3%A9",
            None,
            "/category?name=A%2FB%20%C3%A9",
            None,
        ),
        ("author", "Ann", "limit=3", "author=Ann&limit=3", "Ann – The Site", None, None),
        ("lang", "pt-br", "", "lang=pt-br", "pt-br – The Site", "/lang/pt-br", None),
        ("search", "", "q=%C3%A9", "q=%C3%A9", "Search: é – The Site", "/search?q=%C3%A9", None),
    ],
)
def test_views(
    kind: str, id: str, args: str, query: str, title: str | None, page: str | None, feed: str | None
) -> None:
    spec = resolve(kind, id, args, CONFIG)
    assert spec.query == parse(query)
    assert title is None or spec.title == title
    assert page is None or (spec.page_path == page and spec.page_url == f"{BASE}{page}")
    assert feed is None or spec.feed_url("atom") == f"{BASE}{feed}"


def test_the_order_of_parameters_does_not_matter() -> None:
    first = resolve("all", "", "q=x&has=video,audio&section=world", CONFIG)
    second = resolve("all", "", "section=world&has=audio&q=x&has=video", CONFIG)
    assert first == second


@pytest.mark.parametrize(
    ("kind", "id"),
    [
        ("section", "nosuch"),
        ("source", "nosuch"),
        ("view", "nosuch"),
        ("planet", "x"),
        ("section", ""),
        ("all", "x"),
        ("", ""),
        ("lang", "!"),
        ("lang", "EN"),
    ],
)
def test_unknown_views_are_refused(kind: str, id: str) -> None:
    with pytest.raises(NoSuchView):
        resolve(kind, id, "", CONFIG)


@pytest.mark.parametrize(
    ("kind", "id", "args", "message"),
    [
        ("all", "", "limit=0", "from 1 to 500"),
        ("all", "", "section=nosuch", "sections are: local, world"),
        ("all", "", "source=nosuch", "sources are: herald, odd, post"),
        ("section", "world", "section=local", "section is set by the view itself"),
        ("search", "", "", "a search needs one of"),
    ],
)
def test_invalid_queries_are_explained(kind: str, id: str, args: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        resolve(kind, id, args, CONFIG)


def test_unknown_keys_are_ignored() -> None:
    assert resolve("all", "", "colour=red&q=rain", CONFIG) == resolve("all", "", "q=rain", CONFIG)


@pytest.mark.parametrize(
    ("own", "wanted", "both"),
    [
        ("q=a&limit=5", "limit=9&sort=updated", "q=a&limit=9&sort=updated"),
        ("q=a&not=b", "q=c&not=d", "q=a+c&not=b+d"),
        ("section=world", "section=world&lang=en", "section=world&lang=en"),
        ("since=7d", "q=a", "q=a&since=7d"),
    ],
)
def test_narrowing(own: str, wanted: str, both: str) -> None:
    assert narrow(parse(own), parse(wanted)) == parse(both)


@pytest.mark.parametrize(
    ("own", "wanted"),
    [("lang=en", "lang=de"), ("since=7d", "since=1d"), ("since=7d", "since=2009-01-01")],
)
def test_keys_that_both_set_are_refused(own: str, wanted: str) -> None:
    with pytest.raises(QueryError, match="set by the view itself"):
        narrow(parse(own), parse(wanted))


def test_sort_and_limit_are_not_in_the_title() -> None:
    assert describe(parse("q=a&limit=3&sort=updated&lang=de")) == "lang de, a"
    assert describe(Query()) == ""


@pytest.mark.parametrize(
    ("kind", "id", "args", "archived"),
    [
        ("all", "", "", True),
        ("section", "world", "", True),
        ("source", "odd", "", True),
        ("view", "rain", "", True),
        ("view", "week", "", False),
        ("view", "dry", "", False),
        ("all", "", "limit=9", False),
        ("category", "x", "", False),
        ("search", "", "q=x", False),
    ],
)
def test_views_that_only_gain_entries_have_archives(
    kind: str, id: str, args: str, archived: bool
) -> None:
    week = View(id="week", title="Week", query=parse("since=7d"))
    rule = Rule(action="drop", field="title", pattern="rain")
    dry = View(id="dry", title="Dry", query=parse(""), rules=(rule,))
    config = replace(CONFIG, views=(*CONFIG.views, week, dry))
    assert resolve(kind, id, args, config).archived is archived


def test_a_changed_saved_view_has_new_archives() -> None:
    before = resolve("view", "rain", "", CONFIG)
    views = (View(id="rain", title="Rain", query=parse("q=snow")),)
    after = resolve("view", "rain", "", replace(CONFIG, views=views))
    assert before.key != after.key
    assert before.feed_id("x.example") == after.feed_id("x.example")


def test_the_id_of_a_feed() -> None:
    spec = resolve("section", "world", "q=rain", CONFIG)
    assert spec.feed_id("news.example") == "tag:news.example,2026:section/world?q=rain"


@pytest.mark.parametrize(
    ("hub", "token", "wanted"),
    [
        ("own", "", f"{BASE}/hub"),
        ("own", "only-for-the-desk", f"{BASE}/hub"),
        ("https://hub.example/", "", "https://hub.example/"),
        ("https://hub.example/", "only-for-the-desk", ""),
    ],
)
def test_a_private_view_names_no_foreign_hub(hub: str, token: str, wanted: str) -> None:
    view = replace(CONFIG.views[0], token=token)
    config = replace(CONFIG, views=(view,), websub=WebSub(hub=hub))
    spec = resolve("view", view.id, f"token={token}" if token else "", config)
    assert documents.hub(spec, config) == wanted
