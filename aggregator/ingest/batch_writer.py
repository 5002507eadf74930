"""The writes that the polls of one batch have in common: sources, hosts and the poll log."""

from datetime import timedelta

from aggregator.ingest.source_update import Ingested, SourceUpdate
from aggregator.models.poll import Failed, Unchanged
from aggregator.policy import schedule
from aggregator.store.database.connection import Connection
from aggregator.store.sources import poll_histograms, poll_log, sources
from aggregator.store.sources.sources import SourceChanges


class BatchWriter:
    """The writes of polls, collected and then made for all polls at once."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._spacings = poll_log.spacings(db)
        self._changes: dict[str, SourceChanges] = {}
        self._host_requests: list[poll_log.HostRequest] = []
        self._polls: list[tuple[poll_log.PollRow, int, int]] = []

    def add(self, poll: SourceUpdate, ingested: Ingested) -> None:
        """Collect the writes of a poll."""
        saved = _saved(poll)
        self._changes[poll.state.id] = poll.changes
        self._host_requests.append(self._host_request(poll, saved))
        self._polls.append((_log_row(poll, ingested), poll.state.polls, saved))

    def write(self) -> None:
        """Make the collected writes."""
        sources.update_many(self._db, self._changes)
        poll_log.count_hosts(self._db, self._host_requests)
        poll_log.add(self._db, self._polls)
        poll_histograms.add(self._db, [row for row, _, _ in self._polls])
        self._changes, self._host_requests, self._polls = {}, [], []

    def _host_request(self, poll: SourceUpdate, saved: int) -> poll_log.HostRequest:
        """Return the request to log; a new spacing of the host holds for the rest of the batch."""
        state, transfer, limited = poll.state, poll.transfer, poll.is_limited
        had_validator = bool(state.validators.etag or state.validators.last_modified)
        spacing = self._spacings.get(state.host, 0.0)
        if limited or spacing:
            self._spacings[state.host] = schedule.host_spacing(spacing, limited=limited)
        return poll_log.HostRequest(
            host=state.host,
            not_modified=transfer.status == 304,
            received=transfer.received,
            saved=saved,
            unconditional=had_validator
            and not poll.result.archive
            and not transfer.conditional
            and transfer.status == 200,
            early=_is_early(poll),
            failed=isinstance(poll.result.outcome, Failed),
            spacing=self._spacings.get(state.host),
            limited=limited and transfer.freshness.retry_after is not None,
            gate_until=poll.changes.get("gate_until"),
        )


def _log_row(poll: SourceUpdate, ingested: Ingested) -> poll_log.PollRow:
    return poll_log.PollRow(
        source_id=poll.state.id,
        at=poll.now,
        outcome=ingested.result,
        status=poll.transfer.status,
        milliseconds=round(poll.transfer.seconds * 1000),
        bytes=poll.transfer.received,
        conditional=poll.transfer.conditional,
        new=len(poll.document_changes.new),
        changed=len(poll.document_changes.changed),
        detail=ingested.detail or poll.document_changes.quarantine,
        next_poll=ingested.next_poll.at,
        reason=ingested.next_poll.reason,
    )


def _saved(poll: SourceUpdate) -> int:
    """Return the bytes that a 304 saved, compared with the last full response."""
    if not isinstance(poll.result.outcome, Unchanged) or poll.result.outcome.equal_body:
        return 0
    return max(poll.state.body_bytes - poll.transfer.received, 0)


def _is_early(poll: SourceUpdate) -> bool:
    """Return whether a poll began after a Retry-After was received and before the time it names."""
    given, until = poll.state.gate_from, poll.state.gate_until
    if given is None or until is None:
        return False
    return given <= poll.now - timedelta(seconds=poll.transfer.seconds) < until
