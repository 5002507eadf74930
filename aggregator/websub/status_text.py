"""How a source is pushed, or why it is not, in words for operators; pure."""

from collections.abc import Sequence
from datetime import datetime

from aggregator.models.config import Config
from aggregator.models.entry import Feed
from aggregator.store.websub.subscriptions import ACTIVE, DENIED, LEAVING, Subscription
from aggregator.websub import protocol


def of_source(config: Config, feed: Feed, known: Sequence[Subscription]) -> str:
    """Return how a source is pushed, or why it is not."""
    offer = protocol.offer(feed)
    if offer is None:
        return "not offered" + (": the feed names a hub, but not itself" if feed.hubs else "")
    objection = protocol.objection(config, offer.hub)
    if objection:
        return objection
    standing = [one for one in known if one.state != LEAVING]
    active = next((one for one in standing if one.state == ACTIVE), None)
    if active:
        return _active(active)
    asked = next(iter(standing), None)
    if asked is None:
        return "offered; its hub is asked next"
    if asked.state == DENIED:
        return f"denied by its hub: {asked.detail}"
    if asked.failures > 1:
        return f"failing since {_when(asked.since)}: {asked.detail}"
    return f"asked {_when(asked.since)}: {asked.detail}" if asked.detail else "asked"


def _active(active: Subscription) -> str:
    said = f"active until {_when(active.lease_until)}"
    if active.last_push:
        said += f"; {active.pushes} pushes, the last {_when(active.last_push)}"
    else:
        said += "; nothing pushed yet, so polls keep their pace"
    if active.ignored:
        said += f"; {active.ignored} ignored for a wrong signature"
    if active.algorithm == "sha1":
        said += "; signed with sha1, which is weak"
    if active.suspected:
        said += f"; a poll {_when(active.suspected)} found what was not pushed, so polls go on"
    return said


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} GMT" if moment else "never"
