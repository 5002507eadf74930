"""The terms of a search text: words, "phrases", prefix* and -excluded ones, within bounds.

The bounds keep the cost of one search low: each prefix is expanded to every word of the index that
begins with it.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from aggregator.errors import QueryError
from aggregator.models import search_text
from aggregator.models.messages import N_

MAX_TERMS = 60
"""A run of a script without spaces counts as its pairs of characters."""

MAX_PREFIXES = 3
"""A single character of such a script counts as a prefix."""

MIN_PREFIX = 2
"""Letters before the `*`; one is enough in scripts without spaces between words."""

_QUOTES = '"„“”‟«»‹›「」『』《》〝〞〟'
_TERM = re.compile(rf"(-?)(?:[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]?|(\S+))")


@dataclass(frozen=True)
class Term:
    """One term of a search.

    Args:
        words: The words of a phrase, or one word, folded and joined by spaces.
    """

    words: str
    is_prefix: bool = False
    is_excluded: bool = False

    @cached_property
    def indexed(self) -> tuple[str, ...]:
        """The adjacent words of the index that match it, the last one perhaps as a prefix."""
        return tuple(search_text.searched(self.words))

    @property
    def is_index_prefix(self) -> bool:
        """Whether any word that begins with the last one of `indexed` matches."""
        last = search_text.parts(self.words)[-1]
        return len(last) == 1 if search_text.is_run(last) else self.is_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a text; `ignored` lists parts without letters or digits."""

    terms: tuple[Term, ...]
    ignored: tuple[str, ...] = ()


def split(text: str) -> Terms:
    """Return the distinct terms of any text, in order.

    A phrase stands between quotation marks of any language.
    """
    terms: dict[Term, None] = {}
    ignored: list[str] = []
    for minus, phrase, word in _TERM.findall(unicodedata.normalize("NFKC", text)):
        part = phrase or word
        words = " ".join(search_text.fold(part).split())
        if words:
            terms[Term(words, part.endswith("*"), bool(minus))] = None
        else:
            ignored.append((part or minus).replace("\0", ""))
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
    count = sum(map(_weight, terms))
    if count > MAX_TERMS:
        raise QueryError(
            N_(
                "%(key)s has %(count)s different terms: give at most %(most)s",
                key=key,
                count=count,
                most=MAX_TERMS,
            )
        )
    prefixes = [term.words for term in terms if term.is_index_prefix]
    if len(prefixes) > MAX_PREFIXES:
        raise QueryError(
            N_(
                "%(key)s has %(count)s prefixes (word*) and single characters:"
                " give at most %(most)s",
                key=key,
                count=len(prefixes),
                most=MAX_PREFIXES,
            )
        )
    for prefix in prefixes:
        last = search_text.parts(prefix)[-1]
        if len(last) < MIN_PREFIX and not search_text.is_run(last):
            raise QueryError(
                N_(
                    '%(key)s="%(prefix)s*" is too short: '
                    "write at least %(least)s letters before the *",
                    key=key,
                    prefix=prefix,
                    least=MIN_PREFIX,
                )
            )


def _weight(term: Term) -> int:
    """Return as how many terms one counts: words of a phrase are free, pairs of a run are not."""
    runs = [part for part in search_text.parts(term.words) if search_text.is_run(part)]
    return 1 + sum(max(0, len(run) - 2) for run in runs)
