"""Keys about the content: sections, sources and views, and the rules in them."""

from aggregator.config.keys.listings import JSON, PAGE
from aggregator.config.keys.service import LIMITS, PROXY
from aggregator.config.keys.site import LANGUAGE
from aggregator.config.kinds import Block, Boolean, Choice, Integer, Key, ListOf, Text
from aggregator.config.values import (
    TOKEN,
    CertificateFile,
    CookieFile,
    Duration,
    Expression,
    Headers,
    QueryText,
    Retention,
    Selector,
    TitleTemplate,
    Url,
    ZoneName,
)
from aggregator.models import query
from aggregator.models.config import Content

CONTENT = Choice(values=tuple(Content))

FULL_TEXT = Block(
    noun="full_text",
    keys=(
        Key(
            name="select",
            kind=Selector(),
            help="Elements that hold the text; by default it is found by the shape of the page.",
            example="select: 'article .story'",
        ),
        Key(
            name="remove",
            kind=ListOf(expected="a list of CSS selectors", item=Selector()),
            help="Elements that do not belong to the text.",
            example="remove: ['.related', 'aside']",
        ),
    ),
)

CREDENTIALS = Block(
    noun="credentials",
    keys=(
        Key(
            name="username",
            kind=Text(expected="a user name", longest=500, pattern="[^:\r\n]+", secret=True),
            help="User name of HTTP Basic; needs a `password`.",
            example="username: reader",
        ),
        Key(
            name="password",
            kind=Text(expected="a password", longest=500, pattern=r"[^\r\n]+", secret=True),
            help="Password of HTTP Basic.",
            example="password: '${FEED_PASSWORD}'",
        ),
        Key(
            name="bearer",
            kind=Text(
                expected="a token", longest=4_000, pattern="[A-Za-z0-9._~+/-]+=*", secret=True
            ),
            help="Token, sent as `Authorization: Bearer …`.",
            example="bearer: '${FEED_TOKEN}'",
        ),
    ),
)

TRANSFORM = Block(
    noun="a transform",
    keys=(
        Key(
            name="title",
            kind=Expression(),
            help="Regular expression to find in titles.",
            example="title: ' [|] The Example$'",
        ),
        Key(
            name="content",
            kind=Expression(),
            help="Regular expression to find in the HTML of contents, and in summaries.",
            example="content: '<p>Read more.*?</p>'",
        ),
        Key(
            name="replace",
            kind=Text(longest=500, is_blank_allowed=True),
            help="What replaces each match; `\\1` is the first group.",
            default='""',
            example="replace: ''",
        ),
    ),
)

RETRACTED = Choice(values=("show", "hide"))

FIELDS = ("title", "summary", "content", "author", "category", "link")
"""The fields that rules can match."""


def _id(noun: str) -> Text:
    return Text(
        expected="an id",
        remedy="Write small letters, digits, dots, dashes and underscores, at most 64.",
        pattern=query.ID.pattern,
        declares=noun,
    )


RULE = Block(
    noun="a rule",
    single=True,
    keys=(
        *(
            Key(
                name=name,
                kind=Expression(),
                help=f"Regular expression to find in the {name}.",
                example=f"{name}: football",
            )
            for name in FIELDS
        ),
        Key(
            name="words",
            kind=Text(longest=500),
            help="Words or phrases, comma-separated; one must occur in title, summary or content.",
            example="words: horoscope, crossword",
        ),
    ),
)

KEEP = Key(
    name="keep",
    kind=ListOf(expected="a list of rules", item=RULE),
    help="Show only entries that match one of these rules.",
    example="keep: [{title: '\\bclimate\\b'}]",
)

DROP = Key(
    name="drop",
    kind=ListOf(expected="a list of rules", item=RULE),
    help="Hide entries that match one of these rules.",
    example="drop: [{category: '^Sport$'}, {words: horoscope}]",
)

RULES = Key(
    name="rules",
    kind=ListOf(
        expected="a list of rules with actions",
        item=Block(
            noun="a rule",
            keys=(
                Key(
                    name="when",
                    kind=RULE,
                    help="Rule that an entry must match.",
                    required=True,
                    example="when: {title: climate}",
                ),
                Key(
                    name="category",
                    kind=Text(longest=100),
                    help="Category to add.",
                    example="category: Climate",
                ),
                Key(
                    name="section",
                    kind=Text(refers_to="section"),
                    help="Section to show it in instead of the source's sections.",
                    example="section: europe",
                ),
                Key(
                    name="priority",
                    kind=Boolean(),
                    help="Mark as important: it leads the front page, and `has=priority` finds it.",
                    default="false",
                    example="priority: true",
                ),
            ),
        ),
    ),
    help="Change entries that match a rule.",
    example="rules: [{when: {title: eurovision}, category: Music, section: europe}]",
)

SECTION = Block(
    noun="a section",
    keys=(
        Key(
            name="id",
            kind=_id("section"),
            help="Name in addresses: `/section/europe`.",
            required=True,
            example="id: europe",
        ),
        Key(
            name="title",
            kind=Text(longest=200),
            help="Name shown to readers.",
            required=True,
            example="title: Europe",
        ),
        Key(
            name="description",
            kind=Text(),
            help="One line about the region or topic.",
            example="description: From the Atlantic to the Urals",
        ),
        Key(
            name="content",
            kind=CONTENT,
            help=(
                "As in `defaults`, for its sources. Of several sections of a source, the one that "
                "shows least wins: `link`, `excerpt`, `feed`, `full`."
            ),
            example="content: excerpt",
        ),
        Key(
            name="retracted",
            kind=RETRACTED,
            help="As in `defaults`, for its sources. Of several sections of a source, `hide` wins.",
            example="retracted: hide",
        ),
        KEEP,
        DROP,
        RULES,
    ),
)

SOURCE = Block(
    noun="a source",
    keys=(
        Key(
            name="id",
            kind=_id("source"),
            help="Stable name; the history stays with it when the URL changes. If `id` changes and"
            " the URL stays, the source is renamed: its history goes along, and its old addresses"
            " redirect.",
            required=True,
            example="id: bbc-world",
        ),
        Key(
            name="url",
            kind=Url(declares="source"),
            help=(
                "URL of an RSS, Atom or JSON feed, or of a page that links one. With `page`, `json`"
                " or `sitemap`, that of the page, document or sitemap."
            ),
            required=True,
            example="url: https://feeds.bbci.co.uk/news/world/rss.xml",
        ),
        Key(
            name="title",
            kind=Text(longest=200),
            help="Name shown to readers; by default the feed's title.",
            example="title: BBC World",
        ),
        Key(
            name="sections",
            kind=ListOf(expected="a list of section ids", item=Text(refers_to="section")),
            help="Sections that show its entries.",
            example="sections: [world, europe]",
        ),
        Key(
            name="content",
            kind=CONTENT,
            help="As in `defaults`; overrides the setting of its sections.",
            example="content: full",
        ),
        Key(
            name="full_text",
            kind=FULL_TEXT,
            help="Where the text is on the pages of its entries, for `content: full`.",
            example="full_text: {select: 'article .story', remove: ['.related']}",
        ),
        Key(
            name="page",
            kind=PAGE,
            help="For a site without a feed: `url` is a page, and its entries are found on it.",
            example="page: {items: article, title: h2, link: h2 a, date: time}",
        ),
        Key(
            name="json",
            kind=JSON,
            help="For a JSON API, or a page with JSON in it: entries are found in the JSON.",
            example="json: {items: data.posts, title: headline, link: url, date: published_at}",
        ),
        Key(
            name="sitemap",
            kind=Boolean(),
            help="`url` is a sitemap or an index of sitemaps, plain or gzipped.",
            default="false",
            example="sitemap: true",
        ),
        Key(
            name="every",
            kind=Duration(),
            help="Polling interval; may be shorter than `defaults.min_interval`.",
            example="every: 1m",
        ),
        Key(
            name="retention",
            kind=Retention(),
            help="How long an entry is kept after it has left the feed, or `forever`.",
            example="retention: 30d",
        ),
        Key(
            name="retracted",
            kind=RETRACTED,
            help="As in `defaults`; overrides the setting of its sections.",
            example="retracted: hide",
        ),
        Key(
            name="enabled",
            kind=Boolean(),
            help="Poll it; entries of a disabled source stay.",
            default="true",
            example="enabled: true",
        ),
        Key(
            name="items",
            kind=Integer(least=1, most=10_000),
            help="Most items taken of its document, from the beginning; by default all.",
            example="items: 30",
        ),
        Key(
            name="language",
            kind=LANGUAGE,
            help="Language of its entries, whatever the feed says.",
            example="language: pt-br",
        ),
        Key(
            name="timezone",
            kind=ZoneName(),
            help="Zone of dates that name none; by default UTC.",
            example="timezone: America/Sao_Paulo",
        ),
        Key(
            name="transforms",
            kind=ListOf(expected="a list of transforms", item=TRANSFORM),
            help="Replacements in the titles and contents of new and changed entries, in order.",
            example="transforms: [{title: '^Exclusive: ', replace: ''}]",
        ),
        Key(
            name="title_template",
            kind=TitleTemplate(),
            help=(
                "Title of new and changed entries, made of `{title}`, `{author}`, `{category}`, "
                "`{summary}` and `{feed}`."
            ),
            example="title_template: '{author}: {title}'",
        ),
        Key(
            name="limits",
            kind=LIMITS,
            help="Limits of its polls, where they differ from `defaults.limits`.",
            example="limits: {total: 2m, body: 50MB}",
        ),
        Key(
            name="proxy",
            kind=PROXY,
            help="Proxy for its requests, in place of `network.proxy`.",
            example="proxy: socks5h://proxy.lan:1080",
        ),
        Key(
            name="user_agent",
            kind=Text(
                expected="a User-Agent",
                remedy="Write visible ASCII characters on one line.",
                pattern="[!-~]([ !-~]*[!-~])?",
                longest=500,
            ),
            help="User-Agent header, in place of our own, which names us to publishers.",
            example="user_agent: ExampleReader/1.0",
        ),
        Key(
            name="cookies",
            kind=CookieFile(),
            help=(
                "Path of a file of cookies in Netscape's format (`cookies.txt`), read with the "
                "configuration. Each cookie is sent to its own hosts; expired ones are left out."
            ),
            example="cookies: cookies.txt",
        ),
        Key(
            name="ca",
            kind=CertificateFile(),
            help=(
                "Path of a PEM file of authorities to trust for its host, in place of the "
                "system's; in a cluster, on each worker."
            ),
            example="ca: home-ca.pem",
        ),
        Key(
            name="insecure",
            kind=Boolean(),
            help=(
                "Accept any certificate of its host, so that anyone on the way can change the "
                "feed. The status page warns. Use `ca` instead where you can."
            ),
            default="false",
            example="insecure: true",
        ),
        Key(
            name="credentials",
            kind=CREDENTIALS,
            help="User name and password, or a token; never shown, and sent to its host only.",
            example="credentials: {username: reader, password: '${FEED_PASSWORD}'}",
        ),
        Key(
            name="headers",
            kind=Headers(),
            help="Header fields sent to this source; never shown.",
            example="headers: {X-Api-Key: '${TOKEN}'}",
        ),
        KEEP,
        DROP,
        RULES,
        Key(
            name="retry_after",
            kind=Choice(values=("host", "source")),
            help=(
                "Apply a server's Retry-After to all sources of its host, or to this source only."
            ),
            default="host",
            example="retry_after: host",
        ),
        Key(
            name="priority",
            kind=Integer(least=0, most=100),
            help="In views with `lead=priority`, the source with the highest number leads a story.",
            default="0",
            example="priority: 10",
        ),
        Key(
            name="private",
            kind=Boolean(),
            help=(
                "Masks the query of `url` as `***` on pages, in feeds, the API, OPML and logs."
                " Values from `${NAME}` and a password in a URL are always masked."
            ),
            default="false",
            example="private: true",
        ),
    ),
)

VIEW = Block(
    noun="a view",
    keys=(
        Key(
            name="id",
            kind=_id("view"),
            help="Name in addresses: `/view/nato`.",
            required=True,
            example="id: nato",
        ),
        Key(
            name="title",
            kind=Text(longest=200),
            help="Name shown to readers.",
            required=True,
            example="title: Nato",
        ),
        Key(
            name="query",
            kind=QueryText(),
            help="The entries to show, as query parameters.",
            required=True,
            example='query: "q=nato&section=europe"',
        ),
        Key(
            name="description",
            kind=Text(),
            help=(
                "One line about the view, for its page and feeds. The page is its profile: "
                "frequent names, sources, entries by day and the most covered stories."
            ),
            example="description: News of the alliance",
        ),
        Key(
            name="token",
            kind=TOKEN,
            help=(
                "Makes the view private: its page and feeds require `?token=…` in the address or "
                "`Authorization: Bearer …`."
            ),
            example="token: only-for-the-night-desk",
        ),
        KEEP,
        DROP,
    ),
)
