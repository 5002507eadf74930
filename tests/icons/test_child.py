"""The child process reads a picture or a page, and its end is a reason, not a fault of ours."""

import pytest

from aggregator.icons import child
from aggregator.icons.child import Unreadable
from tests.icons.pictures import opened, picture


def test_a_picture_comes_back_as_an_icon() -> None:
    assert opened(child.icon(picture((64, 64), "WEBP"))).size == (32, 32)


def test_a_refused_picture_has_its_reason() -> None:
    with pytest.raises(Unreadable, match="has 300 × 100 pixels and is not square"):
        child.icon(picture((300, 100)))


def test_the_links_of_a_page_come_back() -> None:
    page = b'<base href="/static/"><link rel="shortcut icon" href="i.png?a=1&amp;b=2"><p>text'
    assert child.links(page, "https://news.example/a", "text/html") == (
        "https://news.example/static/i.png?a=1&b=2",
    )


@pytest.mark.parametrize("content_type", ["", "text/html; charset=\0", "-c", "\udcff" * 5])
def test_no_page_breaks_its_reader(content_type: str) -> None:
    assert child.links(b"\0<\xff" * 1000, "https://news.example/", content_type) == ()


def test_a_child_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "SECONDS", 0.001)
    with pytest.raises(Unreadable, match="took too long"):
        child.icon(picture())
