"""Elements of other vocabularies that an entry may carry along, by allow-list.

A row for each element: its attributes that are passed on. What is not listed is dropped, and an
element with a URL that is not http or https is dropped whole.
"""

from aggregator.formats import merged, xml
from aggregator.models.entry import Entry, Extension

NAMESPACES = {
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "thr": "http://purl.org/syndication/thread/1.0",
}

ELEMENTS: dict[str, tuple[str, ...]] = {
    "itunes:author": (),
    "itunes:duration": (),
    "itunes:episode": (),
    "itunes:episodeType": (),
    "itunes:explicit": (),
    "itunes:image": ("href",),
    "itunes:season": (),
    "itunes:summary": (),
    "media:content": (
        *("url", "type", "medium", "fileSize", "duration", "width", "height"),
        *("bitrate", "channels", "expression", "framerate", "isDefault", "lang", "samplingrate"),
    ),
    "media:credit": ("role", "scheme"),
    "media:description": ("type",),
    "media:thumbnail": ("url", "width", "height", "time"),
    "media:title": ("type",),
    "podcast:chapters": ("url", "type"),
    "podcast:person": ("role", "group", "img", "href"),
    "podcast:soundbite": ("startTime", "duration"),
    "podcast:transcript": ("url", "type", "language", "rel"),
    "thr:in-reply-to": ("ref", "href", "source", "type"),
}

_URLS = frozenset({"url", "href", "img", "source"})

# Readers take these for the entry's own title, summary and author, and would have two.
_SAID_BY = {
    "itunes:author": "authors",
    "itunes:summary": "summary",
    "media:description": "summary",
    "media:title": "title",
}


def declarations() -> str:
    """Return the `xmlns` attributes of all namespaces, for a document's root."""
    return "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in sorted(NAMESPACES.items()))


def render(entry: Entry) -> str:
    """Return the entry's extension elements, its picture and its duration as XML."""
    wanted = [extension for extension in entry.extensions if _passes(extension, entry)]
    written = "".join(_write(extension) for extension in wanted)
    pictures = {dict(extension.attributes).get("url") for extension in wanted}
    if entry.image and entry.image.url not in pictures:
        written += xml.empty(
            "media:thumbnail",
            ("url", entry.image.url),
            ("width", entry.image.width or None),
            ("height", entry.image.height or None),
        )
    durations = [enclosure.duration for enclosure in entry.enclosures if enclosure.duration]
    if durations and not any(extension.name == "itunes:duration" for extension in wanted):
        written += f"<itunes:duration>{durations[0]}</itunes:duration>\n"
    return written


def further_enclosures(entry: Entry) -> str:
    """Return all enclosures but the first as `media:content`: RSS items have room for one."""
    known = {
        dict(extension.attributes).get("url")
        for extension in entry.extensions
        if extension.name == "media:content"
    }
    return "".join(
        xml.empty(
            "media:content",
            ("url", enclosure.url),
            ("type", merged.media_type(enclosure)),
            ("fileSize", enclosure.length),
            ("duration", enclosure.duration),
        )
        for enclosure in entry.enclosures[1:]
        if enclosure.url not in known
    )


def _passes(extension: Extension, entry: Entry) -> bool:
    if extension.name not in ELEMENTS:
        return False
    own = _SAID_BY.get(extension.name)
    if own and getattr(entry, own):
        return False
    return all(
        value.startswith(("https://", "http://"))
        for key, value in extension.attributes
        if key in _URLS
    )


def _write(extension: Extension) -> str:
    given = dict(extension.attributes)
    attributes = [(key, given.get(key, "")) for key in ELEMENTS[extension.name]]
    tag = xml.empty(extension.name, *attributes)
    if not extension.text:
        return tag
    return f"{tag[:-3]}>{xml.escape(extension.text)}</{extension.name}>\n"
