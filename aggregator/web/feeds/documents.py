"""The documents of feeds: their addresses, their bytes, and those that are WebSub topics.

A topic is the rel=self URL of the feed of everything, a section, a source or a saved view. Feeds
with a query of the reader are no topics: each would have to be rendered at every change.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from urllib.parse import unquote

from aggregator.errors import QueryError
from aggregator.formats.merged import MergedFeed
from aggregator.formats.table import ENDINGS, FORMATS, OPML
from aggregator.models.config import Config
from aggregator.models.numbers import parse_number
from aggregator.policy.masking import masker
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection, Store
from aggregator.store.sources import renames
from aggregator.web.feeds import build, views
from aggregator.web.feeds.views import NeedsToken, NoSuchView, ViewSpec
from aggregator.websub import protocol
from aggregator.websub.publications import Publications, Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress:
    """The parts of a feed's path; `archive` is 0 for the main document."""

    kind: str
    id: str
    format: str
    archive: int = 0


def parse_address(path: str) -> FeedAddress:
    """Parse the path of a feed, percent-decoded.

    Raises:
        NoSuchView: It is not the path of a feed.
    """
    if path == "/opml":
        return FeedAddress(kind="all", id="", format=OPML)
    stem, _, format = path.removeprefix("/feeds/").rpartition(".")
    if format not in ENDINGS or not path.startswith("/feeds/"):
        raise NoSuchView(f"feeds end in .{', .'.join(ENDINGS)}")
    kind, _, id = stem.partition("/")
    archive = 0
    if kind in {"all", *views.NAMED} and "archive/" in id:
        id, _, number = id.rpartition("archive/")
        id = id.removesuffix("/")
        archive = parse_number(number, least=1, most=999_999_999) or 0
        if number != str(archive) or not archive or format == OPML:
            raise NoSuchView("archives are numbered from 1, as in /feeds/all/archive/1.atom")
    return FeedAddress(kind=kind, id=id, format=format, archive=archive)


def versions(db: Connection, scopes: Collection[str]) -> dict[str, int]:
    """Return the versions of scopes of change."""
    return {scope: change_log.version(db, scope) for scope in scopes}


def hub(spec: ViewSpec, config: Config) -> str:
    """Return the hub of a view's feeds, "" when they have none."""
    is_topic = spec.kind in {"all", *views.NAMED} and not spec.extra
    is_topic = is_topic and spec.base == config.site.public_url  # as the scheduler renders it
    has_server = not config.site.static or config.websub.hub != "own"
    # A private view has one if the address holds its token; other sites must not learn that.
    is_open = not spec.private or (spec.token and config.websub.hub == "own")
    return protocol.hub_url(config) if is_topic and is_open and has_server else ""


def render(
    store: Store, spec: ViewSpec, format: str, config: Config, now: datetime
) -> tuple[MergedFeed, Rendered]:
    """Return the main document of a view at a time, as a feed and as bytes."""
    feed, current = merged(store, spec, format, config, now)
    row = FORMATS[format]
    body = masker(config.secrets).body(row.render(feed))
    return feed, Rendered(body=body, content_type=row.content_type, versions=current)


def merged(
    store: Store, spec: ViewSpec, format: str, config: Config, now: datetime
) -> tuple[MergedFeed, dict[str, int]]:
    """Return the feed of a view at a time, and the versions of the scopes it was made from."""
    spec = spec.at(now)
    if spec.archived:
        build.close_archives(store, spec)
    with store.reading() as db:
        current = versions(db, build.scopes(spec.query))
        content = build.latest(db, spec, config)
    hub_url = hub(spec, config)
    feed = build.merged(spec, content, config, format)
    return replace(feed, hubs=(hub_url,)) if hub_url else feed, current


def find(store: Store, url: str, config: Config) -> tuple[ViewSpec, str] | None:
    """Return the view and format of a topic, None for other URLs.

    The topic of a source that was renamed stays, with the source's feed: subscribers need not know.
    """
    path, _, query = url.removeprefix(config.site.url).partition("?")
    try:
        wanted = parse_address(unquote(path, errors="strict"))
        with store.reading() as db:
            new_id = renames.current_id(db, wanted.id) if wanted.kind == "source" else ""
        spec = views.resolve(wanted.kind, new_id or wanted.id, query, config)
    except (NoSuchView, NeedsToken, QueryError, UnicodeError):
        return None
    is_topic = wanted.format in FORMATS and not wanted.archive and hub(spec, config)
    named = replace(spec, id=wanted.id) if new_id else spec
    return (spec, wanted.format) if is_topic and named.feed_url(wanted.format) == url else None


def publications(store: Store, clock: Callable[[], datetime]) -> Publications:
    """Return the feeds of a store as the hub needs them; `clock` returns the current time."""
    return Publications(render=partial(_render, store, clock), touched=_touched)


def _render(
    store: Store, clock: Callable[[], datetime], url: str, config: Config
) -> Rendered | None:
    topic = find(store, url, config)
    return render(store, *topic, config, clock())[1] if topic else None


def _touched(scopes: Collection[str], config: Config) -> list[str]:
    """Return the topics that depend on any of the scopes, without those of private views."""
    names = [("all", "")]
    names += [("section", section.id) for section in config.sections]
    names += [("source", source.id) for source in config.sources]
    names += [("view", view.id) for view in config.views if not view.token]
    specs = (views.resolve(kind, id, "", config) for kind, id in names)
    changed = set(scopes)
    return [
        spec.feed_url(format)
        for spec in specs
        if not changed.isdisjoint(build.scopes(spec.query))
        for format in FORMATS
    ]
