"""Pickling of results: every value comes back, in less code than a dataclass's own methods."""

import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.models.entry import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Feed,
    Image,
    Origin,
    SafeHtml,
)
from aggregator.models.poll import (
    Freshness,
    Hop,
    ParsedDocument,
    PollResult,
    Transfer,
    Unchanged,
    Validators,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
VALIDATORS = Validators(etag='"a"', last_modified="b")
TRANSFER = Transfer(
    status=200,
    seconds=0.5,
    hops=(Hop(status=301, url="https://example.org/"),),
    freshness=Freshness(lifetime=timedelta(hours=1), no_store=True),
)
ENTRY = Entry(
    guid="g",
    link="https://example.org/1",
    canonical_url="https://example.org/1",
    title="é",
    summary="s",
    content=SafeHtml("<p>c</p>"),
    published=NOW,
    updated=None,
    authors=(Author(name="n", uri="https://example.org/n", email="n@example.org"),),
    enclosures=(Enclosure(url="https://example.org/a.mp3", length=1, duration=2),),
    image=Image(url="https://example.org/a.png", width=3, is_artwork=True),
    origin=Origin(id="i", title="t"),
    extensions=(Extension(name="itunes:season", attributes=(("a", "b"),)),),
    fingerprint=b"\0\1",
)
DOCUMENT = ParsedDocument(
    url="https://example.org/feed",
    feed=Feed(title="f", skip_hours=frozenset({1, 2}), ttl=timedelta(minutes=5)),
    entries=(ENTRY,),
    body_hash=b"h",
    validators=VALIDATORS,
    transfer=TRANSFER,
)
UNCHANGED = Unchanged(url="u", validators=VALIDATORS, transfer=TRANSFER)


@pytest.mark.parametrize("outcome", [DOCUMENT, UNCHANGED])
def test_a_result_comes_back_as_it_was_sent(outcome: ParsedDocument | Unchanged) -> None:
    result = PollResult(source_id="s", outcome=outcome, push=4)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(result, protocol)) == result
    assert copy.deepcopy(result) == result


def test_a_restored_entry_is_frozen_and_hashed_as_before() -> None:
    restored = pickle.loads(pickle.dumps(ENTRY))
    assert hash(restored) == hash(ENTRY)
    with pytest.raises(AttributeError):
        restored.title = "other"


def test_a_state_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Author().__setstate__(("name",))  # type: ignore[attr-defined]
