"""Commands that take an entry down and put it back: hide, show."""

import re

import click
from rich.markup import escape

from aggregator.cli.consoles import console
from aggregator.cli.shared import open_store
from aggregator.errors import AggregatorError
from aggregator.ingest import maintenance
from aggregator.models.entry import REMOVED, StoredEntry
from aggregator.policy.filter_rules import Rulebook
from aggregator.polling.poller import utc_now
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, stories

_PAGE = re.compile(r"https?://.*/entry/([0-9]+)")


@click.command()
@click.argument("key", metavar="ENTRY")
@click.option("--why", required=True, help="Reason; `explain` and signed-in users see it.")
@click.pass_obj
def hide(path: str, key: str, why: str) -> None:
    """Take an entry off the site.

    ENTRY is its id, its address here, its link or its guid. It disappears from pages, feeds,
    search, the API and archives; its page answers 410 Gone, and feeds tell readers to delete it.
    Rules and later edits of its publisher don't show it again.

    \b
    Examples:
      aggregator hide 4711 --why "court order of 27 June"
      aggregator hide https://www.example.org/story --why "wrong person"
    """
    with open_store(path) as (_, store), store.transaction() as db:
        stored = find_entry(db, key)
        if stored.is_removed:
            reason = stored.hidden.removeprefix(REMOVED)
            raise AggregatorError(f"entry {stored.id} is hidden already: {reason}")
        maintenance.hide_entry(db, stored, " ".join(why.split()), utc_now())
        copies = stories.of_entry(db, stored.id)
    console.print(f"hidden: entry {stored.id} of {escape(label(stored))}")
    for copy in copies:
        if copy.entry_id != stored.id:
            console.print(
                f"  the same story is in entry {copy.entry_id} of {escape(copy.source_id)},"
                " which stays"
            )


@click.command()
@click.argument("key", metavar="ENTRY")
@click.pass_obj
def show(path: str, key: str) -> None:
    """Put an entry back that `hide` took off the site.

    \b
    Example:
      aggregator show 4711
    """
    with open_store(path) as (config, store), store.transaction() as db:
        stored = find_entry(db, key)
        if not stored.is_removed:
            raise AggregatorError(f"entry {stored.id} was not hidden with `aggregator hide`")
        maintenance.show_entry(db, stored, Rulebook.of(config), utc_now())
        after = entries.get(db, stored.id) or stored
    console.print(f"shown: entry {stored.id} of {escape(label(stored))}")
    if after.hidden:
        console.print(f"  no list has it: {escape(after.hidden)}")


def find_entry(db: Connection, key: str) -> StoredEntry:
    """Return the entry with an id, address, link or guid; raises AggregatorError."""
    page = _PAGE.fullmatch(key)
    stored = entries.find(db, key) or (entries.find(db, page[1]) if page else None)
    if stored is None:
        raise AggregatorError(f"{key}: no entry has this id, address, link or guid")
    return stored


def label(stored: StoredEntry) -> str:
    """Return the source and the title of an entry."""
    return f"{stored.source_id}: {stored.entry.title or stored.entry.link}"
