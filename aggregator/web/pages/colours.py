"""The accent colour in both colour schemes, changed as far as it takes to be readable; pure."""

LIGHT_PAPERS, DARK_PAPERS = ("#fdfcf9", "#f3f1ea"), ("#141413", "#1f1f1d")
"""The backgrounds of `base.css`, `--paper` and `--raised`, in each scheme."""

MIN_CONTRAST = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3)."""

_STEPS = 50


def accent_rules(accent: str) -> str:
    """Return the CSS that sets the accent, #rgb or #rrggbb, darker or lighter where unreadable."""
    light, dark = readable(accent, LIGHT_PAPERS), readable(accent, DARK_PAPERS)
    return (
        f":root {{ --accent: {light}; }}\n"
        "@media (prefers-color-scheme: dark)"
        f" {{ :root:not([data-theme=light]) {{ --accent: {dark}; }} }}\n"
        f":root[data-theme=dark] {{ --accent: {dark}; }}\n"
    )


def readable(colour: str, papers: tuple[str, ...]) -> str:
    """Return a colour if text in it is readable on all papers, else the nearest that is.

    It is mixed with black on light paper and with white on dark paper.
    """
    target = 0.0 if _luminance(_parsed(papers[0])) > 0.5 else 255.0
    original = _parsed(colour)
    shown = colour
    for step in range(1, _STEPS + 1):
        if all(contrast(shown, paper) >= MIN_CONTRAST for paper in papers):
            break
        share = step / _STEPS
        red, green, blue = (round(part + (target - part) * share) for part in original)
        shown = f"#{red:02x}{green:02x}{blue:02x}"
    return shown


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lower, higher = sorted((_luminance(_parsed(one)), _luminance(_parsed(other))))
    return (higher + 0.05) / (lower + 0.05)


def _parsed(colour: str) -> tuple[int, int, int]:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _luminance(colour: tuple[int, int, int]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
