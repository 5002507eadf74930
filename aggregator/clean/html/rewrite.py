"""Rewrite nh3's output: pictures, players, links, hidden parts, formulas, empty elements.

nh3 writes names in lower case and values in double quotes, escapes `<` and `>` in values too, and
closes every element. So its output is read in one pass, tag by tag, with a stack of the open
elements.
"""

import html
import re
from typing import NamedTuple
from urllib.parse import unquote

from aggregator.clean.html import attributes, stable
from aggregator.clean.html.bounds import MAX_DEPTH
from aggregator.clean.html.embedded import (
    NO_START,
    POST_ATTRIBUTES,
    Attributes,
    Embedded,
    Open,
    lazy_source,
    post,
)
from aggregator.clean.html.tags import (
    BLOCKS,
    INLINE,
    KEPT,
    MATH,
    PLAYERS,
    REL,
    VOID,
    element,
    quote,
)

ROUNDS = 4
"""Passes over a text in which links and their targets are removed together."""

_ATTRIBUTE = re.compile(r"([^\s=>]+)=\"([^\"]*)\"")
_FRAGMENT = re.compile(r" href=\"[^\"#]*#([^\"]+)\"")
_LINK_WITHIN = re.compile(r" href=\"#([^\"]+)\"")
_IDENTIFIED = re.compile(r" (?:id|name)=\"([^\"]+)\"")
_DISPLAY_NONE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_NOTHING = re.compile(r"(?:\s|&nbsp;|<br>)*")
_EMPTIED = BLOCKS | INLINE
_PLAIN = KEPT - MATH - VOID - PLAYERS
_USUAL = {name: (name, f"<{name}>") for name in _PLAIN}
_END = {f"/{name}": name for name in _PLAIN - {"pre"}}
_DOUBTFUL_ENDS = frozenset((
    "", ";", ">", *map(chr, range(0x2000, 0x200B)),
    *"\t\n\x0b\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000",
))  # fmt: skip
"""Last characters of what may be white space, a tag or a reference."""
_DOUBTFUL = " \t\n\r\f<&\x0b\x1c\x1d\x1e\x1f\x85"
"""First characters of content that may turn out empty, or that begins with a line break."""
_IRRELEVANT = re.compile(
    r"(?: ?id=\"[^\"]*\"|"
    r" ?(?:style|class)=\"(?![^\"]*(?:none|align|lang|highlight|brush))[^\"]*\")*",
    re.IGNORECASE,
)
"""Attributes without any effect."""
_LINK = 'a href="'


class Rewritten(NamedTuple):
    """Rewritten HTML, and whether parsing it again certainly changes nothing (see `stable`)."""

    markup: str
    is_stable: bool


def rewrite(markup: str, base: str, rounds: int = ROUNDS) -> Rewritten | None:
    """Return HTML of allowed elements, or None if they are nested too deep.

    Args:
        markup: As nh3 writes it, with the attributes of `tags.READ`.
        base: URL that relative references resolve against.
        rounds: Passes left. A link within the text is removed with its target, and an id with
            the last link to it, which may only show once the other is gone.
    """
    rewriter = _Rewriter(markup, base)
    rewritten = rewriter.run(markup)
    if rewritten is None:
        return None
    is_stable = rewriter.is_stable and not rewriter.names
    if not rewriter.targets or rounds == 1:
        return Rewritten(rewritten, is_stable)
    if rewriter.identified == set(map(html.unescape, _LINK_WITHIN.findall(rewritten))):
        return Rewritten(rewritten, is_stable)
    return rewrite(rewritten, base, rounds - 1)


class _Rewriter:
    """Rewrites one text.

    `names` and `starts` are the stack: of each open element its name, and the index in the output
    of its start tag. Most elements need no more; `special` holds the others. `usual` has the names
    and start tags of elements that need no more, by their start tags as nh3 writes them.
    """

    def __init__(self, markup: str, base: str) -> None:
        self.base = base
        self.targets = _targets(markup) if "#" in markup else frozenset()
        self.out: list[str] = []
        self.names: list[str] = []
        self.starts: list[int] = []
        self.special: list[Open] = []
        self.usual = dict(_USUAL)
        self.embedded = Embedded(base, self.out, self.names)
        self.places = [stable.BLOCK]  # of the text, and in each open element
        self.is_stable = True  # so far
        self.is_raw = False  # whether a frame is open
        self.is_within = False  # a drawing or a formula
        self.identified: set[str] = set()

    def run(self, markup: str) -> str | None:
        first, *pieces = markup.split("<")
        out, names, starts, places = self.out, self.names, self.starts, self.places
        usual = self.usual
        out.append(first)
        is_usual = True  # no frame, drawing or formula is open
        # This loop runs for each tag, so the common cases need no call.
        for piece in pieces:
            tag, _, words = piece.partition(">")
            if is_usual and tag in usual:
                name, start_tag = usual[tag]
                names.append(name)
                starts.append(len(out))
                out.append(start_tag)
                place = places[-1].get(name, stable.NOWHERE)
                if place is stable.NOWHERE:
                    self.is_stable = False
                places.append(place)
            elif (
                is_usual
                and tag in _END
                and names[-1:] == [_END[tag]]
                and starts[-1] != NO_START
                and (
                    (last := out[-2] if out[-1].isspace() else out[-1])[-1:] not in _DOUBTFUL_ENDS
                    or last[:2] == "</"
                )
            ):
                out.append(f"<{tag}>")
                names.pop()
                starts.pop()
                places.pop()
            elif self.is_raw and tag != "/iframe":
                continue  # the content of a frame is not markup
            else:
                if tag[0] == "/":
                    self._close(tag[1:])
                else:
                    self._start(tag)
                is_usual = not (self.is_raw or self.is_within)
            if len(names) > MAX_DEPTH:
                return None
            if words:
                out.append(words)
        return "".join(out)

    def _start(self, tag: str) -> None:
        name, _, written = tag.partition(" ")
        is_usual = not self.is_within
        if is_usual and tag == "br":
            self.out.append("<br>")
            return
        if is_usual and tag.startswith(_LINK) and tag.count('"') == 2:
            # The most common element with attributes.
            sent = tag[len(_LINK) : -1]
            href = html.unescape(sent) if "&" in sent else sent
            target = attributes.link_target(href, self.base, self.targets)
            self.is_stable = self.is_stable and stable.is_sure(target)
            self.usual[tag] = "a", f'<a href="{quote(target)}" rel="{REL}">' if target else "<a>"
        elif is_usual and name in _PLAIN and not self.targets and _IRRELEVANT.fullmatch(written):
            self.usual[tag] = _USUAL[name]
        else:
            self._open(name, _read(written) if written else {})
            return
        self._enter(name)
        self.starts.append(len(self.out))
        self.out.append(self.usual[tag][1])

    def _enter(self, name: str) -> None:
        self.names.append(name)
        place = self.places[-1].get(name, stable.NOWHERE)
        if place is stable.NOWHERE:
            self.is_stable = False
        self.places.append(place)

    def _open(self, name: str, sent: dict[str, str]) -> None:
        is_hidden = bool(sent) and (_is_hidden(sent) or self._is_second_formula(name, sent))
        if name in VOID:
            written = "" if is_hidden else self.embedded.void(name, sent)
            self.is_stable = self.is_stable and stable.is_sure_void(name, written, self.places[-1])
            self.out.append(written)
            return
        becomes = self.embedded.open(name, sent)
        if is_hidden:
            becomes = _nothing
        elif becomes is None and name not in KEPT:
            becomes = _nothing if name in ("title", "desc") else _content
        self.is_raw = name == "iframe"
        self.is_within = self.embedded.is_within
        self._enter(name)
        if becomes is None:
            self._keep(name, sent)
        else:
            self.is_stable = False
            self.starts.append(NO_START)
            self.special.append(Open(len(self.out), sent, becomes))

    def _is_second_formula(self, name: str, sent: Attributes) -> bool:
        """Return whether an element repeats the MathML before it for display, as KaTeX does."""
        return (
            name == "span"
            and sent.get("aria-hidden") == "true"
            and any(part.endswith("</math>") for part in self.out[-3:])
        )

    def _keep(self, name: str, sent: Attributes) -> None:
        values = attributes.kept_attributes(name, sent, self.base)
        identifier = self._identifier(values.pop("id", ""), sent)
        if name == "a":
            values = {key: values[key] for key in values if key not in ("href", "rel")}
            href = attributes.link_target(sent.get("href", ""), self.base, self.targets)
            values = ({"href": href, "rel": REL} if href else {}) | values
            self.is_stable = self.is_stable and stable.is_sure(href)
        elif name in PLAYERS:
            values = lazy_source(sent, self.base) | values | {"controls": "", "preload": "none"}
        if identifier:
            values["id"] = identifier
        is_removable = not identifier and "src" not in values
        if is_removable and POST_ATTRIBUTES.isdisjoint(sent):
            self.starts.append(len(self.out))
        else:
            self.starts.append(NO_START)
            self.special.append(Open(len(self.out), sent, is_removable=is_removable))
        self.out.append(element(name, values) if values else f"<{name}>")

    def _identifier(self, identifier: str, sent: Attributes) -> str:
        """Return the id of an element if a link leads to it and no earlier element has it."""
        if not self.targets:
            return ""
        identifier = identifier or attributes.identifier(sent.get("name", "")) or ""
        if identifier not in self.targets or identifier in self.identified:
            return ""
        self.identified.add(identifier)
        return identifier

    def _close(self, name: str) -> None:
        if not self.names or self.names[-1] != name:
            self.is_stable = False
            return
        self.names.pop()
        self.places.pop()
        start, out = self.starts.pop(), self.out
        top = self.special.pop() if start == NO_START else Open(start)
        if top.becomes:
            inner = "".join(out[top.start :])
            del out[top.start :]
            out.append(top.becomes(top.sent, inner))
        else:
            self._finish(name, top)
        self.is_raw = False
        if self.is_within:
            self.embedded.close(name)
            self.is_within = self.embedded.is_within

    def _finish(self, name: str, top: Open) -> None:
        out = self.out
        if top.sent and not POST_ATTRIBUTES.isdisjoint(top.sent):
            out.append(post(top.sent, self.base, "".join(out[top.start :])))
            self.is_stable = False
        is_block = name not in INLINE
        is_removable = top.is_removable and (name in _EMPTIED or name in PLAYERS)
        if is_removable and self._is_empty(name, top.start, is_block=is_block):
            if is_block:
                out[top.start :] = ["\n"]
            else:
                out[top.start] = ""  # spaces stay: they may be indentation
            return
        if name == "pre":
            self._strip_first_line_end(top.start + 1)
        out.append(f"</{name}>")

    def _is_empty(self, name: str, start: int, *, is_block: bool) -> bool:
        rest = self.out[start + 1 :]
        if rest and rest[0][:1] not in _DOUBTFUL and self.out[start] == f"<{name}>":
            return False
        if is_block:
            return all(map(_NOTHING.fullmatch, rest))
        return not any(part and not part.isspace() for part in rest)

    def _strip_first_line_end(self, start: int) -> None:
        """Remove line breaks after a `<pre>`: a parser removes one each time."""
        for at in range(start, len(self.out)):
            self.out[at] = self.out[at].lstrip("\n")
            if self.out[at]:
                return


def _nothing(_: Attributes, __: str) -> str:
    return ""


def _content(_: Attributes, inner: str) -> str:
    return inner


def _read(written: str) -> dict[str, str]:
    """Return the attributes of a tag, with their values decoded."""
    return {
        name: html.unescape(value) if "&" in value else value
        for name, value in _ATTRIBUTE.findall(written)
    }


def _targets(markup: str) -> frozenset[str]:
    """Return the ids that are the target of a link in the same text, with our prefix."""
    if " id=" not in markup and " name=" not in markup:
        return frozenset()
    wanted = {attributes.identifier(unquote(html.unescape(to))) for to in _FRAGMENT.findall(markup)}
    if not wanted:
        return frozenset()
    present = {attributes.identifier(html.unescape(to)) for to in _IDENTIFIED.findall(markup)}
    return frozenset(filter(None, wanted & present))


def _is_hidden(sent: Attributes) -> bool:
    if "style" in sent and _DISPLAY_NONE.search(sent["style"]):
        return True
    return "hidden" in sent and sent["hidden"] != "until-found"
