"""The entries of the front page."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.pages import front
from tests.web.pages.test_related import make_summary


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.integers(0, 30))
def test_later_candidates_do_not_change_a_varied_section(sources: list[str], size: int) -> None:
    entries = [
        make_summary(100 - age, age=age, source_id=source) for age, source in enumerate(sources)
    ]
    if front._is_varied(entries[:size]):
        assert front._varied(entries[:size]) == front._varied(entries)
