import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.clean import urls

BASE = "https://a.example/b/c?d#e"

ABSOLUTE = {
    "a relative reference": ("../d", "https://a.example/d"),
    "a query": ("?x=1", "https://a.example/b/c?x=1"),
    "another host by the same scheme": ("//b.example/x", "https://b.example/x"),
    "case, port and space": (" HTTP://B.Example:80/x y ", "http://b.example/x%20y"),
    "a name in another script": ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
    "a path in another script": ("/東京", "https://a.example/%E6%9D%B1%E4%BA%AC"),
    "a password goes": ("https://user:pass@b.example/", "https://b.example/"),
    "a user without a password goes": ("https://user@b.example/", "https://b.example/"),
    "a password without a user goes": ("https://:pass@b.example/", "https://b.example/"),
    "line ends within": ("https://b.example/a\n/b", "https://b.example/a/b"),
    "backslashes": ("\\\\b.example\\x", "https://b.example/x"),
    "an & that was escaped twice": ("/x?a=1&amp;b=2", "https://a.example/x?a=1&b=2"),
    "no scheme": ("www.b.example/x", "http://www.b.example/x"),
    "a script": ("javascript:alert(1)", ""),
    "a script with a line end": ("java\nscript:alert(1)", ""),
    "a script after a control": ("\x01javascript:alert(1)", ""),
    "data": ("data:text/html,x", ""),
    "mail": ("mailto:a@b", ""),
    "a file": ("file:///etc/passwd", ""),
    "no host": ("https://", ""),
    "half a host": ("https://[::1", ""),
    "half a character": ("https://b.example/\ud800", ""),
    "nothing": (" ", ""),
    "too long": ("x" * 5_000, ""),
    "too long when written out": ("東" * 1_000, ""),
}


@pytest.mark.parametrize(("reference", "expected"), ABSOLUTE.values(), ids=ABSOLUTE.keys())
def test_absolute(reference: str, expected: str) -> None:
    assert urls.absolute(BASE, reference) == expected


LONGEST = "https://b.example/" + "x" * (urls.MAX_LENGTH - 18)


def test_absolute_takes_urls_up_to_the_longest() -> None:
    assert urls.absolute(BASE, LONGEST) == LONGEST
    assert urls.absolute(BASE, LONGEST + "x") == ""
    assert urls.absolute(BASE, LONGEST[len("https:") :]) == LONGEST
    assert urls.absolute(BASE, LONGEST[len("https:") :] + "x") == ""


def test_canonical_takes_urls_up_to_the_longest() -> None:
    assert urls.canonical(LONGEST) == LONGEST
    assert urls.canonical(LONGEST + "x") == ""
    assert urls.canonical(LONGEST[:-6] + "é") == LONGEST[:-6] + "%C3%A9"
    assert urls.canonical(LONGEST[:-5] + "é") == ""


@pytest.mark.parametrize("base", ["", "nonsense", "mailto:a@b"])
def test_a_relative_reference_needs_a_base(base: str) -> None:
    assert urls.absolute(base, "relative") == ""


@given(st.text(), st.text())
def test_absolute_gives_http_or_nothing(base: str, reference: str) -> None:
    found = urls.absolute(base, reference)
    assert found == "" or found.startswith(("http://", "https://"))
    assert urls.absolute("", found) == found


SAME = "https://a.example/story"
SAME_PAGE = (
    "http://a.example/story", "https://www.a.example/story", "https://a.example:443/story/",
    "http://a.example:80/story", "https://m.a.example/story", "https://mobile.a.example/story",
    "https://amp.a.example/story", "https://www.m.a.example/story", "https://a.example./story",
    "https://a.example/story/amp", "https://a.example/story/amp/", "https://a.example/amp/story",
    "https://a.example/story.amp", "https://a.example/story?amp", "https://a.example/story?amp=1",
    "https://a.example/story?outputType=amp", "https://a.example/story//",
    "https://a-example.cdn.ampproject.org/c/s/a.example/story",
    "https://www.google.com/amp/s/www.a.example/story",
    "https://a.example/story?utm_source=x&utm_medium=y", "https://a.example/story?fbclid=1",
    "https://a.example/story?UTM_Source=x", "https://a.example/story?at_medium=RSS&at_campaign=X",
    "https://a.example/story?mc_cid=1&mc_eid=2&gclid=3", "https://a.example/story?cmpid=x",
    "https://a.example/story?partner=rss&emc=rss", "https://a.example/story?ref=rss",
    "https://a.example/story?", "https://a.example/story?&", "https://A.Example/story#top",
    "https://a.example/story#:~:text=x", "https://a.example/./story", "https://a.example/x/../story",
    "https://user:pass@a.example/story", "https://user@a.example/story",
    "https://:pass@a.example/story", "https://a.example/story?fbclid", "https://a.example/story?fbclid=a=b",
    "https://a.example/story//amp/amp",
)  # fmt: skip


@pytest.mark.parametrize("url", SAME_PAGE)
def test_urls_of_one_page_have_one_canonical_url(url: str) -> None:
    assert urls.canonical(url) == SAME


OTHER_PAGES = (
    "https://a.example/story?id=1", "https://a.example/story?q=a", "https://a.example/story?p=2",
    "https://a.example/story?ref=home", "https://a.example/story?source=ap",
    "https://a.example/story?at=1", "https://a.example/Story", "https://b.example/story",
    "https://a.example/story#!other", "https://a.example:8080/story", "https://a.example/story/2",
    "https://a.example/story.html", "https://a.example/stamp", "https://a.example/story-amp",
    "https://amplify.a.example/story", "https://x.a.example/story",
)  # fmt: skip


@pytest.mark.parametrize("url", OTHER_PAGES)
def test_urls_of_different_pages_have_different_canonical_urls(url: str) -> None:
    assert urls.canonical(url) != SAME


CANONICAL = {
    "https://a.example": "https://a.example/",
    "https://a.example/amp": "https://a.example/amp",
    "https://a.example/X": "https://a.example/X",
    "https://a.example/X/amp": "https://a.example/X",
    "https://a.example/?b=1&utm_x=3&a=2": "https://a.example/?b=1&a=2",
    "https://a.example/x?a=%c3%a9": "https://a.example/x?a=%C3%A9",
    "https://a.example/#!/x/": "https://a.example/#!/x/",
    "https://en.m.wikipedia.org/wiki/A": "https://en.wikipedia.org/wiki/A",
    "https://m.example/x": "https://m.example/x",
    "https://a.example/x.amp.html": "https://a.example/x.html",
    "https://[::1]:8080/x": "https://[::1]:8080/x",
    "http://../x": "",
    "mailto:a@b.example": "",
    "/story": "",
    "https://": "",
    "https://a\ud800.example/": "",
    f"https://a.example/{'x' * 5_000}": "",
    f"https://a.example/{'東' * 1_000}": "",
    "": "",
}


@pytest.mark.parametrize(("url", "expected"), CANONICAL.items(), ids=range(len(CANONICAL)))
def test_canonical(url: str, expected: str) -> None:
    assert urls.canonical(url) == expected


_PARTS = st.sampled_from((
    "www.", "m.", ".m.", "amp.", "a", "b.c", ":80", ":8080", "/", "//", "amp", "/amp/", ".amp",
    ".html", "?", "&", "=", "utm_x=1", "amp=1", "#", "#!", "%41", "%e4", "%2e", ".", "..", "@", "é",
    "\\", "-", "x.cdn.ampproject.org/c/s/", "www.google.com/amp/s/",
))  # fmt: skip
_URLS = st.lists(_PARTS | st.text(max_size=3), max_size=10).map(
    lambda parts: "http://" + "".join(parts)
)


@given(_URLS)
def test_canonical_is_idempotent(url: str) -> None:
    once = urls.canonical(url)
    assert urls.canonical(once) == once
    assert once == "" or once.startswith("https://")


@given(_URLS)
@example("http://www.@www.google.com/amp/s/a.example/x")
def test_an_absolute_url_has_the_canonical_url_of_its_reference(url: str) -> None:
    assert urls.canonical(urls.absolute("", url)) == urls.canonical(url.replace("&amp;", "&"))


def test_tracking_parameters_are_written_as_they_are_compared() -> None:
    for name in (*urls.TRACKING, *urls.TRACKING_PREFIXES, *urls.VARIANTS):
        assert name == name.lower().strip()
    assert not [name for name in urls.TRACKING if name.startswith(urls.TRACKING_PREFIXES)]


IRIS = {
    "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a": True,
    "tag:a.example,2009:1": True,
    "https://a.example/ü?x=1#y": True,
    "http://a.example/%C3%BC": True,
    "yt:video:abc": True,
    "no": False,
    "1234": False,
    "/2009/06/27": False,
    ":x": False,
    "x:": False,
    "c:x": False,
    "a b:x": False,
    "tag:a b": False,
    "tag:<b>": False,
    'tag:"x"': False,
    "tag:100%": False,
    "tag:a\u202eb": False,
    "tag:a\nb": False,
    "http:x": False,
    "https://": False,
    "https:///x": False,
    "tag:a#b#c": False,
    "javascript:alert(1)": False,
    "JavaScript:alert(1)": False,
    "data:text/html,x": False,
    "": False,
}


@pytest.mark.parametrize(("guid", "expected"), IRIS.items(), ids=range(len(IRIS)))
def test_is_iri(guid: str, expected: bool) -> None:
    assert urls.is_iri(guid) is expected
