"""Rewrite nh3's output: pictures, players, links, hidden parts, formulas, empty elements.

nh3 writes names in lower case, values in double quotes, and closes every element. So its output is
read in one pass, tag by tag, with a stack of the open elements.
"""

import html
import re
from collections.abc import Mapping
from urllib.parse import unquote

from aggregator.clean.html import attributes
from aggregator.clean.html.bounds import MAX_DEPTH
from aggregator.clean.html.embedded import (
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

_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)((?: [^\s=>]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([^\s=>]+)=\"([^\"]*)\"")
_FRAGMENT = re.compile(r" href=\"[^\"#]*#([^\"]+)\"")
_LINK_WITHIN = re.compile(r" href=\"#([^\"]+)\"")
_IDENTIFIED = re.compile(r" (?:id|name)=\"([^\"]+)\"")
_DISPLAY_NONE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_NOTHING = re.compile(r"(?:\s|&nbsp;|<br>)*")
_EMPTIED = BLOCKS | INLINE
_PLAIN = KEPT - MATH - VOID - PLAYERS
_START = {name: f"<{name}>" for name in _PLAIN}
_END = {name: f"</{name}>" for name in _PLAIN}
_NONE: Mapping[str, str] = {}
_DOUBTFUL = " \t\n\r\f<&\x0b\x1c\x1d\x1e\x1f\x85"
"""First characters of content that may turn out empty, or that begins with a line break."""
_IRRELEVANT = re.compile(
    r"(?: id=\"[^\"]*\"|"
    r" (?:style|class)=\"(?![^\"]*(?:none|align|lang|highlight|brush))[^\"]*\")*",
    re.IGNORECASE,
)
"""Attributes without any effect."""


_NOT_OPEN = Open("", 0, {})


def rewrite(markup: str, base: str, rounds: int = ROUNDS) -> str | None:
    """Return HTML of allowed elements, or None if they are nested too deep.

    Args:
        markup: As nh3 writes it, with the attributes of `tags.READ`.
        base: URL that relative references resolve against.
        rounds: Passes left. A link within the text is removed with its target, and an id with
            the last link to it, which may only show once the other is gone.
    """
    rewriter = _Rewriter(markup, base)
    rewritten = rewriter.run(markup)
    if rewritten is None or not rewriter.targets or rounds == 1:
        return rewritten
    if rewriter.identified == set(map(html.unescape, _LINK_WITHIN.findall(rewritten))):
        return rewritten
    return rewrite(rewritten, base, rounds - 1)


class _Rewriter:
    def __init__(self, markup: str, base: str) -> None:
        self.base = base
        self.out: list[str] = []
        self.stack: list[Open] = []
        self.embedded = Embedded(base, self.out, self.stack)
        self.is_raw = False  # whether a frame is open
        self.is_within = False  # a drawing or a formula
        self.targets = _targets(markup) if "#" in markup else frozenset()
        self.identified: set[str] = set()

    def run(self, markup: str) -> str | None:
        pieces = _TAG.split(markup)
        out, stack = self.out, self.stack
        out.append(pieces[0])
        # This loop runs for each tag, so the common case needs no call.
        for end, name, written, words in zip(
            pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True
        ):
            if self.is_raw and not (end and name == "iframe"):
                continue  # the content of a frame is not markup
            if end:
                top = stack[-1] if stack else _NOT_OPEN
                after = top.start + 1
                is_usual = top.sent is _NONE and top.name == name and len(out) > after
                if is_usual and out[after][:1] not in _DOUBTFUL:
                    out.append(_END[name])
                    stack.pop()
                else:
                    self._close(name)
            elif (
                name not in _PLAIN
                or self.is_within
                or (written and (self.targets or not _IRRELEVANT.fullmatch(written)))
            ):
                self._open(name, _read(written) if written else {})
            else:
                stack.append(Open(name, len(out), _NONE))
                out.append(_START[name])
            if len(stack) > MAX_DEPTH:
                return None
            if words:
                out.append(words)
        return "".join(out)

    def _open(self, name: str, sent: dict[str, str]) -> None:
        is_hidden = bool(sent) and (_is_hidden(sent) or self._is_second_formula(name, sent))
        if name in VOID:
            self.out.append("" if is_hidden else self.embedded.void(name, sent))
            return
        becomes = self.embedded.open(name, sent)
        if is_hidden:
            becomes = _nothing
        elif becomes is None and name not in KEPT:
            becomes = _nothing if name in ("title", "desc") else _content
        self.is_raw = name == "iframe"
        self.is_within = self.embedded.is_within
        kept = Open(name, len(self.out), sent, becomes)
        self.stack.append(kept)
        if becomes is None:
            self._keep(kept)

    def _is_second_formula(self, name: str, sent: Attributes) -> bool:
        """Return whether an element repeats the MathML before it for display, as KaTeX does."""
        return (
            name == "span"
            and sent.get("aria-hidden") == "true"
            and any(part.endswith("</math>") for part in self.out[-3:])
        )

    def _keep(self, kept: Open) -> None:
        name, sent = kept.name, kept.sent
        # The most common element with attributes.
        if name == "a" and len(sent) == 1 and "href" in sent:
            href = attributes.link_target(sent["href"], self.base, self.targets)
            self.out.append(f'<a href="{quote(href)}" rel="{REL}">' if href else "<a>")
            return
        values = attributes.kept_attributes(name, sent, self.base)
        identifier = self._identifier(values.pop("id", ""), sent)
        if name == "a":
            values = {key: values[key] for key in values if key not in ("href", "rel")}
            href = attributes.link_target(sent.get("href", ""), self.base, self.targets)
            values = ({"href": href, "rel": REL} if href else {}) | values
        elif name in PLAYERS:
            values = lazy_source(sent, self.base) | values | {"controls": "", "preload": "none"}
        if identifier:
            values["id"] = identifier
        kept.is_removable = not identifier and "src" not in values
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
        if not self.stack or self.stack[-1].name != name:
            return
        top, out = self.stack.pop(), self.out
        if top.becomes:
            inner = "".join(out[top.start :])
            del out[top.start :]
            out.append(top.becomes(top.sent, inner))
        else:
            self._finish(top)
        self.is_raw = False
        if self.is_within:
            self.embedded.close(name)
            self.is_within = self.embedded.is_within

    def _finish(self, top: Open) -> None:
        name, out = top.name, self.out
        if top.sent and not POST_ATTRIBUTES.isdisjoint(top.sent):
            out.append(post(top.sent, self.base, "".join(out[top.start :])))
        is_block = name not in INLINE
        if top.is_removable and (name in _EMPTIED or name in PLAYERS) and self._is_empty(top):
            if is_block:
                out[top.start :] = ["\n"]
            else:
                out[top.start] = ""  # spaces stay: they may be indentation
            return
        if name == "pre":
            self._strip_first_line_end(top.start + 1)
        out.append(f"</{name}>")

    def _is_empty(self, top: Open) -> bool:
        rest = self.out[top.start + 1 :]
        if top.name in INLINE:
            return not any(part and not part.isspace() for part in rest)
        return all(map(_NOTHING.fullmatch, rest))

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
    wanted = {attributes.identifier(unquote(html.unescape(to))) for to in _FRAGMENT.findall(markup)}
    if not wanted:
        return frozenset()
    present = {attributes.identifier(html.unescape(to)) for to in _IDENTIFIED.findall(markup)}
    return frozenset(filter(None, wanted & present))


def _is_hidden(sent: Attributes) -> bool:
    if "style" in sent and _DISPLAY_NONE.search(sent["style"]):
        return True
    return "hidden" in sent and sent["hidden"] != "until-found"
