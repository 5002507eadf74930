"""The command build: the site as files."""

import time
from dataclasses import replace
from pathlib import Path

import click
from rich.markup import escape

from aggregator.cli.consoles import console
from aggregator.cli.shared import load
from aggregator.config.validation import InvalidValue
from aggregator.config.values import Url
from aggregator.errors import AggregatorError
from aggregator.polling.poller import utc_now

MOST_SHOWN = 10
"""Dead links that are printed."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--base-url", metavar="URL", help="Address of the published site, if not base_url.")
@click.option(
    "--relative", is_flag=True, help="Link pages by relative addresses: for any path, or a disk."
)
@click.pass_obj
def build(path: str, folder: Path, base_url: str | None, relative: bool) -> None:
    """Write the site into DIR as files.

    Any web server for files can serve them. After the first build, only changed pages are rendered
    and written, and old ones removed. Each file has the bytes that our web server sends for its
    address with `site.static`. Feeds and sitemaps name addresses that begin with base_url.

    \b
    Examples:
      aggregator build public
      aggregator build public --base-url https://news.example.org/planet
    """
    from aggregator.publish.build import build as build_site  # slow to import

    config = load(path)
    if base_url:
        config = replace(config, site=replace(config.site, base_url=_checked(base_url)))
    began = time.monotonic()
    report = build_site(config, folder, now=utc_now(), relative=relative)
    console.print(
        f"{escape(str(folder))}: {report.files:,} files; {report.new:,} new, {report.changed:,}"
        f" changed, {report.removed:,} removed; {report.rendered:,} rendered in"
        f" {time.monotonic() - began:.1f} s"
    )
    for link, address in report.dead_links[:MOST_SHOWN]:
        console.print(f"no file for {escape(link)}, which {escape(address)} links to")


def _checked(url: str) -> str:
    try:
        return Url(bare=True).convert(url)
    except InvalidValue as error:
        raise AggregatorError(
            f"--base-url {url} {error.message}. {error.remedy}".rstrip()
        ) from None
