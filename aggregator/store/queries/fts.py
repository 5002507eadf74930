"""Full-text search: expressions that are never malformed, passages, and words near an entry."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.models import passage
from aggregator.models.search_terms import Term, split
from aggregator.store.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class FtsQuery:
    """A search as an FTS5 expression; `ignored` are the terms without letters or digits."""

    match: str
    ignored: tuple[str, ...] = ()


def expression(words: str, exclude: str = "") -> FtsQuery:
    """Return the FTS5 expression of a search; any text gives a valid one, perhaps "".

    Args:
        words: Terms that must all occur.
        exclude: Terms of which none may occur.
    """
    search, excluded = split(words), split(exclude)
    wanted = [_quoted(term) for term in search.terms if not term.is_excluded]
    unwanted = [_quoted(term) for term in search.terms if term.is_excluded]
    unwanted += [_quoted(term) for term in excluded.terms]
    ignored = (*search.ignored, *excluded.ignored)
    if not wanted:
        return FtsQuery(match="", ignored=(*ignored, *(f"-{text}" for text in unwanted)))
    match = " AND ".join(wanted)
    if unwanted:
        match = f"({match}) NOT ({' OR '.join(unwanted)})"
    return FtsQuery(match=match, ignored=ignored)


def any_term(text: str) -> str:
    """Return the expression for any of the terms of a text, "" without terms."""
    return " OR ".join(_quoted(term) for term in split(text).terms)


def _quoted(term: Term) -> str:
    return f'"{" ".join(term.indexed)}"' + ("*" if term.is_index_prefix else "")


def passages(db: Connection, words: str, entry_ids: list[int]) -> dict[int, str]:
    """Return the passage of each entry's text that a search found, with its matches marked.

    Args:
        words: The terms of the search.
    """
    terms = passage.pattern(split(words).terms)
    if terms is None or not entry_ids:
        return {}
    rows = db.execute(
        "select id, substr(text, 1, ?) from entries where id in (select value from json_each(?))",
        (PASSAGE_TEXT // max(len(entry_ids), 40), json.dumps(entry_ids)),
    )
    return {row[0]: passage.marked(row[1], terms) for row in rows}


PASSAGE_TEXT = 400_000
"""Characters of the texts of one page in which passages are looked for."""


NEAREST = 60
"""Occurrences of a word that are looked up on each side of an entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """The entries around an entry, in order of arrival, in which a word occurs.

    Args:
        ids: At most `NEAREST` before it and as many after it, without the entry.
        span: The number of entries that were searched for them.
    """

    ids: tuple[int, ...]
    span: int


def nearest(db: Connection, entry_id: int, words: Iterable[str]) -> dict[str, Occurrences]:
    """Return where words occur around an entry; common words cost no more than rare ones."""
    (last,) = db.execute("select coalesce(max(id), 0) from entries").fetchone()
    occurrences = {}
    for word in words:
        match = any_term(word)
        before, after = (
            [row[0] for row in db.execute(sql, (match, entry_id, NEAREST))]
            for sql in (
                "select rowid from entries_fts where entries_fts match ? and rowid < ?"
                " order by rowid desc limit ?",
                "select rowid from entries_fts where entries_fts match ? and rowid > ?"
                " order by rowid limit ?",
            )
        )
        start = before[-1] if len(before) == NEAREST else 1
        end = after[-1] if len(after) == NEAREST else last
        occurrences[word] = Occurrences(ids=(*before, *after), span=max(1, end - start))
    return occurrences
