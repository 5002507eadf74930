"""Our hub, for our own feeds alone: verifies who subscribes, and tells them what changes.

    wishes  | verify | subscribers
    changes | render | due subscribers | deliver | settle

A topic is rendered once for a change, whatever the number of its subscribers. Who renders is given
by `Publications`, as that belongs to the web: what is pushed are the bytes that a GET returns.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import xxhash

from aggregator.fetch import urls
from aggregator.models.config import Config, Limits
from aggregator.models.poll import Failed, FailureKind, Fetched, FetchOutcome, Message, Request
from aggregator.store.database import change_log, metadata
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import format_time, parse_time_or_none
from aggregator.store.websub import subscribers
from aggregator.store.websub.subscribers import Delivery, PendingSubscription, Subscriber
from aggregator.websub import protocol
from aggregator.websub.publications import Publications, Rendered
from aggregator.websub.task import OutboundRequest

LIMITS = Limits(connect=5, idle=10, total=10, body=4_096, redirects=0)
"""A callback that redirects has failed (§5.3.1, §7)."""

VERIFY_WAITS = tuple(timedelta(seconds=seconds) for seconds in (2, 8, 30))
"""A callback that can't be reached is asked again, so often; any answer is final (§5.3.1)."""

FIRST_WAIT, MOST_ATTEMPTS = timedelta(seconds=15), 8
"""Four times as long after each attempt: the eighth is made 23 hours after the first."""

TOPIC_SECONDS = 0.5
"""A topic is told at most so often, however many sources change it."""

PING_WAIT = timedelta(minutes=1)
PINGED_AT_ONCE = 1_000
"""More change at once only when nothing was told before, and so nobody has subscribed yet."""

_PINGED, _PING_AGAIN = "websub_pinged", "websub_ping_again"

ENDED_SECONDS = 5.0
"""A topic has ended when it is missed for so long: the web may know a new configuration sooner."""

VERIFIED_AT_ONCE = 100
"""Callbacks may be asked by anybody, so the rest of the errands is left to who is verified."""

RENDERED_AT_ONCE = 5
BODIES_KEPT = 20


@dataclass(frozen=True, slots=True)
class _Made:
    """When a topic was rendered last, and of what."""

    at: float
    versions: Mapping[str, int]


class Hub:
    """What the hub remembers between two looks at the database; nothing that it could not lose."""

    def __init__(self, store: Store, publications: Publications) -> None:
        """Serve what `publications` renders."""
        self._store, self._publications = store, publications
        self._made: dict[str, _Made] = {}
        self._bodies: dict[str, Rendered] = {}
        self._missed: dict[str, float] = {}
        self._looked: tuple[int, ...] | None = None
        self._renderings = 0

    def forget(self) -> None:
        """Render everything anew, as after a change of the configuration."""
        self._made.clear()
        self._bodies.clear()
        self._looked = None

    # --- what changed --------------------------------------------------------------------------

    def refresh(self, config: Config, now: datetime, seconds: float) -> None:
        """Make due what has changed since it was told, a few topics at a time.

        Args:
            config: The configuration in force.
            now: The present moment.
            seconds: The same, monotonic.
        """
        with self._store.reading() as db:
            looked = (change_log.version(db), *subscribers.newest(db))
            if looked == self._looked:
                return
            known, current = subscribers.topics(db), change_log.versions(db)
        stale = [topic for topic in known if not known[topic] or self._is_stale(topic, current)]
        ripe = [topic for topic in stale if self._is_ripe(topic, seconds)]
        ripe.sort(key=lambda topic: self._made[topic].at if topic in self._made else 0.0)
        done = [
            self._render(topic, known[topic], config, now, seconds)
            for topic in ripe[:RENDERED_AT_ONCE]
        ]
        if len(stale) == sum(done):
            self._looked = looked

    def _is_stale(self, topic: str, current: Mapping[str, int]) -> bool:
        made = self._made.get(topic)
        return made is None or any(current.get(s, 0) != v for s, v in made.versions.items())

    def _is_ripe(self, topic: str, seconds: float) -> bool:
        made = self._made.get(topic)
        return made is None or seconds - made.at >= TOPIC_SECONDS

    def _render(
        self, topic: str, known: str, config: Config, now: datetime, seconds: float
    ) -> bool:
        """Make a topic's change due; False while it is not certain whether the topic has ended."""
        rendered = self._publications.render(topic, config)
        if rendered is None:
            return self._close(topic, now, seconds)
        self._missed.pop(topic, None)
        with self._store.transaction() as db:
            digest = xxhash.xxh3_128_hexdigest(rendered.body)
            if not known:
                subscribers.begin_topic(db, topic, digest)
            elif digest != known:
                subscribers.changed(db, topic, digest, now)
        self._made[topic] = _Made(seconds, rendered.versions)
        self._keep(topic, rendered)
        return True

    def _close(self, topic: str, now: datetime, seconds: float) -> bool:
        if seconds - self._missed.setdefault(topic, seconds) < ENDED_SECONDS:
            return False
        del self._missed[topic]
        with self._store.transaction() as db:
            subscribers.close_topic(db, topic, now)
        return True

    def _keep(self, topic: str, rendered: Rendered) -> None:
        self._bodies.pop(topic, None)
        self._bodies[topic] = rendered
        if len(self._bodies) > BODIES_KEPT:
            del self._bodies[next(iter(self._bodies))]

    # --- what is due ---------------------------------------------------------------------------

    def errands(
        self,
        db: Connection,
        config: Config,
        now: datetime,
        busy: Mapping[str, OutboundRequest],
        room: int,
    ) -> list[OutboundRequest]:
        """Return what is to be verified and delivered now."""
        hosts = Counter(urls.host(errand.request.url) for errand in busy.values())
        asking = sum(key.startswith("wish ") for key in busy)
        made = self._verifications(db, now, busy, hosts, min(room, VERIFIED_AT_ONCE - asking))
        telling = [int(key[5:]) for key in busy if key.startswith("tell ")]
        self._renderings = 0
        for subscriber in subscribers.due(db, now, telling, room - len(made), hosts):
            errand = self._delivery(subscriber, config)
            if errand:
                made.append(errand)
        return made

    def _verifications(
        self,
        db: Connection,
        now: datetime,
        busy: Mapping[str, OutboundRequest],
        hosts: Counter[str],
        room: int,
    ) -> list[OutboundRequest]:
        made: list[OutboundRequest] = []
        for wish in subscribers.wishes(db, now, subscribers.MOST_WISHES):
            if len(made) >= room:
                break
            # Rendered first: what changes from now on is due to who is verified.
            ready = wish.mode != "subscribe" or wish.topic in self._made
            host = urls.host(wish.callback)
            if ready and f"wish {wish.id}" not in busy and hosts[host] < subscribers.HOST_SHARE:
                hosts[host] += 1
                made.append(_verification(wish, subscribers.version(db, wish.topic), now))
        return made

    def _delivery(self, subscriber: Subscriber, config: Config) -> OutboundRequest | None:
        topic = subscriber.topic
        rendered = self._bodies.get(topic)
        if rendered is None and topic in self._made:  # more topics than are kept
            if self._renderings >= RENDERED_AT_ONCE:
                return None
            self._renderings += 1
            rendered = self._publications.render(topic, config)
            if rendered:
                self._keep(topic, rendered)
        if rendered is None:  # after a restart, or when it has ended: the next look will tell
            self._made.pop(topic, None)
            self._looked = None
            return None
        headers = {"Link": protocol.links(protocol.hub_url(config), topic)}
        if subscriber.secret:
            headers["X-Hub-Signature"] = protocol.signature(subscriber.secret, rendered.body)
        message = Message(body=rendered.body, content_type=rendered.content_type)
        request = Request(
            source_id=f"tell {subscriber.id}",
            url=subscriber.callback,
            headers=headers,
            message=message,
            limits=LIMITS,
        )
        return OutboundRequest(
            key=request.source_id, request=request, settle=partial(_delivered, subscriber)
        )


def _delivered(
    subscriber: Subscriber, db: Connection, outcome: FetchOutcome, now: datetime
) -> None:
    version = subscriber.version
    if not isinstance(outcome, Failed):
        subscribers.told(db, subscriber.id, version, now)
    elif outcome.kind is FailureKind.GONE:
        subscribers.remove(db, subscriber.id)
    else:
        attempts = subscriber.attempts + 1
        again = now + FIRST_WAIT * 4**subscriber.attempts if attempts < MOST_ATTEMPTS else None
        detail = _words(outcome)
        subscribers.failed(db, subscriber.id, version, again=again, detail=detail, now=now)
    _log(db, "push", subscriber.topic, subscriber.callback, outcome, now)


# --- verification ----------------------------------------------------------------------------


def _verification(wish: PendingSubscription, version: int, now: datetime) -> OutboundRequest:
    """Return the question whether the subscriber means it (§5.3), or the news that it may not."""
    challenge = secrets.token_urlsafe(24)
    parameters = {"hub.mode": wish.mode, "hub.topic": wish.topic}
    if wish.mode == "denied":
        parameters["hub.reason"] = "this feed is not published any more"
    else:
        parameters["hub.challenge"] = challenge
    if wish.mode == "subscribe":
        parameters["hub.lease_seconds"] = str(int(wish.lease.total_seconds()))
    request = Request(
        source_id=f"wish {wish.id}",
        url=protocol.with_parameters(wish.callback, parameters),
        message=Message(method="GET"),
        limits=LIMITS,
    )
    settle = partial(_verified, wish, version, challenge.encode(), now)
    return OutboundRequest(key=request.source_id, request=request, settle=settle)


def _verified(
    wish: PendingSubscription,
    version: int,
    challenge: bytes,
    asked: datetime,
    db: Connection,
    outcome: FetchOutcome,
    now: datetime,
) -> None:
    if _is_away(outcome) and wish.attempts < len(VERIFY_WAITS):
        subscribers.postpone(db, wish.id, now + VERIFY_WAITS[wish.attempts])
        return
    if not subscribers.judged(db, wish.id):
        return  # the same subscriber has asked again meanwhile, and that is verified next
    echoed = isinstance(outcome, Fetched) and outcome.body == challenge
    detail = "" if echoed or wish.mode == "denied" else "the answer is not the challenge"
    if echoed and wish.mode == "subscribe":
        subscribers.subscribe(db, wish, urls.host(wish.callback), version, asked)
    elif echoed:
        subscribers.unsubscribe(db, wish.topic, wish.callback)
    _log(db, wish.mode, wish.topic, wish.callback, outcome, now, detail)


def _is_away(outcome: FetchOutcome) -> bool:
    """Whether nobody answered: a subscriber may ask before its own web server has started."""
    return isinstance(outcome, Failed) and outcome.kind in (
        FailureKind.CONNECT,
        FailureKind.TIMEOUT,
    )


def expire(store: Store, now: datetime) -> None:
    """End what has come to the end of its lease."""
    with store.reading() as db:
        if not subscribers.any_expired(db, now, protocol.MOST_LEASE):
            return
    with store.transaction() as db:
        for topic, callback in subscribers.expire(db, now, protocol.MOST_LEASE):
            subscribers.log(db, [Delivery(at=now, kind="expired", topic=topic, callback=callback)])
        subscribers.forget_topics(db)


# --- a hub of others -------------------------------------------------------------------------


def ping(
    db: Connection, config: Config, publications: Publications, now: datetime
) -> list[OutboundRequest]:
    """Return the news for the hub that the configuration names, of what changed since the last.

    The present second is left out: what still changes in it is told with the next.
    """
    again, last = parse_time_or_none(metadata.get(db, _PING_AGAIN)), metadata.get(db, _PINGED)
    if again and now < again <= now + PING_WAIT:
        return []
    # A clock that ran ahead must not keep all news back until its time has come.
    scopes = change_log.between(db, last if last <= format_time(now) else "", format_time(now))
    touched = publications.touched(scopes, config) if scopes else []
    if not touched:
        return []
    form = protocol.ping_form(touched[:PINGED_AT_ONCE])
    message = Message(body=form, content_type=protocol.FORM)
    request = Request(source_id="ping", url=config.websub.hub, message=message, limits=LIMITS)
    return [
        OutboundRequest(
            key="ping", request=request, settle=partial(_pinged, now, config.websub.hub)
        )
    ]


def _pinged(
    asked: datetime, hub: str, db: Connection, outcome: FetchOutcome, now: datetime
) -> None:
    if isinstance(outcome, Failed):
        metadata.put(db, _PING_AGAIN, format_time(now + PING_WAIT))
    else:
        metadata.put(db, _PINGED, format_time(asked))
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
        detail=_words(outcome) if isinstance(outcome, Failed) else detail,
    )
    subscribers.log(db, [line])


def _words(failed: Failed) -> str:
    """Return why something failed without its URL, which is the secret of a subscriber."""
    return failed.detail.partition(": ")[2] or failed.detail
