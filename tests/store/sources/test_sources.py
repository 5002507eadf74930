"""The state of sources is stored and read back with every field."""

import itertools
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.models.config import Source
from aggregator.models.entry import Feed
from aggregator.models.poll import Validators
from aggregator.store.database.connection import Store
from aggregator.store.sources import sources, sync
from aggregator.store.sources.sources import SourceChanges, SourceState
from tests.store.filled import START, filled

SOURCE = Source(id="a", url="https://a.example/feed", title="A", sections=("asia", "world"))
CHANGED = typing.get_type_hints(SourceChanges)
CONFIGURED = {
    "id": "a", "url": SOURCE.url, "title": "A", "position": 0, "enabled": True,
    "configured": True, "sections": SOURCE.sections, "added": START,
    "identity": "a", "icon": "",
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "test.db"))
    with opened.transaction() as db:
        sync.apply(db, [SOURCE], now=START, first_polls={})
    yield opened
    opened.close()


def state(store: Store) -> dict[str, object]:
    with store.reading() as db:
        found = sources.get(db, "a")
    assert found is not None
    return found._asdict()


def changes(first: int) -> SourceChanges:
    """Return a change of every field, each to another value."""
    numbers = itertools.count(first)
    made: SourceChanges = {}
    for name, hint in CHANGED.items():
        made[name] = filled(hint, numbers)  # type: ignore[literal-required]
    return made


def test_every_field_can_be_changed_or_comes_from_the_configuration() -> None:
    hints = typing.get_type_hints(SourceState)
    assert {*CHANGED, *CONFIGURED, "link"} == set(hints)
    assert {name: hints[name] for name in CHANGED} == CHANGED


def test_every_changed_field_comes_back(store: Store) -> None:
    changed = changes(1)
    with store.transaction() as db:
        sources.update(db, "a", changed)
    assert state(store) == {**CONFIGURED, **changed, "link": changed["feed"].link}


@pytest.mark.parametrize("name", CHANGED)
def test_change_of_one_field_leaves_the_others(store: Store, name: str) -> None:
    before, after = changes(1), changes(1000)
    one: SourceChanges = {name: after[name]}  # type: ignore[misc]
    with store.transaction() as db:
        sources.update(db, "a", before)
        sources.update_many(db, {"a": one})
    feed = (before | one)["feed"]
    assert state(store) == {**CONFIGURED, **before, **one, "link": feed.link}


def test_fields_without_a_value_come_back(store: Store) -> None:
    empty: SourceChanges = {
        "feed": Feed(), "move": None, "validators": Validators(), "lifetime": None,
        "gate_from": None, "gate_until": None, "health_since": None, "last_poll": None,
        "last_ok": None, "last_change": None, "gap": None, "newest": None,
    }  # fmt: skip
    with store.transaction() as db:
        sources.update(db, "a", changes(1))
        sources.update(db, "a", empty)
    after = state(store)
    assert {name: after[name] for name in empty} == empty


def test_title_is_the_feeds_where_none_is_configured(store: Store) -> None:
    with store.transaction() as db:
        sync.apply(db, [Source(id="a", url=SOURCE.url)], now=START, first_polls={})
        sources.update(db, "a", {"feed": Feed(title="The feed")})
    assert state(store)["title"] == "The feed"
