"""Our subscriber with a real hub: every MUST of the Recommendation for subscribers."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from aggregator.store.sources import poll_plan
from aggregator.store.websub.subscriptions import Subscription
from tests.e2e.service import wait_for
from tests.feedserver import FeedServer, response
from tests.websub.ours import PAUSES, Ours
from tests.websub.peers import Asked, HubPeer, document, send


@dataclass
class Pair:
    """Our site, with a source whose hub is the peer."""

    ours: Ours
    peer: HubPeer

    def asked(self, number: int = 0) -> Asked:
        """Wait for a subscription request and return it."""
        return wait_for(lambda: self.peer.asked()[number : number + 1])[0]

    def subscribed(self) -> Asked:
        """The request of a subscription that is verified."""
        asked = self.asked()
        assert self.peer.verify(asked) == (200, b"a random string")
        return asked

    @property
    def subscription(self) -> Subscription:
        return self.ours.subscription("news")


@pytest.fixture
def pair(ours: Ours, peer: HubPeer) -> Iterator[Pair]:
    ours.configure({"news": peer.topic})
    with ours.scheduling():
        yield Pair(ours, peer)


# --- discovery (§4) --------------------------------------------------------------------------


@pytest.mark.parametrize("document", [True, False])
def test_link_header_takes_precedence_over_the_document(
    ours: Ours, peer: HubPeer, document: bool
) -> None:
    hub, topic = peer.server.url("/hub?header"), peer.server.url("/canonical")
    peer.header = f'<{hub}>; rel="hub", <{topic}>; rel="self"'
    peer.in_document = document
    ours.configure({"news": peer.topic})
    with ours.scheduling():
        one = ours.subscription("news")
    assert (one.hub, one.topic) == (hub, topic)


def test_links_of_the_document_are_taken_without_a_header(pair: Pair) -> None:
    one = pair.subscription
    assert (one.hub, one.topic) == (pair.peer.server.url("/hub"), pair.peer.topic)


def test_topic_is_the_self_link_and_not_the_url_that_was_fetched(ours: Ours, peer: HubPeer) -> None:
    peer.server.redirect("/old", "/feed", 302)
    ours.configure({"news": peer.server.url("/old")})
    with ours.scheduling():
        asked = wait_for(peer.asked)[0]
    assert asked.form["hub.topic"] == peer.topic


# --- the request (§5.1) ----------------------------------------------------------------------


def test_request_is_a_form_with_all_that_is_required(pair: Pair) -> None:
    form = pair.asked().form
    [post] = [one for one in pair.peer.server.requests if one.path == "/hub"]
    assert post.method == "POST"
    assert post.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form["hub.mode"] == "subscribe"
    assert form["hub.topic"] == pair.peer.topic
    assert form["hub.callback"].startswith(f"{pair.ours.base}/websub/")
    assert form["hub.lease_seconds"] == "864000"


def test_callback_and_secret_are_unguessable_and_of_this_subscription_alone(
    ours: Ours, peer: HubPeer
) -> None:
    peer.server.on(
        "/feed2",
        lambda _: [
            response(
                200, {}, document([9], topic=peer.server.url("/feed2"), hub=peer.server.url("/hub"))
            )
        ],
    )
    ours.configure({"one": peer.topic, "two": peer.server.url("/feed2")})
    with ours.scheduling():
        first, second = wait_for(lambda: peer.asked()[1:] and peer.asked()[:2])
    for key in ("hub.callback", "hub.secret"):
        assert first.form[key] != second.form[key]
        assert len(first.form[key].rpartition("/")[2]) >= 32
    assert len(first.form["hub.secret"].encode()) < 200


def test_redirect_of_the_hub_is_followed_with_the_request(pair: Pair) -> None:
    pair.asked()
    server = pair.peer.server
    server.redirect("/hub", "/elsewhere", 307)
    server.reply("/elsewhere", 202)
    pair.ours.ahead = timedelta(minutes=6)
    wait_for(lambda: "/elsewhere" in server.paths())
    assert next(r for r in server.requests if r.path == "/elsewhere").body.startswith(b"hub.mode")


# --- verification (§5.3) ---------------------------------------------------------------------


def test_pending_subscription_is_confirmed_with_the_challenge_alone(pair: Pair) -> None:
    assert pair.peer.verify(pair.asked(), challenge="<b>é&") == (200, "<b>é&".encode())
    assert pair.subscription.state == "active"


def test_confirmation_is_no_markup_for_any_browser(pair: Pair) -> None:
    import urllib.request
    from urllib.parse import urlencode

    asked = pair.asked()
    query = urlencode({"hub.mode": "subscribe", "hub.topic": pair.peer.topic, "hub.challenge": "x"})
    with urllib.request.urlopen(f"{asked.callback}?{query}") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "http://127.0.0.1/other"},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"challenge": ""},
    ],
)
def test_unrequested_verification_is_answered_404(pair: Pair, change: dict[str, str]) -> None:
    asked = pair.asked()
    assert pair.peer.verify(asked, **change)[0] == 404
    assert pair.subscription.state == "asked"


def test_unknown_callback_is_answered_404(pair: Pair) -> None:
    asked = pair.asked()
    asked.form["hub.callback"] += "x"
    assert pair.peer.verify(asked)[0] == 404


def test_lease_is_never_trusted_beyond_14_days(pair: Pair) -> None:
    pair.peer.verify(pair.asked(), lease_seconds="99999999")
    until = pair.subscription.lease_until
    assert until is not None
    assert until - pair.ours.clock() <= timedelta(days=14)


def test_subscription_is_renewed_before_its_lease_ends_with_another_callback(
    pair: Pair,
) -> None:
    first = pair.subscribed()
    pair.ours.ahead = timedelta(minutes=41)  # of 60
    second = pair.asked(1)
    assert second.form["hub.mode"] == "subscribe"
    assert second.callback != first.callback
    assert second.form["hub.secret"] != first.form["hub.secret"]
    assert pair.peer.push(first) == 202, "the old one holds until the new one does"
    assert pair.peer.verify(second)[0] == 200
    third = pair.asked(2)
    assert (third.form["hub.mode"], third.callback) == ("unsubscribe", first.callback)
    assert pair.peer.verify(third)[0] == 200
    assert [one.state for one in pair.ours.subscriptions()] == ["active"]


def test_denial_is_shown_with_its_reason(pair: Pair) -> None:
    asked = pair.asked()
    assert pair.peer.verify(asked, mode="denied", reason="not for you")[0] == 200
    one = pair.subscription
    assert (one.state, one.detail) == ("denied", "not for you")
    pair.ours.ahead = timedelta(days=1)
    assert len(pair.peer.asked()) == 1


def test_denial_of_an_active_subscription_resumes_polls(pair: Pair) -> None:
    asked = pair.subscribed()
    before = pair.ours.source("news").polls
    pair.peer.verify(asked, mode="denied")
    wait_for(lambda: pair.ours.source("news").polls > before)


def test_refusal_of_a_hub_is_shown_and_the_request_is_retried(ours: Ours, peer: HubPeer) -> None:
    peer.status = 422
    ours.configure({"news": peer.topic})
    with ours.scheduling():
        wait_for(lambda: "as you wish" in ours.subscription("news").detail)
        assert len(peer.asked()) == 1
        ours.ahead = timedelta(minutes=6)
        wait_for(lambda: len(peer.asked()) == 2)
    assert peer.asked()[0].callback == peer.asked()[1].callback


# --- content distribution (§7) ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_push_with_a_valid_signature_is_acknowledged_and_read(pair: Pair, method: str) -> None:
    asked = pair.subscribed()
    pair.peer.numbers.append(4)
    assert pair.peer.push(asked, method=method) == 202
    wait_for(lambda: len(pair.ours.links()) == 4)
    assert pair.subscription.algorithm == method
    assert set(pair.ours.polls("news")) <= {"ok", "equal"}, "a push is no poll"


@pytest.mark.parametrize(("method", "secret"), [("sha256", "another"), ("", ""), ("md5", "")])
def test_push_without_a_good_signature_is_acknowledged_and_ignored(
    pair: Pair, method: str, secret: str
) -> None:
    asked = pair.subscribed()
    pair.peer.numbers.append(4)
    assert pair.peer.push(asked, method=method, secret=secret) == 202
    assert pair.ours.waiting() == 0
    assert pair.subscription.ignored == 1
    assert len(pair.ours.links()) == 3


def test_link_headers_of_a_push_do_not_identify_its_source(pair: Pair) -> None:
    import hmac

    asked = pair.subscribed()
    body = pair.peer.body([7])
    signature = hmac.new(asked.form["hub.secret"].encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature": f"sha256={signature}",
        "Link": '<http://127.0.0.1/another>; rel="self"',
        "Content-Type": "application/atom+xml",
    }
    assert send(asked.callback, body, headers)[0] == 202
    wait_for(lambda: len(pair.ours.links()) == 4)
    assert pair.subscription.topic == pair.peer.topic


def test_push_after_the_end_of_a_subscription_is_answered_410(pair: Pair) -> None:
    asked = pair.subscribed()
    asked.form["hub.callback"] += "x"
    assert pair.peer.push(asked) == 410


def test_push_larger_than_a_poll_may_be_is_refused(ours: Ours, peer: HubPeer) -> None:
    limits = {"every": "1h", "limits": {"body": "10kB"}}
    ours.configure({"news": peer.topic}, defaults=limits)
    with ours.scheduling():
        pair = Pair(ours, peer)
        assert peer.push(pair.subscribed(), b" " * 10_001) == 413
    assert ours.waiting() == 0


def test_repeated_push_is_stored_once_and_a_partial_one_removes_nothing(pair: Pair) -> None:
    asked = pair.subscribed()
    for numbers in ([4], [4], [5], [3, 4]):
        assert pair.peer.push(asked, pair.peer.body(numbers)) == 202
    wait_for(lambda: pair.ours.waiting() == 0)
    wait_for(lambda: len(pair.ours.links()) == 5)
    with pair.ours.store.reading() as db:
        gone = db.execute("select count(*) from entries where last_seen is not null").fetchone()
    assert gone[0] == 0


def test_push_that_is_no_feed_is_discarded(pair: Pair) -> None:
    asked = pair.subscribed()
    assert pair.peer.push(asked, b"<html>no feed</html>") == 202
    wait_for(lambda: pair.ours.waiting() == 0)
    assert len(pair.ours.links()) == 3
    assert pair.ours.source("news").failures == 0


# --- its end, and whether it lives -----------------------------------------------------------


def test_removed_source_is_unsubscribed(pair: Pair) -> None:
    asked = pair.subscribed()
    pair.ours.configure({})
    last = pair.asked(1)
    assert (last.form["hub.mode"], last.callback) == ("unsubscribe", asked.callback)
    assert pair.peer.verify(last)[0] == 200
    assert pair.ours.subscriptions() == []


def test_unconfirmed_unsubscription_is_given_up(pair: Pair) -> None:
    pair.subscribed()
    pair.ours.configure({})
    pair.asked(1)
    pair.ours.ahead = timedelta(minutes=2)
    pair.asked(2)
    pair.ours.ahead = timedelta(minutes=6)
    pair.asked(3)
    pair.ours.ahead = timedelta(minutes=20)
    wait_for(lambda: pair.ours.subscriptions() == [])
    assert len(pair.peer.asked()) == 4


def test_polls_are_a_slow_backup_while_pushes_come(pair: Pair) -> None:
    asked = pair.subscribed()
    wait_for(lambda: pair.ours.source("news").polls == 2)
    assert "backup" not in pair.ours.source("news").next_poll_reason, "it has proven nothing yet"
    pair.peer.push(asked)
    poll_now(pair)
    assert (
        "pushed by a hub, so polls are only a backup" in pair.ours.source("news").next_poll_reason
    )
    poll_in = pair.ours.source("news").next_poll - pair.ours.clock()
    assert poll_in > timedelta(hours=10)


def test_missing_push_is_noticed_by_a_poll_and_polls_resume(pair: Pair) -> None:
    asked = pair.subscribed()
    pair.peer.push(asked)
    pair.ours.ahead = timedelta(seconds=2)
    poll_now(pair)
    pair.peer.numbers.append(4)
    poll_now(pair)
    state = pair.ours.source("news")
    assert "backup" not in state.next_poll_reason
    suspected = pair.subscription.suspected
    assert suspected is not None
    pair.peer.numbers.append(5)
    pair.peer.push(asked)
    wait_for(lambda: len(pair.ours.links()) == 5)
    assert pair.subscription.suspected is None
    poll_now(pair)
    assert "backup" in pair.ours.source("news").next_poll_reason


def poll_now(pair: Pair) -> None:

    before = pair.ours.source("news").polls
    with pair.ours.store.transaction() as db:
        poll_plan.poll_now(db, "news", pair.ours.clock())
    wait_for(lambda: pair.ours.source("news").polls > before)


def test_expired_lease_resumes_polls(ours: Ours, peer: HubPeer) -> None:
    ours.configure({"news": peer.topic})
    pair = Pair(ours, peer)
    with ours.scheduling():
        first = pair.subscribed().callback
    peer.status = 500
    polls = ours.source("news").polls
    ours.ahead = timedelta(hours=2)
    with ours.scheduling():
        wait_for(lambda: ours.source("news").polls > polls)
        wait_for(lambda: first not in [one.callback for one in ours.subscriptions()])


@pytest.mark.parametrize(
    "more",
    [{"websub": {"subscribe": False}}, {"site": {"base_url": "http://localhost:8000"}}],
)
def test_no_hub_is_asked_when_subscribing_is_off_or_it_could_not_reach_us(
    ours: Ours, peer: HubPeer, more: dict[str, object]
) -> None:
    ours.configure({"news": peer.topic}, **more)
    with ours.scheduling():
        wait_for(lambda: ours.source("news").feed.hubs)
        time.sleep(2 * PAUSES.reconcile)
    assert peer.asked() == []


def test_hub_at_a_private_address_is_not_asked(ours: Ours, feed_server: FeedServer) -> None:
    peer = HubPeer(feed_server)
    peer.header = f'<http://10.255.0.1/hub>; rel="hub", <{peer.topic}>; rel="self"'
    ours.configure({"news": peer.topic})
    with ours.scheduling():
        wait_for(lambda: ours.source("news").feed.hubs)
        time.sleep(2 * PAUSES.reconcile)
    assert ours.subscriptions() == []


# --- what must not happen --------------------------------------------------------------------


BOMB = (
    b"<!DOCTYPE rss [<!ENTITY a 'aaaaaaaaaa'>"
    + b"".join(
        b"<!ENTITY %c '%s'>" % (name, b"&%c;" % (name - 1) * 10)
        for name in range(ord("b"), ord("l"))
    )
    + b"]><rss version='2.0'><channel><title>&k;</title></channel></rss>"
)


def test_push_that_attacks_the_parser_is_harmless(pair: Pair) -> None:
    canary = pair.peer.server.url("/canary")
    xxe = (
        f"<!DOCTYPE feed [<!ENTITY x SYSTEM '{canary}'>]><feed xmlns='http://www.w3.org/2005/Atom'>"
        "<entry><id>x</id><title>&x;</title><link href='https://x.example/'/></entry></feed>"
    ).encode()
    asked = pair.subscribed()
    for body in (BOMB, xxe, b"\0" * 1000):
        assert pair.peer.push(asked, body) == 202
    wait_for(lambda: pair.ours.waiting() == 0)
    assert "/canary" not in pair.peer.server.paths()
    pair.peer.numbers.append(4)
    pair.peer.push(asked)
    wait_for(lambda: "https://news.example/4" in pair.ours.links())


def test_redirect_of_a_hub_to_a_private_address_is_refused(ours: Ours, peer: HubPeer) -> None:
    peer.server.redirect("/hub", peer.server.url("/inside", "127.0.0.2"), 307)
    ours.configure({"news": peer.topic}, network={"allow": ["127.0.0.1"]})
    with ours.scheduling():
        wait_for(lambda: "network.allow" in ours.subscription("news").detail)
    assert "/inside" not in peer.server.paths()


def test_full_inbox_asks_the_hub_to_retry(ours: Ours, peer: HubPeer) -> None:
    ours.configure({"news": peer.topic})
    pair = Pair(ours, peer)
    with ours.scheduling():
        asked = pair.subscribed()
    statuses = [peer.push(asked) for _ in range(51)]
    assert statuses == [202] * 50 + [503]
    with ours.scheduling():
        wait_for(lambda: ours.waiting() == 0)
    assert len(ours.links()) == 3


def test_callbacks_are_open_on_a_protected_site(ours: Ours, peer: HubPeer) -> None:
    ours.configure({"news": peer.topic}, auth={"token": "a-token-for-programs", "protect": "site"})
    pair = Pair(ours, peer)
    with ours.scheduling():
        asked = pair.subscribed()
        peer.numbers.append(4)
        assert peer.push(asked) == 202
        wait_for(lambda: len(ours.links()) == 4)
    assert send(f"{ours.base}/feeds/all.atom")[0] == 401


@pytest.mark.parametrize("what", ["hub", "topic", "base_url"])
def test_changed_hub_topic_or_base_url_is_subscribed_again(pair: Pair, what: str) -> None:
    first = pair.subscribed()
    hub, topic = pair.peer.server.url("/hub"), pair.peer.topic
    if what == "base_url":
        site = {"base_url": f"{pair.ours.base}/elsewhere"}
        pair.ours.configure({"news": pair.peer.topic}, site=site)
    else:
        hub += "?another" if what == "hub" else ""
        topic += "?another" if what == "topic" else ""
        pair.peer.header = f'<{hub}>; rel="hub", <{topic}>; rel="self"'
        pair.peer.numbers.append(4)
        poll_now(pair)
    pair.asked(2)
    left, asked = sorted(pair.peer.asked()[1:3], key=lambda one: one.form["hub.mode"], reverse=True)
    assert (left.form["hub.mode"], left.callback) == ("unsubscribe", first.callback)
    assert (asked.form["hub.mode"], asked.form["hub.topic"]) == ("subscribe", topic)
    assert pair.peer.server.requests[-1].path in ("/hub", "/hub?another")


def test_push_for_a_removed_source_is_ignored(ours: Ours, peer: HubPeer) -> None:
    ours.configure({"news": peer.topic})
    with ours.scheduling():
        asked = Pair(ours, peer).subscribed()
    peer.numbers.append(4)
    assert peer.push(asked) == 202
    ours.configure({})
    with ours.scheduling():
        wait_for(lambda: ours.waiting() == 0)
    assert len(ours.links()) == 3


def test_subscriptions_recover_from_a_fast_clock(ours: Ours, peer: HubPeer) -> None:
    ours.configure({"news": peer.topic})
    pair = Pair(ours, peer)
    ours.ahead = timedelta(days=3653)
    with ours.scheduling():
        first = pair.subscribed()
    ours.ahead = timedelta(0)
    with ours.scheduling():
        pair.asked(2)
    left, asked = sorted(peer.asked()[1:3], key=lambda one: one.form["hub.mode"], reverse=True)
    assert (left.form["hub.mode"], left.callback) == ("unsubscribe", first.callback)
    assert asked.form["hub.mode"] == "subscribe"
