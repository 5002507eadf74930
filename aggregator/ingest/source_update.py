"""One poll result applied to its source: entries, validators, address, health and next poll."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from aggregator.ingest import following, gaps, pages, redirects, retractions
from aggregator.ingest.document_changes import DocumentChanges
from aggregator.models.config import Config, Content, Source
from aggregator.models.entry import Absence, Feed
from aggregator.models.poll import (
    Failed,
    FailureKind,
    NextPoll,
    ParsedDocument,
    PollOutcome,
    PollResult,
    Unchanged,
    Validators,
)
from aggregator.models.urls import origin_of
from aggregator.policy import health, schedule
from aggregator.policy import network as policy
from aggregator.policy.filter_rules import Rulebook
from aggregator.policy.masking import masker
from aggregator.policy.validators import REFUSED_TIMES, count_refusals
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, network, poll_log
from aggregator.store.sources.sources import SourceChanges, SourceState
from aggregator.store.websub import subscriptions

LIMITED = frozenset({429, 503})
HOST_LIMITED = 3
"""Consecutive 429/503 responses after which the whole host is rate-limited. Fewer concern one feed:
many servers limit each feed, and one slow feed must not silence a thousand others."""

RECOVERING = frozenset({"failing", "gone", "new", "retrying", "waiting"})
"""States in which a source's quarantined entries may have gone unnoticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The arguments that are equal for every result of a batch.

    Args:
        config: The configuration in force.
        sources: Its sources by id.
        rulebook: Its rules.
        now: The time of this transaction.
        random: Returns a number in 0..1, for jitter and backoff.
    """

    config: Config
    sources: Mapping[str, Source]
    rulebook: Rulebook
    now: datetime
    random: Callable[[], float]


@dataclass(slots=True, kw_only=True)  # each poll makes one, and a frozen one takes long
class Ingested:
    """The effect of one result.

    Args:
        result: The outcome, as the log names it.
        touched: Whether any view may look different now.
    """

    source_id: str
    title: str
    result: str
    new: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    detail: str = ""
    discovered: str = ""
    touched: bool = False
    next_poll: NextPoll


class SourceUpdate:
    """One result on its way into the database; see `store`.

    `store` leaves two writes to the caller, who batches them: `changes`, the new state of the
    source, and `gate`, a time before which no source of the host may be polled, with its reason.
    """

    def __init__(
        self,
        db: Connection,
        state: SourceState,
        result: PollResult,
        context: Context,
        pushed_since: datetime | None,
    ) -> None:
        """Take a result.

        Args:
            pushed_since: When a hub began to push this feed, None without one.
        """
        self.db, self.state, self.result, self.context = db, state, result, context
        self.pushed_since = pushed_since
        self.now, self.transfer = context.now, result.outcome.transfer
        self.source = context.sources.get(state.id)
        self.listing = self.source.listing if self.source else None
        self.changes: SourceChanges = {"polls": state.polls + 1, "last_poll": self.now}
        self.feed, self.failures, self.lifetime = state.feed, state.failures, state.lifetime
        self.document_changes = DocumentChanges()
        self.gate: tuple[datetime, str] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether the source's own host sent a 429 or 503, and not a host it redirected to."""
        if self.transfer.status not in LIMITED:
            return False
        hops, state = self.transfer.hops, self.state
        filled = following.first(state.fill_url) if self.result.archive else ""
        last = hops[-1].url if hops else filled
        return not last or origin_of(last) == origin_of(state.poll_url)

    def store(self) -> Ingested:
        """Store the entries of the result, and work out the new state of the source."""
        outcome = self.result.outcome
        match outcome:
            case _ if self.result.archive:
                self._apply_archive(outcome)
            case ParsedDocument():
                self._apply_document(outcome)
                self._apply_success(outcome.url, outcome.validators)
            case Unchanged():
                if self.feed.unmatched:
                    self._set_feed(self.feed)
                if self.state.absences:
                    self._count_absences(retractions.after_unchanged(self.state))
                self._apply_success(outcome.url, outcome.validators)
            case Failed():
                self._apply_failure(outcome)
            case _:
                assert_never(outcome)
        self._apply_freshness()
        plan = self._plan()
        self.changes |= {
            "planned": self.now,
            "next_poll": plan.at,
            "next_poll_reason": plan.reason,
            "milliseconds": round(self.transfer.seconds * 1000),
        }
        return Ingested(
            source_id=self.state.id,
            title=self.state.title,
            result=_result(outcome),
            new=tuple(self.document_changes.new),
            changed=tuple(self.document_changes.changed),
            detail=outcome.detail if isinstance(outcome, Failed) else "",
            discovered=self.result.discovered,
            touched=bool(self.document_changes.touched or self.document_changes.new),
            next_poll=plan,
        )

    # --- a document ----------------------------------------------------------------------------

    def _apply_document(self, parsed: ParsedDocument) -> None:
        self._ingest(parsed)
        if self.listing and parsed.following:
            self.changes |= following.after_document(self.listing, parsed)
        else:
            changes, message = gaps.after_document(self.state, self.document_changes, parsed)
            self.changes |= changes
            self._note("gap", message)
        self._count_absences(self.document_changes.absences)
        if _presented(self.feed) != _presented(parsed.feed):
            self.document_changes.touched = True
        self._set_feed(parsed.feed)
        if parsed.whole:
            self.changes["body_bytes"] = self.transfer.received
        if self.document_changes.new or self.document_changes.changed:
            self.changes["last_change"] = self.now

    def _apply_archive(self, outcome: PollOutcome) -> None:
        """Take the entries of an older part of the feed; the source keeps its validators."""
        if isinstance(outcome, ParsedDocument):
            self._ingest(outcome)
        if self.listing:
            changes, message = following.after_following(
                self.listing, self.state, self.document_changes, outcome
            )
        else:
            changes, message = gaps.after_archive(self.state, self.document_changes, outcome)
        self.changes |= changes
        self._note("gap", message)

    def _set_feed(self, feed: Feed) -> None:
        """Keep the feed's metadata; count the polls in which selectors find nothing."""
        if feed.unmatched:
            before = self.state.feed.unmatched
            unmatched = following.count_unmatched(before, feed.unmatched)
            self._note("selector", following.unmatched_message(before, unmatched))
            feed = replace(feed, unmatched=unmatched)
        if self.state.feed != feed:
            self.feed = self.changes["feed"] = feed

    def _ingest(self, parsed: ParsedDocument) -> None:
        from aggregator.ingest import document  # slow to import, and most polls bring no news

        self.document_changes = document.ingest_document(
            self.db,
            self.state,
            parsed,
            rulebook=self.context.rulebook,
            now=self.now,
            content=self.source.content if self.source else Content.FEED,
            archive=self.result.archive,
        )
        pages.enqueue(self.db, self.source, self.document_changes, self.now)
        self.changes["entries"] = self.state.entries + len(self.document_changes.new)
        if self.document_changes.link_parameters != self.state.link_parameters:
            self.changes["link_parameters"] = self.document_changes.link_parameters

    def _count_absences(self, absences: tuple[Absence, ...]) -> None:
        """Store the absences, and mark the entries that have been absent for long enough."""
        rulebook = self.context.rulebook
        waiting = retractions.mark(self.db, self.state, absences, rulebook, self.now)
        self.document_changes.touched |= len(waiting) < len(absences)
        if waiting != self.state.absences:
            self.changes["absences"] = waiting

    def _note(self, kind: str, message: str) -> None:
        if message:
            message = masker(self.context.config.secrets).text(message)
            incidents.note(self.db, self.state.id, kind, message, self.now)

    # --- the source ----------------------------------------------------------------------------

    def _apply_success(self, url: str, validators: Validators) -> None:
        state = self.state
        if self.transfer.freshness.no_store or self._count_refusals() >= REFUSED_TIMES:
            url, validators = "", Validators()
        if (url, validators) != (state.validators_url, state.validators):
            self.changes |= {"validators_url": url, "validators": validators}
        if state.failures or state.error or state.error_kind:
            self.changes |= {"failures": 0, "error": "", "error_kind": "", "error_status": 0}
        self.failures = 0
        self.changes["last_ok"] = self.now
        if self.transfer.hops or state.move:
            changes, message = redirects.observe(state, self.transfer.hops, self.now)
            self.changes |= changes
            self._note("moved", message)

    def _apply_failure(self, failed: Failed) -> None:
        self.failures += 1
        self.changes |= {
            "error": failed.detail,
            "error_kind": str(failed.kind),
            "error_status": self.transfer.status,
        }
        are_refused = self._count_refusals() > self.state.refused_validators
        if failed.kind is FailureKind.FALSE_304 or are_refused:
            self.changes |= {"validators": Validators(), "validators_url": ""}
        discovered = self.result.discovered
        self.changes |= redirects.after_failure(self.state, discovered, self.failures)
        if discovered:
            self.failures = 0
        self.changes["failures"] = self.failures

    def _count_refusals(self) -> int:
        """Return how often in a row the server has refused validators, with this response."""
        known = self.state.refused_validators
        count = count_refusals(
            known,
            self.transfer.status,
            conditional=self.transfer.conditional,
            has_wait=self.transfer.freshness.retry_after is not None,
        )
        if count != known:
            self.changes["refused_validators"] = count
        return count

    def _apply_freshness(self) -> None:
        outcome, freshness = self.result.outcome, self.transfer.freshness
        # A 304 that names no lifetime leaves the stored one in force (RFC 9111 §3.2).
        is_unnamed = freshness.lifetime is None and self.transfer.status == 304
        if not (isinstance(outcome, Failed) or self.result.archive or is_unnamed):
            self.changes["lifetime"] = self.lifetime = freshness.lifetime
        if freshness.retry_after is None:
            return
        until = self.now + freshness.retry_after
        if self.state.gate_until is None or until > self.state.gate_until:
            self.changes |= {"gate_from": self.now, "gate_until": until}
        scope = self.source.retry_after_scope if self.source else "host"
        if self.is_limited and scope == "host" and self._is_host_limited():
            reason = (
                f"next {schedule.format_time(until, self.now)}: {self.state.host} limits requests"
                f" for all its feeds (Retry-After, received for {self.state.id})"
            )
            self.gate = until, reason

    def _is_host_limited(self) -> bool:
        return poll_log.limited(self.db, self.state.host) + 1 >= HOST_LIMITED

    # --- the plan ------------------------------------------------------------------------------

    def _plan(self) -> NextPoll:
        outcome = self.result.outcome
        gone = (
            isinstance(outcome, Failed)
            and outcome.kind is FailureKind.GONE
            and not self.result.archive
        )
        stats = self._publication_stats()
        self._update_health(gone, stats)
        if self.result.discovered:
            reason = "found the feed's URL on the page; polling it now"
            return NextPoll(at=self.now, reason=reason)
        gate = self.changes.get("gate_until", self.state.gate_until)
        if self.changes.get("fill_url", self.state.fill_url):
            reason = (
                "fetching the next page"
                if self.listing
                else "fetching older entries from the feed's archive, to fill a gap"
            )
            return NextPoll(at=max(self.now, gate or self.now), reason=reason)
        inputs = self._schedule_inputs(gone, stats, gate)
        plan = schedule.next_poll(now=self.now, inputs=inputs, jitter=self.context.random())
        return self._sooner_if_alone(plan) if policy.may_be_ours(outcome) else plan

    def _sooner_if_alone(self, plan: NextPoll) -> NextPoll:
        """Return the plan after a failure to reach the host: soon, if it is the only one."""
        at = self.now + policy.CANARY_DELAY
        if at >= plan.at or not network.is_only_host(self.db, self.state.host):
            return plan
        wait = schedule.format_duration(policy.CANARY_DELAY)
        reason = f"the only host was not reached, retry in {wait}"
        return NextPoll(at=at, reason=f"next {schedule.format_time(at, self.now)}: {reason}")

    def _schedule_inputs(
        self, gone: bool, stats: schedule.PublicationStats, gate: datetime | None
    ) -> schedule.ScheduleInputs:
        defaults, feed = self.context.config.defaults, self.feed
        return schedule.ScheduleInputs(
            every=(self.source.every if self.source else None) or defaults.every,
            minimum=defaults.minimum,
            maximum=defaults.maximum,
            usual_gap=schedule.current_gap(stats, self.now),
            lifetime=self.lifetime,
            ttl=feed.ttl,
            update_period=feed.update_period,
            update_base=feed.update_base,
            skip_hours=feed.skip_hours,
            skip_days=feed.skip_days,
            failures=self.failures,
            gone=gone,
            gate=gate,
            gate_from=self.changes.get("gate_from", self.state.gate_from),
            gap_boost=self.changes.get("gap_boost", self.state.gap_boost),
            push=self._is_pushed(),
        )

    def _is_pushed(self) -> bool:
        """Whether a hub pushes this feed: not if this poll found entries that no push brought."""
        if self.pushed_since is None:
            return False
        before = self.state.last_ok
        if self.document_changes.new and before and before >= self.pushed_since:
            return not subscriptions.suspect(self.db, self.state.id, self.now)
        return True

    def _publication_stats(self) -> schedule.PublicationStats:
        known = schedule.PublicationStats(gap=self.state.gap, newest=self.state.newest)
        if known.newest and not (self.document_changes.new or self.document_changes.touched):
            return known
        times = entries.publication_times(self.db, self.state.id)
        stats = schedule.publication_stats(times, self.now)
        if stats != known:
            self.changes |= {"gap": stats.gap, "newest": stats.newest}
        return stats

    def _update_health(self, gone: bool, stats: schedule.PublicationStats) -> None:
        gate = self.changes.get("gate_until", self.state.gate_until)
        assessed = health.assess(
            now=self.now,
            failures=self.failures,
            has_succeeded=bool(self.changes.get("last_ok", self.state.last_ok)),
            failing_since=self.state.health_since if self.state.health == "retrying" else None,
            gone=gone,
            error=self.changes.get("error", self.state.error),
            waiting=waiting_reason(self.source, self.context, gate),
            quarantine=self._quarantine_reason(),
            milliseconds=round(self.transfer.seconds * 1000),
            newest=stats.newest,
            usual_gap=stats.gap,
        )
        if assessed.state == "quarantined":
            self.changes["error"] = assessed.reason
        if assessed.state == self.state.health:
            return
        self.changes |= {"health": assessed.state, "health_since": self.now}
        if assessed.state == "retrying":
            return  # no incident, and an open one may outlast the failure
        kind = "" if assessed.state in ("fine", "new", "slow") else assessed.state
        incidents.close(self.db, self.state.id, self.now, but=kind)
        if kind:
            incidents.open(self.db, self.state.id, kind, assessed.reason, self.now)

    def _quarantine_reason(self) -> str:
        if self.document_changes.quarantine:
            return self.document_changes.quarantine
        if self.state.health == "quarantined":
            return self.state.error or "entries are held back"
        if self.state.health in RECOVERING and not self.failures:
            return entries.quarantine_reason(self.db, self.state.id)
        return ""


def _result(outcome: PollOutcome) -> str:
    match outcome:
        case ParsedDocument():
            return "ok"
        case Unchanged():
            return "equal" if outcome.equal_body else "not_modified"
        case Failed():
            return str(outcome.kind)
    assert_never(outcome)


def _presented(feed: Feed) -> tuple[object, ...]:
    """Return the values that our feeds and pages show of a feed."""
    return (
        feed.id, feed.title, feed.subtitle, feed.link, feed.self_url, feed.authors,
        feed.language, feed.rights, feed.image,
    )  # fmt: skip


def waiting_reason(source: Source | None, context: Context, gate: datetime | None) -> str:
    """Return why a source waits for longer than its interval allows, "" if it doesn't."""
    defaults = context.config.defaults
    every = (source.every if source else None) or defaults.every
    longest = max(defaults.maximum, every or defaults.maximum)
    return health.waiting_reason(now=context.now, gate=gate, longest=longest)
