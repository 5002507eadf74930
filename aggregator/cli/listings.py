"""Sources without a feed: the command try, and proposals of selectors."""

import textwrap
from collections.abc import Iterator, Sequence

import click
from rich.markup import escape

from aggregator.cli.consoles import console
from aggregator.cli.fetch_once import Proposal, once_poller, request_of
from aggregator.cli.shared import check_known, complete_source, load
from aggregator.config import edit, ids
from aggregator.models.config import Source
from aggregator.models.entry import Entry, RuleResult
from aggregator.models.poll import Failed, ParsedDocument
from aggregator.policy.filter_rules import Rulebook

SHOWN = 5
"""Entries that are shown of a proposal."""

MOST_PROPOSALS = 3
_LONGEST = 100
"""Characters of a summary that are shown."""


@click.command("try")
@click.argument("source_id", metavar="SOURCE", shell_complete=complete_source)
@click.pass_obj
def try_command(path: str, source_id: str) -> None:
    """Show the entries that a source's settings make of its page or feed, without storing them.

    Fetches it once, and names selectors that find nothing and rules that apply.

    \b
    Examples:
      aggregator try town-council
      aggregator --config new.yaml try town-council
    """
    config = load(path)
    check_known(config, (source_id,))
    source = next(source for source in config.sources if source.id == source_id)
    with once_poller(config) as poller:
        result = poller.poll(request_of(config, source))
    outcome = result.outcome
    console.print(f"[bold]{escape(source.id)}[/]  {escape(source.url)}")
    if not isinstance(outcome, ParsedDocument):
        detail = outcome.detail if isinstance(outcome, Failed) else "nothing came"
        console.print(f"  [red]{escape(detail)}[/]")
        raise SystemExit(1)
    rulebook = Rulebook.of(config)
    for entry in outcome.entries:
        for line in _lines(entry, rulebook.evaluate(source.id, source.sections, entry)):
            console.print(f"  {escape(line)}")
    for problem in outcome.feed.problems:
        console.print(f"  [yellow]{escape(problem)}[/]")
    console.print(f"  {len(outcome.entries)} entries; nothing was stored")
    for url in outcome.following:
        console.print(f"  followed by {escape(url)}")


def _lines(entry: Entry, ruling: RuleResult) -> Iterator[str]:
    yield headline(entry)
    values = {"link": entry.link, "summary": entry.summary[:_LONGEST]}
    if entry.image:
        values["image"] = entry.image.url
    if entry.unread_date:
        values["date that can't be read"] = entry.unread_date
    yield from (f"    {name}: {value}" for name, value in values.items() if value)
    yield from (f"    {reason}" for reason in ruling.reasons)


def headline(entry: Entry) -> str:
    """Return the date and the first words of an entry."""
    when = f"{entry.published:%Y-%m-%d}" if entry.published else "undated   "
    return f"{when}  {entry.title or entry.summary[:60]}"


def show_proposals(url: str, proposals: Sequence[Proposal]) -> None:
    """Show the first proposals with their entries, and as YAML to copy."""
    for number, proposal in enumerate(proposals[:MOST_PROPOSALS], 1):
        entries = proposal.document.entries
        console.print(f"  [bold]{number}.[/] {len(entries)} entries")
        for entry in entries[:SHOWN]:
            console.print(f"     {escape(headline(entry))}")
        yaml = edit.render_source(source_of(url, proposal))
        console.print(escape(textwrap.indent(yaml, "       ")))


def source_of(url: str, proposal: Proposal) -> Source:
    """Return the source for a page by a proposal, without sections."""
    source_id = ids.source_id(proposal.document.feed.title, url, set())
    return Source(id=source_id, url=url, listing=proposal.listing)
