"""Decide which entries of different sources report one story, and why. Pure.

A new entry is compared with the first entry of each story that the index finds, never with later
members, so that no chain of similar entries joins two stories. Only an equal page counts for
every member. The rules, in order of strength:

    page      both link to one page; ignored for a site's home page, for a page that one source
              links to from several entries, and when the two texts share no word
    hint      one cites the other as its source (via, feed, id), and the titles or texts agree
    title     equal titles of enough content words within `WINDOW`; ignored for a title that a
              source uses repeatedly
    text      nearly the same opening text under a rewritten headline
    likeness  similar titles, and openings that agree
    event     one event in other words (`rewrites`), where no phrase shows a form filled in twice

Instalments of a series differ on both sides: "Part 3" and "Part 4", one town and another, "raises"
and "cuts". So only one of the two titles may have words that the other entry lacks. Entries of one
source never form a story.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import Match, SequenceMatcher
from functools import cached_property, lru_cache
from itertools import combinations
from typing import NamedTuple

import xxhash

from aggregator.dedupe import facts, rewrites
from aggregator.dedupe.facts import Facts
from aggregator.dedupe.tokenizer import (
    AGAINST,
    Stems,
    TokenizedText,
    first_tokens,
    ngrams,
    tokenize,
)
from aggregator.models.evidence import NONE, Evidence

VERSION = b"2"
"""Part of every key; raise it when the way keys are made changes."""

WINDOW = timedelta(days=3)
"""Entries further apart in time are one story only if they link to one page."""

TITLE_SKETCH, LEAD_SKETCH = 4, 2
"""Words of a title, and n-grams of a lead, that represent it in the index."""

LEAD_NGRAM, LEAD_WORDS = 4, 12
"""Words of an n-gram, and words of a lead that are indexed: news sites rarely cut it shorter."""

TITLE_NGRAM = 4
"""Words of a phrase that two reporters hardly put in their headlines independently."""

PHRASES, PHRASE_WORDS, PHRASE_TEXT = 2, 5, 400
"""Phrases that are shown of two texts, words of the shortest, and characters that are compared."""

OTHER_WORDS = "one event in other words"
"""The reason of a join by `rewrites`."""

MAX_COMPARED = 12
"""Most similar entries of the index that a new entry is compared with."""

COPIES = 4_096
"""Texts for which the result of comparing them with a copy is cached: copies arrive over time."""

_DATELINE = re.compile(r"\A\W*[^()【】.]{0,50}[(【][^)】]{1,30}[)】][\s.:–—-]*")
"""Place and agency at the start of a wire report: `OSLO, 12 May (NNA) -`."""

MIN_TITLE_WORDS = 4
"""Content words from which a title alone is evidence."""

MIN_LEAD_WORDS = 10
"""Words from which a lead is evidence."""

SAME_TEXT, SOME_TEXT, FORM_TEXT = 0.7, 0.25, 0.1
"""Shares of the shorter lead's trigrams that the other lead has: enough for one text, for openings
that agree, and for what may be one form filled in twice."""

SAME_SUBJECT, SOME_SUBJECT = 0.35, 0.15
"""Shares of the shorter lead's content words that the other entry has."""

SAME_TITLE, MUCH_TITLE, SOME_TITLE = 0.75, 0.6, 0.4
"""Shares of the content words of two titles that both have."""

ABOUT = 0.4
"""Share of a headline's content words that the text below it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryInput:
    """The parts of an entry that are compared.

    Args:
        page: Canonical URL of its page, "" without one.
        hints: URLs and ids that it may share with another entry of the story: its source, its id.
        feed: URL of the feed that it was copied from, else of its own feed.
    """

    id: int
    source_id: str
    title: str
    lead: str
    at: datetime
    page: str = ""
    hints: tuple[str, ...] = ()
    feed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A story that an entry may belong to.

    Args:
        story: Its id.
        first: Its first entry.
        sources: The sources of its members.
        same_page: A member links to the entry's page.
        hinted: The entry cites a member as its source, or the reverse.
        reused_title: A source has used the entry's title before.
    """

    story: int
    first: StoryInput
    sources: Collection[str]
    same_page: bool = False
    hinted: bool = False
    reused_title: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """An entry joins a story.

    Args:
        reason: The rule, to show.
        similarity: To the first entry, 0 to 1.
        evidence: Where both agree.
    """

    story: int
    reason: str
    similarity: float
    evidence: Evidence = field(default=NONE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryKeys:
    """The index keys of an entry, as 64-bit numbers; 0 or () where it has none of the kind.

    Args:
        page, title: Shared with entries of the same page or title.
        hints: Its own hints; hint_lookups: the keys of entries that it or that cite it.
        near: Likely shared with similar entries; only a story's first entry is stored by them.
        rare: Of its rarest words, of which two reports of one event share some; stored likewise.
    """

    page: int
    title: int
    hints: tuple[int, ...]
    hint_lookups: tuple[int, ...]
    near: tuple[int, ...]
    rare: tuple[int, ...] = ()

    @property
    def lookups(self) -> tuple[int, ...]:
        """All keys to look up for it."""
        return (self.page, self.title, *self.hint_lookups, *self.near, *self.rare)


def keys(entry: StoryInput, *, is_recent: bool = True) -> StoryKeys:
    """Return the index keys of an entry, without the similarity keys unless it is recent."""
    title = first_tokens(entry.title)
    content = {token.word for token in title if token.is_content}
    page = entry.page if _has_path(entry.page) else ""
    hints = tuple(_key(b"hint", hint) for hint in entry.hints)
    pages = tuple(_key(b"page", hint) for hint in entry.hints)
    return StoryKeys(
        page=_key(b"page", page) if page else 0,
        title=_key(b"title", *(token.word for token in title)) if content else 0,
        hints=hints,
        hint_lookups=(*hints, *pages, *((_key(b"hint", page),) if page else ())),
        near=(*_title_triples(content), *_lead_ngrams(entry)) if is_recent else (),
        rare=_rare_words(entry) if is_recent else (),
    )


def nearest(keys: StoryKeys, by_key: Mapping[int, Iterable[int]]) -> list[int]:
    """Return the entries that share most keys of either kind, at most `MAX_COMPARED` of each.

    Args:
        by_key: The entries stored under each key.
    """
    if not keys.near and not keys.rare:
        return []
    shared = Counter(entry for key in keys.near for entry in by_key.get(key, ()))
    found = [entry for entry, _ in shared.most_common(MAX_COMPARED)]
    rare = Counter(entry for key in keys.rare for entry in by_key.get(key, ()))
    enough = [entry for entry, count in rare.most_common(MAX_COMPARED) if count >= rewrites.SHARED]
    return [*found, *(entry for entry in enough if entry not in found)]


def _rare_words(entry: StoryInput) -> tuple[int, ...]:
    report = _facts(entry)
    if report is None or report.length < rewrites.MIN_LEAD_WORDS:
        return ()
    return tuple(_key(b"rare", report.language, term) for term in rewrites.index_terms(report))


def _facts(entry: "StoryInput | _Text") -> Facts | None:
    return facts.read(entry.title, _without_dateline(entry.lead))


def _title_triples(words: Iterable[str]) -> list[int]:
    """Return a number for any three words of a title's sketch: two often occur together."""
    numbers = _sketch(map(_number, words), TITLE_SKETCH)
    if len(numbers) < 2:
        return []
    return [sum(some) for some in combinations(numbers, min(3, len(numbers)))]


def _lead_ngrams(entry: StoryInput) -> list[int]:
    """Return the sketch of the n-grams with which a lead begins."""
    tokens = first_tokens(_without_dateline(entry.lead), LEAD_WORDS)
    if len(tokens) < MIN_LEAD_WORDS:
        return []
    numbers = [_number(token.word) for token in tokens]
    return _sketch(map(sum, ngrams(numbers, LEAD_NGRAM)), LEAD_SKETCH)


def _sketch(numbers: Iterable[int], size: int) -> list[int]:
    """Return the smallest numbers: similar texts mostly have the same ones ("bottom k" MinHash)."""
    return sorted(set(numbers))[:size]


def _number(word: str) -> int:
    """Return a word's number in 61 bits, so that the sum of four fits into SQLite's integers."""
    return _hash(word) >> 3 if word[0].isdigit() else _stem_number(_stem(word))


@lru_cache(maxsize=8_192)  # a few words make up most of any text
def _stem_number(stem: str) -> int:
    return _hash(stem) >> 3


def _key(kind: bytes, *values: str) -> int:
    """Return a signed 64-bit number, as SQLite stores it."""
    return _hash(" ".join(values), kind) - 2**63


def _hash(text: str, kind: bytes = b"word") -> int:
    return xxhash.xxh3_64_intdigest(VERSION + kind + b" " + text.encode("utf-8", "surrogatepass"))


def _stem(word: str) -> str:
    return word[:5]  # so that inflections count as the same


def _has_path(page: str) -> bool:
    """Whether a URL names more than a site: a home page is no evidence."""
    return bool(page.partition("://")[2].partition("/")[2])


def decide(entry: StoryInput, candidates: Sequence[Candidate]) -> Join | None:
    """Return the story that an entry joins, None when it begins its own.

    The strongest rule decides, then the greater similarity, then the older story.
    """
    best: tuple[tuple[int, float, int], str, StoryInput] | None = None
    for candidate in candidates:
        if entry.source_id in candidate.sources:
            continue
        match = _compare(entry, candidate)
        if match is None:
            continue
        strength, reason, similarity = match
        order = (-strength, -similarity, candidate.story)
        if best is None or order < best[0]:
            best = order, reason, candidate.first
    if best is None:
        return None
    (_, similarity, story), reason, first = best
    return Join(
        story=story,
        reason=reason,
        similarity=round(-similarity, 2),
        evidence=evidence(entry, first, reason),
    )


def evidence(entry: StoryInput, first: StoryInput, reason: str) -> Evidence:
    """Return where two entries agree that a rule joins, for people who check it."""
    ours, theirs, is_scored = _text_of(entry), _text_of(first), reason == OTHER_WORDS
    if ours == theirs:
        return _evidence_of_copy(ours, is_scored)
    return _Pair(ours, theirs).evidence(is_scored=is_scored)


@lru_cache(maxsize=COPIES)
def _evidence_of_copy(text: "_Text", is_scored: bool) -> Evidence:
    return _Pair(text, text).evidence(is_scored=is_scored)


def _common_phrases(text: str, other: str) -> tuple[str, ...]:
    """Return the longest phrases of both texts, as the second writes them."""
    sides = [each[:PHRASE_TEXT].split() for each in (text, other)]
    joint, least = " ", PHRASE_WORDS
    if max(map(len, sides)) < PHRASE_WORDS:  # Chinese and Japanese have no spaces
        sides, joint, least = [list(each[:PHRASE_TEXT]) for each in (text, other)], "", 8
    if text == other:
        blocks = [Match(0, 0, len(sides[0]))]
    else:
        plain = [[word.casefold().strip(',.;:!?"“”«»„()') for word in side] for side in sides]
        matcher = SequenceMatcher(None, plain[0], plain[1], autojunk=False)
        blocks = matcher.get_matching_blocks()
    longest = sorted(blocks, key=lambda block: (-block.size, block.b))[:PHRASES]
    return tuple(
        joint.join(sides[1][block.b : block.b + min(block.size, 3 * least)])
        for block in longest
        if block.size >= least
    )


class _Text(NamedTuple):
    """The text of an entry."""

    title: str
    lead: str


class _Signals(NamedTuple):
    """What speaks for or against a candidate besides its text, as in `Candidate`."""

    same_page: bool
    hinted: bool
    reused_title: bool
    is_far: bool


_Match = tuple[int, str, float]
"""The strength of the rule that joins two entries, its reason, and their similarity."""


def _text_of(entry: StoryInput) -> _Text:
    return _Text(entry.title, entry.lead)


def _compare(entry: StoryInput, candidate: Candidate) -> _Match | None:
    first = candidate.first
    is_far = abs(entry.at - first.at) > WINDOW
    signals = _Signals(candidate.same_page, candidate.hinted, candidate.reused_title, is_far)
    ours, theirs = _text_of(entry), _text_of(first)
    return _match_copy(ours, signals) if ours == theirs else _match(_Pair(ours, theirs), signals)


@lru_cache(maxsize=COPIES)
def _match_copy(text: _Text, signals: _Signals) -> _Match | None:
    return _match(_Pair(text, text), signals)


def _match(pair: "_Pair", signals: _Signals) -> _Match | None:
    if signals.same_page and not pair.is_unrelated():
        return 5, "links to the same page", 1.0
    if not signals.hinted and (signals.is_far or pair.is_far_apart()):
        return None
    if signals.hinted and (pair.title >= SOME_TITLE or pair.text >= SAME_TEXT):
        return 4, "one cites the other as its source, and they agree", max(pair.title, pair.text)
    if signals.is_far:
        return None
    if pair.is_same_title() and not signals.reused_title:
        return 3, "same title", 1.0
    if pair.is_same_text():
        return 2, "nearly the same opening text", pair.text
    if pair.is_alike() and (pair.text >= SOME_TEXT or not signals.reused_title):
        return None if pair.is_preview() else (1, "similar title and opening text", pair.likeness)
    similarity = _likelihood(pair, reused_title=signals.reused_title)
    return (0, OTHER_WORDS, similarity) if similarity else None


def _likelihood(pair: "_Pair", *, reused_title: bool) -> float:
    """Return how likely two entries report one event in other words, 0.0 if they hardly do."""
    ours, theirs = pair.facts
    if ours is None or theirs is None or pair.has_column_title(reused=reused_title):
        return 0.0
    if (pair.text >= rewrites.FORM and pair.is_series()) or pair.has_form_title():
        return 0.0
    return rewrites.similarity(ours, theirs, pair.text)


def are_unrelated(title: str, text: str, other_title: str, other_text: str) -> bool:
    """Return whether two entries have no word of their titles and no phrase in common."""
    return _Pair(_Text(title, text), _Text(other_title, other_text)).is_unrelated()


class _Pair:
    """The texts of two entries, and how similar they are."""

    def __init__(self, first: _Text, second: _Text) -> None:
        self._texts = first, second

    @cached_property
    def facts(self) -> tuple[Facts | None, Facts | None]:
        """The facts of both."""
        first, second = self._texts
        return _facts(first), _facts(second)

    @cached_property
    def titles(self) -> tuple[TokenizedText, TokenizedText]:
        """Both titles."""
        first, second = self._texts
        return tokenize(first.title), tokenize(second.title)

    @cached_property
    def leads(self) -> tuple[TokenizedText, TokenizedText]:
        """Both leads, without datelines."""
        first, second = self._texts
        return tokenize(_without_dateline(first.lead)), tokenize(_without_dateline(second.lead))

    @cached_property
    def long(self) -> bool:
        """Whether both leads are evidence."""
        return min(len(lead.words) for lead in self.leads) >= MIN_LEAD_WORDS

    @cached_property
    def title(self) -> float:
        """Similarity of the titles."""
        return _dice(*(title.content for title in self.titles))

    @cached_property
    def text(self) -> float:
        """Share of the shorter lead's trigrams that the other lead has."""
        return _containment(*(lead.trigrams for lead in self.leads))

    def is_far_apart(self) -> bool:
        """Whether a cheap comparison shows that no rule applies: most candidates end here."""
        first, second = self._texts
        if first.title == second.title:
            return False
        ours, theirs = self.facts
        return ours is not None and theirs is not None and rewrites.are_far_apart(ours, theirs)

    def evidence(self, *, is_scored: bool) -> Evidence:
        """Return where they agree, and how sure that is if a score joins them."""
        ours, theirs = (_without_dateline(text.lead) for text in self._texts)
        phrases = _common_phrases(ours, theirs)
        one, other = self.facts
        if one is None or other is None or one.language != other.language:
            return Evidence(phrases=phrases)
        agreed = rewrites.evidence(one, other, self.text, is_scored=is_scored)
        return replace(agreed, phrases=phrases)

    def is_preview(self) -> bool:
        """Whether one announces the event that the other reports."""
        ours, theirs = self.facts
        return ours is not None and theirs is not None and rewrites.is_preview(ours, theirs)

    @cached_property
    def vocabularies(self) -> tuple[Stems, Stems]:
        """All content words of the first entry, and of the second."""
        texts = zip(self.titles, self.leads, strict=True)
        first, second = (Stems(title.content | lead.content) for title, lead in texts)
        return first, second

    @cached_property
    def title_differences(self) -> tuple[frozenset[str], frozenset[str]]:
        """Words of the first title that the second entry lacks, and the reverse."""
        return self._missing_from_other(self.titles)

    @cached_property
    def lead_differences(self) -> tuple[frozenset[str], frozenset[str]]:
        """Words of the first lead that the second entry lacks, and the reverse."""
        return self._missing_from_other(self.leads)

    def _missing_from_other(
        self, texts: tuple[TokenizedText, TokenizedText]
    ) -> tuple[frozenset[str], frozenset[str]]:
        first, second = self.vocabularies
        return second.missing(texts[0].content), first.missing(texts[1].content)

    @property
    def subject(self) -> float:
        """Share of the shorter lead's content words that the other entry has."""
        if not self.long:
            return 0.0
        pairs = zip(self.leads, self.lead_differences, strict=True)
        words, missing = min((len(lead.content), len(terms)) for lead, terms in pairs)
        return 1 - missing / words if words else 0.0

    @property
    def likeness(self) -> float:
        """Similarity of titles and leads together."""
        return (self.title + self.subject) / 2 if self.long else self.title

    def is_unrelated(self) -> bool:
        """Whether neither title has a word that the other entry has, nor the leads a phrase.

        Otherwise a source that links to another's page could replace its headline with any other.
        """
        first, second = self.titles
        if not first.content.isdisjoint(second.content):  # as mostly
            return False
        pairs = zip(self.titles, self.title_differences, strict=True)
        return not self.text and all(
            title.content and terms == title.content for title, terms in pairs
        )

    def is_same_title(self) -> bool:
        """Whether the titles are equal and long enough, and the leads don't contradict them."""
        first, second = self.titles
        if first.words != second.words or len(first.content) < MIN_TITLE_WORDS:
            return False
        if self.is_copy() or not self.long:
            return True
        return self.subject >= SOME_SUBJECT and not self.is_series()

    def is_copy(self) -> bool:
        """Whether both are one text that says something; no words need be counted then."""
        ours, theirs = self._texts
        return ours == theirs and any(
            token.is_content for token in first_tokens(_without_dateline(ours.lead), MIN_LEAD_WORDS)
        )

    def is_same_text(self) -> bool:
        """Whether one text has two headlines that are about it, or about the same subject."""
        if not self.long or self.text < SAME_TEXT or self.is_series():
            return False
        return self._is_reworded() or all(map(self._is_about, self.titles))

    def _is_about(self, title: TokenizedText) -> bool:
        text = Stems(self.leads[0].content & self.leads[1].content)
        return len(text.missing(title.content)) <= (1 - ABOUT) * len(title.content)

    def _is_reworded(self) -> bool:
        """Whether the titles say much the same in another order: a form keeps its order."""
        if self.title < SOME_TITLE:
            return False
        first, second = (
            [_stem(word) for word in title.words if word in title.content - terms]
            for title, terms in zip(self.titles, self.title_differences, strict=True)
        )
        return first != second

    def is_alike(self) -> bool:
        """Whether titles and leads agree, and not both titles have words the other entry lacks."""
        enough = min(len(title.content) for title in self.titles) >= MIN_TITLE_WORDS
        if self.title < MUCH_TITLE or all(self.title_differences) or self.is_series():
            return False
        if not self.long:
            is_numbered = any(
                word[0].isdigit() for terms in self.title_differences for word in terms
            )
            return enough and self.title >= SAME_TITLE and not is_numbered
        return self.text >= SOME_TEXT or (enough and self.subject >= SAME_SUBJECT)

    def is_series(self) -> bool:
        """Whether the two look like one form filled in twice, so that the differences are facts."""
        first, second = self.titles
        terms = self.title_differences
        if terms[0] & first.numbers and terms[1] & second.numbers:
            return True
        if any(side & AGAINST for side in terms):
            return True
        return self._has_other_winner() or (
            self.long and self.text >= FORM_TEXT and all(self._facts(side) for side in (0, 1))
        )

    def _facts(self, side: int) -> frozenset[str]:
        """Return the facts that only one lead has: numbers, names and words of its title."""
        lead, terms = self.leads[side], self.lead_differences[side]
        titled = Stems(self.title_differences[side])
        return (terms & (lead.numbers | lead.names)) | (terms - titled.missing(terms))

    def has_column_title(self, *, reused: bool) -> bool:
        """Whether both have one title that says too little or that a source uses again."""
        first, second = self.titles
        return first.words == second.words and (reused or len(first.content) < MIN_TITLE_WORDS)

    def has_form_title(self) -> bool:
        """Whether the titles share a phrase, and each has a name that the other entry lacks.

        That is one headline for two places, persons or companies.
        """
        first, second = (set(ngrams(title.words, TITLE_NGRAM)) for title in self.titles)
        return not first.isdisjoint(second) and all(
            any(word.islower() for word in title.names & terms)  # in a script with capitals
            for title, terms in zip(self.titles, self.title_differences, strict=True)
        )

    def _has_other_winner(self) -> bool:
        """Whether two titles with one score name the sides in another order."""
        first, second = self.titles
        if not any("-" in number for number in first.numbers & second.numbers):
            return False
        orders = [[_stem(word) for word in title.words] for title in self.titles]
        shared = set(orders[0]) & set(orders[1])
        ours, theirs = ([word for word in order if word in shared] for order in orders)
        return ours != theirs


def _without_dateline(lead: str) -> str:
    return _DATELINE.sub("", lead) if "(" in lead or "【" in lead else lead


def _dice(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the share of all words that both sides have, in any inflection."""
    if not first or not second:
        return 0.0
    missing = len(Stems(second).missing(first)) + len(Stems(first).missing(second))
    return 1 - missing / (len(first) + len(second))


def _containment(first: frozenset[object], second: frozenset[object]) -> float:
    """Return the share of the smaller set that the larger one has."""
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller else 0.0
