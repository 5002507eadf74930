"""Parse a YAML file to a `Config`, or raise a list of all its mistakes."""

import gc
import pickle
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import re2
import yaml

from aggregator.config import DEFAULT_PATH, secrets, tree
from aggregator.config.keys import ROOT
from aggregator.config.kinds import BlockValue
from aggregator.config.validation import Validator
from aggregator.errors import ConfigError, Problem
from aggregator.models.config import (
    ANY_PAGE,
    PLAIN_READING,
    PLAIN_TRANSPORT,
    Attribution,
    Auth,
    Config,
    Content,
    Defaults,
    Feeds,
    Front,
    Limits,
    Media,
    PageRules,
    PerHost,
    Reading,
    Rule,
    Section,
    Site,
    Source,
    StoryCorrections,
    Transform,
    Transport,
    View,
    WebSub,
    Zone,
)
from aggregator.models.listing import JsonListing, Listing, PageListing, SitemapListing

STORAGE_PATH = "data/aggregator.db"

LISTENING = "AGGREGATOR_LISTENING"
"""Holds the address that `run` serves on, for both of its processes."""

_EMPTY = Problem(
    file="",
    line=1,
    column=1,
    message="the file is empty",
    remedy="Start with a source: sources: [{id: example, url: 'https://example.org/feed.xml'}]",
)


def load(path: str, environ: Mapping[str, str]) -> Config:
    """Read and check a configuration file.

    Args:
        path: The file; messages show it as given.
        environ: The values for `${NAME}`, and of `LISTENING`.

    Raises:
        ConfigError: With all mistakes of the file, in file order.
    """
    return parse(read_text(path), path, environ)


def parse(text: str, file: str, environ: Mapping[str, str]) -> Config:
    """Parse and check text as `load` does; `file` is its name in messages."""
    with _pause_collector():
        pickled = _parse(text, file, environ)
        config: Config = pickle.loads(pickled)  # noqa: S301, our own bytes
    return config


def _parse(text: str, file: str, environ: Mapping[str, str]) -> bytes:
    """Return the configuration as a pickle, so that the YAML nodes are freed before it is made.

    Made before, its values would lie scattered among the nodes and keep their pages in use.
    """
    document = tree.parse(text, file)
    validator = Validator(file, environ, document.incomplete)
    block = None
    if document.root is not None:
        block = ROOT.parse(document.root, "", validator)
        _check_bounds(block, validator)
        _check_rules(block, validator)
        _check_listings(block, validator)
        _check_sources(block, validator)
        _check_auth(document.root, block, validator)
    problems = (*document.problems, *validator.finish())
    if not problems and block is None:
        problems = (_file_problem(file, _EMPTY.message, _EMPTY.remedy),)
    if problems or block is None:
        raise ConfigError(
            tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        )
    return pickle.dumps(
        _config(block, text, file, validator.substituted, environ.get(LISTENING, ""))
    )


@contextmanager
def _pause_collector() -> Iterator[None]:
    """Pause the garbage collector during parsing: five times faster for 100,000 sources."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read_text(path: str) -> str:
    """Return the text of a configuration file; raises ConfigError."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        command = "aggregator init" if path == DEFAULT_PATH else f"aggregator --config {path} init"
        remedy = f"Create it with `{command}`, or name another: --config FILE or AGGREGATOR_CONFIG."
        raise ConfigError((_file_problem(path, "no such file", remedy),)) from None
    except OSError as error:
        message = f"the file can't be read: {error.strerror or error}"
        raise ConfigError(
            (_file_problem(path, message, "Check the path and its permissions."),)
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        problem = Problem(
            file=path,
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
            message=f"the file is not UTF-8: byte 0x{data[error.start]:02x} is invalid",
            remedy="Save it as UTF-8 in your editor.",
        )
        raise ConfigError((problem,)) from None


def _file_problem(file: str, message: str, remedy: str) -> Problem:
    return Problem(file=file, line=1, column=1, message=message, remedy=remedy)


def _check_bounds(block: BlockValue | None, validator: Validator) -> None:
    defaults = block and block.values.get("defaults")
    if not defaults:
        return
    minimum = defaults.values.get("min_interval", Defaults().minimum)
    maximum = defaults.values.get("max_interval", Defaults().maximum)
    if minimum > maximum:
        node = defaults.nodes.get("min_interval") or defaults.nodes["max_interval"]
        validator.add_problem(
            node,
            "min_interval is longer than max_interval",
            "The defaults are 5m and 24h.",
        )


def _check_rules(block: BlockValue | None, validator: Validator) -> None:
    places = (*block.values.get("sections", ()), *block.values.get("sources", ())) if block else ()
    for rule in (rule for place in places for rule in place.values.get("rules", ())):
        if rule.nodes.keys() == {"when"}:
            validator.add_problem(
                rule.node, "a rule without an action", "Add category, section or priority to it."
            )


_LISTINGS = ("page", "json", "sitemap")


def _check_listings(block: BlockValue | None, validator: Validator) -> None:
    for source in block.values.get("sources", ()) if block else ():
        named = [key for key in _LISTINGS if source.values.get(key)]
        for key in named[1:]:
            validator.add_problem(
                source.nodes[key], f"a source with both {named[0]} and {key}", "Keep one of them."
            )
        listing = source.values.get(named[0]) if named else None
        if not isinstance(listing, BlockValue) or "next" in listing.nodes:
            continue
        if "pages" in listing.nodes:
            remedy = "Add next, which finds the link to the next page."
            validator.add_problem(listing.nodes["pages"], "pages without next", remedy)


def _check_sources(block: BlockValue | None, validator: Validator) -> None:
    for source in block.values.get("sources", ()) if block else ():
        for transform in source.values.get("transforms", ()):
            _check_transform(transform, validator)
        credentials = source.values.get("credentials")
        if credentials is None:
            continue
        given, node = credentials.nodes.keys(), credentials.node
        if given not in ({"username", "password"}, {"bearer"}):
            validator.add_problem(
                node,
                "credentials must be a username with its password, or a bearer token",
                "Write {username: reader, password: '${PASSWORD}'} or {bearer: '${TOKEN}'}.",
            )
        headers = source.values.get("headers", {})
        if any(name.lower() == "authorization" for name in headers):
            validator.add_problem(
                node, "credentials and an Authorization header for one source", "Delete one."
            )


def _check_transform(transform: BlockValue, validator: Validator) -> None:
    if len(transform.nodes.keys() & {"title", "content"}) != 1:
        validator.add_problem(
            transform.node,
            "a transform must name title or content, and not both",
            "Write {title: '^Exclusive: '} or {content: '<hr>'}.",
        )
    pattern = transform.values.get("title") or transform.values.get("content")
    groups = re2.compile(pattern).groups if pattern else 0
    for number in re.findall(r"\\([0-9])", transform.values.get("replace", "")):
        if int(number) > groups:
            validator.add_problem(
                transform.nodes["replace"],
                f"replace names group {number}, and the expression has {groups}",
                "Put parentheses around the part to keep.",
            )


def _check_auth(root: yaml.Node, block: BlockValue | None, validator: Validator) -> None:
    auth = block and block.values.get("auth")
    if auth and auth.values.get("protect") == "site" and not {"password", "token"} & {*auth.nodes}:
        validator.add_problem(
            block.nodes.get("auth", root) if block else root,
            "auth has no password and no token, so no one could sign in",
            "Run `aggregator password` and copy the line it prints, or add a token.",
        )


def _config(
    block: BlockValue,
    text: str,
    file: str,
    substituted: Mapping[int, tuple[str, ...]],
    listening: str,
) -> Config:
    values = block.values
    network = _values(block, "network")
    defaults = _defaults(_values(block, "defaults"))
    sections = tuple(_section(section) for section in values.get("sections", ()))
    shown = {section.id: section.content for section in sections if section.content}
    return Config(
        path=file,
        site=_site(_values(block, "site"), listening),
        storage=_values(block, "storage").get("path", STORAGE_PATH),
        allow=network.get("allow", ()),
        proxy=network.get("proxy", ""),
        auth=Auth(**_values(block, "auth")),
        websub=WebSub(**_values(block, "websub")),
        media=Media(**_values(block, "media")),
        stories=StoryCorrections(**_values(block, "stories")),
        cluster=_values(block, "cluster").get("address", ""),
        defaults=defaults,
        sections=sections,
        sources=tuple(
            _source(source, text, shown, defaults) for source in values.get("sources", ())
        ),
        views=tuple(View(**_with_rules(view)) for view in values.get("views", ())),
        secrets=frozenset(_secrets(block, substituted)),
    )


def _secrets(root: BlockValue, substituted: Mapping[int, tuple[str, ...]]) -> Iterator[str]:
    """Yield the parts of URLs and headers that must not be shown."""
    urls = [(source, "url") for source in root.values.get("sources", ())]
    urls += [(source, "proxy") for source in root.values.get("sources", ())]
    settings = [("network", "proxy"), ("cluster", "address")]  # a hub is named in our feeds
    urls += [(root.values[block], key) for block, key in settings if root.values.get(block)]
    for block, key in urls:
        if key in block.values:
            values = substituted.get(id(block.nodes[key]), ())
            private = block.values.get("private", False)
            yield from secrets.of_url(str(block.values[key]), values, private=private)
        headers = block.nodes.get("headers")
        if isinstance(headers, yaml.MappingNode):
            for _, node in headers.value:
                yield from substituted.get(id(node), ())
        if isinstance(document := block.values.get("json"), BlockValue):
            yield from substituted.get(id(document.nodes.get("post")), ())
    for source in root.values.get("sources", ()):
        yield from _secret_options(source)


def _secret_options(source: BlockValue) -> Iterator[str]:
    """Yield the values of a source's credentials and cookies."""
    given = source.values["credentials"].values if "credentials" in source.values else {}
    yield from (given[name] for name in ("password", "bearer") if name in given)
    if "username" in given and "password" in given:
        yield _basic(given)
    yield from (cookie.value for cookie in source.values.get("cookies", ()))


def _values(block: BlockValue, key: str) -> dict[str, Any]:
    child = block.values.get(key)
    return dict(child.values) if child else {}


def _site(values: dict[str, Any], listening: str) -> Site:
    zones = values.pop("timezones", ())
    feeds = values.pop("feeds").values if "feeds" in values else {}
    front = values.pop("front").values if "front" in values else {}
    return Site(
        **values,
        front=Front(**front),
        feeds=Feeds(**{key: Attribution(value) for key, value in feeds.items()}),
        listening=listening,
        zones=tuple(_zone(zone) for zone in zones),
    )


def _zone(zone: str | BlockValue) -> Zone:
    values = {"zone": zone} if isinstance(zone, str) else zone.values
    name = values["zone"]
    return Zone(name=name, label=values.get("label", name.rpartition("/")[2].replace("_", " ")))


def _defaults(values: dict[str, Any]) -> Defaults:
    names = {"min_interval": "minimum", "max_interval": "maximum"}
    intervals = {
        names.get(key, key): values[key]
        for key in ("every", "min_interval", "max_interval", "retention", "retracted")
        if key in values
    }
    content = Content(values.get("content", Content.FEED))
    limits = _limits(values.get("limits"), Limits())
    per_host = values["per_host"].values if "per_host" in values else {}
    return Defaults(**intervals, content=content, limits=limits, per_host=PerHost(**per_host))


def _limits(block: BlockValue | None, defaults: Limits) -> Limits:
    values = dict(block.values) if block else {}
    for name in {"connect", "idle", "total", "parse"} & values.keys():
        values[name] = values[name].total_seconds()
    return replace(defaults, **values)


_NO_HEADERS: Mapping[str, str] = {}
_LEAST_FIRST = (Content.LINK, Content.EXCERPT, Content.FEED, Content.FULL)


def _section(block: BlockValue) -> Section:
    values = _with_rules(block)
    content = values.pop("content", None)
    return Section(**values, content=Content(content) if content else None)


def _source(
    block: BlockValue, text: str, shown: Mapping[str, Content], defaults: Defaults
) -> Source:
    """Return a source; `shown` is the content that sections set, by id."""
    values = _with_rules(block)
    sections = _interned(tuple(dict.fromkeys(values.pop("sections", ()))))
    of_sections = {shown[name] for name in sections if name in shown}
    content = Content(
        values.pop("content", min(of_sections, key=_LEAST_FIRST.index, default=defaults.content))
    )
    page_rules = PageRules(**values.pop("full_text").values) if "full_text" in values else ANY_PAGE
    scope = values.pop("retry_after", "host")
    listing = _listing(values)
    limits = values.pop("limits", None)
    transport, reading = _transport(values), _reading(values)
    headers = values.pop("headers", {}) | _credentials(values) or _NO_HEADERS
    return Source(
        **values,
        headers=headers,
        transport=transport,
        reading=reading,
        limits=_limits(limits, defaults.limits) if limits else None,
        sections=sections,
        content=content,
        page_rules=page_rules,
        listing=listing,
        retry_after_scope=scope,
        line=block.node.start_mark.line + 1,
        yaml=_excerpt(block, text),
    )


@lru_cache(maxsize=1_000)
def _interned(sections: tuple[str, ...]) -> tuple[str, ...]:
    """Return a tuple that all sources in these sections share."""
    return sections


def _listing(values: dict[str, Any]) -> Listing | None:
    """Take the keys of a source without a feed out of its values."""
    page, document = values.pop("page", None), values.pop("json", None)
    if values.pop("sitemap", False):
        return SitemapListing()
    if page:
        return PageListing(**page.values)
    return JsonListing(**document.values) if document else None


_TRANSPORT = ("proxy", "user_agent", "ca", "insecure", "cookies")
_READING = ("items", "language", "timezone")


def _transport(values: dict[str, Any]) -> Transport:
    """Take the options of a source's requests out of its values."""
    given = {name: values.pop(name) for name in _TRANSPORT if name in values}
    return Transport(**given) if given else PLAIN_TRANSPORT


def _reading(values: dict[str, Any]) -> Reading:
    """Take the options of how a source is read out of its values."""
    given = {name: values.pop(name) for name in _READING if name in values}
    if "title_template" in values:
        given["title"] = values.pop("title_template")
    transforms = [
        Transform(
            field=field,
            pattern=block.values[field],
            replacement=block.values.get("replace", ""),
        )
        for block in values.pop("transforms", ())
        for field in ("title", "content")
        if field in block.values
    ]
    if transforms:
        given["transforms"] = tuple(transforms)
    return Reading(**given) if given else PLAIN_READING


def _credentials(values: dict[str, Any]) -> dict[str, str]:
    """Take a source's credentials out of its values; return their header field."""
    given = values.pop("credentials").values if "credentials" in values else {}
    if "bearer" in given:
        return {"Authorization": f"Bearer {given['bearer']}"}
    if "username" in given and "password" in given:
        return {"Authorization": f"Basic {_basic(given)}"}
    return {}


def _basic(given: Mapping[str, str]) -> str:
    return b64encode(f"{given['username']}:{given['password']}".encode()).decode()


def _with_rules(block: BlockValue) -> dict[str, Any]:
    """Return the values of a block, with its keep, drop and rules as one tuple of rules."""
    values = dict(block.values)
    rules = [
        Rule(action=action, field=field, pattern=pattern)
        for action in ("keep", "drop")
        for rule in values.pop(action, ())
        for field, pattern in rule.values.items()
    ]
    for rule in values.pop("rules", ()):
        actions = dict(rule.values)
        for field, pattern in (actions.pop("when").values if "when" in actions else {}).items():
            rules += [
                Rule(action=action, field=field, pattern=pattern, value=str(value))
                for action, value in actions.items()
                if value
            ]
    return values | {"rules": tuple(rules)}


def _excerpt(block: BlockValue, text: str) -> str:
    """Return the text that defines a source, without header values, passwords and comments.

    A commented-out header may hold a secret.
    """
    start, end = block.node.start_mark.index, tree.end_of(block.node, text)
    excerpt = text[start:end]
    secret = [block.nodes.get(name) for name in ("headers", "credentials")]
    found = [node for node in secret if isinstance(node, yaml.MappingNode)]
    for headers in sorted(found, key=lambda node: node.start_mark.index, reverse=True):
        for _, value in reversed(headers.value):
            begin, after = value.start_mark.index - start, tree.end_of(value, text) - start
            if 0 <= begin < len(excerpt):  # an alias may be elsewhere
                rest = excerpt[after:]
                if excerpt[after - 1] == "\n":  # a block of lines
                    rest = f"\n{rest}"
                elif not headers.flow_style:  # also drop a comment, which may hold an old secret
                    rest = rest[rest.find("\n") :] if "\n" in rest else ""
                excerpt = f"{excerpt[:begin]}***{rest}"
    excerpt = re.sub(r"//[^/?#\s'\"]*@", "//***@", excerpt)
    indent = " " * block.node.start_mark.column
    lines = (line.removeprefix(indent).rstrip() for line in excerpt.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
