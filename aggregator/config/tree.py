"""Parse YAML text to nodes with positions, and explain every syntax error."""

import re
from dataclasses import dataclass

import yaml
from yaml.reader import Reader

from aggregator.errors import Problem

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader if PyYAML was built with it: ten times faster."""

DEEPEST = 100
"""Most levels of nesting; libyaml is recursive and crashes at some 100,000 levels."""

MOST_SYNTAX_ERRORS = 10
RECOVERABLE_CHARACTERS = 2_000_000

_SUSPECT = re.compile(rf"(?:[-?] ){{{DEEPEST}}}")
_BRACKETS = re.compile(r"[\[\]{}]")
_CHUNK = re.compile(r"[ ]*(?=- |-$)|(?=[^\s#])", re.MULTILINE)
_AFTER_QUOTE = re.compile(r"[\s,\]}:]|$")

_ALIGN = "Begin it in the same column as the other lines of its block, with spaces"
_CLOSE = "Close it, put commas between its values, and quotes around a value with any of [ ] { } ,"
_EXPLANATIONS = (
    # Text of PyYAML or libyaml; our message; the remedy; whether to report where the context began.
    (
        "mapping values are not allowed",
        "a colon where no key is allowed",
        'Put a value with ": " in quotes, as in title: "Live: news", '
        "or check that the line above has its colon and the same indentation",
        False,
    ),
    ("',' or ']'", 'the list is not closed by "]", or lacks a comma', _CLOSE, True),
    ("',' or '}'", 'the mapping is not closed by "}", or lacks a comma', _CLOSE, True),
    (
        "unexpected end of stream",
        "the text that begins here has no closing quote",
        "Close it on the same line",
        True,
    ),
    ("expected key", "the line is not aligned with those above it", _ALIGN, False),
    ("'-' indicator", "the line is not aligned with the list above it", _ALIGN, False),
    ("block end", "the line is not aligned with those above it", _ALIGN, False),
    (
        "expected ':'",
        "a key without a colon",
        "Write the key, a colon, a space and the value: title: World News",
        True,
    ),
    (
        "undefined alias",
        "* begins an alias, but no anchor has its name",
        "Put the value in quotes, or define the anchor before it: &name",
        False,
    ),
    (
        "unknown escape",
        "an unknown escape sequence in double quotes",
        "Use single quotes, as in '\\d+'",
        False,
    ),
    (
        "expected a single document",
        "a second document begins",
        "Delete the --- line; a file has one document",
        False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlTree:
    """The readable part of a document.

    Args:
        root: None if the text is empty or nothing can be read.
        problems: The syntax errors.
        incomplete: Top-level keys with parts that were left out because of a syntax error.
    """

    root: yaml.Node | None
    problems: tuple[Problem, ...] = ()
    incomplete: frozenset[str] = frozenset()


def parse(text: str, file: str) -> YamlTree:
    """Parse YAML; leave out the item or block around each syntax error.

    So one run reports the syntax errors together with all other mistakes of the file.
    """
    problems: list[Problem] = []
    incomplete: set[str] = set()
    while True:
        try:
            _check_characters(text, file)
            _check_depth(text, file)
            return YamlTree(
                root=compose(text), problems=tuple(problems), incomplete=frozenset(incomplete)
            )
        except _Unreadable as unreadable:
            problem = unreadable.problem
        except yaml.MarkedYAMLError as error:
            problem = _explain(error, text, file)
        problems.append(problem)
        shorter = _blank_block(text, problem.line - 1)
        give_up = len(problems) == MOST_SYNTAX_ERRORS or "second document" in problem.message
        if give_up or shorter is None:
            return YamlTree(root=None, problems=tuple(problems))
        text, key = shorter
        incomplete.add(key)


def compose(text: str) -> yaml.Node | None:
    """Return the root node, None for an empty document; raises yaml.YAMLError."""
    return yaml.compose(text, Loader=Loader)


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _check_characters(text: str, file: str) -> None:
    match = Reader.NON_PRINTABLE.search(text)
    if match:
        line = text.count("\n", 0, match.start())
        column = match.start() - text.rfind("\n", 0, match.start())
        raise _Unreadable(
            Problem(
                file=file,
                line=line + 1,
                column=column,
                message=f"a control character, {match.group()!a}",
                remedy="Delete it, or write it as an escape in double quotes, such as \\t.",
            )
        )


def _check_depth(text: str, file: str) -> None:
    """Count levels by brackets; if there may be too many, exactly, by parsing events."""
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
                    message=f"more than {DEEPEST} levels of lists and mappings",
                    remedy="No key needs more than five.",
                )
            )


def _explain(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    error_text = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    runaway = _runaway_quote(text)
    if runaway:
        mark = runaway.start_mark
        message = f"the text that begins here runs on to line {runaway.end_mark.line + 1}"
        remedy = "Put its closing quote on the same line"
    elif "cannot start any token" in error_text and mark:
        message, remedy = _invalid_start(text[mark.index : mark.index + 1])
    else:
        message, remedy = f"bad YAML, {error_text.strip()}", "Compare with docs/configuration.md"
        for phrase, explanation, hint, at_context in _EXPLANATIONS:
            if phrase in error_text:
                message, remedy = explanation, hint
                mark = error.context_mark if at_context and error.context_mark else mark
                break
    return Problem(
        file=file,
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        message=message,
        remedy=f"{remedy}.",
    )


def _invalid_start(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab where YAML requires spaces", "Indent with spaces"
    return f'a value can\'t begin with "{character}"', "Put the value in quotes"


def _runaway_quote(text: str) -> yaml.ScalarToken | None:
    """Return the quoted text that runs on to the quote of a later line, or None.

    A letter after its end shows it: `title: "a` … `title: "b"`.
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


def _blank_block(text: str, line: int) -> tuple[str, str] | None:
    """Blank the list item or top-level block around a line; also return its top-level key.

    Returns None if the text is too long to parse repeatedly, or nothing is left to blank.
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
    """Return the index after the last character of a node.

    The end mark of a block collection is useless: it is after the comments that follow.
    """
    inner = node
    while isinstance(inner, yaml.CollectionNode) and inner.value and not inner.flow_style:
        last = inner.value[-1]
        child = last[1] if isinstance(last, tuple) else last
        if child.start_mark.index <= inner.start_mark.index:  # an alias: the child is elsewhere
            return _without_comments(text, node.start_mark.index, node.end_mark.index)
        inner = child
    return int(inner.end_mark.index)


def _without_comments(text: str, start: int, end: int) -> int:
    kept = text[start:end].rstrip()
    while (line := kept.rpartition("\n")[2]).lstrip().startswith("#"):
        kept = kept[: -len(line)].rstrip()
    return start + len(kept)
