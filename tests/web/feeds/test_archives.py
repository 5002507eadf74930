"""Archives (RFC 5005): the chain has every entry, and an archive never changes."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.ingest import maintenance
from aggregator.models.config import Site
from aggregator.store.database.connection import BUSY_SECONDS
from aggregator.store.entries import entries
from aggregator.web.feeds.build import MAX_WAITING
from tests import validators
from tests.web.conftest import FeedSite
from tests.web.sample_store import BASE, CONFIG, make_entry

FH = validators.FH


def walk(site: FeedSite, path: str) -> Iterator[tuple[str, bytes]]:
    """Yield address and body of a JSON feed and of the archives that it leads to."""
    seen = set()
    while path:
        assert path not in seen
        seen.add(path)
        response = site.get(path)
        assert response.status_code == 200
        assert validators.json_feed(response.data) == []
        yield path, response.data
        path = json.loads(response.data).get("next_url", "").removeprefix(BASE)


def ids(body: bytes) -> list[str]:
    return [item["id"] for item in json.loads(body)["items"]]


def rels(body: bytes) -> dict[str, str]:
    root = etree.fromstring(body)
    links = root.findall(f"{validators.ATOM}link") or root.findall(f"channel/{validators.ATOM}link")
    return {link.get("rel", ""): link.get("href", "").removeprefix(BASE) for link in links}


@pytest.mark.parametrize("view", ["all", "section/world", "source/herald", "view/rain"])
def test_the_chain_has_all_stored_entries_once(site: FeedSite, view: str) -> None:
    numbers = range(1, 341)
    for _ in range(4):
        site.sample.add("herald", 70)
        site.sample.add("post", 15, age=timedelta(days=400))  # comes late, is dated early
        site.later()
        list(walk(site, f"/feeds/{view}.json"))  # archives are closed while it grows
    sources = {"herald"} if view == "source/herald" else {"herald", "post"}
    stored = {
        f"https://news.example/{number}"
        for number in numbers
        if ((number - 1) % 85 < 70 or "post" in sources) and (view != "view/rain" or number % 2)
    }
    found = Counter(id for _, body in walk(site, f"/feeds/{view}.json") for id in set(ids(body)))
    assert set(found) == stored
    chain = list(walk(site, f"/feeds/{view}.json"))
    assert len(chain) == 1 + len(stored) // 50
    in_archives = Counter(id for _, body in chain[1:] for id in ids(body))
    assert set(in_archives.values()) == {1}
    assert all(len(ids(body)) == 50 for _, body in chain[1:])
    assert 50 <= len(ids(chain[0][1])) < 100


def test_a_feed_is_complete_while_the_database_is_locked(site: FeedSite) -> None:
    site.sample.add("herald", 120)
    with closing(sqlite3.connect(site.sample.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        began = time.monotonic()
        assert [len(ids(body)) for _, body in walk(site, "/feeds/all.json")] == [120]
        assert time.monotonic() - began < BUSY_SECONDS
    site.sample.add("herald", 1)
    site.later()
    assert [len(ids(body)) for _, body in walk(site, "/feeds/all.json")] == [50, 50, 50]


@pytest.mark.parametrize(
    ("count", "held"), [(MAX_WAITING, MAX_WAITING), (MAX_WAITING + 1, MAX_WAITING)]
)
def test_a_feed_is_bounded_while_the_database_is_locked_and_its_chain_is_complete_later(
    site: FeedSite, count: int, held: int
) -> None:
    site.sample.add("herald", count)
    with closing(sqlite3.connect(site.sample.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        ((_, body),) = walk(site, "/feeds/all.json")
    assert len(ids(body)) == held
    assert json.loads(body)["_aggregator"].get("complete", False) is (count == held)
    site.sample.add("herald", 1)
    site.later()
    found = {id for _, body in walk(site, "/feeds/all.json") for id in ids(body)}
    assert len(found) == count + 1


@pytest.mark.parametrize("format", ["atom", "rss"])
def test_the_xml_formats_link_their_chain(site: FeedSite, format: str) -> None:
    check = {"atom": validators.atom, "rss": validators.rss}[format]
    site.sample.add("herald", 120)
    path = f"/feeds/section/world.{format}"
    body = site.get(path).data
    assert rels(body)["prev-archive"] == f"/feeds/section/world/archive/2.{format}"
    second = site.get(rels(body)["prev-archive"])
    assert check(second.data) == []
    assert rels(second.data)["current"] == path
    assert rels(second.data)["self"] == f"/feeds/section/world/archive/2.{format}"
    assert rels(second.data)["prev-archive"] == f"/feeds/section/world/archive/1.{format}"
    assert b"<fh:archive/>" in second.data
    first = site.get(rels(second.data)["prev-archive"])
    assert "prev-archive" not in rels(first.data)
    assert check(first.data) == []


def test_an_archive_may_be_cached_forever(site: FeedSite) -> None:
    site.sample.add("herald", 50)
    response = site.get("/feeds/all/archive/1.atom")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert f'<{BASE}/feeds/all.atom>; rel="current"' in response.headers["Link"]
    tag = response.headers["ETag"]
    again = site.get("/feeds/all/archive/1.atom", headers={"If-None-Match": tag})
    assert again.status_code == 304


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
def test_no_byte_of_an_archive_changes(site: FeedSite, format: str) -> None:
    stored = site.sample.add("herald", 60)
    before = site.get(f"/feeds/all/archive/1.{format}")
    site.sample.revise(stored[3], "Corrected")
    site.sample.withdraw(stored[4])
    site.sample.add("post", 200)
    site.restart()
    site.get("/feeds/all.atom")
    after = site.get(f"/feeds/all/archive/1.{format}")
    assert after.data == before.data
    assert list(after.headers) == list(before.headers)


def test_a_correction_of_an_archived_entry_is_in_the_main_document(site: FeedSite) -> None:
    stored = site.sample.add("herald", 60)
    old = site.get("/feeds/all/archive/1.json").data
    site.sample.revise(stored[55], "Corrected")
    site.later()
    new = json.loads(site.get("/feeds/all.json").data)["items"]
    assert "Corrected" in [item["title"] for item in new]
    assert b"Corrected" not in old


def test_a_small_view_is_complete(site: FeedSite) -> None:
    site.sample.add("herald", 49)
    assert b"<fh:complete/>" in site.get("/feeds/all.atom").data
    assert b"<fh:complete/>" in site.get("/feeds/source/herald.rss").data
    assert json.loads(site.get("/feeds/all.json").data)["_aggregator"]["complete"] is True
    site.sample.add("herald")
    site.later()
    body = site.get("/feeds/all.atom").data
    assert b"<fh:complete/>" not in body
    assert rels(body)["prev-archive"] == "/feeds/all/archive/1.atom"


@pytest.mark.parametrize("query", ["limit=10", "since=2009-01-01", "q=report", "sort=updated"])
def test_a_narrowed_view_has_no_archives(site: FeedSite, query: str) -> None:
    site.sample.add("herald", 60)
    body = site.get(f"/feeds/all.atom?{query}").data
    assert "prev-archive" not in rels(body)
    assert b"<fh:complete/>" not in body


def test_an_archive_can_be_requested_before_the_feed(site: FeedSite) -> None:
    site.sample.add("herald", 100)
    assert site.get("/feeds/all/archive/2.atom").status_code == 200
    assert site.get("/feeds/all/archive/3.atom").status_code == 404


def test_a_site_that_moves_has_archives_with_its_new_address(site: FeedSite) -> None:
    site.sample.add("herald", 50)
    site.get("/feeds/all/archive/1.atom")
    site.config = replace(CONFIG, site=Site(title="The Site", base_url="https://new.example"))
    assert b"https://new.example/feeds/all.atom" in site.get("/feeds/all/archive/1.atom").data


def test_two_processes_close_the_same_archives(site: FeedSite) -> None:
    other = FeedSite(site.sample)
    site.sample.add("herald", 70)
    site.get("/feeds/all.atom")
    site.sample.add("herald", 70)
    site.later()
    for archive in ("all/archive/1", "all/archive/2"):
        mine, theirs = site.get(f"/feeds/{archive}.rss"), other.get(f"/feeds/{archive}.rss")
        assert (mine.status_code, mine.data) == (200, theirs.data)
    assert site.get("/feeds/all.atom").data == other.get("/feeds/all.atom").data


def test_an_entry_of_two_sources_is_once_in_a_document(site: FeedSite) -> None:
    site.sample.put("herald", make_entry(1000), uri="urn:example:1")
    site.sample.put("post", make_entry(1001), uri="urn:example:1")
    items = json.loads(site.get("/feeds/all.json").data)["items"]
    assert [item["_aggregator"]["source"]["id"] for item in items] == ["herald"]
    items = json.loads(site.get("/feeds/source/post.json").data)["items"]
    assert [item["_aggregator"]["source"]["id"] for item in items] == ["post"]


Step = tuple[str, int]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "late", "withdraw", "read", "restart"]), st.integers(1, 80)
        ),
        max_size=12,
    )
)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_chain_misses_no_entry(fresh: Callable[[], FeedSite], steps: list[Step]) -> None:
    site = fresh()
    standing: list[int] = []
    archived: dict[str, bytes] = {}
    for step, number in [*steps, ("read", 1)]:
        if step == "add":
            standing += site.sample.add("herald", number)
        elif step == "late":
            standing += site.sample.add("odd", number, age=timedelta(days=number))
        elif step == "withdraw" and standing:
            site.sample.withdraw(standing.pop(number % len(standing)))
        elif step == "restart":
            site.restart()
        else:
            site.later()
            chain = dict(walk(site, "/feeds/all.json"))
            found = {id for body in chain.values() for id in ids(body)}
            assert {f"https://news.example/{number}" for number in standing} <= found
            for path, body in archived.items():
                assert chain[path] == body
            archived = {path: body for path, body in chain.items() if "archive" in path}


def test_an_archive_in_memory_loses_a_hidden_entry(site: FeedSite) -> None:
    site.sample.add("herald", 60)
    path = "/feeds/all/archive/1.json"
    assert "https://news.example/7" in ids(site.get(path).data)
    with site.sample.store.transaction() as db:
        [stored] = entries.get_many(db, [7]).values()
        maintenance.hide_entry(db, stored, "x", site.sample.now)
    site.later()
    assert "https://news.example/7" not in ids(site.get(path).data)
