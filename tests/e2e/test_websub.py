"""From a publisher's hub through one site and its hub to a second site, in real processes."""

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.service import Running, Service, free_port
from tests.feedserver import FeedServer
from tests.websub.peers import HubPeer

SECONDS = 2.0


class Node:
    """A site with pages and scheduler, and one source that is polled once an hour."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.service = Service(folder)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.running: Running

    def start(self, url: str) -> None:
        self.service.configure(
            [{"id": "news", "url": url}], site={"base_url": self.base}, defaults={"every": "1h"}
        )
        self.running = self.service.start("run", "--port", str(self.port))

    def is_subscribed(self) -> bool:
        return bool(self.service.rows("select 1 from subscriptions where state = 'active'"))

    def count(self) -> int:
        return int(self.service.one("select count(*) from entries"))


class Chain:
    """publisher and hub -> first -> its hub -> second."""

    def __init__(self, folder: Path, peer: HubPeer) -> None:
        self.peer, self.first, self.second = peer, Node(folder / "first"), Node(folder / "second")
        self.first.start(peer.topic)
        [self.asked] = self.first.service.wait(peer.asked)
        self.first.service.wait(self._verified)
        self.first.service.wait(self.first.count)
        self.second.start(f"{self.first.base}/feeds/all.atom")
        self.second.service.wait(self.second.is_subscribed)
        self.second.service.wait(self.second.count)

    def _verified(self) -> bool:
        return self.peer.verify(self.asked)[0] == 200

    def publish(self) -> float:
        """Publish an entry, push it, and return the seconds until the second has stored it."""
        self.peer.numbers.append(len(self.peer.numbers) + 1)
        begun = time.monotonic()
        self.first.service.wait(self._pushed)
        wanted = len(self.peer.numbers)
        self.second.service.wait(lambda: self.second.count() >= wanted)
        return time.monotonic() - begun

    def _pushed(self) -> bool:
        return self.peer.push(self.asked) == 202

    def kill_first(self) -> None:
        self.first.running.send_to_all(signal.SIGKILL)
        self.first.running.wait()

    def check(self) -> None:
        """Check that every entry was pushed and stored exactly once."""
        links = {f"https://news.example/{number}" for number in self.peer.numbers}
        for node in (self.first, self.second):
            assert node.service.entries()["news"].keys() == links
            assert node.service.one("select count(*) from inbox") == 0
            node.service.assert_sound()

    def end(self) -> None:
        for node in (self.first, self.second):
            with suppress(AttributeError):
                node.service.end()


@pytest.fixture
def chain(tmp_path: Path, feed_server: FeedServer) -> Iterator[Callable[[], Chain]]:
    made: list[Chain] = []

    def make() -> Chain:
        made.append(Chain(tmp_path, HubPeer(feed_server)))
        return made[0]

    yield make
    for one in made:
        one.end()


def test_entries_reach_the_second_site_within_two_seconds(chain: Callable[[], Chain]) -> None:
    made = chain()
    took = sorted(made.publish() for _ in range(9))
    assert statistics.median(took) < SECONDS
    made.check()
    polls = made.second.service.one("select polls from sources")
    assert polls == 2, "one to begin with, one when the hub began to push"


def test_kill_9_during_a_push_loses_and_duplicates_nothing(chain: Callable[[], Chain]) -> None:
    made = chain()
    took = []
    for wait in (0.0, 0.05, 0.15, 0.3):
        made.publish()
        made.peer.numbers.append(len(made.peer.numbers) + 1)
        made.first.service.wait(made._pushed)
        time.sleep(wait)  # it is in the inbox, read, stored or being told
        made.kill_first()
        made.first.start(made.peer.topic)
        took.append(made.publish())
    made.check()
    made.publish()
    made.check()
