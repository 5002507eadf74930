"""The table of the status page as CSV (RFC 4180), safe to open in a spreadsheet; pure."""

import csv
import io
import re
from collections.abc import Iterable

from aggregator.store.sources.sources import SourceState
from aggregator.web.pages.dates import rfc3339

HEADER = (
    "id", "title", "url", "sections", "health", "health_since", "problem", "failures", "error",
    "last_poll", "last_ok", "last_change", "next_poll", "next_poll_reason", "entries",
    "milliseconds",
)  # fmt: skip

# Where the list separator is a semicolon, a spreadsheet may begin a cell after each one.
_FORMULA = re.compile(r"(^|;) ?(?=[=+\-@＝＋－＠|%])")


def render(sources: Iterable[tuple[SourceState, str]]) -> bytes:
    """Return the table, in UTF-8 with the mark by which spreadsheets recognise it.

    Args:
        sources: Each with the URL to show.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(HEADER)
    writer.writerows(_row(state, url) for state, url in sources)
    return out.getvalue().encode("utf-8-sig", errors="replace")


def _row(state: SourceState, url: str) -> tuple[str | int, ...]:
    times = (state.last_poll, state.last_ok, state.last_change)
    return (
        cell(state.id), cell(state.title), cell(url), cell(" ".join(state.sections)),
        state.shown_health, rfc3339(state.health_since) if state.health_since else "",
        cell(state.problem), state.failures, cell(state.error),
        *(rfc3339(time) if time else "" for time in times),
        rfc3339(state.next_poll) if state.enabled else "", cell(state.next_poll_reason),
        state.entries, state.milliseconds,
    )  # fmt: skip


def cell(text: str) -> str:
    """Return text for a cell, in one line, that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\g<0>'", " ".join(text.split()))
