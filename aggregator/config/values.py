"""The kinds of text with a meaning of their own: durations, URLs, zones, queries and others."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import can_ada
import re2
import yaml

from aggregator.config.kinds import Kind, Schema, Text, matching
from aggregator.config.reading import Reading, Unfit, shown
from aggregator.errors import QueryError
from aggregator.models import image_types, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Text):
    """A time such as `1h 30m`; more than nothing unless `zero`."""

    words: str = "a duration"
    remedy: str = 'Write numbers with units, as in 90s, 15m, 1h, 7d or "1h 30m".'
    tags: Collection[str] = ("str", "int", "float")
    zero: bool = False

    def convert(self, text: str) -> timedelta:
        """Read numbers with units."""
        if re.fullmatch("[0-9]+", text):
            raise Unfit("has no unit", f"Write {text}s, {text}m, {text}h or {text}d.")
        value = query.parse_duration(text)
        if value is None:
            raise Unfit("is not a duration")
        if not value and not self.zero:
            raise Unfit("is no time at all", "Write at least 1s.")
        return value

    def schema(self) -> Schema:
        """Give the form that `query.parse_duration` reads."""
        return matching("^(?=.)([0-9]+d)? ?([0-9]+h)? ?([0-9]+m)? ?([0-9]+s)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size(Text):
    """A number of bytes such as `10MB`."""

    words: str = "a size"
    remedy: str = "Write a number with a unit, as in 64KiB or 10MB."
    tags: Collection[str] = ("str", "int", "float")

    def convert(self, text: str) -> int:
        """Read a number with its unit, in bytes."""
        match = re.fullmatch("([0-9]{1,9}) ?([A-Za-z]*)", text)
        if not match or match[2].lower() not in _SIZES:
            raise Unfit("is not a size")
        size = int(match[1]) * _SIZES[match[2].lower()]
        if not size:
            raise Unfit("is nothing at all")
        return size

    def schema(self) -> Schema:
        """Give the form: a number and a unit."""
        return matching("^[0-9]+ ?([KkMmGg]i?)?[Bb]$")


LOGO_TYPES = ("image/png", "image/svg+xml", "image/webp", "image/jpeg")
_SIZES = MappingProxyType(
    {
        "b": 1,
        "kb": 10**3,
        "mb": 10**6,
        "gb": 10**9,
        "kib": 2**10,
        "mib": 2**20,
        "gib": 2**30,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Url(Text):
    """An absolute URL; two that differ only in spelling have the same identity.

    Args:
        bare: Nothing may follow the path, and a slash at the end is taken away.
    """

    words: str = "a URL"
    remedy: str = "Write all of it, beginning with http:// or https://."
    schemes: Collection[str] = ("http", "https")
    bare: bool = False

    def convert(self, text: str) -> str:
        """Check the URL and give it as written."""
        scheme, mark, rest = text.partition("://")
        if not mark:
            raise Unfit("is not a URL", f"Write all of it, such as {self._near(text)}")
        if scheme.lower() not in self.schemes:
            allowed = " and ".join(self.schemes)
            cure = f" Write {self._near(rest)}" if scheme.lower() == "feed" else ""
            raise Unfit(f"has a scheme that is not taken, {scheme[:20]}", f"Only {allowed}.{cure}")
        if re.search(r"[\s\x00-\x1f\x7f\\]", text) or rest.startswith("/"):
            raise Unfit("is not a URL", "Encode blanks as %20, and write a host after ://.")
        if self.bare and re.search("[?#@]", rest):
            raise Unfit("has more than host and path", "Delete user, query and fragment.")
        try:
            can_ada.parse(text)
        except ValueError:
            raise Unfit("is not a URL", "Its host or port can't be right.") from None
        return text.rstrip("/") if self.bare else text

    def identity(self, text: str) -> str:
        """Give the WHATWG form, in which spellings of one URL agree."""
        try:
            return str(can_ada.parse(text).href).partition("#")[0]
        except ValueError:
            return text

    def schema(self) -> Schema:
        """Give the schemes."""
        return matching(f"^({'|'.join(self.schemes)})://")

    @staticmethod
    def _near(text: str) -> str:
        return f"https://{text.removeprefix('//').rpartition('@')[2].partition('?')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub(Url):
    """`own`, `off`, or the URL of a hub."""

    words: str = "own, off or the URL of a hub"
    remedy: str = "Write own, off, or a URL such as https://hub.example/."
    tags: Collection[str] = ("str", "bool")  # YAML takes `off` for false

    def convert(self, text: str) -> str:
        """Check a URL, and give the words as they are."""
        if text in ("own", "off"):
            return text
        if "://" not in text:
            raise Unfit("is neither own nor off nor a URL")
        return Url.convert(self, text)

    def schema(self) -> Schema:
        """Give the words or the schemes; false is what editors take `off` for."""
        return {"anyOf": [{"enum": ["own", "off", False]}, Url.schema(self)]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo(Url):
    """A picture on this machine, or the URL of one."""

    words: str = "a picture"
    remedy: str = "Name a PNG, SVG, WebP or JPEG file on this machine, or write a URL."
    largest: int = 200_000

    def convert(self, text: str) -> str:
        """Look at the file; what a URL leads to is the browser's to see."""
        if "://" in text:
            return super(Logo, self).convert(text)
        try:
            with Path(text).open("rb") as file:
                body = file.read(self.largest + 1)
        except (OSError, ValueError):
            raise Unfit(
                f"is no file that can be read from {Path.cwd()}",
                "A relative path begins in the working directory.",
            ) from None
        if len(body) > self.largest:
            raise Unfit(f"is larger than {self.largest // 1000} kB", "Make the picture smaller.")
        if image_types.type_of(body) not in (
            "image/png",
            "image/svg+xml",
            "image/webp",
            "image/jpeg",
        ):
            raise Unfit("is no picture that all browsers show")
        return text

    def schema(self) -> Schema:
        """Give the schema of any text: a path may be anything."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneName(Text):
    """The IANA name of a time zone."""

    words: str = "the name of a time zone"
    remedy: str = "Write a name such as Europe/London, America/New_York or Asia/Tokyo."

    def convert(self, text: str) -> str:
        """Look the name up."""
        try:
            ZoneInfo(text)
        except (OSError, ValueError, LookupError):
            near = get_close_matches(text, available_timezones(), n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise Unfit("is not a time zone", f"{hint}{self.remedy}") from None
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Text):
    """A host name, an IP address or a network in CIDR form."""

    words: str = "a host, an address or a network"
    remedy: str = "Write a host, an IP address or a network, as in nas.lan, 192.168.1.7, fd00::/8."

    def convert(self, text: str) -> str:
        """Check the form; names are not looked up."""
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            if re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", text.lower()):
                return text.lower().rstrip(".")
            raise Unfit(f"is not {self.words}") from None
        if "/" not in text:
            return str(network.network_address)
        if ip_address(text.partition("/")[0]) != network.network_address:
            raise Unfit("names an address within the network", f"Write {network}.")
        return str(network)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression(Text):
    """A regular expression of RE2, whose time is bounded whatever it is matched with."""

    words: str = "a regular expression"
    remedy: str = (
        "Write it in the syntax of RE2, which does not look around or back; "
        r"in single quotes, as in '\bfootball\b'."
    )
    longest: int = 500

    def convert(self, text: str) -> str:
        """Compile it on trial."""
        Text.convert(self, text)
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(text, options)
        except re2.error as error:
            reason = error.args[0].decode(errors="replace")
            raise Unfit(f"is not a regular expression: {reason}") from None
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryText(Text):
    """A query in the words of `query.KEYS`."""

    words: str = "a query"
    remedy: str = 'Write it as in a URL: "section=europe&q=nato&since=7d".'

    def read(self, node: yaml.Node, key: str, reading: Reading) -> Any:
        """Read the query, and refer to the sections and sources it names."""
        selected = Text.read(self, node, key, reading)
        if selected is not None:
            for section in selected.section:
                reading.refer("section", section, node)
            for source in selected.source:
                reading.refer("source", source, node)
        return selected

    def convert(self, text: str) -> Any:
        """Parse the query."""
        try:
            return query.parse(text)
        except QueryError as error:
            raise Unfit(f"is not a query: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers(Kind):
    """Header fields by name; their values are secret."""

    words: str = "header fields"
    remedy: str = "Write names with values, as in {Authorization: 'Bearer ${TOKEN}'}."

    def read(self, node: yaml.Node, key: str, reading: Reading) -> Mapping[str, str]:
        """Read names and values as HTTP takes them (RFC 9110 §5)."""
        if reading.is_null(node) or not reading.enter(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            reading.note(node, f"{key} must be {self.words}, not {shown(node)}", self.remedy)
            return {}
        headers: dict[str, str] = {}
        for name_node, value_node in node.value:
            name = str(name_node.value)
            fault = self._fault(name, headers)
            if fault:
                reading.note(name_node, f'{key}: "{name[:60]}" {fault[0]}', fault[1])
                continue
            value = _HEADER_VALUE.read(value_node, name, reading)
            if value is not None:
                headers[name] = value
        return headers

    def schema(self) -> Schema:
        """Strings by name."""
        return {"type": ["object", "null"], "additionalProperties": {"type": "string"}}

    @staticmethod
    def _fault(name: str, before: Mapping[str, str]) -> tuple[str, str] | None:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            return "is not a header name", "Use letters, digits and dashes."
        if name.lower() in OWN_HEADERS:
            return "is set by the program", "Delete it."
        if name.lower() in {known.lower() for known in before}:
            return "stands twice", "Keep one."
        return None


OWN_HEADERS = frozenset(
    {
        "a-im",
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "if-modified-since",
        "if-none-match",
        "range",
        "te",
        "transfer-encoding",
    }
)
"""Header fields a source can't set, as the poller's own values must stand in them."""

_HEADER_VALUE = Text(
    words="the value of a header field",
    remedy="Write visible ASCII characters in one line, in quotes.",
    pattern="[!-~]([ !-~]*[!-~])?",
    longest=8_000,
    secret=True,
)
