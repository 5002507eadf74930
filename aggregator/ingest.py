"""What polls brought, stored: the only door into the database, and where "exactly once" is kept.

    results | known | decide | apply | next poll | log        all in the caller's one transaction

Entries, validators, hashes and the schedule of a source move together or not at all, so a crash
at any moment leaves a source as it was before the poll, and the poll is simply made again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from urllib.parse import urlsplit

from aggregator import arrivals, health, schedule, storylines
from aggregator.clean import urls
from aggregator.dedupe.rules import Rulebook
from aggregator.model import (
    Config,
    Failed,
    FailureKind,
    Feed,
    NextPoll,
    PollOutcome,
    PollResult,
    Reading,
    Request,
    Source,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.store import changes, entries, incidents, log, sources, subscriptions
from aggregator.store.db import Connection
from aggregator.store.sources import Document, Move, SourceState

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
    draw: Callable[[], float]


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


def requests(db: Connection, due: Sequence[str], context: Context) -> list[Request]:
    """Return the request for each source that is due."""
    states, documents = sources.get_many(db, due), sources.documents(db, due)
    made = []
    for source_id in due:
        state, source = states.get(source_id), context.sources.get(source_id)
        if state is None or source is None:
            continue
        document = documents.get(source_id, Document())
        if state.fill_url:
            made.append(_for_archive(state, source, context))
            continue
        # A database that lost its entries, by a restore or by hand, must not be told "unchanged".
        lost = any(document.entry_ids) and not entries.any_of(db, source_id)
        document = Document() if lost else document
        made.append(
            Request(
                source_id=source_id,
                url=state.poll_url,
                validators=state.validators if document.body_hash else Validators(),
                validators_url=state.validators_url if document.body_hash else "",
                body_hash=document.body_hash,
                item_hashes=document.item_hashes,
                headers=source.headers if _same_origin(state.poll_url, state.url) else {},
                limits=context.config.defaults.limits,
                discover=not state.discovered_url,
            )
        )
    return made


def _for_archive(state: SourceState, source: Source, context: Context) -> Request:
    return Request(
        source_id=state.id,
        url=state.fill_url,
        headers=source.headers if _same_origin(state.fill_url, state.url) else {},
        limits=context.config.defaults.limits,
        discover=False,
        archive=True,
    )


def ingest(db: Connection, results: Sequence[PollResult], context: Context) -> list[Ingested]:
    """Store what polls brought, inside the caller's transaction.

    A source that the database no longer knows is passed over, and so is a poll that was cancelled:
    it is due again as if it had never begun.
    """
    named = [result.source_id for result in results]
    states, pushing = sources.get_many(db, named), subscriptions.pushing(db, named, context.now)
    done: list[Ingested] = []
    rows: list[tuple[log.PollRow, int, int]] = []
    spacings = log.spacings(db)
    for number, result in enumerate(results):
        state, outcome = states.get(result.source_id), result.outcome
        if state is None:
            continue
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.CANCELLED:
            continue
        if result.push:
            done.append(_pushed(db, state, result, context))
            continue
        poll = _Poll(db, state, result, context, pushing.get(state.id))
        ingested = poll.store()
        done.append(ingested)
        rows.append((poll.log_row(ingested), state.polls, poll.saved()))
        poll.count_host(spacings)
        if poll.gated_host:  # of which the results that follow must know
            states |= sources.get_many(db, [later.source_id for later in results[number + 1 :]])
    storylines.follow(db, [new for one in done for new in one.new], context.now)
    log.add(db, rows)
    if done:
        changes.bump(db, _scopes(done, states), context.now)
    return done


def _scopes(done: Sequence[Ingested], states: Mapping[str, SourceState]) -> set[str]:
    scopes = {changes.STATUS}
    for ingested in done:
        if ingested.touched:
            scopes |= {changes.ALL, changes.source_scope(ingested.source_id)}
            scopes |= {changes.section_scope(s) for s in states[ingested.source_id].sections}
    return scopes


def _pushed(db: Connection, state: SourceState, result: PollResult, context: Context) -> Ingested:
    """Store what a hub pushed. Of the source's server it tells nothing, so the plan stays."""
    outcome, now = result.outcome, context.now
    subscriptions.taken(db, result.push, state.id)
    found = arrivals.Arrived()
    if isinstance(outcome, Reading) and state.configured:
        found = arrivals.arrive(
            db,
            state,
            outcome,
            rulebook=context.rulebook,
            now=now,
            base_url=context.config.site.base_url,
            pushed=True,
        )
        columns: dict[str, Any] = {"entries": state.entries + len(found.new)}
        if found.new or found.changed:
            columns |= {"last_change_at": now, "newest_at": None}  # the next poll tells the pace
        if found.quarantine and state.health != "quarantined":
            columns |= {"health": "quarantined", "health_since": now, "error": found.quarantine}
            incidents.opened(db, state.id, "quarantined", found.quarantine, now)
        sources.update(db, state.id, columns)
        log.add_push(
            db, state.id, now, len(found.new), len(found.changed), outcome.transfer.received
        )
    elif isinstance(outcome, Failed) and _is_rested(state, context):
        sources.poll_now(db, state.id, now, "its hub pushed what can't be read")
    return Ingested(
        source_id=state.id,
        title=state.title,
        result="pushed" if isinstance(outcome, Reading) else "push_unread",
        new=tuple(found.new),
        changed=tuple(found.changed),
        detail=outcome.detail if isinstance(outcome, Failed) else "",
        touched=bool(found.touched or found.new),
        next_poll=NextPoll(at=state.next_poll, reason=state.next_poll_reason),
    )


def _is_rested(state: SourceState, context: Context) -> bool:
    """Whether a source may be polled again for no reason of its own."""
    least = context.config.defaults.minimum
    return state.last_poll is None or context.now - state.last_poll >= least


class _Poll:
    """One result on its way into the database."""

    def __init__(
        self,
        db: Connection,
        state: SourceState,
        result: PollResult,
        context: Context,
        pushed_since: datetime | None,
    ) -> None:
        self.db, self.state, self.result, self.context = db, state, result, context
        self.pushed_since = pushed_since
        self.now = context.now
        self.source = context.sources.get(state.id)
        self.columns: dict[str, Any] = {"polls": state.polls + 1, "last_poll_at": self.now}
        self.feed = state.feed
        self.found = arrivals.Arrived()
        self.gated_host = False

    @property
    def transfer(self) -> Transfer:
        return self.result.outcome.transfer

    def store(self) -> Ingested:
        outcome = self.result.outcome
        match outcome:
            case _ if self.result.archive:
                self._older(outcome)
            case Reading():
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
        sources.update(self.db, self.state.id, self.columns)
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
            case Reading():
                return "ok"
            case Unchanged():
                return "equal" if outcome.equal_body else "not_modified"
            case Failed():
                return str(outcome.kind)
        assert_never(outcome)

    # --- a document ----------------------------------------------------------------------------

    def _reading(self, reading: Reading) -> None:
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

    def _arrive(self, reading: Reading) -> None:
        self.found = arrivals.arrive(
            self.db,
            self.state,
            reading,
            rulebook=self.context.rulebook,
            now=self.now,
            base_url=self.context.config.site.base_url,
            archive=self.result.archive,
        )

    # --- gaps ----------------------------------------------------------------------------------

    def _watch_for_gaps(self, reading: Reading) -> None:
        """Poll sooner after a gap, and begin to fill it where the feed links its older part."""
        if self.found.gap:
            self.columns["hurry"] = min(self.state.hurry + 1, MOST_HURRY)
            older = reading.feed.older
            if older and older != reading.url:
                self.columns |= {"fill_url": older, "fill_left": MOST_ARCHIVES}
            words = f"{self.found.gap}; {'its archive is asked' if older else 'it has no archive'}"
            incidents.noted(self.db, self.state.id, "gap", words, self.now)
        elif self.state.hurry and self.found.known >= EASED * len(self.found.new):
            self.columns["hurry"] = self.state.hurry - 1

    def _older(self, outcome: PollOutcome) -> None:
        """Take entries of an older part of the feed, until one of them was known before."""
        # Nothing that this answer says is for the document that is polled.
        self.columns |= {
            "failures": self.state.failures, "lifetime": self.state.lifetime, "fill_url": "",
        }  # fmt: skip
        left = self.state.fill_left - 1
        older = ""
        if isinstance(outcome, Reading):
            self._arrive(outcome)
            self.columns["entries"] = self.state.entries + len(self.found.new)
            older = outcome.feed.older
        if self.found.known:
            words = "the gap is filled from its archive"
        elif older and left > 0:
            self.columns |= {"fill_url": older, "fill_left": left}
            return
        elif isinstance(outcome, Failed):
            words = f"the gap is not filled: {outcome.detail}"
        else:
            words = "its archive was read as far as it goes, and the gap may be larger"
        incidents.noted(self.db, self.state.id, "gap", words, self.now)

    # --- the source ----------------------------------------------------------------------------

    def _answered(self, url: str, validators: Validators) -> None:
        keep = not self.transfer.freshness.no_store
        self.columns |= {
            "validators_url": url if keep else "",
            "etag": validators.etag if keep else "",
            "last_modified": validators.last_modified if keep else "",
            "failures": 0,
            "error": "",
            "error_kind": "",
            "last_ok_at": self.now,
        }
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
                "host": sources.host_of(target),
            }  # fmt: skip
            words = f"moved for good from {self.state.poll_url} to {target}"
            incidents.noted(self.db, self.state.id, "moved", words, self.now)
        else:
            self.columns["move"] = sources.move_json(move)

    def _failed(self, failed: Failed) -> None:
        failures = self.state.failures + 1
        self.columns |= {
            "failures": failures,
            "error": failed.detail,
            "error_kind": str(failed.kind),
        }
        if failed.kind is FailureKind.FALSE_304:
            self.columns |= {"etag": "", "last_modified": "", "validators_url": ""}
        if self.result.discovered:
            self.columns |= {
                "discovered_url": self.result.discovered,
                "host": sources.host_of(self.result.discovered),
                "failures": 0,
            }
        elif failures >= MOVE_TIMES and (self.state.moved_to or self.state.discovered_url):
            # What was found or moved to has died; the address in the configuration may live.
            self.columns |= {
                "moved_to": "", "discovered_url": "", "host": sources.host_of(self.state.url),
            }  # fmt: skip

    def _freshness(self) -> None:
        outcome, freshness = self.result.outcome, self.transfer.freshness
        if not (isinstance(outcome, Failed) or self.result.archive):
            unsaid = freshness.lifetime is None and self.transfer.status == 304
            # A 304 that names no lifetime leaves the stored one in force (RFC 9111 §3.2).
            self.columns["lifetime"] = self.state.lifetime if unsaid else freshness.lifetime
        if freshness.retry_after is None:
            return
        until = self.now + freshness.retry_after
        if self.state.gate_until is None or until > self.state.gate_until:
            self.columns |= {"gate_from": self.now, "gate_until": until}
        scope = self.source.retry_after_scope if self.source else "host"
        limited = self.transfer.status in LIMITED
        if limited and scope == "host" and self._host_is_limited():
            words = (
                f"next {schedule.moment(until, self.now)}: {self.state.host} asked all its feeds to"
                f" wait (Retry-After, given to {self.state.id})"
            )
            sources.gate_host(self.db, self.state.host, self.now, until, words)
            self.gated_host = True

    def _host_is_limited(self) -> bool:
        return log.limited(self.db, self.state.host) + 1 >= HOST_LIMITED

    def _plan(self) -> NextPoll:
        outcome = self.result.outcome
        failed = isinstance(outcome, Failed)
        gone = isinstance(outcome, Failed) and outcome.kind is FailureKind.GONE
        gone = gone and not self.result.archive
        pace = self._pace()
        self._judge(gone, pace)
        if self.result.discovered:
            return NextPoll(at=self.now, reason="its feed was found on the page; polled at once")
        if self.columns.get("fill_url", self.state.fill_url):
            gate = self.columns.get("gate_until", self.state.gate_until)
            reason = "older entries are fetched from its archive, to fill a gap"
            return NextPoll(at=max(self.now, gate or self.now), reason=reason)
        defaults, feed = self.context.config.defaults, self.feed
        return schedule.next_poll(
            now=self.now,
            facts=schedule.Facts(
                every=(self.source.every if self.source else None) or defaults.every,
                minimum=defaults.minimum,
                maximum=defaults.maximum,
                rhythm=schedule.rhythm(pace, self.now),
                lifetime=self.state.lifetime if failed else self.columns["lifetime"],
                ttl=feed.ttl,
                update_period=feed.update_period,
                update_base=feed.update_base,
                skip_hours=feed.skip_hours,
                skip_days=feed.skip_days,
                failures=self.columns["failures"],
                gone=gone,
                gate=self.columns.get("gate_until", self.state.gate_until),
                gate_from=self.columns.get("gate_from", self.state.gate_from),
                hurry=self.columns.get("hurry", self.state.hurry),
                push=self._pushes(),
            ),
            jitter=self.context.draw(),
        )

    def _pushes(self) -> bool:
        """Whether a hub pushes; it does not if this poll found what should have been pushed."""
        if self.pushed_since is None:
            return False
        before = self.state.last_ok
        if self.found.new and before and before >= self.pushed_since:
            return not subscriptions.suspect(self.db, self.state.id, self.now)
        return True

    def _pace(self) -> schedule.Pace:
        known = schedule.Pace(gap=self.state.gap, newest=self.state.newest)
        if known.newest and not (self.found.new or self.found.touched):
            return known
        pace = schedule.pace(entries.moments(self.db, self.state.id), self.now)
        if pace != known:
            self.columns |= {"gap": pace.gap, "newest_at": pace.newest}
        return pace

    def _judge(self, gone: bool, pace: schedule.Pace) -> None:
        quarantine = self.found.quarantine
        if not quarantine and self.state.health == "quarantined":
            quarantine = self.state.error or "entries are held back"
        elif not quarantine and self.state.health in RECOVERING and not self.columns["failures"]:
            quarantine = entries.held(self.db, self.state.id)
        judged = health.judge(
            now=self.now,
            failures=self.columns["failures"],
            gone=gone,
            error=self.columns.get("error", ""),
            quarantine=quarantine,
            milliseconds=round(self.transfer.seconds * 1000),
            newest=pace.newest,
            rhythm=pace.gap,
        )
        if judged.state == "quarantined":
            self.columns["error"] = judged.words
        if judged.state == self.state.health:
            return
        self.columns |= {"health": judged.state, "health_since": self.now}
        kind = "" if judged.state in ("fine", "slow") else judged.state
        incidents.closed(self.db, self.state.id, self.now, but=kind)
        if kind:
            incidents.opened(self.db, self.state.id, kind, judged.words, self.now)

    # --- the logs ------------------------------------------------------------------------------

    def log_row(self, ingested: Ingested) -> log.PollRow:
        return log.PollRow(
            source_id=self.state.id,
            at=self.now,
            outcome=ingested.result,
            status=self.transfer.status,
            milliseconds=round(self.transfer.seconds * 1000),
            bytes=self.transfer.received,
            conditional=self.transfer.conditional,
            new=len(self.found.new),
            changed=len(self.found.changed),
            detail=ingested.detail or self.found.quarantine,
            next_poll=ingested.next_poll.at,
            reason=ingested.next_poll.reason,
        )

    def saved(self) -> int:
        """Return the bytes that a 304 saved: what the source's last full answer weighed more."""
        if self._result() != "not_modified":
            return 0
        return max(self.state.body_bytes - self.transfer.received, 0)

    def count_host(self, spacings: dict[str, float]) -> None:
        """Add the poll to its host's ledger, and to `spacings` what was learnt from it."""
        state, transfer = self.state, self.transfer
        begun = self.now - timedelta(seconds=transfer.seconds)
        had = bool(state.validators.etag or state.validators.last_modified)
        limited = transfer.status in LIMITED
        spacing = spacings.get(state.host, 0.0)
        if limited or spacing:
            spacings[state.host] = schedule.host_spacing(spacing, limited=limited)
        log.count_host(
            self.db,
            state.host,
            not_modified=transfer.status == 304,
            received=transfer.received,
            saved=self.saved(),
            unconditional=had
            and not self.result.archive
            and not transfer.conditional
            and transfer.status == 200,
            early=_is_early(state, begun),
            failed=isinstance(self.result.outcome, Failed),
            limited=limited and transfer.freshness.retry_after is not None,
            spacing=spacings.get(state.host),
            gate_until=self.columns.get("gate_until"),
        )


def _is_early(state: SourceState, begun: datetime) -> bool:
    """Whether a poll began between the moment a Retry-After was given and the one it names."""
    given, until = state.gate_from, state.gate_until
    return given is not None and until is not None and given <= begun < until


def _same_origin(first: str, second: str) -> bool:
    """Whether two URLs are of one scheme, host and port, so that one may have the other's secrets.

    As with a redirect: a source's headers were meant for its configured address.
    """
    return first == second or _origin(first) == _origin(second) != ("", "")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(urls.absolute("", url))
    return parts.scheme, parts.netloc


def _presented(feed: Feed) -> tuple[object, ...]:
    """Return what of a feed stands in our feeds and pages."""
    return (
        feed.id, feed.title, feed.subtitle, feed.link, feed.self_url, feed.authors,
        feed.language, feed.rights, feed.image,
    )  # fmt: skip
