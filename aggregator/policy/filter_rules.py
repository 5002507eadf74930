"""Apply the configured rules: which entries are shown, and in which sections. Pure.

Regular expressions are RE2's, whose matching time is linear, so no pattern can hang.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import re2
import xxhash

from aggregator.models.config import Config, Rule, Source
from aggregator.models.entry import RETRACTED, Entry, RuleResult, StoredEntry

NO_RESULT = RuleResult()

_UNSPACED = re2.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of a configuration, by the id of their source, section or view.

    Args:
        hiding: The ids of the sources whose retracted entries are hidden.
    """

    sources: Mapping[str, tuple[Rule, ...]]
    sections: Mapping[str, tuple[Rule, ...]]
    views: Mapping[str, tuple[Rule, ...]]
    hiding: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Config) -> "Rulebook":
        """Return the rules of a configuration."""
        sources, sections, views = (
            {item.id: item.rules for item in items if item.rules}
            for items in (config.sources, config.sections, config.views)
        )
        return cls(sources, sections, views, _hiding(config))

    def stamp(self, source_id: str, sections: Sequence[str]) -> str:
        """Return a hash of the rules for a source's entries; "" if no rule applies to them."""
        places = {name: self.sections[name] for name in sections if name in self.sections}
        mine = self.sources.get(source_id, ())
        hides = source_id in self.hiding
        if not (mine or places or self.views or hides):
            return ""
        rules = (mine, sorted(sections), places, self.views, *(["hide"] if hides else []))
        return xxhash.xxh3_64_hexdigest(repr(rules).encode())

    def evaluate_stored(self, sections: Sequence[str], stored: StoredEntry) -> RuleResult:
        """Return the effect of the rules on a stored entry, which may be retracted."""
        if stored.retracted and stored.source_id in self.hiding:
            return RuleResult(dropped=RETRACTED)
        return self.evaluate(stored.source_id, sections, stored.entry)

    def evaluate(self, source_id: str, sections: Sequence[str], entry: Entry) -> RuleResult:
        """Return the effect of the rules on an entry.

        Rules of its source apply first, then those of each section it is in by then. A section's
        rules keep it out of that section only, a view's out of that view.
        """
        mine = self.sources.get(source_id, ())
        if not (mine or self.sections or self.views):
            return NO_RESULT
        dropped = verdict(mine, entry)
        if dropped:
            return RuleResult(dropped=dropped, reasons=(dropped,))
        effects = list(_effects(mine, entry))
        places = _moved(sections, effects)
        for section in places:
            effects += _effects(self.sections.get(section, ()), entry)
        places = _moved(sections, effects)
        refused = {name: verdict(self.sections.get(name, ()), entry) for name in places}
        shown_in = tuple(name for name in places if not refused[name])
        added = (rule.value for rule in effects if rule.action == "category")
        known = {category.casefold() for category in entry.categories}
        return RuleResult(
            sections=None if shown_in == tuple(sections) else shown_in,
            categories=tuple(c for c in dict.fromkeys(added) if c.casefold() not in known),
            views=tuple(name for name, rules in self.views.items() if not verdict(rules, entry)),
            priority=any(rule.action == "priority" for rule in effects),
            reasons=(
                *dict.fromkeys(_reason(rule) for rule in effects),
                *(f"not in section {name}: {why}" for name, why in refused.items() if why),
            ),
        )


def _hiding(config: Config) -> frozenset[str]:
    """Return the sources whose retracted entries are hidden.

    A source's own setting decides, else that of its sections, else the default. Where its sections
    differ, hide wins: an entry can't be taken down in one of them only.
    """
    of_section = {section.id: section.retracted for section in config.sections if section.retracted}

    def is_hiding(source: Source) -> bool:
        settings = {of_section[id] for id in source.sections if id in of_section}
        return "hide" in ({source.retracted} - {""} or settings or {config.defaults.retracted})

    return frozenset(source.id for source in config.sources if is_hiding(source))


def verdict(rules: Sequence[Rule], entry: Entry) -> str:
    """Return why an entry is dropped, "" if it is shown.

    One matching drop rule is enough; if there are keep rules, one of them must match.
    """
    keeps = False
    matches = False
    for rule in rules:
        if rule.action == "drop" and _matches(rule, entry):
            return f"dropped by the rule {rule.field}: {rule.pattern}"
        if rule.action == "keep":
            keeps, matches = True, matches or _matches(rule, entry)
    return "" if matches or not keeps else "dropped: no keep rule matches"


def _effects(rules: Sequence[Rule], entry: Entry) -> Iterable[Rule]:
    return (rule for rule in rules if rule.action not in ("keep", "drop") and _matches(rule, entry))


def _moved(sections: Sequence[str], effects: Sequence[Rule]) -> tuple[str, ...]:
    targets = dict.fromkeys(rule.value for rule in effects if rule.action == "section")
    return tuple(targets) or tuple(sections)


def _reason(rule: Rule) -> str:
    effect = {
        "category": f"given the category {rule.value}",
        "section": f"moved to the section {rule.value}",
        "priority": "marked as important",
    }[rule.action]
    return f"{effect} by the rule {rule.field}: {rule.pattern}"


def _matches(rule: Rule, entry: Entry) -> bool:
    pattern = _pattern(any_word(rule.pattern) if rule.field == "words" else rule.pattern)
    return any(pattern.search(text) for text in _texts(entry, rule.field))


@lru_cache(maxsize=10_000)
def _pattern(text: str) -> "re2._Regexp":
    return re2.compile(f"(?i){text}")


@lru_cache(maxsize=10_000)
def any_word(text: str) -> str:
    """Return the expression that matches any of the comma-separated words or phrases, whole.

    In scripts without spaces between words, any character may be next to a word.
    """
    words = (" ".join(word.split()) for word in text.split(","))
    return "|".join(
        f"{_edge(word[0], '^')}{re2.escape(word)}{_edge(word[-1], '$')}" for word in words if word
    )


def _edge(letter: str, end: str) -> str:
    return "" if _UNSPACED.search(letter) else rf"(?:{end}|[^\pL\pM\pN])"


def _texts(entry: Entry, field: str) -> Sequence[str]:
    match field:
        case "title":
            return (entry.title,)
        case "summary":
            return (entry.summary,)
        case "content":
            return (entry.text,)
        case "words":
            return (entry.title, entry.summary, entry.text)
        case "author":
            return [author.name for author in entry.authors]
        case "category":
            return entry.categories
        case _:
            return (entry.link,)
