"""Our subscriptions at the hubs of sources, and the documents that hubs push.

    offers | reconcile | outbound_requests | settle     requests to hubs
    inbox  | received                                   pushed documents

Hubs call `web.websub`, which stores verifications and pushes in the database.
"""

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from aggregator.models.config import PLAIN_READING, Config, Limits, Source
from aggregator.models.entry import Feed
from aggregator.models.poll import Failed, Fetched, FetchOutcome, Message, Request, Transfer
from aggregator.policy import schedule
from aggregator.store.database.connection import Connection, Store
from aggregator.store.sources import poll_plan
from aggregator.store.websub import inbox, subscriptions
from aggregator.store.websub.inbox import Push
from aggregator.store.websub.subscriptions import (
    ASKED,
    DENIED,
    LEAVING,
    Subscription,
    SubscriptionChanges,
)
from aggregator.websub import protocol
from aggregator.websub.protocol import Offer
from aggregator.websub.task import OutboundRequest, TaskKind

ASK_AT_ONCE = 100
"""New subscriptions per pass, so that 10,000 sources do not ask their hub all at once."""

LIMITS = Limits(connect=10, idle=20, total=30, body=65_536, redirects=5)

FIRST_WAIT, MOST_WAIT = timedelta(minutes=1), timedelta(days=1)
"""Waits for the hub to verify a request before it is sent again."""

LEAVE_ATTEMPTS = 3


def reconcile(store: Store, config: Config, now: datetime) -> None:
    """Add subscriptions that sources offer, and end those that no source offers any more."""
    callbacks = config.site.public_url + protocol.CALLBACK_PATH
    willing = not protocol.objection(config)
    with store.reading() as db:
        left = subscriptions.obsolete(
            db, callbacks if willing else "", now + schedule.CLOCK_TOLERANCE
        )
        wanted = _offers(db, config) if willing else []
    if left or wanted:
        with store.transaction() as db:
            for subscription in left:
                _leave(db, subscription, now)
            for source_id, offer in wanted[:ASK_AT_ONCE]:
                subscriptions.add(db, _new(config, source_id, offer, now))


def _offers(db: Connection, config: Config) -> list[tuple[str, Offer]]:
    offers = []
    for source_id, hubs, self_url in subscriptions.offers(db):
        offer = protocol.offer(Feed(hubs=hubs, self_url=self_url))
        if offer and not protocol.objection(config, offer.hub):
            offers.append((source_id, offer))
    return offers


def _new(config: Config, source_id: str, offer: Offer, now: datetime) -> Subscription:
    token = secrets.token_urlsafe(24)
    return Subscription(
        token=token,
        source_id=source_id,
        hub=offer.hub,
        topic=offer.topic,
        callback=f"{config.site.public_url}{protocol.CALLBACK_PATH}{token}",
        secret=secrets.token_urlsafe(32),
        state=ASKED,
        since=now,
        act=now,
    )


def _leave(db: Connection, subscription: Subscription, now: datetime) -> None:
    if subscription.state == DENIED:
        subscriptions.remove(db, subscription.token)
        return
    changes: SubscriptionChanges = {"state": LEAVING, "since": now, "act": now, "failures": 0}
    subscriptions.update(db, subscription.token, changes)


# --- due requests ----------------------------------------------------------------------------


def outbound_requests(
    db: Connection, config: Config, now: datetime, room: int
) -> list[OutboundRequest]:
    """Return the due requests to hubs; renew, drop or expire subscriptions on the way."""
    due = []
    for subscription in subscriptions.due(db, now, room):
        if subscription.state in (ASKED, LEAVING):
            due += _request_to_hub(db, subscription, now)
        elif subscription.state == DENIED:
            subscriptions.remove(db, subscription.token)  # so that it is requested again
        elif subscription.lease_until and subscription.lease_until <= now:
            subscriptions.remove(db, subscription.token)
            poll_plan.poll_now(db, subscription.source_id, now, "the hub's lease has ended")
        else:
            subscriptions.update(db, subscription.token, {"act": subscription.lease_until})
            _renew(db, config, subscription, now)
    return due


def _renew(db: Connection, config: Config, old: Subscription, now: datetime) -> None:
    """Request a new subscription with its own callback and secret; the old one stays until then."""
    if all(other.state != ASKED for other in subscriptions.all_of(db, old.source_id)):
        new = _new(config, old.source_id, Offer(hub=old.hub, topic=old.topic), now)
        proven = replace(
            new, active_since=old.active_since, pushes=old.pushes, last_push=old.last_push
        )
        subscriptions.add(db, proven)


def _request_to_hub(
    db: Connection, subscription: Subscription, now: datetime
) -> list[OutboundRequest]:
    if subscription.state == LEAVING and subscription.failures >= LEAVE_ATTEMPTS:
        subscriptions.remove(db, subscription.token)
        return []
    wait = min(FIRST_WAIT * 3 ** min(subscription.failures, 8), MOST_WAIT)
    changes: SubscriptionChanges = {
        "act": now + wait,
        "failures": subscription.failures + 1,
        "detail": subscription.detail or "the hub has not answered yet",
    }
    subscriptions.update(db, subscription.token, changes)
    form = protocol.subscription_form(
        mode="subscribe" if subscription.state == ASKED else "unsubscribe",
        topic=subscription.topic,
        callback=subscription.callback,
        secret=subscription.secret,
    )
    message = Message(body=form, content_type=protocol.FORM)
    request = Request(url=subscription.hub, message=message, limits=LIMITS)
    settle = partial(_settle, subscription)
    return [OutboundRequest(kind=TaskKind.SUBSCRIBE, request=request, settle=settle)]


def _settle(
    subscription: Subscription, db: Connection, outcome: FetchOutcome, _now: datetime
) -> None:
    """Store the hub's answer, unless the hub has verified the subscription meanwhile."""
    latest = subscriptions.get(db, subscription.token)
    if latest is None or latest.state != subscription.state:
        return
    accepted = "the hub accepted the request and has not verified it yet"
    detail = outcome.detail if isinstance(outcome, Failed) else accepted
    subscriptions.update(db, subscription.token, {"detail": detail})


# --- pushes ----------------------------------------------------------------------------------


def received(
    db: Connection, config: Config, in_flight: Collection[str], room: int
) -> list[Request]:
    """Return pushed documents as requests that need no fetch, in order for each source."""
    pushes = inbox.next_pushes(db, in_flight, room)
    sources = {source.id: source for source in config.sources} if pushes else {}
    return [_request(push, sources.get(push.source_id), config) for push in pushes]


def _request(push: Push, source: Source | None, config: Config) -> Request:
    # A hub may send changed entries only (§7), so entries missing from a push are not gone.
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
        limits=(source.limits if source else None) or config.defaults.limits,
        reading=source.reading if source else PLAIN_READING,
        discover=False,
        document=document,
        push=push.id,
    )
