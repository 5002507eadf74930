"""Merged feeds to render: a builder for the examples, and Hypothesis strategies for the rest."""

from dataclasses import replace
from datetime import UTC, datetime
from html import escape

from hypothesis import strategies as st

from aggregator.formats.merged import Item, MergedFeed, SourceInfo
from aggregator.models.entry import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Image,
    Origin,
    SafeHtml,
    StoredEntry,
)

SEEN = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)

SOURCE = SourceInfo(
    id="herald",
    title="The Herald",
    url="https://herald.example/feed",
    link="https://herald.example/",
    feed_id="urn:example:herald",
    updated=SEEN,
    page_url="https://site.example/sources/herald",
)

ENTRY = Entry(
    guid="1",
    link="https://herald.example/1",
    canonical_url="https://herald.example/1",
    title="Rain",
    summary="It rains.",
    content=SafeHtml("<p>It <b>rains</b>.</p>"),
    published=datetime(2009, 6, 27, 20, 0, tzinfo=UTC),
    updated=None,
)


def make_item(
    entry: Entry = ENTRY,
    *,
    id: int = 1,
    uri: str = "tag:site.example,2009:1",
    source: SourceInfo = SOURCE,
) -> Item:
    stored = StoredEntry(
        id=id,
        source_id=source.id,
        uri=uri,
        first_seen=SEEN,
        changed=SEEN,
        sort_at=min(entry.published or SEEN, SEEN),
        entry=entry,
    )
    return Item(entry=stored, source=source)


def make_feed(*items: Item) -> MergedFeed:
    return MergedFeed(
        id="tag:site.example,2009:all",
        title="All the news",
        author="The Site",
        page_url="https://site.example/",
        self_url="https://site.example/feeds/all.xml",
        updated=max((item.updated for item in items), default=datetime(1970, 1, 1, tzinfo=UTC)),
        items=items,
    )


nasty = st.one_of(
    st.just(""),
    st.text(
        st.one_of(
            st.characters(),
            st.characters(categories=["Cs", "Cc", "Cf", "Co", "Cn"]),
            st.sampled_from("<>&'\"\n\r\t\x00\x0b]\ufffe\ufeff\u2028\u202e"),
        ),
        max_size=30,
    ).map(lambda text: f"{text}x"),  # at least one character is left when the illegal ones go
)
"""Any text, with characters that XML forbids, lone surrogates, and characters to escape."""


def _stays(text: str) -> bool:
    """Whether feedparser does not take a text for UTF-8 that was read as Latin-1."""
    try:
        return text.encode("latin-1").decode() == text
    except UnicodeError:
        return True


_words = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=12)
plain = _words.filter(_stays)
"""Words that every parser must give back as they are."""

moments = st.datetimes(datetime(1995, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def urls(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    ends = text.map(lambda end: "".join(end.split()).encode("utf-8", "ignore").decode())
    starts = st.sampled_from(
        ["https://a.example/", "http://b.example/?q=1&b=", "https://c.example/\"'<>"]
    )
    return st.builds(lambda start, end: start + end, starts, ends)


def entries(text: st.SearchStrategy[str]) -> st.SearchStrategy[Entry]:
    url = urls(text)
    maybe_url = st.one_of(st.just(""), url)
    sizes = st.one_of(st.none(), st.integers(0, 10**12))
    return st.builds(
        Entry,
        guid=text,
        link=maybe_url,
        canonical_url=maybe_url,
        title=text,
        summary=text,
        content=text.map(
            lambda words: SafeHtml(
                f'<p><a href="https://a.example/">{escape(words)}</a></p>' if words else ""
            )
        ),
        published=st.one_of(st.none(), moments),
        updated=st.one_of(st.none(), moments),
        authors=st.lists(
            st.builds(
                Author, name=text, uri=maybe_url, email=st.sampled_from(["", "a@b.example", "no"])
            ),
            max_size=2,
            unique_by=lambda author: author.name,
        ).map(tuple),
        categories=st.lists(text.map(lambda words: words or "none"), max_size=3, unique=True).map(
            tuple
        ),
        enclosures=st.lists(
            st.builds(
                Enclosure,
                url=url,
                type=st.one_of(st.sampled_from(["audio/mpeg", "video/mp4", ""]), text),
                length=sizes,
                duration=sizes,
                title=text,
            ),
            max_size=3,
            unique_by=lambda enclosure: enclosure.url,
        ).map(tuple),
        image=st.one_of(st.none(), st.builds(Image, url=url, width=st.integers(0, 900))),
        origin=st.one_of(st.none(), st.builds(Origin, id=maybe_url, title=text, url=maybe_url)),
        via=maybe_url,
        comments=maybe_url,
        extensions=st.lists(
            st.builds(
                Extension,
                name=st.sampled_from(
                    [
                        "itunes:duration",
                        "itunes:image",
                        "media:content",
                        "podcast:person",
                        "media:title",
                        "x:y",
                    ]
                ),
                text=text,
                attributes=st.lists(
                    st.tuples(
                        st.sampled_from(["url", "href", "type", "onload"]), st.one_of(text, url)
                    ),
                    max_size=3,
                ).map(tuple),
            ),
            max_size=3,
        ).map(tuple),
        language=st.one_of(st.sampled_from(["en", "de-AT", "zh-Hant"]), text),
    )


def feeds(text: st.SearchStrategy[str], *, min_size: int = 0) -> st.SearchStrategy[MergedFeed]:
    source = st.builds(
        SourceInfo,
        id=plain,
        title=text,
        url=urls(text),
        link=urls(text),
        feed_id=st.one_of(st.just(""), urls(text)),
        updated=st.one_of(st.none(), moments),
        authors=st.lists(st.builds(Author, name=text), max_size=1).map(tuple),
        language=text,
    )
    items = st.lists(
        st.tuples(entries(text), source, moments, moments), min_size=min_size, max_size=4
    ).map(lambda rows: tuple(_item(number, *row) for number, row in enumerate(rows, 1)))
    return st.builds(lambda items: make_feed(*items), items)


def _item(number: int, entry: Entry, source: SourceInfo, seen: datetime, changed: datetime) -> Item:
    item = make_item(entry, id=number, uri=f"tag:site.example,2009:{number}", source=source)
    return replace(item, entry=replace(item.entry, first_seen=seen, changed=max(seen, changed)))
