"""The page that a browser shows for a feed: its entries, and how to subscribe to it."""

from flask import Response, render_template

from aggregator.formats.entries import FeedEntry, present
from aggregator.formats.merged import NEVER, MergedFeed, media_type
from aggregator.formats.table import FORMATS
from aggregator.models.config import Config
from aggregator.web.feeds import navigation
from aggregator.web.feeds.views import without_secret
from aggregator.web.pages.view_models import FeedItem, FeedLink, FeedPage, Head


def response(feed: MergedFeed, format: str, config: Config) -> Response:
    """Return the page of a feed.

    No cache may store it: many ignore Vary, and would send it to feed readers.

    Args:
        feed: The feed that was requested.
        format: Name of the format that was requested.
        config: The configuration, with the site's address in this request.
    """
    page = feed_page(feed, format, config.site.url)
    result = Response(render_template("feed.html", page=page, head=page.head))
    result.headers["Cache-Control"] = "private, no-store"
    result.headers["X-Robots-Tag"] = "noindex"
    result.vary.update(("Accept", *navigation.VARY.split(", ")))
    return result


def feed_page(feed: MergedFeed, format: str, base: str) -> FeedPage:
    """Return the view model of a feed's page; `base` is the site's address."""
    urls = dict(feed.alternates) | {FORMATS[format].media_type: feed.self_url}
    links = tuple(
        FeedLink(
            type=row.media_type,
            title=f"{feed.title} ({row.label})",
            path=_local(urls[row.media_type], base),
            label=row.label,
            hint=row.hint,
        )
        for row in FORMATS.values()
    )
    path = _local(feed.self_url, base)
    return FeedPage(
        head=Head(
            title=feed.title,
            description=feed.subtitle,
            updated=feed.updated if feed.updated != NEVER else None,
            canonical=without_secret(feed.page_url),
            feeds=links,
        ),
        label=FORMATS[format].label,
        url=feed.self_url,
        raw_path=f"{path}{'&' if '?' in path else '?'}{navigation.RAW}",
        raw_label="JSON" if FORMATS[format].media_type.endswith("json") else "XML",
        page_path=_local(feed.page_url, base),
        entries=tuple(_item(entry, base) for entry in present(feed)),
        language=feed.language,
        podcast_url=urls[FORMATS["rss"].media_type] if _has_recordings(feed) else "",
    )


def _item(presented: FeedEntry, base: str) -> FeedItem:
    item = presented.item
    return FeedItem(
        url=_local(item.page_url or presented.link, base),
        title=presented.title,
        summary=item.entry.entry.summary,
        language=item.entry.entry.language,
        source=item.origin.title,
        at=item.published,
    )


def _local(url: str, base: str) -> str:
    """Return the path of a URL on this site, else the URL."""
    return url.removeprefix(base) if url.startswith(f"{base}/") else url


def _has_recordings(feed: MergedFeed) -> bool:
    return any(
        media_type(enclosure).startswith(("audio/", "video/"))
        for item in feed.items
        for enclosure in item.entry.entry.enclosures
    )
