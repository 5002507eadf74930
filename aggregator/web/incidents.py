"""The health feed: incidents of sources as entries, one for each, changed when it is over."""

import html
from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response, abort, request

from aggregator.formats import atom, jsonfeed, rss
from aggregator.formats.merged import NEVER, Item, MergedFeed, SourceInfo
from aggregator.model import Config, Entry, Query, SafeHtml, StoredEntry
from aggregator.store import incidents, sources
from aggregator.store.db import Store
from aggregator.store.incidents import Incident
from aggregator.web.cache import Document
from aggregator.web.merging import MEDIA_TYPES
from aggregator.web.views import ViewSpec

SHOWN = 50

_RENDER: Mapping[str, tuple[Callable[[MergedFeed], bytes], str]] = {
    "atom": (atom.render, f"{atom.TYPE}; charset=utf-8"),
    "rss": (rss.render, f"{rss.TYPE}; charset=utf-8"),
    "json": (jsonfeed.render, jsonfeed.TYPE),
}

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
        if format not in _RENDER:
            abort(404, f"The health feed ends in .{', .'.join(_RENDER)}")
        with store.reading() as db:
            found = incidents.recent(db, SHOWN)
            states = sources.get_many(db, {one.source_id for one in found})
        titles = {state.id: state.title for state in states.values()}
        feed = merged(found, titles, config(), format)
        render, content_type = _RENDER[format]
        document = Document(
            body=render(feed),
            content_type=content_type,
            last_modified=feed.updated if feed.items else None,
            cache_control="public, max-age=60",
        )
        answer = document.answer(request.environ)
        return Response(answer.body, answer.status, answer.headers)

    return made


def view(config: Config) -> ViewSpec:
    """Return the health feed as a view: it gives the addresses."""
    return ViewSpec(
        kind="health",
        id="",
        query=Query(),
        title=f"Health – {config.site.title}",
        description="What goes wrong with sources, and when it is over.",
        extra="",
        base=config.site.base_url,
        archived=False,
    )


def merged(
    found: Sequence[Incident], titles: Mapping[str, str], config: Config, format: str
) -> MergedFeed:
    """Return incidents as a feed.

    Args:
        titles: Of the sources, by id.
    """
    spec = view(config)
    site = SourceInfo(
        id="health",
        title=spec.title,
        url=spec.feed_url("atom"),
        link=f"{spec.base}/status",
        feed_id=spec.feed_id,
    )
    items = tuple(
        Item(
            entry=_stored(one, titles.get(one.source_id, one.source_id), spec),
            source=site,
            page_url=f"{spec.base}/source/{one.source_id}",
        )
        for one in found
    )
    return MergedFeed(
        id=spec.feed_id,
        title=spec.title,
        subtitle=spec.description,
        author=config.site.title,
        page_url=f"{spec.base}/status",
        self_url=spec.feed_url(format),
        language="en",
        alternates=tuple(
            (kind, spec.feed_url(other)) for other, kind in MEDIA_TYPES.items() if other != format
        ),
        updated=max((item.updated for item in items), default=NEVER),
        items=items,
    )


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
