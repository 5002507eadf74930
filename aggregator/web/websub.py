"""WebSub endpoints: the hub of this site, and the callbacks of its subscriptions.

POST /hub             subscribe to a feed of this site
GET /websub/<token>   a source's hub verifies or denies a subscription
POST /websub/<token>  a source's hub pushes content

Requests are only stored; the scheduler's process acts on them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, Response, request

from aggregator.models.config import Config
from aggregator.store.database.connection import Store
from aggregator.store.sources import poll_plan
from aggregator.store.websub import inbox, subscriptions, verification_queue
from aggregator.store.websub.subscriptions import (
    ACTIVE,
    ASKED,
    DENIED,
    LEAVING,
    Subscription,
    SubscriptionChanges,
)
from aggregator.web.feeds import documents
from aggregator.websub import protocol
from aggregator.websub.protocol import parse_subscription_request

RETRY_AFTER_DENIAL = timedelta(days=30)
"""Time until a subscription that a hub denied is requested again."""

MAX_CHALLENGE, MAX_REASON = 2_000, 300


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("websub", __name__)
    endpoints = Endpoints(config, store, clock)
    callback = f"{protocol.CALLBACK_PATH}<token>"
    routes.add_url_rule(protocol.HUB_PATH, "hub", endpoints.hub, methods=["POST"])
    routes.add_url_rule(callback, "verify", endpoints.verify, methods=["GET"])
    routes.add_url_rule(callback, "receive", endpoints.receive, methods=["POST"])
    return routes


def _text(status: int, message: str = "", **headers: str) -> Response:
    """Return a plain-text response, which browsers do not take for markup (§5.3.1)."""
    response = Response(f"{message}\n" if message else "", status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers)
    return response


class Endpoints:
    """The endpoints."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Store requests."""
        self._config, self._store, self._clock = config, store, clock

    # --- the hub -------------------------------------------------------------------------------

    def hub(self) -> Response:
        """Store a subscription request; the scheduler's process verifies it (§5.1)."""
        config = self._config()
        if config.websub.hub != "own" or not protocol.hub_url(config):
            return _text(404, "this site has no hub")
        wanted = parse_subscription_request(request.form.to_dict(), config.allow)
        if isinstance(wanted, str):
            return _text(400, wanted)
        # A subscriber may leave even when the feed no longer exists.
        if wanted.mode == "subscribe" and documents.find(self._store, wanted.topic, config) is None:
            return _text(404, "hub.topic must be the rel=self URL of a feed that names this hub")
        with self._store.transaction() as db:
            refusal = verification_queue.add(
                db,
                topic=wanted.topic,
                callback=wanted.callback,
                host=wanted.host,
                mode=wanted.mode,
                secret=wanted.secret,
                lease=wanted.lease,
                now=self._clock(),
            )
        if refusal:
            return _text(503, refusal, **{"Retry-After": "60"})
        return _text(202, "accepted; the callback will be verified")

    # --- callbacks -------------------------------------------------------------------------

    def verify(self, token: str) -> Response:
        """Confirm a subscription or its end to a hub (§5.3.1), or take note of a denial (§5.2)."""
        mode = request.args.get("hub.mode", "")
        topic = request.args.get("hub.topic", "")
        challenge = request.args.get("hub.challenge", "")
        known = self._known(token)
        if known is None or topic != known.topic or len(challenge) > MAX_CHALLENGE:
            return _text(404, "this was not requested")
        if mode == "denied":
            self._denied(known, request.args.get("hub.reason", ""))
            return _text(200)
        if mode == "subscribe" and known.state in (ASKED, ACTIVE) and challenge:
            self._activate(known, request.args.get("hub.lease_seconds", ""))
        elif mode == "unsubscribe" and known.state == LEAVING and challenge:
            with self._store.transaction() as db:
                subscriptions.remove(db, token)
        else:
            return _text(404, "this was not requested")
        answer = _text(200)
        answer.set_data(challenge)
        return answer

    def _known(self, token: str) -> Subscription | None:
        with self._store.reading() as db:
            return subscriptions.get(db, token)

    def _activate(self, known: Subscription, lease: str) -> None:
        now = self._clock()
        until = now + (protocol.granted(lease) or protocol.LEASE)
        with self._store.transaction() as db:
            renew = protocol.renewal(now, until)
            subscriptions.activate(db, known, renew=renew, until=until, now=now)
            if known.active_since is None:
                reason = "a hub pushes it now: polling once for entries that were not pushed"
                poll_plan.poll_now(db, known.source_id, now, reason)

    def _denied(self, known: Subscription, reason: str) -> None:
        now = self._clock()
        with self._store.transaction() as db:
            if known.state == LEAVING:
                subscriptions.remove(db, known.token)
                return
            changes: SubscriptionChanges = {
                "state": DENIED,
                "since": now,
                "act": now + RETRY_AFTER_DENIAL,
                "detail": reason[:MAX_REASON] or "no reason given",
            }
            subscriptions.update(db, known.token, changes)
            if known.state == ACTIVE:
                poll_plan.poll_now(db, known.source_id, now, "the hub stopped pushing")

    def receive(self, token: str) -> Response:
        """Store pushed content; the scheduler's process reads it (§7)."""
        request.max_content_length = self._config().defaults.limits.body
        body = request.get_data(cache=False)
        known = self._known(token)
        if known is None:
            return _text(410, "this subscription has ended")
        header = request.headers.get("X-Hub-Signature", "")
        algorithm = protocol.signed_with(header, known.secret, body)
        with self._store.transaction() as db:
            if not algorithm:
                # Reveals nothing to a sender without the secret; a hub would only retry an error.
                subscriptions.count_ignored(db, token)
                return _text(202)
            taken = inbox.add(
                db,
                known,
                content_type=request.content_type or "",
                body=body,
                algorithm=algorithm,
                now=self._clock(),
            )
        return (
            _text(202)
            if taken
            else _text(503, "too many pushes are waiting", **{"Retry-After": "60"})
        )
