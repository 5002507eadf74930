"""Session ids and cache-busters in links over whole polls: no entry is stored twice."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.cli.main import main
from aggregator.models.entry import StoredEntry
from aggregator.models.query import Query
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import versions
from aggregator.store.queries import select
from aggregator.store.sources import sync
from tests.builders import Ingester
from tests.feedserver import FeedServer, Received, Step, response
from tests.ingest.test_once import new_ingester, polled
from tests.parse import rss

PAGE = "https://a.example/{}"


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def item(name: str, link: str, *, guid: str = "", title: str = "") -> str:
    """An item; its date and text depend on its name alone."""
    written = f"<guid>{guid.replace('&', '&amp;')}</guid>" if guid else ""
    return (
        f"<item>{written}<link>{link.replace('&', '&amp;')}</link>"
        f"<title>{title or f'Story {name}'}</title><description>About {name}.</description></item>"
    )


def poll(ingester: Ingester, *items: str) -> int:
    """Poll a feed of these items, and return the number of new entries."""
    return len(polled(ingester, rss("<title>A</title>" + "".join(items))).new)


def stored(ingester: Ingester) -> list[StoredEntry]:
    with ingester.store.reading() as db:
        return select.select(db, Query(), limit=99)


def links(ingester: Ingester) -> list[str]:
    return sorted(each.entry.link for each in stored(ingester))


@pytest.mark.parametrize(
    ("link", "names"),
    [
        ("https://a.example/story.php?id={n}&PHPSESSID={poll}", ("PHPSESSID",)),
        ("https://a.example/{n};jsessionid=A{poll}.node1", (";jsessionid",)),
        ("https://a.example/{n}.html?{poll}", ("",)),
        ("https://a.example/{n}?sid={poll}&_={poll}{n}", ("_", "sid")),
    ],
)
@pytest.mark.parametrize("guid", ["", "{link}", "{n}"])
def test_entries_with_a_changing_parameter_are_stored_once(
    ingester: Ingester, link: str, names: tuple[str, ...], guid: str
) -> None:
    def document(number: int) -> list[str]:
        pages = [link.format(n=n, poll=1000 + number) for n in range(4)]
        return [
            item(str(n), page, guid=guid.format(link=page, n=f"g{n}"))
            for n, page in enumerate(pages)
        ]

    assert [poll(ingester, *document(number)) for number in range(4)] == [4, 0, 0, 0]
    assert ingester.state().link_parameters == names
    assert ingester.state().entries == len(stored(ingester)) == 4


def corrections(ingester: Ingester) -> list[int]:
    found = stored(ingester)
    with ingester.store.reading() as db:
        return [len(versions.of_entry(db, each.id)) for each in found]


@pytest.mark.parametrize("guid", ["", "{link}", "{n}"])
def test_entries_with_a_session_of_asp_net_are_stored_once(ingester: Ingester, guid: str) -> None:
    def document(number: int) -> list[str]:
        pages = [f"https://a.example/(S(k{number}x))/story.aspx?id={n}" for n in range(4)]
        return [
            item(str(n), page, guid=guid.format(link=page, n=f"g{n}"))
            for n, page in enumerate(pages)
        ]

    assert [poll(ingester, *document(number)) for number in range(3)] == [4, 0, 0]
    assert len(stored(ingester)) == 4


@pytest.mark.parametrize("guid", ["", "<guid>{n}</guid>"])
def test_signatures_of_enclosures_are_no_news(ingester: Ingester, guid: str) -> None:
    """Without guid and link, the text alone identifies an episode."""

    def document(number: int, file: str = "{n}.mp3?Signature=s{number}") -> list[str]:
        return [
            f"<item>{guid.format(n=n)}<title>Episode {n}</title><enclosure type='audio/mpeg'"
            f" url='https://a.example/{file.format(n=n, number=number)}' length='1'/></item>"
            for n in range(3)
        ]

    assert [poll(ingester, *document(number)) for number in range(3)] == [3, 0, 0]
    first, *_ = stored(ingester)
    assert first.entry.enclosures[0].url.endswith("?Signature=s2"), "the newest one works"
    assert corrections(ingester) == [0, 0, 0]
    if guid:
        assert poll(ingester, *document(3, file="{n}.m4a")) == 0
        assert corrections(ingester) == [1, 1, 1], "another file is one"


def test_newest_link_is_served_and_rewrites_no_feed(ingester: Ingester) -> None:
    def document(number: int) -> list[str]:
        return [item(n, PAGE.format(f"{n}?sid={number}")) for n in "abc"]

    poll(ingester, *document(1))
    poll(ingester, *document(2))
    before = ingester.versions()
    poll(ingester, *document(3))
    assert links(ingester) == [PAGE.format(f"{n}?sid=3") for n in "abc"]
    assert ingester.versions()[change_log.ALL] == before[change_log.ALL]


def test_no_keys_pile_up(ingester: Ingester) -> None:
    def keys() -> int:
        with ingester.store.reading() as db:
            return int(db.execute("select count(*) from aliases").fetchone()[0])

    counts = []
    for number in range(5):
        pages = [PAGE.format(f"{n}?sid={number}") for n in "abc"]
        poll(ingester, *(item(n, page, guid=page) for n, page in zip("abc", pages, strict=True)))
        counts.append(keys())
    assert counts[1:] == [counts[1]] * 4


def test_new_and_edited_entries_come_in_as_from_any_feed(ingester: Ingester) -> None:
    for number in (1, 2):
        poll(ingester, *(item(n, PAGE.format(f"{n}?sid={number}")) for n in "abc"))
    edited = item("a", PAGE.format("a?sid=3"), title="Story a, corrected")
    done = polled(
        ingester,
        rss(edited + "".join(item(n, PAGE.format(f"{n}?sid=3")) for n in "bcd")),
    )
    assert (len(done.new), len(done.changed)) == (1, 1)
    assert sorted(each.entry.title for each in stored(ingester)) == [
        "Story a, corrected", "Story b", "Story c", "Story d",
    ]  # fmt: skip


def test_entry_edited_in_the_poll_that_shows_the_parameter_is_stored_once(
    ingester: Ingester,
) -> None:
    poll(ingester, *(item(n, PAGE.format(f"{n}?sid=1")) for n in "abc"))
    edited = item("c", PAGE.format("c?sid=2"), title="Story c, corrected")
    assert poll(ingester, *(item(n, PAGE.format(f"{n}?sid=2")) for n in "ab"), edited) == 0
    assert len(stored(ingester)) == 3


def test_ids_in_links_stay(ingester: Ingester) -> None:
    def document(first: int) -> list[str]:
        return [item(str(n), PAGE.format(f"story?id={n}")) for n in range(first, first + 4)]

    assert [poll(ingester, *document(first)) for first in (1, 2, 4, 5)] == [4, 1, 2, 1]
    assert ingester.state().link_parameters == ()


def test_untitled_equal_posts_with_ids_stay_apart(ingester: Ingester) -> None:
    def post(number: int) -> str:
        return item("same", PAGE.format(f"?p={number}"))

    assert [poll(ingester, *map(post, ids)) for ids in ((1, 2), (2, 3), (3, 4))] == [2, 1, 1]
    assert ingester.state().link_parameters == ()


def test_contradicted_parameter_is_forgotten(ingester: Ingester) -> None:
    for number in ("10000001", "10000002"):
        poll(ingester, item("alarm", PAGE.format(f"alarm?id={number}")))
    assert ingester.state().link_parameters == ("id",)
    two = [item(str(n), PAGE.format(f"alarm?id={n}")) for n in (10000003, 10000004)]
    assert poll(ingester, *two) == 2
    assert ingester.state().link_parameters == ()
    assert poll(ingester, item("5", PAGE.format("alarm?id=10000005")), *two) == 1


def test_failed_transaction_forgets_the_parameter_with_the_entries(ingester: Ingester) -> None:
    """Set and entries are of one transaction, so a repeated poll finds the same."""
    poll(ingester, *(item(n, PAGE.format(f"{n}?sid=1")) for n in "ab"))
    second = [item(n, PAGE.format(f"{n}?sid=2")) for n in "abc"]
    with ingester.store.transaction() as db:
        db.execute(
            "create trigger broken before insert on entries begin select raise(abort, 'no'); end"
        )
    with pytest.raises(Exception, match="no"):
        poll(ingester, *second)
    assert ingester.state().link_parameters == ()
    with ingester.store.transaction() as db:
        db.execute("drop trigger broken")
    assert poll(ingester, *second) == 1
    assert ingester.state().link_parameters == ("sid",)


def test_changed_url_of_the_source_forgets_its_parameters(ingester: Ingester) -> None:
    for number in (1, 2):
        poll(ingester, *(item(n, PAGE.format(f"{n}?sid={number}")) for n in "ab"))
    assert ingester.state().link_parameters == ("sid",)
    moved = replace(ingester.source, url="https://a.example/another")
    with ingester.store.transaction() as db:
        sync.apply(db, [moved, *ingester.others], now=ingester.now, first_polls={})
    assert ingester.state().link_parameters == ()


windows = st.lists(st.tuples(st.integers(0, 6), st.integers(2, 5)), min_size=2, max_size=6)


@settings(max_examples=25)
@given(windows, st.booleans())
def test_any_windows_of_a_feed_with_session_ids(
    windows: Sequence[tuple[int, int]], is_guid: bool
) -> None:
    """Once the parameter is known, each item of a sliding window is stored exactly once."""

    def document(number: int, first: int, size: int) -> list[str]:
        pages = {n: PAGE.format(f"story?id={n}&sid={number}") for n in range(first, first + size)}
        return [item(str(n), page, guid=page if is_guid else "") for n, page in pages.items()]

    with new_ingester() as ingester:
        numbers = itertools.count()
        seen = {0, 1, 2}
        poll(ingester, *document(next(numbers), 0, 3))
        assert poll(ingester, *document(next(numbers), 0, 3)) == 0
        for first, size in windows:
            new = set(range(first, first + size)) - seen
            assert poll(ingester, *document(next(numbers), first, size)) == len(new)
            seen |= new
        assert len(stored(ingester)) == len(seen)


@settings(max_examples=25)
@given(windows)
def test_any_windows_of_a_feed_with_ids_only(windows: Sequence[tuple[int, int]]) -> None:
    with new_ingester() as ingester:
        seen = set[int]()
        for first, size in windows:
            ids = range(first, first + size)
            new = set(ids) - seen
            items = [item(str(n), PAGE.format(f"?id={n}")) for n in ids]
            assert poll(ingester, *items) == len(new)
            seen |= new
        assert ingester.state().link_parameters == ()


def test_polls_of_a_server_with_sessions(tmp_path: Path, feed_server: FeedServer) -> None:
    sessions: list[str] = []

    def behaviour(_: Received) -> Sequence[Step]:
        session = f"{0xBEEF + len(sessions):032X}"
        sessions.append(session)
        pages = [feed_server.url(f"/show.do;jsessionid={session}?id={n}") for n in range(4)]
        body = rss("".join(item(str(n), page) for n, page in enumerate(pages)))
        return [response(200, {"Content-Type": "application/rss+xml"}, body)]

    feed_server.on("/feed", behaviour)
    config = tmp_path / "sources.yaml"
    config.write_text(
        f"storage: {{path: {tmp_path}/news.db}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"sources: [{{id: news, url: '{feed_server.url('/feed')}'}}]\n"
    )

    def run(*command: str) -> str:
        result = CliRunner().invoke(main, ["--config", str(config), *command])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    run("poll")
    assert "identify nothing" not in run("explain", "news")
    run("poll", "news")
    run("poll", "news")
    assert len(sessions) == 3
    store = Store(str(tmp_path / "news.db"))
    with store.reading() as db:
        kept = [each.entry.link for each in select.select(db, Query(), limit=99)]
    store.close()
    assert len(kept) == 4
    assert all(sessions[-1] in link for link in kept)
    assert "parameters of its links that change with each poll" in run("explain", "news")
    assert "identify nothing: ;jsessionid" in run("explain", "news")
