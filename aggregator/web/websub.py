"""For other programs that speak WebSub: our hub, and the callbacks of our own subscriptions.

POST /hub                  asks for our feeds to be pushed
GET, POST /websub/<token>  what the hubs of sources ask, and push

Nothing is fetched, read or waited for here: all is written down for the scheduler's process.
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

ASK_AGAIN = timedelta(days=30)
"""A hub that has denied a subscription is asked again after so long."""

LONGEST_CHALLENGE, LONGEST_REASON = 2_000, 300


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the endpoints."""
    made = Blueprint("websub", __name__)
    endpoints = Endpoints(config, store, clock)
    callback = f"{protocol.CALLBACK_PATH}<token>"
    made.add_url_rule(protocol.HUB_PATH, "hub", endpoints.hub, methods=["POST"])
    made.add_url_rule(callback, "asked", endpoints.asked, methods=["GET"])
    made.add_url_rule(callback, "pushed", endpoints.pushed, methods=["POST"])
    return made


def _say(status: int, words: str = "", **headers: str) -> Response:
    """Answer in plain text, which no browser takes for anything else (§5.3.1)."""
    made = Response(f"{words}\n" if words else "", status, mimetype="text/plain")
    made.headers["Cache-Control"] = "no-store"
    made.headers.update(headers)
    return made


class Endpoints:
    """The endpoints, over a store."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._clock = config, store, clock

    # --- our hub -------------------------------------------------------------------------------

    def hub(self) -> Response:
        """Take a subscription request; the scheduler's process verifies it (§5.1)."""
        config = self._config()
        if config.websub.hub != "own" or not protocol.hub_url(config):
            return _say(404, "this site has no hub of its own")
        wish = parse_subscription_request(request.form.to_dict(), config.allow)
        if isinstance(wish, str):
            return _say(400, wish)
        # Who leaves may do so even when the feed is there no more.
        if wish.mode == "subscribe" and documents.find(wish.topic, config) is None:
            return _say(404, "hub.topic is not the rel=self URL of a feed of ours that has a hub")
        with self._store.transaction() as db:
            refusal = verification_queue.add(
                db,
                topic=wish.topic,
                callback=wish.callback,
                host=wish.host,
                mode=wish.mode,
                secret=wish.secret,
                lease=wish.lease,
                now=self._clock(),
            )
        if refusal:
            return _say(503, refusal, **{"Retry-After": "60"})
        return _say(202, "accepted; the callback is asked next")

    # --- our callbacks -------------------------------------------------------------------------

    def asked(self, token: str) -> Response:
        """Tell a hub whether we meant it (§5.3.1), or hear that it will not (§5.2)."""
        mode = request.args.get("hub.mode", "")
        topic = request.args.get("hub.topic", "")
        challenge = request.args.get("hub.challenge", "")
        known = self._known(token)
        if known is None or topic != known.topic or len(challenge) > LONGEST_CHALLENGE:
            return _say(404, "this was not asked for")
        if mode == "denied":
            self._denied(known, request.args.get("hub.reason", ""))
            return _say(200)
        if mode == "subscribe" and known.state in (ASKED, ACTIVE) and challenge:
            self._activate(known, request.args.get("hub.lease_seconds", ""))
        elif mode == "unsubscribe" and known.state == LEAVING and challenge:
            with self._store.transaction() as db:
                subscriptions.remove(db, token)
        else:
            return _say(404, "this was not asked for")
        answer = _say(200)
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
                words = "a hub pushes it now: polling once for entries that were not pushed"
                poll_plan.poll_now(db, known.source_id, now, words)

    def _denied(self, known: Subscription, reason: str) -> None:
        now = self._clock()
        with self._store.transaction() as db:
            if known.state == LEAVING:
                subscriptions.remove(db, known.token)
                return
            changes: SubscriptionChanges = {
                "state": DENIED,
                "since": now,
                "act": now + ASK_AGAIN,
                "detail": reason[:LONGEST_REASON] or "no reason given",
            }
            subscriptions.update(db, known.token, changes)
            if known.state == ACTIVE:
                poll_plan.poll_now(db, known.source_id, now, "the hub stopped pushing")

    def pushed(self, token: str) -> Response:
        """Take a push; whether it can be read is seen later (§7)."""
        request.max_content_length = self._config().defaults.limits.body
        body = request.get_data(cache=False)
        known = self._known(token)
        if known is None:
            return _say(410, "this subscription has ended")
        header = request.headers.get("X-Hub-Signature", "")
        algorithm = protocol.signed_with(header, known.secret, body)
        with self._store.transaction() as db:
            if not algorithm:
                # As good as any answer to who has no secret, and a hub would only come again.
                subscriptions.count_ignored(db, token)
                return _say(202)
            taken = inbox.add(
                db,
                known,
                content_type=request.content_type or "",
                body=body,
                algorithm=algorithm,
                now=self._clock(),
            )
        return _say(202) if taken else _say(503, "too much waits", **{"Retry-After": "60"})
