"""A truncated entry is no correction, and neither is its completion."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.models.entry import Entry
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from tests.builders import Ingester
from tests.ingest.test_once import polled, rss

WHOLE = rss([]).replace(
    b"</channel>",
    b"<item><guid>1</guid><title>One</title></item>"
    b"<item><guid>2</guid><title>Two</title><description>All of the words.</description></item>"
    b"</channel>",
)
CUT = WHOLE[: WHOLE.index(b" of the words")]


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def second(ingester: Ingester) -> Entry:
    with ingester.store.reading() as db:
        [found] = [
            each.entry
            for each in entries.of_source(db, "a", after=0, limit=9)
            if each.entry.guid == "2"
        ]
    return found


def test_the_completion_of_a_cut_entry_is_no_correction(ingester: Ingester) -> None:
    polled(ingester, CUT)
    assert second(ingester).text == "All"
    done = polled(ingester, WHOLE)
    assert (done.new, done.changed) == ((), ())
    assert second(ingester).text == "All of the words."


def test_a_later_change_of_a_completed_entry_is_a_correction(ingester: Ingester) -> None:
    polled(ingester, CUT)
    polled(ingester, WHOLE)
    done = polled(ingester, WHOLE.replace(b"words", b"numbers"))
    assert len(done.changed) == 1


def test_a_whole_entry_stays_when_its_document_comes_cut(ingester: Ingester) -> None:
    polled(ingester, WHOLE)
    done = polled(ingester, CUT)
    assert (done.new, done.changed) == ((), ())
    assert second(ingester).text == "All of the words."
    assert polled(ingester, WHOLE).changed == ()
