"""Batches whose worker disappears."""

import asyncio
from datetime import UTC, datetime

from aggregator.cluster.batches import Batch
from aggregator.cluster.link import Answer, ClusterLink, End, Worker
from aggregator.polling.pipeline import FetchSettings


def test_end_of_a_batch_that_was_cancelled_before_its_start_is_reported() -> None:
    answers: list[Answer] = []
    link = ClusterLink("tcp://127.0.0.1:1", answers.append)  # not started: the test turns its loop
    worker = Worker("tcp://127.0.0.1:2")
    link._workers[worker.address] = worker
    now = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
    link.send(
        worker,
        Batch(number=1, requests=(), fetch_settings=FetchSettings(user_agent=""), now=now, lease=9),
    )
    link.abandon()
    link._loop.run_until_complete(asyncio.sleep(0.05))
    link._loop.close()
    assert [answer.end for answer in answers] == [End.DROPPED]
