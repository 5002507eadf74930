"""Text about a source's WebSub state, for operators."""

from collections.abc import Sequence
from datetime import datetime

from aggregator.models.config import Config
from aggregator.models.entry import Feed
from aggregator.store.websub.subscriptions import ACTIVE, DENIED, LEAVING, Subscription
from aggregator.websub import protocol


def of_source(config: Config, feed: Feed, known: Sequence[Subscription]) -> str:
    """Return the state of a source's subscription, or the reason why it has none."""
    offer = protocol.offer(feed)
    if offer is None:
        return "not offered" + (": the feed names a hub, but not itself" if feed.hubs else "")
    objection = protocol.objection(config, offer.hub)
    if objection:
        return objection
    current = [subscription for subscription in known if subscription.state != LEAVING]
    active = next((subscription for subscription in current if subscription.state == ACTIVE), None)
    if active:
        return _active(active)
    if not current:
        return "offered; not requested yet"
    requested = current[0]
    if requested.state == DENIED:
        return f"denied by its hub: {requested.detail}"
    if requested.failures > 1:
        return f"failing since {_when(requested.since)}: {requested.detail}"
    return (
        f"requested {_when(requested.since)}: {requested.detail}"
        if requested.detail
        else "requested"
    )


def _active(active: Subscription) -> str:
    text = f"active until {_when(active.lease_until)}"
    if active.last_push:
        text += f"; {active.pushes} pushes, the last {_when(active.last_push)}"
    else:
        text += "; nothing pushed yet, so polling continues at the usual interval"
    if active.ignored:
        text += f"; {active.ignored} ignored for a wrong signature"
    if active.algorithm == "sha1":
        text += "; signed with sha1, which is weak"
    if active.suspected:
        text += (
            f"; a poll {_when(active.suspected)} found entries that were not pushed, so polling"
            " continues at the usual interval"
        )
    return text


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} GMT" if at else "never"
