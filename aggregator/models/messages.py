"""Texts that are English in logs, commands and the API, and translated on pages."""


class Message(str):
    """An English text with its template and values, by which `web` finds the translation."""

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]


def N_(template: str, /, **values: object) -> Message:
    """Return a text, and mark its template for the catalogues of translations.

    Args:
        template: In English, with placeholders such as `%(name)s`; a percent sign is `%%`.
        values: For the placeholders; a `Message` among them is translated too.
    """
    message = Message(template % values)
    message.template, message.values = template, values
    return message
