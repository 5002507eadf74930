"""The words for failures and states of health: pages, commands, API and feeds say the same."""

from datetime import datetime
from http import HTTPStatus

from aggregator.models.messages import N_, short_day

_FAILURES = {
    "dns": N_("can't find the host (DNS)"),
    "refused_address": N_("the host's address is refused"),
    "refused_scheme": N_("the URL is refused"),
    "connect": N_("can't connect"),
    "tls": N_("the TLS connection failed"),
    "timeout": N_("timed out"),
    "too_large": N_("the response is too large"),
    "redirects": N_("too many redirects"),
    "truncated": N_("the response was cut off"),
    "encoding": N_("the response can't be decoded"),
    "protocol": N_("not a valid HTTP response"),
    "http_status": N_("HTTP error"),
    "rate_limited": N_("429 Too Many Requests"),
    "gone": N_("410 Gone"),
    "false_304": N_("304 Not Modified to an unconditional request"),
    "not_a_feed": N_("not a feed"),
    "empty": N_("the response is empty"),
    "no_entries": N_("no entries found"),
    "parse": N_("the feed can't be parsed"),
    "cancelled": N_("cancelled"),
    "elsewhere": N_("redirects to another host"),
}
"""Words by `FailureKind`."""

_CERTIFICATES = (
    ("has expired", N_("certificate expired")),
    ("not yet valid", N_("certificate not valid yet")),
    ("self-signed", N_("certificate is self-signed")),
    ("self signed", N_("certificate is self-signed")),
    ("match", N_("certificate is for another host")),
    ("issuer", N_("certificate's issuer is unknown")),
)
"""Words by part of a message of the TLS library."""

_GOOD = {
    "ok": N_("fetched"),
    "not_modified": N_("304 Not Modified"),
    "equal": N_("same document"),
}
"""Words for the outcomes of polls without an error."""


def status(code: int) -> str:
    """Return a status code with its name, such as "404 Not Found"."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return N_("status %(code)s", code=code)


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
    day = short_day(gate)
    return N_(
        "the server allows no request before %(day)s %(time)s UTC (Retry-After)",
        day=day,
        time=f"{gate:%H:%M}",
    )


def silent(newest: datetime) -> str:
    """Return that a source has published nothing since `newest`."""
    return N_("no new entries since %(day)s", day=short_day(newest))


def slow(milliseconds: int) -> str:
    """Return how long the last fetch took."""
    return N_("last fetch took %(seconds)s s", seconds=f"{milliseconds / 1000:.0f}")
