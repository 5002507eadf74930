"""Whether robots.txt lets us read a home page (RFC 9309)."""

from urllib.robotparser import RobotFileParser

from aggregator.models.poll import Failed, FailureKind, Fetched, FetchOutcome

LONGEST = 500_000
"""Bytes; RFC 9309 §2.5 asks for at least 500 KiB, and no rule that matters comes later."""


def allows(outcome: FetchOutcome, url: str, agent: str) -> bool | None:
    """Return whether a site lets us read a page of it, None if it does not say now.

    A site without the file allows everything (§2.3.1.3); one that can't be reached, nothing
    (§2.3.1.4).

    Args:
        outcome: Of the request for its robots.txt.
        url: The page.
        agent: Our name in it, without a version.
    """
    match outcome:
        case Fetched():
            rules = RobotFileParser()
            text = outcome.body[:LONGEST].decode("utf-8", "replace").replace("\0", "")
            rules.parse(text.splitlines())
            return rules.can_fetch(agent, url)
        case Failed(kind=FailureKind.HTTP_STATUS | FailureKind.GONE) as failed:
            return True if 400 <= failed.transfer.status < 500 else None
        case Failed(kind=FailureKind.EMPTY):
            return True
        case _:
            return None
