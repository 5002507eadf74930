"""Feeds about the site, such as its incidents: rendered on request, without archives."""

from collections.abc import Iterable

from flask import Response, abort, request

from aggregator.formats.merged import NEVER, Item, MergedFeed, SourceInfo
from aggregator.formats.table import FORMATS
from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.models.query import Query
from aggregator.policy.masking import masker
from aggregator.web import i18n
from aggregator.web.feeds import navigation
from aggregator.web.feeds.build import alternates
from aggregator.web.feeds.views import ViewSpec
from aggregator.web.middleware.representation import ExactResponse, Representation


def view(kind: str, title: str, description: str, config: Config) -> ViewSpec:
    """Return a feed as a view, for its addresses."""
    return ViewSpec(
        kind=kind,
        id="",
        query=Query(),
        title=f"{title} – {config.site.title}",
        description=description,
        extra="",
        base=config.site.url,
        archived=False,
    )


def source(spec: ViewSpec, page: str, site_id: str) -> SourceInfo:
    """Return the site as the source of the feed's items; `page` is the path of the HTML page."""
    return SourceInfo(
        id=spec.kind,
        title=spec.title,
        url=spec.feed_url("atom"),
        link=f"{spec.base}{page}",
        feed_id=spec.feed_id(site_id),
    )


def merged(
    spec: ViewSpec, items: Iterable[Item], config: Config, format: str, *, page: str, site_id: str
) -> MergedFeed:
    """Return the feed for a format to render."""
    items = tuple(items)
    return MergedFeed(
        id=spec.feed_id(site_id),
        title=spec.title,
        subtitle=spec.description,
        author=config.site.title,
        page_url=f"{spec.base}{page}",
        self_url=spec.feed_url(format),
        language=i18n.current().language,
        alternates=alternates(spec, format),
        updated=max((item.modified for item in items), default=NEVER),
        items=items,
    )


def check(format: str) -> None:
    """Abort with 404 for an unknown format."""
    if format not in FORMATS:
        abort(
            404, N_("The address of this feed ends in .%(formats)s.", formats=", .".join(FORMATS))
        )


def response(
    feed: MergedFeed, format: str, config: Config, *, cache_control: str = "public, max-age=60"
) -> Response:
    """Return the response to a request for the feed."""
    document = Representation(
        body=masker(config.secrets).body(FORMATS[format].render(feed)),
        content_type=FORMATS[format].content_type,
        last_modified=feed.updated if feed.items else None,
        cache_control=cache_control,
        vary=f"Accept-Encoding, {navigation.VARY}",
    )
    return ExactResponse(document.response(request.environ))
