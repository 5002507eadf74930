"""Collect problems, declared names and references during one pass over a document."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

import yaml

from aggregator.errors import Problem

MOST_ALIASES = 10_000
"""Most uses of anchored lists and mappings; each use costs as much as a copy."""

_PREFIX = "tag:yaml.org,2002:"
VARIABLE = re.compile(r"\$(\$?)\{([^{}]*)\}")
_USERINFO = re.compile(r"//[^/?#]*@")


class InvalidValue(Exception):
    """A value that its type rejects, with a message and an optional remedy."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def describe(node: yaml.Node) -> str:
    """Describe a node for messages, without secrets from the environment or a URL."""
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    text = (
        _USERINFO.sub("//***@", node.value).partition("?")[0] if "://" in node.value else node.value
    )
    text = text if len(text) <= 60 else f"{text[:59]}…"
    quoted = f'"{text}"'
    prefixes = {"int": "the number ", "float": "the number ", "bool": "the yes-or-no value "}
    if node.tag == f"{_PREFIX}null":
        return "nothing"
    return prefixes.get(node.tag.removeprefix(_PREFIX), "") + quoted


class Validator:
    """The problems, declared names and references of one document.

    Args:
        substituted: The values of variables, by the id of the node that contains them.
        incomplete: Top-level keys with unreadable parts; references to their names are not checked.
    """

    def __init__(
        self, file: str, environ: Mapping[str, str], incomplete: Collection[str] = frozenset()
    ) -> None:
        self.problems: list[Problem] = []
        self.substituted: dict[int, tuple[str, ...]] = {}
        self._file = file
        self._environ = environ
        self._incomplete = incomplete
        self._entered: set[int] = set()
        self._aliases = 0
        self._declared: dict[tuple[str, str], dict[str, yaml.Node]] = {}
        self._references: list[tuple[str, str, yaml.Node]] = []

    def add_problem(self, node: yaml.Node, message: str, remedy: str) -> None:
        """Add a problem at the node."""
        mark = node.start_mark
        problem = Problem(
            file=self._file,
            line=mark.line + 1,
            column=mark.column + 1,
            message=message,
            remedy=remedy,
        )
        self.problems.append(problem)

    def enter(self, node: yaml.Node) -> bool:
        """Count a list or mapping; return False after more than MOST_ALIASES aliases."""
        if id(node) not in self._entered:
            self._entered.add(id(node))
            return True
        self._aliases += 1
        if self._aliases == MOST_ALIASES + 1:
            remedy = "Write the values out, or use fewer aliases."
            self.add_problem(node, f"more than {MOST_ALIASES} uses of aliases", remedy)
        return self._aliases <= MOST_ALIASES

    def has_variable(self, node: yaml.Node) -> bool:
        """Return whether the value may contain an environment variable."""
        return "${" in node.value

    def is_null(self, node: yaml.Node) -> bool:
        """Return whether the node is null."""
        return node.tag == f"{_PREFIX}null"

    def scalar(
        self,
        node: yaml.Node,
        key: str,
        expected: str,
        remedy: str,
        tags: Collection[str],
        secret: bool,
    ) -> str | None:
        """Return the text of a scalar with one of the tags, with variables substituted."""
        if isinstance(node, yaml.ScalarNode):
            tag = node.tag.removeprefix(_PREFIX)
            if self.has_variable(node) and tag == "str":
                return self._substitute(node)
            if tag in tags:
                return str(node.value)
            if tag == "null":
                self.add_problem(node, f"{key} has no value", f"{remedy} Or delete the line.")
                return None
        value = "a value of another type" if secret else describe(node)
        self.add_problem(node, f"{key} must be {expected}, not {value}", remedy)
        return None

    def _substitute(self, node: yaml.ScalarNode) -> str | None:
        missing: list[str] = []
        values: list[str] = []

        def fill(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return match.group()[1:]
            if name not in self._environ:
                missing.append(name)
            values.append(self._environ.get(name, ""))
            return values[-1]

        text = VARIABLE.sub(fill, node.value)
        for name in missing:
            self.add_problem(
                node,
                f"the environment variable {name or '${}'} is not set",
                f"Set it before starting, as in export {name or 'NAME'}=…, or write $${{ for ${{.",
            )
        self.substituted[id(node)] = tuple(values)
        return None if missing else text

    def declare(self, noun: str, key: str, name: str, node: yaml.Node) -> None:
        """Declare a name; report it if another item of this noun has it for this key."""
        names = self._declared.setdefault((noun, key), {})
        if name not in names:
            names[name] = node
            return
        line = names[name].start_mark.line + 1
        self.add_problem(
            node,
            f"two {noun}s have the {key} {describe(node)}",
            f"Change or delete one; the first is on line {line}.",
        )

    def add_reference(self, noun: str, name: str, node: yaml.Node) -> None:
        """Require that the file declares this id for the noun."""
        self._references.append((noun, name, node))

    def finish(self) -> tuple[Problem, ...]:
        """Check the references; return all problems in file order."""
        for noun, name, node in self._references:
            declared = self._declared.get((noun, "id"), {})
            if name in declared or f"{noun}s" in self._incomplete:
                continue
            near = get_close_matches(name, declared, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            self.add_problem(node, f'there is no {noun} "{name}"', f"{hint}Add it under {noun}s.")
        return tuple(sorted(self.problems, key=lambda problem: (problem.line, problem.column)))
