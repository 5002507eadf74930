"""Feeds about the site itself, such as what goes wrong: rendered for who asks, without archives."""

from collections.abc import Callable, Iterable, Mapping

from flask import Response, abort, request

from aggregator.formats import atom, jsonfeed, rss
from aggregator.formats.merged import NEVER, Item, MergedFeed, SourceInfo
from aggregator.model import Config, Query
from aggregator.web.cache import Document
from aggregator.web.merging import MEDIA_TYPES
from aggregator.web.views import ViewSpec

_RENDER: Mapping[str, tuple[Callable[[MergedFeed], bytes], str]] = {
    "atom": (atom.render, f"{atom.TYPE}; charset=utf-8"),
    "rss": (rss.render, f"{rss.TYPE}; charset=utf-8"),
    "json": (jsonfeed.render, jsonfeed.TYPE),
}


def view(kind: str, title: str, description: str, config: Config) -> ViewSpec:
    """Return such a feed as a view: it gives the addresses."""
    return ViewSpec(
        kind=kind,
        id="",
        query=Query(),
        title=f"{title} – {config.site.title}",
        description=description,
        extra="",
        base=config.site.base_url,
        archived=False,
    )


def source(spec: ViewSpec, page: str) -> SourceInfo:
    """Return what the items of the feed come from: the site; `page` is the path of its page."""
    return SourceInfo(
        id=spec.kind,
        title=spec.title,
        url=spec.feed_url("atom"),
        link=f"{spec.base}{page}",
        feed_id=spec.feed_id,
    )


def merged(
    spec: ViewSpec, items: Iterable[Item], config: Config, format: str, *, page: str
) -> MergedFeed:
    """Return the feed to be rendered in a format."""
    items = tuple(items)
    return MergedFeed(
        id=spec.feed_id,
        title=spec.title,
        subtitle=spec.description,
        author=config.site.title,
        page_url=f"{spec.base}{page}",
        self_url=spec.feed_url(format),
        language="en",
        alternates=tuple(
            (kind, spec.feed_url(other)) for other, kind in MEDIA_TYPES.items() if other != format
        ),
        updated=max((item.updated for item in items), default=NEVER),
        items=items,
    )


def check(format: str, title: str) -> None:
    """Answer 404 to a format that there is not."""
    if format not in _RENDER:
        abort(404, f"{title} ends in .{', .'.join(_RENDER)}")


def response(
    feed: MergedFeed, format: str, *, cache_control: str = "public, max-age=60"
) -> Response:
    """Return the answer to a request for the feed."""
    render, content_type = _RENDER[format]
    document = Document(
        body=render(feed),
        content_type=content_type,
        last_modified=feed.updated if feed.items else None,
        cache_control=cache_control,
    )
    answer = document.answer(request.environ)
    return Response(answer.body, answer.status, answer.headers)
