"""The accent colour in both colour schemes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.pages.assets import STATIC
from aggregator.web.pages.colours import (
    DARK_PAPERS,
    LIGHT_PAPERS,
    MIN_CONTRAST,
    accent_rules,
    contrast,
    readable,
)


@given(st.integers(0, 0xFFFFFF), st.sampled_from([LIGHT_PAPERS, DARK_PAPERS]))
def test_every_accent_is_readable_on_every_paper(colour: int, papers: tuple[str, ...]) -> None:
    shown = readable(f"#{colour:06x}", papers)
    assert min(contrast(shown, paper) for paper in papers) >= MIN_CONTRAST


@pytest.mark.parametrize("accent", ["#b80000", "#00f"])
def test_readable_accent_is_kept_as_written(accent: str) -> None:
    assert readable(accent, LIGHT_PAPERS) == accent


def test_yellow_is_darkened_on_light_paper_only() -> None:
    assert readable("#ffee00", DARK_PAPERS) == "#ffee00"
    shown = readable("#ffee00", LIGHT_PAPERS)
    assert shown != "#ffee00"
    assert "#ffee00" in accent_rules("#ffee00")
    assert f"--accent: {shown}" in accent_rules("#ffee00")


def test_papers_are_those_of_the_stylesheet() -> None:
    css = (STATIC / "style" / "base.css").read_text()
    for paper, raised in (LIGHT_PAPERS, DARK_PAPERS):
        assert f"--paper: {paper}; --raised: {raised};" in css
