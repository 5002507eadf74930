"""Elements of other vocabularies that an entry passes on, as `models.extensions` lists them."""

import re
from collections.abc import Iterable, Iterator

from aggregator.formats import merged, xml
from aggregator.formats.entries import FeedEntry
from aggregator.formats.merged import MergedFeed
from aggregator.models.entry import Entry, Extension
from aggregator.models.extensions import ELEMENTS, NAMESPACES, URL_ATTRIBUTES

URIS = {prefix: uris[0] for prefix, uris in NAMESPACES.items()}
"""URIs of the namespaces by prefix, as they are written."""


_SVG = re.compile(r"(?i)\.svg(?:[?#]|\Z)|/logo\Z")


def passed_on(entry: Entry) -> Iterator[Extension]:
    """Yield the entry's listed elements, with their listed attributes in the table's order.

    An element with an invalid text, or with a URL that is not http or https, is left out.
    """
    for extension in entry.extensions:
        element = ELEMENTS.get(extension.name)
        if element is None or (element.unless and getattr(entry, element.unless)):
            continue
        text = extension.text.lower() if element.folds_case else extension.text
        if element.text and not element.text.fullmatch(text):
            continue
        sent = dict(extension.attributes)
        attributes = tuple(
            (key, sent[key])
            for key in element.attributes
            if sent.get(key) and element.is_valid(key, sent)
        )
        if all(_is_safe(key, value) for key, value in attributes):
            text = dict(element.synonyms).get(text, text)
            yield Extension(name=extension.name, text=text, attributes=attributes)


def render(entry: Entry) -> str:
    """Return the entry's extension elements, its picture and its duration as XML."""
    extensions = tuple(passed_on(entry))
    written = "".join(_write(extension) for extension in extensions)
    if entry.image and entry.image.is_artwork:
        written += xml.empty("itunes:image", ("href", entry.image.url))
    elif entry.image:
        written += xml.empty(
            "media:thumbnail",
            ("url", entry.image.url),
            ("width", entry.image.width or None),
            ("height", entry.image.height or None),
        )
    durations = [enclosure.duration for enclosure in entry.enclosures if enclosure.duration]
    if durations and not any(extension.name == "itunes:duration" for extension in extensions):
        written += f"<itunes:duration>{durations[0]}</itunes:duration>\n"
    return written


def podcast(feed: MergedFeed, presented: Iterable[FeedEntry]) -> str:
    """Return the channel's podcast elements, "" for a feed without recordings."""
    episodes = [each.item for each in presented if _is_episode(each.item.entry.entry)]
    if not episodes:
        return ""
    of_episodes = (
        item.entry.entry.image.url
        if item.entry.entry.image and item.entry.entry.image.is_artwork
        else item.source.icon
        for item in episodes
    )
    # Podcast apps show no SVG.
    pictures = (feed.artwork, feed.icon, *of_episodes)
    artwork = next((url for url in pictures if url and not _SVG.search(url)), "")
    explicit = any(
        element.name == "itunes:explicit" and element.text == "true"
        for item in episodes
        for element in passed_on(item.entry.entry)
    )
    return "".join(
        (
            xml.element("itunes:author", feed.author),
            xml.empty("itunes:image", ("href", artwork)) if artwork else "",
            xml.element("itunes:explicit", "true" if explicit else "false"),
        )
    )


def _is_episode(entry: Entry) -> bool:
    return any(
        merged.media_type(enclosure).startswith(("audio/", "video/"))
        for enclosure in entry.enclosures
    )


def further_enclosures(entry: Entry) -> str:
    """Return all enclosures but the first as `media:content`: an RSS item has one `enclosure`."""
    return "".join(
        xml.empty(
            "media:content",
            ("url", enclosure.url),
            ("type", merged.media_type(enclosure)),
            ("fileSize", enclosure.length),
            ("duration", enclosure.duration),
        )
        for enclosure in entry.enclosures[1:]
    )


def _is_safe(key: str, value: str) -> bool:
    return key not in URL_ATTRIBUTES or value.startswith(("https://", "http://"))


def _write(extension: Extension) -> str:
    tag = xml.empty(extension.name, *extension.attributes)
    if not extension.text:
        return tag
    return f"{tag[:-3]}>{xml.escape(extension.text)}</{extension.name}>\n"
