"""Docstrings and comments are written in plain English.

Words that mark convoluted sentences, per 1,000 words of docstrings and comments. Show the numbers
by folder: `python -m tests.test_prose`.
"""

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aggregator"
MARKED = re.compile(
    r"\b(what|whose|whatever|whoever|whom|whichever|somebody|nobody|anew)\b", re.IGNORECASE
)
WORD = re.compile(r"[A-Za-z']+")
LIMIT = 2.0


@dataclass
class Count:
    """Marked words and all words of a text."""

    marked: int = 0
    words: int = 0

    def add(self, text: str) -> None:
        self.marked += len(MARKED.findall(text))
        self.words += len(WORD.findall(text))

    @property
    def per_thousand(self) -> float:
        return 1000 * self.marked / max(self.words, 1)


def prose(source: str) -> Iterator[str]:
    """Yield the docstrings, of attributes too, and the comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def measure(package: Path) -> dict[str, Count]:
    """Count by folder of the package, "" for its own modules."""
    counts: dict[str, Count] = defaultdict(Count)
    for path in sorted(package.rglob("*.py")):
        folder, *rest = path.relative_to(package).parts
        for text in prose(path.read_text(encoding="utf-8")):
            counts[folder if rest else ""].add(text)
    return counts


def report(counts: dict[str, Count]) -> str:
    """Return a line per folder, the highest first, and a total."""
    total = Count(
        sum(count.marked for count in counts.values()),
        sum(count.words for count in counts.values()),
    )
    rows = sorted(counts.items(), key=lambda row: -row[1].per_thousand)
    return "".join(
        f"{count.per_thousand:6.1f}  {count.marked:4} of {count.words:6}  {folder}\n"
        for folder, count in [*rows, ("total", total)]
    )


def test_docstrings_and_comments_are_plain() -> None:
    counts = measure(PACKAGE)
    marked = sum(count.marked for count in counts.values())
    words = sum(count.words for count in counts.values())
    assert words > 20_000
    assert 1000 * marked / words <= LIMIT, f"marked words per 1,000:\n{report(counts)}"


def test_every_kind_of_prose_is_counted() -> None:
    source = '''"""What module."""
LIMIT = 1
"""Whose limit."""  # nobody's


def function() -> None:
    """Whatever function."""
    text = "what a string"
'''
    count = Count()
    for text in prose(source):
        count.add(text)
    assert (count.marked, count.words) == (4, 7)


if __name__ == "__main__":
    sys.stdout.write(report(measure(PACKAGE)))
