"""From a page as published to the text of an entry."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from aggregator.clean import dates, edits, entry, lead_picture, text
from aggregator.clean.html import constructs
from aggregator.models import excerpt
from aggregator.models.config import Transform
from aggregator.models.entry import Text
from aggregator.models.page import ParsedPage
from aggregator.models.poll import Fetched, PageText


def clean(parsed: ParsedPage, fetched: Fetched, *, now: datetime) -> PageText:
    """Return the text of a page, sanitised as that of a feed.

    Args:
        parsed: As the publisher wrote it.
        fetched: The response that brought it.
        now: The time of the fetch; a later date becomes it.
    """
    content = constructs.from_text(Text(value=parsed.markup), base=parsed.base)
    words = text.plain_of(content)
    return PageText(
        url=fetched.url,
        content=content,
        text=excerpt.lead(words, text.TEXT_LENGTH),
        summary=text.one_line(words, entry.SUMMARY_LENGTH),
        image=lead_picture.find(parsed.images, (), content, base=parsed.base),
        authors=entry.authors(parsed.authors, parsed.base),
        published=dates.clamp(parsed.published, now),
        validators=fetched.validators,
        transfer=fetched.transfer,
    )


def transformed(page: PageText, transforms: Sequence[Transform]) -> PageText:
    """Return the text of a page after the transforms of contents of its source."""
    found: list[str] = []
    content = edits.transform_content(page.content, transforms, page.url, found)
    if content == page.content:
        return page
    words = text.plain_of(content)
    return replace(
        page,
        content=content,
        text=excerpt.lead(words, text.TEXT_LENGTH),
        summary=text.one_line(words, entry.SUMMARY_LENGTH),
        edits=tuple(found),
    )
