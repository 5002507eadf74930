"""Our subscriptions at the hubs of sources: asked for, renewed, left; and what they push.

    offers | reconcile | errands | settle        for what is asked of hubs
    inbox  | arrived                             for what they push

What hubs ask and push comes to `web.websub`, which writes it down; nothing here waits for it.
"""

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from aggregator.models.config import Config, Limits
from aggregator.models.entry import Feed
from aggregator.models.poll import Failed, Fetched, FetchOutcome, Message, Request, Transfer
from aggregator.policy import schedule
from aggregator.store.database.connection import Connection, Store
from aggregator.store.sources import sources
from aggregator.store.websub import subscriptions
from aggregator.store.websub.subscriptions import ASKED, DENIED, LEAVING, Push, Subscription
from aggregator.websub import protocol
from aggregator.websub.protocol import Offer
from aggregator.websub.task import OutboundRequest

ASK_AT_ONCE = 100
"""New subscriptions in one pass; ten thousand sources must not fall upon their hub together."""

LIMITS = Limits(connect=10, idle=20, total=30, body=65_536, redirects=5)

FIRST_WAIT, MOST_WAIT = timedelta(minutes=1), timedelta(days=1)
"""For the hub to verify what was asked, before it is asked again."""

LEAVE_ATTEMPTS = 3


def reconcile(store: Store, config: Config, now: datetime) -> None:
    """Ask for what sources offer and is not asked for, and leave what none offers any more."""
    callbacks = config.site.base_url + protocol.CALLBACK_PATH
    willing = not protocol.objection(config)
    with store.reading() as db:
        left = subscriptions.unfounded(db, callbacks if willing else "", now + schedule.SLEW)
        wanted = _offers(db, config) if willing else []
    if left or wanted:
        with store.transaction() as db:
            for one in left:
                _leave(db, one, now)
            for source_id, offer in wanted[:ASK_AT_ONCE]:
                subscriptions.add(db, _new(config, source_id, offer, now))


def _offers(db: Connection, config: Config) -> list[tuple[str, Offer]]:
    found = []
    for source_id, hubs, self_url in subscriptions.unasked(db):
        offer = protocol.offer(Feed(hubs=hubs, self_url=self_url))
        if offer and not protocol.objection(config, offer.hub):
            found.append((source_id, offer))
    return found


def _new(config: Config, source_id: str, offer: Offer, now: datetime) -> Subscription:
    token = secrets.token_urlsafe(24)
    return Subscription(
        token=token,
        source_id=source_id,
        hub=offer.hub,
        topic=offer.topic,
        callback=f"{config.site.base_url}{protocol.CALLBACK_PATH}{token}",
        secret=secrets.token_urlsafe(32),
        state=ASKED,
        since=now,
        act=now,
    )


def _leave(db: Connection, one: Subscription, now: datetime) -> None:
    if one.state == DENIED:
        subscriptions.remove(db, one.token)
        return
    columns = {"state": LEAVING, "since": now, "act_at": now, "failures": 0}
    subscriptions.update(db, one.token, columns)


# --- what is due -----------------------------------------------------------------------------


def errands(db: Connection, config: Config, now: datetime, room: int) -> list[OutboundRequest]:
    """Return the requests that are due, each noted as made; renew and give up what is to be."""
    made = []
    for one in subscriptions.due(db, now, room):
        if one.state in (ASKED, LEAVING):
            made += _errand(db, one, now)
        elif one.state == DENIED:
            subscriptions.remove(db, one.token)  # and so asked anew
        elif one.lease_until and one.lease_until <= now:
            subscriptions.remove(db, one.token)
            sources.poll_now(db, one.source_id, now, "its hub's lease has ended")
        else:
            subscriptions.update(db, one.token, {"act_at": one.lease_until})
            _renew(db, config, one, now)
    return made


def _renew(db: Connection, config: Config, one: Subscription, now: datetime) -> None:
    """Ask for the same with another callback and secret; the old ones hold until it is verified."""
    if all(other.state != ASKED for other in subscriptions.all_of(db, one.source_id)):
        new = _new(config, one.source_id, Offer(hub=one.hub, topic=one.topic), now)
        proven = replace(
            new, active_since=one.active_since, pushes=one.pushes, last_push=one.last_push
        )
        subscriptions.add(db, proven)


def _errand(db: Connection, one: Subscription, now: datetime) -> list[OutboundRequest]:
    if one.state == LEAVING and one.failures >= LEAVE_ATTEMPTS:
        subscriptions.remove(db, one.token)
        return []
    wait = min(FIRST_WAIT * 3 ** min(one.failures, 8), MOST_WAIT)
    columns = {
        "act_at": now + wait,
        "failures": one.failures + 1,
        "detail": one.detail or "the hub has not answered yet",
    }
    subscriptions.update(db, one.token, columns)
    form = protocol.subscription_form(
        mode="subscribe" if one.state == ASKED else "unsubscribe",
        topic=one.topic,
        callback=one.callback,
        secret=one.secret,
    )
    message = Message(body=form, content_type=protocol.FORM)
    request = Request(source_id=one.token, url=one.hub, message=message, limits=LIMITS)
    return [OutboundRequest(key=one.token, request=request, settle=partial(_settle, one))]


def _settle(one: Subscription, db: Connection, outcome: FetchOutcome, _now: datetime) -> None:
    """Note the hub's answer, unless it has verified the subscription meanwhile."""
    latest = subscriptions.get(db, one.token)
    if latest is None or latest.state != one.state:
        return
    if not isinstance(outcome, Failed):
        words = "the hub has accepted it and not verified it yet"
        subscriptions.update(db, one.token, {"detail": words})
    else:
        subscriptions.update(db, one.token, {"detail": outcome.detail})


# --- what was pushed -------------------------------------------------------------------------


def arrived(db: Connection, config: Config, busy: Collection[str], room: int) -> list[Request]:
    """Return what waits in the inbox as requests whose answer has come, a source's in turn."""
    return [_request(push, config) for push in subscriptions.waiting(db, busy, room)]


def _request(push: Push, config: Config) -> Request:
    # A hub may leave out what it has sent before (§7), so nothing is gone that is not in it.
    document = Fetched(
        url=push.topic,
        body=push.body,
        content_type=push.content_type,
        partial=True,
        transfer=Transfer(status=200, received=len(push.body)),
    )
    return Request(
        source_id=push.source_id,
        url=push.topic,
        limits=config.defaults.limits,
        discover=False,
        document=document,
        push=push.id,
    )
