"""Namespaces in every spelling, and documents in none."""

import pytest

from tests.parse import parse

ITEM = "<item><title>a</title><guid>1</guid></item>"


def images(namespace: str) -> list[str]:
    body = (
        f'<rss version="2.0" xmlns:m="{namespace}"><channel><item>'
        '<m:thumbnail url="http://e.example/t.jpg"/></item></channel></rss>'
    )
    return [image.url for image in parse(body.encode()).entries[0].images]


@pytest.mark.parametrize(
    "namespace",
    [
        "http://search.yahoo.com/mrss/",
        "http://search.yahoo.com/mrss",
        "https://search.yahoo.com/mrss/",
        "HTTP://Search.Yahoo.com/MRSS/",
        " http://search.yahoo.com/mrss/ ",
        "http://www.rssboard.org/media-rss",
        "https://rssboard.org/media-rss/",
        "http://press.example/mrss/",
    ],
)
def test_media_rss_in_each_spelling(namespace: str) -> None:
    assert images(namespace) == ["http://e.example/t.jpg"]


def test_another_namespace_is_another() -> None:
    assert images("urn:media") == []


@pytest.mark.parametrize(
    ("prefix", "namespace", "element", "value"),
    [
        ("itunes", "https://www.itunes.com/dtds/podcast-1.0.dtd", "author", "Ida"),
        ("itunes", "http://itunes.com/dtds/podcast-1.0.dtd/", "author", "Ida"),
        ("dc", "https://purl.org/dc/elements/1.1", "creator", "Ida"),
        ("dc", "http://purl.org/dc/elements/1.0/", "creator", "Ida"),
        ("g", "http://www.google.com/schemas/play-podcasts/1.0", "author", "Ida"),
    ],
)
def test_namespaces_of_authors(prefix: str, namespace: str, element: str, value: str) -> None:
    name = f"{prefix}:{element}"
    body = (
        f'<rss version="2.0" xmlns:{prefix}="{namespace}"><channel><item>'
        f"<{name}>{value}</{name}></item></channel></rss>"
    )
    (author,) = parse(body.encode()).entries[0].authors
    assert author.name == value


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (f'<rss version="2.0" xmlns="urn:x"><channel>{ITEM}</channel></rss>', "rss20"),
        (f'<rss version="2.0"><channel xmlns="urn:x">{ITEM}</channel></rss>', "rss20"),
        (
            '<rss version="2.0"><channel><item xmlns="urn:x"><title>a</title><guid>1</guid></item>'
            "</channel></rss>",
            "rss20",
        ),
        (f'<RSS version="0.91"><channel>{ITEM}</channel></RSS>', "rss091u"),
        (
            '<RSS version="2.0"><CHANNEL><ITEM><TITLE>a</TITLE><GUID>1</GUID></ITEM></CHANNEL>'
            "</RSS>",
            "rss20",
        ),
        (f'<rss version="2.0">{ITEM}</rss>', "rss20"),
        (
            '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="urn:x">'
            f"<channel/>{ITEM}</r:RDF>",
            "rss10",
        ),
        (
            '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            f'xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel/>{ITEM}</r:RDF>',
            "rss090",
        ),
        ("<feed><entry><title>a</title><id>1</id></entry></feed>", "atom10"),
        (
            '<feed xmlns="https://www.w3.org/2005/Atom/"><entry><title>a</title><id>1</id></entry>'
            "</feed>",
            "atom10",
        ),
        (
            '<x:feed xmlns:x="http://www.w3.org/2005/Atom"><x:entry><x:title>a</x:title>'
            "<x:id>1</x:id></x:entry></x:feed>",
            "atom10",
        ),
        (
            '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>a</title><id>1</id>'
            "</entry></feed>",
            "atom03",
        ),
    ],
)
def test_rss_and_atom_in_any_namespace(body: str, version: str) -> None:
    feed = parse(body.encode())
    assert feed.version == version
    (entry,) = feed.entries
    assert entry.title is not None
    assert (entry.title.value, entry.guid) == ("a", "1")


def test_prefixes_that_are_not_declared_mean_what_they_usually_mean() -> None:
    feed = parse(
        b'<rss version="2.0"><channel><item><dc:creator>Ida</dc:creator>'
        b'<atom:link href="http://e.example/1"/><x:title>no</x:title></item></channel></rss>'
    )
    (entry,) = feed.entries
    assert [author.name for author in entry.authors] == ["Ida"]
    assert (entry.link, entry.title) == ("http://e.example/1", None)
    assert "prefix" in feed.problems[0]


def test_an_element_of_an_unknown_namespace_is_not_ours() -> None:
    feed = parse(
        b'<rss version="2.0"><channel><item><title>a</title>'
        b'<title xmlns="urn:x">b</title><x:guid xmlns:x="urn:x">1</x:guid></item></channel></rss>'
    )
    (entry,) = feed.entries
    assert entry.title is not None
    assert (entry.title.value, entry.guid) == ("a", "")
