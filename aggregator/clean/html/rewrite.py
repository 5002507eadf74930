"""What nh3 read, rewritten: pictures, players, links, hidden parts, formulas, empty elements.

The markup is nh3's own writing: names in lower case, values in double quotes, every element closed.
It is read once, tag by tag, with a stack of the open elements.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from aggregator.clean import text, urls
from aggregator.clean.html import attributes, pictures, players
from aggregator.clean.html.bounds import MAX_DEPTH
from aggregator.clean.html.tags import (
    BLOCKS,
    INLINE,
    KEPT,
    MATH,
    NOSCRIPT,
    PLAYERS,
    REL,
    SCRIPT,
    VOID,
    element,
    escape,
    quote,
)

Attributes = Mapping[str, str]

NEAR = 8
"""Pieces of the output before a noscript in which its lazy picture is looked for."""

_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)((?: [^\s=>]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([^\s=>]+)=\"([^\"]*)\"")
_FRAGMENT = re.compile(r" href=\"[^\"#]*#([^\"]+)\"")
_IDENTIFIED = re.compile(r" (?:id|name)=\"([^\"]+)\"")
_DISPLAY_NONE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_NOTHING = re.compile(r"(?:\s|&nbsp;|<br>)*")
_SHOWN = re.compile(r"<(?:img|video|audio|a href)\b")
_ADDRESS = re.compile(r" (?:src|href)=\"([^\"]*)\"")
_EMBED_CLASS = re.compile(r"embed|media|tweet|fb-", re.IGNORECASE)
_EMOJI = "//s.w.org/images/core/emoji/"  # WordPress makes 72 pixels of a character
_FLASH_PARAMETERS = frozenset({"movie", "src", "url"})
_EMPTIED = BLOCKS | INLINE
_PLAIN = KEPT - MATH - VOID - PLAYERS
_START = {name: f"<{name}>" for name in _PLAIN}
_END = {name: f"</{name}>" for name in _PLAIN}
_NONE: Mapping[str, str] = {}
_DOUBTFUL = " \t\n\r\f<&\x0b\x1c\x1d\x1e\x1f\x85"
"""First characters of what an empty or preformatted element may hold."""
_IRRELEVANT = re.compile(
    r"(?: id=\"[^\"]*\"|"
    r" (?:style|class)=\"(?![^\"]*(?:none|align|lang|highlight|brush))[^\"]*\")*",
    re.IGNORECASE,
)
"""Attributes of which nothing stays and nothing follows."""
_HOLDS_NO_PARAGRAPH = INLINE | {"p", "pre", "summary", "h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass(slots=True)
class _Open:
    """An element that is open.

    Args:
        start: Where in the output it begins, with its start tag unless it becomes something else.
        sent: Its attributes.
        becomes: Returns what replaces it, given its attributes and what it holds.
        is_removable: Whether it goes when it is empty.
    """

    name: str
    start: int
    sent: Attributes
    becomes: Callable[[Attributes, str], str] | None = None
    is_removable: bool = True


_NOT_OPEN = _Open("", 0, {})


def rewrite(markup: str, base: str) -> str | None:
    """Return HTML of elements that may leave, None when they are nested too deep.

    Args:
        markup: As nh3 wrote it, with what `tags.READ` lists.
        base: URL that relative references resolve against.
    """
    return _Rewriter(markup, base).run(markup)


class _Rewriter:
    def __init__(self, markup: str, base: str) -> None:
        self.base = base
        self.out: list[str] = []
        self.stack: list[_Open] = []
        self.sources: list[str] = []  # of the picture that is open
        self.addresses: list[str] = []  # of the object that is open
        self.without_scripts: set[str] = set()  # pictures and links that a noscript showed
        self.drawings = self.formulas = 0  # open ones
        self.is_raw = False  # whether a frame is open
        self.is_within = False  # a drawing or a formula
        self.holds_markup = False  # the formula that is open
        self.targets = _targets(markup) if "#" in markup else frozenset()
        self.identified: set[str] = set()

    def run(self, markup: str) -> str | None:
        pieces = _TAG.split(markup)
        out, stack = self.out, self.stack
        out.append(pieces[0])
        # This loop runs for each tag, so the usual case is decided without a call.
        for end, name, written, words in zip(
            pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True
        ):
            if self.is_raw and name != "iframe":
                continue  # a frame's content is no markup
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
                stack.append(_Open(name, len(out), _NONE))
                out.append(_START[name])
            if len(stack) > MAX_DEPTH:
                return None
            if words:
                out.append(words)
        return "".join(out)

    # --- tags ---

    def _open(self, name: str, sent: dict[str, str]) -> None:
        is_hidden = bool(sent) and (_is_hidden(sent) or self._is_second_formula(name, sent))
        if name in VOID:
            self.out.append("" if is_hidden else self._void(name, sent))
            return
        becomes: Callable[[Attributes, str], str] | None = None
        if is_hidden:
            becomes = _nothing
        elif self.drawings:
            becomes = _spaced
        elif name in _BECOMES:
            becomes = getattr(self, _BECOMES[name])
        elif name not in KEPT:
            becomes = _nothing if name in ("title", "desc") else _content
        if name == "picture":
            self.sources = []
        elif name == "object":
            self.addresses = [sent.get("data", "")]
        self.is_raw = name == "iframe"
        self.drawings += name == "svg"
        if name not in MATH or name == "math":
            self.holds_markup = self.formulas > 0
        self.formulas += name == "math"
        self.is_within = self.drawings + self.formulas > 0
        kept = _Open(name, len(self.out), sent, becomes)
        self.stack.append(kept)
        if becomes is None:
            self._keep(kept)

    def _is_second_formula(self, name: str, sent: Attributes) -> bool:
        """Return whether a formula follows its MathML, written once more for the eye (KaTeX)."""
        return (
            name == "span"
            and sent.get("aria-hidden") == "true"
            and any(part.endswith("</math>") for part in self.out[-3:])
        )

    def _keep(self, kept: _Open) -> None:
        name, sent = kept.name, kept.sent
        if name == "a" and len(sent) == 1 and "href" in sent:  # most elements with attributes
            href = attributes.linked(sent["href"], self.base, self.targets)
            self.out.append(f'<a href="{quote(href)}" rel="{REL}">' if href else "<a>")
            return
        values = attributes.kept(name, sent, self.base)
        identifier = self._identifier(values.pop("id", ""), sent)
        if name == "a":
            values.pop("href", None)
            href = attributes.linked(sent.get("href", ""), self.base, self.targets)
            values = ({"href": href, "rel": REL} if href else {}) | values
        elif name in PLAYERS:
            values = self._lazy(sent) | values | {"controls": "", "preload": "none"}
        if identifier:
            values["id"] = identifier
        kept.is_removable = not identifier and "src" not in values
        self.out.append(element(name, values) if values else f"<{name}>")

    def _identifier(self, identifier: str, sent: Attributes) -> str:
        """Return the id of an element that a link leads to, once for each id."""
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
        self.drawings -= name == "svg"
        self.formulas -= name == "math"
        self.is_within = self.drawings + self.formulas > 0

    def _finish(self, top: _Open) -> None:
        name, out = top.name, self.out
        if name in ("blockquote", "div") and top.sent:
            out.append(_embedded(top.sent, self.base, out[top.start :]))
        is_block = name not in INLINE
        if top.is_removable and (name in _EMPTIED or name in PLAYERS) and self._is_empty(top):
            if is_block:
                out[top.start :] = ["\n"]
            else:
                out[top.start] = ""  # the spaces in it stay: they may be an indentation
            return
        if name == "pre":
            self._strip_first_line_end(top.start + 1)
        out.append(f"</{name}>")

    def _is_empty(self, top: _Open) -> bool:
        rest = self.out[top.start + 1 :]
        if top.name in INLINE:
            return not any(part and not part.isspace() for part in rest)
        return all(map(_NOTHING.fullmatch, rest))

    def _strip_first_line_end(self, start: int) -> None:
        """Drop the line ends after a `<pre>`, of which readers drop one each time they read."""
        for at in range(start, len(self.out)):
            self.out[at] = self.out[at].lstrip("\n")
            if self.out[at]:
                return

    # --- elements that become something else ---

    def _void(self, name: str, sent: dict[str, str]) -> str:
        if self.drawings:
            return ""
        if self.formulas:
            self.holds_markup = True
        match name:
            case "img":
                return self._image(sent)
            case "source":
                return self._source(sent)
            case "input":
                return _task(sent) if self._is_in("li") else ""
            case "embed":
                return self._embed(sent)
            case "param":
                if sent.get("name", "").lower() in _FLASH_PARAMETERS:
                    self.addresses.append(sent.get("value", ""))
                return ""
        return element(name, attributes.kept(name, sent, self.base))

    def _is_in(self, name: str) -> bool:
        return any(each.name == name for each in self.stack)

    def _amp_image(self, sent: Attributes, _: str) -> str:
        self.without_scripts.clear()  # its noscript stands in it, and goes with the rest
        return self._image(sent)

    def _image(self, sent: Attributes) -> str:
        if pictures.is_counter(sent):
            return ""
        others = self.sources if self._is_in("picture") else ()
        url = pictures.address(sent, self.base, others)
        if _EMOJI in url:
            return escape(sent.get("alt", ""))
        if not url:
            alt = text.one_line(sent.get("alt", ""))
            note = f"[Picture: {alt}]" if alt else "[Picture]"
            return escape(note) if pictures.is_embedded(sent) else ""
        if url in self.without_scripts:  # the noscript stood before its lazy picture
            self.without_scripts.remove(url)
            return ""
        values = attributes.kept("img", sent, self.base)
        values["src"] = url
        return element("img", {key: value for key, value in values.items() if key != "id"})

    def _source(self, sent: Attributes) -> str:
        if self._is_in("picture"):
            pictures.add_source(self.sources, sent)
            return ""
        values = self._lazy(sent) | attributes.kept("source", sent, self.base)
        return element("source", values) if "src" in values and self._is_in_player() else ""

    def _lazy(self, sent: Attributes) -> dict[str, str]:
        url = urls.absolute(self.base, sent.get("data-src", ""))
        return {"src": url} if url else {}

    def _is_in_player(self) -> bool:
        return any(each.name in PLAYERS for each in self.stack)

    def _picture(self, _: Attributes, inner: str) -> str:
        return inner if "<img" in inner else inner + self._image_of(self.sources)

    def _image_of(self, sets: list[str]) -> str:
        url = next(filter(None, (pictures.largest(each, self.base) for each in sets)), "")
        return element("img", {"src": url}) if url else ""

    def _noscript(self, _: Attributes, inner: str) -> str:
        """Return what readers without scripts see, unless the same is shown already."""
        if not _SHOWN.search(inner):
            return ""
        before = range(len(self.out) - 1, max(len(self.out) - NEAR, 0) - 1, -1)
        at = next((at for at in before if self.out[at].startswith("<img ")), None)
        if at is not None and "<img " in inner:
            if not any(map(pictures.is_placeholder, _ADDRESS.findall(self.out[at]))):
                return ""
            self.out[at] = ""
        near = "".join(self.out[-NEAR:])
        addresses = _ADDRESS.findall(inner)
        if all(f'"{address}"' in near for address in addresses):
            return ""
        self.without_scripts.update(map(html.unescape, addresses))
        return inner

    def _drawing(self, sent: Attributes, inner: str) -> str:
        if sent.get("aria-hidden") == "true":
            return ""
        words = sent.get("aria-label", "") or text.plain(inner)
        return f" {escape(text.one_line(words))} " if words else ""

    def _formula(self, sent: Attributes, inner: str) -> str:
        """Return a formula of MathML alone; one that holds HTML is how sanitisers were broken."""
        words = text.plain(inner)
        if self.formulas > 1:
            return escape(words)
        if self.holds_markup or not words:
            return escape(words or sent.get("alttext", ""))
        values = attributes.kept("math", sent, self.base)
        values.pop("id", None)
        return f"{element('math', values)}{inner}</math>"

    def _frame(self, sent: Attributes, _: str) -> str:
        names = ("src", "data-src", "data-lazy-src", "data-litespeed-src")
        found = (urls.absolute(self.base, sent.get(name, "")) for name in names)
        url = next(filter(None, found), "")
        return "" if pictures.is_counter(sent) else self._player(url, sent.get("title", ""))

    def _hosted_frame(self, sent: Attributes, _: str) -> str:
        identifier = sent.get("videoid") or sent.get("data-videoid", "")
        is_vimeo = identifier.isdigit()
        host = "https://player.vimeo.com/video/" if is_vimeo else "https://www.youtube.com/embed/"
        return self._player(urls.absolute(host, identifier), sent.get("title", ""))

    def _script(self, sent: Attributes, _: str) -> str:
        url = urls.absolute(self.base, sent.get("src", ""))
        return self._player(url) if players.CODE.match(url) else ""

    def _embed(self, sent: Attributes) -> str:
        if self._is_in("object"):
            self.addresses.append(sent.get("src", ""))
            return ""
        return self._frame(sent, "")

    def _object(self, sent: Attributes, inner: str) -> str:
        if _SHOWN.search(inner):
            return inner
        found = (urls.absolute(self.base, address) for address in self.addresses)
        url = next(filter(None, found), "")
        if not url or pictures.is_counter(sent):
            return inner
        if sent.get("type", "").startswith("image/"):
            return element("img", {"src": url, "alt": text.one_line(text.plain(inner))})
        return self._player(url, sent.get("title", ""))

    def _player(self, url: str, title: str = "") -> str:
        if not url:
            return ""
        if self._is_in("a"):
            return escape(title or players.page(url).host)
        shown = players.player(url, title)
        is_inline = any(each.name in _HOLDS_NO_PARAGRAPH for each in self.stack)
        return shown if is_inline else f"<p>{shown}</p>"


_BECOMES = {
    "amp-anim": "_amp_image",
    "amp-iframe": "_frame",
    "amp-img": "_amp_image",
    "amp-video": "_frame",
    "amp-youtube": "_hosted_frame",
    "iframe": "_frame",
    "lite-vimeo": "_hosted_frame",
    "lite-youtube": "_hosted_frame",
    "math": "_formula",
    "object": "_object",
    "picture": "_picture",
    "svg": "_drawing",
    NOSCRIPT: "_noscript",
    SCRIPT: "_script",
}


def _nothing(_: Attributes, __: str) -> str:
    return ""


def _content(_: Attributes, inner: str) -> str:
    return inner


def _spaced(_: Attributes, inner: str) -> str:
    return f" {inner} "


def _read(written: str) -> dict[str, str]:
    """Return the attributes of a tag, their values as text."""
    return {
        name: html.unescape(value) if "&" in value else value
        for name, value in _ATTRIBUTE.findall(written)
    }


def _targets(markup: str) -> frozenset[str]:
    """Return the ids that links in a text lead to, with our prefix."""
    wanted = {attributes.identifier(unquote(html.unescape(to))) for to in _FRAGMENT.findall(markup)}
    if not wanted:
        return frozenset()
    present = {attributes.identifier(html.unescape(to)) for to in _IDENTIFIED.findall(markup)}
    return frozenset(filter(None, wanted & present))


def _task(sent: Attributes) -> str:
    """Return the box of a list of tasks."""
    if sent.get("type", "").lower() != "checkbox":
        return ""
    checked = {"checked": ""} if "checked" in sent else {}
    return element("input", {"type": "checkbox", "disabled": "", **checked})


def _is_hidden(sent: Attributes) -> bool:
    if "style" in sent and _DISPLAY_NONE.search(sent["style"]):
        return True
    return "hidden" in sent and sent["hidden"] != "until-found"


def _embedded(sent: Attributes, base: str, parts: list[str]) -> str:
    """Return a link to what a script would show in place of an element, "" when there is one."""
    address = sent.get("data-instgrm-permalink", "")
    if _EMBED_CLASS.search(sent.get("class", "")):
        address = address or sent.get("cite", "") or sent.get("data-href", "")
    url = urls.absolute(base, address)
    shown = players.page(url).url if url else ""
    if not shown or any(escape(shown.rstrip("/")) in part for part in parts):
        return ""
    return f"<p>{players.player(url)}</p>"
