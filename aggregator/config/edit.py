"""Add sources to the text of a configuration file without changing other bytes."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from aggregator.config import tree
from aggregator.config.validation import VARIABLE
from aggregator.errors import ConfigError, Problem
from aggregator.models import query
from aggregator.models.config import Source

_COMMENT = re.compile(r"[ \t]+#")
_BLANK_LINE_ABOVE = re.compile(r"\n[ \t\r]*\n\Z")
_NOTHING = re.compile(r"\s*(\[\s*\]|~|null|Null|NULL)?")
_INDENT = 2


def append(text: str, sources: Sequence[Source], file: str = "sources.yaml") -> str:
    """Return the text with sources appended to its list `sources`, which is created if missing.

    Writes id, url, title, sections, every and enabled, in the style of the list's last item.

    Raises:
        ConfigError: The text is not YAML, or its list has an unsupported form; shows the lines
            to add by hand.
    """
    if text.startswith("\ufeff"):  # a byte order mark shifts the indexes of nodes
        return f"\ufeff{append(text[1:], sources, file)}"
    document = tree.parse(text, file)
    if document.problems:
        raise ConfigError(document.problems)
    if not sources:
        return text
    expected = _urls(document.root) + [_escaped(source.url) for source in sources]
    try:
        edited = _insert(text, document.root, sources)
        correct = _urls(tree.compose(edited)) == expected
    except (yaml.YAMLError, _UnsupportedForm):
        edited, correct = text, False
    if not correct:
        raise ConfigError((_manual_problem(document.root, sources, file),))
    return edited


def source_yaml(source: Source, *, flow: bool = False) -> str:
    """Return a source as a list item, `- id: …`, without indentation."""
    values = _values(source)
    if flow:
        return f"- {_dump(values, flow=True)}"
    lines = [_dump({key: value}) for key, value in values.items()]
    return "- " + "\n  ".join(lines)


class _UnsupportedForm(Exception):
    """The list is written in a form that this module can't extend."""


def _values(source: Source) -> dict[str, Any]:
    values: dict[str, Any] = {"id": source.id, "url": _escaped(source.url)}
    title = _escaped(" ".join(source.title.split()))
    if title:
        values["title"] = title
    if source.sections:
        values["sections"] = list(source.sections)
    if source.every is not None:
        values["every"] = query.render_duration(source.every)
    if not source.enabled:
        values["enabled"] = False
    return values


def _escaped(text: str) -> str:
    return VARIABLE.sub(r"$\g<0>", text)


def _dump(values: dict[str, Any], *, flow: bool = False) -> str:
    nested = any(isinstance(value, list) for value in values.values())
    style = True if flow else None if nested else False
    return yaml.safe_dump(
        values, allow_unicode=True, default_flow_style=style, sort_keys=False, width=2**31
    ).rstrip("\n")


def _insert(text: str, root: yaml.Node | None, sources: Sequence[Source]) -> str:
    if root is None:
        return _splice(text, len(text), f"sources:\n{_items(sources)}")
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _UnsupportedForm
    pair = next((pair for pair in root.value if pair[0].value == "sources"), None)
    if pair is None:
        return _splice(text, len(text), f"\nsources:\n{_items(sources)}")
    key, value = pair
    if value.start_mark.index < key.start_mark.index:
        raise _UnsupportedForm  # an alias: the list is elsewhere
    if isinstance(value, yaml.SequenceNode) and value.value:
        return _after_last(text, key, value, sources)
    if isinstance(value, yaml.SequenceNode) or value.tag.endswith(":null"):
        return _in_place(text, key, value, sources)
    raise _UnsupportedForm


def _in_place(text: str, key: yaml.Node, value: yaml.Node, sources: Sequence[Source]) -> str:
    """Replace an empty value, null or [] with items; a comment after it stays."""
    colon = text.index(":", key.end_mark.index) + 1
    end = value.end_mark.index if value.end_mark.index > value.start_mark.index else colon
    if not _NOTHING.fullmatch(text[colon:end]):
        raise _UnsupportedForm  # an anchor or a comment between the key and its value
    at = _after_comments(text, _line_end(text, end), key.start_mark.column)
    return _splice(text[:colon] + text[end:], at - end + colon, _items(sources))


def _after_last(
    text: str, key: yaml.Node, value: yaml.SequenceNode, sources: Sequence[Source]
) -> str:
    last = value.value[-1]
    if last.start_mark.index < value.start_mark.index:
        raise _UnsupportedForm  # an alias: the item is elsewhere
    end = tree.end_of(last, text)
    if value.flow_style:
        items = "".join(f", {source_yaml(source, flow=True)[2:]}" for source in sources)
        return text[:end] + items + text[end:]
    above = text[: text.rfind("\n", 0, last.start_mark.index) + 1]
    items = _items(
        sources,
        indent=value.start_mark.column,
        flow=bool(getattr(last, "flow_style", False)),
        apart=len(value.value) > 1 and bool(_BLANK_LINE_ABOVE.search(above)),
    )
    return _splice(text, _after_comments(text, _line_end(text, end), key.start_mark.column), items)


def _items(
    sources: Sequence[Source], *, indent: int = _INDENT, flow: bool = False, apart: bool = False
) -> str:
    """Return whole lines; `apart` adds an empty line before each item."""
    margin = " " * indent
    lines = ""
    for source in sources:
        lines += "\n" if apart else ""
        for line in source_yaml(source, flow=flow).split("\n"):
            lines += f"{margin}{line}\n"
    return lines


def _splice(text: str, at: int, lines: str) -> str:
    """Insert whole lines, with the line breaks of the text."""
    before = text[:at]
    if before and not before.endswith("\n"):
        lines = f"\n{lines}"
    if "\r\n" in text:
        lines = lines.replace("\n", "\r\n")
    return before + lines + text[at:]


def _line_end(text: str, at: int) -> int:
    """Return the index after the line break; the end of a block scalar is already there."""
    return at if text[at - 1] == "\n" else _next_line(text, at)


def _next_line(text: str, at: int) -> int:
    return text.find("\n", at) + 1 or len(text)


def _after_comments(text: str, at: int, column: int) -> int:
    """Skip comment lines that are indented deeper than the key: they belong to the list."""
    comment = _COMMENT.match(text, at)
    while comment and comment.end() - 1 - at > column:
        at = _next_line(text, at)
        comment = _COMMENT.match(text, at)
    return at


def _urls(root: yaml.Node | None) -> list[str]:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    lists = [value for key, value in pairs if key.value == "sources"]
    items = lists[0].value if lists and isinstance(lists[0], yaml.SequenceNode) else []
    return [_url(item) for item in items]


def _url(item: yaml.Node) -> str:
    pairs = item.value if isinstance(item, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == "url"), "")


def _manual_problem(root: yaml.Node | None, sources: Sequence[Source], file: str) -> Problem:
    lines = "\n".join(source_yaml(source) for source in sources)
    return Problem(
        file=file,
        line=root.start_mark.line + 1 if root else 1,
        column=root.start_mark.column + 1 if root else 1,
        message="sources has a form that can't be extended automatically",
        remedy=f"Add these lines to it by hand:\n{lines}",
    )
