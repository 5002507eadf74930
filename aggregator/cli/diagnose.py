"""Commands that explain: explain, doctor."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import click
from rich.markup import escape

from aggregator.cli.consoles import console
from aggregator.cli.fetch_once import OncePoller, once_poller, request_of
from aggregator.cli.listings import show_proposals
from aggregator.cli.shared import check_known, complete_source, load, open_store
from aggregator.config.validation import InvalidValue
from aggregator.config.values import Url
from aggregator.errors import AggregatorError
from aggregator.icons.worker import places
from aggregator.ingest import maintenance
from aggregator.models import evidence
from aggregator.models.config import Config, Source
from aggregator.models.entry import StoredEntry
from aggregator.models.poll import (
    Failed,
    Fetched,
    ParsedDocument,
    PollResult,
    Request,
    Transfer,
    Validators,
)
from aggregator.models.urls import origin_of
from aggregator.policy import feed_addresses, schedule
from aggregator.policy.feed_addresses import Answer
from aggregator.polling.poller import utc_now
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, page_queue, stories, versions
from aggregator.store.sources import icons, poll_log, sources
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions
from aggregator.websub import status_text

_POLLS = 10
"""Latest polls that `explain` lists."""


@click.command()
@click.argument("name", metavar="SOURCE|ENTRY", shell_complete=complete_source)
@click.pass_obj
def explain(path: str, name: str) -> None:
    """Explain the last polls and the next one of a source, or how an entry was merged.

    \b
    Examples:
      aggregator explain bbc-world
      aggregator explain 4711
      aggregator explain https://www.example.org/story
    """
    with open_store(path) as (config, store):
        maintenance.synchronise(store, config, utc_now())
        with store.reading() as db:
            state = sources.get(db, name)
            if state is not None:
                known = subscriptions.all_of(db, state.id)
                _explain_source(state, status_text.of_source(config, state.feed, known), utc_now())
                if pages := page_queue.summary(db, state.id):
                    console.print(f"  pages of its entries: {pages}")
                _explain_icon(db, state)
                _explain_polls(poll_log.recent(db, state.id, _POLLS), utc_now())
                return
            entry = entries.find(db, name)
            if entry is None:
                raise AggregatorError(
                    f"{name}: no source has this id, and no entry this id, guid or URL"
                )
            _explain_entry(db, entry)


def _explain_entry(db: Connection, stored: StoredEntry) -> None:
    console.print(f"[bold]{escape(stored.entry.title)}[/]")
    console.print(f"  entry {stored.id} of {escape(stored.source_id)}")
    guid = stored.entry.guid or "none"
    console.print(f"  guid {escape(guid)}, in our feeds {escape(stored.uri)}")
    console.print(f"  first seen {stored.first_seen:%Y-%m-%d %H:%M} UTC")
    if stored.entry.unread_date:
        console.print(
            f"  its date can't be read: “{escape(stored.entry.unread_date)}”;"
            " listed by when it was first seen"
        )
    elif stored.entry.published is None:
        console.print("  no date: listed by when it was first seen")
    console.print(f"  identified by its {stored.known_by.replace(' ', ', ') or 'keys'}")
    if stored.matched:
        console.print(f"  matched by its {stored.matched} at the last edit")
    _explain_text(db, stored)
    for edit in stored.entry.edits:
        console.print(f"  edited: {escape(edit)}")
    for reason in stored.ruling.reasons:
        console.print(f"  {escape(reason)}")
    if stored.retracted:
        console.print(f"  removed by its publisher {stored.retracted:%Y-%m-%d %H:%M} UTC")
    if stored.hidden:
        console.print(f"  hidden: {escape(stored.hidden)}")
    _explain_story(db, stored.id)
    for version in versions.of_entry(db, stored.id):
        console.print(f"  edited {version.until:%Y-%m-%d %H:%M} UTC, was: {escape(version.title)}")


def _explain_text(db: Connection, stored: StoredEntry) -> None:
    """Say where the text is from, and how the fetch of its page went."""
    text = "page" if stored.entry.text_from == "page" else "feed"
    page = page_queue.get(db, stored.id)
    if page is None:
        return
    console.print(f"  text of its {text}; {escape(page.status)}")


def _explain_story(db: Connection, entry_id: int) -> None:
    members = stories.of_entry(db, entry_id)
    if len(members) < 2:
        return
    console.print(f"  story {members[0].story}, {len(members)} entries:")
    for member in members:
        similarity = f"similarity {member.similarity:.2f}"
        reason = f"{member.reason}, {similarity}" if member.reason else "came first"
        mark = "*" if member.entry_id == entry_id else " "
        console.print(f"  {mark} entry {member.entry_id} of {escape(member.source_id)}: {reason}")
        for sentence in evidence.sentences(member.evidence) if member.evidence else ():
            console.print(f"      {escape(sentence)}")


def _explain_source(state: SourceState, push: str, now: datetime) -> None:
    console.print(f"[bold]{escape(state.title)}[/]  {escape(state.poll_url)}")
    console.print(f"  {escape(state.next_poll_reason)}")
    if state.gate_until and state.gate_until > now:
        console.print(
            f"  no request before {state.gate_until:%Y-%m-%d %H:%M} UTC (Retry-After);"
            f" `aggregator poll {escape(state.id)}` polls it now"
        )
    problem = f", {state.problem}" if state.problem else ""
    console.print(f"  health: {state.shown_health}{escape(problem)}")
    if state.error and state.error != state.problem:
        console.print(f"  error: {escape(state.error)}")
    if state.moved_to:
        console.print(f"  moved permanently from {escape(state.url)}")
    if state.move:
        console.print(
            f"  permanent redirect to {escape(state.move.url)}, seen {state.move.times} times"
            f" since {state.move.since:%Y-%m-%d %H:%M} UTC"
        )
    if state.link_parameters:
        names = ", ".join(name or "a number or word alone" for name in state.link_parameters)
        console.print(
            f"  parameters of its links that change with each poll, and identify nothing:"
            f" {escape(names)}"
        )
    console.print(f"  WebSub: {escape(push)}")
    for problem in state.feed.problems:
        console.print(f"  problem: {escape(problem)}")


def _explain_icon(db: Connection, state: SourceState) -> None:
    """Say where the icon is from, or why there is none."""
    source = icons.DueSource(id=state.id, url=state.poll_url, link=state.link, feed=state.feed)
    found = icons.get(db, places(source))
    shown = next((icon for icon in found.values() if icon.hash and icon.hash == state.icon), None)
    if shown:
        console.print(f"  icon: {escape(shown.url)}, next look-up {shown.due:%Y-%m-%d}")
    elif not found:
        console.print("  icon: not looked up yet")
    else:
        reasons = "; ".join(icon.reason for icon in found.values() if icon.reason)
        due = min(icon.due for icon in found.values())
        console.print(f"  no icon: {escape(reasons)}; next look-up {due:%Y-%m-%d}")


def _explain_polls(polls: list[poll_log.PollRow], now: datetime) -> None:
    console.print("  last polls:" if polls else "  no poll yet")
    for poll in polls:
        at = schedule.format_time(poll.at, now)
        colour = "red" if poll.failed else "default"
        console.print(f"  {at}  [{colour}]{escape(_outcome(poll))}[/]; {escape(poll.reason)}")


def _outcome(poll: poll_log.PollRow) -> str:
    """Return the result of a poll, in words."""
    if poll.failed:
        return poll.detail
    if poll.new or poll.changed:
        return f"{poll.new} new entries, {poll.changed} edited"
    return {
        "not_modified": "nothing new (304 Not Modified)",
        "equal": "nothing new (the same document)",
    }.get(poll.outcome, "nothing new")


@click.command()
@click.argument("name", metavar="SOURCE|URL", shell_complete=complete_source)
@click.option("--page", is_flag=True, help="Propose selectors for the entries on the page.")
@click.pass_obj
def doctor(path: str, name: str, page: bool) -> None:
    """Fetch a source without storing it, and report problems.

    A URL need not be configured. If it is that of a page, the feed that the page links is fetched
    and reported. Addresses of channels, accounts, projects and the like lead to their feeds.

    \b
    Examples:
      aggregator doctor bbc-world
      aggregator doctor https://www.example.org/
      aggregator doctor https://www.example.org/news --page
    """
    config = load(path)
    source = _source(config, name)
    if page:
        _propose(config, source)
        return
    with once_poller(config) as poller:
        console.print(f"[bold]{escape(source.id) or 'not configured'}[/]  {escape(source.url)}")
        request = _request(poller, config, source)
        result = poller.poll(request)
        if result.discovered:
            _show_page(result)
            request = _of_feed(request, result.discovered)
            result = poller.poll(request)
        repeated = _repeat(request, result, poller)
    _show_transfer(result.outcome.transfer)
    if isinstance(result.outcome, ParsedDocument):
        for line in _findings(result.outcome):
            console.print(f"  {escape(line)}")
    if repeated:
        console.print("  again with its ETag or Last-Modified, as polls ask:")
        _show_transfer(repeated.outcome.transfer)
    for outcome in (result.outcome, repeated.outcome if repeated else None):
        if isinstance(outcome, Failed):
            console.print(f"  [red]{escape(outcome.detail)}[/]")
            raise SystemExit(1)


def _propose(config: Config, source: Source) -> None:
    """Show listings for a page, or say that there are none."""
    request = replace(request_of(config, source), listing=None)
    with once_poller(config) as poller:
        outcome = poller.fetch_page(request)
        proposals = poller.proposals(outcome) if isinstance(outcome, Fetched) else ()
    console.print(f"[bold]{escape(source.id) or 'not configured'}[/]  {escape(source.url)}")
    _show_transfer(outcome.transfer)
    if proposals:
        show_proposals(source.url, proposals)
        return
    detail = (
        outcome.detail if isinstance(outcome, Failed) else "nothing on it repeats as entries do"
    )
    console.print(f"  [red]{escape(detail)}[/]")
    raise SystemExit(1)


def _source(config: Config, name: str) -> Source:
    """Return the source with an id or a URL; one with the default settings for an unknown URL."""
    if "://" not in name:
        check_known(config, (name,))
    url = Url()
    identity = url.identity(name)
    for source in config.sources:
        if source.id == name or url.identity(source.url) == identity:
            return source
    try:
        return Source(id="", url=url.convert(name))
    except InvalidValue as invalid:
        raise AggregatorError(f"{name} {invalid.message}. {invalid.remedy}".rstrip(" .")) from None


def _request(poller: OncePoller, config: Config, source: Source) -> Request:
    """Return the request for a source; for a URL that is not configured, of the feed behind it."""
    request = request_of(config, source)
    behind = None if source.listing else feed_addresses.find(source.url)
    if behind is None or not behind.certain or behind.answer is Answer.PAGE:
        return request
    url = poller.feed_url(behind)
    console.print(f"  {behind.name}: its feed is {escape(url)}")
    if not source.id:
        return replace(request, url=url, listing=behind.listing)
    console.print("  change the URL in the configuration to that")
    return request


def _show_page(result: PollResult) -> None:
    """Show the response of a page that links to its feed."""
    _show_transfer(result.outcome.transfer)
    if isinstance(result.outcome, Failed):
        console.print(f"  {escape(result.outcome.detail)}")
    console.print(f"  the page's feed, as polls ask for it: {escape(result.discovered)}")


def _of_feed(request: Request, url: str) -> Request:
    """Return the request for the feed of a page; header fields stay with their origin."""
    headers = request.headers if origin_of(url) == origin_of(request.url) != "" else {}
    return replace(request, url=url, headers=headers, discover=False)


def _repeat(request: Request, result: PollResult, poller: OncePoller) -> PollResult | None:
    """Poll a feed again with the validators of its response, None if it has none."""
    document = result.outcome
    if not isinstance(document, ParsedDocument) or document.validators == Validators():
        return None
    validators, url = document.validators, document.url
    return poller.poll(replace(request, validators=validators, validators_url=url))


def _show_transfer(transfer: Transfer) -> None:
    for hop in transfer.hops:
        console.print(f"  {hop.status} to {escape(hop.url)}")
    console.print(
        f"  status {transfer.status}, {transfer.seconds:.2f} s, {transfer.received:,} bytes"
    )


def _findings(document: ParsedDocument) -> Iterator[str]:
    title = document.feed.title or "no title"
    yield f"{document.feed.version}: {title}, {len(document.entries)} entries"
    yield from (f"problem: {problem}" for problem in document.feed.problems)
    yield from (f"has a WebSub hub: {hub}" for hub in document.feed.hubs)
    if not (document.validators.etag or document.validators.last_modified):
        yield "no ETag or Last-Modified: every poll downloads the whole feed; tell the publisher"
    if any(300 < hop.status < 400 and hop.status in (301, 308) for hop in document.transfer.hops):
        yield f"moved permanently: change the URL in the configuration to {document.url}"
    undated = sum(entry.published is None and entry.updated is None for entry in document.entries)
    if undated:
        yield f"{undated} entries have no date: the time of the first poll is used"
    unnamed = sum(not entry.guid for entry in document.entries)
    if unnamed:
        yield f"{unnamed} entries have no guid: link or text identifies them"
