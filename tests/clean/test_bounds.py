"""Markup that hides its tags from a simple scan is costly all the same."""

import pytest

from aggregator.clean.html import bounds

DEEP = "<div>" * 2_000
REOPENED = "".join(f"<b id=a{number}>" for number in range(300)) + "<p>x" * 300


@pytest.mark.parametrize("rest", [DEEP, REOPENED], ids=["deep", "reopened"])
@pytest.mark.parametrize(
    "start",
    [
        "",
        '<i =">',
        "<i a/=>",
        '<a"=">',
        "<x y = =>",
        "<script></scriptx><!--</script>",
        "<script><!--<script></script><!--</script></script>",
        "<svg><![CDATA[<!--]]>",
        "<?<!-- >",
        "</ <!-- >",
        "<!x<!-- >",
        "<!--x--!><p>",
        '<textarea x="</textarea><!--"></textarea>',
        "<select><style></select>",
        "<svg><title>",
        "<math><xmp>",
    ],
)
def test_tags_can_not_be_hidden(start: str, rest: str) -> None:
    assert bounds.is_costly(start + rest)


@pytest.mark.parametrize(
    "ordinary",
    [
        '<p class="a=b">x</p>',
        "<a href=x?a=b title='>'>y</a>",
        "<svg><title>x</title></svg><p>a<br>b</p>",
        '<script>if(a<b && "x")</script><p>y</p>',
        "<!-- x --><p>a</p>",
        "<iframe src=a></iframe><p>",
        "<p>a < b</p>",
    ],
)
def test_ordinary_markup_is_not_costly(ordinary: str) -> None:
    assert not bounds.is_costly(ordinary * 400)
