"""Draw bar charts as SVG."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

ROW, LEFT, WIDTH = 20, 120, 640
COLOURS = ("#b80000", "#555555", "#8a8a8a", "#bdbdbd")


def bars(title: str, values: Mapping[str, Mapping[str, float]]) -> str:
    """Return an SVG of values by group and name; each group has its own scale."""
    drawn, top = [], 40
    for group, by_name in values.items():
        drawn.append(f'<text x="8" y="{top}" font-weight="bold">{escape(group)}</text>')
        most = max(by_name.values())
        # The first name keeps the first colour in every group.
        for colour, (name, value) in zip(COLOURS, sorted(by_name.items()), strict=False):
            top += ROW
            width = max(value / most * (WIDTH - LEFT - 80), 1)
            drawn.append(
                f'<text x="{LEFT - 8}" y="{top}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{LEFT}" y="{top - 12}" width="{width:.0f}" height="15" fill="{colour}"/>'
                f'<text x="{LEFT + width + 6:.0f}" y="{top}">{value:.2f}</text>'
            )
        top += ROW + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}"'
        f' height="{top}" font-family="sans-serif" font-size="13" role="img">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>'
        f'<text x="8" y="18" font-size="15">{escape(title)}</text>{"".join(drawn)}</svg>\n'
    )
