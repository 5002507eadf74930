"""Names of XML elements: `prefix:local` in lower case, by namespace, however that is spelled."""

import re

from aggregator.models import extensions

_SCHEME = re.compile(r"https?://(?:www\.)?")
_NAMESPACES = {
    "backend.userland.com/rss": "",
    "backend.userland.com/rss2": "",
    "backend.userland.com/rss091": "",
    "backend.userland.com/rss092": "",
    "backend.userland.com/rss093": "",
    "blogs.law.harvard.edu/tech/rss": "",
    "channel.netscape.com/rdf/simple/0.9": "",
    "cyber.law.harvard.edu/rss/rss.html": "",
    "cyber.harvard.edu/rss/rss.html": "",
    "my.netscape.com/rdf/simple/0.9": "",
    "my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "purl.org/net/rss1.1": "",
    "purl.org/rss/1.0": "",
    "purl.org/rss/1.0/modules/rss091": "",
    "purl.org/rss/2.0": "",
    "rssboard.org/rss-specification": "",
    "purl.org/atom/ns": "atom",
    "w3.org/2005/atom": "atom",
    "w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "w3.org/1999/xhtml": "xhtml",
    "w3.org/2000/svg": "svg",
    "w3.org/1998/math/mathml": "math",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "purl.org/syndication/history/1.0": "fh",
    "purl.oclc.org/net/rss_2.0/enc": "enc",
    "purl.org/net/rss_2.0/enc": "enc",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "itunes.com/dtd/podcast-1.0.dtd": "itunes",
    "itunes.com/dtds/podcast": "itunes",
    "rssboard.org/media-rss": "media",
    "tools.search.yahoo.com/mrss": "media",
    "video.search.yahoo.com/mrss": "media",
    "github.com/podcastindex-org/podcast-namespace": "podcast",
    "podcastindex.org/namespace": "podcast",
    "google.com/schemas/play-podcasts/1.0": "googleplay",
    "google.com/schemas/play-podcasts/1.0/play-podcasts.xsd": "googleplay",
    "webfeeds.org/rss/1.0": "webfeeds",
    "wordpress.org/export/1.2/excerpt": "excerpt",
}
"""Prefixes by namespace, as `_key` makes it; elements of RSS have none."""
_SIMILAR = (
    (re.compile(r"purl\.org/atom/ns#"), "atom"),
    (re.compile(r"/(?:mrss|media-rss)\Z"), "media"),
    (re.compile(r"/podcast-1\.0\.dtd\Z"), "itunes"),
    (re.compile(r"podcastindex\.org/|/podcast-namespace/"), "podcast"),
)
"""Prefixes for namespaces that are not in the table, by a part of their URI."""


def _key(namespace: str) -> str:
    """Return a namespace without scheme, `www.`, case and last slash, which publishers vary."""
    return _SCHEME.sub("", namespace.strip().lower(), count=1).rstrip("/#")


for _prefix, _uris in extensions.NAMESPACES.items():
    _NAMESPACES.update((_key(_uri), _prefix) for _uri in _uris)
_PREFIXES = frozenset(_NAMESPACES.values())


class Names(dict[object, str]):  # lxml's types let a tag be more than str
    """Names by tag, for one document.

    Elements of RSS and Atom have no prefix. Those of an unknown namespace have the prefix `?`,
    unless the document's root or another element of RSS is in the same one.

    Args:
        root: Tags of the root and of such an element.
    """

    def __init__(self, *root: str) -> None:
        super().__init__()
        namespaces = [tag[1:].partition("}")[0] for tag in root if tag.startswith("{")]
        self._core = {each for each in namespaces if _prefix_of(each) is None}
        self._atom: set[object] = set()
        self._is_atom = root[0].rpartition("}")[2].lower() == "feed"

    def __missing__(self, tag: object) -> str:
        namespace, _, local = str(tag).rpartition("}")
        namespace = namespace[1:]
        if namespace:
            prefix = "" if namespace in self._core else _prefix_of(namespace)
        else:
            prefix, local = _undeclared(local)
        if prefix == "atom" or (not prefix and self._is_atom and prefix is not None):
            self._atom.add(tag)
            prefix = ""
        name = local if prefix == "" else f"{'?' if prefix is None else prefix}:{local}"
        self[tag] = name = name.lower()
        return name

    def is_atom(self, tag: object) -> bool:
        """Return whether a tag is one of Atom's."""
        return bool(self[tag]) and tag in self._atom


def _prefix_of(namespace: str) -> str | None:
    key = _key(namespace)
    if key in _NAMESPACES:
        return _NAMESPACES[key]
    return next((prefix for pattern, prefix in _SIMILAR if pattern.search(key)), None)


def _undeclared(local: str) -> tuple[str | None, str]:
    """Return prefix and name of an element without a namespace: a known prefix counts."""
    prefix, colon, name = local.partition(":")
    if not colon:
        return "", local
    prefix = {"atom10": "atom", "a10": "atom", "rss": ""}.get(prefix.lower(), prefix.lower())
    return (prefix if prefix in _PREFIXES else None), name
