import pytest

from aggregator.models.entry import Enclosure, Extension, Image, ParsedEntry
from tests.parse import parse, rss, rss_item


@pytest.mark.parametrize(
    ("inside", "enclosures"),
    [
        pytest.param(
            '<enclosure url="http://e.org/1.mp3" length="123" type="audio/mpeg"/>',
            [Enclosure(url="http://e.org/1.mp3", type="audio/mpeg", length=123)],
            id="an enclosure",
        ),
        pytest.param(
            '<enclosure url="http://e.org/1.mp3" length="big" type="audio/mpeg"/>',
            [Enclosure(url="http://e.org/1.mp3", type="audio/mpeg")],
            id="a length that is none",
        ),
        pytest.param("<enclosure/>", [], id="an enclosure of nothing"),
        pytest.param(
            '<a:link rel="enclosure" href="http://e.org/1.ogg" type="audio/ogg" title="T"/>',
            [Enclosure(url="http://e.org/1.ogg", type="audio/ogg", title="T")],
            id="an Atom link",
        ),
        pytest.param(
            '<media:content url="http://e.org/1.mp4" type="video/mp4" fileSize="9" duration="61">'
            "<media:title>T</media:title></media:content>",
            [
                Enclosure(
                    url="http://e.org/1.mp4", type="video/mp4", length=9, duration=61, title="T"
                )
            ],
            id="media:content",
        ),
        pytest.param(
            '<enclosure url="http://e.org/1.mp3" type="audio/mpeg"/>'
            '<media:content url="http://e.org/1.mp3" fileSize="9" medium="audio" duration="5"/>',
            [Enclosure(url="http://e.org/1.mp3", type="audio/mpeg", length=9, duration=5)],
            id="the same file twice",
        ),
        pytest.param(
            '<enclosure url="http://e.org/1.png" type="image/png"/>'
            '<enclosure url="http://e.org/1.mp3" type="audio/mpeg"/>'
            "<itunes:duration>1:02:03</itunes:duration>",
            [
                Enclosure(url="http://e.org/1.png", type="image/png"),
                Enclosure(url="http://e.org/1.mp3", type="audio/mpeg", duration=3723),
            ],
            id="the item's duration is its recording's",
        ),
        pytest.param(
            '<media:group><media:content url="http://e.org/1.mp4"/>'
            '<media:content url="http://e.org/2.mp4" isDefault="true"/>'
            '<media:content url="http://e.org/3.mp4"/></media:group>',
            [Enclosure(url="http://e.org/2.mp4")],
            id="a group is one recording, its default",
        ),
        pytest.param(
            '<media:group><media:content url="http://e.org/1.ogg"/>'
            '<media:content url="http://e.org/1.mp3"/></media:group>',
            [Enclosure(url="http://e.org/1.ogg")],
            id="a group without a default is its first",
        ),
        pytest.param(
            '<enclosure url="http://e.org/2.mp4"/><media:group>'
            '<media:content url="http://e.org/1.mp4" isDefault="true"/>'
            '<media:content url="http://e.org/2.mp4" duration="9"/></media:group>',
            [Enclosure(url="http://e.org/2.mp4", duration=9)],
            id="a group of what is enclosed",
        ),
        pytest.param(
            '<a:link rel="enclosure" href=""/><enclosure url="" length="0"/>'
            '<enclosure url="none"/>',
            [],
            id="enclosures without an address",
        ),
        pytest.param(
            '<enclosure type="image/png">http://e.org/1.png</enclosure>',
            [Enclosure(url="http://e.org/1.png", type="image/png")],
            id="an address as text",
        ),
        pytest.param(
            '<e:enclosure xmlns:e="http://purl.oclc.org/net/rss_2.0/enc#" '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'rdf:resource="http://e.org/1.mp3" e:type="audio/mpeg" e:length="9"/>',
            [Enclosure(url="http://e.org/1.mp3", type="audio/mpeg", length=9)],
            id="an enclosure of RSS 1.0",
        ),
        pytest.param(
            '<podcast:alternateEnclosure type="audio/opus" length="9">'
            '<podcast:source uri="http://e.org/1.opus"/></podcast:alternateEnclosure>',
            [Enclosure(url="http://e.org/1.opus", type="audio/opus", length=9)],
            id="an alternate enclosure where there is no other",
        ),
        pytest.param(
            '<a:content type="video/mp4" src="http://e.org/1.mp4"/>',
            [Enclosure(url="http://e.org/1.mp4", type="video/mp4")],
            id="content out of line",
        ),
        pytest.param(
            '<media:content url="http://e.org/1.m3u8" type="application/x-mpegURL"/>',
            [Enclosure(url="http://e.org/1.m3u8", type="application/x-mpegurl")],
            id="a stream",
        ),
        pytest.param(
            '<media:content url="http://e.org/1.swf" type="application/x-shockwave-flash"/>',
            [],
            id="what is neither sound nor film",
        ),
    ],
)
def test_enclosures(inside: str, enclosures: list[Enclosure]) -> None:
    assert list(rss_item(inside).enclosures) == enclosures


@pytest.mark.parametrize(
    ("inside", "images"),
    [
        pytest.param(
            '<media:thumbnail url="http://e.org/t.jpg" width="240" height="135"/>',
            [Image(url="http://e.org/t.jpg", width=240, height=135)],
            id="a thumbnail",
        ),
        pytest.param(
            '<media:thumbnail url="http://e.org/t.jpg" width="100%" height="-1"/>',
            [Image(url="http://e.org/t.jpg")],
            id="sizes that are none",
        ),
        pytest.param(
            '<media:content url="http://e.org/p.jpg" type="image/jpeg" width="9" height="8">'
            "<media:description>C</media:description><media:credit>Me</media:credit>"
            "</media:content>",
            [Image(url="http://e.org/p.jpg", width=9, height=8, caption="C", credit="Me")],
            id="a picture with caption and credit",
        ),
        pytest.param(
            '<media:content url="http://e.org/p.jpg" medium="image"/>'
            "<media:credit>Me</media:credit><media:description>C</media:description>",
            [Image(url="http://e.org/p.jpg", caption="C", credit="Me")],
            id="caption and credit beside the picture",
        ),
        pytest.param(
            "<media:group><media:credit>G</media:credit>"
            '<media:content url="http://e.org/p.jpg" medium="image">'
            "<media:credit>P</media:credit></media:content>"
            '<media:content url="http://e.org/q.jpg" medium="image"/></media:group>',
            [
                Image(url="http://e.org/p.jpg", credit="P"),
                Image(url="http://e.org/q.jpg", credit="G"),
            ],
            id="the nearest credit",
        ),
        pytest.param(
            '<media:content url="http://e.org/p.JPG?w=9"/>',
            [Image(url="http://e.org/p.JPG?w=9")],
            id="a picture told by its name",
        ),
        pytest.param(
            '<media:thumbnail url="http://e.org/p.jpg"/>'
            '<media:content url="http://e.org/p.jpg" medium="image" width="9"/>',
            [Image(url="http://e.org/p.jpg", width=9)],
            id="one picture once, the best described",
        ),
        pytest.param(
            '<media:content url="http://e.org/f.mp4" medium="video">'
            '<media:thumbnail url="http://e.org/f.jpg"/></media:content>',
            [Image(url="http://e.org/f.jpg")],
            id="a film's frame",
        ),
        pytest.param(
            '<itunes:image href="http://e.org/i.jpg"/>',
            [Image(url="http://e.org/i.jpg", is_artwork=True)],
            id="art",
        ),
        pytest.param(
            "<image>http://e.org/i.jpg</image>", [Image(url="http://e.org/i.jpg")], id="text"
        ),
        pytest.param(
            "<enclosure url='http://e.org/i.png' type='image/png'/>",
            [Image(url="http://e.org/i.png")],
            id="an enclosed picture",
        ),
        pytest.param("<media:thumbnail/><image/>", [], id="nothing"),
    ],
)
def test_images(inside: str, images: list[Image]) -> None:
    assert list(rss_item(inside).images) == images


def names(entry: ParsedEntry) -> list[str]:
    return [extension.name for extension in entry.extensions]


def test_extensions_are_passed_on_by_a_list() -> None:
    entry = rss_item(
        "<itunes:episode>3</itunes:episode><itunes:season>2</itunes:season>"
        "<itunes:episodeType>full</itunes:episodeType><itunes:explicit>no</itunes:explicit>"
        "<itunes:block>yes</itunes:block><georss:point>1 2</georss:point><x>y</x>"
    )
    assert [(extension.name, extension.text) for extension in entry.extensions] == [
        ("itunes:episode", "3"),
        ("itunes:season", "2"),
        ("itunes:episodeType", "full"),
        ("itunes:explicit", "no"),
        ("georss:point", "1 2"),
    ]


def test_every_one_of_several_extensions_is_kept_with_attributes_and_text() -> None:
    entry = rss_item(
        '<podcast:person role="host" href="http://j.org/">Jane</podcast:person>'
        '<podcast:person role="guest">Joe</podcast:person>'
        '<podcast:transcript url="t.vtt" type="text/vtt"/>'
        '<thr:in-reply-to ref="urn:1"/>'
    )
    assert entry.extensions == (
        Extension(
            name="podcast:person",
            text="Jane",
            attributes=(("role", "host"), ("href", "http://j.org/")),
        ),
        Extension(name="podcast:person", text="Joe", attributes=(("role", "guest"),)),
        Extension(name="podcast:transcript", attributes=(("url", "t.vtt"), ("type", "text/vtt"))),
        Extension(name="thr:in-reply-to", attributes=(("ref", "urn:1"),)),
    )


def test_namespaces_are_recognised_by_uri_in_any_case() -> None:
    entry = rss_item(
        '<x:season xmlns:x="http://www.itunes.com/DTDs/Podcast-1.0.dtd">2</x:season>'
        '<y:credit xmlns:y="http://search.yahoo.com/mrss">Me</y:credit>'
        '<itunes:season xmlns:itunes="urn:else">9</itunes:season>'
    )
    assert names(entry) == ["itunes:season", "media:credit"]


def test_extensions_are_bounded() -> None:
    entry = rss_item("<media:credit>c</media:credit>" * 200)
    assert len(entry.extensions) == 100


def test_extensions_of_an_ill_formed_document_are_read() -> None:
    body = rss("<item><title>a & b</title><itunes:season>2</itunes:season></item>")
    assert names(parse(body).entries[0]) == ["itunes:season"]
