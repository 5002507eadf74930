"""From a YAML file to a `Config`, or to the list of everything that is wrong with it."""

import gc
import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from aggregator.config import tree
from aggregator.config.keys import ROOT
from aggregator.config.kinds import Found
from aggregator.config.reading import Reading
from aggregator.errors import ConfigError, Problem
from aggregator.models.config import (
    Auth,
    Config,
    Defaults,
    Limits,
    Media,
    PerHost,
    Rule,
    Section,
    Site,
    Source,
    View,
    WebSub,
    Zone,
)

STORAGE_PATH = "data/aggregator.db"

_EMPTY = Problem(
    file="",
    line=1,
    column=1,
    what="the file is empty",
    remedy="Begin with a source: sources: [{id: example, url: 'https://example.org/feed.xml'}]",
)


def load(path: str, environ: Mapping[str, str]) -> Config:
    """Read and check a configuration file.

    Args:
        path: The file; it stands in every message as given.
        environ: Where `${NAME}` in a value is looked up.

    Raises:
        ConfigError: Holds all mistakes of the file, in its order.
    """
    with _collector_paused():
        return read(_text(path), path, environ)


def read(text: str, file: str, environ: Mapping[str, str]) -> Config:
    """As `load`, from text; `file` is its name in messages."""
    document = tree.read(text, file)
    reading = Reading(file, environ, document.lost)
    found = None
    if document.root is not None:
        found = ROOT.read(document.root, "", reading)
        _check_bounds(found, reading)
        _check_rules(found, reading)
        _check_auth(document.root, found, reading)
    problems = (*document.problems, *reading.finish())
    if not problems and found is None:
        problems = (_at(file, _EMPTY.what, _EMPTY.remedy),)
    if problems or found is None:
        raise ConfigError(tuple(sorted(problems, key=lambda found: (found.line, found.column))))
    return _moved(_config(found, text, file))


def _moved(config: Config) -> Config:
    """Return a copy, made while the nodes of the file still stand.

    What was read lies scattered among the nodes, and would keep all their memory from the system.
    """
    copy: Config = pickle.loads(pickle.dumps(config))  # noqa: S301, our own bytes
    return copy


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Spare the cyclic collector a million new nodes: five times faster for 100,000 sources."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _text(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        remedy = "Create it, or name another with --config FILE or AGGREGATOR_CONFIG."
        raise ConfigError((_at(path, "there is no such file", remedy),)) from None
    except OSError as error:
        what = f"the file can't be read: {error.strerror or error}"
        raise ConfigError((_at(path, what, "It must be a file you may read."),)) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        problem = Problem(
            file=path,
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
            what=f"the file is not UTF-8: byte 0x{data[error.start]:02x} can't stand here",
            remedy="Save it as UTF-8 in your editor.",
        )
        raise ConfigError((problem,)) from None


def _at(file: str, what: str, remedy: str) -> Problem:
    return Problem(file=file, line=1, column=1, what=what, remedy=remedy)


def _check_bounds(found: Found | None, reading: Reading) -> None:
    defaults = found and found.values.get("defaults")
    if not defaults:
        return
    minimum = defaults.values.get("min_interval", Defaults().minimum)
    maximum = defaults.values.get("max_interval", Defaults().maximum)
    if minimum > maximum:
        node = defaults.nodes.get("min_interval") or defaults.nodes["max_interval"]
        reading.note(
            node,
            "min_interval is longer than max_interval",
            "The time between two polls lies between them; they are 5m and 24h by default.",
        )


def _check_rules(found: Found | None, reading: Reading) -> None:
    places = (*found.values.get("sections", ()), *found.values.get("sources", ())) if found else ()
    for rule in (rule for place in places for rule in place.values.get("rules", ())):
        if rule.nodes.keys() == {"when"}:
            reading.note(
                rule.node, "a rule that does nothing", "Add category, section or priority to it."
            )


def _check_auth(root: yaml.Node, found: Found | None, reading: Reading) -> None:
    auth = found and found.values.get("auth")
    if auth and auth.values.get("protect") == "site" and not {"password", "token"} & {*auth.nodes}:
        reading.note(
            found.nodes.get("auth", root) if found else root,
            "auth names neither a password nor a token, so nobody could sign in",
            "Run `aggregator password` and copy the line that it prints, or write a token.",
        )


def _config(found: Found, text: str, file: str) -> Config:
    values = found.values
    network = _values(found, "network")
    return Config(
        path=file,
        site=_site(_values(found, "site")),
        storage=_values(found, "storage").get("path", STORAGE_PATH),
        allow=network.get("allow", ()),
        proxy=network.get("proxy", ""),
        auth=Auth(**_values(found, "auth")),
        websub=WebSub(**_values(found, "websub")),
        media=Media(**_values(found, "media")),
        cluster=_values(found, "cluster").get("address", ""),
        defaults=_defaults(_values(found, "defaults")),
        sections=tuple(Section(**_ruled(section)) for section in values.get("sections", ())),
        sources=tuple(_source(source, text) for source in values.get("sources", ())),
        views=tuple(View(**_ruled(view)) for view in values.get("views", ())),
    )


def _values(found: Found, key: str) -> dict[str, Any]:
    block = found.values.get(key)
    return dict(block.values) if block else {}


def _site(values: dict[str, Any]) -> Site:
    zones = values.pop("timezones", ())
    return Site(**values, zones=tuple(_zone(zone) for zone in zones))


def _zone(zone: str | Found) -> Zone:
    values = {"zone": zone} if isinstance(zone, str) else zone.values
    name = values["zone"]
    return Zone(name=name, label=values.get("label", name.rpartition("/")[2].replace("_", " ")))


def _defaults(values: dict[str, Any]) -> Defaults:
    names = {"every": "every", "min_interval": "minimum", "max_interval": "maximum", "keep": "keep"}
    intervals = {field: values[key] for key, field in names.items() if key in values}
    limits = dict(values["limits"].values) if "limits" in values else {}
    for name in {"connect", "idle", "total", "parse"} & limits.keys():
        limits[name] = limits[name].total_seconds()
    per_host = values["per_host"].values if "per_host" in values else {}
    return Defaults(**intervals, limits=Limits(**limits), per_host=PerHost(**per_host))


def _source(found: Found, text: str) -> Source:
    values = _ruled(found)
    sections = tuple(dict.fromkeys(values.pop("sections", ())))
    scope = values.pop("retry_after", "host")
    return Source(
        **values,
        sections=sections,
        retry_after_scope=scope,
        line=found.node.start_mark.line + 1,
        yaml=_excerpt(found, text),
    )


def _ruled(found: Found) -> dict[str, Any]:
    """Give the values of what may have rules, the rules as one tuple."""
    values = dict(found.values)
    rules = [
        Rule(action=action, field=field, pattern=pattern)
        for action in ("keep", "drop")
        for rule in values.pop(action, ())
        for field, pattern in rule.values.items()
    ]
    for rule in values.pop("rules", ()):
        done = dict(rule.values)
        for field, pattern in (done.pop("when").values if "when" in done else {}).items():
            rules += [
                Rule(action=action, field=field, pattern=pattern, value=str(value))
                for action, value in done.items()
                if value
            ]
    return values | {"rules": tuple(rules)}


def _excerpt(found: Found, text: str) -> str:
    """Give the text that defines a source, header values, passwords and comment lines left out.

    A comment may well hold a header that was tried out.
    """
    start, end = found.node.start_mark.index, tree.end_of(found.node, text)
    excerpt = text[start:end]
    headers = found.nodes.get("headers")
    if isinstance(headers, yaml.MappingNode):
        for _, value in reversed(headers.value):
            begin, after = value.start_mark.index - start, tree.end_of(value, text) - start
            if 0 <= begin < len(excerpt):  # an alias may stand elsewhere
                rest = excerpt[after:]
                if excerpt[after - 1] == "\n":  # a block of lines
                    rest = f"\n{rest}"
                elif not headers.flow_style:  # without a comment, which may hold the last secret
                    rest = rest[rest.find("\n") :] if "\n" in rest else ""
                excerpt = f"{excerpt[:begin]}***{rest}"
    excerpt = re.sub(r"//[^/?#\s'\"]*@", "//***@", excerpt)
    indent = " " * found.node.start_mark.column
    lines = (line.removeprefix(indent).rstrip() for line in excerpt.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
