"""Text as it is compared between sources: words that tell, numbers and names, in any script.

Scripts that put no spaces between words are read as pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")

LONGEST = 60
"""Words of a lead that are looked at; the rest of a report is each publisher's own."""

# Written without spaces: Thai, Lao, Burmese, Khmer, Kana, Han.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# Vowel signs of Indian scripts are no letters to `re`, and yet within words.
_TOKEN = re.compile(
    rf"((?:[a-zA-Z]++|[^\W\d_{_UNSPACED}]|[\u0900-\u0963\u0970-\u0dff])+)"
    rf"|(\d+(?:[.,:/–-]\d+)*)|([{_UNSPACED}]+)"
    r"|([.!?…:;\"“”„«»])"
)
# Article, conjunction and prepositions; endings and pronouns. At least three letters are left.
_ARABIC_PREFIX = re.compile(r"\A(?:و?(?:ال|بال|كال|فال|لل)|و)(?=\w{3})")
_ARABIC_SUFFIX = re.compile(r"(?<=\w{3})(?:ها|هم|ات|ان|ون|ين|يه|ية|ه|ة|ي)\Z")
_MARKS = re.compile("[\u0300-\u036f\u0640\u064b-\u065f\u0670]")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:\D|\Z))")

# English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Arabic; marks folded.
_FUNCTION_WORDS = """
the and for with from that this are was has have had its their his her will would could into
over after amid but not you who what how why say says said new more than been were they about
der die das den dem des und ist sind war hat haben wird werden mit von vom zum zur auf aus bei
nach fur uber vor ein eine einen einem einer sich auch als wie nicht noch bis im am durch
les des une dans pour par sur avec est sont ete aux qui que ses son leur plus apres pas ont
los las una con por para del como sus mas tras sobre entre fue han
gli nel nella della delle dei alla che non con per sono dopo
dos das uma com para pelo pela apos nao
het een van met voor naar niet zijn door over
что как для при это его или был была были было под над после про без еще уже из на по за от до
على من الى في عن مع هذا هذه التي الذي بعد قبل بين كما وقد خلال حول
"""

FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that stand in any report, of the languages that need such a list most."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text, read.

    Args:
        all: Every word in its order, folded.
        telling: Those that say what the text is about.
        numbers: Written in figures, scores and dates as one.
        names: Those with a capital within a sentence; in scripts without capitals any may be one.
        threes: All sequences of three words.
    """

    all: tuple[str, ...]
    telling: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    threes: frozenset[tuple[str, ...]]


class Token(NamedTuple):
    """A word, folded, or "" for a mark behind which a capital is no sign of a name.

    Args:
        tells: Whether it says what a text is about.
        is_capital, has_no_case: How it begins, if it tells.
    """

    word: str
    tells: bool = False
    is_number: bool = False
    is_capital: bool = False
    has_no_case: bool = False


@lru_cache(maxsize=4_096)
def read(text: str) -> Words:
    """Return the words of a text's beginning."""
    found: list[str] = []
    numbers, names, telling = set[str](), set[str](), set[str]()
    begins = True
    for word, tells, is_number, is_capital, has_no_case in _tokens(text):
        if word:
            found.append(word)
            if tells:
                telling.add(word)
            if is_number:
                numbers.add(word)
            if has_no_case or (is_capital and not begins):
                names.add(word)
        begins = not word
        if len(found) == LONGEST:
            break
    return Words(
        tuple(found),
        frozenset(telling),
        frozenset(numbers),
        frozenset(names),
        frozenset(sequences(found, 3)),
    )


def beginning(text: str, count: int = LONGEST) -> list[Token]:
    """Return so many first words, those that `read` has in `all`.

    It is the cheaper one: most texts are like no other, and are never compared.
    """
    found: list[Token] = []
    for token in _tokens(text):
        if token.word:
            found.append(token)
            if len(found) == count:
                break
    return found


def _tokens(text: str) -> Iterator[Token]:
    return chain.from_iterable(map(_tokens_of, text.split()))


@lru_cache(maxsize=16_384)  # few make most of any text
def _tokens_of(chunk: str) -> tuple[Token, ...]:
    """Return the tokens of what stands between spaces."""
    found: list[Token] = []
    for word, number, run, _ in _TOKEN.findall(_folded(chunk)):
        if word:
            found.append(_word(word))
        elif number:
            found.append(Token(_number(number), tells=True, is_number=True))
        elif run:
            found += [Token(pair, tells=True, has_no_case=True) for pair in _pairs(run)]
        else:
            found.append(Token(""))
    return tuple(found)


def sequences(words: Sequence[_T], size: int) -> Iterator[tuple[_T, ...]]:
    """Return each so many words that follow one another."""
    return zip(*(words[start:] for start in range(size)), strict=False)


def _number(figures: str) -> str:
    return re.sub("[.,:/–]", "-", _THOUSANDS.sub("", figures))


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _folded(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


def _word(word: str) -> Token:
    lower, initial = _lower(word), word[0]
    tells = _tells(word, lower)
    is_capital = tells and initial.isupper()
    has_no_case = tells and not is_capital and initial.upper() == initial
    return Token(lower, tells, False, is_capital, has_no_case)


def _lower(word: str) -> str:
    lower = word.casefold()
    return _stemmed_arabic(lower) if "\u0600" <= lower[0] <= "\u06ff" else lower


def _stemmed_arabic(word: str) -> str:
    """Return a word without what Arabic writes together with it, as "light" stemmers do."""
    word = _ARABIC_PREFIX.sub("", word)
    return _ARABIC_SUFFIX.sub("", word)


AGAINST = frozenset(
    (
        "against",
        "gegen",
        "contre",
        "contra",
        "contro",
        "tegen",
        "против",
        "ضد",
        "反对",
        "反対",
        "反對",
    )
)
"""Words that turn a report into its opposite, where the other says no more than "for"."""


def _tells(word: str, lower: str) -> bool:
    if lower in FUNCTION_WORDS:
        return False
    return len(lower) > 2 or (len(word) == 2 and word.isupper()) or lower in AGAINST


def strangers(words: Iterable[str], known: "Stems") -> frozenset[str]:
    """Return the words that are not among those known, in whatever inflection."""
    return frozenset(word for word in words if word not in known)


class Stems:
    """Words that are found in any inflection: two match that begin alike for most of the longer."""

    __slots__ = ("_by_start", "_words")

    def __init__(self, words: Iterable[str]) -> None:
        """Take the words of one side of a comparison."""
        self._words = frozenset(words)
        self._by_start: dict[str, list[str]] | None = None

    def __contains__(self, word: str) -> bool:
        if word in self._words:
            return True
        if len(word) < 3 or word[0].isdigit():
            return False
        if self._by_start is None:
            self._by_start = {}
            for one in self._words:
                self._by_start.setdefault(one[:3], []).append(one)
        near = self._by_start.get(word[:3])
        return near is not None and any(_alike(word, one) for one in near)


def _alike(one: str, other: str) -> bool:
    shorter, longer = (one, other) if len(one) < len(other) else (other, one)
    if len(longer) == len(shorter) + 1 and longer.startswith(shorter):
        return True
    needed = max(4, -(-7 * len(longer) // 10))
    return one[:needed] == other[:needed]
