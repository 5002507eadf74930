"""The demo's documents: RSS, Atom, JSON Feed and the pages of their items.

They do not use `formats`, because a test that parses our own output proves little.
"""

import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aggregator.demo.media import AUDIO_BYTES, AUDIO_SECONDS
from aggregator.demo.newsroom import Report

RSS_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"
  xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>
"""


def rss(title: str, reports: Sequence[Report], *, base: str, path: str) -> bytes:
    """Render a news feed in RSS 2.0."""
    return _rss(title, [_rss_item(report, base, "") for report in reports], base, path)


def podcast(title: str, reports: Sequence[Report], *, base: str, path: str) -> bytes:
    """Render a podcast in RSS 2.0 with enclosures and itunes elements."""
    items = [
        _rss_item(
            report,
            base,
            f'<enclosure url="{base}/audio/{report.picture}.wav" length="{AUDIO_BYTES}"'
            f' type="audio/wav"/><itunes:duration>{AUDIO_SECONDS}</itunes:duration>\n',
        )
        for report in reports
    ]
    artwork = f'<itunes:image href="{base}/pictures/artwork-600x600.png"/>'
    return _rss(title, items, base, path, artwork)


def _rss(title: str, items: list[str], base: str, path: str, more: str = "") -> bytes:
    head = (
        f"<title>{escape(title)}</title><link>{base}/</link>"
        f"<description>Invented news, published by the demo.</description><language>en</language>"
        f"{more or image(title, base, path)}"
        f'<atom:link rel="self" type="application/rss+xml" href={quoteattr(base + path)}/>\n'
    )
    return f"{RSS_HEAD}{head}{''.join(items)}</channel></rss>\n".encode()


def icon(base: str, path: str) -> str:
    """Return the URL of the icon of the feed at a path."""
    return f"{base}/pictures/icon-{path.strip('/').partition('.')[0]}-96x96.png"


def image(title: str, base: str, path: str) -> str:
    """Return the image element of the feed at a path: its icon."""
    return (
        f"<image><url>{escape(icon(base, path))}</url><title>{escape(title)}</title>"
        f"<link>{base}/</link></image>"
    )


def _rss_item(report: Report, base: str, more: str) -> str:
    return (
        f"<item><title>{escape(report.headline)}</title>"
        f"<link>{escape(base + report.path)}</link>"
        f'<guid isPermaLink="false">{report.guid}</guid>'
        f"<pubDate>{format_datetime(report.published, usegmt=True)}</pubDate>\n"
        f"<dc:creator>{escape(report.author)}</dc:creator>"
        f"<category>{escape(report.category)}</category>"
        f"<description>{escape(_body(report))}</description>\n"
        f'<media:thumbnail url="{base}/pictures/{report.picture}.png" width="480" height="270"/>\n'
        f"{more}</item>\n"
    )


def atom(title: str, reports: Sequence[Report], *, base: str, path: str) -> bytes:
    """Render a feed in Atom (RFC 4287)."""
    updated = max((report.updated for report in reports), default=datetime(1970, 1, 1, tzinfo=UTC))
    entries = [
        f"<entry><id>tag:demo.example,2009:{report.guid}</id>"
        f"<title>{escape(report.headline)}</title>"
        f"<link href={quoteattr(base + report.path)}/>"
        f"<published>{report.published.isoformat()}</published>"
        f"<updated>{report.updated.isoformat()}</updated>\n"
        f"<author><name>{escape(report.author)}</name></author>"
        f"<category term={quoteattr(report.category)}/>"
        f'<content type="html">{escape(_body(report, base))}</content></entry>\n'
        for report in reports
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>tag:demo.example,2009:{path}</id><title>{escape(title)}</title>"
        f"<updated>{updated.isoformat()}</updated>"
        f'<link href="{base}/"/><link rel="self" href={quoteattr(base + path)}/>\n'
        f"<icon>{escape(icon(base, path))}</icon>"
        f"{''.join(entries)}</feed>\n"
    ).encode()


def jsonfeed(title: str, reports: Sequence[Report], *, base: str, path: str) -> bytes:
    """Render a JSON Feed 1.1."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": f"{base}/",
        "feed_url": base + path,
        "favicon": icon(base, path),
        "language": "en",
        "items": [
            {
                "id": report.guid,
                "url": base + report.path,
                "title": report.headline,
                "content_html": _body(report),
                "image": f"{base}/pictures/{report.picture}.png",
                "date_published": report.published.isoformat(),
                "date_modified": report.updated.isoformat(),
                "authors": [{"name": report.author}],
                "tags": [report.category],
            }
            for report in reports
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def broken(feed: bytes, age: timedelta) -> bytes | None:
    """Damage a feed, in turns of 20 s: cut off, unknown entity, None for an error response."""
    match int(age.total_seconds()) // 20 % 3:
        case 0:
            return feed[: len(feed) * 2 // 3]
        case 1:
            return feed.replace(b"<channel>", b"<channel><copyright>&nosuch; & Sons</copyright>")
        case _:
            return None


def page(title: str, text: str) -> bytes:
    """Render the page that an item links to."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></html>\n"
    ).encode()


def _body(report: Report, base: str = "") -> str:
    """Render the item's HTML; with `base`, including the image."""
    picture = f'<p><img src="{base}/pictures/{report.picture}.png" alt=""></p>' if base else ""
    return (
        f"{picture}<p>{html.escape(report.lead)}</p>"
        f"<p>{html.escape(report.aside)} <em>({html.escape(report.author)})</em></p>"
    )
