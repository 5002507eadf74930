"""The language of the interface: texts in the language of the site, from gettext catalogues.

A text is written in English where it is used and is the key to its translations. A catalogue is
used only when it is complete: without one, the interface is in English and says so.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from aggregator.models.messages import Message

CATALOGUES = Path(__file__).parent / "translations"
SOURCE_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface in one language.

    Args:
        language: Its tag (RFC 5646).
        is_sites: Whether this is the language of the site; if not, it is English, and pages mark
            their own texts.
    """

    language: str
    translations: NullTranslations
    is_sites: bool

    @property
    def is_english(self) -> bool:
        """Whether the texts are shown as they are written."""
        return self.language.lower().partition("-")[0] == SOURCE_LANGUAGE


_ENGLISH = Interface(SOURCE_LANGUAGE, NullTranslations(), is_sites=True)
_current: ContextVar[Interface] = ContextVar("interface", default=_ENGLISH)


def use(site_language: str, catalogues: Path = CATALOGUES) -> None:
    """Use the language of a site for the texts of this request, else English."""
    _current.set(_interface(site_language, catalogues))


def current() -> Interface:
    """Return the interface of this request."""
    return _current.get()


@cache
def _interface(site_language: str, catalogues: Path) -> Interface:
    subtags = site_language.lower().split("-")
    for end in range(len(subtags), 0, -1):
        tag = "-".join(subtags[:end])
        if tag == SOURCE_LANGUAGE:
            return Interface(site_language, NullTranslations(), is_sites=True)
        path = catalogues / f"{tag}.mo"
        if path.is_file():
            with path.open("rb") as file:
                return Interface(site_language, GNUTranslations(file), is_sites=True)
    return Interface(SOURCE_LANGUAGE, NullTranslations(), is_sites=False)


# --- texts -----------------------------------------------------------------------------------


def gettext(message: str, /, **values: object) -> str:
    """Return a text in the language of the interface.

    Args:
        message: The English text, with placeholders such as `%(name)s`; a percent sign is `%%`.
        values: For the placeholders.
    """
    return current().translations.gettext(message) % values


def ngettext(singular: str, plural: str, num: int, /, **values: object) -> str:
    """Return the text for a number, which is `%(num)s` in it unless `values` have another."""
    text = current().translations.ngettext(singular, plural, num)
    return text % {"num": num, **values}


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return the translation of a text that means something else in another context."""
    return current().translations.pgettext(context, message) % values


def phrase(text: str) -> str:
    """Return a text that gets its values later, and mark it for the catalogues."""
    return text


def translated(text: str) -> str:
    """Return the translation of a text that was marked with `N_`, with its values if it has any.

    Other texts are returned as they are, unless they read like one.
    """
    if isinstance(text, Message):
        values = {
            name: translated(value) if isinstance(value, Message) else value
            for name, value in text.values.items()
        }
        return gettext(text.template, **values)
    return current().translations.gettext(text) if text else ""


# --- templates -------------------------------------------------------------------------------


def set_up(environment: Environment) -> None:
    """Give templates `_`, `ngettext`, `pgettext`, `{% trans %}` and the marks of languages.

    Texts are safe HTML; the values of their placeholders are escaped.
    """
    environment.policies["ext.i18n.trimmed"] = True
    environment.add_extension(InternationalizationExtension)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # by the extension
        gettext=lambda message: _marked(current().translations.gettext(message)),
        ngettext=lambda *message: _marked(current().translations.ngettext(*message)),
        pgettext=lambda *message: _marked(current().translations.pgettext(*message)),
        newstyle=True,
    )
    environment.globals["interface_language"] = lambda: current().language
    environment.globals["own_attributes"] = own_attributes
    environment.filters |= {"own": own, "plain": plain}


def _marked(text: str) -> str:
    """Return a text as HTML, with its language if that is not the site's."""
    return f"<span{own_attributes()}>{text}</span>" if own_attributes() else text


def own(text: str) -> str:
    """Return the translation of a text that Python made, with its language if that is needed."""
    return translated(text) if current().is_sites else in_english(translated(text))


def in_english(text: str) -> Markup:
    """Return an English text as HTML that says so."""
    return Markup("<span{}>{}</span>").format(_ENGLISH_ATTRIBUTES, text)


def plain(text: str) -> str:
    """Return a text of a template for an attribute, or an element that can't have elements."""
    return Markup(text).striptags() if own_attributes() else text


def own_attributes() -> Markup:
    """Return the attributes of an element that has only texts of the interface."""
    return Markup() if current().is_sites else _ENGLISH_ATTRIBUTES


_ENGLISH_ATTRIBUTES = Markup(f' lang="{SOURCE_LANGUAGE}" dir="ltr"')
