"""Slow or numerous subscribers do not delay others at our hub."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.models.config import Config
from aggregator.store.database.connection import Store
from aggregator.store.websub import published_topics, subscribers, verification_queue
from aggregator.websub.hub import Hub
from aggregator.websub.publications import Publications, Rendered
from aggregator.websub.task import OutboundRequest, TaskKind
from tests.web.sample_store import CONFIG

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
ROOM = 400


class OurHub:
    """A hub that records the topics it renders; each new version changes all topics."""

    def __init__(self, store: Store) -> None:
        self.store, self.config = store, CONFIG
        self.rendered: list[str] = []
        self.version = 0
        self.hub = Hub(store, Publications(render=self._render, touched=lambda *_: []))

    def _render(self, topic: str, _config: Config) -> Rendered:
        self.rendered.append(topic)
        return Rendered(
            body=topic.encode(), content_type="text/plain", versions={"all": self.version}
        )

    def request(self, topic: str, host: str, number: int = 0) -> None:
        with self.store.transaction() as db:
            refusal = verification_queue.add(
                db,
                topic=topic,
                callback=f"https://{host}/{number}",
                host=host,
                mode="subscribe",
                secret="",
                lease=timedelta(days=1),
                now=NOW,
            )
        assert not refusal

    def subscribe(self, topic: str, host: str, number: int = 0) -> None:
        self.request(topic, host, number)
        with self.store.transaction() as db:
            [pending] = verification_queue.due(db, NOW, 9)
            subscribers.add(db, pending, host, 0, NOW)
            verification_queue.remove(db, pending.id)

    def change(self, topic: str) -> None:
        with self.store.transaction() as db:
            published_topics.publish(db, topic, "another", NOW)

    def refresh(self, seconds: float) -> None:
        self.hub.refresh(self.config, NOW, seconds)

    def due(self, in_flight: Sequence[OutboundRequest] = ()) -> list[OutboundRequest]:
        with self.store.reading() as db:
            return self.hub.outbound_requests(
                db, self.config, NOW, in_flight, ROOM - len(in_flight)
            )


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[OurHub]:
    store = Store(str(tmp_path / "news.db"))
    yield OurHub(store)
    store.close()


def test_verifications_leave_room_for_deliveries(ours: OurHub) -> None:
    ours.subscribe("topic", "reader.example")
    for number in range(150):
        ours.request("topic", f"tarpit-{number % 10}.example", number)
    ours.refresh(1.0)
    verifying = ours.due()
    assert [task.kind for task in verifying] == [TaskKind.VERIFY] * 100
    ours.change("topic")
    assert [task.kind for task in ours.due(verifying)] == [TaskKind.DELIVER]


def test_one_host_gets_no_more_than_its_share(ours: OurHub) -> None:
    for number in range(60):
        ours.subscribe("topic", "slow.example", number)
    ours.subscribe("topic", "reader.example")
    ours.refresh(1.0)
    ours.change("topic")
    delivering = ours.due()
    hosts = [task.request.url.split("/")[2] for task in delivering]
    assert (hosts.count("slow.example"), hosts.count("reader.example")) == (50, 1)
    assert ours.due(delivering) == []


def test_one_pass_renders_a_few_topics_again(ours: OurHub) -> None:
    topics = [f"topic-{number:02}" for number in range(40)]
    for topic in topics:
        ours.subscribe(topic, f"{topic}.example")
    for seconds in range(1, 9):
        ours.refresh(seconds / 100)
    for topic in topics:
        ours.change(topic)
    ours.rendered.clear()
    in_flight = ours.due()
    assert len(ours.rendered) == 5
    while more := ours.due(in_flight):
        in_flight += more
    assert len(in_flight) == 40


def test_topics_that_change_all_the_time_are_rendered_in_turn(ours: OurHub) -> None:
    topics = {f"topic-{number:02}" for number in range(12)}
    for topic in topics:
        ours.subscribe(topic, "reader.example", int(topic[-2:]))
    ours.version = 7
    for seconds in range(1, 4):  # a pass takes as long as all of its topics have to wait
        ours.refresh(float(seconds))
    assert set(ours.rendered) == topics
