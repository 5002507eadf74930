"""`recluster` beside a scheduler that stores entries all the time."""

import signal
from dataclasses import dataclass
from datetime import datetime

from tests.e2e.churn import Churn, Feed, Item
from tests.e2e.service import Service
from tests.feedserver import FeedServer

FEEDS, ITEMS = 10, 150


def headline(number: int) -> str:
    """Return five words that no other headline has."""
    return " ".join(f"{chr(97 + n)}{letters(number)}{chr(97 + n)}lm" for n in range(5))


def letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in f"{number:04}")


@dataclass(slots=True)
class Desk(Feed):
    """A feed whose n-th item reports the n-th event, as those of all desks do."""

    window: int = 1_000

    def publish(self, now: datetime) -> None:
        number = len(self.items) + 1
        self.items.append(Item(number, headline(number), now))
        self._seal()

    def correct(self, now: datetime) -> None:
        """Publish: a new headline would give a rebuild another story."""
        self.publish(now)


def told(service: Service) -> set[frozenset[int]]:
    """The entries of each headline that several sources have."""
    return grouped(service, "select title, id from entries")


def stories(service: Service) -> set[frozenset[int]]:
    return grouped(service, "select story_id, entry_id from story_members")


def grouped(service: Service, query: str) -> set[frozenset[int]]:
    groups: dict[object, set[int]] = {}
    for key, entry_id in service.rows(query):
        groups.setdefault(key, set()).add(entry_id)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def test_stories_are_rebuilt_while_entries_are_stored(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, FEEDS, items=ITEMS, kind=Desk)
    service.configure(churn.sources(every="1s"))
    scheduler = service.start("scheduler")
    service.wait(lambda: service.polled(*(feed.id for feed in churn.feeds)))
    came = []
    with churn.going(every=0.05):
        for _ in range(3):
            before = service.one("select max(id) from entries")
            assert service.run("recluster").returncode == 0
            came.append(service.one("select max(id) from entries") - before)
    assert any(came)
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
    assert service.run("poll", "--force").returncode == 0
    assert service.entries() == churn.truth()
    assert stories(service) == told(service)
    assert len(stories(service)) >= ITEMS
    members = sorted(service.rows("select * from story_members"))
    assert service.run("recluster").returncode == 0
    assert sorted(service.rows("select * from story_members")) == members
    assert service.rows("select * from story_members_draft") == []
    service.assert_sound()
    assert service.tracebacks() == 0
    assert service.logged("locked") == 0
