"""The robots.txt of pages: fetched first, and obeyed (RFC 9309)."""

from dataclasses import replace

from aggregator.models.config import Limits, Transport
from aggregator.models.page import RobotsTask
from aggregator.models.poll import Failed, FailureKind, Request
from aggregator.parse import robots as parser
from aggregator.store.sources.robots import StoredRobots


def request_for(origin: str, *, limits: Limits, transport: Transport) -> Request:
    """Return the request for the robots.txt of an origin."""
    return Request(
        url=f"{origin}/robots.txt",
        limits=replace(limits, body=min(limits.body, 2 * parser.LONGEST)),
        transport=transport,
        discover=False,
        task=RobotsTask(origin=origin),
    )


def refusal(known: StoredRobots, url: str, origin: str) -> Failed | None:
    """Return why a robots.txt keeps us from fetching a URL, None if it allows it."""
    if known.body is None:
        detail = f"{origin}/robots.txt could not be fetched, so the page is not either"
        return Failed(kind=FailureKind.CONNECT, detail=detail)
    if parser.allows(known.body, url):
        return None
    return Failed(kind=FailureKind.ROBOTS, detail=f"{url}: the site's robots.txt forbids it")
