"""Past views equal the views of that time."""

import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.models.entry import SafeHtml
from aggregator.models.query import Query
from aggregator.store.entries import entries
from aggregator.store.queries import as_of, select, summaries
from aggregator.store.queries.summaries import EntrySummary
from tests.web.sample_store import START, SampleStore, make_entry, open_sample

QUERIES = (
    Query(),
    Query(section=("world",)),
    Query(source=("herald",)),
    Query(source=("herald", "odd")),
    Query(q="rain"),
    Query(section=("local",), q="rain -sun"),
    Query(since=START + timedelta(minutes=3)),
)

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"),
            st.sampled_from(["herald", "post", "odd"]),
            st.sampled_from([0, 2, 500]),
        ),
        st.tuples(st.just("tell"), st.sampled_from(["herald", "post", "odd"]), st.none()),
        st.tuples(st.just("revise"), st.integers(1, 6), st.sampled_from(["a", "b"])),
        st.tuples(st.just("withdraw"), st.integers(1, 6), st.none()),
    ),
    min_size=1,
    max_size=14,
)


def take(sample: SampleStore, step: tuple[str, object, object]) -> None:
    """Make one change that polls make, a minute after the last."""
    kind, what, how = step
    if kind == "add":
        assert isinstance(how, int)
        sample.add(str(what), age=timedelta(minutes=how))
        return
    if kind == "tell":
        entry = make_entry(100 + sample.now.minute)
        sample.put(str(what), replace(entry, title="The ferry to Tolvik runs aground off Skerrow"))
        return
    assert isinstance(what, int)
    with sample.store.reading() as db:
        stored = entries.get(db, what)
    if stored is None or stored.hidden:
        sample.now += timedelta(minutes=1)
    elif kind == "withdraw":
        sample.withdraw(what)
    else:
        sample.revise(what, str(how))


def shown(found: list[EntrySummary]) -> list[tuple[int, str, str, datetime]]:
    return [(one.id, one.title, one.summary, one.changed) for one in found]


@settings(max_examples=60)
@given(steps)
@example(  # the first report of a story comes back, behind the end of a list that holds the second
    [
        ("tell", "herald", None),
        ("add", "herald", 0),
        ("tell", "post", None),
        *[("add", "herald", 0)] * 3,
        ("withdraw", 1, None),
    ]
)
def test_past_views_are_as_they_were(taken: list[tuple[str, object, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_sample(Path(folder)) as sample:
        seen = []
        for step in taken:
            take(sample, step)
            with sample.store.reading() as db:
                for query in QUERIES:
                    found = summaries.select(db, query, limit=5)
                    seen.append((sample.now, query, shown(found)))
        with sample.store.reading() as db:
            for at, query, expected in seen:
                then = as_of.Snapshot.of(db, at)
                assert shown(as_of.select(db, query, then, limit=5)) == expected
                whole = as_of.select_whole(db, query, then, limit=5)
                assert [(one.id, one.entry.title, one.changed) for one in whole] == [
                    (id, title, changed) for id, title, _, changed in expected
                ]


def test_pages_of_the_past_together_are_the_whole_view(tmp_path: Path) -> None:
    with open_sample(tmp_path) as sample:
        sample.add("herald", 9, age=timedelta(hours=2))
        sample.add("post", 9)
        sample.withdraw(4)
        at = sample.now - timedelta(minutes=1)
        sample.add("odd", 5, age=timedelta(hours=1))
        with sample.store.reading() as db:
            then = as_of.Snapshot.of(db, at)
            whole = as_of.select(db, Query(), then, limit=99)
            found, before = list[EntrySummary](), None
            while page := as_of.select(db, Query(), then, limit=4, before=before):
                found += page
                before = select.Cursor(sort_at=page[-1].sort_at, id=page[-1].id)
    assert found == whole
    assert len(whole) == 18


def test_summary_is_that_of_the_earlier_text(tmp_path: Path) -> None:
    with open_sample(tmp_path) as sample:
        [id] = sample.add("herald")
        at = sample.now
        entry = replace(make_entry(1), text="word " * 100, summary="new", content=SafeHtml("new"))
        with sample.store.transaction() as db:
            for minute, text in enumerate((entry, make_entry(1)), 1):
                now = at + timedelta(minutes=minute)
                entries.revise(db, id, text, now=now, changed=True, sections=("world",))
        with sample.store.reading() as db:
            [one] = as_of.select(db, Query(), as_of.Snapshot.of(db, at), limit=9)
            minute_later = as_of.Snapshot.of(db, at + timedelta(minutes=1))
            [later] = as_of.select(db, Query(), minute_later, limit=9)
            [whole] = as_of.select_whole(db, Query(), minute_later, limit=9)
    assert one.summary == "Summary 1"
    assert later.summary == "word " * 55 + "word…"
    assert (whole.entry.text, whole.entry.content) == ("word " * 100, "new")


def test_views_before_the_first_entry_are_empty(tmp_path: Path) -> None:
    with open_sample(tmp_path) as sample:
        with sample.store.reading() as db:
            assert as_of.oldest(db) is None
            assert as_of.Snapshot.of(db, START).last == 0
        sample.add("herald")
        with sample.store.reading() as db:
            assert as_of.oldest(db) == sample.now
            before = as_of.Snapshot.of(db, sample.now - timedelta(seconds=1))
            assert as_of.select(db, Query(), before, limit=9) == []


@pytest.mark.parametrize("query", QUERIES)
def test_the_past_is_read_along_indexes(tmp_path: Path, query: Query) -> None:
    statements: list[str] = []
    with open_sample(tmp_path) as sample:
        sample.add("herald", 3)
        with sample.store.reading() as db:
            db.set_trace_callback(statements.append)
            as_of.select(db, query, as_of.Snapshot.of(db, sample.now), limit=9)
            db.set_trace_callback(None)
            for sql in (one for one in statements if not one.startswith("--")):
                steps = [row["detail"] for row in db.execute(f"explain query plan {sql}")]
                assert not [step for step in steps if step in ("SCAN e", "SCAN entries", "SCAN d")]
