"""Our hub, which serves our own feeds only: verifies subscriptions and delivers changes.

    pending subscriptions | verify | subscribers
    changes | render | due subscribers | deliver | settle

A topic is rendered once per change, for all its subscribers. `Publications` renders it with the
web's own functions, so a push carries the bytes that a GET returns.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import xxhash

from aggregator.models.config import Config, Limits
from aggregator.models.poll import Failed, FailureKind, Fetched, FetchOutcome, Message, Request
from aggregator.models.urls import host_of
from aggregator.store.database import change_log, metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import format_time, parse_time_or_none
from aggregator.store.websub import delivery_log, published_topics, subscribers, verification_queue
from aggregator.store.websub.delivery_log import Delivery
from aggregator.store.websub.subscribers import Subscriber
from aggregator.store.websub.verification_queue import PendingSubscription
from aggregator.websub import protocol
from aggregator.websub.publications import Publications, Rendered
from aggregator.websub.task import OutboundRequest, TaskKind

LIMITS = Limits(connect=5, idle=10, total=10, body=4_096, redirects=0)
"""A callback that redirects has failed (§5.3.1, §7)."""

VERIFY_WAITS = tuple(timedelta(seconds=seconds) for seconds in (2, 8, 30))
"""Waits before an unreachable callback is verified again; any answer is final (§5.3.1)."""

FIRST_WAIT, MOST_ATTEMPTS = timedelta(seconds=15), 8
"""The wait grows fourfold after each attempt: the eighth is 23 hours after the first."""

TOPIC_SECONDS = 0.5
"""Minimum interval between two deliveries of one topic, however many sources change it."""

PING_WAIT = timedelta(minutes=1)
PINGED_AT_ONCE = 1_000
"""Topics in one ping. More change at once only before the first ping, without subscribers."""

_PINGED, _PING_AGAIN = "websub_pinged", "websub_ping_again"

ENDED_SECONDS = 5.0
"""A topic ends after it was missing this long: the web may load a new configuration earlier."""

VERIFIED_AT_ONCE = 100
"""Anyone can request a subscription, so the remaining capacity is kept for verified subscribers."""

RENDERED_AT_ONCE = 5
BODIES_KEPT = 20


@dataclass(frozen=True, slots=True)
class _LastRender:
    """When a topic was last rendered, and from which versions."""

    at: float
    versions: Mapping[str, int]


class Hub:
    """The hub's state in memory between two passes; all of it can be lost safely."""

    def __init__(self, store: Store, publications: Publications) -> None:
        """Render nothing yet."""
        self._store, self._publications = store, publications
        self._rendered: dict[str, _LastRender] = {}
        self._bodies: dict[str, Rendered] = {}
        self._missing_since: dict[str, float] = {}
        self._looked: tuple[int, ...] | None = None
        self._renderings = 0

    def forget(self) -> None:
        """Drop everything rendered, as after a change of the configuration."""
        self._rendered.clear()
        self._bodies.clear()
        self._looked = None

    # --- changes -------------------------------------------------------------------------------

    def refresh(self, config: Config, now: datetime, seconds: float) -> None:
        """Mark changed topics as due for their subscribers, a few topics at a time.

        Args:
            config: The configuration in force.
            now: The current time.
            seconds: The same on the monotonic clock.
        """
        with self._store.reading() as db:
            looked = (
                change_log.version(db),
                verification_queue.newest_id(db),
                subscribers.newest_id(db),
            )
            if looked == self._looked:
                return
            known, current = published_topics.digests(db), change_log.versions(db)
        stale = [topic for topic in known if not known[topic] or self._is_stale(topic, current)]
        ripe = [topic for topic in stale if self._is_ripe(topic, seconds)]
        ripe.sort(key=lambda topic: self._rendered[topic].at if topic in self._rendered else 0.0)
        done = [
            self._render(topic, known[topic], config, now, seconds)
            for topic in ripe[:RENDERED_AT_ONCE]
        ]
        if len(stale) == sum(done):
            self._looked = looked

    def _is_stale(self, topic: str, current: Mapping[str, int]) -> bool:
        last = self._rendered.get(topic)
        return last is None or any(current.get(s, 0) != v for s, v in last.versions.items())

    def _is_ripe(self, topic: str, seconds: float) -> bool:
        last = self._rendered.get(topic)
        return last is None or seconds - last.at >= TOPIC_SECONDS

    def _render(
        self, topic: str, known: str, config: Config, now: datetime, seconds: float
    ) -> bool:
        """Mark a topic's change as due; return False while the topic may have ended."""
        rendered = self._publications.render(topic, config)
        if rendered is None:
            return self._close(topic, now, seconds)
        self._missing_since.pop(topic, None)
        with self._store.transaction() as db:
            digest = xxhash.xxh3_128_hexdigest(rendered.body)
            if not known:
                published_topics.add(db, topic, digest)
            elif digest != known:
                published_topics.publish(db, topic, digest, now)
        self._rendered[topic] = _LastRender(seconds, rendered.versions)
        self._keep(topic, rendered)
        return True

    def _close(self, topic: str, now: datetime, seconds: float) -> bool:
        if seconds - self._missing_since.setdefault(topic, seconds) < ENDED_SECONDS:
            return False
        del self._missing_since[topic]
        with self._store.transaction() as db:
            published_topics.close(db, topic, now)
        return True

    def _keep(self, topic: str, rendered: Rendered) -> None:
        self._bodies.pop(topic, None)
        self._bodies[topic] = rendered
        if len(self._bodies) > BODIES_KEPT:
            del self._bodies[next(iter(self._bodies))]

    # --- due requests --------------------------------------------------------------------------

    def outbound_requests(
        self,
        db: Connection,
        config: Config,
        now: datetime,
        in_flight: Collection[OutboundRequest],
        room: int,
    ) -> list[OutboundRequest]:
        """Return the verifications and deliveries that are due, at most `room`."""
        hosts = Counter(host_of(task.request.url) for task in in_flight)
        verifying = {task.row for task in in_flight if task.kind is TaskKind.VERIFY}
        room_to_verify = min(room, VERIFIED_AT_ONCE - len(verifying))
        due = self._verifications(db, now, verifying, hosts, room_to_verify)
        delivering = [task.row for task in in_flight if task.kind is TaskKind.DELIVER]
        self._renderings = 0
        for subscriber in subscribers.due(db, now, delivering, room - len(due), hosts):
            delivery = self._delivery(subscriber, config)
            if delivery:
                due.append(delivery)
        return due

    def _verifications(
        self,
        db: Connection,
        now: datetime,
        verifying: Collection[int],
        hosts: Counter[str],
        room: int,
    ) -> list[OutboundRequest]:
        due: list[OutboundRequest] = []
        for pending in verification_queue.due(db, now, verification_queue.MOST_PENDING):
            if len(due) >= room:
                break
            # Render first, so that the subscriber gets every change after its verification.
            ready = pending.mode != "subscribe" or pending.topic in self._rendered
            host = host_of(pending.callback)
            if ready and pending.id not in verifying and hosts[host] < subscribers.HOST_SHARE:
                hosts[host] += 1
                due.append(_verification(pending, published_topics.version(db, pending.topic), now))
        return due

    def _delivery(self, subscriber: Subscriber, config: Config) -> OutboundRequest | None:
        topic = subscriber.topic
        rendered = self._bodies.get(topic)
        if rendered is None and topic in self._rendered:  # its body was evicted
            if self._renderings >= RENDERED_AT_ONCE:
                return None
            self._renderings += 1
            rendered = self._publications.render(topic, config)
            if rendered:
                self._keep(topic, rendered)
        if rendered is None:  # after a restart, or because it ended; the next pass decides
            self._rendered.pop(topic, None)
            self._looked = None
            return None
        headers = {"Link": protocol.links(protocol.hub_url(config), topic)}
        if subscriber.secret:
            headers["X-Hub-Signature"] = protocol.signature(subscriber.secret, rendered.body)
        message = Message(body=rendered.body, content_type=rendered.content_type)
        request = Request(url=subscriber.callback, headers=headers, message=message, limits=LIMITS)
        return OutboundRequest(
            kind=TaskKind.DELIVER,
            row=subscriber.id,
            request=request,
            settle=partial(_settle_delivery, subscriber),
        )


def _settle_delivery(
    subscriber: Subscriber, db: Connection, outcome: FetchOutcome, now: datetime
) -> None:
    version = subscriber.version
    if not isinstance(outcome, Failed):
        subscribers.mark_delivered(db, subscriber.id, version, now)
    elif outcome.kind is FailureKind.GONE:
        subscribers.remove(db, subscriber.id)
    else:
        attempts = subscriber.attempts + 1
        retry_at = now + FIRST_WAIT * 4**subscriber.attempts if attempts < MOST_ATTEMPTS else None
        detail = _detail(outcome)
        subscribers.mark_failed(
            db, subscriber.id, version, retry_at=retry_at, detail=detail, now=now
        )
    _log(db, "push", subscriber.topic, subscriber.callback, outcome, now)


# --- verification ----------------------------------------------------------------------------


def _verification(pending: PendingSubscription, version: int, now: datetime) -> OutboundRequest:
    """Return the verification of intent (§5.3), or the denial of a subscription (§5.2)."""
    challenge = secrets.token_urlsafe(24)
    parameters = {"hub.mode": pending.mode, "hub.topic": pending.topic}
    if pending.mode == "denied":
        parameters["hub.reason"] = "this feed is no longer published"
    else:
        parameters["hub.challenge"] = challenge
    if pending.mode == "subscribe":
        parameters["hub.lease_seconds"] = str(int(pending.lease.total_seconds()))
    request = Request(
        url=protocol.with_parameters(pending.callback, parameters),
        message=Message(method="GET"),
        limits=LIMITS,
    )
    settle = partial(_settle_verification, pending, version, challenge.encode(), now)
    return OutboundRequest(kind=TaskKind.VERIFY, row=pending.id, request=request, settle=settle)


def _settle_verification(
    pending: PendingSubscription,
    version: int,
    challenge: bytes,
    sent_at: datetime,
    db: Connection,
    outcome: FetchOutcome,
    now: datetime,
) -> None:
    if _is_unreachable(outcome) and pending.attempts < len(VERIFY_WAITS):
        verification_queue.postpone(db, pending.id, now + VERIFY_WAITS[pending.attempts])
        return
    if not verification_queue.remove(db, pending.id):
        return  # replaced by a newer request of the same subscriber, which is verified next
    echoed = isinstance(outcome, Fetched) and outcome.body == challenge
    detail = "" if echoed or pending.mode == "denied" else "the answer is not the challenge"
    if echoed and pending.mode == "subscribe":
        subscribers.add(db, pending, host_of(pending.callback), version, sent_at)
    elif echoed:
        subscribers.unsubscribe(db, pending.topic, pending.callback)
    _log(db, pending.mode, pending.topic, pending.callback, outcome, now, detail)


def _is_unreachable(outcome: FetchOutcome) -> bool:
    """Whether there was no answer: subscribers may ask before their own web server runs."""
    return isinstance(outcome, Failed) and outcome.kind in (
        FailureKind.CONNECT,
        FailureKind.TIMEOUT,
    )


def expire(store: Store, now: datetime) -> None:
    """Remove subscribers with an expired lease, and topics without subscribers."""
    with store.reading() as db:
        if not subscribers.any_expired(db, now, protocol.MOST_LEASE):
            return
    with store.transaction() as db:
        for topic, callback in subscribers.expire(db, now, protocol.MOST_LEASE):
            delivery_log.add(db, [Delivery(at=now, kind="expired", topic=topic, callback=callback)])
        published_topics.delete_unused(db)


# --- an external hub -------------------------------------------------------------------------


def ping(
    db: Connection, config: Config, publications: Publications, now: datetime
) -> list[OutboundRequest]:
    """Return the ping for the configured hub about topics changed since the last ping.

    Changes of the current second are left for the next ping, because more may follow in it.
    """
    retry_at, last = parse_time_or_none(metadata.get(db, _PING_AGAIN)), metadata.get(db, _PINGED)
    if retry_at and now < retry_at <= now + PING_WAIT:
        return []
    # A time stored while the clock ran ahead must not hold pings back.
    scopes = change_log.between(db, last if last <= format_time(now) else "", format_time(now))
    touched = publications.touched(scopes, config) if scopes else []
    if not touched:
        return []
    form = protocol.ping_form(touched[:PINGED_AT_ONCE])
    message = Message(body=form, content_type=protocol.FORM)
    request = Request(url=config.websub.hub, message=message, limits=LIMITS)
    settle = partial(_settle_ping, now, config.websub.hub)
    return [OutboundRequest(kind=TaskKind.PING, request=request, settle=settle)]


def _settle_ping(
    sent_at: datetime, hub: str, db: Connection, outcome: FetchOutcome, now: datetime
) -> None:
    if isinstance(outcome, Failed):
        metadata.put(db, _PING_AGAIN, format_time(now + PING_WAIT))
    else:
        metadata.put(db, _PINGED, format_time(sent_at))
    _log(db, "ping", "", hub, outcome, now)


def _log(
    db: Connection,
    kind: str,
    topic: str,
    callback: str,
    outcome: FetchOutcome,
    now: datetime,
    detail: str = "",
) -> None:
    transfer = outcome.transfer
    line = Delivery(
        at=now,
        kind=kind,
        topic=topic,
        callback=callback,
        status=transfer.status,
        milliseconds=round(transfer.seconds * 1000),
        detail=_detail(outcome) if isinstance(outcome, Failed) else detail,
    )
    delivery_log.add(db, [line])


def _detail(failed: Failed) -> str:
    """Return a failure's reason without the callback URL, which is the subscriber's secret."""
    return failed.detail.partition(": ")[2] or failed.detail
