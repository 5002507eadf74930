"""The command status: the health of all sources, or the answers of each host."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import click
from rich.markup import escape
from rich.table import Table

from aggregator.cli import masked
from aggregator.cli.consoles import console
from aggregator.cli.shared import complete_section, complete_source, open_store
from aggregator.ingest import maintenance
from aggregator.models.config import Config
from aggregator.policy import schedule
from aggregator.policy.health import HEALTHS, UNHEALTHY
from aggregator.polling.poller import utc_now
from aggregator.store.sources import poll_log, sources
from aggregator.store.sources.sources import SourceState

_HEADER = ("source", "health", "checked", "changed", "next", "entries", "reason")
_ENTRIES = _HEADER.index("entries")

_COLOURS = {"failing": "red", "gone": "red", "fine": "green", "disabled": "dim"}


@click.command()
@click.argument("text", default="", shell_complete=complete_source)
@click.option(
    "--health",
    "healths",
    multiple=True,
    type=click.Choice(HEALTHS),
    help="Only sources in this state; may be repeated.",
)
@click.option("--section", default="", shell_complete=complete_section, help="Only its sources.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.option("--hosts", is_flag=True, help="Show requests, spacing and errors by host.")
@click.pass_obj
def status(
    path: str, text: str, healths: tuple[str, ...], section: str, as_json: bool, hosts: bool
) -> None:
    """Show health, last check, next poll and entries of each source.

    Unhealthy sources come first. TEXT selects sources by their id, title or URL.

    \b
    Examples:
      aggregator status
      aggregator status bbc
      aggregator status --health failing --health gone
      aggregator status --json --section europe
    """
    with open_store(path) as (config, store):
        maintenance.synchronise(store, config, utc_now())
        with store.reading() as db:
            if hosts:
                _show_hosts(poll_log.hosts(db))
                return
            states = list(sources.all_states(db))
    selected = sorted(
        (state for state in states if _is_selected(state, text, healths, section)),
        key=lambda state: HEALTHS.index(state.shown_health),
    )
    if as_json:
        click.echo(masked.text(_json(config, selected)))
    else:
        _show_sources(selected, len(states))


def _is_selected(state: SourceState, text: str, healths: tuple[str, ...], section: str) -> bool:
    names = (state.id, state.title, state.url)
    return (
        any(text.casefold() in name.casefold() for name in names)
        and (not healths or state.shown_health in healths)
        and (not section or section in state.sections)
    )


def _json(config: Config, states: Iterable[SourceState]) -> str:
    from aggregator.web.api import resources  # slow to import, and only needed here
    from aggregator.web.feeds.build import public_url

    configured = {source.id: source for source in config.sources}
    listed = [
        resources.source(state, public_url(state, configured.get(state.id))) for state in states
    ]
    return json.dumps(listed, ensure_ascii=False, indent=2)


def _show_sources(states: list[SourceState], total: int) -> None:
    if not states:
        console.print(f"None of {total} sources matches." if total else "No sources yet.")
        return
    now = utc_now()
    rows = [_HEADER, *(_row(state, now) for state in states)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER) - 1)]
    for row in rows:  # whole lines, for `grep`; a terminal wraps them
        cells = [
            escape(cell.rjust(width) if column == _ENTRIES else cell.ljust(width))
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        colour = _COLOURS.get(row[1], "yellow" if row[1] in UNHEALTHY else "default")
        cells[1] = f"[{colour}]{cells[1]}[/]"
        console.print("  ".join((*cells, escape(row[-1]))).rstrip())
    counts = Counter(state.shown_health for state in states)
    listed = ", ".join(f"{counts[health]} {health}" for health in HEALTHS if counts[health])
    console.print(f"{len(states)} of {total} sources: {listed}. Times are in UTC.")


def _row(state: SourceState, now: datetime) -> tuple[str, ...]:
    return (
        state.id,
        state.shown_health,
        _time(state.last_poll, now),
        _time(state.last_change, now),
        _time(state.next_poll, now) if state.enabled else "",
        str(state.entries),
        " ".join(state.problem.split()),
    )


def _time(at: datetime | None, now: datetime) -> str:
    return schedule.format_time(at, now) if at else "never"


def _show_hosts(rows: list[poll_log.HostRow]) -> None:
    table = Table(box=None, pad_edge=False)
    columns = ("host", "feeds", "requests", "304", "kB", "kB saved", "unconditional", "early")
    for column in (*columns, "failed", "spacing"):
        table.add_column(column, justify="left" if column == "host" else "right")
    for row in rows:
        share = f"{100 * row.not_modified / row.requests:.0f} %" if row.requests else ""
        table.add_row(
            escape(row.host), str(row.sources), str(row.requests), share, str(row.bytes // 1000),
            str(row.saved // 1000), str(row.unconditional), str(row.early), str(row.failed),
            f"{row.spacing:.1f} s" if row.spacing else "",
        )  # fmt: skip
    console.print(table)
