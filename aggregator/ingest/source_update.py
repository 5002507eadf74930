"""What a poll means for its source: feed, validators, moves, gaps, health, and the next poll."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from aggregator.ingest import document
from aggregator.models.config import Config, Source
from aggregator.models.entry import Feed
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
from aggregator.models.urls import host_of
from aggregator.policy import health, schedule
from aggregator.policy.filter_rules import Rulebook
from aggregator.policy.masking import masker
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, poll_log, sources
from aggregator.store.sources.sources import Move, SourceState
from aggregator.store.websub import subscriptions

MOVE_TIMES, MOVE_TIME = 3, timedelta(days=1)
"""A permanent redirect moves a source once seen so often, alike, over so long a time."""

MOST_ARCHIVES = 20
"""Older parts of a feed that are fetched to fill one gap."""

MOST_HURRY, EASED = 4, 3
"""The interval is halved so often; less so once so many known entries stand beside a new one."""

LIMITED = frozenset({429, 503})
HOST_LIMITED = 3
"""So many answers in a row that ask to wait, from one host, speak for the host and not for a feed:
many servers limit each feed by itself, and one that is slow must not silence a thousand others."""

PERMANENT = frozenset({301, 308})

RECOVERING = frozenset({"failing", "gone", "new"})
"""States that may have hidden from view that entries are held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What holds for every result of a run.

    Args:
        config: The configuration in force.
        sources: Its sources by id.
        rulebook: Its rules.
        now: The moment of this transaction.
        draw: Returns a number in 0..1, the chance in jitter and backoff.
    """

    config: Config
    sources: Mapping[str, Source]
    rulebook: Rulebook
    now: datetime
    random: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What one result changed.

    Args:
        result: How the poll ended, as the log names it.
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

    What `store` leaves to the caller, who can do it for many results at once: to set the `columns`
    of the source, and, where there is a `gate`, to let no source of its host be polled before that
    moment, for the reason in words.
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
            pushed_since: When a hub began to push this feed, None when none does.
        """
        self.db, self.state, self.result, self.context = db, state, result, context
        self.pushed_since = pushed_since
        self.now, self.transfer = context.now, result.outcome.transfer
        self.source = context.sources.get(state.id)
        self.columns: dict[str, Any] = {"polls": state.polls + 1, "last_poll_at": self.now}
        self.feed, self.failures, self.lifetime = state.feed, state.failures, state.lifetime
        self.found = document.DocumentChanges()
        self.gate: tuple[datetime, str] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether the source's own host asked to wait, and not one that it led us to."""
        if self.transfer.status not in LIMITED:
            return False
        hops, state = self.transfer.hops, self.state
        last = hops[-1].url if hops else state.fill_url if self.result.archive else ""
        return not last or host_of(last) == state.host

    def store(self) -> Ingested:
        """Store what the poll brought, and find what it means for its source."""
        outcome = self.result.outcome
        match outcome:
            case _ if self.result.archive:
                self._older(outcome)
            case ParsedDocument():
                self._reading(outcome)
                self._answered(outcome.url, outcome.validators)
            case Unchanged():
                self._answered(outcome.url, outcome.validators)
            case Failed():
                self._failed(outcome)
            case _:
                assert_never(outcome)
        self._freshness()
        plan = self._plan()
        self.columns |= {
            "planned_at": self.now,
            "next_poll_at": plan.at,
            "next_poll_reason": plan.reason,
            "milliseconds": round(self.transfer.seconds * 1000),
        }
        return Ingested(
            source_id=self.state.id,
            title=self.state.title,
            result=self._result(),
            new=tuple(self.found.new),
            changed=tuple(self.found.changed),
            detail=outcome.detail if isinstance(outcome, Failed) else "",
            discovered=self.result.discovered,
            touched=bool(self.found.touched or self.found.new),
            next_poll=plan,
        )

    def _result(self) -> str:
        outcome = self.result.outcome
        match outcome:
            case ParsedDocument():
                return "ok"
            case Unchanged():
                return "equal" if outcome.equal_body else "not_modified"
            case Failed():
                return str(outcome.kind)
        assert_never(outcome)

    # --- a document ----------------------------------------------------------------------------

    def _reading(self, reading: ParsedDocument) -> None:
        self._arrive(reading)
        self._watch_for_gaps(reading)
        if _presented(self.feed) != _presented(reading.feed):
            self.found.touched = True
        if self.feed != reading.feed:
            self.feed = reading.feed
            self.columns |= {
                "feed": sources.feed_json(reading.feed),
                "feed_title": reading.feed.title,
                "link": reading.feed.link,
            }
        self.columns["entries"] = self.state.entries + len(self.found.new)
        if reading.whole:
            self.columns["body_bytes"] = self.transfer.received
        if self.found.new or self.found.changed:
            self.columns["last_change_at"] = self.now

    def _arrive(self, reading: ParsedDocument) -> None:
        self.found = document.ingest_document(
            self.db,
            self.state,
            reading,
            rulebook=self.context.rulebook,
            now=self.now,
            base_url=self.context.config.site.base_url,
            archive=self.result.archive,
        )

    # --- gaps ----------------------------------------------------------------------------------

    def _watch_for_gaps(self, reading: ParsedDocument) -> None:
        """Poll sooner after a gap, and begin to fill it where the feed links its older part."""
        if self.found.gap:
            self.columns["hurry"] = min(self.state.hurry + 1, MOST_HURRY)
            older = reading.feed.older if reading.feed.older != reading.url else ""
            if older:
                self.columns |= {"fill_url": older, "fill_left": MOST_ARCHIVES}
            reason = f"{self.found.gap}; {'its archive is asked' if older else 'it has no archive'}"
            incidents.noted(self.db, self.state.id, "gap", reason, self.now)
        elif self.state.hurry and self.found.known >= EASED * len(self.found.new):
            self.columns["hurry"] = self.state.hurry - 1

    def _older(self, outcome: PollOutcome) -> None:
        """Take entries of an older part of the feed, until one of them was known before."""
        # Nothing that this answer says is for the document that is polled.
        self.columns["fill_url"] = ""
        left = self.state.fill_left - 1
        older = ""
        if isinstance(outcome, ParsedDocument):
            self._arrive(outcome)
            self.columns["entries"] = self.state.entries + len(self.found.new)
            older = outcome.feed.older
        if self.found.known:
            reason = "the gap is filled from its archive"
        elif older and left > 0:
            self.columns |= {"fill_url": older, "fill_left": left}
            return
        elif isinstance(outcome, Failed):
            reason = f"the gap is not filled: {outcome.detail}"
        else:
            reason = "its archive was read as far as it goes, and the gap may be larger"
        incidents.noted(self.db, self.state.id, "gap", reason, self.now)

    # --- the source ----------------------------------------------------------------------------

    def _answered(self, url: str, validators: Validators) -> None:
        state = self.state
        if self.transfer.freshness.no_store:
            url, validators = "", Validators()
        if (url, validators) != (state.validators_url, state.validators):
            self.columns |= {
                "validators_url": url,
                "etag": validators.etag,
                "last_modified": validators.last_modified,
            }
        if state.failures or state.error or state.error_kind:
            self.columns |= {"failures": 0, "error": "", "error_kind": ""}
        self.failures = 0
        self.columns["last_ok_at"] = self.now
        self._observe_move()

    def _observe_move(self) -> None:
        """Count identical permanent redirects, and move the source when they have proven so."""
        target = ""
        for hop in self.transfer.hops:
            if hop.status not in PERMANENT:
                break
            target = hop.url
        move = self.state.move
        if not target:
            if move is not None:
                self.columns["move"] = ""
            return
        same = move is not None and move.url == target
        move = Move(
            url=target,
            since=min(move.since, self.now) if move and same else self.now,
            times=move.times + 1 if move and same else 1,
        )
        if move.times >= MOVE_TIMES and self.now - move.since >= MOVE_TIME:
            self.columns |= {
                "moved_to": target, "discovered_url": "", "move": "",
                "host": host_of(target),
            }  # fmt: skip
            reason = f"moved for good from {self.state.poll_url} to {target}"
            reason = masker(self.context.config.secrets).text(reason)
            incidents.noted(self.db, self.state.id, "moved", reason, self.now)
        else:
            self.columns["move"] = sources.move_json(move)

    def _failed(self, failed: Failed) -> None:
        self.failures += 1
        self.columns |= {"error": failed.detail, "error_kind": str(failed.kind)}
        if failed.kind is FailureKind.FALSE_304:
            self.columns |= {"etag": "", "last_modified": "", "validators_url": ""}
        if self.result.discovered:
            self.columns |= {
                "discovered_url": self.result.discovered,
                "host": host_of(self.result.discovered),
            }
            self.failures = 0
        elif self.failures >= MOVE_TIMES and (self.state.moved_to or self.state.discovered_url):
            # What was found or moved to has died; the address in the configuration may live.
            self.columns |= {
                "moved_to": "", "discovered_url": "", "host": host_of(self.state.url),
            }  # fmt: skip
        self.columns["failures"] = self.failures

    def _freshness(self) -> None:
        outcome, freshness = self.result.outcome, self.transfer.freshness
        # A 304 that names no lifetime leaves the stored one in force (RFC 9111 §3.2).
        unsaid = freshness.lifetime is None and self.transfer.status == 304
        if not (isinstance(outcome, Failed) or self.result.archive or unsaid):
            self.columns["lifetime"] = self.lifetime = freshness.lifetime
        if freshness.retry_after is None:
            return
        until = self.now + freshness.retry_after
        if self.state.gate_until is None or until > self.state.gate_until:
            self.columns |= {"gate_from": self.now, "gate_until": until}
        scope = self.source.retry_after_scope if self.source else "host"
        if self.is_limited and scope == "host" and self._host_is_limited():
            reason = (
                f"next {schedule.format_time(until, self.now)}: {self.state.host} asked all its"
                f" feeds to wait (Retry-After, given to {self.state.id})"
            )
            self.gate = until, reason

    def _host_is_limited(self) -> bool:
        return poll_log.limited(self.db, self.state.host) + 1 >= HOST_LIMITED

    def _plan(self) -> NextPoll:
        outcome = self.result.outcome
        gone = (
            isinstance(outcome, Failed)
            and outcome.kind is FailureKind.GONE
            and not self.result.archive
        )
        stats = self._stats()
        self._update_health(gone, stats)
        if self.result.discovered:
            return NextPoll(at=self.now, reason="its feed was found on the page; polled at once")
        if self.columns.get("fill_url", self.state.fill_url):
            gate = self.columns.get("gate_until", self.state.gate_until)
            reason = "older entries are fetched from its archive, to fill a gap"
            return NextPoll(at=max(self.now, gate or self.now), reason=reason)
        defaults, feed = self.context.config.defaults, self.feed
        return schedule.next_poll(
            now=self.now,
            inputs=schedule.ScheduleInputs(
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
                gate=self.columns.get("gate_until", self.state.gate_until),
                gate_from=self.columns.get("gate_from", self.state.gate_from),
                gap_boost=self.columns.get("hurry", self.state.hurry),
                push=self._pushes(),
            ),
            jitter=self.context.random(),
        )

    def _pushes(self) -> bool:
        """Whether a hub pushes; it does not if this poll found what should have been pushed."""
        if self.pushed_since is None:
            return False
        before = self.state.last_ok
        if self.found.new and before and before >= self.pushed_since:
            return not subscriptions.suspect(self.db, self.state.id, self.now)
        return True

    def _stats(self) -> schedule.PublicationStats:
        known = schedule.PublicationStats(gap=self.state.gap, newest=self.state.newest)
        if known.newest and not (self.found.new or self.found.touched):
            return known
        times = entries.publication_times(self.db, self.state.id)
        stats = schedule.publication_stats(times, self.now)
        if stats != known:
            self.columns |= {"gap": stats.gap, "newest_at": stats.newest}
        return stats

    def _update_health(self, gone: bool, stats: schedule.PublicationStats) -> None:
        quarantine = self.found.quarantine
        if not quarantine and self.state.health == "quarantined":
            quarantine = self.state.error or "entries are held back"
        elif not quarantine and self.state.health in RECOVERING and not self.failures:
            quarantine = entries.quarantine_reason(self.db, self.state.id)
        judged = health.assess(
            now=self.now,
            failures=self.failures,
            gone=gone,
            error=self.columns.get("error", ""),
            quarantine=quarantine,
            milliseconds=round(self.transfer.seconds * 1000),
            newest=stats.newest,
            usual_gap=stats.gap,
        )
        if judged.state == "quarantined":
            self.columns["error"] = judged.reason
        if judged.state == self.state.health:
            return
        self.columns |= {"health": judged.state, "health_since": self.now}
        kind = "" if judged.state in ("fine", "slow") else judged.state
        incidents.closed(self.db, self.state.id, self.now, but=kind)
        if kind:
            incidents.opened(self.db, self.state.id, kind, judged.reason, self.now)


def _presented(feed: Feed) -> tuple[object, ...]:
    """Return what of a feed stands in our feeds and pages."""
    return (
        feed.id, feed.title, feed.subtitle, feed.link, feed.self_url, feed.authors,
        feed.language, feed.rights, feed.image,
    )  # fmt: skip
