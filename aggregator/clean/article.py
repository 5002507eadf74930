"""From a page as published to the text of an entry."""

from datetime import datetime

from aggregator.clean import dates, entry, lead_picture, text
from aggregator.clean.html import constructs
from aggregator.models import excerpt
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
    words = text.plain(content)
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
