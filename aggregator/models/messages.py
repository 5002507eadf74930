"""Texts that are English in logs, commands and the API, and translated on pages."""

from collections.abc import Iterable, Mapping
from datetime import date


class Message(str):
    """An English text with its template and values, by which `web` finds the translation."""

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]


def N_(template: str, /, **values: object) -> Message:
    """Return a text, and mark its template for the catalogues of translations.

    Args:
        template: In English, with placeholders such as `%(name)s`; a percent sign is `%%`.
        values: For the placeholders; a `Message` among them is translated too.
    """
    return _message(template, values)


def joined(messages: Iterable[Message]) -> Message:
    """Return several texts as one, with semicolons between them."""
    parts = {f"part{number}": message for number, message in enumerate(messages)}
    return _message("; ".join(f"%({name})s" for name in parts), parts)


def _message(template: str, values: Mapping[str, object]) -> Message:
    message = Message(template % values)
    message.template, message.values = template, values
    return message


DAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"),
    N_("Sunday"),
)  # fmt: skip
MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"),
    N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip


def short_day(day: date) -> Message:
    """Return a day as `27 June 2009`."""
    text = N_("%(number)s %(month)s", number=day.day, month=MONTHS[day.month - 1])
    return N_("%(day)s %(year)s", day=text, year=day.year)
