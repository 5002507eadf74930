"""JSON Feed 1.1, with an extension object `_aggregator` that docs/feeds.md describes."""

import json
import re
from collections.abc import Mapping, Sequence

from aggregator.formats import entries, extensions, merged
from aggregator.formats.entries import FeedEntry
from aggregator.formats.merged import Item, MergedFeed, rfc3339
from aggregator.formats.xml import encode
from aggregator.models.entry import Author, Enclosure

TYPE = "application/feed+json"

# Escaped control characters, which XML formats can't hold. Group 1 matches the escapes to keep.
_CONTROL = re.compile(r"(\\[^ubf])|\\(?:u[0-9a-f]{4}|[bf])")

Json = str | int | bool | Sequence["Json"] | Mapping[str, "Json"]


def render(feed: MergedFeed) -> bytes:
    """Return the feed as a JSON document in UTF-8."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        **_non_empty(
            home_page_url=feed.page_url,
            feed_url=feed.self_url,
            description=feed.subtitle,
            next_url=feed.next or feed.previous_archive,
            icon=feed.artwork or feed.icon,
            language=merged.language(feed.language),
            authors=[{"name": feed.author, "url": feed.page_url}],
            hubs=[{"type": "WebSub", "url": url} for url in feed.hubs],
            _aggregator=_feed_extension(feed),
        ),
        "items": [_item(entry) for entry in entries.present(feed)],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if any(escape in text for escape in ("\\u", "\\b", "\\f")):
        text = _CONTROL.sub(r"\1", text)
    return encode([text])


def _feed_extension(feed: MergedFeed) -> Json:
    return _non_empty(
        id=feed.id,
        updated=rfc3339(feed.updated),
        complete=feed.complete,
        archive=feed.archive,
        current=feed.current,
        previous_archive=feed.previous_archive,
        deleted=[{"id": uri, "when": rfc3339(when)} for uri, when in merged.tombstones(feed)],
    )


def _item(presented: FeedEntry) -> Json:
    item, content = presented.item, presented.content
    entry = item.entry.entry
    text = "" if content else entry.summary or presented.title  # one is needed (1.1, Items)
    return {
        "id": item.entry.uri,
        **_non_empty(
            url=presented.link,
            external_url=entry.via,
            title=presented.title,
            content_html=content,
            content_text=text,
            summary=entry.summary,
            image=entry.image.url if entry.image else "",
            date_published=rfc3339(item.published),
            date_modified=rfc3339(item.updated),
            authors=[_author(author) for author in presented.authors],
            tags=list(entry.categories),
            language=merged.language(entry.language),
            attachments=[_attachment(enclosure) for enclosure in entry.enclosures],
            _aggregator=_item_extension(item),
        ),
    }


def _item_extension(item: Item) -> Json:
    origin = item.origin
    return _non_empty(
        source=_non_empty(
            id=item.source.id,
            title=item.source.title,
            url=item.source.link,
            feed_url=item.source.url,
            page=item.source.page_url,
        ),
        origin=_non_empty(id=origin.id, title=origin.title, feed_url=origin.url),
        first_seen=rfc3339(item.entry.first_seen),
        sections=list(item.sections),
        also_reported_by=[{"title": title, "url": url} for title, url in item.also],
        page=item.page_url,
        comments=item.entry.entry.comments,
        extensions=[
            _non_empty(name=element.name, text=element.text, attributes=dict(element.attributes))
            for element in extensions.passed_on(item.entry.entry)
        ],
    )


def _author(author: Author) -> Json:
    return _non_empty(name=author.name, url=author.uri)


def _attachment(enclosure: Enclosure) -> Json:
    return _non_empty(
        url=enclosure.url,
        mime_type=merged.media_type(enclosure) or merged.UNKNOWN_TYPE,
        title=enclosure.title,
        size_in_bytes=enclosure.length or 0,
        duration_in_seconds=enclosure.duration or 0,
    )


def _non_empty(**members: Json) -> dict[str, Json]:
    """Return the members without those that are "", [], {}, false or 0."""
    return {name: value for name, value in members.items() if value}
