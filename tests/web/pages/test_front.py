"""What stands on the front page."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.pages import front
from tests.web.pages.test_presenters import make_listed


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.integers(0, 30))
def test_what_is_varied_enough_is_not_changed_by_what_is_behind_it(
    sources: list[str], size: int
) -> None:
    found = [
        make_listed(100 - age, age=age, source_id=source) for age, source in enumerate(sources)
    ]
    if front._is_varied(found[:size]):
        assert front._varied(found[:size]) == front._varied(found)
