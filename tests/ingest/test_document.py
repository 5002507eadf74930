"""Which changes of an entry are stored, field by field."""

import itertools
import typing
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.ingest.document import NOT_COMPARED
from aggregator.models.entry import Enclosure, Entry, Extension
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import versions
from tests.builders import Ingester, make_document, make_entry
from tests.store.filled import filled

URLS = ("via", "comments", "url")
SOUND = Enclosure(
    url="https://a.example/1.mp3", type="audio/mpeg", length=1, duration=2, title="Sound"
)
A = replace(
    make_entry("a"),
    enclosures=(SOUND,),
    via="https://b.example/a",
    comments="https://a.example/a/talk",
    extensions=(Extension(name="slash:comments", text="3"),),
)


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def edited(holder: Any, name: str) -> Any:
    """Return the holder with another value in one field."""
    hint = typing.get_type_hints(type(holder))[name]
    value = "https://z.example/9" if name in URLS else filled(hint, itertools.count(1000))
    assert value != getattr(holder, name)
    return replace(holder, **{name: value})


def poll_again(ingester: Ingester, entry: Entry) -> Entry:
    """Let the feed bring other bytes of an entry with an equal fingerprint; return it as stored."""
    ingester.poll(make_document(A))
    ingester.poll(make_document(replace(entry, item_hash=b"another".ljust(16, b"."))))
    return ingester.entry("a").entry


@pytest.mark.parametrize("name", sorted({each.name for each in fields(Entry)} - NOT_COMPARED))
def test_edit_of_a_field_is_stored_and_is_no_correction(ingester: Ingester, name: str) -> None:
    entry = edited(A, name)
    assert getattr(poll_again(ingester, entry), name) == getattr(entry, name)
    stored = ingester.entry("a")
    assert stored.changed == stored.first_seen
    with ingester.store.reading() as db:
        assert versions.of_entry(db, stored.id) == []


@pytest.mark.parametrize("name", sorted(NOT_COMPARED - {"guid", "fingerprint", "item_hash"}))
def test_noise_in_a_field_rewrites_nothing(ingester: Ingester, name: str) -> None:
    ingester.poll(make_document(A))
    before = ingester.versions()[change_log.ALL]
    assert poll_again(ingester, edited(A, name)) == replace(A, item_hash=b"")
    assert ingester.versions()[change_log.ALL] == before


@pytest.mark.parametrize("name", [each.name for each in fields(Enclosure)])
def test_edit_of_an_enclosure_is_stored(ingester: Ingester, name: str) -> None:
    sound = edited(SOUND, name)
    assert poll_again(ingester, replace(A, enclosures=(sound,))).enclosures == (sound,)


@pytest.mark.parametrize("name", ["via", "comments", "enclosures"])
def test_tracking_parameters_rewrite_nothing(ingester: Ingester, name: str) -> None:
    value = getattr(A, name)
    if name == "enclosures":
        tracked: object = (replace(SOUND, url=f"{SOUND.url}?utm_source=x"),)
    else:
        tracked = f"{value}?utm_source=x"
    entry = replace(A, **{name: tracked})  # type: ignore[arg-type]  # each name has its type
    assert getattr(poll_again(ingester, entry), name) == value


def test_new_count_of_comments_is_stored(ingester: Ingester) -> None:
    count = Extension(name="slash:comments", text="4")
    assert poll_again(ingester, replace(A, extensions=(count,))).extensions == (count,)


def test_a_new_story_under_an_old_guid_leaves_the_old_one_as_it_is(ingester: Ingester) -> None:
    guid = "https://a.example/latest"
    dated: dict[str, Any] = {"guid": guid, "published": ingester.now}
    storm = replace(
        make_entry("storm", title="Storm closes the harbour"), text="Waves broke.", **dated
    )
    dated["published"] += timedelta(hours=1)
    vote = replace(make_entry("vote", title="Mayor wins again"), text="Many queued.", **dated)
    ingester.poll(make_document(storm))
    before = ingester.entry(storm.link)
    done = ingester.poll(make_document(vote))
    assert done is not None
    assert len(done.new) == 1
    assert ingester.entry(storm.link) == before
    assert before.uri == guid
    assert ingester.entry(vote.link).uri.startswith("tag:us.example,2009-06-27:a/")
    again = ingester.poll(make_document(vote, body_hash=b"other"))
    assert again is not None
    assert not again.new
