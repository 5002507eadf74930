"""Twelve layouts of sites without a feed, the entries that they have, and selectors for them.

Each is a page or a JSON document with navigation, boxes and footers around its entries, as real
sites have them.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aggregator.models.listing import JsonListing, Listing, PageListing

TOPICS = (
    "Harbour bridge closes for repairs until spring",
    "Council votes to keep the night ferry",
    "Museum shows the maps of the first settlers",
    "Storm damages forty roofs in the old town",
    "Fishermen report the largest catch in a decade",
    "Library opens its reading room on Sundays",
    "Bakers protest against the price of flour",
    "School orchestra wins the national prize",
    "New tram line reaches the northern hills",
    "Lighthouse keeper retires after fifty years",
)
LEADS = tuple(
    f"{topic}, and the people who live there say what it means for them and for the coming months."
    for topic in TOPICS
)
FIRST = datetime(2026, 3, 20, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A site.

    Args:
        body: Its page.
        listing: Selectors written by hand.
        titles: Of its entries, in the order of the page.
        links: Their paths.
        dates: Days of their dates, None where the page has none.
        summaries, images: The begin of their summaries, and the paths of their pictures; empty
            where the layout has none.
        more: Further pages by path.
    """

    name: str
    body: bytes
    listing: Listing
    content_type: str = "text/html; charset=utf-8"
    titles: tuple[str, ...] = TOPICS
    links: tuple[str, ...]
    dates: tuple[datetime | None, ...] = ()
    summaries: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    more: dict[str, bytes] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/{self.name}/"


def day(number: int) -> datetime:
    return FIRST - timedelta(days=number)


DAYS = tuple(day(number) for number in range(len(TOPICS)))


def page(main: str, *, title: str = "Town", lang: str = "en", head: str = "") -> bytes:
    """Wrap the part with entries in a page with navigation, a side bar and a footer."""
    sections = "".join(
        f'<li><a href="/section/{name.lower()}">{name}</a></li>'
        for name in ("Home", "Politics", "Culture", "Sport", "Weather", "Contact")
    )
    popular = "".join(
        f'<li><a href="/popular/{number}">Read again: number {number}</a></li>'
        for number in range(1, 6)
    )
    tags = "".join(f'<a class="tag" href="/tag/{number}">tag{number}</a> ' for number in range(12))
    legal = "".join(f'<li><a href="/legal/{name}">{name}</a></li>' for name in ("Terms", "Privacy"))
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
        f'{head}</head><body><header><a href="/" class="logo"><img src="/logo.png" alt="Town"></a>'
        f'<nav><ul class="menu">{sections}</ul></nav></header><div class="cookies"><p>We use '
        f'cookies.</p><button>Accept</button></div><main id="content">{main}</main>'
        f'<aside class="side"><h3>Most read</h3><ol>{popular}</ol><div class="tags">{tags}</div>'
        f"</aside><footer><ul>{legal}</ul><p>&copy; 2026 Town</p></footer></body></html>"
    ).encode()


def slug(number: int) -> str:
    return "-".join(TOPICS[number].lower().split()[:4])


def _each(template: str, count: int = len(TOPICS)) -> str:
    return "\n".join(
        template.format(
            n=number,
            title=TOPICS[number],
            lead=LEADS[number],
            slug=slug(number),
            iso=f"{day(number):%Y-%m-%d}",
            words=f"{day(number).day} {day(number):%B %Y}",
            dotted=f"{day(number):%d.%m.%Y}",
        )
        for number in range(count)
    )


def _links(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.format(n=number, slug=slug(number)) for number in range(len(TOPICS)))


NEWS_LIST = Layout(
    name="news-list",
    body=page(
        '<h1>News</h1><ul class="news">'
        + _each('<li><span class="date">{words}</span> <a href="/news/{n}-{slug}">{title}</a></li>')
        + "</ul>"
    ),
    listing=PageListing(items="ul.news > li", date=".date"),
    links=_links("/news/{n}-{slug}"),
    dates=DAYS,
)

BLOG = Layout(
    name="blog",
    body=page(
        '<div class="posts">'
        + _each(
            '<article class="post post-{n}"><header><h2 class="entry-title">'
            '<a href="/2026/{slug}/">{title}</a></h2><p class="meta">Posted on '
            '<time datetime="{iso}T08:00:00Z">{words}'
            '</time> by <a href="/author/ada">Ada</a> in <a href="/tag/town">Town</a></p></header>'
            '<div class="entry-summary"><p>{lead}</p><p><a class="more" href="/2026/{slug}/#more">'
            "Read more</a></p></div></article>"
        )
        + "</div>"
    ),
    listing=PageListing(items="article.post", title="h2", summary=".entry-summary p"),
    links=_links("/2026/{slug}/"),
    dates=tuple(each + timedelta(hours=8) for each in DAYS),
    summaries=LEADS,
)

TABLE = Layout(
    name="table",
    body=page(
        "<h1>Notices</h1><table><thead><tr><th>Date</th><th>Notice</th><th>Office</th></tr></thead>"
        "<tbody>"
        + _each(
            '<tr><td>{dotted}</td><td><a href="notice.php?id={n}">{title}</a></td>'
            "<td>Office {n}</td></tr>"
        )
        + "</tbody></table>"
    ),
    listing=PageListing(
        items="tbody tr", title="td:nth-child(2)", date="td:nth-child(1)", link="td a"
    ),
    links=_links("/table/notice.php?id={n}"),
    dates=DAYS,
)

CARDS = Layout(
    name="cards",
    body=page(
        '<div class="grid">'
        + _each(
            '<a class="card css-1x{n}f" href="/story/{slug}"><figure><img src="/img/{n}.jpg" '
            'width="640" height="360" alt=""></figure><div class="card-body"><span class="label">'
            'Town</span><h3>{title}</h3><p class="teaser">{lead}</p><span class="when">{words}'
            "</span></div></a>"
        )
        + "</div>"
    ),
    listing=PageListing(items="a.card", title="h3", date=".when", summary="p.teaser"),
    links=_links("/story/{slug}"),
    dates=DAYS,
    summaries=LEADS,
    images=_links("/img/{n}.jpg"),
)

DEFINITIONS = Layout(
    name="definition-list",
    body=page(
        "<h1>Press releases</h1><dl>"
        + _each('<dt><a href="/press/{n}.html">{title}</a></dt><dd>{words}. {lead}</dd>')
        + "</dl>"
    ),
    listing=PageListing(
        items="dl > dt",
        date="./following-sibling::dd[1]",
        summary="./following-sibling::dd[1]",
    ),
    links=_links("/press/{n}.html"),
    dates=DAYS,
)

NESTED = Layout(
    name="nested",
    body=page(
        '<div class="row"><div class="col"><div class="module"><div class="inner">'
        + _each(
            '<div class="wrap"><div class="box"><div class="media"><a href="/n/{slug}"><img '
            'src="/thumb/{n}.png" alt=""></a></div><div class="text"><div class="kicker">'
            '<a href="/topic/town">Town</a></div><div class="headline"><a href="/n/{slug}">{title}'
            '</a></div><div class="info"><span><i>{iso}</i></span> <a href="/n/{slug}#comments">'
            "12 comments</a></div></div></div></div>"
        )
        + "</div></div></div></div>"
    ),
    listing=PageListing(items="div.box", title=".headline", date=".info i"),
    links=_links("/n/{slug}"),
    dates=DAYS,
    images=_links("/thumb/{n}.png"),
)

LAZY = Layout(
    name="lazy-pictures",
    body=page(
        '<section class="stream">'
        + _each(
            '<div class="tile"><div class="pic">'
            '<img class="lazy" src="data:image/gif;base64,R0lGOD" data-src="/lazy/{n}-small.jpg"'
            ' data-srcset="/lazy/{n}-small.jpg 320w, '
            '/lazy/{n}-large.jpg 1280w"><noscript><img src="/lazy/{n}-noscript.jpg"></noscript>'
            '</div><h4><a href="/lazy/{slug}">{title}</a></h4><p>{lead}</p><small>{words}</small>'
            "</div>"
        )
        + "</section>"
    ),
    listing=PageListing(items="div.tile", date="small", summary="p", image="img.lazy"),
    links=_links("/lazy/{slug}"),
    dates=DAYS,
    summaries=LEADS,
    images=_links("/lazy/{n}-small.jpg"),
)


def _numbered(numbers: range, following: str) -> bytes:
    items = "".join(
        f'<div class="item"><h2><a href="/archive/{number}">Decision number {number} of the '
        f'council</a></h2><time datetime="{day(40 - number):%Y-%m-%d}">x</time></div>'
        for number in numbers
    )
    pager = f'<a rel="next" href="{following}">Older</a>' if following else ""
    return page(f'{items}<div class="pager"><b>1</b> {pager}</div>')


PAGINATION = Layout(
    name="pagination",
    body=_numbered(range(30, 20, -1), "?page=2"),
    listing=PageListing(items="div.item", next="a[rel=next]", pages=3),
    titles=tuple(f"Decision number {number} of the council" for number in range(30, 20, -1)),
    links=tuple(f"/archive/{number}" for number in range(30, 20, -1)),
    dates=tuple(day(40 - number) for number in range(30, 20, -1)),
    more={
        "?page=2": _numbered(range(20, 10, -1), "?page=3"),
        "?page=3": _numbered(range(10, 0, -1), "?page=4"),
        "?page=4": _numbered(range(0, -10, -1), ""),
    },
)

_ARABIC = tuple(f"خبر مهم من المدينة القديمة رقم {number} لهذا اليوم" for number in range(1, 9))
RTL = Layout(
    name="rtl",
    body=page(
        '<div class="akhbar">'
        + "".join(
            f'<div class="khabar"><h3><a href="/ar/{number}">{title}</a></h3><span class="tarikh">'
            f"{20 - number} مارس 2026</span><p>{title}، وهذا ما يقوله سكان المدينة عن الأشهر "
            "القادمة وما تعنيه لهم ولأولادهم.</p></div>"
            for number, title in enumerate(_ARABIC)
        )
        + "</div>",
        lang="ar",
        title="المدينة",
    ).replace(b'<html lang="ar"', b'<html dir="rtl" lang="ar"'),
    listing=PageListing(items="div.khabar", date=".tarikh", summary="p"),
    titles=_ARABIC,
    links=tuple(f"/ar/{number}" for number in range(len(_ARABIC))),
    dates=tuple(day(number) for number in range(len(_ARABIC))),
    summaries=_ARABIC,
)

NO_DATES = Layout(
    name="no-dates",
    body=page(
        "<h1>Essays</h1>"
        + _each('<p class="essay"><a href="/essays/{slug}.html">{title}</a><br>{lead}</p>')
    ),
    listing=PageListing(items="p.essay", title="a"),
    links=_links("/essays/{slug}.html"),
    dates=(None,) * len(TOPICS),
)


def _records() -> list[dict[str, object]]:
    return [
        {
            "id": number,
            "headline": TOPICS[number],
            "url": f"/api-story/{number}",
            "published_at": f"{day(number):%Y-%m-%d}T06:00:00Z",
            "teaser": LEADS[number],
            "images": [{"src": f"/api/{number}.jpg", "width": 800}],
            "author": {"name": "Ada", "url": "/author/ada"},
            "tags": ["town", "news"],
        }
        for number in range(len(TOPICS))
    ]


API = Layout(
    name="json-api",
    body=json.dumps(
        {
            "meta": {"total": 10, "links": ["/a", "/b", "/c"]},
            "data": {"posts": _records(), "sections": [{"name": "Town", "url": "/town"}]},
        }
    ).encode(),
    content_type="application/json",
    listing=JsonListing(
        items="data.posts",
        title="headline",
        link="url",
        date="published_at",
        summary="teaser",
        image="images[0].src",
    ),
    links=_links("/api-story/{n}"),
    dates=tuple(each + timedelta(hours=6) for each in DAYS),
    summaries=LEADS,
    images=_links("/api/{n}.jpg"),
)

SCRIPT = Layout(
    name="json-in-script",
    body=page(
        '<div id="__next"><p>Loading</p></div>'
        "<script>window.dataLayer = window.dataLayer || [];</script>"
        '<script id="__NEXT_DATA__" type="application/json">'
        + json.dumps({"props": {"pageProps": {"feed": {"items": _records()}}}, "buildId": "x"})
        + "</script>"
    ),
    listing=JsonListing(
        script="script#__NEXT_DATA__",
        items="props.pageProps.feed.items",
        title="headline",
        link="url",
        date="published_at",
        summary="teaser",
        image="images[0]",
    ),
    links=_links("/api-story/{n}"),
    dates=tuple(each + timedelta(hours=6) for each in DAYS),
    summaries=LEADS,
    images=_links("/api/{n}.jpg"),
)

LAYOUTS = (
    NEWS_LIST, BLOG, TABLE, CARDS, DEFINITIONS, NESTED, LAZY, PAGINATION, RTL, NO_DATES, API,
    SCRIPT,
)  # fmt: skip
