"""One pass over a document: the mistakes noted, the names declared, the names referred to."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

import yaml

from aggregator.errors import Problem

MOST_ALIASES = 10_000
"""How often anchored lists and mappings may be used again; each use costs as if written out."""

_PREFIX = "tag:yaml.org,2002:"
_VARIABLE = re.compile(r"\$(\$?)\{([^{}]*)\}")
_USERINFO = re.compile(r"//[^/?#]*@")


class Unfit(Exception):
    """A value that its kind can't take: what is wrong and, if it is special, the remedy."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def shown(node: yaml.Node) -> str:
    """Describe what stands in the file, for people, without secrets of the environment or URL."""
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    text = (
        _USERINFO.sub("//***@", node.value).partition("?")[0] if "://" in node.value else node.value
    )
    text = text if len(text) <= 60 else f"{text[:59]}…"
    quoted = f'"{text}"'
    words = {"int": "the number ", "float": "the number ", "bool": "the yes-or-no value "}
    if node.tag == f"{_PREFIX}null":
        return "nothing"
    return words.get(node.tag.removeprefix(_PREFIX), "") + quoted


class Reading:
    """What one pass finds.

    Args:
        lost: Top-level keys of which a part could not be read, so that names may be unknown.
    """

    def __init__(
        self, file: str, environ: Mapping[str, str], lost: Collection[str] = frozenset()
    ) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._environ = environ
        self._lost = lost
        self._entered: set[int] = set()
        self._aliases = 0
        self._declared: dict[tuple[str, str], dict[str, yaml.Node]] = {}
        self._referred: list[tuple[str, str, yaml.Node]] = []

    def note(self, node: yaml.Node, what: str, remedy: str) -> None:
        """Note a mistake at the node."""
        mark = node.start_mark
        problem = Problem(
            file=self._file, line=mark.line + 1, column=mark.column + 1, what=what, remedy=remedy
        )
        self.problems.append(problem)

    def enter(self, node: yaml.Node) -> bool:
        """Say whether a list or mapping may be read; aliases may repeat it only so often."""
        if id(node) not in self._entered:
            self._entered.add(id(node))
            return True
        self._aliases += 1
        if self._aliases == MOST_ALIASES + 1:
            remedy = "Write things out, or use fewer of them."
            self.note(node, f"more than {MOST_ALIASES} uses of aliases", remedy)
        return self._aliases <= MOST_ALIASES

    def is_filled(self, node: yaml.Node) -> bool:
        """Say whether a part of the value may come from the environment."""
        return "${" in node.value

    def is_null(self, node: yaml.Node) -> bool:
        """Say whether nothing stands there."""
        return node.tag == f"{_PREFIX}null"

    def scalar(
        self,
        node: yaml.Node,
        key: str,
        words: str,
        remedy: str,
        tags: Collection[str],
        secret: bool,
    ) -> str | None:
        """Give the text of a scalar of one of the types, the environment put in."""
        if isinstance(node, yaml.ScalarNode):
            tag = node.tag.removeprefix(_PREFIX)
            if self.is_filled(node) and tag == "str":
                return self._filled(node)
            if tag in tags:
                return str(node.value)
            if tag == "null":
                self.note(node, f"{key} has no value", f"{remedy} Or delete the line.")
                return None
        what = "a value of another type" if secret else shown(node)
        self.note(node, f"{key} must be {words}, not {what}", remedy)
        return None

    def _filled(self, node: yaml.ScalarNode) -> str | None:
        missing: list[str] = []

        def fill(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return match.group()[1:]
            if name not in self._environ:
                missing.append(name)
            return self._environ.get(name, "")

        text = _VARIABLE.sub(fill, node.value)
        for name in missing:
            self.note(
                node,
                f"the environment variable {name or '${}'} is not set",
                f"Set it before starting, as in export {name or 'NAME'}=…, or write $${{ for ${{.",
            )
        return None if missing else text

    def declare(self, noun: str, key: str, name: str, node: yaml.Node) -> None:
        """Note that the name is taken; no other thing of the noun may have it for this key."""
        names = self._declared.setdefault((noun, key), {})
        if name not in names:
            names[name] = node
            return
        line = names[name].start_mark.line + 1
        self.note(
            node,
            f"two {noun}s have the {key} {shown(node)}",
            f"Change or delete one; the first is in line {line}.",
        )

    def refer(self, noun: str, name: str, node: yaml.Node) -> None:
        """Note that the noun must be declared with this id somewhere in the file."""
        self._referred.append((noun, name, node))

    def finish(self) -> tuple[Problem, ...]:
        """Check the references; give all mistakes in the order of the file."""
        for noun, name, node in self._referred:
            declared = self._declared.get((noun, "id"), {})
            if name in declared or f"{noun}s" in self._lost:
                continue
            near = get_close_matches(name, declared, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            self.note(node, f'there is no {noun} "{name}"', f"{hint}Add it under {noun}s.")
        return tuple(sorted(self.problems, key=lambda problem: (problem.line, problem.column)))
