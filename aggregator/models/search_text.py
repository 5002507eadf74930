"""Text as the search index stores it: folded words, and pairs of characters of unspaced scripts.

Texts and searches are folded alike, so that a word is found in every spelling of the same letters:
case, accents, vowel points, full width, ligatures and Unicode's normal forms. Scripts that put no
spaces between words, and Hangul, whose words carry endings, are indexed as overlapping pairs:

    "Kyōto 京都市" -> "kyoto 京都 都市 市"

A word within such a run is a phrase of pairs, and a single character the beginning of a pair, for
which the last character of each run is added.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import cast

UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0edf\u1000-\u103f\u1050-\u109d\u1100-\u11ff"
    "\u1780-\u17d3\u17dc\u17dd\u3005-\u3007\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufad9"
    "\U00020000-\U0003fffd"
)
"""Characters of scripts that are indexed as pairs, in a regular expression, without punctuation:
Thai, Lao, Burmese, Jamo, Khmer, Kana, Bopomofo, Han, Hangul."""

_RUN = re.compile(f"[{UNSPACED}]+")
_PART = re.compile(f"[{UNSPACED}]+|[^ {UNSPACED}]+")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_UNFOLDED_ASCII = re.compile("[\x00-\x1f!-/:-`{-\x7f]+")

# Vowel points and accents that are optional where they are written; elsewhere marks are letters.
_OPTIONAL_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06ed\u08d3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
_TATWEEL = "\u0640"

# Letters without a decomposition: Latin, then Arabic as people type it, then Persian.
_ALIKE = {
    "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th",
    "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ٱ": "ا",
}  # fmt: skip


class _Folds(dict[int, str]):
    """The replacement of each character: "" if it is left out, a space if it ends a word."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or character == _TATWEEL or _OPTIONAL_MARKS.match(character):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] not in "LMN":
        return " "
    letters = unicodedata.normalize("NFKD", character.casefold())
    letters = unicodedata.normalize("NFC", _OPTIONAL_MARKS.sub("", letters))
    return "".join(_ALIKE.get(letter, letter) for letter in letters)


_FOLDS = _Folds()
_ASCII = str.maketrans({chr(code): _folded(chr(code)) for code in range(128)})


def fold(text: str) -> str:
    """Return the words of a text, folded, with spaces in place of all other characters."""
    if text.isascii():
        return text.translate(_ASCII)
    try:
        # The codec finds the other characters twice as fast as a regular expression.
        return text.encode("ascii", _FOLD).decode().translate(_ASCII)
    except UnicodeEncodeError:  # a folded character is not ASCII
        # Not `translate`, which is slow for characters that are not in the table.
        return _UNFOLDED_ASCII.sub(_fold_ascii, _NOT_ASCII.sub(_fold_match, text))


def _fold_ascii(match: re.Match[str]) -> str:
    return match.group().translate(_ASCII)


def _fold_match(match: re.Match[str]) -> str:
    return _fold_part(match.group())


def _fold_unencodable(error: UnicodeEncodeError) -> tuple[str, int]:
    return _fold_part(error.object[error.start : error.end]), error.end


_FOLD = "aggregator.fold"
codecs.register_error(_FOLD, cast("Callable[[UnicodeError], tuple[str, int]]", _fold_unencodable))


def _fold_part(part: str) -> str:
    """Return characters that are not ASCII, folded.

    Apart from the others: no normal form joins them, but with optional marks.
    """
    return _fold_short(part) if len(part) <= 12 else _fold_long(part)


def _fold_long(part: str) -> str:
    return unicodedata.normalize("NFKC", part).translate(_FOLDS)


_fold_short = lru_cache(maxsize=4_096)(_fold_long)  # letters with accents, quotation marks, words


def indexed(text: str) -> str:
    """Return the words that the search index stores of a text, separated by spaces."""
    folded = fold(text)
    return folded if folded.isascii() else _RUN.sub(_indexed_run, folded)


def _indexed_run(match: re.Match[str]) -> str:
    run = match.group()
    pairs = [run[at : at + 2] for at in range(len(run))]  # the last is a single character
    return f" {' '.join(pairs)} "


def parts(words: str) -> list[str]:
    """Return the parts of a folded text: words, and runs of unspaced scripts."""
    return _PART.findall(words)


def is_run(part: str) -> bool:
    """Return whether a part is a run of an unspaced script."""
    return _RUN.match(part) is not None


def searched(words: str) -> list[str]:
    """Return the words of a folded phrase that are adjacent in the index of a text that has it.

    Where the last one is a single character of an unspaced script, it is the beginning of a word.
    """
    found = parts(words)
    adjacent: list[str] = []
    for number, part in enumerate(found, start=1):
        if is_run(part):
            whole = len(part) == 1 or number < len(found)
            adjacent += [part[at : at + 2] for at in range(len(part) - (not whole))]
        else:
            adjacent.append(part)
    return adjacent
