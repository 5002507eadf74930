"""General value types: each parses a YAML node, describes itself and has a JSON Schema.

A mistake is added to the `Validator` and parses as None, so that one pass finds all mistakes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import yaml

from aggregator.config.validation import InvalidValue, Validator, describe

Schema = dict[str, Any]


def pattern_schema(pattern: str) -> Schema:
    """Return the schema of strings that match the pattern or contain a `${NAME}`."""
    return {"type": "string", "pattern": rf"{pattern}|\$\{{"}


@dataclass(kw_only=True, eq=False, repr=False)
class Kind:
    """A type of value.

    Types are neither compared nor shown, and classes without methods for that are made faster.

    Args:
        expected: Completes "must be …"; also shown in the reference.
        remedy: A full sentence that says how to write the value.
    """

    expected: str
    remedy: str

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> Any:
        """Return the value of the node, or None after adding a problem to the validator."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Return the JSON Schema of the values."""
        raise NotImplementedError


@dataclass(kw_only=True, eq=False, repr=False)
class Text(Kind):
    """Text; the base of all types that are written as one scalar.

    Args:
        pattern: Regular expression that the whole text must match.
        declares: The noun, such as "section", among which the text must be unique.
        refers_to: The noun of which the text must be an id.
        secret: Whether messages must not show the value.
        is_blank_allowed: Whether the text may be empty.
    """

    expected: str = "text"
    remedy: str = "Write text, in quotes if YAML takes it for a number, a date, yes or no."
    pattern: str = ""
    longest: int = 2_000
    declares: str = ""
    refers_to: str = ""
    secret: bool = False
    is_blank_allowed: bool = False
    tags: Collection[str] = ("str",)

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> Any:
        """Check the type, substitute environment variables, convert."""
        text = validator.scalar(node, key, self.expected, self.remedy, self.tags, self.secret)
        if text is None:
            return None
        if self.declares:
            validator.declare(self.declares, key, self.identity(text), node)
        try:
            value = self.convert(text)
        except InvalidValue as invalid:
            message, remedy = invalid.message, invalid.remedy
            if validator.has_variable(node):  # messages must not show values of the environment
                message, remedy = f"is not {self.expected}, with the environment's value", ""
            written = "" if self.secret else f" {describe(node)}"
            validator.add_problem(node, f"{key}:{written} {message}", remedy or self.remedy)
            return None
        if self.refers_to:
            validator.add_reference(self.refers_to, text, node)
        return value

    def convert(self, text: str) -> Any:
        """Return the value; raises InvalidValue."""
        if not text.strip() and not self.is_blank_allowed:
            raise InvalidValue("is empty")
        if len(text) > self.longest:
            raise InvalidValue(f"is longer than {self.longest} characters", "Shorten it.")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise InvalidValue(f"is not {self.expected}")
        return text

    def identity(self, text: str) -> str:
        """Return the form of the text that must be unique."""
        return text

    def schema(self) -> Schema:
        """Return the schema of strings."""
        return pattern_schema(f"^({self.pattern})$") if self.pattern else {"type": "string"}


@dataclass(kw_only=True, eq=False, repr=False)
class Choice(Text):
    """One of a few fixed values."""

    expected: str = ""
    remedy: str = ""
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Derive `expected` and `remedy` from the values."""
        self.expected = " or ".join(self.values)
        self.remedy = f"Write {self.expected}."

    def convert(self, text: str) -> str:
        """Check that the text is one of the values."""
        if text not in self.values:
            raise InvalidValue(f"is not {self.expected}")
        return text

    def schema(self) -> Schema:
        """Return the schema of the values."""
        return {"enum": list(self.values)}


@dataclass(kw_only=True, eq=False, repr=False)
class Boolean(Text):
    """True or false; text only if it comes from an environment variable."""

    expected: str = "true or false"
    remedy: str = "Write true or false, without quotes."
    tags: Collection[str] = ("bool",)

    def convert(self, text: str) -> bool:
        """Accept the booleans of YAML 1.1."""
        if text.lower() not in {"true", "false", "yes", "no", "on", "off"}:
            raise InvalidValue(f"is not {self.expected}")
        return text.lower() in {"true", "yes", "on"}

    def schema(self) -> Schema:
        """Return the schema of booleans."""
        return {"type": "boolean"}


@dataclass(kw_only=True, eq=False, repr=False)
class Integer(Text):
    """A whole number within bounds."""

    expected: str = "a whole number"
    remedy: str = ""
    tags: Collection[str] = ("int",)
    least: int
    most: int

    def __post_init__(self) -> None:
        """Derive `remedy` from the bounds."""
        self.remedy = f"Write a number from {self.least} to {self.most}."

    def convert(self, text: str) -> int:
        """Accept decimal digits only; YAML 1.1 reads 1:30 as 90 and 010 as 8."""
        if not re.fullmatch("0|[1-9][0-9]{0,11}", text):
            raise InvalidValue(f"is not {self.expected}")
        if not self.least <= int(text) <= self.most:
            raise InvalidValue("is out of bounds")
        return int(text)

    def schema(self) -> Schema:
        """Return the schema with the bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(kw_only=True, eq=False, repr=False)
class ListOf(Kind):
    """A list; null counts as an empty list, so that all items can be commented out."""

    expected: str = "a list"
    remedy: str = ""
    item: Kind

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> tuple[Any, ...]:
        """Return the valid items."""
        if validator.is_null(node) or not validator.enter(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            remedy = self.remedy or f"Write {key}: [{getattr(node, 'value', '…')}]."
            remedy = remedy if isinstance(node, yaml.ScalarNode) else "Begin each item with a dash."
            validator.add_problem(
                node, f"{key} must be {self.expected}, not {describe(node)}", remedy
            )
            return ()
        values = (self.item.parse(item, key, validator) for item in node.value)
        return tuple(value for value in values if value is not None)

    def schema(self) -> Schema:
        """Return the schema of an array or null."""
        return {"type": ["array", "null"], "items": self.item.schema()}


@dataclass(kw_only=True, eq=False, repr=False)
class Pair(Kind):
    """A list of two values of one type."""

    item: Text

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> tuple[Any, Any] | None:
        """Return both values."""
        if not validator.enter(node):
            return None
        items = node.value if isinstance(node, yaml.SequenceNode) else []
        if len(items) != 2:
            validator.add_problem(
                node, f"{key} must be {self.expected}, not {describe(node)}", self.remedy
            )
            return None
        first, second = (self.item.parse(item, key, validator) for item in items)
        return None if first is None or second is None else (first, second)

    def schema(self) -> Schema:
        """Return the schema of an array of two."""
        return {"type": "array", "items": self.item.schema(), "minItems": 2, "maxItems": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a block.

    Args:
        default: The default as written in YAML, for the reference.
        example: Lines of YAML, including the key's name.
        old_name: A former name, which stays valid.
    """

    name: str
    kind: Kind
    help: str
    default: str = ""
    example: str = ""
    required: bool = False
    old_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockValue:
    """The parsed content of a block: values and nodes by key, without invalid values."""

    node: yaml.Node = field(repr=False)
    values: Mapping[str, Any]
    nodes: Mapping[str, yaml.Node] = field(repr=False)


@dataclass(kw_only=True, eq=False, repr=False)
class Block(Kind):
    """A mapping with known keys.

    Args:
        noun: Name of the block with its article, for messages.
        single: Whether it must have exactly one key.
    """

    expected: str = "a mapping"
    remedy: str = ""
    noun: str
    keys: tuple[Key, ...]
    single: bool = False
    by_name: Mapping[str, Key] = field(init=False)

    def __post_init__(self) -> None:
        """Index the keys by name and old name."""
        by_name = {key.old_name: key for key in self.keys if key.old_name}
        by_name |= {key.name: key for key in self.keys}
        self.by_name = MappingProxyType(by_name)

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> BlockValue | None:
        """Parse every key; report unknown, repeated and missing ones."""
        if not validator.enter(node):
            return None
        pairs = self._pairs(node, validator)
        if pairs is None:
            return None
        nodes: dict[str, yaml.Node] = {}
        values: dict[str, Any] = {}
        for name_node, value_node in pairs:
            known = self._known(name_node, nodes, validator)
            if known is None:
                continue
            nodes[known.name] = value_node
            value = known.kind.parse(value_node, known.name, validator)
            if value is not None:
                values[known.name] = value
        if self.single and len(pairs) != 1:
            allowed = ", ".join(key.name for key in self.keys)
            validator.add_problem(
                node, f"{self.noun} must hold one key", f"Write one of {allowed}."
            )
        self._check_missing(node, nodes, validator)
        return BlockValue(node=node, values=values, nodes=nodes)

    def schema(self) -> Schema:
        """Return the schema: no unknown keys; null counts as {} if no key is required."""
        required = [key.name for key in self.keys if key.required]
        schema: Schema = {
            "type": "object" if required or self.single else ["object", "null"],
            "properties": {key.name: _schema_of(key) for key in self.keys}
            | {
                key.old_name: _schema_of(key) | {"deprecated": True}
                for key in self.keys
                if key.old_name
            },
            "additionalProperties": False,
        }
        if required:
            schema["required"] = required
        if self.single:
            schema |= {"minProperties": 1, "maxProperties": 1}
        return schema

    def _pairs(
        self, node: yaml.Node, validator: Validator
    ) -> list[tuple[yaml.Node, yaml.Node]] | None:
        if validator.is_null(node):
            return []
        if isinstance(node, yaml.MappingNode):
            return list(node.value)
        validator.add_problem(
            node,
            f"{self.noun} must be {self.expected}, not {describe(node)}",
            f"Write keys with values, such as {self.keys[0].example.splitlines()[0]}",
        )
        return None

    def _known(
        self, node: yaml.Node, before: Mapping[str, yaml.Node], validator: Validator
    ) -> Key | None:
        name = node.value if isinstance(node, yaml.ScalarNode) else ""
        known = self.by_name.get(name)
        if known is None:
            near = get_close_matches(str(name), self.by_name, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            merge = "Merge keys are not supported; write the keys out. " if name == "<<" else ""
            validator.add_problem(
                node,
                f'unknown key "{name}" in {self.noun}' if name else f"{describe(node)} as a key",
                f"{merge}{hint}The keys here are {', '.join(key.name for key in self.keys)}.",
            )
        elif known.name in before:
            line = before[known.name].start_mark.line + 1
            old = f" ({known.old_name} is its old name)" if known.old_name else ""
            validator.add_problem(
                node,
                f"{known.name} appears twice in {self.noun}{old}",
                f"Keep one; the first is on line {line}.",
            )
            return None
        return known

    def _check_missing(
        self, node: yaml.Node, nodes: Mapping[str, yaml.Node], validator: Validator
    ) -> None:
        for key in self.keys:
            if key.required and key.name not in nodes:
                example = key.example.splitlines()[0]
                validator.add_problem(
                    node, f"{self.noun} without {key.name}", f"Add it, such as {example}"
                )


def _schema_of(key: Key) -> Schema:
    schema = key.kind.schema() | {"description": key.help.replace("`", "")}
    return schema | ({"default": yaml.safe_load(key.default)} if key.default else {})


@dataclass(kw_only=True, eq=False, repr=False)
class Either(Kind):
    """A scalar or a block."""

    scalar: Kind
    block: Block

    def parse(self, node: yaml.Node, key: str, validator: Validator) -> Any:
        """Parse the node with the type that fits it."""
        kind = self.scalar if isinstance(node, yaml.ScalarNode) else self.block
        return kind.parse(node, key, validator)

    def schema(self) -> Schema:
        """Return both schemas as alternatives."""
        return {"anyOf": [self.scalar.schema(), self.block.schema()]}
