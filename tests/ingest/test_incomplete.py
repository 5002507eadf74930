"""An entry that the end of its document cut is no correction, nor is its completion."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.models.entry import Entry
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from tests.builders import Desk
from tests.ingest.test_once import polled, rss

WHOLE = rss([]).replace(
    b"</channel>",
    b"<item><guid>1</guid><title>One</title></item>"
    b"<item><guid>2</guid><title>Two</title><description>All of the words.</description></item>"
    b"</channel>",
)
CUT = WHOLE[: WHOLE.index(b" of the words")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store)
    store.close()


def second(desk: Desk) -> Entry:
    with desk.store.reading() as db:
        [found] = [
            each.entry
            for each in entries.of_source(db, "a", after=0, limit=9)
            if each.entry.guid == "2"
        ]
    return found


def test_the_completion_of_a_cut_entry_is_no_correction(desk: Desk) -> None:
    polled(desk, CUT)
    assert second(desk).text == "All"
    done = polled(desk, WHOLE)
    assert (done.new, done.changed) == ((), ())
    assert second(desk).text == "All of the words."


def test_a_later_change_of_a_completed_entry_is_a_correction(desk: Desk) -> None:
    polled(desk, CUT)
    polled(desk, WHOLE)
    done = polled(desk, WHOLE.replace(b"words", b"numbers"))
    assert len(done.changed) == 1


def test_a_whole_entry_stays_when_its_document_comes_cut(desk: Desk) -> None:
    polled(desk, WHOLE)
    done = polled(desk, CUT)
    assert (done.new, done.changed) == ((), ())
    assert second(desk).text == "All of the words."
    assert polled(desk, WHOLE).changed == ()
