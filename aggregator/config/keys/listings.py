"""Keys of sources without a feed: where the entries are on a page or in JSON."""

from aggregator.config.kinds import Block, Integer, Key
from aggregator.config.selectors import ElementSelector, JsonPath, JsonText
from aggregator.models.listing import LONGEST_CHAIN

_PAGES = Key(
    name="pages",
    kind=Integer(least=1, most=LONGEST_CHAIN),
    help="Pages to read at most, while all entries on them are new. Needs `next`.",
    default="5",
    example="pages: 3",
)


def _inside(name: str, help: str, example: str) -> Key:
    return Key(name=name, kind=ElementSelector(inside=True), help=help, example=example)


PAGE = Block(
    noun="page",
    keys=(
        Key(
            name="items",
            kind=ElementSelector(),
            help="One element for each entry.",
            required=True,
            example="items: 'ul.news > li'",
        ),
        _inside(
            "title",
            "Its title; by default the first heading, else the text of the link.",
            "title: h2",
        ),
        _inside(
            "link",
            "The link to its page; by default that of the title, else the first.",
            "link: h2 a",
        ),
        _inside(
            "date",
            "Its date, in words or in `datetime`; by default the first `time` element.",
            "date: .date",
        ),
        _inside("summary", "Its summary, with its markup; by default none.", "summary: p.lead"),
        _inside("image", "Its picture; by default the first.", "image: figure img"),
        Key(
            name="next",
            kind=ElementSelector(),
            help="The link to the next page of older entries.",
            example="next: a[rel=next]",
        ),
        _PAGES,
    ),
)
"""Selectors for a page: CSS, which may end in `::text` or `::attr(name)`, or XPath."""


def _path(name: str, help: str, example: str, *, required: bool = False) -> Key:
    return Key(name=name, kind=JsonPath(), help=help, required=required, example=example)


JSON = Block(
    noun="json",
    keys=(
        _path("items", "The list of entries.", "items: data.posts", required=True),
        _path("title", "Its title, in an entry.", "title: headline", required=True),
        _path("link", "The URL of its page.", "link: url"),
        _path("date", "Its date: text, or seconds or milliseconds since 1970.", "date: published"),
        _path("summary", "Its summary or text: plain or HTML.", "summary: teaser"),
        _path("image", "The URL of its picture.", "image: 'images[0].src'"),
        _path("next", "The URL of the next document, in the whole JSON.", "next: paging.next"),
        _PAGES,
        Key(
            name="script",
            kind=ElementSelector(),
            help="The script element that holds the JSON, if `url` is a page.",
            example="script: 'script#__NEXT_DATA__'",
        ),
        Key(
            name="post",
            kind=JsonText(),
            help="Send this JSON with POST; without it, the request is a GET.",
            example="""post: '{"query": "{ posts { headline url } }"}'""",
        ),
    ),
)
"""JMESPath expressions for a JSON document."""
