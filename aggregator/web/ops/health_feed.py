"""The health feed: incidents of sources as entries, one for each, changed when it is over."""

import html
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response

from aggregator.formats.merged import Item, MergedFeed
from aggregator.models.config import Config
from aggregator.models.entry import Entry, SafeHtml, StoredEntry
from aggregator.store.database.connection import Store
from aggregator.store.sources import incidents, sources
from aggregator.store.sources.incidents import Incident
from aggregator.web.feeds import site_feeds
from aggregator.web.feeds.views import ViewSpec

SHOWN = 50
PAGE = "/status"

_SAID = {
    "failing": ("can't be polled", "could not be polled for a while"),
    "gone": ("is gone", "was gone for a while"),
    "silent": ("has been silent for too long", "was silent for long"),
    "quarantined": ("issued its entries anew", "had issued its entries anew"),
    "moved": ("has moved", "has moved"),
    "gap": ("may have lost entries", "may have lost entries"),
}


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the route of the health feed."""
    made = Blueprint("incidents", __name__)

    @made.get("/feeds/health.<format>")
    def health(format: str) -> Response:
        site_feeds.check(format, "The health feed")
        with store.reading() as db:
            found = incidents.recent(db, SHOWN)
            states = sources.get_many(db, {one.source_id for one in found})
        titles = {state.id: state.title for state in states.values()}
        return site_feeds.response(merged(found, titles, config(), format), format)

    return made


def view(config: Config) -> ViewSpec:
    """Return the health feed as a view: it gives the addresses."""
    words = "What goes wrong with sources, and when it is over."
    return site_feeds.view("health", "Health", words, config)


def merged(
    found: Sequence[Incident], titles: Mapping[str, str], config: Config, format: str
) -> MergedFeed:
    """Return incidents as a feed.

    Args:
        titles: Of the sources, by id.
    """
    spec = view(config)
    source = site_feeds.source(spec, PAGE)
    items = (
        Item(
            entry=_stored(one, titles.get(one.source_id, one.source_id), spec),
            source=source,
            page_url=f"{spec.base}/source/{one.source_id}",
        )
        for one in found
    )
    return site_feeds.merged(spec, items, config, format, page=PAGE)


def _stored(incident: Incident, title: str, spec: ViewSpec) -> StoredEntry:
    open_words, closed_words = _SAID.get(incident.kind, (incident.kind, f"{incident.kind}, over"))
    words = open_words if incident.closed is None else closed_words
    uri = f"{spec.feed_id}/{incident.id}"
    entry = Entry(
        guid=uri,
        link=f"{spec.base}/source/{incident.source_id}",
        canonical_url="",
        title=f"{title} {words}",
        summary=incident.detail,
        content=SafeHtml(f"<p>{html.escape(incident.detail)}</p>" if incident.detail else ""),
        published=incident.opened,
        updated=incident.changed,
        categories=(incident.kind,),
        text=incident.detail,
    )
    return StoredEntry(
        id=incident.id,
        source_id=incident.source_id,
        uri=uri,
        first_seen=incident.opened,
        changed=incident.changed,
        sort_at=incident.opened,
        entry=entry,
    )
