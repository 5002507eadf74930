"""Expressions that find entries on pages and in JSON."""

import json
from dataclasses import dataclass

from aggregator.config.kinds import Text
from aggregator.config.validation import InvalidValue
from aggregator.models.listing import compile_path, compile_selector, is_xpath


@dataclass(kw_only=True, eq=False, repr=False)
class ElementSelector(Text):
    """A CSS selector or an XPath expression.

    Args:
        inside: Whether it is applied to an item, not to the whole page.
    """

    expected: str = "a CSS selector or XPath"
    remedy: str = "Write CSS as in 'article h2 a', or XPath that begins with / or ./ or a bracket."
    longest: int = 1_000
    inside: bool = False

    def convert(self, text: str) -> str:
        """Check that it compiles."""
        Text.convert(self, text)
        if self.inside and is_xpath(text) and text.lstrip().startswith("/"):
            raise InvalidValue(
                "begins at the top of the page", f"Begin with a dot, as in .{text.strip()[:100]}."
            )
        try:
            compile_selector(text)
        except ValueError as error:
            kind = "an XPath expression" if is_xpath(text) else "a CSS selector"
            raise InvalidValue(f"is not {kind}: {error}") from None
        return text


@dataclass(kw_only=True, eq=False, repr=False)
class JsonPath(Text):
    """A JMESPath expression."""

    expected: str = "a JMESPath expression"
    remedy: str = "Write names with dots, as in data.posts, or see https://jmespath.org/."
    longest: int = 1_000

    def convert(self, text: str) -> str:
        """Check that it compiles."""
        Text.convert(self, text)
        try:
            compile_path(text)
        except ValueError as error:
            raise InvalidValue(f"is not {self.expected}: {error}") from None
        return text


@dataclass(kw_only=True, eq=False, repr=False)
class JsonText(Text):
    """A JSON document, written as text."""

    expected: str = "JSON"
    remedy: str = """Write it in single quotes, as in '{"query": "{ posts { title } }"}'."""
    longest: int = 100_000

    def convert(self, text: str) -> str:
        """Check that it is JSON."""
        Text.convert(self, text)
        try:
            json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidValue(f"is not JSON: {error}") from None
        return text
