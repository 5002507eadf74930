"""Documents go to children in batches: many small ones together, a large one alone."""

from datetime import UTC, datetime
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.poll import Fetched, Request
from aggregator.polling import pipeline
from aggregator.polling.pipeline import (
    BATCH_BYTES,
    BATCH_DOCUMENTS,
    ENOUGH_BATCHES,
    FetchSettings,
    Pipeline,
)
from aggregator.polling.stages import Body

URL = "https://a.example/"


def body(size: int) -> Body:
    fetched = Fetched(url=URL, body=bytes(size), content_type="")
    return Body(request=Request(url=URL), fetched=fetched, body_hash=b"")


def sizes(bodies: list[Body]) -> list[int]:
    return [len(each.fetched.body) for each in bodies]


@given(
    st.lists(st.sampled_from([0, 1, 30_000, 150_000, BATCH_BYTES, BATCH_BYTES + 1]), max_size=50)
)
def test_batches_hold_all_documents_within_bounds(wanted: list[int]) -> None:
    batches = [sizes(batch) for batch in pipeline._in_batches([body(size) for size in wanted])]
    assert list(chain(*batches)) == sorted(wanted)
    assert all(batches[:-1])
    for batch in batches:
        assert len(batch) <= BATCH_DOCUMENTS
        assert len(batch) <= 1 or sum(batch) <= BATCH_BYTES
    assert len(batches[-1]) < BATCH_DOCUMENTS
    assert sum(batches[-1]) < BATCH_BYTES
    for batch, following in pairwise(batches):
        is_full = len(batch) == BATCH_DOCUMENTS or sum(batch) >= BATCH_BYTES
        assert is_full or sum(batch) + following[0] > BATCH_BYTES


class Children:
    """A pool that keeps what it is sent."""

    def __init__(self, load: int) -> None:
        self.load = load
        self.sent: list[list[int]] = []

    def send(self, bodies: list[Body], _now: datetime) -> int:
        self.sent.append(sizes(bodies))
        return len(self.sent)


@pytest.mark.parametrize(
    ("load", "sent"),
    [
        (ENOUGH_BATCHES - 1, [[1] * BATCH_DOCUMENTS, [1, 1]]),
        (ENOUGH_BATCHES, [[1] * BATCH_DOCUMENTS]),
    ],
)
def test_a_part_of_a_batch_waits_while_the_children_have_enough(
    load: int, sent: list[list[int]]
) -> None:
    now = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
    polls, children = Pipeline(FetchSettings(user_agent="a"), clock=lambda: now), Children(load)
    polls._pool = children  # type: ignore[assignment]
    polls._bodies = [body(1) for _ in range(BATCH_DOCUMENTS + 2)]
    polls._send_to_children()
    assert children.sent == sent
    children.load = 0
    polls._send_to_children()
    assert children.sent == [[1] * BATCH_DOCUMENTS, [1, 1]]
    assert not polls._bodies
