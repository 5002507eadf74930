"""robots.txt: which pages of a site may be fetched (RFC 9309)."""

from bisect import bisect_left
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from aggregator import PRODUCT
from aggregator.models.config import PLAIN_TRANSPORT, Limits, Transport
from aggregator.models.page import RobotsTask
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    PageOutcome,
    Request,
    RobotsFile,
)
from aggregator.models.urls import origin_of

if TYPE_CHECKING:  # imported once there is a robots.txt to judge
    from protego import Protego

LONGEST = 500 * 1024
"""Bytes that are read; RFC 9309 §2.5 asks for at least 500 KiB."""


def request_for(origin: str, *, limits: Limits, transport: Transport = PLAIN_TRANSPORT) -> Request:
    """Return the request for the robots.txt of an origin."""
    return Request(
        url=f"{origin}/robots.txt",
        limits=replace(limits, body=min(limits.body, 2 * LONGEST)),
        transport=transport,
        discover=False,
        task=RobotsTask(origin=origin),
    )


def rules_of(outcome: FetchOutcome | PageOutcome) -> str | None:
    """Return the robots.txt of a site from the outcome of its request.

    A site without one allows everything, "" (§2.3.1.3); one that does not say now allows nothing,
    None (§2.3.1.4).
    """
    match outcome:
        case Fetched() | RobotsFile():
            return outcome.body[:LONGEST].decode("utf-8-sig", "replace")
        case Failed(kind=FailureKind.HTTP_STATUS | FailureKind.GONE):
            status = outcome.transfer.status
            return "" if 400 <= status < 500 and status != 429 else None
        case Failed(kind=FailureKind.EMPTY):
            return ""
        case _:
            return None


def refusal(rules: str | None, url: str) -> Failed | None:
    """Return why a robots.txt keeps us from fetching a URL, None if it allows it.

    Args:
        rules: As `rules_of` returns them.
        url: An absolute URL.
    """
    if rules is None:
        detail = f"{origin_of(url)}/robots.txt could not be fetched, so the page is not either"
        return Failed(kind=FailureKind.CONNECT, detail=detail)
    if allows(rules, url):
        return None
    return Failed(kind=FailureKind.ROBOTS, detail=f"{url}: the site's robots.txt forbids it")


def allows(rules: str, url: str) -> bool:
    """Return whether a robots.txt allows us to fetch a URL of its origin."""
    return not rules or bool(_parse(rules).can_fetch(url, PRODUCT))


def rule_against(rules: str, url: str) -> str:
    """Return a line of a robots.txt that forbids a URL, "" if none does alone."""
    lines = rules.splitlines()
    numbers = [n for n, line in enumerate(lines) if line.strip().lower().startswith("disallow")]

    def is_forbidden_by(count: int) -> bool:
        left_out = dict.fromkeys(numbers[count:], "Disallow:")
        kept = [left_out.get(n, line) for n, line in enumerate(lines)]
        return not allows("\n".join(kept), url)

    count = bisect_left(range(len(numbers) + 1), True, key=is_forbidden_by)
    return lines[numbers[count - 1]].strip() if 0 < count <= len(numbers) else ""


@lru_cache(maxsize=16)
def _parse(rules: str) -> "Protego":
    from protego import Protego

    return Protego.parse(rules)
