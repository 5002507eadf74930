"""Words by language: kinds of events, genres, numbers, days, and words of any report. Pure.

A word ending in a dot stands for itself, other words for all that begin with them; `put.off` stands
for a phrase. Chinese and Japanese words are looked for anywhere in a text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from aggregator.dedupe.lexicon import ar, de, en, es, fr, ja, ru, zh
from aggregator.dedupe.tokenizer import FUNCTION_WORDS, fold, stem_arabic

_MODULES: Mapping[str, ModuleType] = {
    "ar": ar, "de": de, "en": en, "es": es, "fr": fr, "ja": ja, "ru": ru, "zh": zh,
}  # fmt: skip

LANGUAGES = tuple(_MODULES)

OPPOSITES = frozenset(
    frozenset(pair.split("|"))
    for pair in [
        "hire|jobcut",
        "raise|lower",
        "approve|reject",
        "open|close",
        "begin|end",
        "sign|breakdown",
        "convict|acquit",
        "win|lose",
        "win|draw",
        "lose|draw",
        "profit|loss",
        "ban|allow",
        "launch|cancel",
        "launch|postpone",
        "sign|cancel",
        "buy|cancel",
        "free|arrest",
        "acquit|charge",
        "appoint|resign",
        "elect|resign",
        "begin|postpone",
        "begin|cancel",
        "open|postpone",
        "open|cancel",
        "land|crash",
        "missing|rescue",
        "strike|sign",
        "approve|cancel",
        "approve|postpone",
        "snow|heat",
        "drought|flood",
    ]
)
"""Kinds of events of which a report of one is hardly a report of the other."""

_PREFIX = 3
"""Letters from which a word may stand for all that begin with it."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of a language.

    Args:
        marks: Meanings of a word or phrase: `kind:fire`, `genre:review`, `ahead`, `day:3`.
        prefixes: The same for the beginnings of words.
        heads: First letters of these; longest: letters of the longest.
        numbers: Value of a number word; a factor is negative.
        common: Words of any report, folded.
        starts: First words of the phrases in `marks`.
        spaced: Whether words are written with spaces between them.
        splitter: Separates the words that remain of unspaced text.
        finder: The words of `marks` in unspaced text.
    """

    language: str
    marks: Mapping[str, frozenset[str]]
    prefixes: Mapping[str, frozenset[str]]
    heads: frozenset[str]
    longest: int
    numbers: Mapping[str, float]
    common: frozenset[str]
    starts: frozenset[str]
    spaced: bool
    splitter: re.Pattern[str]
    finder: re.Pattern[str]

    def marks_of(self, word: str) -> frozenset[str]:
        """Return the meanings of a folded word."""
        found = self.marks.get(word, NO_MARKS)
        if word[:_PREFIX] not in self.heads:
            return found
        for length in range(_PREFIX, min(len(word), self.longest) + 1):
            if more := self.prefixes.get(word[:length]):
                found = found | more if found else more
        return found


NO_MARKS: frozenset[str] = frozenset()
"""The meanings of most words: an empty set of its own for each would take 216 bytes."""


@cache
def of(language: str) -> Lexicon:
    """Return the words of one of `LANGUAGES`."""
    module = _MODULES[language]
    marks: dict[str, set[str]] = {}
    prefixes: dict[str, set[str]] = {}
    spaced = language not in ("ja", "zh")

    def mark(words: str, meaning: str) -> None:
        for word in words.split():
            folded = fold(word.rstrip("."))
            if language == "ar" and "." not in folded:
                folded = stem_arabic(folded)
            is_whole = word.endswith(".") or "." in folded or len(folded) < _PREFIX
            target = marks if is_whole or not spaced else prefixes
            target.setdefault(folded.replace(".", " "), set()).add(meaning)

    for name, words in _rows(module.KINDS):
        mark(words, f"kind:{name}")
    for name, words in _rows(module.GENRES):
        mark(words, f"genre:{name}")
    mark(module.AHEAD, "ahead")
    mark(module.PLANNED, "planned")
    for number, day in enumerate(module.DAYS.split()):
        mark(day, f"day:{number}")
    for month in module.MONTHS.split():
        mark(month, "month")
    common = frozenset(fold(word) for word in module.COMMON.split())
    return Lexicon(
        language=language,
        marks={word: frozenset(found) for word, found in marks.items()},
        prefixes={word: frozenset(found) for word, found in prefixes.items()},
        heads=frozenset(word[:_PREFIX] for word in prefixes),
        longest=max(map(len, prefixes), default=0),
        numbers=_numbers(module.NUMBERS),
        common=common,
        starts=frozenset(phrase.partition(" ")[0] for phrase in marks if " " in phrase),
        spaced=spaced,
        splitter=_any({*marks, *common, *_GLUE}),
        finder=_any(marks),
    )


_GLUE = (
    "的了在是和与與及对對把被为為于於将將名说說称稱有也就都而其这這那个個向从從到等并並年月日时時个"
)
"""Characters of Chinese and Japanese that are no part of a name, mostly."""


def _any(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of the longest of the words, fast as it looks at first characters first."""
    by_first: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: (-len(word), word)):
        by_first.setdefault(word[0], []).append(re.escape(word[1:]))
    return re.compile("|".join(f"{re.escape(c)}(?:{'|'.join(r)})" for c, r in by_first.items()))


def _rows(text: str) -> list[tuple[str, str]]:
    """Return the rows `name: words`; a row may go on in indented lines."""
    rows = (row.partition(":") for row in text.strip().replace("\n  ", " ").splitlines())
    return [(name.strip(), words) for name, _, words in rows]


def _numbers(text: str) -> dict[str, float]:
    pairs = (pair.partition("=") for pair in text.split())
    return {
        fold(word): -float(value[1:]) if value.startswith("*") else float(value)
        for word, _, value in pairs
    }


_HINTS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        [
            "the",
            "and",
            "of",
            "to",
            "for",
            "with",
            "from",
            "that",
            "this",
            "was",
            "are",
            "has",
            "by",
            "on",
            "at",
            "after",
            "as",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "den",
            "dem",
            "und",
            "ist",
            "mit",
            "von",
            "fur",
            "ein",
            "eine",
            "nach",
            "im",
            "am",
            "auf",
            "zu",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "des",
            "du",
            "une",
            "dans",
            "pour",
            "sur",
            "avec",
            "est",
            "aux",
            "un",
            "et",
            "par",
            "qui",
            "au",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "la",
            "los",
            "las",
            "del",
            "una",
            "con",
            "por",
            "para",
            "un",
            "y",
            "que",
            "tras",
            "en",
            "se",
            "al",
            "su",
        ]
    ),
}
"""The most frequent words of languages in Latin letters."""

_ELSE = frozenset(
    [
        "il",
        "gli",
        "della",
        "che",
        "di",
        "per",
        "nel",
        "sono",
        "het",
        "een",
        "van",
        "voor",
        "niet",
        "zijn",
        "os",
        "uma",
        "nao",
        "dos",
        "das",
        "em",
        "pelo",
        "og",
        "det",
        "och",
        "att",
        "som",
        "w",
        "na",
        "z",
        "nie",
        "sie",
    ]
)
"""The same of languages without a lexicon."""

_KANA = re.compile("[\u3041-\u30fa]")
_HAN = re.compile("[\u3400-\u9fff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_ARABIC = re.compile("[\u0620-\u06ff]")
_NOT_LATIN = re.compile("|".join(each.pattern for each in (_KANA, _HAN, _CYRILLIC, _ARABIC)))
_LATIN = re.compile("[a-zA-Z\u00c0-\u024f]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """Return the language of a text, "" if it is none of `LANGUAGES`."""
    sample = text[:400]
    if not sample.isascii() and (language := _of_script(sample)):
        return language
    counts, counted = dict.fromkeys(("", *_HINTS), 0), _counted()
    words = _LETTERS.findall(fold(sample))
    for tells in filter(None, map(counted.get, words)):
        for language, count in tells:
            counts[language] += count
    best = max(_HINTS, key=counts.__getitem__)
    return best if words and counts[best] > counts[""] else ""


def _of_script(sample: str) -> str:
    """Return the language of a text in other letters than Latin ones, else ""."""
    if not _NOT_LATIN.search(sample):  # only some letters with accents, or quotation marks
        return ""
    latin = sum(map(len, _LATIN.findall(sample)))
    for pattern, language in ((_CYRILLIC, "ru"), (_ARABIC, "ar")):
        if len(pattern.findall(sample)) > latin:
            return language
    kana = len(_KANA.findall(sample))
    if 3 * (kana + len(_HAN.findall(sample))) > latin:
        return "ja" if kana > 2 else "zh"
    return ""


@cache
def _counted() -> Mapping[str, list[tuple[str, int]]]:
    """Return how much each word tells of its languages, "" for those without a lexicon."""
    counted: dict[str, list[tuple[str, int]]] = {word: [("", 2)] for word in _ELSE}
    for name, hints in _HINTS.items():
        common = of(name).common
        for word in hints | common:
            counted.setdefault(word, []).append((name, 2 * (word in hints) + (word in common)))
    return counted


def is_common(lexicon: Lexicon, word: str) -> bool:
    """Whether a folded word stands in any report."""
    return word in lexicon.common or word in FUNCTION_WORDS
