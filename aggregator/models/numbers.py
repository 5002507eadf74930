"""Numbers in the text of feeds and requests."""

MAX_INTEGER = 2**63 - 1
"""The largest integer of SQLite."""


def parse_number(text: str, *, least: int = 0, most: int = MAX_INTEGER) -> int | None:
    """Return a number in ASCII digits, None if there is none from `least` to `most`."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if least <= number <= most else None
