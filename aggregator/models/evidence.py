"""Where two reports of one story agree."""

import json
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where two reports agree, as far as a reader can check it.

    Args:
        names, figures: In both.
        phrases: Phrases of both opening texts, as one of them writes it; the longest first.
        score, needed: How likely they are of one event, and from where they count as such: 0 to 1;
            None where another rule decides.
        decisive: "names", "figures", "words" or "headline", without any of which the score would
            be too low.
    """

    names: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    score: float | None = None
    needed: float | None = None
    decisive: tuple[str, ...] = ()


NONE = Evidence()

_FIELDS = tuple(field.name for field in fields(Evidence))
_encode = json.JSONEncoder(ensure_ascii=False).encode

_DECISIVE = {
    "names": "without the same names they would be apart",
    "figures": "without the same figures they would be apart",
    "words": "without the same words they would be apart",
    "headline": "without words of one headline in the other report they would be apart",
}


def to_json(evidence: Evidence | None) -> str:
    """Return evidence as JSON text, "" for None."""
    if evidence is None or evidence == NONE:
        return ""
    return _encode({k: value for k in _FIELDS if (value := getattr(evidence, k))})


def from_json(text: str) -> Evidence | None:
    """Return evidence from its JSON text, None for ""."""
    if not text:
        return None
    values: dict[str, Any] = json.loads(text)
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Evidence(**(values | lists))


def sentences(evidence: Evidence) -> list[str]:
    """Return where two reports agree, how sure that is, and why else they would be apart."""
    found = []
    if evidence.names:
        found.append(f"both name {', '.join(evidence.names)}")
    if evidence.figures:
        found.append(f"both give {', '.join(evidence.figures)}")
    found += [f"both say “{phrase}”" for phrase in evidence.phrases]
    if evidence.score is not None and evidence.needed is not None:
        found.append(f"score {evidence.score:.2f}, from {evidence.needed:.2f} on one event")
        found += [_DECISIVE[kind] for kind in evidence.decisive]
        found.append(
            "as a preview, an opinion or a correction, or with an opposite outcome, one would be"
            " apart"
        )
    return found
