"""The direction in which a text is written; pure."""

from unicodedata import bidirectional

_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "syr", "ug", "ur", "yi")
)
"""Primary subtags of languages (RFC 5646) that are written from right to left by default."""


def of(text: str, language: str) -> str:
    """Return the direction of a text, `ltr` or `rtl`: that of its first letter (UAX #9, P2).

    Args:
        language: Decides for a text without letters; "" if unknown.
    """
    for character in text:
        match bidirectional(character):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return of_language(language)


def of_language(language: str) -> str:
    """Return the direction of a language, by its tag."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"
