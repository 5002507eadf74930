"""Commands for the configuration: check, import, export, add."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click
from rich.markup import escape

from aggregator.cli import masked
from aggregator.cli.fetch_once import url_poller
from aggregator.cli.shared import console, error_console, load
from aggregator.config import edit
from aggregator.errors import AggregatorError, ConfigError
from aggregator.formats import opml
from aggregator.models.config import Config, Source
from aggregator.models.poll import Failed, ParsedDocument, PollResult
from aggregator.models.urls import host_of


@click.command()
@click.pass_obj
def check(path: str) -> None:
    """Check the configuration file and list all mistakes.

    \b
    Example:
      aggregator --config my.yaml check
    """
    try:
        config = load(path)
    except ConfigError as error:
        click.echo(error)
        sys.exit(2)
    console.print(
        f"{escape(path)}: valid, {len(config.sources)} sources in {len(config.sections)} sections,"
        f" {len(config.views)} saved views"
    )


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--append", is_flag=True, help="Append to the configuration file; comments stay.")
@click.pass_obj
def import_command(path: str, file: BinaryIO, append: bool) -> None:
    """Convert OPML from another feed reader to YAML.

    Prints the sources, or appends them to the configuration.

    \b
    Examples:
      aggregator import subscriptions.opml > more.yaml
      aggregator import --append subscriptions.opml
    """
    document = opml.parse(file.read())
    for rejected in document.rejected:
        text, url = escape(rejected.text), escape(rejected.url)
        error_console.print(f"skipped: {text} {url}: {rejected.reason}")
    taken = {source.id for source in load(path).sources} if append else set()
    known = {source.url for source in load(path).sources} if append else set()
    outlines = [outline for _, outline in opml.sources(document.outlines)]
    added = [_as_source(item.url, item.text, taken) for item in outlines if item.url not in known]
    if not append:
        click.echo("sources:")
        for source in added:
            click.echo(edit.source_yaml(source))
        return
    _append(path, added)
    console.print(f"{escape(path)}: {len(added)} sources added")


def _as_source(url: str, title: str, taken: set[str]) -> Source:
    """Return a source with an unused id from its title or host."""
    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
    stem = "-".join(part for part in stem.split("-") if part)[:40].strip("-")
    stem = stem or (host_of(url) or "source").replace(".", "-")
    source_id, number = stem, 2
    while source_id in taken:
        source_id, number = f"{stem}-{number}", number + 1
    taken.add(source_id)
    return Source(id=source_id, url=url, title=title)


def _append(path: str, added: list[Source]) -> None:
    file = Path(path)
    text = edit.append(file.read_bytes().decode(), added, path)
    temporary = file.with_name(f".{file.name}.new")
    with temporary.open("w", encoding="utf-8", newline="") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    shutil.copymode(file, temporary)
    temporary.replace(file)


@click.command()
@click.option("--output", type=click.Path(dir_okay=False), help="Write to a file.")
@click.pass_obj
def export(path: str, output: str | None) -> None:
    """Write the sources as OPML, for other feed readers.

    \b
    Example:
      aggregator export --output sources.opml
    """
    config = load(path)
    body = opml.render(_outlines(config), title=config.site.title)
    if output:
        Path(output).write_bytes(masked.body(body))
    else:
        sys.stdout.buffer.write(masked.body(body))


def _outlines(config: Config) -> tuple[opml.Outline, ...]:
    """Return the sources by section, then those without one."""

    def outline(source: Source) -> opml.Outline:
        return opml.Outline(text=source.title or source.id, url=source.url)

    folders = [
        opml.Outline(
            text=section.title,
            description=section.description,
            children=tuple(outline(s) for s in config.sources if section.id in s.sections),
        )
        for section in config.sections
    ]
    rest = [outline(source) for source in config.sources if not source.sections]
    return (*(folder for folder in folders if folder.children), *rest)


@click.command()
@click.argument("url")
@click.option("--section", "sections", multiple=True, help="Section of the new source.")
@click.option("--id", "source_id", default="", help="Its id; by default from its title.")
@click.option("--yes", is_flag=True, help="Add without asking.")
@click.pass_obj
def add(path: str, url: str, sections: tuple[str, ...], source_id: str, yes: bool) -> None:
    """Add the feed of a page to the configuration.

    Shows its entries and asks first.

    \b
    Examples:
      aggregator add https://www.example.org/
      aggregator add https://www.example.org/feed.xml --section science --yes
    """
    config = load(path)
    with url_poller(config) as poll:
        result, feed_url = _find(poll, url)
    outcome = result.outcome
    if not isinstance(outcome, ParsedDocument):
        detail = outcome.detail if isinstance(outcome, Failed) else "no document"
        raise AggregatorError(f"no feed found: {detail}")
    known = next((source.id for source in config.sources if source.url == feed_url), "")
    if known:
        raise AggregatorError(f"{feed_url} is already in the configuration, as {known}")
    console.print(f"[bold]{escape(outcome.feed.title or feed_url)}[/]  {escape(feed_url)}")
    for entry in outcome.entries[:5]:
        when = f"{entry.published:%Y-%m-%d}" if entry.published else "undated   "
        console.print(f"  {when}  {escape(entry.title or entry.summary[:60])}")
    if not yes and not click.confirm("Add it?", default=True):
        return
    source = _as_source(feed_url, outcome.feed.title, {source.id for source in config.sources})
    source = Source(id=source_id or source.id, url=feed_url, title="", sections=sections)
    before = Path(path).read_bytes()
    _append(path, [source])
    try:
        load(path)
    except ConfigError:
        Path(path).write_bytes(before)
        raise
    console.print(f"{escape(path)}: added as {escape(source.id)}; a running service polls it now")


def _find(poll: Callable[[str], PollResult], url: str) -> tuple[PollResult, str]:
    if "://" not in url:
        url = f"https://{url}"
    result = poll(url)
    if result.discovered:
        return poll(result.discovered), result.discovered
    return result, url
