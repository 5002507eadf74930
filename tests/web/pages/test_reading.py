"""Picture, film, reading time and summaries of an entry; directions of texts."""

from dataclasses import replace

import pytest

from aggregator.models.entry import Enclosure, Image, SafeHtml
from aggregator.web.pages import direction, presenters, reading
from tests.web.pages.test_related import make_summary
from tests.web.sample_store import make_entry

PICTURE = Image(url="https://a.example/p/hill.jpg?width=960")


@pytest.mark.parametrize(("count", "minutes"), [(199, 0), (200, 1), (344, 1), (346, 2), (2300, 10)])
def test_reading_time_counts_words(count: int, minutes: int) -> None:
    assert reading.minutes("word " * count) == minutes


def test_reading_time_counts_two_characters_of_a_script_without_spaces_as_a_word() -> None:
    assert reading.minutes("雪" * 920) == 2
    assert reading.minutes("雪" * 399) == 0


@pytest.mark.parametrize(
    ("text", "is_played", "expected"),
    [
        ("word " * 119, False, True),
        ("word " * 120, False, False),
        ("word " * 119, True, False),
        ("word " * 500 + "and then …", True, True),
        ("word " * 500 + "[...]", False, True),
        ("word " * 500 + "Continue reading →", False, True),
        ("word " * 500 + "they liked to spread more", False, False),
    ],
)
def test_short_and_cut_texts_are_summaries(text: str, is_played: bool, expected: bool) -> None:
    assert reading.is_summary(replace(make_entry(1), text=text), is_played=is_played) is expected


def test_short_post_without_a_title_is_no_summary() -> None:
    assert not reading.is_summary(replace(make_entry(1), title="", text="Bread."), is_played=False)


PICTURES = (
    '<p><img src="/1.png"></p><a title="<img a>" href="/x"><img alt="<img b>" src="/2.png"></a>'
)


def test_first_picture_of_a_text_loads_first_and_the_others_late() -> None:
    """What looks like a tag in an attribute stays as it is."""
    made = reading.in_loading_order(SafeHtml(PICTURES), has_picture_above=False)
    assert made == (
        '<p><img src="/1.png" fetchpriority="high"></p><a title="<img a>" href="/x">'
        '<img alt="<img b>" src="/2.png" loading="lazy"></a>'
    )


def test_pictures_of_a_text_load_late_below_another() -> None:
    made = reading.in_loading_order(SafeHtml(PICTURES), has_picture_above=True)
    assert made.count('loading="lazy"') == 2
    assert "fetchpriority" not in made


@pytest.mark.parametrize(
    ("content", "above", "rest"),
    [
        pytest.param("<p>Text</p>", True, "<p>Text</p>", id="not in the text"),
        pytest.param(
            '<p>Text</p><img src="https://a.example/p/hill.jpg?width=300&amp;q=1">', False, None,
            id="other query",
        ),
        pytest.param(
            '<p>Text</p><img src="https://a.example/p/hill-300x200.jpg" alt="">', False, None,
            id="other size in the name",
        ),
        pytest.param(
            '<p>Text</p><img src="https://a.example/p/hall.jpg?width=960">', True, None,
            id="another picture",
        ),
        pytest.param(
            '<p><img src="https://a.example/p/hill.jpg" alt=""></p><p>Text</p>', False, None,
            id="opens the text",
        ),
    ],
)  # fmt: skip
def test_picture_is_not_shown_twice(content: str, above: bool, rest: str | None) -> None:
    entry = replace(make_entry(1), image=PICTURE, content=SafeHtml(content))
    shown = reading.picture_and_content(entry)
    assert shown == (PICTURE if above else None, content if rest is None else rest)


def test_picture_that_opens_the_text_moves_up_to_its_caption() -> None:
    image = replace(PICTURE, credit="A. Photographer")
    opening = '<p><img src="https://a.example/p/hill.jpg?w=1" alt="A &gt; B"></p>'
    entry = replace(make_entry(1), image=image, content=SafeHtml(f"{opening}<p>Text</p>"))
    assert reading.picture_and_content(entry) == (image, "<p>Text</p>")
    twice = replace(entry, content=SafeHtml(f"{opening}<p>Text</p>{opening}"))
    assert reading.picture_and_content(twice) == (None, twice.content)


def test_pictures_of_a_script_are_told_apart_by_their_query() -> None:
    image = Image(url="https://a.example/picture?id=1")
    content = SafeHtml('<img src="https://a.example/picture?id=2">')
    entry = replace(make_entry(1), image=image, content=content)
    assert reading.picture_and_content(entry)[0] == image


@pytest.mark.parametrize(
    ("link", "film"),
    [
        ("https://www.youtube.com/watch?v=abcdefghijk", True),
        ("https://www.youtube.com/watch?list=x&v=abcdefghijk", True),
        ("https://youtu.be/abcdefghijk?t=3", True),
        ("https://vimeo.com/1234567", True),
        ("https://tube.example/w/9c9de5e8-0a1e-484a-b099-e80766180a6d", True),
        ("https://www.youtube.com/watch?v=short", False),
        ("https://www.youtube.com/@channel", False),
        ("https://evil.example/?https://youtu.be/abcdefghijk", False),
    ],
)
def test_film_is_known_by_the_link(link: str, film: bool) -> None:
    assert reading.film(replace(make_entry(1), link=link)) == (link if film else "")


def test_player_of_another_site_is_a_film_and_no_file() -> None:
    player = Enclosure(
        url="https://www.youtube.com/v/abcdefghijk?version=3", type="application/x-shockwave-flash"
    )
    entry = replace(make_entry(1), enclosures=(player,))
    assert reading.film(entry) == "https://www.youtube.com/watch?v=abcdefghijk"
    assert presenters.clips(entry) == ()


def test_untitled_post_shows_its_first_words_once() -> None:
    words = [f"word{number}" for number in range(30)]
    post = replace(make_summary(1), title="", summary=" ".join(words))
    item = presenters.entry_item(post, {}, sections={})
    assert item.title == " ".join(words[:12]) + "…"
    assert item.excerpt == "…" + " ".join(words[12:])
    short = presenters.entry_item(replace(post, summary="Bread."), {}, sections={})
    assert (short.title, short.excerpt, short.is_untitled) == ("Bread.", "", True)


def test_untitled_post_without_spaces_is_cut() -> None:
    post = replace(make_summary(1), title="", summary="雪" * 300)
    item = presenters.entry_item(post, {}, sections={})
    shown = item.title.removesuffix("…")
    assert 0 < len(shown) < 100
    assert item.excerpt == "…" + "雪" * (300 - len(shown))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello", "", "ltr"),
        ("2009: مرحبا", "", "rtl"),
        ("שלום world", "en", "rtl"),
        ("Reuters في لندن", "ar", "ltr"),
        ("2009", "ar-EG", "rtl"),
        ("", "", "ltr"),
    ],
)
def test_direction_is_that_of_the_first_letter(text: str, language: str, expected: str) -> None:
    assert direction.of(text, language) == expected
