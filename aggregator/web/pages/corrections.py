"""What publishers corrected, as a page and as feeds: each change, with what was there before."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import groupby

from flask import Blueprint, Response, render_template

from aggregator.clean import fingerprint
from aggregator.formats.merged import Item
from aggregator.models.config import Config
from aggregator.models.entry import Author, Entry, SafeHtml, StoredEntry
from aggregator.store.database.connection import Store
from aggregator.store.database.times import format_time
from aggregator.store.queries import revisions
from aggregator.web.feeds import site_feeds
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.middleware.etags import Tags, is_known, tagged, unchanged
from aggregator.web.pages import presenters
from aggregator.web.pages.entry_lists import PAGE, Reader, feeds_of, older, place_of_request
from aggregator.web.pages.view_models import Change, Correction, CorrectionsPage, Head

PATH = "/corrections"
IN_FEEDS = 50

MARKED = 1_000_000
"""Characters of all texts of a page that are looked through for noise, in a second or two."""


def blueprint(
    config: Callable[[], Config], store: Store, clock: Callable[[], datetime]
) -> Blueprint:
    """Return the page and the feeds."""
    made = Blueprint("corrections", __name__)
    tags = Tags(clock)

    @made.get(PATH)
    def page() -> Response | str:
        now, before = config(), place_of_request()
        spec = view(now)
        with store.reading() as db:
            tag = tags.of(db, now)
            if is_known(tag):
                return unchanged(tag)
            found = revisions.recent(db, PAGE + 1, before)
            shown = told(Reader(db, now), found[:PAGE])
        updated = shown[0].change.until if shown else None
        context = CorrectionsPage(
            head=Head(
                title=spec.title,
                description=spec.description,
                updated=updated,
                canonical=spec.page_url,
                feeds=feeds_of(spec),
            ),
            days=_by_day(shown),
            older=older(PATH, found[PAGE - 1].place) if len(found) > PAGE else "",
            paged=before is not None,
        )
        return tagged(render_template("corrections.html", page=context, head=context.head), tag)

    @made.get("/feeds/corrections.<format>")
    def feed(format: str) -> Response:
        site_feeds.check(format, "The feed of corrections")
        now = config()
        spec = view(now)
        with store.reading() as db:
            shown = told(Reader(db, now), revisions.recent(db, IN_FEEDS))
        source = site_feeds.source(spec, PATH)
        items = (
            Item(
                entry=_stored(one, spec),
                source=source,
                page_url=f"{spec.base}{one.story.url}#changes",
            )
            for one in shown
        )
        return site_feeds.response(site_feeds.merged(spec, items, now, format, page=PATH), format)

    return made


def view(config: Config) -> ViewSpec:
    """Return the corrections as a view: it gives the addresses."""
    words = "What publishers changed in headlines and texts after we first saw them."
    return site_feeds.view("corrections", "Corrections", words, config)


def told(reader: Reader, found: Sequence[revisions.Correction]) -> list[Correction]:
    """Return changes as the page and the feeds tell them; noise is none."""
    lines = reader.lines({one.entry_id for one in found})
    told = {story.id: story for story in reader.tell(lines.values())}
    parts = 2 * len(found) or 1
    steps, longest = presenters.DIFF_STEPS // parts, MARKED // parts
    made = []
    for one in found:
        headline = one.before.title != one.after.title
        text = _text_differs(one.before.text, one.after.text, longest)
        if not (headline or text):
            continue
        made.append(
            Correction(
                story=told[one.entry_id],
                what=" and ".join(
                    word for word, changed in (("headline", headline), ("text", text)) if changed
                ),
                change=Change(
                    until=one.at,
                    title=presenters.difference(one.before.title, one.after.title, steps),
                    text=presenters.difference(one.before.text, one.after.text, steps)
                    if text
                    else SafeHtml(""),
                ),
            )
        )
    return made


def _text_differs(before: str, after: str, longest: int) -> bool:
    """Whether more has changed than noise; of a text over `longest` characters any change is."""
    if before == after or max(len(before), len(after)) > longest:
        return before != after
    # Beside a changed headline, a text may differ by a counter or an advert alone.
    return fingerprint.fingerprint("", before, ()) != fingerprint.fingerprint("", after, ())


def _by_day(shown: Sequence[Correction]) -> tuple[tuple[date, tuple[Correction, ...]], ...]:
    return tuple(
        (day, tuple(group))
        for day, group in groupby(shown, key=lambda one: one.change.until.date())
    )


def _stored(one: Correction, spec: ViewSpec) -> StoredEntry:
    """Return a correction as an entry of the feed."""
    change, story = one.change, one.story
    uri = f"{spec.feed_id}/{story.id}/{format_time(change.until)}"
    parts = [
        f"<p>{name}: {difference}</p>"
        for name, difference in (("Headline", change.title), ("Text", change.text))
        if difference
    ]
    return StoredEntry(
        id=story.id,
        source_id=story.source_id,
        uri=uri,
        first_seen=change.until,
        changed=change.until,
        sort_at=change.until,
        entry=Entry(
            guid=uri,
            link=f"{spec.base}{story.url}#changes",
            canonical_url="",
            title=f"{one.what.capitalize()} changed: {story.title}",
            summary="",
            content=SafeHtml("".join(parts)),
            published=change.until,
            updated=change.until,
            authors=(Author(name=story.source),),
            categories=tuple(one.what.split(" and ")),
        ),
    )
