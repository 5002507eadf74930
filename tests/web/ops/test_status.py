"""The table of the status page: filters, orders, pages, CSV, and the facts of the server."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import __version__
from aggregator.models.config import Source, Transport
from aggregator.policy.health import UNHEALTHY
from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from aggregator.store.sources import source_list, sources
from aggregator.web.ops import status_csv, status_query
from aggregator.web.ops.status import CSV_ROWS, ROWS
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import CONFIG, open_sample

__all__ = ["pages"]


def ids(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/source/(\w+)"', page)


@pytest.fixture
def mixed(pages: PageSite) -> PageSite:
    """Return a site with one source in order, one failing and one new."""
    with pages.sample.store.transaction() as db:
        sources.update(db, "herald", {"health": "fine", "entries": 3})
        sources.update(db, "post", {"health": "failing", "entries": 9})
    return pages


def table(pages: PageSite, path: str) -> list[dict[str, str]]:
    body = pages.get(path).data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["post", "odd", "herald"]),
        ("?sort=", ["post", "odd", "herald"]),
        ("?sort=order", ["herald", "post", "odd"]),
        ("?sort=entries", ["post", "herald", "odd"]),
        ("?sort=-entries", ["odd", "herald", "post"]),
        ("?section=world", ["post", "herald"]),
        ("?text=HERALD", ["herald"]),
        ("?health=failing&utm_source=x", ["post"]),
        ("?text=example&section=world&health=fine", ["herald"]),
        ("?page=99", ["post", "odd", "herald"]),
    ],
)
def test_page_and_csv_show_the_same_sources(
    mixed: PageSite, query: str, expected: list[str]
) -> None:
    assert ids(mixed.text(f"/status{query}")) == expected
    if "page" not in query:
        assert [row["id"] for row in table(mixed, f"/status.csv{query}")] == expected


def test_filters_stay_in_the_form_and_the_links(mixed: PageSite) -> None:
    assert 'value="a &amp; &#34;b&#34;"' in mixed.text("/status?text=a+%26+%22b%22")
    page = mixed.text("/status?text=HER+ald&section=world&health=fine&sort=-entries")
    assert "No source" in page
    page = mixed.text("/status?text=HERald&section=world&health=fine&sort=-entries")
    for option in ('value="world" selected', 'value="fine" selected', 'value="-entries" selected'):
        assert option in page
    kept = "text=HERald&amp;section=world&amp;health=fine"
    assert f'href="/status?{kept}&amp;sort=entries"' in page
    assert f'href="/status?{kept}"' in page
    assert f'href="/status.csv?{kept}&amp;sort=-entries"' in page
    page = mixed.text("/status?text=HERald&section=world&health=fine&sort=-entries&period=month")
    assert f'href="/status?{kept}&amp;sort=entries&amp;period=month"' in page
    assert f'href="/status?{kept}&amp;period=month"' in page
    assert 'href="/status?sort=-entries&amp;period=month">Show all sources</a>' in page
    assert f'href="?{kept}&amp;sort=-entries&amp;period=year#history"' in page
    assert f'href="/status.csv?{kept}&amp;sort=-entries"' in page, "it has no charts"


@pytest.mark.parametrize(
    ("query", "column", "direction"),
    [
        ("", "Health", "ascending"),
        ("?sort=-health", "Health", "descending"),
        ("?sort=entries", "Entries", "descending"),
        ("?sort=-entries", "Entries", "ascending"),
        ("?sort=next", "Next poll", "ascending"),
    ],
)
def test_the_sorted_column_says_its_direction(
    mixed: PageSite, query: str, column: str, direction: str
) -> None:
    heads = re.findall(
        r'<th scope="col"[^>]*aria-sort="(\w+)"><a[^>]*>([^<]+)</a>', mixed.text(f"/status{query}")
    )
    assert set(heads) == {(direction, column)}


def test_orders_of_page_and_store_are_the_same() -> None:
    assert set(status_query.SORTS) == set(source_list.SORTS)
    assert set(status_query.SORTS) >= status_query.DESCENDING


@pytest.mark.parametrize(
    ("query", "folded"),
    [
        ("", ["odd", "herald"]),
        ("?section=world", ["herald"]),
        ("?sort=title", []),
        ("?text=herald", []),
        ("?health=fine", []),
    ],
)
def test_healthy_sources_are_folded_unless_asked_for(
    mixed: PageSite, query: str, folded: list[str]
) -> None:
    page = mixed.text(f"/status{query}")
    before, _, after = page.partition('<details class="healthy">')
    assert ids(after) == folded
    assert "post" in ids(before) or not folded


def test_a_filter_without_a_match_says_so(mixed: PageSite) -> None:
    page = mixed.text("/status?text=nowhere&section=world&health=gone")
    assert (
        "No source fits: in this section, gone, “nowhere” in its name or host. "
        '<a href="/status">Show all sources</a>'
    ) in page
    assert '<option value="gone" selected>gone (0)</option>' in page
    assert "0 of 3 sources" in page
    assert table(mixed, "/status.csv?text=nowhere") == []


def test_all_healthy(pages: PageSite) -> None:
    assert "All sources are healthy." in pages.text("/status")
    assert "new" not in UNHEALTHY


def test_many_sources_are_pages(tmp_path: Path) -> None:
    many = tuple(
        Source(id=f"s{n:03}", url=f"https://s{n}.example/", sections=("world",))
        for n in range(ROWS + 1)
    )
    with open_sample(tmp_path, replace(CONFIG, sources=many)) as sample:
        site = PageSite(sample)
        first, last = (site.text(f"/status?section=world&page={page}") for page in (1, 2))
        whole = table(site, "/status.csv?section=world")
    assert ids(first) == [source.id for source in many[:-1]]
    assert ids(last) == [many[-1].id]
    assert "201 of 201 sources" in first
    assert '<a rel="next" href="/status?section=world&amp;page=2">' in first
    assert '<a rel="prev" href="/status?section=world">' in last
    assert 'rel="next"' not in last
    assert [row["id"] for row in whole] == [source.id for source in many]


def test_a_large_table_is_several_csv_files(tmp_path: Path) -> None:
    many = tuple(Source(id=f"s{n}", url=f"https://s{n}.example/") for n in range(CSV_ROWS + 1))
    with open_sample(tmp_path, replace(CONFIG, sources=many)) as sample:
        site = PageSite(sample)
        first = site.get("/status.csv?sort=order")
        rest = site.get("/status.csv?sort=order&page=2")
        page = site.text("/status?sort=order")
    assert first.headers["Link"] == '</status.csv?sort=order&page=2>; rel="next"'
    assert first.data.count(b"\r\n") == CSV_ROWS + 1
    assert rest.data.count(b"\r\n") == 2
    assert "Link" not in rest.headers
    assert '<a href="/status.csv?sort=order&amp;page=2">CSV, part 2</a>' in page


def test_csv_is_a_file_for_spreadsheets(mixed: PageSite) -> None:
    with mixed.sample.store.transaction() as db:
        sources.update(
            db, "post", {"error_kind": "http_status", "error_status": 404, "error": "=cmd|' /C'!A0"}
        )
    answer = mixed.get("/status.csv?health=failing")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="status.csv"'
    assert answer.data.startswith(b"\xef\xbb\xbf")
    [row] = table(mixed, "/status.csv?health=failing")
    assert (row["title"], row["health"], row["sections"]) == ("Post", "failing", "local world")
    assert (row["problem"], row["error"]) == ("404 Not Found", "'=cmd|' /C'!A0")
    assert (row["url"], row["entries"]) == ("https://post.example/rss", "9")
    assert row["next_poll"].endswith("Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1+1", "'=1+1"),
        (" \t=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("News\r\n=1", "News =1"),
        ("News; =1", "News; '=1"),
        ('News";=1', "News\";'=1"),
        ("C++ - 1 = 2 @ home", "C++ - 1 = 2 @ home"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, expected: str) -> None:
    assert status_csv.cell(text) == expected


@given(text=st.text())
def test_no_cell_of_either_dialect_begins_like_a_formula(text: str) -> None:
    cell = status_csv.cell(text)
    assert len(cell.splitlines()) <= 1
    for part in cell.split(";"):
        assert not part.lstrip().startswith(("=", "+", "-", "@"))


def test_the_page_tells_version_times_and_room(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        metadata.put(db, "started", format_time(pages.now - timedelta(days=3)))
    assert "scheduler: not running" in pages.text("/status")
    with pages.sample.store.transaction() as db:
        metadata.put(db, "tick", format_time(pages.now))
    page = pages.text("/status")
    assert re.search(r"scheduler: <time[^>]*datetime=\"2009-06-2\dT", page)
    for text in (__version__, "write-ahead log (WAL)", "Disk free", "web server: <time"):
        assert text in page
    status = json.loads(pages.text("/status.json"))
    assert status["version"] == __version__
    assert status["scheduler"]["started"] == format_time(pages.now - timedelta(days=3))
    assert status["disk"]["database"] == Path(pages.sample.store.path).stat().st_size
    assert status["disk"]["free"] > 0
    assert status["disk"]["wal"] > 0


def test_unchecked_certificates_are_loud(tmp_path: Path) -> None:
    first, *others = CONFIG.sources
    loud = replace(first, transport=Transport(insecure=True))
    with open_sample(tmp_path, replace(CONFIG, sources=(loud, *others))) as sample:
        page = PageSite(sample).text("/status")
    warning = re.search(r'<p class="note" role="alert">Certificates are not checked.*?</p>', page)
    assert warning
    assert re.findall(r'href="/source/([^"]+)"', warning[0]) == [first.id]


def test_checked_certificates_are_not_mentioned(mixed: PageSite) -> None:
    assert "Certificates are not checked" not in mixed.text("/status")
