"""Split text of any script into words for comparison: content words, numbers and names.

Scripts that put no spaces between words are split into overlapping pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")

MAX_WORDS = 60
"""Words of a lead that are compared; the rest of a text differs between publishers."""

MAX_LENGTH = 2_000
"""Characters of a text in which its words are looked for."""

PART = 120
"""Characters of a text that are split at once: often, only its first words are needed."""

CACHED_LENGTH = 24
"""Letters up to which a word is cached: longer ones are rare, and may be made to fill memory."""

# Written without spaces: Thai, Lao, Burmese, Khmer, Kana, Han.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# `re` does not count vowel signs of Indian scripts as letters.
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
"""Words of any text, for the languages that need such a list most."""


@dataclass(frozen=True)
class TokenizedText:
    """The words of a text's beginning; most are compared by few of the properties.

    Args:
        words: Every word in order, folded.
        tokens: The same with what is known of each.
        names: Words with a capital within a sentence; all words of scripts without capitals.
    """

    words: tuple[str, ...]
    tokens: tuple["Token", ...]
    names: frozenset[str]

    @cached_property
    def content(self) -> frozenset[str]:
        """The content words: neither function words nor very short."""
        return frozenset(token.word for token in self.tokens if token.is_content)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Numbers in digits; a score or date is one number."""
        return frozenset(token.word for token in self.tokens if token.is_number)

    @cached_property
    def trigrams(self) -> frozenset[tuple[str, ...]]:
        """All sequences of three words."""
        return frozenset(ngrams(self.words, 3))


class Token(NamedTuple):
    """A folded word, or "" for a mark after which a capital is no sign of a name.

    Args:
        is_capital, has_no_case: The case of the first letter of a content word.
    """

    word: str
    is_content: bool = False
    is_number: bool = False
    is_capital: bool = False
    has_no_case: bool = False


MARK = Token("")


def tokenize(text: str) -> TokenizedText:
    """Return the first `MAX_WORDS` words of a text."""
    return _tokenize(text[:MAX_LENGTH])


@lru_cache(maxsize=1_024)  # 4 MB; one batch compares the same stories with many entries
def _tokenize(text: str) -> TokenizedText:
    words: list[str] = []
    tokens: list[Token] = []
    names: set[str] = set()
    begins = True
    for token in _tokens(text):
        word, _, _, is_capital, has_no_case = token
        if word:
            words.append(word)
            tokens.append(token)
            if has_no_case or (is_capital and not begins):
                names.add(word)
        begins = not word
        if len(words) == MAX_WORDS:
            break
    return TokenizedText(tuple(words), tuple(tokens), frozenset(names))


def first_tokens(text: str, count: int = MAX_WORDS) -> list[Token]:
    """Return the first `count` words, the same as in `tokenize(text).words`.

    It is cheaper than `tokenize`: most texts resemble no other and are never compared.
    """
    tokens: list[Token] = []
    for token in _tokens(text):
        if token.word:
            tokens.append(token)
            if len(tokens) == count:
                break
    return tokens


def _tokens(text: str) -> Iterator[Token]:
    for part in _parts(text[:MAX_LENGTH]):
        for word, number, run, _ in _TOKEN.findall(_folded(part)):
            if word:
                yield _cached_word(word) if len(word) <= CACHED_LENGTH else _word(word)
            elif number:
                yield Token(_number(number), is_content=True, is_number=True)
            elif run:
                yield from map(_pair, _pairs(run))
            else:
                yield MARK


def _parts(text: str) -> Iterator[str]:
    """Yield a text in parts that end at a space, which no token has."""
    start = 0
    while (end := text.find(" ", start + PART)) >= 0:
        yield text[start:end]
        start = end
    yield text[start:]


@lru_cache(maxsize=4_096)
def _pair(characters: str) -> Token:
    return Token(characters, is_content=True, has_no_case=True)


def ngrams(words: Sequence[_T], size: int) -> Iterator[tuple[_T, ...]]:
    """Yield each sequence of `size` consecutive words."""
    return zip(*(words[start:] for start in range(size)), strict=False)


def _number(figures: str) -> str:
    return re.sub("[.,:/–]", "-", _THOUSANDS.sub("", figures))


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        return iter([run])
    return (run[at : at + 2] for at in range(len(run) - 1))


def _folded(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


def fold(text: str) -> str:
    """Return a text without case, accents and vowel marks."""
    return _folded(text).casefold()


def _word(word: str) -> Token:
    lower, initial = _lower(word), word[0]
    is_content = _is_content(word, lower)
    is_capital = is_content and initial.isupper()
    has_no_case = is_content and not is_capital and initial.upper() == initial
    return Token(lower, is_content, False, is_capital, has_no_case)


_cached_word = lru_cache(maxsize=8_192)(_word)  # a few words make up most of any text


def _lower(word: str) -> str:
    lower = word.casefold()
    return stem_arabic(lower) if "\u0600" <= lower[0] <= "\u06ff" else lower


def stem_arabic(word: str) -> str:
    """Return a word without the prefixes and endings that Arabic attaches ("light" stemming)."""
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
"""Content words of any length: they reverse the meaning of a headline."""


def _is_content(word: str, lower: str) -> bool:
    if lower in FUNCTION_WORDS:
        return False
    return len(lower) > 2 or (len(word) == 2 and word.isupper()) or lower in AGAINST


class Stems:
    """A set of words that ignores inflection: words match if most of the longer begins alike."""

    __slots__ = ("_by_start", "_words")

    def __init__(self, words: Iterable[str]) -> None:
        """Take the words of one entry."""
        self._words = frozenset(words)
        self._by_start: dict[str, list[str]] | None = None

    def missing(self, words: Set[str]) -> frozenset[str]:
        """Return those of other words that it lacks in every inflection."""
        unequal = words - self._words
        if not unequal:
            return frozenset()
        if self._by_start is None:
            self._by_start = {}
            for known in self._words:
                self._by_start.setdefault(known[:3], []).append(known)
        by_start = self._by_start
        return frozenset(
            word
            for word in unequal
            if (near := by_start.get(word[:3])) is None
            or len(word) < 3
            or word[0].isdigit()
            or not any(_is_inflection(word, known) for known in near)
        )


def _is_inflection(first: str, second: str) -> bool:
    shorter, longer = (first, second) if len(first) < len(second) else (second, first)
    if len(longer) == len(shorter) + 1 and longer.startswith(shorter):
        return True
    needed = max(4, -(-7 * len(longer) // 10))
    return first[:needed] == second[:needed]
