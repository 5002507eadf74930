"""Commands for the configuration: init, check, import, export."""

import shlex
import sys
from pathlib import Path
from typing import BinaryIO

import click
from rich.markup import escape

from aggregator.cli import masked, opml_plan
from aggregator.cli.consoles import console, error_console
from aggregator.cli.shared import add_to_file, load
from aggregator.config import DEFAULT_PATH, edit
from aggregator.config.rewrite import create
from aggregator.demo import starter
from aggregator.errors import ConfigError
from aggregator.formats import opml, planet
from aggregator.models.config import Config, Source
from aggregator.models.entry import Feed
from aggregator.models.urls import source_feed
from aggregator.policy import feed_addresses
from aggregator.store.database.connection import Store
from aggregator.store.sources import sources


@click.command()
@click.pass_obj
def init(path: str) -> None:
    """Write a commented configuration file to start from.

    Writes config/sources.yaml, or the file of --config. An existing file is not changed.

    \b
    Examples:
      aggregator init
      aggregator --config news.yaml init
    """
    lines = starter.path("sources.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    # The first line names the schema for editors, by a path that is right in the checkout only.
    text = "".join(lines[2:] if "yaml-language-server" in lines[0] else lines)
    create(path, text)
    option = "" if path == DEFAULT_PATH else f"--config {shlex.quote(path)} "
    console.print(f"{escape(path)}: written. Edit it, then run:")
    console.print(f"  aggregator {escape(option)}run")


@click.command()
@click.pass_obj
def check(path: str) -> None:
    """Check the configuration file and list all mistakes.

    Also hints at sources with the address of a page where its feed is known.

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
    for source in config.sources:
        url = feed_addresses.feed_url(source.url)
        if url != source.url and source.listing is None:
            console.print(
                f"{escape(path)}:{source.line}: hint: the feed of {escape(source.id)} is at"
                f" {escape(url)}, which saves a request for the page"
            )


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--append", is_flag=True, help="Append to the configuration file; comments stay.")
@click.pass_obj
def import_command(path: str, file: BinaryIO, append: bool) -> None:
    """Convert OPML, or a planet's ini file, to YAML.

    FILE is what another feed reader exports, or the configuration of Planet Venus, Planet or Pluto.
    Prints the sections and sources, or appends those that are new to the configuration. Folders and
    categories become sections; a feed in two folders is in two sections. A feed that the
    configuration has already is added to the sections that it is not in yet.

    \b
    Examples:
      aggregator import subscriptions.opml > more.yaml
      aggregator import --append subscriptions.opml
      aggregator import planet.ini
    """
    config = load(path) if append else None
    body = file.read()
    is_xml = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    document = opml.parse(body) if is_xml else planet.parse(body)
    plan = opml_plan.plan(
        document,
        config.sections if config else (),
        config.sources if config else (),
        config.site.base_url if config else "",
    )
    for rejected in plan.rejected:
        text, url = escape(rejected.text), escape(rejected.url)
        error_console.print(f"skipped: {text} {url}: {rejected.reason}")
    if not append:
        click.echo(
            edit.append("", plan.sources, sections=plan.sections) or "sources: []\n", nl=False
        )
        return
    if plan.sources or plan.extended:
        add_to_file(path, plan.sources, plan.sections, plan.extended)
    console.print(f"{escape(path)}: {_summary(plan)}")


def _summary(plan: opml_plan.Plan) -> str:
    parts = [f"{len(plan.sources)} sources added"]
    if plan.sections:
        parts.append(f"sections created: {', '.join(section.id for section in plan.sections)}")
    if plan.merged:
        parts.append(f"{plan.merged} listed more than once, merged")
    if plan.known:
        parts.append(f"{len(plan.known)} already in the configuration")
    if plan.extended:
        parts.append(f"added to more sections: {', '.join(plan.extended)}")
    if plan.rejected:
        parts.append(f"{len(plan.rejected)} skipped")
    return escape("; ".join(parts))


@click.command()
@click.option("--output", type=click.Path(dir_okay=False), help="Write to a file.")
@click.pass_obj
def export(path: str, output: str | None) -> None:
    """Write the sources as OPML, for other feed readers.

    Of a source without a feed, it names the feed that this site makes of it; without site.base_url
    such sources are left out, with a message.

    \b
    Example:
      aggregator export --output sources.opml
    """
    config = load(path)
    body = masked.body(opml.render(_outlines(config), title=config.site.title))
    if output:
        Path(output).write_bytes(body)
    else:
        click.echo(body, nl=False)


def _outlines(config: Config) -> tuple[opml.Outline, ...]:
    """Return the sources by section, then those without one."""
    feeds, base = _feeds(config), config.site.base_url
    listed = list[Source]()
    for source in config.sources:
        if base or not source.listing:
            listed.append(source)
        else:
            error_console.print(
                f"left out: {escape(source.id)} has no feed. Set site.base_url, and the export"
                " names this site's feed of it"
            )

    def outline(source: Source) -> opml.Outline:
        feed = feeds.get(source.id, Feed())
        title = source.title or feed.title or source.id
        if source.listing:
            link = feed.link or source.url
            return opml.Outline(text=title, url=source_feed(base, source.id), link=link)
        return opml.Outline(text=title, url=source.url, link=feed.link)

    folders = [
        opml.Outline(
            text=section.title,
            description=section.description,
            categories=(section.id,),
            children=tuple(outline(s) for s in listed if section.id in s.sections),
        )
        for section in config.sections
    ]
    rest = [outline(source) for source in listed if not source.sections]
    return (*(folder for folder in folders if folder.children), *rest)


def _feeds(config: Config) -> dict[str, Feed]:
    """Return the metadata of the feeds at their last polls."""
    if not Path(config.storage).exists():
        return {}
    store = Store(config.storage)
    try:
        with store.reading() as db:
            return {state.id: state.feed for state in sources.all_states(db)}
    finally:
        store.close()
