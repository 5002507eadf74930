"""Which addresses a site of files has, and which of them changed since the last build.

Each address has a key of its content. Pages also show entries and sources that they link to: a
page is rendered again when one of those changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote

from aggregator.formats.table import FORMATS
from aggregator.models.config import Config
from aggregator.models.query import minute
from aggregator.publish.addresses import entry_id
from aggregator.publish.folder import Built, Manifest
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection, Store
from aggregator.store.queries import archives, select, sitemap, static_site
from aggregator.store.queries.static_site import Shown, digest
from aggregator.store.sources import sources
from aggregator.web.feeds import build, views
from aggregator.web.feeds.views import ViewSpec, page_path
from aggregator.web.images import logo
from aggregator.web.pages import headline_index, parts
from aggregator.web.pages.sitemap import PART as SITEMAP_PART

ALWAYS = ""
"""The key of addresses that are rendered by every build: few, and they show the clock or all."""

FRONT = ("/", "/topics", "/corrections", "/robots.txt", "/sitemap.xml", "/sitemap/pages.xml",
         "/sitemap/news.xml", "/search/index.json", "/feeds/all.opml", "/404.html",
         *(f"/feeds/corrections.{format}" for format in FORMATS))  # fmt: skip
FIXED = ("/help", "/search", "/favicon.ico", "/apple-touch-icon.png", "/manifest.webmanifest")
UNCHANGING = ("/static/", "/icon/")
"""Begins of addresses that name their content, or the program's own files."""

FIXED_KEY = "fixed"
"""The key of addresses that change with the program or the configuration only."""

NAMES = ("category", "author")

IN_FEED = 200
"""Entries that the main document of a feed may have, and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The data behind the pages of a site; the fields as in `Manifest`.

    Args:
        newest: Ids of all entries, the newest first.
        lists: Ids of the entries of each list in its order, by path of the list's page.
        named: The same of categories and authors, by noun and case-folded name.
    """

    scopes: dict[str, int]
    sources: dict[str, str]
    entries: dict[int, Shown]
    newest: list[int]
    lists: dict[str, list[int]]
    named: dict[str, dict[str, list[int]]]

    @property
    def with_page(self) -> dict[str, list[str]]:
        """The categories and authors that have a page, by noun."""
        return {
            noun: sorted(name for name, ids in names.items() if len(ids) >= parts.FEWEST_NAMED)
            for noun, names in self.named.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The addresses of a site.

    Args:
        keys: By address, for all that the database names. Pages link to further addresses: those
            of categories and authors, and parts of pages such as scripts.
        entries: Ids of the entries that changed or are gone, and all others of their stories.
        sources: Ids of the sources that changed.
        entry_pages: Ids of further entries with a changed page.
    """

    keys: dict[str, str]
    state: State
    entries: frozenset[int] = frozenset()
    sources: frozenset[str] = frozenset()
    entry_pages: frozenset[int] = frozenset()
    _changed_links: frozenset[str] = field(default=frozenset())

    def is_current(self, address: str, built: Built | None) -> bool:
        """Return whether an address shows the same as when its file was written."""
        key = self.key(address)
        if built is None or key == ALWAYS or built.key != key:
            return False
        own = entry_id(address)
        if own is not None and (own in self.entries or own in self.entry_pages):
            return False
        return self.entries.isdisjoint(built.entries) and self._changed_links.isdisjoint(
            built.links
        )

    def key(self, address: str) -> str:
        """Return the key of an address."""
        if address.startswith(UNCHANGING):
            return FIXED_KEY
        if address not in self.keys:
            self._add_named(address)
        return self.keys.get(address, ALWAYS)

    def _add_named(self, address: str) -> None:
        """Add the pages of the category or author that an address belongs to."""
        path = address.partition("/before/")[0]
        _, noun, *name = path.split("/")
        ids = self.state.named.get(noun, {}).get(unquote("/".join(name)).casefold())
        if ids is not None:
            self.keys.update(_list_keys(path, listed(ids, self.state.entries)))


def close_archives(store: Store, config: Config) -> None:
    """Close the archives of all feeds that are full, as requests for the feeds would."""
    for spec in specs(config):
        if spec.archived:
            build.close_archives(store, spec)


def specs(config: Config) -> Iterator[ViewSpec]:
    """Yield the views that anyone may read."""
    named = [("section", section.id) for section in config.sections]
    named += [("view", view.id) for view in config.views if not view.token]
    named += [("source", source.id) for source in config.sources]
    for kind, id in [("all", ""), *named]:
        yield views.resolve(kind, id, "", config)


def read(db: Connection, config: Config, last: Manifest, now: datetime) -> State:
    """Return the data behind the pages; entries of unchanged sources are taken from `last`."""
    scopes = change_log.versions(db)
    digests = static_site.sources(db)
    same = {id for id in digests if _is_same(change_log.source_scope(id), scopes, last.scopes)}
    newest = static_site.newest_first(db)
    known = {id: shown for id in newest if (shown := last.entries.get(id)) and shown[0] in same}
    # A story may gain an entry of another source.
    stories = static_site.story_ids(db)
    known = {id: (shown[0], shown[1], stories.get(id, 0)) for id, shown in known.items()}
    entries = known | static_site.shown(db, [id for id in newest if id not in known])
    lists: dict[str, list[int]] = {"/stories": newest}
    lists |= {page_path("source", id): [] for id in digests}
    for id in newest:
        lists[page_path("source", entries[id][0])].append(id)
    in_sections = static_site.lists(db, "section")
    for section in config.sections:
        lists[page_path("section", section.id)] = in_sections.get(section.id, [])
    lists = {path: listed(ids, entries) for path, ids in lists.items()}
    for spec in specs(config):
        if spec.kind == "view":
            query = spec.at(now).query
            lists[spec.page_path] = select.select_ids(db, query, limit=select.LAST_ID)
    named = {noun: static_site.lists(db, noun) for noun in NAMES}
    return State(
        scopes=scopes, sources=digests, entries=entries, newest=newest, lists=lists, named=named
    )


def _is_same(scope: str, scopes: Mapping[str, int], last: Mapping[str, int]) -> bool:
    return scope in scopes and scopes[scope] == last.get(scope)


def listed(ids: Iterable[int], entries: Mapping[int, Shown]) -> list[int]:
    """Return the ids, of each story only that of its first entry among them."""
    ids = list(ids)
    firsts: dict[int, int] = {}
    for id in ids:
        if story := entries[id][2]:
            firsts[story] = min(id, firsts.get(story, id))
    return [id for id in ids if firsts.get(entries[id][2], id) == id]


def make(db: Connection, config: Config, last: Manifest, now: datetime) -> Plan:
    """Return the plan of a build.

    Args:
        db: Read in one snapshot.
        last: The manifest of the last build.
    """
    state = read(db, config, last, now)
    keys = dict.fromkeys(FRONT, ALWAYS) | dict.fromkeys(FIXED, FIXED_KEY)
    if logo.url(config.site, "") == logo.PATH:  # as feeds name it
        keys[logo.PATH] = ALWAYS
    keys |= _entry_keys(db, config, state)
    last_changes = static_site.last_changes(db)
    for path, ids in state.lists.items():
        own = last_changes.get(path.removeprefix("/source/"), "")
        keys |= _list_keys(path, ids, own)
    keys |= _feed_keys(db, config, state, now)
    keys |= _part_keys(db, state)
    old, new = last.sources, state.sources
    changed_sources = frozenset(id for id in {*old, *new} if old.get(id) != new.get(id))
    return Plan(
        keys=keys,
        state=state,
        entries=_changed_entries(db, state, last),
        sources=changed_sources,
        entry_pages=_with_changed_names(state, last),
        _changed_links=frozenset(page_path("source", id) for id in changed_sources),
    )


def _changed_entries(db: Connection, state: State, last: Manifest) -> frozenset[int]:
    """Return the entries that changed or are gone, with all others of their stories."""
    old, new = last.entries, state.entries
    changed = {id for id in {*old, *new} if old.get(id) != new.get(id)}
    stories = {shown[2] for id in changed for shown in (old.get(id), new.get(id)) if shown}
    stories.discard(0)
    before = {id for id, shown in old.items() if shown[2] in stories} if stories else set()
    return frozenset(changed | before | static_site.of_stories(db, stories))


def _with_changed_names(state: State, last: Manifest) -> frozenset[int]:
    """Return the entries with a category or an author that has a page now and had none, or both."""
    ids: set[int] = set()
    for noun, names in state.with_page.items():
        for name in {*names} ^ {*last.named.get(noun, ())}:
            ids.update(state.named[noun].get(name, ()))
    return frozenset(ids)


def _entry_keys(db: Connection, config: Config, state: State) -> dict[str, str]:
    """Return the keys of the pages of entries: of the entries before and after each."""
    sections = {section.id for section in config.sections}
    labels = sources.labels(db, state.sources)
    home = {}
    for id, label in labels.items():
        section = next((name for name in label.sections if name in sections), "")
        home[id] = page_path("section", section) if section else page_path("source", id)
    within: dict[int, list[str]] = {}
    for path in set(home.values()):
        for entry in state.lists[path]:
            within.setdefault(entry, []).append(path)
    newer = _nearest(state.newest, state, home, within)
    older = _nearest(state.newest[::-1], state, home, within)
    return {f"/entry/{id}": f"{newer[id]} {older[id]}" for id in state.newest}


def _nearest(
    ids: Sequence[int], state: State, home: Mapping[str, str], within: Mapping[int, Sequence[str]]
) -> dict[int, int]:
    """Return for each entry the one that precedes it in the list of its section or source."""
    latest: dict[str, int] = {}
    found = {}
    for id in ids:
        found[id] = latest.get(home[state.entries[id][0]], 0)
        for path in within.get(id, ()):
            latest[path] = id
    return found


def _list_keys(path: str, ids: Sequence[int], own: str = "") -> dict[str, str]:
    """Return the keys of the pages of a list."""
    pages = list(parts.split(ids))
    starts = [before for before, _ in pages]
    around = zip([0, *starts], [*starts[1:], 0], strict=False)
    return {
        parts.path(path, before): digest((newer, older, tuple(page_ids), own))
        for (before, page_ids), (newer, older) in zip(pages, around, strict=False)
    }


def _feed_keys(db: Connection, config: Config, state: State, now: datetime) -> dict[str, str]:
    keys = {}
    all_sources = digest(sorted(state.sources.items()))
    version = state.scopes.get(change_log.ARCHIVES, 0)
    oldest = min(state.entries, default=0)
    for spec in specs(config):
        scopes = [state.scopes.get(scope, 0) for scope in build.scopes(spec.query)]
        of_sources = state.sources.get(spec.id) if spec.kind == "source" else all_sources
        # The scopes do not tell of entries that expire.
        ids = state.lists.get("/stories" if spec.kind == "all" else spec.page_path, [])
        within = minute(now) if spec.query.within else None
        key = digest((scopes, of_sources, ids[:IN_FEED], within))
        closed = archives.ranges(db, spec.key) if spec.archived else []
        for format in FORMATS:
            keys[spec.feed_path(format)] = key
            for part in closed:
                state_of_part = f"archive {version} {part.last_id < oldest}"
                keys[spec.feed_path(format, part.number)] = state_of_part
    return keys


def _part_keys(db: Connection, state: State) -> dict[str, str]:
    """Return the keys of the parts of sitemaps and of the search index."""
    keys = {}
    for part in sitemap.parts(db, SITEMAP_PART):
        listed = sitemap.stories(db, part, SITEMAP_PART)
        keys[f"/sitemap/stories/{part}.xml"] = digest(listed)
    by_part: dict[int, list[tuple[int, str, str]]] = {}
    for id, (source_id, shown, _) in sorted(state.entries.items()):
        title = state.sources[source_id]
        by_part.setdefault(id // headline_index.PART, []).append((id, shown, title))
    for part in sorted(by_part, reverse=True)[: headline_index.MAX_PARTS]:
        keys[f"/search/{part}.json"] = digest(by_part[part])
    return keys
