"""Apply the options of a source to its entries: language, transforms and title template.

The fingerprint stays that of the text as published, so that a change of the options is no
correction. Expressions are RE2's, which take linear time; the number of matches is bounded.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import re2

from aggregator.clean import text
from aggregator.clean.entry import SUMMARY_LENGTH
from aggregator.clean.html.sanitise import sanitise
from aggregator.models import excerpt
from aggregator.models.config import Reading, Transform
from aggregator.models.entry import Entry, SafeHtml

MOST_MATCHES = 1_000
"""Matches of one expression in one text that are replaced."""

SHOWN = 100
"""Characters of a title that the description of an edit shows."""

_PLACEHOLDER = re.compile(r"\{(title|author|category|summary|feed)\}")
_GROUP = re.compile(r"\\([0-9])")


def apply(entry: Entry, reading: Reading, *, feed: str) -> Entry:
    """Return an entry with the options of its source applied.

    Args:
        entry: Cleaned.
        reading: The options.
        feed: The title of the feed.
    """
    edits: list[str] = []
    if reading.language:
        entry = replace(entry, language=reading.language.lower())
    if reading.transforms:
        title = transformed(entry.title, reading.transforms, "title", edits)
        entry = replace(entry, title=text.one_line(title, text.TITLE_LENGTH))
        content = transform_content(entry.content, reading.transforms, entry.link, edits)
        if content != entry.content:
            words, before = text.plain(content), text.plain(entry.content)
            summary = transformed(entry.summary, reading.transforms, "content", [])
            if entry.summary == text.one_line(before, SUMMARY_LENGTH):  # made of the content
                summary = words
            entry = replace(
                entry,
                content=content,
                text=excerpt.lead(words, text.TEXT_LENGTH),
                summary=text.one_line(summary, SUMMARY_LENGTH),
            )
    if reading.title:
        title = _titled(entry, reading.title, feed)
        if title and title != entry.title:
            edits.append(_of_title(entry.title, title, "title_template"))
            entry = replace(entry, title=title)
    return replace(entry, edits=tuple(edits)) if edits else entry


def transform_content(
    content: SafeHtml, transforms: Sequence[Transform], base: str, edits: list[str]
) -> SafeHtml:
    """Return sanitised HTML after the transforms of contents, sanitised again if they changed it.

    Args:
        content: Sanitised.
        transforms: Of the source.
        base: URL that relative references of a replacement resolve against.
        edits: Gets a description of each change.
    """
    changed = transformed(content, transforms, "content", edits)
    return content if changed == content else sanitise(changed, base=base)


def transformed(value: str, transforms: Sequence[Transform], field: str, edits: list[str]) -> str:
    """Return a text after the transforms of a field; `edits` gets a description of each change."""
    for transform in transforms:
        if transform.field != field:
            continue
        after, count = _replaced(value, transform)
        if after == value:
            continue
        if field == "title":
            edits.append(_of_title(value, after, f"transforms: {transform.pattern}"))
        else:
            matches = "1 match" if count == 1 else f"{count:,} matches"
            edits.append(f"content: {matches} replaced (transforms: {transform.pattern})")
        value = after
    return value


def _replaced(value: str, transform: Transform) -> tuple[str, int]:
    """Return a text with the matches replaced, and their number."""
    pieces: list[str] = []
    end = count = 0
    for match in _compile(transform.pattern).finditer(value):
        if count == MOST_MATCHES:
            break
        pieces += (value[end : match.start()], _filled(transform.replacement, match))
        end = match.end()
        count += 1
    return "".join((*pieces, value[end:])), count


def _filled(template: str, match: "re2._Match") -> str:
    """Return a replacement with the groups of a match; re2's own garbles other than ASCII."""
    return _GROUP.sub(lambda group: match[int(group[1])] or "", template)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(pattern, options)


def _titled(entry: Entry, template: str, feed: str) -> str:
    values = {
        "title": entry.title,
        "author": ", ".join(author.name for author in entry.authors if author.name),
        "category": next(iter(entry.categories), ""),
        "summary": excerpt.first_words(entry.summary),
        "feed": feed,
    }
    filled = _PLACEHOLDER.sub(lambda name: values[name[1]], template)
    return text.one_line(filled, text.TITLE_LENGTH)


def _of_title(before: str, after: str, reason: str) -> str:
    return f"title “{before[:SHOWN]}” became “{after[:SHOWN]}” ({reason})"
