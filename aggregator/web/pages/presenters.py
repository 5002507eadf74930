"""Entries as pages show them: titles that are never empty, excerpts, clips, days; pure."""

import html
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from aggregator.clean.html import players
from aggregator.models.entry import Enclosure, Entry, SafeHtml
from aggregator.models.excerpt import CUT_OFF, first_words
from aggregator.models.passage import MARK_CLOSE, MARK_OPEN
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources.sources import Label, SourceState
from aggregator.web.i18n import gettext
from aggregator.web.pages import direction
from aggregator.web.pages.dates import rfc3339, rfc3339_or_none
from aggregator.web.pages.view_models import Clip, Day, EntryItem, OtherReport


def headline(entry: Entry | EntrySummary) -> str:
    """Return the title, else the first words of the summary, else the link."""
    return entry.title or first_words(entry.summary) or entry.link or gettext("Untitled")


def _excerpt(entry: EntrySummary) -> str:
    """Return the summary without the words that stand for the title."""
    if entry.title:
        return entry.summary
    title, text = first_words(entry.summary).removesuffix("…"), " ".join(entry.summary.split())
    rest = text[len(title) :].lstrip(CUT_OFF)
    return f"…{rest}" if rest else ""


def entry_item(
    entry: EntrySummary,
    labels: Mapping[str, Label],
    *,
    sections: Mapping[str, str],
    excerpt: str = "",
    other_reports: Sequence[EntrySummary] = (),
) -> EntryItem:
    """Return an entry as an item of a list.

    Args:
        labels: Of the sources, by id.
        sections: Titles of sections, by id.
        excerpt: The passage that a search found, with the matches marked.
        other_reports: Other entries of the same story.
    """
    label = _label(entry.source_id, labels)
    section_id = next((id for id in label.sections if id in sections), "")
    return EntryItem(
        id=entry.id,
        url=f"/entry/{entry.id}",
        title=headline(entry),
        excerpt=marked(excerpt) if excerpt else SafeHtml(html.escape(_excerpt(entry))),
        source_id=entry.source_id,
        source=label.title,
        at=entry.sort_at,
        section=sections.get(section_id, ""),
        section_id=section_id,
        icon=label.icon,
        is_untitled=not entry.title and bool(entry.summary),
        direction=direction.of(headline(entry), entry.language),
        image=entry.image,
        kind=entry.kind,
        language=entry.language,
        other_reports=tuple(_other_report(report, labels) for report in other_reports),
        retracted=entry.retracted,
    )


def _label(source_id: str, labels: Mapping[str, Label]) -> Label:
    return labels.get(source_id) or Label(title=source_id, sections=())


def _other_report(report: EntrySummary, labels: Mapping[str, Label]) -> OtherReport:
    label = _label(report.source_id, labels)
    return OtherReport(source=label.title, icon=label.icon, url=f"/entry/{report.id}")


def clips(entry: Entry) -> tuple[Clip, ...]:
    """Return the enclosures to play or download.

    Images are shown as pictures, players of other sites as links.
    """
    return tuple(
        Clip(enclosure=enclosure, kind=_clip_kind(enclosure))
        for enclosure in entry.enclosures
        if not enclosure.type.startswith("image/") and not players.film_page(enclosure.url)
    )


def _clip_kind(enclosure: Enclosure) -> str:
    main_type = enclosure.type.partition("/")[0]
    return main_type if main_type in ("audio", "video") else "file"


def marked(text: str) -> SafeHtml:
    """Return an excerpt as HTML, with the matches in <mark>."""
    escaped = html.escape(text)
    return SafeHtml(escaped.replace(MARK_OPEN, "<mark>").replace(MARK_CLOSE, "</mark>"))


def by_day(entries: Sequence[EntryItem]) -> tuple[Day, ...]:
    """Return entries grouped by their day in GMT."""
    return tuple(
        Day(day=day, entries=tuple(group))
        for day, group in groupby(entries, key=lambda entry: entry.at.date())
    )


def source_fields(state: SourceState) -> dict[str, Any]:
    """Return the members of a source that the API and `/status.json` have in common."""
    return {
        "id": state.id,
        "title": state.title,
        "sections": list(state.sections),
        "last_poll": rfc3339_or_none(state.last_poll),
        "last_ok": rfc3339_or_none(state.last_ok),
        "last_change": rfc3339_or_none(state.last_change),
        "next_poll": rfc3339(state.next_poll),
        "next_poll_reason": state.next_poll_reason,
        "failures": state.failures,
        "entries": state.entries,
    }
