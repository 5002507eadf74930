"""Whether robots.txt lets us read a home page (RFC 9309)."""

from aggregator.models.poll import Failed, FailureKind, Fetched, FetchOutcome
from aggregator.parse import robots


def allows(outcome: FetchOutcome, url: str) -> bool | None:
    """Return whether a site lets us read a page of it, None if it does not say now.

    A site without the file allows everything (§2.3.1.3); one that can't be reached, nothing
    (§2.3.1.4).

    Args:
        outcome: Of the request for its robots.txt.
        url: The page.
    """
    match outcome:
        case Fetched():
            return robots.allows(robots.text_of(outcome.body), url)
        case Failed(kind=FailureKind.HTTP_STATUS | FailureKind.GONE) as failed:
            return True if 400 <= failed.transfer.status < 500 else None
        case Failed(kind=FailureKind.EMPTY):
            return True
        case _:
            return None
