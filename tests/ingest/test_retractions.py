"""Retracted entries over whole polls: marked, hidden, and back; in the transaction of the poll."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.ingest import batch, maintenance
from aggregator.models.config import Defaults, Section
from aggregator.models.entry import RETRACTED, Entry
from aggregator.models.poll import PollResult, Transfer, Unchanged, Validators
from aggregator.models.query import Query
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from aggregator.store.queries import archives, select
from aggregator.store.sources import sync
from tests.builders import START, URL, Ingester, failed, make_document, make_entry
from tests.ingest.test_once import polled

ALL = [make_entry(f"e{n}", published=START - timedelta(hours=n)) for n in range(6)]
LESS = [entry for entry in ALL if entry.guid != "e3"]
SAME = Unchanged(url=URL, validators=Validators(), transfer=Transfer(status=304))


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def poll(ingester: Ingester, *documents: list[Entry]) -> None:
    for document in documents:
        ingester.poll(make_document(*document))


def retract(ingester: Ingester) -> None:
    poll(ingester, ALL, LESS, LESS, LESS)


def hide(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, retracted="hide")


def tombstones(ingester: Ingester) -> list[str]:
    with ingester.store.reading() as db:
        return [uri for uri, _ in select.withdrawn(db, Query())]


def is_retracted(ingester: Ingester) -> bool:
    return ingester.entry("e3").retracted is not None


def test_the_third_poll_without_an_entry_marks_it(ingester: Ingester) -> None:
    poll(ingester, ALL, LESS)
    first_missed = ingester.now
    poll(ingester, LESS)
    assert not is_retracted(ingester)
    before = ingester.versions()
    poll(ingester, LESS)
    assert ingester.entry("e3").retracted == first_missed
    assert ingester.state().absences == ()
    after = ingester.versions()
    for scope in (change_log.ALL, "source:a", "section:world"):
        assert after[scope] > before[scope]


def test_a_poll_that_finds_the_document_unchanged_counts(ingester: Ingester) -> None:
    poll(ingester, ALL, LESS)
    ingester.poll(SAME)
    assert not is_retracted(ingester)
    done = ingester.poll(SAME)
    assert is_retracted(ingester)
    assert done
    assert done.touched
    again = ingester.poll(SAME)
    assert again
    assert not again.touched


def test_a_failed_poll_does_not_count(ingester: Ingester) -> None:
    poll(ingester, ALL, LESS)
    for _ in range(3):
        ingester.poll(failed())
    poll(ingester, LESS)
    assert not is_retracted(ingester)
    poll(ingester, LESS)
    assert is_retracted(ingester)


def test_a_part_of_the_document_does_not_count(ingester: Ingester) -> None:
    poll(ingester, ALL)
    for _ in range(4):
        ingester.poll(make_document(*LESS, whole=False))
        ingester.poll(make_document(*LESS), archive=True)
    assert not is_retracted(ingester)


def test_a_marked_entry_stays_on_lists_without_a_tombstone(ingester: Ingester) -> None:
    retract(ingester)
    assert "e3" in ingester.visible_guids()
    assert tombstones(ingester) == []


def test_a_hidden_one_is_on_no_list_and_has_a_tombstone(ingester: Ingester) -> None:
    hide(ingester)
    retract(ingester)
    stored = ingester.entry("e3")
    assert stored.hidden == RETRACTED
    assert stored.withdrawn == ingester.now
    assert "e3" not in ingester.visible_guids()
    assert tombstones(ingester) == [stored.uri]


@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("way", ["as it was", "edited", "pushed", "in the archive"])
def test_an_entry_that_is_back_loses_its_mark(ingester: Ingester, hides: bool, way: str) -> None:
    if hides:
        hide(ingester)
    retract(ingester)
    back = replace(
        ALL[3], text="edited", fingerprint=b"edited", item_hash=b"edited".ljust(16, b".")
    )
    match way:
        case "as it was":
            poll(ingester, ALL)
        case "edited":
            poll(ingester, [*ALL[:3], back, *ALL[4:]])
        case "in the archive":
            ingester.poll(make_document(ALL[3]), archive=True)
        case _:
            push(ingester, back)
    stored = ingester.entry("e3")
    assert (stored.retracted, stored.hidden, stored.withdrawn) == (None, "", None)
    assert "e3" in ingester.visible_guids()
    assert tombstones(ingester) == []


def push(ingester: Ingester, *pushed: Entry) -> None:
    result = PollResult(source_id="a", outcome=make_document(*pushed), push=1)
    with ingester.store.transaction() as db:
        batch.ingest(db, [result], ingester.context)


def test_an_entry_that_was_pushed_meanwhile_is_not_absent(ingester: Ingester) -> None:
    poll(ingester, ALL, LESS, LESS)
    push(ingester, ALL[3])
    poll(ingester, LESS, LESS)
    assert not is_retracted(ingester)


def test_another_address_of_the_feed_begins_afresh(ingester: Ingester) -> None:
    poll(ingester, ALL, LESS, LESS)
    ingester.source = replace(ingester.source, url="https://a.example/new")
    with ingester.store.transaction() as db:
        sync.apply(db, ingester.config.sources, now=ingester.now, first_polls={})
    poll(ingester, LESS, LESS, LESS)
    assert not is_retracted(ingester)


@pytest.mark.parametrize(
    ("default", "sections", "own", "hides"),
    [
        ("show", ("", ""), "", False),
        ("hide", ("", ""), "", True),
        ("hide", ("show", ""), "", False),
        ("show", ("", "hide"), "", True),
        ("show", ("show", "hide"), "", True),
        ("hide", ("hide", "hide"), "show", False),
        ("show", ("show", "show"), "hide", True),
    ],
)
def test_the_nearest_setting_decides(
    ingester: Ingester, default: str, sections: tuple[str, str], own: str, hides: bool
) -> None:
    ingester.source = replace(ingester.source, sections=("world", "local"), retracted=own)
    config = replace(
        ingester.config,
        defaults=Defaults(retracted=default),
        sections=tuple(
            Section(id=id, title=id, retracted=setting)
            for id, setting in zip(("world", "local"), sections, strict=True)
        ),
    )
    retract(ingester)
    maintenance.reapply_rules(ingester.store, config, ingester.now)
    assert (ingester.entry("e3").hidden == RETRACTED) is hides


def test_another_setting_acts_on_the_entries_that_were_retracted_before(
    ingester: Ingester,
) -> None:
    retract(ingester)
    hide(ingester)
    assert maintenance.reapply_rules(ingester.store, ingester.config, ingester.now) == len(ALL)
    assert "e3" not in ingester.visible_guids()
    ingester.source = replace(ingester.source, retracted="show")
    maintenance.reapply_rules(ingester.store, ingester.config, ingester.now)
    assert "e3" in ingester.visible_guids()
    assert tombstones(ingester) == []
    assert is_retracted(ingester)


def test_archives_lose_a_hidden_entry_and_get_it_back(ingester: Ingester) -> None:
    hide(ingester)
    poll(ingester, ALL)
    with ingester.store.transaction() as db:
        db.execute("insert into archives values ('/', 1, 0, ?)", (entries.last_id(db),))

    def is_rendered_again() -> bool:
        with ingester.store.transaction() as db:
            archives.save_document(db, "/", 1, "atom", b"old")
        before = ingester.versions().get(change_log.ARCHIVES, 0)
        poll(ingester, LESS if not is_retracted(ingester) else ALL)
        with ingester.store.reading() as db:
            is_gone = archives.get_document(db, "/", 1, "atom") is None
        assert is_gone is (ingester.versions().get(change_log.ARCHIVES, 0) > before)
        return is_gone

    assert [is_rendered_again() for _ in range(4)] == [False, False, True, True]


def test_an_entry_that_the_operator_hid_stays_hidden(ingester: Ingester) -> None:
    hide(ingester)
    poll(ingester, ALL)
    with ingester.store.transaction() as db:
        maintenance.hide_entry(db, ingester.entry("e3"), "court order", ingester.now)
    poll(ingester, LESS, LESS, LESS)
    assert is_retracted(ingester)
    poll(ingester, ALL)
    assert ingester.entry("e3").hidden == "removed: court order"


def test_an_entry_that_is_shown_by_hand_stays_hidden_as_retracted(ingester: Ingester) -> None:
    hide(ingester)
    retract(ingester)
    stored = ingester.entry("e3")
    with ingester.store.transaction() as db:
        maintenance.hide_entry(db, stored, "x", ingester.now)
        removed = entries.get(db, stored.id)
        assert removed
        maintenance.show_entry(db, removed, ingester.context.rulebook, ingester.now)
    assert ingester.entry("e3").hidden == RETRACTED


def test_an_entry_that_a_rule_no_longer_drops_has_no_tombstone(ingester: Ingester) -> None:
    poll(ingester, ALL)
    stored = ingester.entry("e3")
    with ingester.store.transaction() as db:
        entries.hide(db, [stored.id], "dropped by the rule title: x", withdrawn=ingester.now)
    edited = replace(ALL[3], title="Another", fingerprint=b"2", item_hash=b"2".ljust(16, b"."))
    poll(ingester, [*ALL[:3], edited, *ALL[4:]])
    assert "e3" in ingester.visible_guids()
    assert tombstones(ingester) == []


def test_no_entry_of_real_feeds_counts_as_retracted_while_they_publish(
    tmp_path: Path, corpus: Path, request: pytest.FixtureRequest
) -> None:
    file = request.config.getoption("--feedweb")
    if not file:
        pytest.skip("give --feedweb FILE, the program that serves the corpus, to run this")
    spec = importlib.util.spec_from_file_location("feedweb", file)
    assert spec
    assert spec.loader
    feedweb = importlib.util.module_from_spec(spec)
    sys.modules["feedweb"] = feedweb
    spec.loader.exec_module(feedweb)
    seen = 0
    for number, path in enumerate(sorted(corpus.iterdir())):
        feed = feedweb.Feed(number, "/", path.read_bytes(), "text/xml", False, False, False)
        store = Store(str(tmp_path / f"{number}.db"))
        one = Ingester(store)
        for tick in range(6):
            polled(one, feed.body)
            polled(one, feed.body[: len(feed.body) * 2 // 3] if tick == 4 else feed.body)
            feed.publish(tick)
            assert one.state().absences == (), path.name
        with store.reading() as db:
            seen += entries.count(db)
            retracted = "select count(*) from entries where retracted is not null"
            assert db.execute(retracted).fetchone()[0] == 0, path.name
        store.close()
    assert seen > 1000
