"""Full-text search: expressions that are never malformed, snippets, and words near an entry."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.models.search_terms import Term, split
from aggregator.store.database.connection import Connection

MARK_OPEN, MARK_CLOSE = "\x02", "\x03"  # not legal in any stored text, so never mistaken


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
    # The index ignores case, and ` AND ` inside a phrase would look like an operator.
    words = term.words.replace(" AND ", " and ")
    return f'"{words}"' + ("*" if term.is_prefix else "")


def snippets(db: Connection, match: str, entry_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return title and snippet of each entry, with matches between MARK_OPEN and MARK_CLOSE."""
    if not match or not entry_ids:
        return {}
    # One scan of the matches between the first and the last id: with `rowid in (...)`, FTS5 would
    # expand every prefix again for each id.
    rows = db.execute(
        "select rowid, highlight(entries_fts, 0, ?, ?), snippet(entries_fts, 1, ?, ?, '…', 40)"
        " from entries_fts where entries_fts match ? and rowid between ? and ?"
        " and +rowid in (select value from json_each(?))",
        (
            *(MARK_OPEN, MARK_CLOSE) * 2,
            match,
            min(entry_ids),
            max(entry_ids),
            json.dumps(entry_ids),
        ),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


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
