"""Elements of other vocabularies that an entry passes on, as `models.extensions` lists them."""

from collections.abc import Iterator

from aggregator.formats import merged, xml
from aggregator.models.entry import Entry, Extension
from aggregator.models.extensions import ELEMENTS, NAMESPACES, URL_ATTRIBUTES


def declarations() -> str:
    """Return the `xmlns` attributes of all namespaces, for a document's root."""
    return "".join(f' xmlns:{prefix}="{uris[0]}"' for prefix, uris in sorted(NAMESPACES.items()))


def passed_on(entry: Entry) -> Iterator[Extension]:
    """Yield the entry's listed elements, with their listed attributes in the table's order.

    An element with a URL that is not http or https is left out.
    """
    for extension in entry.extensions:
        element = ELEMENTS.get(extension.name)
        if element is None or (element.unless and getattr(entry, element.unless)):
            continue
        sent = dict(extension.attributes)
        attributes = tuple((key, sent[key]) for key in element.attributes if sent.get(key))
        if all(_is_safe(key, value) for key, value in attributes):
            yield Extension(name=extension.name, text=extension.text, attributes=attributes)


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
