"""Builds the site as files: renders changed addresses, and removes files that no longer belong.

All files are rendered aside, then put in place: new ones before the pages that link to them. Files
are removed last. A build that is interrupted leaves no dead link, and the next one completes it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aggregator import __version__
from aggregator.errors import AggregatorError
from aggregator.models.config import Config
from aggregator.publish import folder, plan
from aggregator.publish.addresses import entry_id
from aggregator.publish.folder import Built, Manifest, Staged
from aggregator.publish.plan import Plan
from aggregator.publish.render import NOT_FOUND, Here, Job, Pool, available_processors, pool
from aggregator.store.database import site_id
from aggregator.store.database.connection import Store
from aggregator.store.queries import static_site
from aggregator.store.queries.static_site import digest

PACKAGE = Path(__file__).parent.parent

MANY = 400
"""Entries from which a build from scratch is worth the start of further processes."""


class NotPublishable(AggregatorError):
    """The site has no address, or settings that need a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a build.

    Args:
        files: Number of files of the site.
        rendered: Number of addresses that were rendered.
        dead_links: Links that lead to no file, each with an address that has it.
    """

    files: int
    rendered: int
    new: int
    changed: int
    removed: int
    dead_links: tuple[tuple[str, str], ...]


def build(
    config: Config,
    target: Path,
    *,
    now: datetime,
    relative: bool = False,
    processes: int | None = None,
) -> Report:
    """Write the site into a folder.

    Args:
        config: With a `base_url`, which feeds and sitemaps name.
        target: The folder; it is created, or has been written by an earlier build.
        now: The current time.
        relative: Whether pages link to each other by relative addresses.
        processes: That render at the same time; None for one on each processor, where it pays.

    Raises:
        NotPublishable: As for `published`.
        AggregatorError: The folder is not ours, the database can't be read, or a page can't be
            rendered.
    """
    config = published(config)
    job = Job(config=config, folder=str(target), now=now, relative=relative)
    site = digest((__version__, config, relative, _files_of_pages()))
    with ExitStack() as stack:
        last = stack.enter_context(folder.opened(target))
        store = Store(config.storage)
        stack.callback(store.close)
        site_id.ensure(store, config.site.base_url)
        plan.close_archives(store, config)
        is_new = last.site != site
        if is_new:
            last = Manifest(files=last.files, is_finished=last.is_finished)
        writer = stack.enter_context(_snapshot(job, store, is_new=is_new, processes=processes))
        with store.reading() as db:
            made = plan.make(db, config, last, now)
        rendering = Rendering(made, {} if is_new else last.files)
        rendering.run(writer)
        folder.save(target, replace(last, is_finished=False))
        folder.put_in_place(target, rendering.staged)
        files = {built.file for built in rendering.files.values()}
        gone = {built.file for built in last.files.values()} - files
        if not last.is_finished:
            gone |= set(folder.strays(target, files))
        removed = folder.remove(target, sorted(gone))
        folder.save(target, _manifest(site, made, rendering.files))
    outcomes = Counter(staged.outcome for staged in rendering.staged)
    return Report(
        files=len(files),
        rendered=rendering.count,
        new=outcomes["new"],
        changed=outcomes["changed"],
        removed=removed,
        dead_links=tuple(sorted(rendering.dead_links().items())),
    )


def _manifest(site: str, made: Plan, files: Mapping[str, Built]) -> Manifest:
    state = made.state
    common = frozenset(files[NOT_FOUND].links)  # the frame of all pages
    own = {
        address: replace(built, links=tuple(link for link in built.links if link not in common))
        for address, built in files.items()
        if address != NOT_FOUND and not common.isdisjoint(built.links)
    }
    return Manifest(
        site=site,
        scopes=state.scopes,
        sources=state.sources,
        entries=state.entries,
        named=state.with_page,
        files={**files, **own},
        is_finished=True,
    )


def published(config: Config) -> Config:
    """Return the configuration of the site as files.

    Raises:
        NotPublishable: It has no base_url, or the site requires a password or fetches pictures.
    """
    if not config.site.base_url:
        raise NotPublishable(
            "the site has no address, which its feeds and sitemaps name: set site.base_url or give"
            " --base-url https://…"
        )
    if config.auth.on and config.auth.protect == "site":
        raise NotPublishable(
            "auth.protect is `site`, but files can't ask for a password: remove the key to publish"
            " the site, or serve it with `aggregator run`"
        )
    if config.media.proxy:
        raise NotPublishable(
            "media.proxy is on, but files can't fetch pictures: remove the key, and pages load the"
            " pictures from their publishers"
        )
    return replace(config, site=replace(config.site, static=True))


def _files_of_pages() -> list[tuple[str, bytes]]:
    """Return the templates and static files, with which pages change."""
    names = ("templates", "static")
    paths = (path for name in names for path in (PACKAGE / "web" / name).rglob("*"))
    return [(path.name, path.read_bytes()) for path in sorted(paths) if path.is_file()]


@contextmanager
def _snapshot(
    job: Job, store: Store, *, is_new: bool, processes: int | None
) -> Iterator[Here | Pool]:
    """Yield the renderer, in one snapshot of the database that this process sees, too."""
    count = processes or (available_processors() if is_new and _is_large(store) else 1)
    with ExitStack() as stack:
        if count == 1:
            stack.enter_context(store.reading())
            yield Here(job, store)
            return
        writer = stack.enter_context(pool(job, count))
        with store.transaction():  # keeps writers out until all processes have their snapshot
            writer.begin()
            stack.enter_context(store.reading())
        yield writer


def _is_large(store: Store) -> bool:
    with store.reading() as db:
        return len(static_site.newest_first(db)) >= MANY


class Rendering:
    """The files of a site: those of the last build that are current, and those rendered now."""

    def __init__(self, made: Plan, last: Mapping[str, Built]) -> None:
        """Begin with the addresses of a plan, and the files of the last build."""
        self._plan, self._last = made, last
        self.files: dict[str, Built] = {}
        self.staged: list[Staged] = []
        self.count = 0

    def run(self, writer: Here | Pool) -> None:
        """Render the addresses that changed, then all that pages link to."""
        seen = set(self._plan.keys)
        waiting = list(self._plan.keys)
        while waiting:
            self._render(waiting, writer)
            found = (self.files[address].links for address in waiting if address in self.files)
            linked = {link for links in found for link in links if "?" not in link}
            waiting = sorted(linked - seen)
            seen |= linked

    def _render(self, addresses: Iterable[str], writer: Here | Pool) -> None:
        stale = []
        for address in addresses:
            built = self._last.get(address)
            if built and self._plan.is_current(address, built):
                self.files[address] = built
            else:
                stale.append(address)
        self.count += len(stale)
        for rendered in writer.render(stale):
            if rendered.file:
                key = self._plan.key(rendered.address)
                built = Built(rendered.file, key, rendered.entries, rendered.links)
                self.files[rendered.address] = built
            if rendered.staged:
                self.staged.append(rendered.staged)

    def dead_links(self) -> dict[str, str]:
        """Return the links that lead to no file, each with an address that has it."""
        entries = {id for address in self.files if (id := entry_id(address)) is not None}
        dead: dict[str, str] = {}
        for address, built in self.files.items():
            dead |= {link: address for link in built.links if link not in self.files}
            dead |= {f"/entry/{id}": address for id in built.entries if id not in entries}
        return dead
