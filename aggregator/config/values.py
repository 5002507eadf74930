"""Text with a format: durations, sizes, URLs, time zones, queries and others."""

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

from aggregator.config.kinds import Kind, Schema, Text, pattern_schema
from aggregator.config.validation import InvalidValue, Validator, describe
from aggregator.errors import QueryError
from aggregator.models import image_types, query
from aggregator.models.config import FOREVER, Cookie
from aggregator.models.urls import PATH_PREFIX, host_of, origin_of


@dataclass(kw_only=True, eq=False, repr=False)
class Duration(Text):
    """A duration such as `1h 30m`; `zero` allows 0."""

    expected: str = "a duration"
    remedy: str = 'Write numbers with units, as in 90s, 15m, 1h, 7d or "1h 30m".'
    tags: Collection[str] = ("str", "int", "float")
    zero: bool = False

    def convert(self, text: str) -> timedelta:
        """Parse numbers with units."""
        if re.fullmatch("[0-9]+", text):
            raise InvalidValue("has no unit", f"Write {text}s, {text}m, {text}h or {text}d.")
        value = query.parse_duration(text)
        if value is None:
            raise InvalidValue("is not a duration")
        if not value and not self.zero:
            raise InvalidValue("is zero", "Write at least 1s.")
        return value

    def schema(self) -> Schema:
        """Return the format that `query.parse_duration` parses."""
        return pattern_schema("^(?=.)([0-9]+d)? ?([0-9]+h)? ?([0-9]+m)? ?([0-9]+s)?$")


@dataclass(kw_only=True, eq=False, repr=False)
class Retention(Duration):
    """A duration, or `forever`."""

    expected: str = "a duration or forever"
    remedy: str = "Write a number with a unit, as in 30d, or forever."

    def convert(self, text: str) -> timedelta:
        """Parse the word or the numbers with units."""
        return FOREVER if text == "forever" else Duration.convert(self, text)

    def schema(self) -> Schema:
        """Return the duration or the word."""
        return {"anyOf": [{"const": "forever"}, Duration.schema(self)]}


@dataclass(kw_only=True, eq=False, repr=False)
class Size(Text):
    """A number of bytes such as `10MB`."""

    expected: str = "a size"
    remedy: str = "Write a number with a unit, as in 64KiB or 10MB."
    tags: Collection[str] = ("str", "int", "float")

    def convert(self, text: str) -> int:
        """Return the number of bytes."""
        match = re.fullmatch("([0-9]{1,9}) ?([A-Za-z]*)", text)
        if not match or match[2].lower() not in _SIZES:
            raise InvalidValue("is not a size")
        size = int(match[1]) * _SIZES[match[2].lower()]
        if not size:
            raise InvalidValue("is zero")
        return size

    def schema(self) -> Schema:
        """Return the format: a number and a unit."""
        return pattern_schema("^[0-9]+ ?([KkMmGg]i?)?[Bb]$")


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


@dataclass(kw_only=True, eq=False, repr=False)
class Url(Text):
    """An absolute URL; URLs that differ only in spelling have the same identity.

    Args:
        bare: Allow no user, query or fragment; the value is ASCII without a trailing slash.
    """

    expected: str = "a URL"
    remedy: str = "Write the full URL, beginning with http:// or https://."
    schemes: Collection[str] = ("http", "https")
    bare: bool = False

    def convert(self, text: str) -> str:
        """Check the URL and return it as written."""
        scheme, mark, rest = text.partition("://")
        if not mark:
            raise InvalidValue("is not a URL", f"Write the full URL, such as {self._near(text)}")
        if scheme.lower() not in self.schemes:
            allowed = " or ".join(self.schemes)
            hint = f" Write {self._near(rest)}" if scheme.lower() == "feed" else ""
            raise InvalidValue(f"has an unsupported scheme, {scheme[:20]}", f"Use {allowed}.{hint}")
        if re.search(r"[\s\x00-\x1f\x7f\\]", text) or rest.startswith("/"):
            raise InvalidValue("is not a URL", "Encode spaces as %20, and write a host after ://.")
        if self.bare and re.search("[?#@]", rest):
            raise InvalidValue("has more than host and path", "Delete user, query and fragment.")
        try:
            parsed = can_ada.parse(text)
        except ValueError:
            raise InvalidValue("is not a URL", "The host or port is invalid.") from None
        if not self.bare:
            return text
        if not PATH_PREFIX.fullmatch(parsed.pathname.rstrip("/")):
            raise InvalidValue(
                "has an unusual path", "Use letters, digits, dashes and single slashes."
            )
        return str(parsed.href).rstrip("/")

    def identity(self, text: str) -> str:
        """Return the WHATWG form, without the fragment."""
        try:
            return str(can_ada.parse(text).href).partition("#")[0]
        except ValueError:
            return text

    def schema(self) -> Schema:
        """Return a pattern of the schemes."""
        return pattern_schema(f"^({'|'.join(self.schemes)})://")

    @staticmethod
    def _near(text: str) -> str:
        return f"https://{text.removeprefix('//').rpartition('@')[2].partition('?')[0]}"


@dataclass(kw_only=True, eq=False, repr=False)
class Hub(Url):
    """`own`, `off`, or the URL of a hub."""

    expected: str = "own, off or the URL of a hub"
    remedy: str = "Write own, off, or a URL such as https://hub.example/."
    tags: Collection[str] = ("str", "bool")  # YAML reads `off` as false

    def convert(self, text: str) -> str:
        """Return `own` and `off` unchanged, and check a URL."""
        if text in ("own", "off"):
            return text
        if "://" not in text:
            raise InvalidValue("is not own, off or a URL")
        return Url.convert(self, text)

    def schema(self) -> Schema:
        """Return the schema; false is how editors read `off`."""
        return {"anyOf": [{"enum": ["own", "off", False]}, Url.schema(self)]}


@dataclass(kw_only=True, eq=False, repr=False)
class FilePath(Text):
    """The path of a file; `~` and `~user` at its begin are home folders, as in a shell."""

    expected: str = "a path"
    remedy: str = "Write a path; `~/` begins one in your home folder, `./~` one with that name."

    def convert(self, text: str) -> str:
        """Expand the home folder."""
        if "\0" in text:
            raise InvalidValue("has a NUL character, which no path can have")
        return _expanded(super().convert(text))


def _expanded(path: str) -> str:
    """Return a path without `~` and `~user`; raises InvalidValue."""
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        user = path.partition("/")[0][1:] or "this user"
        raise InvalidValue(f"names the home folder of {user}, which has none") from None


@dataclass(kw_only=True, eq=False, repr=False)
class Logo(Url):
    """The path or URL of an image."""

    expected: str = "an image"
    remedy: str = "Write the path of a PNG, SVG, WebP or JPEG file, or a URL."
    largest: int = 200_000

    def convert(self, text: str) -> str:
        """Check the size and type of a file; a URL is left to the browser."""
        if "://" in text:
            return super().convert(text)
        text = _expanded(text)
        try:
            with Path(text).open("rb") as file:
                body = file.read(self.largest + 1)
        except (OSError, ValueError):
            raise InvalidValue(
                f"can't be read from {Path.cwd()}",
                "Relative paths start at the working directory.",
            ) from None
        if len(body) > self.largest:
            raise InvalidValue(f"is larger than {self.largest // 1000} kB", "Use a smaller file.")
        if image_types.type_of(body) not in LOGO_TYPES:
            raise InvalidValue("is not an image type that all browsers support")
        return text

    def schema(self) -> Schema:
        """Return the schema of any text, because a path may be anything."""
        return {"type": "string"}


@dataclass(kw_only=True, eq=False, repr=False)
class ZoneName(Text):
    """The IANA name of a time zone."""

    expected: str = "the name of a time zone"
    remedy: str = "Write a name such as Europe/London, America/New_York or Asia/Tokyo."

    def convert(self, text: str) -> str:
        """Look up the name."""
        try:
            ZoneInfo(text)
        except (OSError, ValueError, LookupError):
            near = get_close_matches(text, available_timezones(), n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise InvalidValue("is not a time zone", f"{hint}{self.remedy}") from None
        return text


@dataclass(kw_only=True, eq=False, repr=False)
class Address(Text):
    """A host name, an IP address or a network in CIDR form."""

    expected: str = "a host, an address or a network"
    remedy: str = "Write a host, an IP address or a network, as in nas.lan, 192.168.1.7, fd00::/8."

    def convert(self, text: str) -> str:
        """Check the format; names are not resolved."""
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            if re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", text.lower()):
                return text.lower().rstrip(".")
            raise InvalidValue(f"is not {self.expected}") from None
        if "/" not in text:
            return str(network.network_address)
        if ip_address(text.partition("/")[0]) != network.network_address:
            raise InvalidValue("has an address inside the network", f"Write {network}.")
        return str(network)


@dataclass(kw_only=True, eq=False, repr=False)
class Host(Text):
    """A host name or an IP address, in the form of `host_of`."""

    expected: str = "a host name"
    remedy: str = "Write a host without scheme and port, as in news.home.arpa or 192.168.1.7."

    def convert(self, text: str) -> str:
        """Normalise the host."""
        host = host_of(f"http://{f'[{text}]' if ':' in text else text}/")
        if not host or any(character in text for character in "/?#@\\"):
            raise InvalidValue(f"is not {self.expected}")
        return host


@dataclass(kw_only=True, eq=False, repr=False)
class FrameAncestor(Text):
    """An origin, of all hosts of a domain too, or `*` (CSP Level 3 §2.3.1)."""

    expected: str = "the address of a site, or *"
    remedy: str = (
        "Write scheme and host, as in https://blog.example or https://*.blog.example, or '*'."
    )

    def convert(self, text: str) -> str:
        """Return the origin in ASCII."""
        if text == "*":
            return text
        scheme, _, host = text.partition("://")
        origin = origin_of(f"{scheme}://{host.removeprefix('*.')}")
        if not origin or not re.fullmatch(r"[^/?#@*;,\s]+/?", host.removeprefix("*.")):
            raise InvalidValue(f"is not {self.expected}")
        return origin.replace("://", "://*.", 1) if host.startswith("*.") else origin


@dataclass(kw_only=True, eq=False, repr=False)
class Expression(Text):
    """A regular expression in RE2 syntax, which matches any text in bounded time."""

    expected: str = "a regular expression"
    remedy: str = (
        "Use RE2 syntax, without lookaround and backreferences, "
        r"in single quotes, as in '\bfootball\b'."
    )
    longest: int = 500

    def convert(self, text: str) -> str:
        """Check that it compiles."""
        Text.convert(self, text)
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(text, options)
        except re2.error as error:
            reason = error.args[0].decode(errors="replace")
            raise InvalidValue(f"is not a regular expression: {reason}") from None
        return text


@dataclass(kw_only=True, eq=False, repr=False)
class CertificateFile(FilePath):
    """The path of a PEM file with at least one certificate."""

    expected: str = "a file of certificates"
    remedy: str = "Write the path of a PEM file; relative paths start at the working directory."

    def convert(self, text: str) -> str:
        """Check that the file can be read; return its absolute path."""
        import ssl  # few files have one

        path = str(Path(super().convert(text)).absolute())
        try:
            ssl.create_default_context(cafile=path)
        except (ssl.SSLError, ValueError):
            raise InvalidValue("has no certificate in it") from None
        except OSError as error:
            raise InvalidValue(f"can't be read: {error.strerror or error}") from None
        return path


_COOKIE = re.compile("[!-:<-~]+=[ !-:<-~]*")


@dataclass(kw_only=True, eq=False, repr=False)
class CookieFile(FilePath):
    """The path of a file of cookies in Netscape's format; the value is the cookies."""

    expected: str = "a file of cookies"
    remedy: str = (
        "Export cookies.txt from a browser; relative paths start at the working directory."
    )

    def convert(self, text: str) -> Any:
        """Read the cookies that have not expired."""
        from http.cookiejar import LoadError, MozillaCookieJar  # few files have one

        path = super().convert(text)
        jar = MozillaCookieJar()
        try:
            jar.load(path, ignore_discard=True, ignore_expires=True)
        except LoadError:
            raise InvalidValue("is not a file of cookies in Netscape's format") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise InvalidValue(f"can't be read: {reason}") from None
        cookies = tuple(
            Cookie(
                domain=cookie.domain.lower(),
                name=cookie.name,
                value=cookie.value or "",
                secure=cookie.secure,
            )
            for cookie in jar
            if cookie.domain
            and (not cookie.expires or not cookie.is_expired())  # 0 is the end of a session
            and _COOKIE.fullmatch(f"{cookie.name}={cookie.value}")
        )
        if not cookies:
            raise InvalidValue("has no cookie that is still valid", "Export it again.")
        return cookies


TITLE_FIELDS = ("title", "author", "category", "summary", "feed")


@dataclass(kw_only=True, eq=False, repr=False)
class TitleTemplate(Text):
    """A title with placeholders such as `{title}`."""

    expected: str = "a template of titles"
    remedy: str = f"Use {', '.join(f'{{{name}}}' for name in TITLE_FIELDS)}."
    longest: int = 200

    def convert(self, text: str) -> str:
        """Check the placeholders."""
        Text.convert(self, text)
        names = re.findall(r"\{([^{}]*)\}", text)
        unknown = [name for name in names if name not in TITLE_FIELDS]
        if unknown:
            raise InvalidValue(f"has an unknown placeholder, {{{unknown[0][:40]}}}")
        if not names:
            raise InvalidValue("has no placeholder, so all titles would be the same")
        return text


@dataclass(kw_only=True, eq=False, repr=False)
class Selector(Text):
    """A CSS selector of elements."""

    expected: str = "a CSS selector"
    remedy: str = "Write it in quotes, as in 'article .story' or 'div[itemprop=articleBody]'."
    longest: int = 500

    def convert(self, text: str) -> str:
        """Check that it compiles."""
        import cssselect  # few files have one

        Text.convert(self, text)
        try:
            cssselect.HTMLTranslator().css_to_xpath(text)
        except cssselect.SelectorError as error:
            raise InvalidValue(f"is not a CSS selector: {error}") from None
        return text


@dataclass(kw_only=True, eq=False, repr=False)
class QueryText(Text):
    """A query with the keys of `query.KEYS`."""

    expected: str = "a query"
    remedy: str = 'Write it as in a URL: "section=europe&q=nato&since=7d".'

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> Any:
        """Parse the query, and check the sections and sources it names."""
        selected = Text.parse(self, node, key, validator)
        if selected is not None:
            for section in selected.section:
                validator.add_reference("section", section, node)
            for source in selected.source:
                validator.add_reference("source", source, node)
        return selected

    def convert(self, text: str) -> Any:
        """Parse the query."""
        try:
            return query.parse(text)
        except QueryError as error:
            raise InvalidValue(f"is not a query: {error}") from None


@dataclass(kw_only=True, eq=False, repr=False)
class Headers(Kind):
    """Header fields by name; the values are secret."""

    expected: str = "header fields"
    remedy: str = "Write names with values, as in {Authorization: 'Bearer ${TOKEN}'}."

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> Mapping[str, str]:
        """Parse names and values (RFC 9110 §5)."""
        if validator.is_null(node) or not validator.enter(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            validator.add_problem(
                node, f"{key} must be {self.expected}, not {describe(node)}", self.remedy
            )
            return {}
        headers: dict[str, str] = {}
        for name_node, value_node in node.value:
            name = str(name_node.value)
            fault = self._fault(name, headers)
            if fault:
                validator.add_problem(name_node, f'{key}: "{name[:60]}" {fault[0]}', fault[1])
                continue
            value = _HEADER_VALUE.parse(value_node, name, validator)
            if value is not None:
                headers[name] = value
        return headers

    def schema(self) -> Schema:
        """Return the schema of an object of strings."""
        return {"type": ["object", "null"], "additionalProperties": {"type": "string"}}

    @staticmethod
    def _fault(name: str, before: Mapping[str, str]) -> tuple[str, str] | None:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            return "is not a header name", "Use letters, digits and dashes."
        if name.lower() in OWN_HEADERS:
            return "is set by the program", "Delete it."
        if name.lower() in {known.lower() for known in before}:
            return "appears twice", "Keep one."
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
"""Header fields that a source can't set because the poller sets them."""

_HEADER_VALUE = Text(
    expected="the value of a header field",
    remedy="Write visible ASCII characters on one line, in quotes.",
    pattern="[!-~]([ !-~]*[!-~])?",
    longest=8_000,
    secret=True,
)

TOKEN = Text(
    expected="a token",
    remedy="Use 16 or more letters, digits, dots, dashes or underscores.",
    pattern="[A-Za-z0-9._~-]{16,200}",
    secret=True,
)
