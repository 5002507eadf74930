"""Text about a source's WebSub state, for operators."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from aggregator.models.config import Config
from aggregator.models.entry import Feed
from aggregator.models.messages import N_, Message, joined
from aggregator.store.websub.subscriptions import ACTIVE, DENIED, LEAVING, Subscription
from aggregator.websub import protocol


def of_source(config: Config, feed: Feed, known: Sequence[Subscription]) -> str:
    """Return the state of a source's subscription, or the reason why it has none."""
    offer = protocol.offer(feed)
    if offer is None:
        return (
            N_("not offered: the feed names a hub, but not itself")
            if feed.hubs
            else N_("not offered")
        )
    objection = protocol.objection(config, offer.hub)
    if objection:
        return objection
    current = [subscription for subscription in known if subscription.state != LEAVING]
    active = next((subscription for subscription in current if subscription.state == ACTIVE), None)
    if active:
        return joined(_active(active))
    if not current:
        return N_("offered; not requested yet")
    requested = current[0]
    since, detail = _when(requested.since), requested.detail
    if requested.state == DENIED:
        return N_("denied by its hub: %(detail)s", detail=detail)
    if requested.failures > 1:
        return N_("failing since %(time)s: %(detail)s", time=since, detail=detail)
    if not detail:
        return N_("requested")
    return N_("requested %(time)s: %(detail)s", time=since, detail=detail)


def _active(active: Subscription) -> Iterator[Message]:
    yield N_("active until %(time)s", time=_when(active.lease_until))
    if active.last_push:
        last = _when(active.last_push)
        yield N_("%(count)s pushes, the last %(time)s", count=active.pushes, time=last)
    else:
        yield N_("nothing pushed yet, so polling continues at the usual interval")
    if active.ignored:
        yield N_("%(count)s ignored for a wrong signature", count=active.ignored)
    if active.algorithm == "sha1":
        yield N_("signed with sha1, which is weak")
    if active.suspected:
        yield N_(
            "a poll %(time)s found entries that were not pushed, so polling continues at the usual"
            " interval",
            time=_when(active.suspected),
        )


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} GMT" if at else N_("never")
