"""Tests of aggregator.web.i18n and of the catalogues."""

from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from aggregator.models.messages import N_
from aggregator.web import i18n
from aggregator.web.i18n import CATALOGUES, gettext, translated
from tests.web.catalogues import extracted, messages, problems, read, texts

LANGUAGES = ("de", "fr")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """English again after each test."""
    yield
    i18n.use("en")


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(template: Catalog, language: str) -> None:
    assert problems(read(CATALOGUES / f"{language}.po"), template) == [], "run: make translations"


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*.mo")), ids=lambda path: path.stem)
def test_compiled_catalogue_is_complete_and_current(template: Catalog, path: Path) -> None:
    source = read(CATALOGUES / f"{path.stem}.po")
    with path.open("rb") as file:
        compiled = GNUTranslations(file)
    assert problems(source, template) == []
    for message in messages(source):
        text, *plural = [message.id] if isinstance(message.id, str) else message.id
        if plural:
            # French has a form for millions.
            found = [compiled.ngettext(text, plural[0], number) for number in (1, 1_000_000, 2)]
        elif message.context:
            found = [compiled.pgettext(message.context, text)]
        else:
            found = [compiled.gettext(text)]
        wanted = texts(message.string)
        assert list(dict.fromkeys(found)) == list(dict.fromkeys(wanted)), "run: make translations"


def test_a_catalogue_that_lacks_something_is_found_out() -> None:
    template = Catalog()
    for text in ("Help", "%(num)s files", "<b>Now</b>", "Later"):
        template.add(text)
    catalog = Catalog(locale="de")
    catalog.add("Help", "Hilfe", flags=["fuzzy"])
    catalog.add("%(num)s files", "%(number)s Dateien")
    catalog.add("<b>Now</b>", "<i>Jetzt</i>")
    assert problems(catalog, template) == [
        "fuzzy: Help",
        "placeholders or elements differ: %(num)s files",
        "placeholders or elements differ: <b>Now</b>",
        "not translated: Later",
    ]


@pytest.mark.parametrize(
    ("site_language", "text"),
    [
        ("en", "Help"),
        ("en-GB", "Help"),
        ("de", "Hilfe"),
        ("de-AT", "Hilfe"),
        ("FR", "Aide"),
        ("den", "Help"),  # Slavey, not German
        ("ar", "Help"),
    ],
)
def test_language_of_the_site_chooses_the_texts(site_language: str, text: str) -> None:
    i18n.use(site_language)
    assert gettext("Help") == text


@pytest.mark.parametrize(
    ("site_language", "attributes"),
    [("en", ""), ("en-GB", ""), ("de", ""), ("ar", ' lang="en" dir="ltr"')],
)
def test_texts_are_marked_if_the_site_is_in_another_language(
    site_language: str, attributes: str
) -> None:
    i18n.use(site_language)
    assert i18n.own_attributes() == attributes
    span = f"<span{attributes}>A &amp; B</span>" if attributes else "A & B"
    assert i18n.own("A & B") == span
    assert i18n.plain(i18n.own("A & B")) == "A & B"


def test_a_marked_text_is_translated_with_its_values() -> None:
    text = N_("Error %(status)s", status=N_("Help"))
    assert text == "Error Help"
    i18n.use("fr")
    assert translated(text) == "Erreur Aide"
    assert translated("of a publisher: 50 %(") == "of a publisher: 50 %("
    assert translated("") == ""
