"""Turn an OPML file into sections and sources that a configuration can take."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aggregator.config import ids
from aggregator.config.validation import InvalidValue
from aggregator.config.values import Url
from aggregator.formats import opml
from aggregator.formats.opml import Outline, Rejected
from aggregator.models.config import Section, Source
from aggregator.models.query import ID
from aggregator.models.urls import source_feed
from aggregator.policy import feed_addresses

LONGEST_TITLE = 200
"""Characters that the configuration allows in a title."""

_URL = Url()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sections and sources to add.

    Args:
        known: Ids of configured sources that the file lists too.
        extended: The sections that the file adds to them, by source id.
        merged: Number of outlines of a feed that the file had listed before.
    """

    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    known: tuple[str, ...]
    extended: Mapping[str, tuple[str, ...]]
    merged: int
    rejected: tuple[Rejected, ...]


def plan(
    document: opml.OpmlDocument,
    sections: Sequence[Section],
    sources: Sequence[Source],
    base: str = "",
) -> Plan:
    """Return the additions of an OPML file to the given sections and sources.

    Folders and categories become sections. A feed that is listed twice, in any spelling of its
    URL, becomes one source in all of its sections. The address of a channel, account or the like
    becomes the URL of its feed.

    Args:
        document: The file.
        sections, sources: As configured.
        base: The site's own address, "" if it has none; its feed of a source stands for the source.
    """
    catalogue = _Catalogue(sections)
    by_url = {_URL.identity(source.url): source for source in sources}
    if base:
        by_url |= {_URL.identity(source_feed(base, source.id)): source for source in sources}
    taken = {source.id for source in sources}
    added: dict[str, Source] = {}
    rejected, known, merged = list(document.rejected), dict[str, dict[str, None]](), 0
    for folders, listed in opml.sources(_without_wrapper(document.outlines)):
        outline = replace(listed, url=feed_addresses.feed_url(listed.url))
        key = _URL.identity(outline.url)
        if existing := by_url.get(key):
            inside = dict.fromkeys(catalogue.sections_of(folders, outline))
            known.setdefault(existing.id, {}).update(inside)
            continue
        if reason := _refused(outline.url):
            rejected.append(Rejected(text=outline.text, url=outline.url, reason=reason))
            continue
        inside = dict.fromkeys(catalogue.sections_of(folders, outline))
        merged += key in added
        source = added.get(key) or _source(outline, taken)
        taken.add(source.id)
        added[key] = replace(source, sections=tuple(dict.fromkeys((*source.sections, *inside))))
    return Plan(
        sections=tuple(catalogue.new),
        sources=tuple(added.values()),
        known=tuple(known),
        extended=_extended(sources, known),
        merged=merged,
        rejected=tuple(rejected),
    )


def _extended(
    sources: Sequence[Source], listed: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the listed sections that configured sources are not in, by source id."""
    new = {
        source.id: tuple(id for id in listed.get(source.id, ()) if id not in source.sections)
        for source in sources
    }
    return {source_id: ids for source_id, ids in new.items() if ids}


def _without_wrapper(outlines: tuple[Outline, ...]) -> tuple[Outline, ...]:
    """Leave out a folder around all folders: some readers name their whole list so."""
    while len(outlines) == 1 and not outlines[0].url:
        children = outlines[0].children
        if any(child.url for child in children):
            break
        outlines = children
    return outlines


def _refused(url: str) -> str:
    try:
        _URL.convert(url)
    except InvalidValue as invalid:
        return f"the address {invalid.message}. {invalid.remedy}".rstrip(" .")
    return ""


def _source(outline: Outline, taken: set[str]) -> Source:
    title = "" if outline.text == outline.url else _title(outline.text)
    return Source(id=ids.source_id(title, outline.url, taken), url=outline.url, title=title)


def _title(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


@dataclass(slots=True)
class _Catalogue:
    """The sections by title and id; creates those that are missing."""

    known: Sequence[Section]
    new: list[Section] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    by_name: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for section in self.known:
            self._add(section)

    def sections_of(self, folders: tuple[Outline, ...], outline: Outline) -> Iterator[str]:
        """Yield the ids of a source's sections, from its folders and its categories."""
        for folder in folders:
            if title := _title(folder.text):
                preferred = folder.categories[0] if len(folder.categories) == 1 else ""
                yield self._find_or_create(title, preferred)
        for path in outline.categories:
            for name in path.split("/"):
                if title := _title(name):
                    yield self._find_or_create(title)

    def _find_or_create(self, title: str, preferred: str = "") -> str:
        """Return the id of the section with a title, or for a category also with an id.

        Args:
            preferred: The id for a new section; another is taken if it can't be used.
        """
        existing = self.by_name.get(title.casefold())
        if existing is not None:
            return existing
        usable = bool(ID.fullmatch(preferred)) and preferred not in self.taken
        id = preferred if usable else ids.section_id(title, self.taken)
        section = Section(id=id, title=title)
        self.new.append(section)
        self._add(section)
        return id

    def _add(self, section: Section) -> None:
        self.taken.add(section.id)
        self.by_name.setdefault(section.title.casefold(), section.id)
        self.by_name.setdefault(section.id, section.id)
