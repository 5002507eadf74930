"""The icons of a page, in the order in which to try them."""

import pytest

from aggregator.parse.icon_links import MOST_ICONS, icons

URL = "https://news.example/a/b"


def found(page: str) -> list[str]:
    return [
        url.removeprefix("https://news.example")
        for url in icons(page.encode(), url=URL, content_type="text/html", size=32)
    ]


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        pytest.param('<link rel="icon" href="/i.png">', ["/i.png"], id="plain"),
        pytest.param('<LINK REL="Shortcut ICON" HREF="i.ico">', ["/a/i.ico"], id="old"),
        pytest.param('<base href="/x/"><link rel=icon href=i.png>', ["/x/i.png"], id="base"),
        pytest.param(
            '<link rel=icon sizes=16x16 href=/16><link rel=icon sizes=192x192 href=/192>'
            '<link rel=icon sizes="32x32" href=/32>',
            ["/32", "/192", "/16"],
            id="the smallest that is large enough",
        ),
        pytest.param(
            '<link rel=apple-touch-icon href=/touch><link rel=icon sizes=16x16 href=/16>'
            '<link rel="shortcut icon" href=/any>',
            ["/any", "/touch", "/16"],
            id="telephones before small ones",
        ),
        pytest.param(
            '<link rel=icon type="image/svg+xml" href=/i><link rel=icon href=/i.svg?v=2>'
            '<link rel="mask-icon" href=/m.png>',
            [],
            id="no drawings",
        ),
        pytest.param(
            '<link rel=icon href="data:image/png;base64,AAAA"><link rel=icon href="javascript:x">'
            '<link rel=icon href=""><link rel=icon href="http://[">',
            [],
            id="no other schemes",
        ),
        pytest.param('<link rel=icon href="/i"><link rel=icon href="/i#x">', ["/i"], id="once"),
        pytest.param('<link rel=stylesheet href="/icon.png">', [], id="other links"),
        pytest.param("".join(f"<link rel=icon href=/{n}>" for n in range(9)),
                     ["/0", "/1", "/2"][:MOST_ICONS], id="few"),
        pytest.param(f'<link rel=icon href="/{"x" * 2000}">', [], id="too long"),
        pytest.param("", [], id="empty"),
    ],
)  # fmt: skip
def test_icons_of_a_page(page: str, urls: list[str]) -> None:
    assert found(page) == urls
