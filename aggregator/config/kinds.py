"""The forms of a value: each reads a node, explains itself and gives its JSON Schema.

A mistake is noted in the `Reading` and read as None; reading goes on, so that all are found.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import yaml

from aggregator.config.reading import Reading, Unfit, shown

Schema = dict[str, Any]


def matching(pattern: str) -> Schema:
    """Give the schema of strings that match, or take what they need from the environment."""
    return {"type": "string", "pattern": rf"{pattern}|\$\{{"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of value.

    Args:
        words: Completes "must be …" and heads the column of the reference.
        remedy: A whole sentence: what to write.
    """

    words: str
    remedy: str

    def read(self, node: yaml.Node, key: str, reading: Reading) -> Any:
        """Give the value of the node, or None after noting what is wrong with it."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Give the JSON Schema of the values."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Kind):
    """Text, and the base of all that is written as one scalar.

    Args:
        pattern: What all of it must match.
        declares: The noun of which no two may have it, such as "section".
        refers: The noun of which it must be an id.
        secret: Whether it may never be shown.
    """

    words: str = "text"
    remedy: str = "Write text, in quotes if YAML takes it for a number, a date, yes or no."
    pattern: str = ""
    longest: int = 2_000
    declares: str = ""
    refers: str = ""
    secret: bool = False
    tags: Collection[str] = ("str",)

    def read(self, node: yaml.Node, key: str, reading: Reading) -> Any:
        """Check the type, put in the environment, convert."""
        text = reading.scalar(node, key, self.words, self.remedy, self.tags, self.secret)
        if text is None:
            return None
        if self.declares:
            reading.declare(self.declares, key, self.identity(text), node)
        try:
            value = self.convert(text)
        except Unfit as unfit:
            what, remedy = unfit.what, unfit.remedy
            if reading.is_filled(node):  # what the environment holds is not for messages
                what, remedy = f"is not {self.words}, with what the environment holds", ""
            written = "" if self.secret else f" {shown(node)}"
            reading.note(node, f"{key}:{written} {what}", remedy or self.remedy)
            return None
        if self.refers:
            reading.refer(self.refers, text, node)
        return value

    def convert(self, text: str) -> Any:
        """Give the value; raise Unfit with what is wrong."""
        if not text.strip():
            raise Unfit("is empty")
        if len(text) > self.longest:
            raise Unfit(f"is longer than {self.longest} characters", "Shorten it.")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise Unfit(f"is not {self.words}")
        return text

    def identity(self, text: str) -> str:
        """Give what must differ from that of all others."""
        return text

    def schema(self) -> Schema:
        """Give the schema of strings."""
        return matching(f"^({self.pattern})$") if self.pattern else {"type": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Text):
    """One of a few words."""

    words: str = ""
    remedy: str = ""
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Derive the words from the values."""
        object.__setattr__(self, "words", " or ".join(self.values))
        object.__setattr__(self, "remedy", f"Write {self.words}.")

    def convert(self, text: str) -> str:
        """Give one of the values."""
        if text not in self.values:
            raise Unfit(f"is not {self.words}")
        return text

    def schema(self) -> Schema:
        """Give the schema of these words."""
        return {"enum": list(self.values)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Text):
    """True or false; only an environment variable gives it as text."""

    words: str = "true or false"
    remedy: str = "Write true or false, without quotes."
    tags: Collection[str] = ("bool",)

    def convert(self, text: str) -> bool:
        """Take YAML's own words."""
        if text.lower() not in {"true", "false", "yes", "no", "on", "off"}:
            raise Unfit(f"is not {self.words}")
        return text.lower() in {"true", "yes", "on"}

    def schema(self) -> Schema:
        """Give the schema of booleans."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Text):
    """A whole number within bounds."""

    words: str = "a whole number"
    remedy: str = ""
    tags: Collection[str] = ("int",)
    least: int
    most: int

    def __post_init__(self) -> None:
        """Derive the remedy from the bounds."""
        object.__setattr__(self, "remedy", f"Write a number from {self.least} to {self.most}.")

    def convert(self, text: str) -> int:
        """Take decimal digits only; YAML 1.1 would read 1:30 as 90 and 010 as 8."""
        if not re.fullmatch("0|[1-9][0-9]{0,11}", text):
            raise Unfit(f"is not {self.words}")
        if not self.least <= int(text) <= self.most:
            raise Unfit("is out of bounds")
        return int(text)

    def schema(self) -> Schema:
        """Give the schema with the bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Kind):
    """A list; nothing at all is an empty one, so that all its items can be commented out."""

    words: str = "a list"
    remedy: str = ""
    item: Kind

    def read(self, node: yaml.Node, key: str, reading: Reading) -> tuple[Any, ...]:
        """Give the values that can be read."""
        if reading.is_null(node) or not reading.enter(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            note = self.remedy or f"Write {key}: [{getattr(node, 'value', '…')}]."
            note = note if isinstance(node, yaml.ScalarNode) else "Begin each item with a dash."
            reading.note(node, f"{key} must be {self.words}, not {shown(node)}", note)
            return ()
        values = (self.item.read(item, key, reading) for item in node.value)
        return tuple(value for value in values if value is not None)

    def schema(self) -> Schema:
        """Give the schema of an array, or nothing."""
        return {"type": ["array", "null"], "items": self.item.schema()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a block.

    Args:
        default: As the reference shows it.
        example: A line or lines of YAML, the key's name included.
    """

    name: str
    kind: Kind
    help: str
    default: str = ""
    example: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a block holds: the values by key, without those that could not be read."""

    node: yaml.Node = field(repr=False)
    values: Mapping[str, Any]
    nodes: Mapping[str, yaml.Node] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Kind):
    """A mapping with known keys.

    Args:
        noun: One of them, with its article, for messages.
        single: Whether exactly one key must stand in it.
    """

    words: str = "a mapping"
    remedy: str = ""
    noun: str
    keys: tuple[Key, ...]
    single: bool = False
    by_name: Mapping[str, Key] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the keys findable."""
        by_name = MappingProxyType({key.name: key for key in self.keys})
        object.__setattr__(self, "by_name", by_name)

    def read(self, node: yaml.Node, key: str, reading: Reading) -> Found | None:
        """Read every key, and note unknown, repeated and missing ones."""
        if not reading.enter(node):
            return None
        pairs = self._pairs(node, reading)
        if pairs is None:
            return None
        nodes: dict[str, yaml.Node] = {}
        values: dict[str, Any] = {}
        for name_node, value_node in pairs:
            known = self._known(name_node, nodes, reading)
            if known is None:
                continue
            nodes[known.name] = value_node
            value = known.kind.read(value_node, known.name, reading)
            if value is not None:
                values[known.name] = value
        if self.single and len(pairs) != 1:
            allowed = ", ".join(self.by_name)
            reading.note(node, f"{self.noun} must hold one key", f"Write one of {allowed}.")
        self._check_missing(node, nodes, reading)
        return Found(node=node, values=values, nodes=nodes)

    def schema(self) -> Schema:
        """Give the schema: no unknown keys; null is as good as {} where nothing is required."""
        required = [key.name for key in self.keys if key.required]
        schema: Schema = {
            "type": "object" if required or self.single else ["object", "null"],
            "properties": {key.name: _schema_of(key) for key in self.keys},
            "additionalProperties": False,
        }
        if required:
            schema["required"] = required
        if self.single:
            schema |= {"minProperties": 1, "maxProperties": 1}
        return schema

    def _pairs(self, node: yaml.Node, reading: Reading) -> list[tuple[yaml.Node, yaml.Node]] | None:
        if reading.is_null(node):
            return []
        if isinstance(node, yaml.MappingNode):
            return list(node.value)
        reading.note(
            node,
            f"{self.noun} must be {self.words}, not {shown(node)}",
            f"Write keys with values, such as {self.keys[0].example.splitlines()[0]}",
        )
        return None

    def _known(
        self, node: yaml.Node, before: Mapping[str, yaml.Node], reading: Reading
    ) -> Key | None:
        name = node.value if isinstance(node, yaml.ScalarNode) else ""
        known = self.by_name.get(name)
        if known is None:
            near = get_close_matches(str(name), self.by_name, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            merge = "Merging is not taken; write the keys out. " if name == "<<" else ""
            reading.note(
                node,
                f'unknown key "{name}" in {self.noun}' if name else f"{shown(node)} as a key",
                f"{merge}{hint}The keys here are {', '.join(self.by_name)}.",
            )
        elif name in before:
            line = before[name].start_mark.line + 1
            reading.note(
                node,
                f"{name} stands twice in {self.noun}",
                f"Keep one; the first is in line {line}.",
            )
            return None
        return known

    def _check_missing(
        self, node: yaml.Node, nodes: Mapping[str, yaml.Node], reading: Reading
    ) -> None:
        for key in self.keys:
            if key.required and key.name not in nodes:
                example = key.example.splitlines()[0]
                reading.note(node, f"{self.noun} without {key.name}", f"Add it, such as {example}")


def _schema_of(key: Key) -> Schema:
    schema = key.kind.schema() | {"description": key.help.replace("`", "")}
    return schema | ({"default": yaml.safe_load(key.default)} if key.default else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Either(Kind):
    """A scalar, or a block in its stead."""

    scalar: Kind
    block: Block

    def read(self, node: yaml.Node, key: str, reading: Reading) -> Any:
        """Read whichever stands there."""
        kind = self.scalar if isinstance(node, yaml.ScalarNode) else self.block
        return kind.read(node, key, reading)

    def schema(self) -> Schema:
        """Give both schemas as alternatives."""
        return {"anyOf": [self.scalar.schema(), self.block.schema()]}
