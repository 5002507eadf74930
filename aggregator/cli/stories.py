"""Commands that correct stories and rebuild them: stories apart, stories together, recluster."""

import time
from pathlib import Path

import click
from rich.markup import escape

from aggregator.cli.consoles import console
from aggregator.cli.shared import open_store, parse
from aggregator.cli.takedown import find_entry, label
from aggregator.config import edit_stories
from aggregator.config import file as config_file
from aggregator.config.rewrite import rewrite
from aggregator.errors import AggregatorError
from aggregator.ingest import recluster as rebuilding
from aggregator.ingest import story_corrections
from aggregator.models.config import StoryCorrections
from aggregator.models.entry import StoredEntry
from aggregator.polling.poller import utc_now
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries
from aggregator.store.entries import stories as stored_stories

PAUSE = 0.02
"""Seconds between two transactions of a rebuild, in which others may write."""


@click.group()
def stories() -> None:
    """Correct which entries are one story.

    The corrections are written to the configuration file and hold after `aggregator recluster` too.

    \b
    Examples:
      aggregator stories apart 4711 4712
      aggregator stories together 4711 https://www.example.org/story
    """


@stories.command()
@click.argument("first", metavar="ENTRY")
@click.argument("second", metavar="ENTRY")
@click.pass_obj
def apart(path: str, first: str, second: str) -> None:
    """Take two entries that are wrongly joined apart.

    ENTRY is an id, an address here, a link or a guid. The later entry leaves the story.

    \b
    Example:
      aggregator stories apart 4711 4712
    """
    _correct(path, "apart", first, second)


@stories.command()
@click.argument("first", metavar="ENTRY")
@click.argument("second", metavar="ENTRY")
@click.pass_obj
def together(path: str, first: str, second: str) -> None:
    """Join two entries of two sources that are one story.

    ENTRY is an id, an address here, a link or a guid. The story has the id of the earlier one's.

    \b
    Example:
      aggregator stories together 4711 https://www.example.org/story
    """
    _correct(path, "together", first, second)


def _correct(path: str, kind: str, first: str, second: str) -> None:
    with open_store(path) as (config, store):
        with store.reading() as db:
            one, other = find_entry(db, first), find_entry(db, second)
            if one.id == other.id:
                raise AggregatorError(f"both are entry {one.id}; name two entries")
            if kind == "together" and one.source_id == other.source_id:
                raise AggregatorError(f"both are of {one.source_id}; a story has several sources")
            pair = _key(db, one), _key(db, other)
        if pair in getattr(config.stories, kind) or pair[::-1] in getattr(config.stories, kind):
            console.print(f"{escape(path)}: already has this pair in stories.{kind}")
        else:
            config_file.read_text(path)  # its errors are for people
            text = edit_stories.add(Path(path).read_bytes().decode(), kind, pair, path)
            parse(text.removeprefix("\ufeff"), path)
            rewrite(path, text)
            console.print(f"{escape(path)}: stories.{kind} has {escape(', '.join(pair))}")
        with store.transaction() as db:
            corrections = StoryCorrections(**{kind: (pair,)})
            changed = story_corrections.apply(db, corrections)
            change_log.bump(db, change_log.versions(db).keys() - {change_log.ARCHIVES}, utc_now())
            for entry in (one, other):
                story = stored_stories.of_entries(db, [entry.id]).get(entry.id)
                said = f"in story {story}" if story is not None else "in no story"
                console.print(f"  entry {entry.id} of {escape(label(entry))}: {said}")
    if not changed:
        console.print("  nothing to change")


def _key(db: Connection, entry: StoredEntry) -> str:
    """Return the link of an entry if it names this entry only, else its id."""
    link = entry.entry.link
    found = entries.find(db, link) if link else None
    return link if found is not None and found.id == entry.id else str(entry.id)


@click.command()
@click.pass_obj
def recluster(path: str) -> None:
    """Rebuild the stories of all stored entries, while the service runs.

    Do so after an upgrade that finds more stories. Interrupted, it goes on where it was. Stories
    keep their ids and addresses as far as they have entries in common.

    \b
    Example:
      aggregator recluster
    """
    with (
        open_store(path) as (config, store),
        click.progressbar(length=0, label="entries", show_pos=True) as bar,
    ):

        def step(left: int) -> None:
            if not bar.length:
                bar.length = left
            bar.update((bar.length or 0) - left - bar.pos)
            time.sleep(PAUSE)

        changed = rebuilding.rebuild(store, config, utc_now(), step)
    console.print(f"stories rebuilt: {changed:,} entries changed")
