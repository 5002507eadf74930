"""What a report says, as far as two reports of one event have it in common. Pure.

title, opening text -> words, names, numbers with units, kinds of events, days, places
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from aggregator.dedupe import lexicon
from aggregator.dedupe.lexicon import Lexicon, is_common, language_of
from aggregator.dedupe.tokenizer import FUNCTION_WORDS, MAX_LENGTH, fold, stem_arabic

MAX_WORDS = 90
"""Words of a title and an opening text that are read."""

_TOKEN = re.compile(
    r"(?P<number>\d+(?:[.,:/–-]\d+)*)"
    r"|(?P<run>[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+)"
    r"|(?P<word>[^\W\d_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
    r"[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]*)"
    r"|(?P<mark>[.!?…:;\"“”„«»|]|[%％$€£])"
)
_KATAKANA_OR_HAN = re.compile("[\u30a1-\u30fa\u30fc]{2,}|[\u3400-\u9fff]{2,}")
_QUOTED = re.compile("[「『《“]([^」』》”]{2,20})[」』》”]")
_HAN_NUMBER = re.compile(
    "[〇一二两兩三四五六七八九十百千]{1,6}(?=[人名个個岁歳元円年票枚隻艘台头頭种種％%万亿億か])"
)
_HAN_SCALE = re.compile("[万萬億亿千百兆]")
_DIGITS = {c: n % 10 for n, c in enumerate("〇一二三四五六七八九")} | {"两": 2, "兩": 2}
_UNITS = {"%": "%", "％": "%", "$": "$", "€": "$", "£": "$"}
_SCALES = {"十": 10, "百": 100, "千": 1000}

_ENDINGS: Mapping[str, re.Pattern[str]] = {
    "ru": re.compile(
        "(?<=.{3})(?:ами|ями|ого|его|ому|ему|ыми|ими|ов|ев|еи|ои|ыи|ии|ая|яя|ое|ее|ые|ие|ам|ям|ах|ях"
        "|ом|ем|ую|юю|ия|ию|а|я|о|е|ы|и|у|ю|ь)$"
    ),
    "de": re.compile("(?<=.{3})(?:ern|en|er|es|em|e|n|s)$"),
    "fr": re.compile("(?<=.{3})(?:es|e|s|x)$"),
    "es": re.compile("(?<=.{3})(?:es|os|as|o|a|e|s)$"),
    "en": re.compile("(?<=.{3})(?:es|s|e)$"),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the stem of the word that follows it, "" without one."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says.

    Args:
        language: One of `lexicon.LANGUAGES`.
        words: Each stem as the report first writes it.
        title: Stems of the title; lead: stems of the text below it.
        names: Stems that are names, as far as their writing tells.
        order: Stems of names in the title, in order.
        kinds, title_kinds: Kinds of events.
        genres: Kinds of text that are no report.
        ahead: Whether the title speaks of the future.
        versions: Numbers right after a name: of a version, a part, a round.
        length: Words of the opening text.
    """

    language: str
    words: Mapping[str, str]
    title: frozenset[str]
    lead: frozenset[str]
    names: frozenset[str]
    order: tuple[str, ...]
    numbers: tuple[Number, ...]
    title_numbers: frozenset[float]
    kinds: frozenset[str]
    title_kinds: frozenset[str]
    genres: frozenset[str]
    days: frozenset[str]
    places: frozenset[str]
    ahead: bool
    versions: Mapping[str, frozenset[str]]
    length: int


@dataclass(slots=True)
class _Reader:
    """Collects the facts of one report."""

    lexicon: Lexicon
    words: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    numbers: list[Number] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    versions: dict[str, set[str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    stems: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    length: int = 0
    open: float | None = None

    def read(self, text: str) -> None:
        if self.lexicon.spaced:
            self._read_spaced(text)
        else:
            self._read_unspaced(text)

    def _read_spaced(self, text: str) -> None:
        begins, before, name = True, "", ""
        for match in _TOKEN.finditer(_shown(text)):
            kind, found = match.lastgroup, match[0]
            if kind == "mark" and found in _UNITS:
                self._end_number(_UNITS[found])
                continue
            if kind == "mark":
                self._end_number("")
                begins, before, name = True, "", ""
                continue
            self.length += 1
            if self.length > MAX_WORDS:
                break
            if kind == "number":
                self._end_number("")
                self.open = _value(found, self.lexicon.language)
                if name:
                    self.versions.setdefault(name, set()).add(found)
                begins, before = False, ""
                continue
            folded = fold(found)
            if self.lexicon.language == "ar":
                folded = stem_arabic(folded)
            self._count(found, folded)
            marks = self._marks(folded, before)
            name = self._word(found, folded, marks, begins=begins, before=before)
            begins, before = False, folded
        self._end_number("")

    def _count(self, word: str, folded: str) -> None:
        """Read a number word, or take the word as the unit of the number before it."""
        value = self.lexicon.numbers.get(folded, 0.0)
        if value < 0:
            self.open = (1 if self.open is None else self.open) * -value
        elif value and not word[0].isupper():
            self._end_number("")
            self.open = value
        elif folded not in FUNCTION_WORDS and len(folded) >= 3:
            self._end_number(stem(folded, self.lexicon.language))

    def _end_number(self, unit: str) -> None:
        if self.open is not None:
            self.numbers.append(Number(self.open, unit))
            self.open = None

    def _marks(self, folded: str, before: str) -> frozenset[str]:
        marks = self.lexicon.marks_of(folded)
        if before:
            marks |= self.lexicon.marks.get(f"{before} {folded}", frozenset())
        self.marks |= marks
        return marks

    def _word(
        self, word: str, folded: str, marks: frozenset[str], *, begins: bool, before: str
    ) -> str:
        """Keep a word; return its stem if it is a name."""
        is_short = len(folded) < 3 and not (len(word) == 2 and word.isupper())
        if is_short or folded in FUNCTION_WORDS:
            return ""
        key = stem(folded, self.lexicon.language)
        self.words.setdefault(key, word)
        self.stems.add(key)
        is_plain = is_common(self.lexicon, folded) or bool(marks)
        is_capital = word[0].isupper()
        if is_plain or not (is_capital or self.lexicon.language == "ar"):
            return ""
        if begins and self.lexicon.language != "ar":
            self.first.add(key)
        else:
            self.names.add(key)
        self.order.append(key)
        if before in self.lexicon.places:
            self.places.add(key)
        return key

    def _read_unspaced(self, text: str) -> None:
        text = _shown(text)
        self._read_whole(text)
        name = ""
        for match in _TOKEN.finditer(text):
            kind, token = match.lastgroup, match[0]
            if kind == "mark":
                name = ""
            elif kind == "number":
                self.length += 1
                end = match.end()
                scale = self.lexicon.numbers.get(text[end : end + 1], 0.0)
                unit = text[end + bool(scale) : end + bool(scale) + 1]
                self.numbers.append(Number(_value(token, "zh") * (-scale or 1), unit))
                if name:
                    self.versions.setdefault(name, set()).add(token)
            elif kind == "word":
                self.length += 1
                key = fold(token)
                self.words.setdefault(key, token)
                self.stems.add(key)
                self.names.add(key)
                self.order.append(key)
                name = key
            else:
                self.length += len(token) // 2
                name = ""
                for key in _grams(token, self.lexicon):
                    self.words.setdefault(key, key)
                    self.stems.add(key)
                    self.names.add(key)
                    self.order.append(key)
                    name = key if len(key) > 2 else ""

    def _read_whole(self, text: str) -> None:
        """Read what unspaced text says as a whole: quoted names, marks, numbers in characters."""
        for quoted in _QUOTED.finditer(text):
            for key in _grams(quoted[1], self.lexicon):
                self.names.add(key)
        for found in self.lexicon.finder.finditer(text):
            self.marks |= self.lexicon.marks[found[0]]
        for han in _HAN_NUMBER.finditer(text):
            unit = text[han.end() : han.end() + 1]
            self.numbers.append(Number(_han_value(han[0]), unit))


def _grams(run: str, words: Lexicon) -> Iterator[str]:
    """Yield pairs of characters of what is left of unspaced text without frequent words."""
    for part in words.splitter.split(run):
        for match in _KATAKANA_OR_HAN.finditer(part):
            piece = match[0]
            if piece[0] >= "\u3400":
                yield from (piece[at : at + 2] for at in range(len(piece) - 1))
            else:
                yield piece


def _shown(text: str) -> str:
    return text[:MAX_LENGTH]


def stem(folded: str, language: str) -> str:
    """Return the beginning of a word that its inflections have in common."""
    if len(folded) > 4 and (endings := _ENDINGS.get(language)):
        folded = endings.sub("", folded)
    return folded[:6]


def _value(figures: str, language: str) -> float:
    """Return the value of a number; of a date or a score, one that no other number has."""
    if re.search("[:/–-]", figures):
        return -float(int.from_bytes(figures.encode()[:6], "big"))
    dot = "," if language in ("de", "fr", "es", "ru") else "."
    other = "." if dot == "," else ","
    is_grouped = re.fullmatch(rf"\d+(?:\{other}\d{{3}})+(?:\{dot}\d+)?", figures)
    plain = figures.replace(other, "" if is_grouped else dot)
    parts = plain.split(dot)
    text = parts[0] if len(parts) == 1 else f"{parts[0]}.{''.join(parts[1:])}"
    return float(text[:24])


def _han_value(figures: str) -> float:
    total = digit = 0
    for character in figures:
        if character in _SCALES:
            total += (digit or 1) * _SCALES[character]
            digit = 0
        else:
            digit = 10 * digit + _DIGITS.get(character, 0)
    return float(total + digit)


def _is_title_case(title: str, language: str) -> bool:
    """Whether a headline gives most words a capital, as English ones may."""
    if language == "de":
        return False
    words = re.findall(r"[^\W\d_]{4,}", title)[1:]
    return len(words) >= 3 and 4 * sum(word[0].isupper() for word in words) >= 3 * len(words)


@lru_cache(maxsize=2_048)
def read(title: str, lead: str) -> Facts | None:
    """Return what a report says, None in a language without a lexicon.

    Args:
        lead: Its opening text, without a dateline.
    """
    language = language_of(f"{title} {lead}")
    if not language:
        return None
    words = lexicon.of(language)
    head, body = _Reader(words), _Reader(words)
    head.read(title)
    body.read(lead)
    names = head.names | body.names
    if _is_title_case(title, language) or title.isupper():
        names = set(body.names)
    # A word that begins a sentence is a name if it's one elsewhere, or unknown to the lexicon.
    names |= head.first | body.first
    return Facts(
        language=language,
        words={**body.words, **head.words},
        title=frozenset(head.stems),
        lead=frozenset(body.stems),
        names=frozenset(names),
        order=tuple(key for key in head.order if key in names),
        numbers=(*head.numbers, *body.numbers),
        title_numbers=frozenset(number.value for number in head.numbers),
        kinds=_marked(head.marks | body.marks, "kind:"),
        title_kinds=_marked(head.marks, "kind:"),
        genres=_marked(head.marks, "genre:"),
        days=_marked(head.marks | body.marks, "day:"),
        places=frozenset(head.places | body.places),
        ahead="ahead" in head.marks,
        versions={name: frozenset(found) for name, found in head.versions.items()},
        length=body.length,
    )


def _marked(marks: set[str], start: str) -> frozenset[str]:
    return frozenset(mark.removeprefix(start) for mark in marks if mark.startswith(start))
