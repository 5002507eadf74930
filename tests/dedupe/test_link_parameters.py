"""Which parameters of links are volatile, on both sides of each condition."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe import link_parameters
from aggregator.dedupe.link_parameters import LastDocument, contradicted, parameters, without
from aggregator.models.entry import Entry, KnownEntry, SafeHtml

DATE = datetime(2009, 6, 27, tzinfo=UTC)
HOST = "https://a.example"


def entry(page: str, title: str = "", *, published: datetime | None = DATE) -> Entry:
    """Return an entry; without a title, that of its path."""
    title = title or page.partition("?")[0].partition(";")[0]
    return Entry(
        guid="", link=HOST + page, canonical_url=HOST + page, title=title, summary="",
        content=SafeHtml(""), published=published, updated=None, fingerprint=title.encode(),
    )  # fmt: skip


def document(*pages: str) -> list[Entry]:
    return [entry(page) for page in pages]


def stored(entries: Sequence[Entry]) -> list[KnownEntry]:
    return [
        KnownEntry(
            id=number,
            guid=each.guid,
            canonical_url=each.canonical_url,
            title=each.title,
            fingerprint=each.fingerprint,
            published=each.published,
        )
        for number, each in enumerate(entries, 1)
    ]


def found(
    before: Sequence[Entry], incoming: Sequence[Entry], kept: Sequence[int] = ()
) -> frozenset[str]:
    return link_parameters.volatile(incoming, LastDocument(entries=stored(before), kept=kept))


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        (["/a?sid=1", "/b?sid=1"], ["/a?sid=2", "/b?sid=2"], {"sid"}),
        (["/a?id=7&sid=1", "/b?id=8&sid=1"], ["/a?id=7&sid=2", "/b?id=8&sid=2"], {"sid"}),
        (["/a?sid=1&t=5", "/b?sid=1&t=5"], ["/a?sid=2&t=6", "/b?sid=2&t=6"], {"sid", "t"}),
        (["/a;jsessionid=X", "/b;jsessionid=X"], ["/a;jsessionid=Y", "/b;jsessionid=Y"],
         {";jsessionid"}),
        (["/a?1751", "/b?1751"], ["/a?1752", "/b?1752"], {""}),
        (["/a", "/b"], ["/a?sid=2", "/b?sid=2"], {"sid"}),
        (["/a?sid=1", "/b?sid=2"], ["/a?sid=3", "/b?sid=4"], {"sid"}),
        (["/a?sid=1", "/b?sid=1", "/c?sid=1"], ["/a?sid=2", "/b?sid=2", "/n?sid=2"], {"sid"}),
    ],
)  # fmt: skip
def test_parameter_that_changes_in_equal_entries_is_volatile(
    before: list[str], now: list[str], names: set[str]
) -> None:
    assert found(document(*before), document(*now)) == names


def test_one_entry_of_several_is_not_enough() -> None:
    before = document("/a?sid=1", "/b?sid=1")
    assert found(before, document("/a?sid=2", "/n?sid=2")) == set()


def test_entry_that_keeps_its_value_shows_that_it_is_an_id() -> None:
    before = document("/a?v=1", "/b?v=1", "/c?v=1")
    changed = document("/a?v=2", "/b?v=2")
    assert found(before, [*changed, entry("/c?v=1")]) == set()
    assert found(before, changed, kept=[3]) == set()
    assert found(before, changed) == {"v"}


def test_parameter_that_distinguishes_two_entries_of_a_document_is_an_id() -> None:
    before = document("/a?id=1", "/b?id=1")
    two = [*document("/a?id=2", "/b?id=2"), entry("/a?id=3", "Another")]
    assert found(before, two) == set()
    assert found([*before, entry("/a?id=0", "Another")], two[:2]) == set()
    assert found(before, two[:2]) == {"id"}


@pytest.mark.parametrize(
    "second",
    [
        replace(entry("/b?sid=2"), title="Other"),
        replace(entry("/b?sid=2"), fingerprint=b"Other"),
        replace(entry("/b?sid=2"), published=None),
    ],
)
def test_entries_with_another_title_text_or_date_are_no_evidence(second: Entry) -> None:
    assert found(document("/a?sid=1", "/b?sid=1"), [*document("/a?sid=2"), second]) == set()


def test_entries_on_another_page_are_no_evidence() -> None:
    before = [entry("/a?sid=1", "A"), entry("/b?sid=1", "B")]
    assert found(before, [entry("/a?sid=2", "A"), entry("/c?sid=2", "B")]) == set()


def test_entries_that_repeat_each_other_are_no_evidence() -> None:
    """Any of them could be the same: of three untitled posts, two are left and one is new."""
    before = [entry(f"/{page}?id={n}", "Untitled") for n, page in enumerate("aab")]
    now = [entry(f"/{page}?id={n}", "Untitled") for n, page in enumerate("aab", 1)]
    assert found(before, now) == set()


@pytest.mark.parametrize(
    ("value", "published", "names"),
    [
        ("17", None, set()),
        ("1234567", None, set()),
        ("12345678", None, {"id"}),
        ("17", DATE, {"id"}),
    ],
)
def test_only_entry_of_a_document_needs_a_date_or_a_token(
    value: str, published: datetime | None, names: set[str]
) -> None:
    before = [entry(f"/alarm?id={value}", published=published)]
    now = [entry(f"/alarm?id={value[::-1]}", published=published)]
    assert found(before, now) == names


def test_names_are_bounded() -> None:
    def pages(value: int, count: int, length: int = 1) -> list[Entry]:
        query = "&".join(f"{'s' * length}{n}={value}" for n in range(count))
        return document(f"/a?{query}", f"/b?{query}")

    most, longest = link_parameters.MOST, link_parameters.LONGEST_NAME
    assert len(found(pages(1, most), pages(2, most))) == most
    assert found(pages(1, most + 1), pages(2, most + 1)) == set()
    assert len(found(pages(1, 1, longest - 1), pages(2, 1, longest - 1))) == 1
    assert found(pages(1, 1, longest), pages(2, 1, longest)) == set()


def test_known_parameter_is_contradicted_by_two_texts_on_one_page() -> None:
    two = [entry("/a?id=1&sid=9", "One"), entry("/a?id=2&sid=9", "Two")]
    assert contradicted({"id", "sid"}, two) == {"id"}
    assert contradicted({"id", "sid"}, [two[0], replace(two[1], fingerprint=b"One")]) == set()
    assert contradicted({"sid"}, two) == set()


@pytest.mark.parametrize(
    ("link", "names", "left"),
    [
        ("/a?sid=1", {"sid"}, "/a"),
        ("/a?id=1&sid=2&p=3", {"sid"}, "/a?id=1&p=3"),
        ("/a?sid=2&id=1#!x", {"sid"}, "/a?id=1#!x"),
        ("/a?xsid=1", {"sid"}, "/a?xsid=1"),
        ("/a;sid=1", {"sid"}, "/a;sid=1"),
        ("/a;sid=1/b;v=2?sid=3", {";sid"}, "/a/b;v=2?sid=3"),
        ("/a?12&id=1", {""}, "/a?id=1"),
        ("/a?sid=1#?sid=1", {"sid"}, "/a#?sid=1"),
    ],
)
def test_links_without_parameters(link: str, names: set[str], left: str) -> None:
    assert without(HOST + link, names) == HOST + left


words = st.text("ab1", max_size=3)
links = st.builds(
    lambda path, query: f"{HOST}/{path}?{query}" if query else f"{HOST}/{path}",
    st.lists(st.tuples(words, words), max_size=3).map(
        lambda pairs: "p" + "".join(f";{name}={value}" for name, value in pairs)
    ),
    st.lists(st.tuples(words, words), max_size=3).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
    ),
)


@given(links, st.sets(st.sampled_from(["a", "b", ";a", ";b", ""])))
def test_a_link_loses_the_named_parameters_and_no_other(link: str, names: set[str]) -> None:
    left = without(link, names)
    assert without(left, names) == left
    kept = {name: values for name, values in parameters(link).items() if name not in names}
    assert parameters(left) == kept
