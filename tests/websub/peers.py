"""WebSub peers on loopback: a publisher with its hub, and subscribers of our hub."""

import hmac
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.feedserver import FeedServer, Received, Step, response


def item(number: int) -> str:
    link = f"https://news.example/{number}"
    return (
        f"<entry><id>{link}</id><title>Report {number}</title><link href='{link}'/>"
        f"<updated>2026-11-24T12:00:{number % 60:02}Z</updated><content>Text {number}</content>"
        "</entry>"
    )


def document(numbers: Sequence[int], *, topic: str, hub: str = "") -> bytes:
    """An Atom feed; `hub` is linked in the document."""
    links = f"<link rel='hub' href='{hub}'/>" if hub else ""
    entries = "".join(item(number) for number in reversed(numbers))
    return (
        "<feed xmlns='http://www.w3.org/2005/Atom'><id>tag:news.example,2026:f</id>"
        f"<title>News</title><updated>2026-11-24T12:00:00Z</updated>"
        f"<link rel='self' href='{topic}'/>{links}{entries}</feed>"
    ).encode()


def send(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """GET, or POST a body; the status and body of the answer, errors too; follows nothing."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    opener = urllib.request.build_opener(_Stay())
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass
class Asked:
    """A subscription request as a hub received it."""

    form: dict[str, str]

    @property
    def callback(self) -> str:
        return self.form["hub.callback"]


@dataclass
class HubPeer:
    """A publisher at `/feed` of a server, with a hub at `/hub` that tests control."""

    server: FeedServer
    numbers: list[int] = field(default_factory=lambda: [1, 2, 3])
    status: int = 202
    in_document: bool = True
    header: str = ""

    def __post_init__(self) -> None:
        self.server.on("/feed", self._feed)
        self.server.on("/hub", lambda _: [response(self.status, body=b"as you wish")])

    @property
    def topic(self) -> str:
        return self.server.url("/feed")

    def _feed(self, _: Received) -> Sequence[Step]:
        headers = {"Content-Type": "application/atom+xml"}
        headers |= {"Link": self.header} if self.header else {}
        return [response(200, headers, self.body())]

    def body(self, numbers: Sequence[int] | None = None) -> bytes:
        hub = self.server.url("/hub") if self.in_document else ""
        return document(self.numbers if numbers is None else numbers, topic=self.topic, hub=hub)

    def asked(self) -> list[Asked]:
        """The subscription requests that the hub received."""
        posts = [one for one in self.server.requests if one.path.startswith("/hub")]
        return [
            Asked({key: values[0] for key, values in parse_qs(one.body.decode()).items()})
            for one in posts
        ]

    def verify(self, asked: Asked, **change: str) -> tuple[int, bytes]:
        """Verify the intent of the subscriber, as a hub does."""
        fields = {
            "hub.mode": asked.form["hub.mode"],
            "hub.topic": asked.form["hub.topic"],
            "hub.challenge": "a random string",
            "hub.lease_seconds": "3600",
        } | {f"hub.{key}": value for key, value in change.items()}
        return send(f"{asked.callback}?{urlencode(fields)}")

    def push(
        self, asked: Asked, body: bytes | None = None, *, method: str = "sha256", secret: str = ""
    ) -> int:
        """Push the feed, or another body, signed with the secret or another one; the status."""
        body = self.body() if body is None else body
        secret = secret or asked.form["hub.secret"]
        signature = hmac.new(secret.encode(), body, method or "sha256").hexdigest()
        headers = {"Content-Type": "application/atom+xml"}
        headers |= {"X-Hub-Signature": f"{method}={signature}"} if method else {}
        return send(asked.callback, body, headers)[0]


def echo(request: Received) -> Sequence[Step]:
    """A subscriber that confirms every request and accepts every push."""
    if request.method == "GET":
        fields = parse_qs(urlsplit(request.path).query)
        return [response(200, body=fields.get("hub.challenge", [""])[0].encode())]
    return [response(204)]
