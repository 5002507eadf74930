"""The command add: find a feed, show it, write it into the configuration."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import click
from rich.markup import escape

from aggregator.cli import listings
from aggregator.cli.consoles import console
from aggregator.cli.fetch_once import OncePoller, once_poller
from aggregator.cli.shared import add_to_file, complete_section, load
from aggregator.config import ids
from aggregator.config.values import Url
from aggregator.errors import AggregatorError
from aggregator.models.config import Config, Section, Source
from aggregator.models.listing import Listing, is_page
from aggregator.models.poll import Failed, Fetched, ParsedDocument
from aggregator.models.query import ID
from aggregator.policy import feed_addresses
from aggregator.policy.feed_addresses import FeedAddress


@click.command()
@click.argument("url")
@click.option(
    "--section",
    "sections",
    multiple=True,
    shell_complete=complete_section,
    help="Section of the new source, by id or title.",
)
@click.option("--id", "source_id", default="", help="Its id; by default from its title.")
@click.option("--yes", is_flag=True, help="Add it, and create missing sections, without asking.")
@click.pass_obj
def add(path: str, url: str, sections: tuple[str, ...], source_id: str, yes: bool) -> None:
    """Add the feed of a page to the configuration.

    Where there is no feed, proposes selectors for the entries on the page. Shows the entries and
    asks first. Without a scheme, https is tried, then http. Addresses of channels, accounts,
    projects and the like lead to their feeds: see docs/other-sources.md.

    \b
    Examples:
      aggregator add www.example.org
      aggregator add https://www.example.org/feed.xml --section science --yes
      aggregator add https://github.com/lemon24/reader
    """
    config = load(path)
    _check_id(config, source_id)
    with once_poller(config) as poller:
        try:
            feed = find(poller, url)
        except NoFeedFound as error:
            feed = _choose(poller, error, yes)
    identity = Url().identity(feed.url)
    known = next((s.id for s in config.sources if Url().identity(s.url) == identity), "")
    if known:
        raise AggregatorError(f"{feed.url} is already in the configuration, as {known}")
    if not feed.is_chosen:
        _show(feed)
    chosen, new_sections = _sections(config, sections, yes)
    if not (yes or feed.is_chosen) and not click.confirm("Add it?", default=True):
        console.print("Nothing was added.")
        return
    taken = {source.id for source in config.sources}
    source_id = source_id or ids.source_id(feed.document.feed.title, feed.url, taken)
    source = Source(id=source_id, url=feed.url, sections=chosen, listing=feed.listing)
    add_to_file(path, [source], new_sections)
    for section in new_sections:
        console.print(f"{escape(path)}: section {escape(section.id)} created")
    console.print(f"{escape(path)}: added as {escape(source_id)}; a running service polls it now")


def _check_id(config: Config, source_id: str) -> None:
    if source_id and not ID.fullmatch(source_id):
        raise AggregatorError(
            f"{source_id!r} can't be an id. Use small letters, digits, dots, dashes and"
            " underscores, at most 64"
        )
    if source_id in {source.id for source in config.sources}:
        raise AggregatorError(f"the id {source_id} is in use; choose another with --id")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed, or a page with a listing, and the URL to poll it at.

    Args:
        is_chosen: Whether the user has seen it and chosen it.
    """

    url: str
    document: ParsedDocument
    listing: Listing | None = None
    is_chosen: bool = False


class NoFeedFound(AggregatorError):
    """There is no feed at an address; `pages` came in its place."""

    def __init__(self, message: str, pages: Sequence[Fetched]) -> None:
        super().__init__(message)
        self.pages = pages


def find(poller: OncePoller, address: str) -> FoundFeed:
    """Return the feed at an address, behind it, or that its page links to.

    Args:
        poller: Polls the candidates.
        address: A URL; without a scheme, https is tried, then http.

    Raises:
        NoFeedFound: There is no feed; says why.
    """
    reasons, pages = [], []
    for candidate in _attempts(address.strip()):
        try:
            url = candidate if isinstance(candidate, str) else poller.feed_url(candidate)
        except AggregatorError as error:
            reasons.append(str(error))
            continue
        listing = None if isinstance(candidate, str) else candidate.listing
        request, found_at = replace(poller.request(url), listing=listing), url
        fetched = poller.fetch(request)
        if isinstance(fetched, Fetched):
            pages.append(fetched)
        result = poller.read(request, fetched)
        if result.discovered:
            found_at = result.discovered
            result = poller.poll(poller.request(found_at))
        outcome = result.outcome
        if isinstance(outcome, ParsedDocument) and outcome.feed.version != "json":
            return FoundFeed(url=found_at, document=outcome, listing=listing)
        reasons.append(_reason(outcome, found_at))
    raise NoFeedFound(f"no feed found: {'; '.join(reasons)}", pages)


def _choose(poller: OncePoller, error: NoFeedFound, yes: bool) -> FoundFeed:
    """Return the page with the listing that the user chooses; raises the error without one."""
    for page in error.pages:
        proposals = poller.proposals(page)[: listings.MOST_PROPOSALS]
        if not proposals:
            continue
        if is_page(proposals[0].listing) and (
            refusal := poller.refusal(page.url, poller.request(page.url))
        ):
            raise AggregatorError(f"no feed found: {refusal.detail}")
        console.print(f"{escape(page.url)} has no feed, but entries can be found on it:")
        listings.show_proposals(page.url, proposals)
        most = len(proposals)
        asked = f"Add which one (1 to {most}, 0 for none)?" if most > 1 else "Add it (1 or 0)?"
        number = 1 if yes else click.prompt(asked, type=click.IntRange(0, most), default=1)
        if not number:
            raise click.exceptions.Exit
        chosen = proposals[number - 1]
        return FoundFeed(
            url=page.url, document=chosen.document, listing=chosen.listing, is_chosen=True
        )
    raise error


def _attempts(address: str) -> Iterator[str | FeedAddress]:
    """Yield the places where the feed of an address may be, the likeliest first."""
    candidates = _candidates(address)
    behind = feed_addresses.find(candidates[0])
    if behind and behind.certain:
        yield behind
    yield from candidates
    if behind and not behind.certain:
        yield behind


def _candidates(address: str) -> tuple[str, ...]:
    if address.lower().startswith("feed:"):
        address = address[5:].removeprefix("//")
    address = address.replace(" ", "%20")
    if re.match("https?://", address, re.IGNORECASE):
        return (address,)
    if "://" in address:
        raise AggregatorError(f"{address}: only http and https addresses are polled")
    return f"https://{address}", f"http://{address}"


def _reason(outcome: object, url: str) -> str:
    if isinstance(outcome, Failed):
        return outcome.detail.rstrip(".")
    return (
        f"{url} is JSON with a list “items”, but its version is not that of a JSON Feed"
        " (https://jsonfeed.org/version/1.1)"
    )


def _show(feed: FoundFeed) -> None:
    document = feed.document
    console.print(f"[bold]{escape(document.feed.title or feed.url)}[/]  {escape(feed.url)}")
    for entry in document.entries[: listings.SHOWN]:
        console.print(f"  {escape(listings.headline(entry))}")
    more = len(document.entries) - listings.SHOWN
    if more > 0:
        console.print(f"  and {more} more")
    elif not document.entries:
        console.print("  no entries yet")


def _sections(
    config: Config, names: tuple[str, ...], yes: bool
) -> tuple[tuple[str, ...], tuple[Section, ...]]:
    """Return the ids of the named sections, and those to create."""
    by_name = {section.title.casefold(): section.id for section in config.sections}
    by_name |= {section.id: section.id for section in config.sections}
    chosen: list[str] = []
    new: list[Section] = []
    for name in names:
        known = by_name.get(name) or by_name.get(name.casefold())
        if known is None:
            near = get_close_matches(name.casefold(), by_name, n=1)
            hint = f" Did you mean {by_name[near[0]]}?" if near else ""
            if not yes and not click.confirm(
                f"There is no section {name}.{hint} Create it?", default=not near
            ):
                raise AggregatorError(f"there is no section {name}, so nothing was added")
            title = " ".join(name.split())
            known = ids.section_id(title, set(by_name.values()))
            new.append(Section(id=known, title=title[:1].upper() + title[1:]))
            by_name |= {known: known, name.casefold(): known}
        chosen.append(known)
    return tuple(dict.fromkeys(chosen)), tuple(new)
