import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import ids
from aggregator.models.query import ID


@pytest.mark.parametrize(
    ("title", "url", "id"),
    [
        ("BBC News - World", "https://a.example/", "bbc-news-world"),
        ("Süddeutsche Zeitung", "https://a.example/", "suddeutsche-zeitung"),
        ("Straße nach Łódź", "https://a.example/", "strasse-nach-lodz"),
        ("Publisher’s Weekly", "https://a.example/", "publishers-weekly"),
        ("新聞", "https://www.news.example/feed", "news-example"),
        ("24", "https://feeds.news.example/feed", "news-example"),
        ("", "https://müller.example/feed", "muller-example"),
        ("", "https://xn--80ak6aa92e.example/", "example"),
        ("", "http://[2001:db8::1]:8080/feed", "2001-db8-1"),
        ("", "https://feeds.example/rss", "feeds-example"),
        ("1", "not a URL", "1"),
        ("", "", "source"),
    ],
)
def test_an_id_is_made_from_the_title(title: str, url: str, id: str) -> None:
    assert ids.source_id(title, url, ()) == id


def test_a_long_title_is_cut_between_words() -> None:
    assert ids.source_id("word " * 8, "", ()) == "-".join(["word"] * 8)  # 39 characters
    assert ids.source_id("words " * 8, "", ()) == "-".join(["words"] * 6)
    assert ids.source_id("x" * 41, "", ()) == "x" * 40


def test_a_used_id_gets_a_number() -> None:
    assert ids.section_id("News", {"news", "news-2"}) == "news-3"


@given(st.text(), st.text(), st.sets(st.just("source")))
def test_an_id_is_always_valid(title: str, host: str, taken: set[str]) -> None:
    for id in (
        ids.source_id(title, f"https://{host}/", taken), ids.section_id(title, taken),
    ):  # fmt: skip
        assert ID.fullmatch(id)
        assert id not in taken
