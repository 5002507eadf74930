"""Add sources and sections to the text of a configuration file without changing other bytes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, assert_never

import yaml

from aggregator.config import tree
from aggregator.config.validation import VARIABLE
from aggregator.errors import ConfigError, Problem
from aggregator.models import query
from aggregator.models.config import Section, Source
from aggregator.models.listing import JsonListing, Listing, PageListing, SitemapListing

_COMMENT = re.compile(r"[ \t]+#")
_BLANK_LINE_ABOVE = re.compile(r"\n[ \t\r]*\n\Z")
_NOTHING = re.compile(r"\s*(\[\s*\]|~|null|Null|NULL)?")
_INDENT = 2

Item = dict[str, Any]
"""The keys of an item of a list, as they are written."""


def append(
    text: str,
    sources: Sequence[Source],
    file: str = "sources.yaml",
    *,
    sections: Sequence[Section] = (),
) -> str:
    """Return the text with items appended to its lists, which are created if missing.

    Writes id, url, title, sections, listing, every and enabled of sources, id and title of
    sections, in the style of the list's last item.

    Raises:
        ConfigError: The text is not YAML, or a list has an unsupported form; shows the lines to add
            by hand.
    """
    if text.startswith("\ufeff"):  # a byte order mark shifts the indexes of nodes
        return f"\ufeff{append(text[1:], sources, file, sections=sections)}"
    text = _append(text, "sections", [_section_values(section) for section in sections], file)
    return _append(text, "sources", [_values(source) for source in sources], file)


def extend_sections(
    text: str, additions: Mapping[str, Sequence[str]], file: str = "sources.yaml"
) -> str:
    """Return the text with sections added to sources, in the style of their `sections`.

    Args:
        text: The text of the file.
        additions: New section ids by source id.
        file: Its name, for the error.

    Raises:
        ConfigError: The text is not YAML, or a source has an unsupported form; names the sections
            to add by hand.
    """
    if text.startswith("\ufeff"):
        return f"\ufeff{extend_sections(text[1:], additions, file)}"
    document = tree.parse(text, file)
    if document.problems:
        raise ConfigError(document.problems)
    nodes = {_id(node): node for node in reversed(_list(document.root, "sources"))}
    edited = text
    # From the end, so that the indexes of the others stay right.
    for id in sorted(additions, key=lambda id: -nodes[id].start_mark.index):
        try:
            edited = _with_sections(edited, nodes[id], additions[id])
        except _UnsupportedForm:
            raise ConfigError((_sections_problem(nodes[id], id, additions[id], file),)) from None
    if not _has_only(text, edited, additions):
        first = next(iter(additions))
        raise ConfigError((_sections_problem(nodes[first], first, additions[first], file),))
    return edited


def _with_sections(text: str, source: yaml.Node, added: Sequence[str]) -> str:
    if not isinstance(source, yaml.MappingNode):
        raise _UnsupportedForm
    pair = next((pair for pair in source.value if pair[0].value == "sections"), None)
    if pair is None:
        return _with_new_sections(text, source, added)
    key, value = pair
    if value.start_mark.index < key.start_mark.index:
        raise _UnsupportedForm  # an alias: the list is elsewhere
    if isinstance(value, yaml.SequenceNode) and value.value:
        last = value.value[-1]
        if last.start_mark.index < value.start_mark.index:
            raise _UnsupportedForm
        end = tree.end_of(last, text)
        if value.flow_style:
            return text[:end] + "".join(f", {id}" for id in added) + text[end:]
        margin = " " * value.start_mark.column
        lines = "".join(f"{margin}- {id}\n" for id in added)
        return _splice(text, _line_end(text, end), lines)
    if not (isinstance(value, yaml.SequenceNode) or value.tag.endswith(":null")):
        raise _UnsupportedForm
    colon = text.index(":", key.end_mark.index) + 1
    end = (
        max(value.end_mark.index, colon) if value.end_mark.index > value.start_mark.index else colon
    )
    if not _NOTHING.fullmatch(text[colon:end]):
        raise _UnsupportedForm
    return f"{text[:colon]} {_flow(added)}{text[end:]}"


def _with_new_sections(text: str, source: yaml.MappingNode, added: Sequence[str]) -> str:
    """Add the key `sections` as the last one."""
    end = tree.end_of(source.value[-1][1], text)
    if source.flow_style:
        return f"{text[:end]}, sections: {_flow(added)}{text[end:]}"
    line = f"{' ' * source.start_mark.column}sections: {_flow(added)}\n"
    return _splice(text, _line_end(text, end), line)


def _flow(ids: Sequence[str]) -> str:
    return f"[{', '.join(ids)}]"


def _has_only(text: str, edited: str, additions: Mapping[str, Sequence[str]]) -> bool:
    """Whether a text means the same as before, with the additions."""
    try:
        expected = yaml.load(text, Loader=tree.Loader)  # noqa: S506, it is a safe loader
        for source in expected["sources"]:
            if added := additions.get(str(source["id"])):
                source["sections"] = [*(source.get("sections") or ()), *added]
        found = yaml.load(edited, Loader=tree.Loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, LookupError, TypeError):
        return False
    return bool(found == expected)


def _sections_problem(
    source: yaml.Node, source_id: str, added: Sequence[str], file: str
) -> Problem:
    return Problem(
        file=file,
        line=source.start_mark.line + 1,
        column=source.start_mark.column + 1,
        message=f"the source {source_id} has a form that can't be extended automatically",
        remedy=f"Add these to its sections by hand: {', '.join(added)}",
    )


def _append(text: str, name: str, added: Sequence[Item], file: str) -> str:
    document = tree.parse(text, file)
    if document.problems:
        raise ConfigError(document.problems)
    if not added:
        return text
    expected = _ids(document.root, name) + [str(item["id"]) for item in added]
    try:
        edited = _insert(text, document.root, name, added)
        correct = _ids(tree.compose(edited), name) == expected
    except (yaml.YAMLError, _UnsupportedForm):
        edited, correct = text, False
    if not correct:
        raise ConfigError((_manual_problem(document.root, name, added, file),))
    return edited


def _item_yaml(values: Item, *, flow: bool = False) -> str:
    """Return a list item, `- id: …`, without indentation."""
    if flow:
        return f"- {_dump(values, flow=True)}"
    lines = [line for key, value in values.items() for line in _dump({key: value}).split("\n")]
    return "- " + "\n  ".join(lines)


class _UnsupportedForm(Exception):
    """The list is written in a form that this module can't extend."""


def _section_values(section: Section) -> Item:
    return {"id": section.id, "title": _escaped(" ".join(section.title.split()))}


def _values(source: Source) -> Item:
    values: Item = {"id": source.id, "url": _escaped(source.url)}
    title = _escaped(" ".join(source.title.split()))
    if title:
        values["title"] = title
    if source.sections:
        values["sections"] = list(source.sections)
    values |= listing_values(source.listing)
    if source.every is not None:
        values["every"] = query.render_duration(source.every)
    if not source.enabled:
        values["enabled"] = False
    return values


def listing_values(listing: Listing | None) -> Item:
    """Return the key of a source with a listing, without values that are the default."""
    match listing:
        case None:
            return {}
        case SitemapListing():
            return {"sitemap": True}
        case PageListing() | JsonListing():
            key = "page" if isinstance(listing, PageListing) else "json"
            given = {
                each.name: value
                for each in fields(listing)
                if (value := getattr(listing, each.name)) != each.default
            }
            return {
                key: {
                    name: _escaped(value) if isinstance(value, str) else value
                    for name, value in given.items()
                }
            }
        case _:
            assert_never(listing)


def render_source(source: Source) -> str:
    """Return a source as an item of the list in a configuration file."""
    return _item_yaml(_values(source))


def _escaped(text: str) -> str:
    return VARIABLE.sub(r"$\g<0>", text)


def _dump(values: Item, *, flow: bool = False) -> str:
    nested = any(isinstance(value, list) for value in values.values())
    style = True if flow else None if nested else False
    return yaml.safe_dump(
        values, allow_unicode=True, default_flow_style=style, sort_keys=False, width=2**31
    ).rstrip("\n")


def _insert(text: str, root: yaml.Node | None, name: str, added: Sequence[Item]) -> str:
    if root is None:
        return _splice(text, len(text), f"{name}:\n{_items(added)}")
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _UnsupportedForm
    pair = next((pair for pair in root.value if pair[0].value == name), None)
    if pair is None:
        return _splice(text, len(text), f"\n{name}:\n{_items(added)}")
    key, value = pair
    if value.start_mark.index < key.start_mark.index:
        raise _UnsupportedForm  # an alias: the list is elsewhere
    if isinstance(value, yaml.SequenceNode) and value.value:
        return _after_last(text, key, value, added)
    if isinstance(value, yaml.SequenceNode) or value.tag.endswith(":null"):
        return _in_place(text, key, value, added)
    raise _UnsupportedForm


def _in_place(text: str, key: yaml.Node, value: yaml.Node, added: Sequence[Item]) -> str:
    """Replace an empty value, null or [] with items; a comment after it stays."""
    colon = text.index(":", key.end_mark.index) + 1
    end = value.end_mark.index if value.end_mark.index > value.start_mark.index else colon
    if not _NOTHING.fullmatch(text[colon:end]):
        raise _UnsupportedForm  # an anchor or a comment between the key and its value
    at = _after_comments(text, _line_end(text, end), key.start_mark.column)
    return _splice(text[:colon] + text[end:], at - end + colon, _items(added))


def _after_last(text: str, key: yaml.Node, value: yaml.SequenceNode, added: Sequence[Item]) -> str:
    last = value.value[-1]
    if last.start_mark.index < value.start_mark.index:
        raise _UnsupportedForm  # an alias: the item is elsewhere
    end = tree.end_of(last, text)
    if value.flow_style:
        items = "".join(f", {_item_yaml(item, flow=True)[2:]}" for item in added)
        return text[:end] + items + text[end:]
    above = text[: text.rfind("\n", 0, last.start_mark.index) + 1]
    items = _items(
        added,
        indent=value.start_mark.column,
        flow=bool(getattr(last, "flow_style", False)),
        apart=len(value.value) > 1 and bool(_BLANK_LINE_ABOVE.search(above)),
    )
    return _splice(text, _after_comments(text, _line_end(text, end), key.start_mark.column), items)


def _items(
    added: Sequence[Item], *, indent: int = _INDENT, flow: bool = False, apart: bool = False
) -> str:
    """Return whole lines; `apart` adds an empty line before each item."""
    margin = " " * indent
    lines = ""
    for item in added:
        lines += "\n" if apart else ""
        for line in _item_yaml(item, flow=flow).split("\n"):
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


def _ids(root: yaml.Node | None, name: str) -> list[str]:
    return [_id(item) for item in _list(root, name)]


def _list(root: yaml.Node | None, name: str) -> list[yaml.Node]:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    lists = [value for key, value in pairs if key.value == name]
    return lists[0].value if lists and isinstance(lists[0], yaml.SequenceNode) else []


def _id(item: yaml.Node) -> str:
    pairs = item.value if isinstance(item, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == "id"), "")


def _manual_problem(root: yaml.Node | None, name: str, added: Sequence[Item], file: str) -> Problem:
    lines = "\n".join(_item_yaml(item) for item in added)
    return Problem(
        file=file,
        line=root.start_mark.line + 1 if root else 1,
        column=root.start_mark.column + 1 if root else 1,
        message=f"{name} has a form that can't be extended automatically",
        remedy=f"Add these lines to it by hand:\n{lines}",
    )
