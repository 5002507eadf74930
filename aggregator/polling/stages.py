"""One poll without the database, so that it can run in a child process or on another machine.

    request | fetch | gates | parse | clean | result

Three gates skip the parser: a 304, a body equal to the last one, and items whose bytes are
known. `parsing.parse_documents` parses the rest. Its input is untrusted, so it runs in a process
that may be killed, and only such processes import it.
"""

from dataclasses import dataclass
from typing import assert_never

import xxhash

from aggregator.models.listing import key_of
from aggregator.models.page import PageTask, RobotsTask
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    NotModified,
    PageResult,
    PollOutcome,
    PollResult,
    Request,
    Result,
    RobotsFile,
    Unchanged,
)

READER_VERSION = b"2"
"""First byte of body hashes. Raise it when reading or cleaning improves: a document that an
earlier version read is then read once more, with all of its items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A document that passed the first two gates and is ready to parse."""

    request: Request
    fetched: Fetched
    body_hash: bytes


def check(request: Request, outcome: FetchOutcome) -> Result | Body:
    """Return the result of a fetch if it needs no parser, else the document to parse."""
    if request.task:
        return _check_page(request, request.task, outcome)
    return check_fetch(request, outcome)


def check_fetch(request: Request, outcome: FetchOutcome) -> PollResult | Body:
    """Apply the gates of a feed that need no parser: 304 Not Modified and an equal body."""
    match outcome:
        case Failed():
            return result_of(request, outcome)
        case NotModified():
            return result_of(request, _unchanged(outcome))
        case Fetched():
            body_hash = reader_of(request) + xxhash.xxh3_128_digest(outcome.body)
            if body_hash != request.body_hash or outcome.partial:
                return Body(request=request, fetched=outcome, body_hash=body_hash)
            unchanged = Unchanged(
                url=outcome.url,
                validators=outcome.validators,
                transfer=outcome.transfer,
                equal_body=True,
            )
            return result_of(request, unchanged)


def _check_page(
    request: Request, task: PageTask | RobotsTask, outcome: FetchOutcome
) -> PageResult | Body:
    match outcome:
        case Failed():
            return PageResult(task=task, outcome=outcome)
        case NotModified():
            return PageResult(task=task, outcome=_unchanged(outcome))
        case Fetched() if isinstance(task, RobotsTask):
            robots = RobotsFile(body=outcome.body, transfer=outcome.transfer)
            return PageResult(task=task, outcome=robots)
        case Fetched():
            return Body(request=request, fetched=outcome, body_hash=b"")
    assert_never(outcome)


def _unchanged(outcome: NotModified) -> Unchanged:
    return Unchanged(url=outcome.url, validators=outcome.validators, transfer=outcome.transfer)


def failure_of(request: Request, failed: Failed) -> Result:
    """Return the result of a request that failed."""
    if request.task:
        return PageResult(task=request.task, outcome=failed)
    return result_of(request, failed)


def reader_of(request: Request) -> bytes:
    """Return the begin of body hashes: it differs where a document would be read otherwise."""
    return READER_VERSION + key_of(request.listing)


def result_of(request: Request, outcome: PollOutcome, *, discovered: str = "") -> PollResult:
    """Return the result of a request."""
    return PollResult(
        source_id=request.source_id,
        outcome=outcome,
        discovered=discovered,
        archive=request.archive,
        push=request.push,
    )


def parse_failure(body: Body, reason: str) -> Result:
    """Return the result for a document that could not be parsed."""
    remedy = (
        "The feed's text stays."
        if body.request.task
        else "Stored entries are kept; tell the publisher."
    )
    failed = Failed(
        kind=FailureKind.PARSE,
        detail=f"{body.fetched.url}: {reason}. {remedy}",
        transfer=body.fetched.transfer,
    )
    return failure_of(body.request, failed)


def storage_failure(result: Result) -> Result:
    """Return the failure to store in place of a result that a bug of ours can't store."""
    failed = Failed(
        kind=FailureKind.PARSE,
        detail="the result could not be stored; the log has the traceback, please report it",
        transfer=result.outcome.transfer,
    )
    return result._replace(outcome=failed)
