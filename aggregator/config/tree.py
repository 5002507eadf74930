"""YAML text as nodes that know where they stand, and every syntax error with its remedy."""

import re
from dataclasses import dataclass

import yaml
from yaml.reader import Reader

from aggregator.errors import Problem

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, which is ten times faster, where PyYAML was built with it."""

DEEPEST = 100
"""Levels of nesting; libyaml is recursive, and some 100,000 levels would crash the process."""

MOST_SYNTAX_ERRORS = 10
RECOVERABLE_CHARACTERS = 2_000_000

_SUSPECT = re.compile(rf"(?:[-?] ){{{DEEPEST}}}")
_BRACKETS = re.compile(r"[\[\]{}]")
_CHUNK = re.compile(r"[ ]*(?=- |-$)|(?=[^\s#])", re.MULTILINE)
_AFTER_QUOTE = re.compile(r"[\s,\]}:]|$")

_ALIGN = "Begin it in the same column as the other lines of its block, with spaces"
_CLOSE = "Close it, put commas between its values, and quotes around a value with any of [ ] { } ,"
_LESSONS = (
    # What PyYAML and libyaml say; what we say; the remedy; whether the place is where it began.
    (
        "mapping values are not allowed",
        "a colon stands where no key can be",
        'Put a value with ": " in quotes, as in title: "Live: news", '
        "or look whether the line above lacks its colon or begins in another column",
        False,
    ),
    ("',' or ']'", 'the list is not closed by "]", or lacks a comma', _CLOSE, True),
    ("',' or '}'", 'the mapping is not closed by "}", or lacks a comma', _CLOSE, True),
    (
        "unexpected end of stream",
        "the text that begins here has no closing quote",
        "Close it in its line",
        True,
    ),
    ("expected key", "the line is not in line with those above it", _ALIGN, False),
    ("'-' indicator", "the line is not in line with the list above it", _ALIGN, False),
    ("block end", "the line is not in line with those above it", _ALIGN, False),
    (
        "expected ':'",
        "a key without a colon",
        "Write the key, a colon, a space and the value: title: World News",
        True,
    ),
    (
        "undefined alias",
        "a star begins an alias, and no anchor has its name",
        "Put the value in quotes, or define the anchor before it: &name",
        False,
    ),
    (
        "unknown escape",
        "in double quotes a backslash begins an escape, and this is none",
        "Use single quotes, as in '\\d+'",
        False,
    ),
    (
        "expected a single document",
        "a second document begins",
        "Delete the --- line: one file holds one document",
        False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A document, as much of it as can be read.

    Args:
        root: None when the text is empty or nothing can be read.
        problems: The syntax errors.
        lost: Top-level keys under which something was left out because of a syntax error.
    """

    root: yaml.Node | None
    problems: tuple[Problem, ...] = ()
    lost: frozenset[str] = frozenset()


def read(text: str, file: str) -> Tree:
    """Read YAML; around a syntax error the item or block it stands in is left out.

    So one run names the syntax errors together with all other mistakes of the file.
    """
    problems: list[Problem] = []
    lost: set[str] = set()
    while True:
        try:
            _check_characters(text, file)
            _check_depth(text, file)
            return Tree(root=compose(text), problems=tuple(problems), lost=frozenset(lost))
        except _Unreadable as unreadable:
            problem = unreadable.problem
        except yaml.MarkedYAMLError as error:
            problem = _explain(error, text, file)
        problems.append(problem)
        shorter = _without(text, problem.line - 1)
        hopeless = len(problems) == MOST_SYNTAX_ERRORS or "second document" in problem.what
        if hopeless or shorter is None:
            return Tree(root=None, problems=tuple(problems))
        text, key = shorter
        lost.add(key)


def compose(text: str) -> yaml.Node | None:
    """Give the root node, None for no document; raises yaml.YAMLError."""
    return yaml.compose(text, Loader=Loader)


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _check_characters(text: str, file: str) -> None:
    found = Reader.NON_PRINTABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start())
        column = found.start() - text.rfind("\n", 0, found.start())
        raise _Unreadable(
            Problem(
                file=file,
                line=line + 1,
                column=column,
                what=f"a control character, {found.group()!a}",
                remedy="Delete it; in double quotes it may be written as an escape, such as \\t.",
            )
        )


def _check_depth(text: str, file: str) -> None:
    """Count levels exactly, by parsing without nodes, only where brackets look suspicious."""
    depth = deepest = 0
    for bracket in _BRACKETS.finditer(text):
        depth = max(0, depth + (1 if bracket.group() in "[{" else -1))
        deepest = max(deepest, depth)
    if deepest <= DEEPEST and not _SUSPECT.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST and event.start_mark:
            raise _Unreadable(
                Problem(
                    file=file,
                    line=event.start_mark.line + 1,
                    column=event.start_mark.column + 1,
                    what=f"more than {DEEPEST} levels of lists and mappings",
                    remedy="Nothing here is nested deeper than five.",
                )
            )


def _explain(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    said = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    runaway = _runaway_quote(text)
    if runaway:
        mark = runaway.start_mark
        what = f"the text that begins here runs on to line {runaway.end_mark.line + 1}"
        remedy = "Put its closing quote in the same line"
    elif "cannot start any token" in said and mark:
        what, remedy = _bad_beginning(text[mark.index : mark.index + 1])
    else:
        what, remedy = f"bad YAML, {said.strip()}", "Compare with docs/configuration.md"
        for words, lesson, cure, at_begin in _LESSONS:
            if words in said:
                what, remedy = lesson, cure
                mark = error.context_mark if at_begin and error.context_mark else mark
                break
    return Problem(
        file=file,
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        what=what,
        remedy=f"{remedy}.",
    )


def _bad_beginning(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab where YAML wants spaces", "Indent with spaces"
    return f'a value can\'t begin with "{character}"', "Put the value in quotes"


def _runaway_quote(text: str) -> yaml.ScalarToken | None:
    """Find the text in quotes that swallowed the lines up to the next quote, if one did.

    It shows by what follows its end: in `title: "a` … `title: "b"` a letter.
    """
    try:
        for token in yaml.scan(text, Loader=Loader):
            if (
                isinstance(token, yaml.ScalarToken)
                and not token.plain
                and token.start_mark.line < token.end_mark.line
                and not _AFTER_QUOTE.match(text, token.end_mark.index)
            ):
                return token
    except yaml.YAMLError:
        pass
    return None


def _without(text: str, line: int) -> tuple[str, str] | None:
    """Blank the list item or top-level block around a line; also give its top-level key.

    None when the text is too long to be read again and again, or nothing is left to blank.
    """
    lines = text.split("\n")
    if len(text) > RECOVERABLE_CHARACTERS or not "".join(lines[line : line + 1]).strip():
        return None
    begin = next((at for at in range(line, -1, -1) if _CHUNK.match(lines[at])), 0)
    indent = _indent(lines[begin])
    ends = (at for at in range(begin + 1, len(lines)) if lines[at].strip())
    end = next((at for at in ends if at > line and _indent(lines[at]) <= indent), len(lines))
    top = next((at for at in range(begin, -1, -1) if re.match(r"[^\s#-]", lines[at])), begin)
    key = lines[top].partition(":")[0].strip("\"' ")
    lines[begin:end] = [""] * (end - begin)
    return "\n".join(lines), key


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def end_of(node: yaml.Node, text: str) -> int:
    """Give the index after the last character of a node.

    The mark of a block collection is of no use: it stands before whatever follows, comments
    and all.
    """
    inner = node
    while isinstance(inner, yaml.CollectionNode) and inner.value and not inner.flow_style:
        last = inner.value[-1]
        child = last[1] if isinstance(last, tuple) else last
        if child.start_mark.index <= inner.start_mark.index:  # an alias; the child is elsewhere
            return _without_comments(text, node.start_mark.index, node.end_mark.index)
        inner = child
    return int(inner.end_mark.index)


def _without_comments(text: str, start: int, end: int) -> int:
    kept = text[start:end].rstrip()
    while (line := kept.rpartition("\n")[2]).lstrip().startswith("#"):
        kept = kept[: -len(line)].rstrip()
    return start + len(kept)
