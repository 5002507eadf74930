"""Small bar charts; pure."""

from collections.abc import Sequence

from aggregator.web.pages.view_models import Sparkline

_BAR, _STEP, _HEIGHT = 5, 6, 20


def draw(values: Sequence[int], label: str) -> Sparkline:
    """Return a chart with a bar for each value, the last one at the right.

    Args:
        label: The chart in words.
    """
    scale = (_HEIGHT - 2) / max(*values, 1)
    bars = (
        f"M{_STEP * at},{_HEIGHT}v-{1 + scale * value:.4g}h{_BAR}V{_HEIGHT}z"
        for at, value in enumerate(values)
    )
    return Sparkline(path="".join(bars), width=_STEP * len(values), label=label)
