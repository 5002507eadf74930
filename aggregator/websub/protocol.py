"""WebSub's rules as pure functions (W3C Recommendation of 23 January 2018).

Section numbers in the docstrings refer to the Recommendation.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlencode

from aggregator.fetch import address, urls
from aggregator.models.config import Config
from aggregator.models.entry import Feed
from aggregator.models.messages import N_
from aggregator.models.urls import host_of

FORM = "application/x-www-form-urlencoded"

HUB_PATH = "/hub"
CALLBACK_PATH = "/websub/"

LEASE = timedelta(days=10)
"""The lease that we request, and that our hub grants by default (§8.2)."""

LEAST_LEASE, MOST_LEASE = timedelta(minutes=1), timedelta(days=14)

LONGEST_URL = 2_000
LONGEST_SECRET = 200

ALGORITHMS = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
    "sha1": hashlib.sha1,  # weak, but used by most hubs (§7.1.1)
}

_PRIVATE_NAMES = (".localhost", ".local", ".lan", ".internal", ".intranet", ".home.arpa", ".test")


# --- reachability ----------------------------------------------------------------------------


class Reach(Enum):
    """Where a URL can be reached from, as far as its host name or address tells."""

    EVERYWHERE = "everywhere"
    NEIGHBOURS = "neighbours"  # opened by `network.allow`
    NOWHERE = "nowhere"


def reach(url: str, allow: Iterable[str]) -> Reach:
    """Return where a URL can be reached from, without a DNS lookup."""
    host, allow = host_of(url), tuple(allow)
    if address.is_open(host, allow):
        return Reach.NEIGHBOURS
    try:
        ipaddress.ip_address(host)
    except ValueError:
        private = "." not in host or host.endswith(_PRIVATE_NAMES)
        return Reach.NOWHERE if private else Reach.EVERYWHERE
    if address.refusal_reason(host, host, ()) is None:
        return Reach.EVERYWHERE
    return Reach.NOWHERE if address.refusal_reason(host, host, allow) else Reach.NEIGHBOURS


def hub_url(config: Config) -> str:
    """Return the URL of the hub that our feeds link to, "" for none.

    A site that requires a login has no hub: pushes would go to subscribers who can't log in.
    """
    closed = config.auth.on and config.auth.protect == "site"
    hub = config.websub.hub
    ours = config.site.public_url
    if hub == "off" or closed or reach(ours, config.allow) is Reach.NOWHERE:
        return ""
    return f"{ours}{HUB_PATH}" if hub == "own" else hub


def objection(config: Config, hub: str = "") -> str:
    """Return why we do not subscribe at hubs, or at this hub; "" when we do."""
    if not config.websub.subscribe:
        return N_("off in the configuration (websub.subscribe)")
    address = config.site.public_url
    if not address:
        return N_("off: hubs need an address (site.base_url)")
    ours = reach(address, config.allow)
    if ours is Reach.NOWHERE:
        return N_("off: no hub can reach %(address)s (site.base_url)", address=address)
    if hub and ours is Reach.NEIGHBOURS and reach(hub, config.allow) is not Reach.NEIGHBOURS:
        return N_("off: this hub can't reach %(address)s (site.base_url)", address=address)
    return ""


# --- subscriber ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A hub that a feed names, and the topic URL to subscribe to."""

    hub: str
    topic: str


def offer(feed: Feed) -> Offer | None:
    """Return a feed's hub, https first, and topic; None without a hub or rel=self (§5.1)."""
    if not feed.hubs or not feed.self_url:
        return None
    safe = (hub for hub in feed.hubs if hub.startswith("https:"))
    return Offer(hub=next(safe, feed.hubs[0]), topic=feed.self_url)


def subscription_form(*, mode: str, topic: str, callback: str, secret: str) -> bytes:
    """Return the body of a subscription request (§5.1).

    The secret is sent to hubs without TLS too, where the callback URL alone protects nothing.
    """
    fields = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    if mode == "subscribe":
        fields |= {
            "hub.verify": "async",  # hubs of PubSubHubbub 0.3 insist on it
            "hub.lease_seconds": str(int(LEASE.total_seconds())),
            "hub.secret": secret,
        }
    return urlencode(fields).encode()


def granted(seconds: str) -> timedelta | None:
    """Return the lease that a hub grants, clamped to a minute to 14 days; None if unreadable.

    The lower bound exists because the end of a lease triggers a poll of the source.
    """
    if not re.fullmatch("0*[1-9][0-9]{0,15}", seconds):
        return None
    asked = timedelta(seconds=min(int(seconds), MOST_LEASE.total_seconds()))
    return max(asked, LEAST_LEASE)


def renewal(granted_at: datetime, until: datetime) -> datetime:
    """Return when to renew a subscription: a third of its lease before the end."""
    return granted_at + (until - granted_at) * 2 / 3


def signed_with(header: str, secret: str, body: bytes) -> str:
    """Return the algorithm of a valid signature, "" for an invalid one (§7.1.2)."""
    name, _, given = header.strip().partition("=")
    algorithm = ALGORITHMS.get(name.lower())
    if algorithm is None:
        return ""
    wanted = hmac.new(secret.encode(), body, algorithm).hexdigest()
    right = hmac.compare_digest(wanted.encode(), given.lower().encode(errors="replace"))
    return name.lower() if right else ""


# --- hub -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRequest:
    """A valid subscription request; `mode` is subscribe or unsubscribe."""

    mode: str
    topic: str
    callback: str
    secret: str = field(default="", repr=False)
    lease: timedelta = LEASE

    @property
    def host(self) -> str:
        """The callback's host, for limits per host."""
        return host_of(self.callback)


def parse_subscription_request(
    form: Mapping[str, str], allow: Iterable[str]
) -> SubscriptionRequest | str:
    """Return the subscription request, or an error message for the subscriber (§5.1).

    Args:
        form: The request's parameters; unknown ones are ignored.
        allow: Hosts and networks listed in `network.allow`.
    """
    mode = form.get("hub.mode", "")
    if mode == "publish":
        return "hub.mode=publish: this hub serves its own feeds only and detects their changes"
    if mode not in ("subscribe", "unsubscribe"):
        return "hub.mode must be subscribe or unsubscribe"
    topic, callback, secret = (
        form.get(f"hub.{key}", "") for key in ("topic", "callback", "secret")
    )
    if not topic or len(topic) > LONGEST_URL:
        return "hub.topic must be the rel=self URL of a feed"
    wrong = _wrong_callback(callback, allow)
    if wrong:
        return f"hub.callback {wrong}"
    if len(secret.encode(errors="replace")) >= LONGEST_SECRET:
        return f"hub.secret must be less than {LONGEST_SECRET} bytes"
    lease = LEASE
    if mode == "subscribe" and "hub.lease_seconds" in form:
        asked = granted(form["hub.lease_seconds"])
        if asked is None:
            return "hub.lease_seconds must be a positive decimal number"
        lease = asked
    return SubscriptionRequest(
        mode=mode, topic=topic, callback=callback, secret=secret, lease=lease
    )


def _wrong_callback(callback: str, allow: Iterable[str]) -> str:
    if not callback or len(callback) > LONGEST_URL or not callback.isprintable():
        return f"must be a URL of at most {LONGEST_URL} characters"
    target = urls.parse(callback)
    if target is None or target.scheme not in ("http", "https") or not target.host:
        return "must be an http or https URL"
    if target.credentials or "#" in callback:
        return "must have neither a user name nor a fragment"
    if reach(target.href, allow) is Reach.NOWHERE:
        return "must have a public address"
    return ""


def with_parameters(callback: str, parameters: Mapping[str, str]) -> str:
    """Append parameters to a callback URL and keep its own query unchanged (§5.1.1)."""
    joint = "" if callback.endswith(("?", "&")) else "&" if "?" in callback else "?"
    return f"{callback}{joint}{urlencode(parameters)}"


def signature(secret: str, body: bytes) -> str:
    """Return the X-Hub-Signature header of a body (§7.1)."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def links(hub: str, topic: str) -> str:
    """Return the Link header of a push (§7)."""
    return f'<{hub}>; rel="hub", <{topic}>; rel="self"'


def ping_form(topics: Iterable[str]) -> bytes:
    """Return the body of a ping about changed topics, in the customary form that §6 leaves open."""
    return urlencode([("hub.mode", "publish"), *(("hub.url", topic) for topic in topics)]).encode()
