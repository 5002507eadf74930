"""Whether a server can be sent conditional requests, decided from the errors it answers them with.

fails when conditional -> the next request goes without validators
fails so again, or answers 412 -> no more validators, until the source's URL changes
"""

REFUSED_TIMES = 2
"""Failed conditional requests, each followed by a successful one without, that settle it."""

_REFUSING = frozenset({400, 403, 405, 406, 409, 412, 428, 500, 501, 502, 503, 504})
"""Statuses that may be due to the validators. 404, 410 and 429 are about the feed or the rate."""


def count_refusals(known: int, status: int, *, conditional: bool, has_wait: bool) -> int:
    """Return the number of refused conditional requests in a row after a response.

    Args:
        known: The number before.
        status: Of the response, 0 without one.
        conditional: Whether the request had validators.
        has_wait: Whether the response has a Retry-After, which explains an error.
    """
    if known >= REFUSED_TIMES:
        return known
    if status not in _REFUSING or has_wait:
        return 0 if conditional and 200 <= status < 400 else known
    if not conditional:
        return 0  # the server fails without validators too
    return REFUSED_TIMES if status == 412 else known + 1
