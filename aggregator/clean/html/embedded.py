"""Replace embedded elements: pictures, players, drawings, formulas."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aggregator.clean import text, urls
from aggregator.clean.html import attributes, pictures, players
from aggregator.clean.html.tags import INLINE, MATH, NOSCRIPT, PLAYERS, SCRIPT, element, escape

Attributes = Mapping[str, str]
Becomes = Callable[[Attributes, str], str]
"""Returns the replacement of an element, given its attributes and the HTML in it."""

POST_ATTRIBUTES = frozenset({"cite", "data-href", "data-instgrm-permalink"})
"""Attributes that may name a post that a script would embed."""

NEAR = 8
"""Pieces of output before a noscript that are searched for its lazy picture."""

_SHOWN = re.compile(r"<(?:img|video|audio|a href)\b")
_ADDRESS = re.compile(r" (?:src|href)=\"([^\"]*)\"")
_EMBED_CLASS = re.compile(r"embed|media|tweet|fb-", re.IGNORECASE)
_EMOJI = "//s.w.org/images/core/emoji/"  # WordPress makes 72 pixels of a character
_FLASH_PARAMETERS = frozenset({"movie", "src", "url"})
_HOLDS_NO_PARAGRAPH = INLINE | {"p", "pre", "summary", "h1", "h2", "h3", "h4", "h5", "h6"}


NO_START = -1
"""In place of the start of an element that `Open` describes."""


@dataclass(slots=True)
class Open:
    """An open element.

    Args:
        start: Index in the output of its start tag, or of its content if it is replaced.
        sent: Its attributes, if they matter at its end.
        becomes: Makes its replacement; None if it stays.
        is_removable: Whether to remove it if it is empty.
    """

    start: int
    sent: Attributes = field(default_factory=dict)
    becomes: Becomes | None = None
    is_removable: bool = True


class Embedded:
    """Makes the replacements in one text, and the state that they share."""

    def __init__(self, base: str, out: list[str], names: list[str]) -> None:
        """Start a text.

        Args:
            base: URL that relative references resolve against.
            out: The output so far, in pieces.
            names: Of the open elements.
        """
        self.base, self.out, self.names = base, out, names
        self.drawings = self.formulas = 0  # open ones
        self.holds_markup = False  # the formula that is open
        self._sources: list[str] = []  # of the picture that is open
        self._addresses: list[str] = []  # of the object that is open
        self._without_scripts: set[str] = set()  # pictures and links that a noscript showed

    @property
    def is_within(self) -> bool:
        """Whether a drawing or a formula is open."""
        return self.drawings + self.formulas > 0

    def open(self, name: str, sent: Attributes) -> Becomes | None:
        """Record an open element; return the maker of its replacement, or None if it has none."""
        is_drawn = self.drawings > 0
        if name == "picture":
            self._sources = []
        elif name == "object":
            self._addresses = [sent.get("data", "")]
        self.drawings += name == "svg"
        self.note_in_formula(name)
        self.formulas += name == "math"
        if is_drawn:
            return _spaced
        method = _METHODS.get(name)
        return getattr(self, method) if method else None

    def note_in_formula(self, name: str) -> None:
        """Record whether the open formula contains anything but MathML."""
        if name not in MATH or name == "math":
            self.holds_markup = self.formulas > 0

    def close(self, name: str) -> None:
        """Record a closed element."""
        self.drawings -= name == "svg"
        self.formulas -= name == "math"

    def void(self, name: str, sent: dict[str, str]) -> str:
        """Return the replacement of an element without content."""
        if self.drawings:
            return ""
        self.note_in_formula(name)
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
                    self._addresses.append(sent.get("value", ""))
                return ""
        return element(name, attributes.kept_attributes(name, sent, self.base))

    def _is_in(self, name: str) -> bool:
        return name in self.names

    def _amp_image(self, sent: Attributes, _: str) -> str:
        self._without_scripts.clear()  # its own noscript is inside, and is removed with the rest
        return self._image(sent)

    def _image(self, sent: Attributes) -> str:
        if pictures.is_counter(sent):
            return ""
        others = self._sources if self._is_in("picture") else ()
        source = urls.absolute(self.base, sent.get("src", ""))
        url = pictures.address(sent, source, self.base, others)
        if _EMOJI in url:
            return escape(sent.get("alt", ""))
        if not url:
            alt = text.one_line(sent.get("alt", ""))
            note = f"[Picture: {alt}]" if alt else "[Picture]"
            return escape(note) if pictures.is_embedded(sent) else ""
        if url in self._without_scripts:  # its noscript came first
            self._without_scripts.remove(url)
            return ""
        values = attributes.kept_attributes("img", sent, self.base, source=source)
        values.pop("id", None)
        values["src"] = url
        return element("img", values)

    def _source(self, sent: Attributes) -> str:
        if self._is_in("picture"):
            pictures.add_source(self._sources, sent)
            return ""
        values = lazy_source(sent, self.base) | attributes.kept_attributes(
            "source", sent, self.base
        )
        is_played = "src" in values and any(map(self._is_in, PLAYERS))
        return element("source", values) if is_played else ""

    def _picture(self, _: Attributes, inner: str) -> str:
        return inner if "<img" in inner else inner + self._image_of(self._sources)

    def _image_of(self, sets: list[str]) -> str:
        url = next(filter(None, (pictures.largest(each, self.base) for each in sets)), "")
        return element("img", {"src": url}) if url else ""

    def _noscript(self, _: Attributes, inner: str) -> str:
        """Return the content of a noscript, unless the same is already shown."""
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
        self._without_scripts.update(map(html.unescape, addresses))
        return inner

    def _drawing(self, sent: Attributes, inner: str) -> str:
        if sent.get("aria-hidden") == "true":
            return ""
        words = sent.get("aria-label", "") or text.plain(inner)
        if not words and pictures.is_large(sent):
            words = "[Drawing]"
        return f" {escape(text.one_line(words))} " if words else ""

    def _formula(self, sent: Attributes, inner: str) -> str:
        """Return a formula of MathML alone: HTML inside MathML is how sanitisers were bypassed."""
        words = text.plain(inner)
        if self.formulas > 1:
            return escape(words)
        if self.holds_markup or not words:
            return escape(words or sent.get("alttext", ""))
        values = attributes.kept_attributes("math", sent, self.base)
        values.pop("id", None)
        return f"{element('math', values)}{inner}</math>"

    def _frame(self, sent: Attributes, _: str) -> str:
        names = ("src", "data-src", "data-lazy-src", "data-litespeed-src")
        candidates = (urls.absolute(self.base, sent.get(name, "")) for name in names)
        url = next(filter(None, candidates), "")
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
            self._addresses.append(sent.get("src", ""))
            return ""
        return self._frame(sent, "")

    def _object(self, sent: Attributes, inner: str) -> str:
        if _SHOWN.search(inner):
            return inner
        candidates = (urls.absolute(self.base, address) for address in self._addresses)
        url = next(filter(None, candidates), "")
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
        is_inline = not _HOLDS_NO_PARAGRAPH.isdisjoint(self.names)
        return shown if is_inline else f"<p>{shown}</p>"


_METHODS = {
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


def lazy_source(sent: Attributes, base: str) -> dict[str, str]:
    """Return the `src` that a script would set on a player or source."""
    url = urls.absolute(base, sent.get("data-src", ""))
    return {"src": url} if url else {}


def post(sent: Attributes, base: str, inner: str) -> str:
    """Return a link to the post that a script would embed in an element, or "".

    Args:
        sent: The attributes of the element.
        base: URL that relative references resolve against.
        inner: The HTML of the element, which may already contain the link.
    """
    address = sent.get("data-instgrm-permalink", "")
    if _EMBED_CLASS.search(sent.get("class", "")):
        address = address or sent.get("cite", "") or sent.get("data-href", "")
    url = urls.absolute(base, address)
    shown = players.page(url).url if url else ""
    if not shown or escape(shown.rstrip("/")) in inner:
        return ""
    return f"<p>{players.player(url)}</p>"


def _spaced(_: Attributes, inner: str) -> str:
    return f" {inner} "


def _task(sent: Attributes) -> str:
    """Return a disabled checkbox of a task list."""
    if sent.get("type", "").lower() != "checkbox":
        return ""
    checked = {"checked": ""} if "checked" in sent else {}
    return element("input", {"type": "checkbox", "disabled": "", **checked})
