"""The health feed: one entry for each incident of a source, updated when it is resolved."""

import html
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response, request

from aggregator.formats.merged import Item, MergedFeed
from aggregator.models.config import Config
from aggregator.models.entry import Entry, SafeHtml, StoredEntry
from aggregator.store.database import site_id as site_ids
from aggregator.store.database.connection import Store
from aggregator.store.sources import incidents, sources
from aggregator.store.sources.incidents import Incident
from aggregator.web.feeds import site_feeds
from aggregator.web.feeds.navigation import wants_page
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.i18n import current, gettext, phrase
from aggregator.web.pages import feed_page

SHOWN = 50
PAGE = "/status"

_TITLES = {
    "failing": (phrase("%(source)s can't be polled"), phrase("%(source)s can be polled again")),
    "gone": (phrase("%(source)s is gone"), phrase("%(source)s is back")),
    "waiting": (
        phrase("%(source)s asks us to wait for long"),
        phrase("%(source)s can be polled again"),
    ),
    "silent": (
        phrase("%(source)s has published nothing for a long time"),
        phrase("%(source)s publishes again"),
    ),
    "quarantined": (
        phrase("%(source)s gave old entries new ids"),
        phrase("%(source)s no longer gives old entries new ids"),
    ),
    "moved": (phrase("%(source)s has moved"), phrase("%(source)s has moved")),
    "unreadable": (
        phrase("%(source)s has pages without readable text"),
        phrase("%(source)s has pages with readable text again"),
    ),
    "gap": (phrase("%(source)s may have lost entries"), phrase("%(source)s may have lost entries")),
    "selector": (
        phrase("%(source)s has values that can't be found"),
        phrase("%(source)s has values that can't be found"),
    ),
}
"""Titles by kind of incident: while it lasts, and when it is resolved."""


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the route of the health feed."""
    routes = Blueprint("health_feed", __name__)

    @routes.get("/feeds/health.<format>")
    def health(format: str) -> Response:
        site_feeds.check(format)
        with store.reading() as db:
            latest = incidents.recent(db, SHOWN)
            site_id = site_ids.get(db)
            states = sources.get_many(db, {incident.source_id for incident in latest})
        titles = {state.id: state.title for state in states.values()}
        feed = merged(latest, titles, config(), format, site_id)
        if wants_page(request.environ):
            return feed_page.response(feed, format, config())
        return site_feeds.response(feed, format, config())

    return routes


def view(config: Config) -> ViewSpec:
    """Return the health feed as a view, for its addresses."""
    description = gettext("Problems with sources, and when they were resolved.")
    return site_feeds.view("health", gettext("Health"), description, config)


def merged(
    latest: Sequence[Incident],
    titles: Mapping[str, str],
    config: Config,
    format: str,
    site_id: str,
) -> MergedFeed:
    """Return incidents as a feed.

    Args:
        latest: The incidents to show.
        titles: Of the sources, by id.
        config: Gives the addresses.
        format: Of the feed.
        site_id: From the database.
    """
    spec = view(config)
    source = site_feeds.source(spec, PAGE, site_id)
    items = (
        Item(
            entry=_stored(
                incident,
                titles.get(incident.source_id, incident.source_id),
                spec,
                f"{spec.feed_id(site_id)}/{incident.id}",
            ),
            source=source,
            page_url=f"{spec.base}/source/{incident.source_id}",
        )
        for incident in latest
    )
    return site_feeds.merged(spec, items, config, format, page=PAGE, site_id=site_id)


def _stored(incident: Incident, title: str, spec: ViewSpec, uri: str) -> StoredEntry:
    open_title, resolved_title = _TITLES.get(
        incident.kind, (f"%(source)s {incident.kind}", f"%(source)s {incident.kind}, resolved")
    )
    status = gettext(open_title if incident.closed is None else resolved_title, source=title)
    entry = Entry(
        guid=uri,
        link=f"{spec.base}/source/{incident.source_id}",
        canonical_url="",
        title=status,
        summary=incident.detail,
        content=SafeHtml(f"<p>{html.escape(incident.detail)}</p>" if incident.detail else ""),
        published=incident.opened,
        updated=incident.changed,
        categories=(incident.kind,),
        text=incident.detail,
        language=current().language,
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
