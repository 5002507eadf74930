"""Corrections: edits by publishers, newest first, as a page and as feeds."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import groupby

from flask import Blueprint, Response, render_template, request

from aggregator.clean import fingerprint
from aggregator.formats.merged import Item
from aggregator.models.config import Config
from aggregator.models.entry import Author, Entry, SafeHtml, StoredEntry
from aggregator.store.database import site_id as site_ids
from aggregator.store.database.connection import Store
from aggregator.store.database.times import format_time
from aggregator.store.queries import revisions
from aggregator.web.feeds import site_feeds
from aggregator.web.feeds.navigation import wants_page
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.i18n import gettext, translated
from aggregator.web.middleware.etags import PageEtags, matches, not_modified, with_etag
from aggregator.web.pages import diff, feed_page
from aggregator.web.pages.entry_lists import (
    PAGE_SIZE,
    EntryLists,
    next_page_path,
    requested_cursor,
    view_head,
)
from aggregator.web.pages.view_models import Change, Correction, CorrectionsPage

PATH = "/corrections"
IN_FEEDS = 50

MAX_COMPARED = 1_000_000
"""Characters of all texts of a page that are compared by fingerprint: a second or two."""


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the page and the feeds."""
    routes = Blueprint("corrections", __name__)
    corrections = Corrections(config, store, clock)
    routes.add_url_rule(PATH, "page", corrections.page)
    routes.add_url_rule("/feeds/corrections.<format>", "feed", corrections.feed)
    return routes


class Corrections:
    """The page and the feeds of corrections."""

    def __init__(
        self, config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
    ) -> None:
        """Serve a store."""
        self._config, self._store, self._etags = config, store, PageEtags(clock)

    def page(self) -> Response | str:
        """Show one page of the list."""
        config, before = self._config(), requested_cursor()
        with self._store.reading() as db:
            etag = self._etags.of(db, config)
            if matches(etag):
                return not_modified(etag)
            stored = revisions.recent(db, PAGE_SIZE + 1, before)
            shown = compare(EntryLists(db, config), stored[:PAGE_SIZE])
        has_more = len(stored) > PAGE_SIZE and not config.site.static
        page = CorrectionsPage(
            head=view_head(view(config), shown[0].change.until if shown else None),
            days=_by_day(shown),
            next_path=next_page_path(PATH, stored[PAGE_SIZE - 1].place) if has_more else "",
            is_continued=before is not None,
        )
        return with_etag(render_template("corrections.html", page=page, head=page.head), etag)

    def feed(self, format: str) -> Response:
        """Return the latest corrections as a feed."""
        site_feeds.check(format)
        config = self._config()
        spec = view(config)
        with self._store.reading() as db:
            shown = compare(EntryLists(db, config), revisions.recent(db, IN_FEEDS))
            site_id = site_ids.get(db)
        source = site_feeds.source(spec, PATH, site_id)
        items = (
            Item(
                entry=_stored(correction, spec, site_id),
                source=source,
                page_url=f"{spec.base}{correction.entry.url}#changes",
            )
            for correction in shown
        )
        merged = site_feeds.merged(spec, items, config, format, page=PATH, site_id=site_id)
        if wants_page(request.environ):
            return feed_page.response(merged, format, config)
        return site_feeds.response(merged, format, config)


def view(config: Config) -> ViewSpec:
    """Return the corrections as a view, for the addresses of their feeds."""
    description = gettext("Headlines and texts that publishers changed after we first saw them.")
    return site_feeds.view("corrections", gettext("Corrections"), description, config)


def compare(lists: EntryLists, stored: Sequence[revisions.StoredCorrection]) -> list[Correction]:
    """Return the edits with their differences; edits of counters and adverts are left out."""
    by_id = lists.get_many({edit.entry_id for edit in stored})
    items = {item.id: item for item in lists.items(by_id.values())}
    texts = 2 * len(stored) or 1
    steps, max_length = diff.MAX_STEPS // texts, MAX_COMPARED // texts
    corrections = []
    for edit in stored:
        before, after = edit.before, edit.after
        text_differs = _text_differs(before.text, after.text, max_length)
        parts = {"headline": before.title != after.title, "text": text_differs}
        if not any(parts.values()):
            continue
        text = diff.difference(before.text, after.text, steps) if text_differs else SafeHtml("")
        title = diff.difference(before.title, after.title, steps)
        corrections.append(
            Correction(
                entry=items[edit.entry_id],
                parts=tuple(part for part, differs in parts.items() if differs),
                change=Change(until=edit.at, title=title, text=text),
            )
        )
    return corrections


def _text_differs(before: str, after: str, max_length: int) -> bool:
    """Return whether more changed than a counter or an advert; always true for long texts."""
    if before == after or max(len(before), len(after)) > max_length:
        return before != after
    # The edit may be one of the headline: then the text may differ by a counter alone.
    return fingerprint.fingerprint("", before, ()) != fingerprint.fingerprint("", after, ())


def _by_day(shown: Sequence[Correction]) -> tuple[tuple[date, tuple[Correction, ...]], ...]:
    return tuple(
        (day, tuple(group))
        for day, group in groupby(shown, key=lambda correction: correction.change.until.date())
    )


def _stored(correction: Correction, spec: ViewSpec, site_id: str) -> StoredEntry:
    """Return a correction as an entry of the feed."""
    change, item = correction.change, correction.entry
    uri = f"{spec.feed_id(site_id)}/{item.id}/{format_time(change.until)}"
    paragraphs = [
        f"<p>{name} {difference}</p>"
        for name, difference in (
            (gettext("Headline:"), change.title),
            (gettext("Text:"), change.text),
        )
        if difference
    ]
    return StoredEntry(
        id=item.id,
        source_id=item.source_id,
        uri=uri,
        first_seen=change.until,
        changed=change.until,
        sort_at=change.until,
        entry=Entry(
            guid=uri,
            link=f"{spec.base}{item.url}#changes",
            canonical_url="",
            title=f"{translated(correction.label)}: {item.title}",
            summary="",
            content=SafeHtml("".join(paragraphs)),
            published=change.until,
            updated=change.until,
            authors=(Author(name=item.source),),
            categories=correction.parts,
        ),
    )
