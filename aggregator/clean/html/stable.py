"""Where elements may stand so that an HTML parser reads them as they are written.

`rewrite` writes every tag itself: names and attributes of the allow-lists, values escaped, end tags
in order. By the HTML Standard (§13.2.6.4.7, "in body") a parser reads such markup as something else
in these cases only, and none of them can happen in the places of `BLOCK`:

- a block closes an open `<p>`, a heading a heading, a link a link, an item an item;
- tables move what is in them; drawings, formulas, ruby, forms and raw text have their own rules;
- a `<pre>` loses its first line break, which `rewrite` removes.

Besides, nh3 drops a URL that its own parser of URLs refuses. Ours could only differ from it in the
host, so only usual hosts are sure. A test compares all of this with nh3.
"""

import re

from aggregator.clean.html.tags import BLOCKS, INLINE

Place = dict[str, "Place"]
"""The elements that may stand in a place, each with the place in it."""

NOWHERE: Place = {}
"""The place in an element that may not stand where it does, or has no content."""

_URL = r"https?://(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}/"
"""How normalised URLs of usual hosts begin."""
_SURE_URL = re.compile(_URL)
_SURE_IMAGE = re.compile(rf"<img (?:[a-z]+=\"[^\"]*\" )*?src=\"{_URL}")

_PHRASES = (INLINE | {"bdi", "bdo", "dfn", "kbd", "samp", "time", "var"}) - {"a"}
_LINES = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "pre"})
_BLOCKS = BLOCKS - {"dd", "dt", "li"}


def _block(*, is_in_link: bool = False) -> Place:
    block: Place = {}
    line: Place = {}
    line.update(dict.fromkeys(_PHRASES, line))
    block.update(dict.fromkeys(_PHRASES | _BLOCKS, block))
    block.update(dict.fromkeys(_LINES, line))
    block["hr"] = NOWHERE
    block["ol"] = block["ul"] = {"li": block}
    block["dl"] = {"dd": block, "dt": block}
    if not is_in_link:
        within = _block(is_in_link=True)
        block["a"], line["a"] = within, within["p"]
    return block


BLOCK = _block()
"""The place of a whole text."""


def is_sure(url: str) -> bool:
    """Return whether the target of a link is the same for every parser of URLs."""
    return not url or url[0] == "#" or _SURE_URL.match(url) is not None


def is_sure_void(name: str, written: str, place: Place) -> bool:
    """Return whether an element without content is stable.

    Args:
        name: Of the element.
        written: What became of it.
        place: Where it stands.
    """
    if name == "img":
        return not written or _SURE_IMAGE.match(written) is not None
    return name in ("br", "wbr") or name in place
