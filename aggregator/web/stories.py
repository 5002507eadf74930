"""Entries as the pages tell them: titles that are never empty, pictures, passages, differences."""

import difflib
import html
import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from aggregator.model import Enclosure, Entry, SafeHtml, StoredEntry
from aggregator.store.entries import Version
from aggregator.store.search import MARK_CLOSE, MARK_OPEN
from aggregator.store.sources import SourceState
from aggregator.web.contexts import Change, Clip, Day, Story

_WORDS = re.compile(r"\w+|\W+")
LONGEST_DIFF = 4_000
"""Words of which a difference is shown; longer texts are compared by their beginnings."""


def headline(entry: Entry) -> str:
    """Return the title, else the first words, else what there is."""
    words = entry.title or " ".join(entry.summary.split()[:12])
    return words or entry.link or "Untitled"


def story(
    stored: StoredEntry,
    states: Mapping[str, SourceState],
    *,
    sections: Mapping[str, str] | None = None,
    found: tuple[str, str] | None = None,
) -> Story:
    """Return an entry for a list.

    Args:
        states: The sources, by id.
        sections: Titles of sections by id, to name the story's first one.
        found: Title and passage with the found words marked, of a search.
    """
    state, entry = states.get(stored.source_id), stored.entry
    section = ""
    if sections and state is not None:
        section = next((sections[s] for s in state.sections if s in sections), "")
    return Story(
        id=stored.id,
        url=f"/entry/{stored.id}",
        title=headline(entry),
        passage=marked(found[1]) if found and found[1] else SafeHtml(html.escape(entry.summary)),
        source_id=stored.source_id,
        source=state.title if state else stored.source_id,
        at=stored.sort_at,
        section=section,
        image=entry.image,
        kind=next((kind(enclosure) for enclosure in entry.enclosures), ""),
        language=entry.language,
    )


def kind(enclosure: Enclosure) -> str:
    """Return audio, video or file."""
    first = enclosure.type.partition("/")[0]
    return first if first in ("audio", "video") else "file"


def clips(entry: Entry) -> tuple[Clip, ...]:
    """Return what can be played or fetched; pictures are shown as such."""
    return tuple(
        Clip(enclosure=enclosure, kind=kind(enclosure))
        for enclosure in entry.enclosures
        if not enclosure.type.startswith("image/")
    )


def marked(text: str) -> SafeHtml:
    """Return a passage as HTML, the found words in <mark>."""
    escaped = html.escape(text)
    return SafeHtml(escaped.replace(MARK_OPEN, "<mark>").replace(MARK_CLOSE, "</mark>"))


def by_day(stories: Sequence[Story]) -> tuple[Day, ...]:
    """Return stories under their days, in GMT."""
    return tuple(
        Day(day=day, stories=tuple(group))
        for day, group in groupby(stories, key=lambda story: story.at.date())
    )


def changes(entry: Entry, versions: Sequence[Version]) -> tuple[Change, ...]:
    """Return how each earlier wording differs from the next, newest first."""
    wordings = [(version.title, version.text) for version in versions] + [(entry.title, entry.text)]
    made = [
        Change(
            until=version.until,
            title=difference(wordings[at][0], wordings[at + 1][0]),
            text=difference(wordings[at][1], wordings[at + 1][1]),
        )
        for at, version in enumerate(versions)
    ]
    return tuple(reversed(made))


def difference(old: str, new: str) -> SafeHtml:
    """Return what changed, word by word, as <del> and <ins>; "" when nothing did."""
    if old == new:
        return SafeHtml("")
    before, after = _WORDS.findall(old)[:LONGEST_DIFF], _WORDS.findall(new)[:LONGEST_DIFF]
    parts = []
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=len(before) > 500)
    for tag, a, b, c, d in matcher.get_opcodes():
        gone, come = html.escape("".join(before[a:b])), html.escape("".join(after[c:d]))
        if tag == "equal":
            parts.append(gone if len(gone) < 240 else f"{gone[:100]} … {gone[-100:]}")
            continue
        parts += [f"<del>{gone}</del>" if gone else "", f"<ins>{come}</ins>" if come else ""]
    return SafeHtml("".join(parts))
