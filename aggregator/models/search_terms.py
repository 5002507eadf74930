"""The terms of a search text: words, "phrases", prefix* and -excluded ones, within bounds.

The bounds keep the cost of one search low: each prefix is expanded to every word of the index that
begins with it.
"""

import re
from dataclasses import dataclass

from aggregator.errors import QueryError

MAX_TERMS = 60
MAX_PREFIXES = 3
MIN_PREFIX = 2
"""Letters before the `*`; one is enough in scripts without spaces between words."""

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a search.

    Args:
        words: The words of a phrase, or one word, joined by spaces.
    """

    words: str
    is_prefix: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a text; `ignored` lists parts without letters or digits."""

    terms: tuple[Term, ...]
    ignored: tuple[str, ...] = ()


def split(text: str) -> Terms:
    """Return the distinct terms of any text, in order."""
    terms: dict[Term, None] = {}
    ignored: list[str] = []
    for minus, phrase, word in _TERM.findall(text.replace("\0", " ")):
        part = phrase or word
        words = " ".join(_WORD.findall(part))
        if words:
            terms[Term(words, part.endswith("*"), bool(minus))] = None
        else:
            ignored.append(part or minus)
    return Terms(terms=tuple(terms), ignored=tuple(ignored))


def check(key: str, text: str) -> None:
    """Check that a text keeps the bounds.

    Args:
        key: The key of the query that holds it, `q` or `not`.
        text: The text.

    Raises:
        QueryError: The text has too many terms or prefixes, or too short a prefix.
    """
    terms = split(text).terms
    if len(terms) > MAX_TERMS:
        raise QueryError(f"{key} has {len(terms)} different terms: give at most {MAX_TERMS}")
    prefixes = [term.words for term in terms if term.is_prefix]
    if len(prefixes) > MAX_PREFIXES:
        raise QueryError(f"{key} has {len(prefixes)} prefixes (word*): give at most {MAX_PREFIXES}")
    for prefix in prefixes:
        last = prefix.rpartition(" ")[2]
        if len(last) < MIN_PREFIX and not _UNSPACED.match(last):
            raise QueryError(
                f'{key}="{prefix}*" is too short: write at least {MIN_PREFIX} letters before the *'
            )
