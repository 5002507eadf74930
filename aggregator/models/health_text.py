"""The words for failures and states of health: pages, commands, API and feeds say the same."""

from datetime import datetime
from http import HTTPStatus

_FAILURES = {
    "dns": "can't find the host (DNS)",
    "refused_address": "the host's address is refused",
    "refused_scheme": "the URL is refused",
    "connect": "can't connect",
    "tls": "the TLS connection failed",
    "timeout": "timed out",
    "too_large": "the response is too large",
    "redirects": "too many redirects",
    "truncated": "the response was cut off",
    "encoding": "the response can't be decoded",
    "protocol": "not a valid HTTP response",
    "http_status": "HTTP error",
    "rate_limited": "429 Too Many Requests",
    "gone": "410 Gone",
    "false_304": "304 Not Modified to an unconditional request",
    "not_a_feed": "not a feed",
    "empty": "the response is empty",
    "no_entries": "no entries found",
    "parse": "the feed can't be parsed",
    "cancelled": "cancelled",
    "elsewhere": "redirects to another host",
}
"""Words by `FailureKind`."""

_CERTIFICATES = (
    ("has expired", "certificate expired"),
    ("not yet valid", "certificate not valid yet"),
    ("self-signed", "certificate is self-signed"),
    ("self signed", "certificate is self-signed"),
    ("match", "certificate is for another host"),
    ("issuer", "certificate's issuer is unknown"),
)
"""Words by part of a message of the TLS library."""

_GOOD = {
    "ok": "fetched",
    "not_modified": "304 Not Modified",
    "equal": "same document",
}
"""Words for the outcomes of polls without an error."""


def status(code: int) -> str:
    """Return a status code with its name, such as "404 Not Found"."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"status {code}"


def certificate(message: str) -> str:
    """Return words for a message of the TLS library, "" if it does not concern a certificate."""
    return next((words for part, words in _CERTIFICATES if part in message), "")


def failure(kind: str, code: int = 0, detail: str = "") -> str:
    """Return a failure in a few words, such as "404 Not Found".

    Args:
        kind: A `FailureKind`.
        code: The status code of the response, 0 without one.
        detail: The whole message of the failure.
    """
    if kind in ("http_status", "rate_limited", "gone") and code:
        return status(code)
    if kind == "tls":
        return certificate(detail) or _FAILURES[kind]
    return _FAILURES.get(kind, kind.replace("_", " "))


def outcome(kind: str, code: int = 0, detail: str = "") -> str:
    """Return the outcome of a poll in a few words; the arguments are those of `failure`."""
    return _GOOD.get(kind) or failure(kind, code, detail)


def waiting(gate: datetime) -> str:
    """Return why a source waits: no request is allowed before `gate`."""
    return f"the server allows no request before {gate:%d %B %Y %H:%M} UTC (Retry-After)"


def silent(newest: datetime) -> str:
    """Return that a source has published nothing since `newest`."""
    return f"no new entries since {newest:%d %B %Y}"


def slow(milliseconds: int) -> str:
    """Return how long the last fetch took."""
    return f"last fetch took {milliseconds / 1000:.0f} s"
