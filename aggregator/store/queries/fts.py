"""Full-text search: expressions that are never malformed, snippets, and words near an entry."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.store.database.connection import Connection

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD = re.compile(r"\w+", re.UNICODE)

MARK_OPEN, MARK_CLOSE = "\x02", "\x03"  # not legal in any stored text, so never mistaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A search as an FTS5 expression; `ignored` are the terms without letters or digits."""

    match: str
    ignored: tuple[str, ...] = ()


def expression(words: str, exclude: str = "") -> Expression:
    """Parse words, "phrases", prefix* and -not; every input gives an expression, maybe empty.

    Args:
        words: Terms that must all occur.
        exclude: Terms of which none may occur, in the same form.
    """
    wanted, unwanted, ignored = [], [], []
    for text, forced in ((words, False), (exclude, True)):
        for minus, phrase, word in _TERM.findall(text.replace("\0", " ")):
            quoted = _quoted(phrase or word)
            if not quoted:
                ignored.append(phrase or word or minus)
            elif forced or minus:
                unwanted.append(quoted)
            else:
                wanted.append(quoted)
    if not wanted:
        return Expression(match="", ignored=(*ignored, *(f"-{text}" for text in unwanted)))
    match = " AND ".join(wanted)
    if unwanted:
        match = f"({match}) NOT ({' OR '.join(unwanted)})"
    return Expression(match=match, ignored=tuple(ignored))


def any_term(text: str) -> str:
    """Return the expression for any of the words, "phrases" and prefixes* in a text, maybe ""."""
    terms = (_quoted(phrase or word) for _, phrase, word in _TERM.findall(text.replace("\0", " ")))
    return " OR ".join(filter(None, terms))


def _quoted(text: str) -> str:
    words = _WORD.findall(text)
    if not words:
        return ""
    # The index ignores case, and `AND` must only stand between terms.
    phrase = " ".join(words).replace(" AND ", " and ")
    return f'"{phrase}"' + ("*" if text.endswith("*") else "")


def snippets(db: Connection, match: str, entry_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return title and snippet of each entry, with matches between MARK_OPEN and MARK_CLOSE."""
    if not match or not entry_ids:
        return {}
    places = ", ".join("?" * len(entry_ids))
    rows = db.execute(
        "select rowid, highlight(entries_fts, 0, ?, ?), snippet(entries_fts, 1, ?, ?, '…', 40)"
        f" from entries_fts where entries_fts match ? and rowid in ({places})",
        (MARK_OPEN, MARK_CLOSE, MARK_OPEN, MARK_CLOSE, match, *entry_ids),
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
    found = {}
    for word in words:
        match = _quoted(word)
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
        found[word] = Occurrences(ids=(*before, *after), span=max(1, end - start))
    return found
