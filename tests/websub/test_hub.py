"""Our hub with real subscribers: every MUST of the Recommendation for hubs."""

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from aggregator.formats.table import FORMATS
from aggregator.store.sources import poll_plan
from aggregator.store.websub import published_topics, subscribers, verification_queue
from aggregator.websub import protocol
from tests.e2e.service import wait_for
from tests.feedserver import FeedServer, Received, Step, response
from tests.web.sample_store import SampleStore
from tests.websub.ours import Ours, running
from tests.websub.peers import HubPeer, echo, send

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Reader:
    """A subscriber with its own server, and our hub with a source that can publish."""

    ours: Ours
    server: FeedServer
    format: str = "atom"
    view: str = "all"

    def __post_init__(self) -> None:
        self.sample = SampleStore(self.ours.store, self.ours.config())

    @property
    def topic(self) -> str:
        return f"{self.ours.base}/feeds/{self.view}.{self.format}"

    def ask(self, path: str = "/cb", **fields: str) -> tuple[int, bytes]:
        """Send a subscription request to our hub."""
        form = {
            "hub.mode": "subscribe",
            "hub.topic": self.topic,
            "hub.callback": self.server.url(path),
        } | {f"hub.{key}": value for key, value in fields.items()}
        return send(f"{self.ours.base}/hub", urlencode(form).encode(), FORM)

    def subscribe(self, path: str = "/cb", **fields: str) -> None:
        """Subscribe, and wait until the hub has verified it."""
        before = len(self.asked())
        assert self.ask(path, **fields)[0] == 202
        wait_for(lambda: len(self.asked()) > before)
        topic = fields.get("topic", self.topic)
        wait_for(lambda: self._is_subscribed(topic, path))

    def topic_is_known(self, topic: str = "") -> bool:
        """Whether the hub has stored the version of the topic."""
        with self.ours.store.reading() as db:
            return bool(published_topics.version(db, topic or self.topic))

    def _is_subscribed(self, topic: str, path: str) -> bool:
        known = self.topic_is_known(topic)
        at = [one.callback for one in self.ours.subscribers() if one.topic == topic]
        return known and self.server.url(path) in at

    def publish(self, count: int = 1) -> None:
        """Store new entries, as a poll does."""
        self.sample.add("news", count)

    def asked(self) -> list[dict[str, list[str]]]:
        """The parameters of all verifications."""
        gets = [one for one in self.server.requests if one.method == "GET"]
        return [parse_qs(urlsplit(one.path).query) for one in gets if "hub.mode" in one.path]

    def pushed(self, path: str = "/cb") -> list[Received]:
        """The pushes received."""
        return [r for r in self.server.requests if r.method == "POST" and r.path == path]

    def push(self, path: str = "/cb", number: int = 0) -> Received:
        """Wait for a push and return it."""
        return wait_for(lambda: self.pushed(path)[number : number + 1])[0]


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Ours]:
    with running(tmp_path / "ours") as made:
        made.configure({"news": "http://127.0.0.1:1/feed"}, websub={"subscribe": False})
        yield made


@pytest.fixture
def reader(ours: Ours) -> Iterator[Reader]:
    with FeedServer() as server, ours.working():
        server.on("/cb", echo)
        made = Reader(ours, server)
        made.publish(3)
        yield made


# --- discovery: what a publisher must say (§4) -----------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("format", ["atom", "rss", "json"])
def test_each_format_names_the_hub_and_one_self_in_its_header(
    reader: Reader, format: str, method: str
) -> None:
    import urllib.request

    reader.format = format
    request = urllib.request.Request(reader.topic, method=method)
    with urllib.request.urlopen(request) as answer:
        links = answer.headers["Link"].split(", ")
        body = answer.read()
    assert f'<{reader.ours.base}/hub>; rel="hub"' in links
    assert [link for link in links if 'rel="self"' in link] == [f'<{reader.topic}>; rel="self"']
    if method == "GET":
        assert f"{reader.ours.base}/hub".encode() in body


def test_archives_and_made_up_views_name_no_hub(reader: Reader) -> None:
    for path in ("/feeds/all.atom?q=report", "/feeds/search.atom?q=report", "/opml"):
        assert b"/hub" not in send(f"{reader.ours.base}{path}")[1]


# --- subscription requests (§5.1) ------------------------------------------------------------


def test_request_is_accepted_first_and_verified_after(reader: Reader) -> None:
    reader.server.script("/cb", 1.5, response(200))
    assert reader.ask()[0] == 202
    wait_for(reader.asked)
    assert reader.ours.subscribers() == []


def test_request_with_secret_and_unknown_parameters_is_accepted(reader: Reader) -> None:
    reader.subscribe(secret="s" * 199, verify="sync", unknown="x")
    assert reader.ours.subscribers()[0].secret == "s" * 199


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mode": "nonsense"}, b"hub.mode"),
        ({"callback": "not a url"}, b"hub.callback"),
        ({"callback": "http://10.1.2.3/cb"}, b"public address"),
        ({"callback": "http://169.254.169.254/latest"}, b"public address"),
        ({"secret": "s" * 200}, b"hub.secret"),
        ({"topic": ""}, b"hub.topic"),
        ({"lease_seconds": "-5"}, b"hub.lease_seconds"),
    ],
)
def test_error_is_4xx_with_a_plain_text_reason(
    reader: Reader, fields: dict[str, str], words: bytes
) -> None:
    status, body = reader.ask(**fields)
    assert status == 400
    assert words in body
    assert not body.startswith(b"<")


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/all.opml", "/feeds/search.atom?q=x", "/feeds/all.atom?q=x", "/feeds/nowhere.atom",
        "/feeds/section/none.atom", "/feeds/all/archive/1.atom", "/", "/feeds/all.atom?",
        "/feeds//all.atom",
    ],
)  # fmt: skip
def test_topic_that_is_not_ours_is_refused(reader: Reader, path: str) -> None:
    assert reader.ask(topic=f"{reader.ours.base}{path}")[0] == 404
    assert reader.ask(topic=f"http://elsewhere.example{path}")[0] == 404


def test_several_topics_for_one_callback_are_several_subscriptions(reader: Reader) -> None:
    reader.subscribe()
    reader.subscribe(topic=f"{reader.ours.base}/feeds/section/world.json")
    assert len(reader.ours.subscribers()) == 2


# --- verification of intent (§5.3) -----------------------------------------------------------


def test_verification_names_mode_topic_challenge_and_lease(reader: Reader) -> None:
    reader.subscribe(lease_seconds="7200")
    [asked] = reader.asked()
    assert asked["hub.mode"] == ["subscribe"]
    assert asked["hub.topic"] == [reader.topic]
    assert asked["hub.lease_seconds"] == ["7200"]
    assert len(asked["hub.challenge"][0]) >= 32


def test_each_challenge_is_different(reader: Reader) -> None:
    reader.subscribe()
    reader.subscribe()
    first, second = (asked["hub.challenge"] for asked in reader.asked())
    assert first != second


def test_query_of_the_callback_is_kept_in_verification_and_push(reader: Reader) -> None:
    reader.subscribe("/cb?foo=bar&red=fish%20&hub.mode=mine")
    [get] = [one for one in reader.server.requests if one.method == "GET"]
    assert get.path.startswith("/cb?foo=bar&red=fish%20&hub.mode=mine&hub.mode=subscribe&")
    reader.publish()
    reader.push("/cb?foo=bar&red=fish%20&hub.mode=mine")


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, None), (500, None), (302, None), (307, None), (200, b"wrong"), (200, b""), (204, b"")],
)
def test_verification_fails_but_with_2xx_and_exactly_the_challenge(
    reader: Reader, status: int, body: bytes | None
) -> None:
    def behaviour(request: Received) -> Sequence[Step]:
        challenge = parse_qs(urlsplit(request.path).query)["hub.challenge"][0].encode()
        headers = {"Location": "/cb"} if status in (302, 307) else {}
        return [response(status, headers, challenge if body is None else body)]

    reader.server.on("/bad", behaviour)
    reader.ask("/bad")
    wait_for(reader.ours.deliveries)
    assert reader.ours.subscribers() == []
    assert len(reader.asked()) == 1


def test_verification_is_retried_while_the_callback_is_missing(reader: Reader) -> None:
    with FeedServer() as late:
        callback = late.url("/cb")
    assert reader.ask(callback=callback)[0] == 202
    wait_for(lambda: _attempts(reader.ours) == 1)
    assert reader.ours.deliveries() == []
    for attempt in (1, 2, 3):
        reader.ours.ahead += timedelta(minutes=1)
        wait_for(lambda wanted=attempt + 1: _attempts(reader.ours) in (wanted, None))  # type: ignore[misc]
    [failed] = wait_for(reader.ours.deliveries)
    assert (failed.kind, failed.status) == ("subscribe", 0)


def _attempts(ours: Ours) -> int | None:
    with ours.store.reading() as db:
        row = db.execute("select attempts from wishes").fetchone()
    return int(row[0]) if row else None


def test_any_2xx_with_the_challenge_verifies(reader: Reader) -> None:
    def behaviour(request: Received) -> Sequence[Step]:
        challenge = parse_qs(urlsplit(request.path).query)["hub.challenge"][0].encode()
        return [response(202, {}, challenge)]

    reader.server.on("/two", behaviour)
    reader.subscribe("/two")


def test_failed_verification_changes_nothing(reader: Reader) -> None:
    reader.subscribe(secret="first", lease_seconds="7200")
    [before] = reader.ours.subscribers()
    reader.server.reply("/cb", 404)
    reader.ask(secret="second", lease_seconds="60")
    reader.ask(mode="unsubscribe")
    wait_for(lambda: len(reader.ours.deliveries()) >= 2)
    assert reader.ours.subscribers() == [before]


def test_active_subscription_can_be_renewed(
    reader: Reader,
) -> None:
    reader.subscribe(secret="first", lease_seconds="60")
    [before] = reader.ours.subscribers()
    reader.ask(secret="second", lease_seconds="7200")
    wait_for(lambda: reader.ours.subscribers()[0].secret == "second")
    [after] = reader.ours.subscribers()
    assert after.lease_until > before.lease_until
    reader.publish()
    push = reader.push()
    wanted = hmac.new(b"second", push.body, hashlib.sha256).hexdigest()
    assert push.headers["x-hub-signature"] == f"sha256={wanted}"


def test_unsubscription_is_verified_and_ends_it(reader: Reader) -> None:
    reader.subscribe()
    assert reader.ask(mode="unsubscribe", lease_seconds="junk")[0] == 202
    wait_for(lambda: reader.ours.subscribers() == [])
    assert reader.asked()[-1]["hub.mode"] == ["unsubscribe"]
    reader.publish()
    assert reader.pushed() == []


def test_lease_is_finite_and_enforced(reader: Reader) -> None:
    reader.subscribe(lease_seconds="999999999")
    [one] = reader.ours.subscribers()
    assert one.lease_until - reader.ours.clock() <= timedelta(days=14)
    reader.ours.ahead = timedelta(days=14, minutes=1)
    wait_for(lambda: reader.ours.subscribers() == [])
    reader.publish()
    assert reader.pushed() == []


def test_subscriber_is_notified_when_a_topic_has_ended(reader: Reader) -> None:
    reader.view = "section/world"
    reader.subscribe()
    reader.ours.configure({}, sections=[])
    wait_for(lambda: reader.asked()[-1]["hub.mode"] == ["denied"])
    assert reader.asked()[-1]["hub.topic"] == [reader.topic]
    assert reader.ours.subscribers() == []


def test_subscribers_of_a_renamed_source_get_its_feed(reader: Reader) -> None:
    reader.view = "source/news"
    reader.subscribe()
    url = reader.ours.config().sources[0].url
    reader.ours.configure({"herald": url}, websub={"subscribe": False})
    assert b"Report 3" in reader.push().body  # it names its new address
    reader.sample.config = reader.ours.config()
    reader.sample.add("herald", 1)
    push = reader.push(number=1)
    assert b"Report 4" in push.body
    assert f'<{reader.topic}>; rel="self"' in push.headers["link"]
    reader.subscribe(lease_seconds="5000")
    assert [asked["hub.mode"] for asked in reader.asked()] == [["subscribe"], ["subscribe"]]
    reader.ours.configure({"other": "http://127.0.0.1:2/feed"}, websub={"subscribe": False})
    wait_for(lambda: reader.asked()[-1]["hub.mode"] == ["denied"])


# --- content distribution (§7) ---------------------------------------------------------------


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
@pytest.mark.parametrize("view", ["all", "section/world", "source/news"])
def test_push_is_the_full_content_of_the_topic_in_its_type(
    reader: Reader, format: str, view: str
) -> None:
    import urllib.request

    reader.format, reader.view = format, view
    reader.subscribe()
    reader.publish()
    push = reader.push()
    with urllib.request.urlopen(reader.topic) as answer:
        assert push.body == answer.read()
        assert push.headers["content-type"] == answer.headers["Content-Type"]
    assert b"Report 4" in push.body


def test_push_names_hub_and_topic_in_its_header(reader: Reader) -> None:
    reader.subscribe()
    reader.publish()
    assert reader.push().headers["link"] == (
        f'<{reader.ours.base}/hub>; rel="hub", <{reader.topic}>; rel="self"'
    )


def test_push_is_signed_over_its_bytes_when_there_is_a_secret(reader: Reader) -> None:
    reader.subscribe(secret="schlüssel")
    reader.publish()
    push = reader.push()
    wanted = hmac.new("schlüssel".encode(), push.body, hashlib.sha256).hexdigest()
    assert push.headers["x-hub-signature"] == f"sha256={wanted}"


def test_push_is_not_signed_without_a_secret(reader: Reader) -> None:
    reader.subscribe()
    reader.publish()
    assert "x-hub-signature" not in reader.push().headers


def test_nothing_is_pushed_when_nothing_of_the_topic_has_changed(reader: Reader) -> None:
    more = {id: f"http://127.0.0.1:1/{id}" for id in ("news", "more")}
    reader.ours.configure(more, websub={"subscribe": False})
    reader.view = "source/more"
    reader.subscribe()
    reader.publish()
    reader.view = "all"
    reader.subscribe("/cb?2")
    reader.publish()
    reader.push("/cb?2")
    assert reader.pushed() == []


def test_failed_push_is_retried_and_the_subscription_stays(reader: Reader) -> None:
    reader.subscribe()
    reader.server.reply("/cb", 500)
    reader.publish()
    reader.push()
    wait_for(lambda: reader.ours.subscribers()[0].failures == 1)
    reader.server.on("/cb", echo)
    reader.ours.ahead = timedelta(seconds=16)
    assert b"Report 4" in reader.push(number=1).body
    wait_for(lambda: reader.ours.subscribers()[0].failures == 0)


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_any_answer_but_2xx_and_410_is_a_failure_and_no_redirect_is_followed(
    reader: Reader, status: int
) -> None:
    reader.subscribe()
    reader.server.reply("/cb", status, {"Location": "/other"})
    reader.publish()
    wait_for(lambda: reader.ours.subscribers()[0].failures == 1)
    assert "/other" not in reader.server.paths()


def test_after_the_last_try_the_subscription_stays_and_the_next_change_is_pushed(
    reader: Reader,
) -> None:
    reader.subscribe()
    reader.server.reply("/cb", 500)
    reader.publish()
    for attempt in range(8):
        wait_for(lambda wanted=attempt + 1: len(reader.pushed()) == wanted)  # type: ignore[misc]
        wait_for(lambda wanted=attempt + 1: reader.ours.subscribers()[0].failures == wanted)  # type: ignore[misc]
        reader.ours.ahead += timedelta(seconds=16 * 4**attempt)
    [one] = reader.ours.subscribers()
    assert one.due is None
    reader.server.on("/cb", echo)
    reader.publish()
    assert b"Report 5" in reader.push(number=8).body


def test_410_ends_the_subscription(reader: Reader) -> None:
    reader.subscribe()
    reader.server.reply("/cb", 410)
    reader.publish()
    wait_for(lambda: reader.ours.subscribers() == [])


def test_interrupted_push_is_repeated_after_a_restart(ours: Ours) -> None:
    with FeedServer() as server:
        server.on("/cb", echo)
        reader = Reader(ours, server)
        with ours.working():
            reader.subscribe()
            server.script("/cb", 5.0, response(500))
            reader.publish()
            reader.push()
        server.on("/cb", echo)
        with ours.working():
            assert b"Report 1" in reader.push(number=1).body


def test_change_during_downtime_is_pushed_after_the_start(ours: Ours) -> None:
    with FeedServer() as server:
        server.on("/cb", echo)
        reader = Reader(ours, server)
        with ours.working():
            reader.subscribe()
        reader.publish()
        with ours.working():
            assert b"Report 1" in reader.push().body


def test_one_render_serves_all_and_a_slow_subscriber_delays_no_one(reader: Reader) -> None:
    reader.server.on("/slow", lambda r: [*([5.0] if r.method == "POST" else []), *echo(r)])
    for path in ("/slow?1", "/slow?2", "/cb?1", "/cb?2", "/cb?3"):
        reader.subscribe(path)
    reader.publish()
    pushes = [reader.push(path) for path in ("/cb?1", "/cb?2", "/cb?3")]
    assert len({push.body for push in pushes}) == 1
    assert max(push.at for push in pushes) - min(push.at for push in pushes) < 2


# --- limits ----------------------------------------------------------------------------------


def test_verification_goes_to_no_private_address(ours: Ours) -> None:
    ours.configure({}, network={"allow": ["127.0.0.1"]})  # and not 127.0.0.2
    with FeedServer() as server, ours.working():
        server.on("/cb", echo)
        reader = Reader(ours, server)
        assert reader.ask(callback=server.url("/cb", "127.0.0.2"))[0] == 400
        server.redirect("/there", server.url("/cb", "127.0.0.2"), 307)
        assert reader.ask("/there")[0] == 202
        wait_for(ours.deliveries)
        assert [one.host for one in server.requests] == ["127.0.0.1"]
    assert ours.subscribers() == []


def test_pending_requests_of_one_host_are_bounded(ours: Ours, feed_server: FeedServer) -> None:
    reader = Reader(ours, feed_server)
    answers = [reader.ask(f"/cb?{number}")[0] for number in range(101)]
    assert answers == [202] * 100 + [503]
    assert reader.ask("/cb?7")[0] == 202, "the place of an earlier one is no new one"


@pytest.mark.parametrize(
    "more",
    [
        {"websub": {"hub": "off"}},
        {"websub": {"hub": "http://127.0.0.1/another"}},
        {"site": {"base_url": "http://localhost:8000"}},
        {"auth": {"token": "a-token-for-programs", "protect": "site"}},
    ],
)
def test_no_hub_when_it_is_off_or_the_site_is_protected(
    ours: Ours, feed_server: FeedServer, more: dict[str, object]
) -> None:
    ours.configure({}, **more)
    status, _ = Reader(ours, feed_server).ask()
    assert status in (401, 404)


def test_external_hub_is_notified_of_each_change(ours: Ours, peer: HubPeer) -> None:
    hub = peer.server.url("/another")
    peer.server.reply("/another", 202)
    ours.configure({"news": peer.topic}, websub={"hub": hub, "subscribe": False})

    def pings() -> list[dict[str, list[str]]]:
        return [parse_qs(r.body.decode()) for r in peer.server.requests if r.path == "/another"]

    with ours.scheduling():
        topics = {
            f"{ours.base}/feeds/{view}.{format}"
            for view in ("all", "section/world", "source/news")
            for format in FORMATS
        }
        # The section may change a second before its first entries come, and so be in a ping of its
        # own.
        wait_for(lambda: {url for ping in pings() for url in ping["hub.url"]} >= topics)
        assert {url for ping in pings() for url in ping["hub.url"]} == topics
        assert all(ping["hub.mode"] == ["publish"] for ping in pings())
        before = len(pings())
        peer.numbers.append(4)
        with ours.store.transaction() as db:
            poll_plan.poll_now(db, "news", ours.clock())
        wait_for(lambda: len(pings()) > before)
    assert f'<{hub}>; rel="hub"' in ours_links(f"{ours.base}/feeds/all.atom")


def ours_links(url: str) -> str:
    import urllib.request

    with urllib.request.urlopen(url) as answer:
        return str(answer.headers["Link"])


def test_dead_and_slow_subscribers_delay_no_other(reader: Reader) -> None:
    now, server = reader.ours.clock(), reader.server
    server.on("/slow", lambda r: [*([30.0] if r.method == "POST" else []), *echo(r)])
    server.reply("/dead", 500)
    paths = {}
    for number in range(100):
        path = "/cb" if number >= 10 else ("/slow", "/dead")[number % 2]
        host = f"127.0.0.{number % 4 + 1}"
        paths[f"{path}?{number}"] = server.url(f"{path}?{number}", host)
    with reader.ours.store.transaction() as db:
        for number, callback in enumerate(paths.values()):
            pending = verification_queue.PendingSubscription(
                id=number,
                topic=reader.topic,
                callback=callback,
                mode="subscribe",
                secret=f"secret {number}",
                lease=timedelta(days=1),
                attempts=0,
            )
            subscribers.add(db, pending, "127.0.0.1", 0, now)
    wait_for(reader.topic_is_known)
    begun = time.monotonic()
    reader.publish()
    live = [path for path in paths if path.startswith("/cb")]
    pushes = wait_for(lambda: _all_of(server, live), 15)
    assert max(push.at for push in pushes) - begun < 5
    assert len(pushes) == 90, "and each once"
    for push in pushes:
        secret = f"secret {push.path.partition('?')[2]}"
        assert protocol.signed_with(push.headers["x-hub-signature"], secret, push.body)


def _all_of(server: FeedServer, paths: Sequence[str]) -> list[Received]:
    """The pushes to these paths, once there is one to each."""
    pushes = [r for r in server.requests if r.method == "POST" and r.path in set(paths)]
    return pushes if {push.path for push in pushes} == set(paths) else []


def test_private_view_is_pushed_to_subscribers_with_its_current_token(reader: Reader) -> None:
    view = {"id": "night", "title": "Night", "query": "section=world", "token": "only-for-the-desk"}
    more = {"websub": {"subscribe": False}, "views": [view]}
    reader.ours.configure({"news": "http://127.0.0.1:1/feed"}, **more)
    private = f"{reader.ours.base}/feeds/view/night.atom"
    assert reader.ask(topic=private)[0] == 404
    assert reader.ask(topic=f"{private}?token=wrong-wrong-wrong")[0] == 404
    reader.subscribe(topic=f"{private}?token=only-for-the-desk")
    reader.publish()
    assert f"{private}?token=only-for-the-desk" in reader.push().headers["link"]
    view["token"] = "another-for-the-desk"
    reader.ours.configure({"news": "http://127.0.0.1:1/feed"}, **more)
    wait_for(lambda: reader.asked()[-1]["hub.mode"] == ["denied"])
    assert reader.ours.subscribers() == []
