"""The catalogues of the interface's texts: extracts, checks, updates and compiles them.

    python -m tests.web.catalogues          update all, and compile those that are complete
    python -m tests.web.catalogues it       begin one for Italian

`make translations` is the first. An incomplete catalogue is not compiled, so that
its sites keep an English interface.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from aggregator.web.i18n import CATALOGUES

CODE = CATALOGUES.parent.parent
METHODS = [("**.py", "python"), ("web/templates/**", "jinja2")]
OPTIONS = {
    "web/templates/**": {
        "newstyle_gettext": "true", "trimmed": "true", "silent": "false",
        "trim_blocks": "true", "lstrip_blocks": "true",
    }
}  # fmt: skip
KEYWORDS = {**DEFAULT_KEYWORDS, "phrase": None}
_CHURN = re.compile(
    r'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date'
    r"|Last-Translator|Language-Team|Generated-By): .*\n",
    re.MULTILINE,
)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_PLACEHOLDER = re.compile(r"%(?:\(\w+\)[a-z]|%)")
_ELEMENT = re.compile(r"</?[a-z]+")


def extracted() -> Catalog:
    """Return the texts of the code and the templates, without translations."""
    catalog = Catalog(fuzzy=False)
    for path, _, message, comments, context in extract_from_dir(
        CODE, METHODS, OPTIONS, KEYWORDS, ("Translators:",), strip_comment_tags=True
    ):
        catalog.add(message, None, [(path, 0)], auto_comments=comments, context=context)
    return catalog


def read(path: Path) -> Catalog:
    """Return a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem.replace("-", "_"))


def messages(catalog: Catalog) -> Iterator[Message]:
    """Yield the messages without the header."""
    return (message for message in catalog if message.id)


def problems(catalog: Catalog, template: Catalog) -> list[str]:
    """Return the texts that a catalogue lacks or has with other placeholders."""
    found = []
    for wanted in messages(template):
        message = catalog.get(wanted.id, wanted.context)
        translations = texts(message.string) if message else [""]
        if message is None or not all(translations):
            found.append(f"not translated: {wanted.id}")
        elif message.fuzzy:
            found.append(f"fuzzy: {wanted.id}")
        elif any(_parts(text) not in map(_parts, texts(wanted.id)) for text in translations):
            found.append(f"placeholders or elements differ: {wanted.id}")
    return found


def texts(value: object) -> list[str]:
    """Return the texts of a message, or of its translation: two or more if it has a plural."""
    return list(value) if isinstance(value, tuple | list) else [str(value or "")]


def _parts(text: str) -> tuple[list[str], list[str]]:
    return sorted(_PLACEHOLDER.findall(text)), sorted(_ELEMENT.findall(text))


def update(path: Path, template: Catalog) -> list[str]:
    """Bring a catalogue up to date with the texts; compile it if it is complete."""
    catalog = read(path) if path.exists() else Catalog(locale=path.stem.replace("-", "_"))
    catalog.fuzzy = False
    catalog.header_comment = "# Texts of the interface; `make translations` updates this file."
    catalog.update(template, no_fuzzy_matching=True)
    text = BytesIO()
    write_po(text, catalog, width=0, ignore_obsolete=True, sort_by_file=True, include_lineno=False)
    path.write_text(_CHURN.sub("", text.getvalue().decode()), encoding="utf-8")
    compiled = path.with_suffix(".mo")
    lacks = problems(catalog, template)
    if lacks:
        compiled.unlink(missing_ok=True)
        return lacks
    body = BytesIO()
    catalog = read(path)
    catalog.creation_date = catalog.revision_date = _NEVER  # the same texts give the same file
    write_mo(body, catalog)
    compiled.write_bytes(body.getvalue())
    return []


def main(languages: list[str]) -> int:
    """Update the catalogues, and begin those of new languages; return the exit status."""
    template, status = extracted(), 0
    paths = {*CATALOGUES.glob("*.po"), *(CATALOGUES / f"{tag}.po" for tag in languages)}
    for path in sorted(paths):
        lacks = update(path, template)
        lines = [f"{path.name}: {len(template) - len(lacks)} of {len(template)} texts", *lacks[:20]]
        sys.stdout.write("\n  ".join(lines) + "\n")
        status = 1 if lacks else status
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
