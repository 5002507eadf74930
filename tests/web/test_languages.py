"""Every text of the interface on every page is translated, and marked where it is not.

The first half reads all pages in an invented language, whose catalogue puts ⟦brackets⟧ around each
text: what is outside of them is content, or was forgotten. The second reads them on a site in
Arabic, where each text of the interface must say that it is English.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from babel.messages.mofile import write_mo
from lxml import html
from werkzeug.test import Client

from aggregator.ingest import retractions
from aggregator.models.config import Auth, Config
from aggregator.models.network import Network
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from aggregator.store.entries import entries
from aggregator.store.sources import incidents, network, sources
from aggregator.store.sources.sources import SourceChanges
from aggregator.web.app import create_app
from aggregator.web.i18n import CATALOGUES
from tests.web.catalogues import extracted, messages, texts
from tests.web.ops import test_websub_status
from tests.web.pages.test_pages import SITE
from tests.web.sample_store import START, SampleStore, open_sample
from tests.web.test_browser import PATHS, fill

NOW = START + timedelta(minutes=50)
BRACKETS = re.compile("[⟦⟧]")
SHOWN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt", "data-label", "content")
FAULT, REFUSAL = "no connection", "an error of the server"

TECHNICAL = re.compile(
    r"(?<!\w)(Atom|RSS|JSON( Feed)?|XML|OPML|CSV|WebSub|GMT|UK|ms|ETag|sha1"
    r"|\d{3} [A-Z][\w-]+( [A-Z][\w-]+)*"  # names of HTTP
    r"|https?://\S+|/\S+|\w[\w.-]*\.example\S*|[a-z]+/[a-z0-9.+-]+)(?!\w)"  # URLs, hosts, types
)
"""Names and marks that are the same in every language."""

OTHER_CONTENT = ("Report 1", "weather", "AC/DC", "ar", "nowhere", "not", "no way", FAULT, REFUSAL)
"""Texts of publishers and servers that are not in the entries."""

UNREAD = ("script", "style", "code", "kbd", "pre")
UNREAD_CLASSES = {"content", "diff"}
"""Elements with text of programs or publishers."""


@dataclass(frozen=True)
class Text:
    """A text of a page, whether it is one of the interface, and where it stands."""

    text: str
    is_own: bool
    place: str
    language: str
    is_attribute: bool = False


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the catalogue of an invented language."""
    catalog = extracted()
    catalog.locale = "de"
    for message in messages(catalog):
        marked = tuple(f"⟦{text}⟧" for text in texts(message.id))
        message.string = marked if isinstance(message.id, tuple) else marked[0]
    folder = tmp_path_factory.mktemp("catalogues")
    with (folder / "qps.mo").open("wb") as file:
        write_mo(file, catalog)
    return folder


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleStore]:
    """A site with entries of all kinds, one retracted, and incidents."""
    with open_sample(tmp_path_factory.mktemp("languages"), SITE) as sample:
        fill(sample)
        with sample.store.transaction() as db:
            for kind in ("failing", "gone", "waiting", "silent", "quarantined", "moved", "gap"):
                incidents.open(db, "odd", kind, FAULT, sample.now)
        yield sample


def content(sample: SampleStore) -> re.Pattern[str]:
    """Return an expression for the texts of the sample's entries and configuration."""
    config = sample.config
    found = {config.site.title, config.site.description, *OTHER_CONTENT}
    for section in config.sections:
        found |= {section.id, section.title, section.description}
    for view in config.views:
        found |= {view.id, view.title, view.description}
    for source in config.sources:
        found |= {source.id, source.title, source.url}
    with sample.store.reading() as db:
        for stored in entries.get_many(db, range(1, 100)).values():
            entry = stored.entry
            found |= {entry.title, entry.summary, entry.text, *entry.categories, entry.link}
            found |= {author.name for author in entry.authors}
            found |= {entry.image.caption} if entry.image else set()
    found = {" ".join(text.split()) for text in found if text}
    longest_first = sorted(map(re.escape, found), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(longest_first)}|Content of \d+|W+…|The ferry .*…)(?!\w)")


class Reader:
    """Reads the texts of a page in order, and knows which are within brackets."""

    def __init__(self, page: str) -> None:
        self.depth = 0
        self.root = html.document_fromstring(page)

    def texts(self) -> Iterator[Text]:
        """Yield each text of the page, and of its attributes."""
        yield from self._of(self.root)

    def _of(self, element: html.HtmlElement) -> Iterator[Text]:
        if not isinstance(element.tag, str):  # a comment
            return
        yield from self._attributes(element)
        if element.tag not in UNREAD and not UNREAD_CLASSES & set(element.classes):
            yield from self._pieces(element.text, element)
            for child in element:
                yield from self._of(child)
                yield from self._pieces(child.tail, element)

    def _attributes(self, element: html.HtmlElement) -> Iterator[Text]:
        for name in SHOWN_ATTRIBUTES:
            if name == "content" and element.get("name") != "description":
                continue
            assert "<span" not in element.get(name, ""), element.get(name)
            for piece in self._pieces(element.get(name), element):
                yield replace(piece, place=f"{piece.place} {name}", is_attribute=True)

    def _pieces(self, text: str | None, element: html.HtmlElement) -> Iterator[Text]:
        place = f"{element.tag!s}.{element.get('class', '')}"
        for piece in re.split("([⟦⟧])", text or ""):
            if BRACKETS.fullmatch(piece):
                self.depth += 1 if piece == "⟦" else -1
            elif piece.strip():
                yield Text(" ".join(piece.split()), self.depth > 0, place, language(element))


def language(element: html.HtmlElement) -> str:
    """Return the language and direction that an element has or inherits."""
    for one in (element, *element.iterancestors()):
        if one.get("lang"):
            return f"{one.get('lang')} {one.get('dir')}"
    return ""


def forgotten(text: Text, known: re.Pattern[str]) -> bool:
    """Return whether a text has words that are neither content nor technical names."""
    return bool(re.search(r"[^\W\d_]{2}", TECHNICAL.sub(" ", known.sub(" ", text.text))))


def opened(sample: SampleStore, config: Config, catalogues: Path, path: str) -> Iterator[Text]:
    app = create_app(lambda: config, sample.store, clock=lambda: NOW, catalogues=catalogues)
    answer = Client(app).get(path, headers={"Accept": "text/html", "Sec-Fetch-Dest": "document"})
    assert answer.mimetype == "text/html", answer.mimetype
    return Reader(answer.text).texts()


def in_language(tag: str, config: Config = SITE) -> Config:
    return replace(config, site=replace(config.site, language=tag))


@pytest.mark.parametrize("path", PATHS)
def test_every_text_of_the_interface_is_translated(
    sample: SampleStore, invented: Path, path: str
) -> None:
    known = content(sample)
    read = list(opened(sample, in_language("qps"), invented, path))
    assert sum(text.is_own for text in read) > 30
    assert [text for text in read if not text.is_own and forgotten(text, known)] == []


@pytest.mark.parametrize("path", PATHS)
def test_english_texts_of_a_site_in_arabic_say_so(sample: SampleStore, path: str) -> None:
    known = content(sample)
    read = list(opened(sample, in_language("ar"), CATALOGUES, path))
    assert sum(text.language == "en ltr" for text in read) > 20
    unmarked = [
        text
        for text in read
        if text.language not in ("en ltr", "en auto") and not text.is_attribute
    ]
    own = [text for text in unmarked if forgotten(text, known)]
    # The titles of pages and of such feeds hold content too.
    assert [text for text in own if text.place != "title." and path not in MIXED] == []


MIXED = ("/feeds/search.rss?q=rain", "/feeds/corrections.atom", "/feeds/health.json")


def _alive(sample: SampleStore) -> None:
    with sample.store.transaction() as db:
        metadata.put(db, "tick", format_time(NOW))
        metadata.put(db, "started", format_time(START))


def _one_failed(sample: SampleStore) -> None:
    _alive(sample)
    with sample.store.transaction() as db:
        sources.update(db, "odd", {"health": "failing", "failures": 2})
        sources.update(db, "post", {"health": "fine"})


def _all_failed(sample: SampleStore) -> None:
    _alive(sample)
    with sample.store.transaction() as db:
        sources.update(db, "odd", {"health": "failing", "failures": 2})


def _offline(sample: SampleStore) -> None:
    _alive(sample)
    with sample.store.transaction() as db:
        network.put(db, Network(down_since=START, retry_at=NOW + timedelta(minutes=1)))


def _paused(sample: SampleStore) -> None:
    _alive(sample)
    with sample.store.transaction() as db:
        metadata.put(db, "shortage", FAULT)
        metadata.put(db, "config_error", FAULT)


def _states(sample: SampleStore) -> None:
    with sample.store.transaction() as db:
        for source_id, changes in (
            ("herald", {"health": "waiting", "gate_until": NOW + timedelta(days=9)}),
            ("post", {"health": "silent", "newest": START - timedelta(days=99)}),
            ("odd", {"health": "slow", "milliseconds": 12_000}),
        ):
            sources.update(db, source_id, cast(SourceChanges, changes))


def _retracted(sample: SampleStore) -> None:
    sample.add("herald", 3)
    with sample.store.transaction() as db:
        stored = entries.get(db, 2)
        assert stored is not None
        retractions.apply_rules(
            db, replace(stored, retracted=NOW), Rulebook.of(sample.config), ("world",), NOW
        )


def _nothing(_: SampleStore) -> None:
    """Leave the site without entries."""


SITUATIONS: dict[str, tuple[str, Callable[[SampleStore], None], Config]] = {
    "without sources": ("/", _alive, replace(SITE, sources=(), sections=(), views=())),
    "status without sources": ("/status", _alive, replace(SITE, sources=(), sections=())),
    "without a scheduler": ("/", _nothing, SITE),
    "before the first polls": ("/", _alive, SITE),
    "after a failure": ("/", _one_failed, SITE),
    "after failures only": ("/", _all_failed, SITE),
    "without a network": ("/", _offline, SITE),
    "without a network, status": ("/status", _offline, SITE),
    "paused": ("/status", _paused, SITE),
    "states of health": ("/status", _states, SITE),
    "without requests": ("/status/hosts", _alive, SITE),
    "subscribers": ("/status/websub", test_websub_status.fill, SITE),
    "retracted": ("/entry/2", _retracted, SITE),
    "list with a retracted entry": ("/section/world", _retracted, SITE),
    "poll requested": ("/source/herald?asked=1", _nothing, SITE),
    "empty section": ("/section/world", _nothing, SITE),
    "end of a list": (f"/stories?before={quote('2009-06-27T21:20:00Z~1')}", _nothing, SITE),
    "empty topics": ("/topics", _nothing, SITE),
    "no corrections": ("/corrections", _nothing, SITE),
    "empty feed": ("/feeds/all.atom", _nothing, SITE),
    "nothing found": ("/search?q=nowhere", _nothing, SITE),
    "misspelt key": ("/search?q=rain&sectoin=world&not=%2D", _nothing, SITE),
    "invalid query": ("/stories?since=soon&has=x&limit=0&lang=!&sort=x", _nothing, SITE),
    "unknown section": ("/stories?section=nowhere", _nothing, SITE),
    "unknown view": ("/view/nowhere", _nothing, SITE),
    "the future": ("/at/2109-06-27T21:26Z/", _nothing, SITE),
    "before the first entry": ("/at/1999-06-27T21:26Z/", _retracted, SITE),
    "missing entry": ("/entry/4711", _nothing, SITE),
    "invalid order": ("/status?sort=x", _nothing, SITE),
    "sign in": ("/login", _nothing, replace(SITE, auth=Auth(token="secret"))),
    "signed out": ("/source/herald", _nothing, replace(SITE, auth=Auth(token="secret"))),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_texts_of_rarer_situations_are_translated_and_marked(
    tmp_path: Path, invented: Path, situation: str
) -> None:
    path, prepare, config = SITUATIONS[situation]
    with open_sample(tmp_path, config) as sample:
        prepare(sample)
        known = content(sample)
        read = list(opened(sample, in_language("qps", config), invented, path))
        assert [text for text in read if not text.is_own and forgotten(text, known)] == []
        read = list(opened(sample, in_language("ar", config), CATALOGUES, path))
        unmarked = [text for text in read if text.language != "en ltr" and not text.is_attribute]
        own = [text for text in unmarked if forgotten(text, known)]
        assert [text for text in own if text.place != "title."] == []


@pytest.mark.parametrize("path", ["/", "/stories", "/corrections", "/feeds/all.atom", "/news.json"])
def test_a_change_of_the_language_changes_pages_and_feeds_at_once(
    sample: SampleStore, path: str
) -> None:
    config = in_language("de")
    app = create_app(lambda: config, sample.store, clock=lambda: NOW)
    in_german = Client(app).get(path)
    again = {"If-None-Match": in_german.headers["ETag"]}
    assert Client(app).get(path, headers=again).status_code == 304
    config = in_language("fr")
    in_french = Client(app).get(path, headers=again)
    assert in_french.status_code == 200
    assert in_french.data != in_german.data


@pytest.mark.parametrize(
    ("language", "source", "others"),
    [
        ("en", "From ", "Also reported by "),
        ("de", "Von ", "Auch berichtet von "),
        ("fr", "De ", "Également rapporté par "),
        ("ar", "From ", "Also reported by "),
    ],
)
def test_feeds_credit_sources_in_the_language_of_the_interface(
    sample: SampleStore, language: str, source: str, others: str
) -> None:
    app = create_app(lambda: in_language(language), sample.store, clock=lambda: NOW)
    items = Client(app).get("/feeds/all.json").get_json()["items"]
    assert all(item["content_html"].startswith(f"<p>{source}") for item in items)
    assert any(f"<p>{others}<a href=" in item["content_html"] for item in items)


@pytest.mark.parametrize(
    ("language", "tag", "direction"),
    [
        ("en-GB", "en-GB", "ltr"),
        ("de-AT", "de-AT", "ltr"),
        ("fr", "fr", "ltr"),
        ("ar", "ar", "rtl"),
    ],
)
def test_page_has_the_language_of_the_site(
    sample: SampleStore, language: str, tag: str, direction: str
) -> None:
    app = create_app(lambda: in_language(language), sample.store, clock=lambda: NOW)
    assert f'<html lang="{tag}" dir="{direction}">' in Client(app).get("/").text
