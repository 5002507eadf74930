"""Add corrections of stories to the text of a configuration file without changing other bytes."""

from typing import Any

import yaml

from aggregator.config import tree
from aggregator.errors import ConfigError, Problem

Pair = tuple[str, str]


def add(text: str, kind: str, pair: Pair, file: str = "sources.yaml") -> str:
    """Return the text with a pair of entries in `stories.apart` or `stories.together`.

    Args:
        kind: `apart` or `together`.
        pair: Ids or links of two entries.

    Raises:
        ConfigError: The text is not YAML, or `stories` has a form that can't be extended; shows the
            lines to add by hand.
    """
    if text.startswith("\ufeff"):  # a byte order mark shifts the indexes of nodes
        return f"\ufeff{add(text[1:], kind, pair, file)}"
    document = tree.parse(text, file)
    if document.problems:
        raise ConfigError(document.problems)
    edited = _insert(text, document.root, kind, f"[{', '.join(map(_scalar, pair))}]")
    if edited is None or not _has_only(text, edited, kind, pair):
        raise ConfigError((_by_hand(document.root, kind, pair, file),))
    return edited


def _insert(text: str, root: yaml.Node | None, kind: str, item: str) -> str | None:
    """Return the text with the item, None for a form that can't be extended."""
    if root is None:
        return _line(text, len(text), f"stories:\n  {kind}:\n    - {item}")
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    block = _value(root, "stories")
    if block is None:
        return _line(text, len(text), f"\nstories:\n  {kind}:\n    - {item}")
    if not isinstance(block, yaml.MappingNode) or not block.value:
        return None
    pairs = _value(block, kind)
    if pairs is None:
        end = tree.end_of(block.value[-1][1], text)
        if block.flow_style:
            return f"{text[:end]}, {kind}: [{item}]{text[end:]}"
        margin = " " * block.start_mark.column
        return _line(text, end, f"{margin}{kind}:\n{margin}  - {item}")
    if not isinstance(pairs, yaml.SequenceNode) or not pairs.value:
        return None
    end = tree.end_of(pairs.value[-1], text)
    if pairs.flow_style:
        return f"{text[:end]}, {item}{text[end:]}"
    return _line(text, end, f"{' ' * pairs.start_mark.column}- {item}")


def _value(block: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in block.value if key.value == name), None)


def _line(text: str, at: int, lines: str) -> str:
    """Insert whole lines after the line of a place, with the line breaks of the text."""
    is_within = at < len(text) and text[at - 1] != "\n"
    end = (text.find("\n", at) + 1 or len(text)) if is_within else at
    before = text[:end]
    gap = "\n" if before and not before.endswith("\n") else ""
    added = f"{gap}{lines}\n"
    return before + (added.replace("\n", "\r\n") if "\r\n" in text else added) + text[end:]


def _scalar(value: str) -> str:
    """Return a value as YAML in a flow: an id as a number, a link in quotes."""
    if value.isascii() and value.isdecimal():
        return value
    return "'" + value.replace("'", "''").replace("${", "$${") + "'"


def _has_only(text: str, edited: str, kind: str, pair: Pair) -> bool:
    """Whether a text means the same as before, with the pair."""
    try:
        expected: Any = yaml.load(text, Loader=tree.Loader) or {}  # noqa: S506, a safe loader
        found: Any = yaml.load(edited, Loader=tree.Loader)  # noqa: S506
        stories = expected.setdefault("stories", {})
        values = yaml.load(f"[{', '.join(map(_scalar, pair))}]", Loader=tree.Loader)  # noqa: S506
        stories[kind] = [*(stories.get(kind) or ()), values]
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return bool(found == expected)


def _by_hand(root: yaml.Node | None, kind: str, pair: Pair, file: str) -> Problem:
    return Problem(
        file=file,
        line=root.start_mark.line + 1 if root else 1,
        column=root.start_mark.column + 1 if root else 1,
        message="stories has a form that can't be extended automatically",
        remedy=f"Add this pair to stories.{kind} by hand: [{', '.join(map(_scalar, pair))}]",
    )
