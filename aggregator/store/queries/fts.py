"""The words of a search, as an FTS5 expression that can't be malformed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.store.database.connection import Connection

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD = re.compile(r"\w+", re.UNICODE)

MARK_OPEN, MARK_CLOSE = "\x02", "\x03"  # not legal in any stored text, so never mistaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A search as FTS5 reads it; `ignored` names what had no letters or digits to look for."""

    match: str
    ignored: tuple[str, ...] = ()


def expression(words: str, exclude: str = "") -> Expression:
    """Read words, "phrases", prefix* and -not; every input gives an expression, maybe empty.

    Args:
        words: What must occur, all of it.
        exclude: What must not occur, any of it, in the same form.
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
    # Case makes no difference to the index, and `AND` stays what stands between terms.
    phrase = " ".join(words).replace(" AND ", " and ")
    return f'"{phrase}"' + ("*" if text.endswith("*") else "")


def snippets(db: Connection, match: str, entry_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return title and passage of each entry, the found words between MARK_OPEN and MARK_CLOSE."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """Entries nearest to one, in order of arrival, in which a word occurs.

    Args:
        ids: At most `NEAREST` before it and as many after it; never the entry itself.
        span: Among how many entries these are all that have the word.
    """

    ids: tuple[int, ...]
    span: int


def nearest(db: Connection, entry_id: int, words: Iterable[str]) -> dict[str, Occurrences]:
    """Return where words occur around an entry; a word costs the same however common it is."""
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
