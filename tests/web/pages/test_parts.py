from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.pages import parts

IDS = st.lists(st.integers(1, 100_000), unique=True, max_size=600)


@given(IDS)
def test_the_pages_of_a_list_are_the_list(ids: list[int]) -> None:
    pages = list(parts.split(ids))
    assert [id for _, page in pages for id in page] == ids
    assert pages[0][0] == 0
    for (_, above), (before, page) in pairwise(pages):
        assert before == above[-1]
        assert parts.ends_page(before)
        assert page
    if len(pages) > 1:
        assert len(pages[0][1]) >= parts.FEWEST


@given(IDS, st.integers(1, 100_000), st.floats(0, 1))
def test_a_new_entry_changes_few_pages(ids: list[int], new: int, place: float) -> None:
    rest = [id for id in ids if id != new]
    at = int(place * len(rest))
    before = dict(parts.split(rest))
    after = dict(parts.split([*rest[:at], new, *rest[at:]]))
    changed = [start for start in {*before, *after} if before.get(start) != after.get(start)]
    assert len(changed) <= 3  # its own, one that it begins, and the next while the first grows


@given(IDS)
def test_each_page_knows_the_one_above(ids: list[int]) -> None:
    starts = [before for before, _ in parts.split(ids)]
    for above, before in pairwise(starts):
        place = ids.index(before)
        assert parts.newer(ids[:place][::-1]) == above


def test_pages_have_the_size_that_is_wanted() -> None:
    for step in (1, 2, 7, parts.SIZE):  # ids of one source are often multiples
        pages = list(parts.split(range(40_000 * step, 0, -step)))
        assert 0.8 * parts.SIZE < 40_000 / len(pages) < 1.25 * parts.SIZE


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [
        ("Weather", parts.FEWEST_NAMED, True),
        ("Weather", parts.FEWEST_NAMED - 1, False),
        ("C++ & C#", 9, True),
        ("é" * 100, 9, True),
        ("é" * 101, 9, False),
        ("a/b", 9, False),
        ("..", 9, False),
        (".hidden", 9, False),
        ("ends in a dot.", 9, False),
        ("Show HN: a colon", 9, False),
        ("back\\slash", 9, False),
        ("a\nb", 9, False),
    ],
)
def test_names_with_a_page(name: str, count: int, expected: bool) -> None:
    assert parts.has_page(name, count) is expected
