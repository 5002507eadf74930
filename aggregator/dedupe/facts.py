"""The facts of a report, as far as two reports of one event have them in common. Pure.

title, opening text -> words, names, numbers with units, kinds of events, days
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from aggregator.dedupe import lexicon
from aggregator.dedupe.lexicon import NO_MARKS, Lexicon, is_common, language_of
from aggregator.dedupe.tokenizer import CACHED_LENGTH, FUNCTION_WORDS, MAX_LENGTH, fold, stem_arabic

MAX_WORDS = 90
"""Words of a title and an opening text that are read."""

PLAIN, KNOWN, RARE, NAME = 0.35, 0.5, 0.7, 1.0
"""Weights of a word of any report, a word for a kind of event, another word, and a name."""

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
_TITLE_GENRES = frozenset(("analysis", "roundup"))
_STOPS = frozenset(".!?…")
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


class Word(NamedTuple):
    """A word as a lexicon knows it: without case and accents, its stem, and so on.

    Args:
        marks: Its meanings.
        value: Of a number word; a factor is negative.
        is_plain: Whether it is no name, however it is written.
        is_kept: Whether it is long enough to tell anything, and no function word.
        weight: How much it tells of one event and no other, if it is no name.
    """

    folded: str
    stem: str
    marks: frozenset[str]
    value: float
    is_plain: bool
    is_kept: bool
    weight: float


def word(language: str, written: str) -> Word:
    """Return a word as the lexicon of its language knows it."""
    return (_cached_word if len(written) <= CACHED_LENGTH else _look_up)(language, written)


def _look_up(language: str, written: str) -> Word:
    words = lexicon.of(language)
    folded = fold(written)
    if language == "ar":
        folded = stem_arabic(folded)
    if folded == written:
        folded = written  # stored once
    marks = words.marks_of(folded)
    common = is_common(words, folded)
    is_short = words.spaced and len(folded) < 3 and not (len(written) == 2 and written.isupper())
    return Word(
        folded,
        stem(folded, language) if words.spaced else folded,
        marks,
        words.numbers.get(folded, 0.0),
        common or bool(marks),
        not is_short and folded not in FUNCTION_WORDS,
        PLAIN if common else KNOWN if marks else RARE,
    )


_cached_word = lru_cache(maxsize=8_192)(_look_up)  # a few words make up most of any text


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the stem of the word that follows it, "" without one."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a report.

    Args:
        language: One of `lexicon.LANGUAGES`.
        weights: Stems of its words, and how much each tells of one event and no other.
        written: Words as the report first writes them, in the order of `weights`.
        title: Stems of the title.
        weight, plain_weight: Of all stems together, and of those that are not proper.
        values: Numbers without their units.
        names: Stems that are names, as far as their writing tells; proper: those of them that no
            lexicon knows otherwise.
        kinds, title_kinds: Kinds of events.
        genres: Kinds of text that are no report.
        ahead: Whether the title speaks of an event that is yet to come, as a preview does.
        future: Words for the future, and words for plans.
        planned: Whether title or first sentence speak of a plan, as the news of it does.
        versions: Numbers right after a name: of a version, a part, a round.
        length: Words of the opening text.
        opening_ahead, opening_days, opening_kinds: The same of the first sentence of the text, and
            for days and kinds of the title too.
        lead_genres: Kinds of text that words of the opening text are for; not those that any
            report has words for ("how", "video").
        labels: Numbers after each word.
        dates: Days of a month.
    """

    language: str
    weights: Mapping[str, float]
    written: tuple[str, ...]
    weight: float
    plain_weight: float
    title: frozenset[str]
    names: frozenset[str]
    proper: frozenset[str]
    numbers: tuple[Number, ...]
    values: frozenset[float]
    title_numbers: frozenset[float]
    kinds: frozenset[str]
    title_kinds: frozenset[str]
    genres: frozenset[str]
    days: frozenset[str]
    ahead: bool
    planned: bool
    future: tuple[int, int]
    versions: Mapping[str, frozenset[str]]
    length: int
    opening_ahead: bool
    lead_genres: frozenset[str]
    labels: Mapping[str, frozenset[str]]
    dates: frozenset[float]
    opening_days: frozenset[str]
    opening_kinds: frozenset[str]


@dataclass(slots=True)
class _Reader:
    """Collects the facts of one report."""

    lexicon: Lexicon
    words: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    numbers: list[Number] = field(default_factory=list)
    versions: dict[str, set[str]] = field(default_factory=dict)
    stems: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    opening: set[str] = field(default_factory=set)
    labels: dict[str, set[str]] = field(default_factory=dict)
    dates: set[float] = field(default_factory=set)
    label: str = ""
    is_month: bool = False
    future: int = 0
    plans: int = 0
    sentences: int = 0
    length: int = 0
    open: float | None = None

    def read(self, text: str) -> None:
        if self.lexicon.spaced:
            self._read_spaced(text)
        else:
            self._read_unspaced(text)

    def _read_spaced(self, text: str) -> None:
        starts, language = self.lexicon.starts, self.lexicon.language
        begins, before, name = True, "", ""
        for figures, run, letters, mark in _TOKEN.findall(_shown(text)):
            if mark in _UNITS:
                self._end_number(_UNITS[mark])
                continue
            if mark:
                self._end_number("")
                begins, before, name, self.label = True, "", "", ""
                self.sentences += mark in _STOPS
                continue
            self.length += 1
            if self.length > MAX_WORDS:
                break
            if figures:
                self._read_number(figures, name)
                begins, before = False, ""
                continue
            written = letters or run
            known = word(language, written)
            marks = known.marks
            if before in starts:
                marks |= self.lexicon.marks.get(f"{before} {known.folded}", NO_MARKS)
            self.is_month = "month" in known.marks
            if self.open is not None or known.value:
                self._count(written, known)
            if marks:
                self._mark(marks)
            name = self._word(written, known, marks, begins=begins)
            begins, before = False, known.folded
        self._end_number("")

    def _read_number(self, figures: str, name: str) -> None:
        """Read a number after a name, "" after none."""
        self._end_number("")
        self.open = _value(figures, self.lexicon.language)
        if self.is_month:
            self._date()
        if name:
            self.versions.setdefault(name, set()).add(figures)
        if self.label:
            self.labels.setdefault(self.label, set()).add(figures)

    def _count(self, written: str, known: Word) -> None:
        """Read a number word, or take the word as the unit of the number before it."""
        if self.is_month:
            self._date()
        if known.value < 0:
            self.open = (1 if self.open is None else self.open) * -known.value
        elif known.value and (known.value > 1 or not written[0].isupper()):
            self._end_number("")
            self.open = known.value
        elif self.open is not None and known.is_kept and len(known.folded) >= 3:
            self._end_number(known.stem)

    def _date(self) -> None:
        """Read the number beside a month as a day."""
        if self.open is not None and 1 <= self.open <= 31:
            self.dates.add(self.open)
            self.open = None

    def _end_number(self, unit: str) -> None:
        if self.open is not None:
            self.numbers.append(Number(self.open, unit))
            self.open = None

    def _mark(self, marks: frozenset[str]) -> None:
        self.marks |= marks
        self.future += "ahead" in marks
        self.plans += "planned" in marks
        if not self.sentences:
            self.opening |= marks

    def _word(self, written: str, known: Word, marks: frozenset[str], *, begins: bool) -> str:
        """Keep a word; return its stem if it is a name."""
        if not known.is_kept:
            return ""
        key = known.stem
        self.label = key
        self.words.setdefault(key, written)
        self.stems.add(key)
        is_capital = written[0].isupper()
        if known.is_plain or marks or not (is_capital or self.lexicon.language == "ar"):
            return ""
        if begins and self.lexicon.language != "ar":
            self.first.add(key)
        else:
            self.names.add(key)
        return key

    def _read_unspaced(self, text: str) -> None:
        text = _shown(text)
        self._read_whole(text)
        name = ""
        for match in _TOKEN.finditer(text):
            kind, token = match.lastgroup, match[0]
            if kind == "run":
                self.length += len(token) // 2
                keys = list(_grams(token, self.lexicon))
                self._keep(zip(keys, keys, strict=True))
                name = keys[-1] if keys and len(keys[-1]) > 2 else ""
            elif kind == "mark":
                name = ""
            elif kind == "number":
                self.length += 1
                self._read_counted(token, text[match.end() : match.end() + 2])
                if name:
                    self.versions.setdefault(name, set()).add(token)
            else:
                self.length += 1
                name = fold(token)
                self._keep([(name, token)])

    def _keep(self, words: Iterable[tuple[str, str]]) -> None:
        """Keep words of unspaced text, which are all taken for names."""
        for key, written in words:
            self.words.setdefault(key, written)
            self.stems.add(key)
            self.names.add(key)

    def _read_counted(self, figures: str, after: str) -> None:
        """Read a number with the characters after it: a factor or none, and a unit."""
        scale = self.lexicon.numbers.get(after[:1], 0.0)
        unit = after[bool(scale) :][:1]
        value = _value(figures, "zh") * (-scale or 1)
        if unit in ("日", "号") and value <= 31:
            self.dates.add(value)
        else:
            self.numbers.append(Number(value, unit))

    def _read_whole(self, text: str) -> None:
        """Read unspaced text as a whole: quoted names, marks, numbers in characters."""
        for quoted in _QUOTED.finditer(text):
            for key in _grams(quoted[1], self.lexicon):
                self.names.add(key)
        first = text.find("。") % (len(text) + 1)
        for found in self.lexicon.finder.finditer(text):
            marks = self.lexicon.marks[found[0]]
            self.marks |= marks
            self.future += "ahead" in marks
            self.plans += "planned" in marks
            if found.start() < first:
                self.opening |= marks
        for han in _HAN_NUMBER.finditer(text):
            unit = text[han.end() : han.end() + 1]
            self.numbers.append(Number(_han_value(han[0]), unit))


def _grams(run: str, words: Lexicon) -> Iterator[str]:
    """Yield pairs of characters of unspaced text without frequent words."""
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


@lru_cache(maxsize=1_024)  # 4 MB; one batch compares the same stories with many entries
def read(title: str, lead: str) -> Facts | None:
    """Return the facts of a report, None in a language without a lexicon.

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
    written = {**body.words, **head.words}
    numbers = (*head.numbers, *body.numbers)
    weights = {key: _weight(words, key, text, key in names) for key, text in written.items()}
    proper = frozenset(key for key in names if weights.get(key) == NAME)
    return Facts(
        language=language,
        weights=weights,
        written=tuple(written.values()),
        weight=sum(weights.values()),
        plain_weight=sum(weight for key, weight in weights.items() if key not in proper),
        proper=proper,
        title=frozenset(head.stems),
        names=frozenset(names),
        numbers=numbers,
        values=frozenset(number.value for number in numbers),
        title_numbers=frozenset(number.value for number in head.numbers),
        kinds=_marked(head.marks | body.marks, "kind:"),
        title_kinds=_marked(head.marks, "kind:"),
        genres=_marked(head.marks, "genre:"),
        days=_marked(head.marks | body.marks, "day:"),
        ahead="ahead" in head.marks,
        future=(head.future + body.future, head.plans + body.plans),
        planned="planned" in head.marks | body.opening,
        versions={name: frozenset(found) for name, found in head.versions.items()},
        length=body.length,
        opening_ahead="ahead" in body.opening,
        lead_genres=_marked(body.marks, "genre:") - _TITLE_GENRES,
        labels={
            key: frozenset(head.labels.get(key, set()) | body.labels.get(key, set()))
            for key in head.labels.keys() | body.labels.keys()
        },
        dates=frozenset(head.dates | body.dates),
        opening_days=_marked(head.marks | body.opening, "day:"),
        opening_kinds=_marked(head.marks | body.opening, "kind:"),
    )


def _weight(words: Lexicon, key: str, written: str, is_named: bool) -> float:
    if words.spaced:
        known = word(words.language, written)
        return NAME if is_named and not known.is_plain else known.weight
    # Pairs of characters are too many to be cached.
    if is_common(words, key):
        return PLAIN
    return KNOWN if key in words.marks else NAME if is_named else RARE


def _marked(marks: set[str], start: str) -> frozenset[str]:
    found = [mark.removeprefix(start) for mark in marks if mark.startswith(start)]
    return frozenset(found) if found else NO_MARKS
