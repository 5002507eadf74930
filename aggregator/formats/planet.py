"""The configuration of Planet Venus, Planet and Pluto: reads its list of feeds.

Planet and Venus name each subscription's section by the URL of its feed; Pluto names it by a short
key and has the URL in `feed`.
"""

from configparser import ConfigParser, Error, SectionProxy

from aggregator.errors import AggregatorError
from aggregator.formats.opml import (
    MAX_BYTES,
    MAX_OUTLINES,
    OpmlDocument,
    Outline,
    Rejected,
    mended_url,
    reason_to_refuse,
)

_ABOVE = "above the first section"
_READING_LISTS = ("opml", "foaf", "csv", "config", "rdf")


class NotPlanet(AggregatorError):
    """The file can't be imported as the configuration of a planet; the message says why."""


def parse(body: bytes) -> OpmlDocument:
    """Parse a planet's ini file; lists that it refers to are reported and not read.

    Raises:
        NotPlanet: It is not an ini file, names no feed, or exceeds a limit of `formats.opml`.
    """
    if len(body) > MAX_BYTES:
        raise NotPlanet(f"the file has {len(body)} bytes; the limit is {MAX_BYTES}")
    ini = ConfigParser(interpolation=None, strict=False)
    try:
        ini.read_string(f"[{_ABOVE}]\n{_text(body)}")
    except Error as error:
        first = str(error).splitlines()[0]
        raise NotPlanet(f"neither OPML nor the ini file of a planet: {first}") from None
    found = [_outline(ini[name]) for name in ini.sections()]
    outlines = tuple(item for item in found if isinstance(item, Outline))
    rejected = tuple(item for item in found if isinstance(item, Rejected))
    if not outlines and not rejected:
        raise NotPlanet("the file names no feeds: a planet's ini file has a section for each feed")
    if len(outlines) > MAX_OUTLINES:
        raise NotPlanet(f"the file has {len(outlines)} feeds; the limit is {MAX_OUTLINES}")
    return OpmlDocument(title=_title(ini), outlines=outlines, rejected=rejected)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("windows-1252", "replace")


def _title(ini: ConfigParser) -> str:
    """Return the planet's name; Pluto has it above the first section, Venus in [Planet]."""
    section = ini["Planet" if ini.has_section("Planet") else _ABOVE]
    return section.get("name") or section.get("title") or ""


def _outline(section: SectionProxy) -> Outline | Rejected | None:
    """Return a section as a feed; None for those of the planet itself, filters and templates."""
    is_venus = "://" in section.name or section.name.startswith("feed:")
    url = mended_url(section.name if is_venus else section.get("feed", "").strip())
    if not url:
        return None
    name = (section.get("name") or section.get("title") or "").strip()
    if section.get("content_type", "").strip().lower() in _READING_LISTS:
        reason = "a list of feeds; download it and import it as a file of its own"
        return Rejected(text=name or url, url=url, reason=reason)
    if reason := reason_to_refuse(url):
        return Rejected(text=name or url, url=url, reason=reason)
    link = section.get("link", "").strip()
    return Outline(text=name or url, url=url, link="" if reason_to_refuse(link) else link)
