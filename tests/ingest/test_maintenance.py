"""Rules applied to stored entries, and nightly deletion."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.ingest import maintenance
from aggregator.models.config import FOREVER, Defaults, Rule, Section, Source, View
from aggregator.models.entry import StoredEntry
from aggregator.models.query import Query
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from aggregator.store.entries.retention import Cutoffs, Expired, expire
from aggregator.store.queries import select
from aggregator.store.sources import incidents
from tests.builders import START, Ingester, make_document, make_entry

RAIN, SUN = make_entry("rain", title="Rain in Rome"), make_entry("sun", title="Sun in Rome")
RAINY = View(id="rainy", title="Rainy", query=Query())


def rule(action: str, value: str = "", pattern: str = "rain") -> Rule:
    return Rule(action=action, field="title", pattern=pattern, value=value)


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "a.db"))
    yield Ingester(store)
    store.close()


def reapply_rules(ingester: Ingester) -> int:
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    return maintenance.reapply_rules(ingester.store, ingester.config, ingester.now)


def found(ingester: Ingester, **query: object) -> list[str]:
    with ingester.store.reading() as db:
        selected = select.select(db, Query(**query), limit=50)  # type: ignore[arg-type]
    return sorted(one.entry.guid for one in selected)


def one(ingester: Ingester, guid: str) -> StoredEntry:
    with ingester.store.reading() as db:
        entry = entries.find(db, guid)
    assert entry is not None
    return entry


RULED = [
    pytest.param(
        {"source": (rule("section", "weather"),)},
        {"section": ("weather",)},
        ["rain"],
        id="moved to another section",
    ),
    pytest.param(
        {"source": (rule("section", "weather"),)},
        {"section": ("world",)},
        ["sun"],
        id="and away from that of its source",
    ),
    pytest.param(
        {"source": (rule("category", "Storms"),)},
        {"category": ("storms",)},
        ["rain"],
        id="given a category",
    ),
    pytest.param(
        {"source": (rule("priority"),)}, {"has": ("priority",)}, ["rain"], id="marked as important"
    ),
    pytest.param(
        {"section": (rule("drop"),)}, {"section": ("world",)}, ["sun"], id="dropped from a section"
    ),
    pytest.param({"section": (rule("drop"),)}, {}, ["rain", "sun"], id="and from nowhere else"),
    pytest.param({"view": (rule("keep"),)}, {"view": ("rainy",)}, ["rain"], id="kept in a view"),
    pytest.param(
        {"view": (rule("keep"),)},
        {"view": ("rainy",), "section": ("world",), "q": "rome"},
        ["rain"],
        id="and in what is narrowed of it",
    ),
    pytest.param({"source": (rule("drop"),)}, {}, ["sun"], id="dropped"),
]


def obey(ingester: Ingester, rules: dict[str, tuple[Rule, ...]]) -> None:
    ingester.source = replace(ingester.source, rules=rules.get("source", ()))
    world = Section(id="world", title="World", rules=rules.get("section", ()))
    ingester.sections = (world, Section(id="weather", title="Weather"))
    ingester.views = (replace(RAINY, rules=rules["view"]),) if "view" in rules else ()


@pytest.mark.parametrize(("rules", "query", "guids"), RULED)
def test_rules_apply_to_new_entries(
    ingester: Ingester,
    rules: dict[str, tuple[Rule, ...]],
    query: dict[str, object],
    guids: list[str],
) -> None:
    obey(ingester, rules)
    ingester.poll(make_document(RAIN, SUN))
    assert found(ingester, **query) == guids


@pytest.mark.parametrize(("rules", "query", "guids"), RULED)
def test_new_rules_apply_to_stored_entries(
    ingester: Ingester,
    rules: dict[str, tuple[Rule, ...]],
    query: dict[str, object],
    guids: list[str],
) -> None:
    ingester.poll(make_document(RAIN, SUN))
    obey(ingester, rules)
    assert reapply_rules(ingester) == 2
    assert found(ingester, **query) == guids
    assert reapply_rules(ingester) == 0


@pytest.mark.parametrize(("rules", "query", "guids"), RULED)
def test_removed_rules_leave_no_effect(
    ingester: Ingester,
    rules: dict[str, tuple[Rule, ...]],
    query: dict[str, object],
    guids: list[str],
) -> None:
    obey(ingester, rules)
    ingester.poll(make_document(RAIN, SUN))
    reapply_rules(ingester)
    obey(ingester, {})
    assert reapply_rules(ingester) == 2
    assert found(ingester) == found(ingester, section=("world",)) == ["rain", "sun"]
    for gone in ({"has": ("priority",)}, {"view": ("rainy",)}, {"category": ("storms",)}):
        assert found(ingester, **gone) == []
    assert (one(ingester, "rain").ruling.reasons, one(ingester, "rain").hidden) == ((), "")


def test_entry_dropped_by_a_new_rule_is_withdrawn_and_may_return(ingester: Ingester) -> None:
    ingester.poll(make_document(RAIN, SUN))
    obey(ingester, {"source": (rule("drop"),)})
    reapply_rules(ingester)
    assert one(ingester, "rain").withdrawn == ingester.now
    obey(ingester, {})
    reapply_rules(ingester)
    assert one(ingester, "rain").withdrawn is None


def test_a_poll_that_brings_nothing_new_rewrites_nothing_that_rules_have_changed(
    ingester: Ingester,
) -> None:
    obey(ingester, {"source": (rule("category", "Storms"),)})
    ingester.poll(make_document(RAIN, SUN))
    again = ingester.poll(make_document(RAIN, SUN, item_hashes=b""))
    assert again is not None
    assert not again.touched
    assert one(ingester, "rain").entry.categories == ("Storms",)


def test_an_edit_brings_an_entry_under_another_rule(ingester: Ingester) -> None:
    obey(ingester, {"source": (rule("drop"),)})
    ingester.poll(make_document(RAIN, SUN))
    edited = make_entry("sun", title="Rain after all")
    ingester.poll(make_document(RAIN, edited))
    assert found(ingester) == []
    assert one(ingester, "sun").withdrawn == ingester.now
    with ingester.store.reading() as db:  # readers of our feeds have "sun", and never had "rain"
        assert select.withdrawn(db, Query()) == [(one(ingester, "sun").uri, ingester.now)]
    ingester.poll(make_document(RAIN, make_entry("sun", title="Rain after all, much of it")))
    assert one(ingester, "sun").withdrawn == ingester.now - timedelta(minutes=1)
    ingester.poll(make_document(RAIN, make_entry("sun", title="Sun again")))
    assert found(ingester) == ["sun"]
    assert one(ingester, "sun").withdrawn is None


def test_an_entry_that_a_rule_moved_stays_when_the_sections_of_its_source_change(
    ingester: Ingester,
) -> None:
    obey(ingester, {"source": (rule("section", "weather"),)})
    ingester.poll(make_document(RAIN, SUN))
    reapply_rules(ingester)
    ingester.source = replace(ingester.source, sections=("europe",))
    reapply_rules(ingester)
    assert found(ingester, section=("weather",)) == ["rain"]
    assert found(ingester, section=("europe",)) == ["sun"]
    assert found(ingester, section=("world",)) == []


def test_released_entries_follow_the_rules(ingester: Ingester) -> None:
    obey(
        ingester,
        {"view": (rule("keep", pattern="^Title c"),), "source": (rule("drop", pattern="c3"),)},
    )
    for name in "abc":
        ingester.poll(
            make_document(*(make_entry(f"{name}{n}", published=START) for n in range(12)))
        )
        ingester.now += maintenance.NIGHTS * 3
    with ingester.store.transaction() as db:
        maintenance.release(db, ingester.state(), ingester.context.rulebook, ingester.now)
    assert found(ingester, view=("rainy",)) == sorted(f"c{n}" for n in range(12) if n != 3)


def test_rules_are_reapplied_in_several_transactions(ingester: Ingester) -> None:
    many = [make_entry(f"{n}", title=f"Rain {n}") for n in range(maintenance.RULED_AT_ONCE + 1)]
    ingester.poll(make_document(*many))
    obey(ingester, {"source": (rule("priority"),)})
    assert reapply_rules(ingester) == len(many)
    with ingester.store.reading() as db:
        marked = select.select_ids(db, Query(has=("priority",)), limit=len(many))
    assert len(marked) == len(many)


def test_source_with_unchanged_rules_is_skipped(ingester: Ingester) -> None:
    ingester.poll(make_document(RAIN, SUN))
    ingester.others = [Source(id="b0", url="https://a.example/0", rules=(rule("drop"),))]
    assert reapply_rules(ingester) == 0


def run_nights(ingester: Ingester, at: datetime, **options: object) -> None:
    """Run maintenance at a time, after a night in which it ran before."""
    config = replace(ingester.config, **options)  # type: ignore[arg-type]  # each has its type
    for night in (at - timedelta(days=1), at):
        maintenance.run_maintenance(ingester.store, config, night, lambda: False)


def stored(ingester: Ingester) -> dict[str, list[str]]:
    """Return the guids of the stored entries, by source."""
    with ingester.store.reading() as db:
        rows = db.execute("select source_id, guid from entries order by guid").fetchall()
    guids: dict[str, list[str]] = {}
    for row in rows:
        guids.setdefault(row["source_id"], []).append(row["guid"])
    return guids


DAY = timedelta(days=1)
WEEK = Defaults(retention=7 * DAY)


def leave(ingester: Ingester) -> datetime:
    """Remove an entry from the documents of two sources; return when."""
    for source_id in ("a", "b0"):
        ingester.poll(make_document(RAIN, SUN), source_id)
    for source_id in ("a", "b0"):
        ingester.now = START + timedelta(hours=1)
        ingester.poll(make_document(SUN), source_id)
    return ingester.now


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(7 * DAY, ["rain", "sun"], id="not at the end of its time"),
        pytest.param(7 * DAY + timedelta(seconds=1), ["sun"], id="a second later"),
    ],
)
def test_entry_is_kept_for_the_retention_after_it_left(
    ingester: Ingester, after: timedelta, expected: list[str]
) -> None:
    run_nights(ingester, leave(ingester) + after, defaults=WEEK)
    assert stored(ingester) == {"a": expected, "b0": expected}


def test_entries_are_kept_forever_by_default(ingester: Ingester) -> None:
    run_nights(ingester, leave(ingester) + 9_999 * DAY)
    assert stored(ingester) == {"a": ["rain", "sun"], "b0": ["rain", "sun"]}


@pytest.mark.parametrize(
    ("retention", "after", "kept"),
    [
        pytest.param(DAY, DAY, True, id="shorter: at its end"),
        pytest.param(DAY, DAY + timedelta(seconds=1), False, id="shorter: after it"),
        pytest.param(30 * DAY, 30 * DAY, True, id="longer: at its end"),
        pytest.param(30 * DAY, 30 * DAY + timedelta(seconds=1), False, id="longer: after it"),
        pytest.param(FOREVER, 9_999 * DAY, True, id="forever"),
    ],
)
def test_retention_of_a_source_replaces_the_default(
    ingester: Ingester, retention: timedelta, after: timedelta, kept: bool
) -> None:
    left = leave(ingester)
    ingester.source = replace(ingester.source, retention=retention)
    run_nights(ingester, left + after, defaults=WEEK)
    assert stored(ingester)["a"] == (["rain", "sun"] if kept else ["sun"])
    assert stored(ingester)["b0"] == (["sun"] if after > 7 * DAY else ["rain", "sun"])


def test_source_alone_may_have_a_retention(ingester: Ingester) -> None:
    left = leave(ingester)
    ingester.source = replace(ingester.source, retention=DAY)
    run_nights(ingester, left + 2 * DAY)
    assert stored(ingester) == {"a": ["sun"], "b0": ["rain", "sun"]}


def test_source_out_of_the_configuration_has_the_default(ingester: Ingester) -> None:
    left = leave(ingester)
    run_nights(ingester, left + 8 * DAY, defaults=WEEK, sources=())
    assert stored(ingester) == {"a": ["sun"], "b0": ["sun"]}


def test_more_entries_than_one_batch_expire_and_others_stay(
    ingester: Ingester,
) -> None:
    many = [make_entry(f"{number}") for number in range(5)]
    ingester.poll(make_document(*many), "a")
    ingester.poll(make_document(*many), "b0")
    own = Cutoffs(default=START + DAY, by_source={"a": None})
    with ingester.store.transaction() as db:
        ids = [row[0] for row in db.execute("select id from entries order by id")]
        for number, entry_id in enumerate(ids):
            entries.mark_left(db, [entry_id], START + timedelta(minutes=number % 5))
        counts, expired = [], Expired(2)
        while expired.count == 2:
            expired = expire(db, own, since=expired.last, limit=2)
            counts.append(expired.count)
    assert counts == [2, 2, 1]
    assert list(stored(ingester)) == ["a"]
    assert ingester.state("b0").entries == 0


def test_entries_of_an_archive_expire_too(ingester: Ingester) -> None:
    ingester.poll(make_document(SUN))
    ingester.poll(make_document(RAIN), archive=True)
    assert ingester.last_seen("rain") is not None
    assert ingester.last_seen("sun") is None
    run_nights(ingester, ingester.now + 8 * DAY, defaults=WEEK)
    assert stored(ingester) == {"a": ["sun"]}


def test_old_and_excess_incidents_are_deleted_nightly(ingester: Ingester) -> None:
    with ingester.store.transaction() as db:
        incidents.note(db, "b0", "moved", "long ago", ingester.now - maintenance.INCIDENTS_KEPT * 2)
        incidents.open(
            db, "b1", "failing", "it still is", ingester.now - maintenance.INCIDENTS_KEPT * 2
        )
        for number in range(incidents.KEPT + 5):
            incidents.note(db, "a", "gap", str(number), ingester.now)
    for night in (ingester.now, ingester.now + timedelta(days=1)):
        maintenance.run_maintenance(ingester.store, ingester.config, night, lambda: False)
    with ingester.store.reading() as db:
        kept = {key: [one.detail for one in incidents.recent(db, 999, key)] for key in ("b0", "b1")}
        gaps = [one.detail for one in incidents.recent(db, 999, "a")]
    assert kept == {"b0": [], "b1": ["it still is"]}
    assert gaps == [str(number) for number in range(incidents.KEPT + 4, 4, -1)]
