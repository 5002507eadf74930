"""The beginnings of texts, cut where a reader would cut them."""

import unicodedata

TITLE_WORDS, TITLE_LENGTH = 12, 80
"""Words and characters of a title made from a text."""

CUT_OFF = " ,;:-–—·"
"""Characters that do not stand before "…"."""


def lead(text: str, limit: int) -> str:
    """Return the beginning of a text, of at most `limit` characters, with "…" where it was cut.

    The cut is between words, in scripts without spaces between any two characters as people see
    them: never before an accent, a joiner or the second half of a flag.
    """
    if len(text) <= limit:
        return text
    end = text.rfind(" ", limit // 2, limit)
    if end < 0:
        end = limit - 1
        while end and not _may_cut(text, end):
            end -= 1
        end = end or limit - 1  # a heap of accents without a letter
    return text[:end].rstrip(CUT_OFF) + "…"


def _may_cut(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if "\u200d" in (before, after) or unicodedata.category(after)[0] == "M":
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # the colour of the skin before it
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        halves = at - len(text[:at].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        return halves % 2 == 0
    return True


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def first_words(text: str) -> str:
    """Return the beginning of a text as the title of an entry without one, "" for no text."""
    words = text.split()
    beginning = " ".join(words[:TITLE_WORDS])
    if len(words) > TITLE_WORDS and len(beginning) <= TITLE_LENGTH:
        return f"{beginning.rstrip(CUT_OFF)}…"
    return lead(beginning, TITLE_LENGTH)
