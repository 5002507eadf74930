"""The table of keys: what a configuration file may say.

Reading and checking, the JSON Schema and docs/configuration.md are all made from it: a new
setting is a row here, a field in `model` and a line in `file`.
"""

from aggregator.config.kinds import Block, Boolean, Choice, Either, Integer, Key, ListOf, Text
from aggregator.config.values import (
    Address,
    Duration,
    Expression,
    Headers,
    Hub,
    Logo,
    QueryText,
    Size,
    Url,
    ZoneName,
)
from aggregator.models import query

FIELDS = ("title", "summary", "content", "author", "category", "link")
"""What keep and drop rules look at."""


def _id(noun: str) -> Text:
    return Text(
        words="an id",
        remedy="Write small letters, digits, dots, dashes and underscores, at most 64.",
        pattern=query.ID.pattern,
        declares=noun,
    )


ZONE = Block(
    noun="a time zone",
    keys=(
        Key(
            name="zone",
            kind=ZoneName(),
            help="The zone's IANA name.",
            required=True,
            example="zone: Europe/London",
        ),
        Key(
            name="label",
            kind=Text(longest=40),
            help="What stands after the time; by default the last part of the name.",
            example="label: UK",
        ),
    ),
)

SITE = Block(
    noun="site",
    keys=(
        Key(
            name="title",
            kind=Text(longest=200),
            help="The name of the site, in the masthead and in feeds.",
            default="Feed aggregator",
            example="title: World News",
        ),
        Key(
            name="description",
            kind=Text(),
            help="A line about the site.",
            example="description: News of the world, updated every minute of every day",
        ),
        Key(
            name="base_url",
            kind=Url(bare=True),
            help="The address readers use. Links in feeds are made from it, never from a request.",
            default="http://127.0.0.1:8000",
            example="base_url: https://news.example.org",
        ),
        Key(
            name="timezones",
            kind=ListOf(
                words="a list of time zones",
                item=Either(words="a time zone", remedy="", scalar=ZoneName(), block=ZONE),
            ),
            help="Zones of the “last updated” line, after GMT: a name, or a name and a label.",
            example="timezones: [{zone: Europe/London, label: UK}, Asia/Tokyo]",
        ),
        Key(
            name="contact",
            kind=Text(
                words="a mail address or URL",
                remedy="Write visible ASCII characters without ( ) ; and blanks.",
                pattern=r"[!-'*-:<-~]+",
            ),
            help="Where publishers reach you: it is sent to them with every request.",
            example="contact: you@example.org",
        ),
        Key(
            name="language",
            kind=Text(
                words="a language tag",
                remedy="Write a tag such as en, de or pt-BR.",
                pattern="[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*",
            ),
            help="The language of the pages.",
            default="en",
            example="language: en",
        ),
        Key(
            name="logo",
            kind=Logo(),
            help=(
                "A picture for the masthead: a PNG, SVG, WebP or JPEG file of at most 200 kB on "
                "this machine (a relative path begins in the working directory), or a URL."
            ),
            example="logo: https://www.example.org/logo.svg",
        ),
        Key(
            name="accent",
            kind=Text(
                words="a colour",
                remedy='Write it in quotes, as in "#b80000": a bare # begins a comment.',
                pattern="#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})",
            ),
            help="The colour of the masthead and of links.",
            example='accent: "#b80000"',
        ),
        Key(
            name="css",
            kind=Text(longest=100_000),
            help="Rules of your own for the pages, as CSS text.",
            example="css: |\n  .masthead { font-variant: small-caps }",
        ),
    ),
)

STORAGE = Block(
    noun="storage",
    keys=(
        Key(
            name="path",
            kind=Text(),
            help="The SQLite file; a relative path begins in the working directory.",
            default="data/aggregator.db",
            example="path: data/aggregator.db",
        ),
    ),
)

NETWORK = Block(
    noun="network",
    keys=(
        Key(
            name="allow",
            kind=ListOf(words="a list of hosts and networks", item=Address()),
            help=(
                "Private hosts, addresses or networks that may be polled. "
                "All that is not public is refused otherwise."
            ),
            example="allow: [192.168.1.7, nas.lan]",
        ),
        Key(
            name="proxy",
            kind=Url(
                schemes=("http", "https", "socks5", "socks5h"),
                remedy="Write it as http://host:port or socks5h://host:port.",
                secret=True,
            ),
            help="The proxy through which feeds are fetched.",
            example="proxy: http://proxy.lan:3128",
        ),
    ),
)

AUTH = Block(
    noun="auth",
    keys=(
        Key(
            name="password",
            kind=Text(
                words="a hash made by `aggregator password`",
                remedy="Run `aggregator password` and copy the line that it prints.",
                pattern=r"scrypt:\d{1,7}:\d{1,3}:\d{1,3}\$[^$\s]{8,64}\$[0-9a-f]{128}",
                secret=True,
            ),
            help="The password of the login page, as `aggregator password` prints it.",
            example="password: '${PASSWORD_HASH}'",
        ),
        Key(
            name="token",
            kind=Text(
                words="a token",
                remedy="Use 16 or more letters, digits, dots, dashes or underscores.",
                pattern="[A-Za-z0-9._~-]{16,200}",
                secret=True,
            ),
            help=(
                "For programs: sent as `Authorization: Bearer …`, or by feed readers as the "
                "password of HTTP Basic, whatever the name. It opens the login page too."
            ),
            example="token: '${SITE_TOKEN}'",
        ),
        Key(
            name="protect",
            kind=Choice(values=("control", "site")),
            help=(
                "What is closed: `control`, the actions alone, or `site`, every page and feed "
                "but for the login page, `/healthz` and `/readyz`."
            ),
            default="control",
            example="protect: site",
        ),
    ),
)

MEDIA = Block(
    noun="media",
    keys=(
        Key(
            name="proxy",
            kind=Boolean(),
            help=(
                "Whether pages load the pictures of entries from this site, which fetches each "
                "once, and not from their publishers, who then learn nothing of the readers."
            ),
            default="false",
            example="proxy: true",
        ),
    ),
)

WEBSUB = Block(
    noun="websub",
    keys=(
        Key(
            name="hub",
            kind=Hub(),
            help=(
                "Who pushes our feeds to their subscribers: `own`, this program; `off`, nobody; "
                "or the URL of another hub, which is told of each change. "
                "`own` needs a `site.base_url` that others can reach."
            ),
            default="own",
            example="hub: own",
        ),
        Key(
            name="subscribe",
            kind=Boolean(),
            help=(
                "Whether the hubs that sources name are asked to push. "
                "It needs a `site.base_url` that they can reach."
            ),
            default="true",
            example="subscribe: true",
        ),
    ),
)

CLUSTER_ADDRESS = r"(tcp|tls)://\S+:\d{1,5}|local:[1-9]\d{0,2}"

CLUSTER = Block(
    noun="cluster",
    keys=(
        Key(
            name="address",
            kind=Text(
                words="the address of a cluster",
                remedy="Write tcp://HOST:8786, tls://HOST:8786 or local:N.",
                pattern=CLUSTER_ADDRESS,
            ),
            help=(
                "Where Dask's scheduler listens; or `local:N`, N workers on this machine. "
                "`--cluster` says it too. A running scheduler does not notice a change."
            ),
            example="address: tcp://10.0.0.1:8786",
        ),
    ),
)

LIMITS = Block(
    noun="limits",
    keys=(
        Key(
            name="connect",
            kind=Duration(),
            help="Time to connect.",
            default="10s",
            example="connect: 10s",
        ),
        Key(
            name="idle",
            kind=Duration(),
            help="Time without a byte.",
            default="15s",
            example="idle: 15s",
        ),
        Key(
            name="total",
            kind=Duration(),
            help="Time for a fetch, redirects and all.",
            default="30s",
            example="total: 30s",
        ),
        Key(
            name="body",
            kind=Size(),
            help="Size of a feed, unpacked.",
            default="10MB",
            example="body: 10MB",
        ),
        Key(
            name="header",
            kind=Size(),
            help="Size of the header of an answer.",
            default="64KiB",
            example="header: 64KiB",
        ),
        Key(
            name="redirects",
            kind=Integer(least=0, most=50),
            help="Redirects that are followed.",
            default="10",
            example="redirects: 10",
        ),
        Key(
            name="parse",
            kind=Duration(),
            help="Time to read a feed.",
            default="5s",
            example="parse: 5s",
        ),
    ),
)

PER_HOST = Block(
    noun="per_host",
    keys=(
        Key(
            name="connections",
            kind=Integer(least=1, most=100),
            help="Connections to one host at once.",
            default="2",
            example="connections: 2",
        ),
        Key(
            name="spacing",
            kind=Duration(zero=True),
            help="Least time between two requests to one host; more is learnt from its answers.",
            default="0s",
            example="spacing: 0s",
        ),
    ),
)

DEFAULTS = Block(
    noun="defaults",
    keys=(
        Key(
            name="every",
            kind=Duration(),
            help="How often sources are polled; by default in the rhythm of each feed.",
            example="every: 15m",
        ),
        Key(
            name="min_interval",
            kind=Duration(),
            help="The rhythm never asks more often.",
            default="5m",
            example="min_interval: 5m",
        ),
        Key(
            name="max_interval",
            kind=Duration(),
            help="The rhythm never asks less often.",
            default="24h",
            example="max_interval: 24h",
        ),
        Key(
            name="keep",
            kind=Duration(),
            help="How long entries are kept; by default for ever.",
            example="keep: 365d",
        ),
        Key(
            name="limits",
            kind=LIMITS,
            help="Bounds of one poll.",
            example="limits: {total: 30s, body: 10MB}",
        ),
        Key(
            name="per_host",
            kind=PER_HOST,
            help="How one host is treated.",
            example="per_host: {connections: 2}",
        ),
    ),
)

RULE = Block(
    noun="a rule",
    single=True,
    keys=(
        *(
            Key(
                name=name,
                kind=Expression(),
                help=f"A regular expression to be found in the {name}.",
                example=f"{name}: football",
            )
            for name in FIELDS
        ),
        Key(
            name="words",
            kind=Text(longest=500),
            help="Words or phrases between commas, of which one stands in title, summary or text.",
            example="words: horoscope, crossword",
        ),
    ),
)

KEEP = Key(
    name="keep",
    kind=ListOf(words="a list of rules", item=RULE),
    help="Only entries that meet one of these rules are shown.",
    example="keep: [{title: '\\bclimate\\b'}]",
)
DROP = Key(
    name="drop",
    kind=ListOf(words="a list of rules", item=RULE),
    help="Entries that meet one of these rules are not shown.",
    example="drop: [{category: '^Sport$'}, {words: horoscope}]",
)
RULES = Key(
    name="rules",
    kind=ListOf(
        words="a list of rules with what they do",
        item=Block(
            noun="a rule",
            keys=(
                Key(
                    name="when",
                    kind=RULE,
                    help="What an entry must meet.",
                    required=True,
                    example="when: {title: climate}",
                ),
                Key(
                    name="category",
                    kind=Text(longest=100),
                    help="A category that it is given.",
                    example="category: Climate",
                ),
                Key(
                    name="section",
                    kind=Text(refers="section"),
                    help="The section it is moved to, instead of those of its source.",
                    example="section: europe",
                ),
                Key(
                    name="priority",
                    kind=Boolean(),
                    help="Marks it as important: it leads the front page; `has=priority` finds it.",
                    default="false",
                    example="priority: true",
                ),
            ),
        ),
    ),
    help="What else is done with entries that meet a rule.",
    example="rules: [{when: {title: eurovision}, category: Music, section: europe}]",
)

SECTION = Block(
    noun="a section",
    keys=(
        Key(
            name="id",
            kind=_id("section"),
            help="Its name in addresses, `/section/europe`.",
            required=True,
            example="id: europe",
        ),
        Key(
            name="title",
            kind=Text(longest=200),
            help="Its name for readers.",
            required=True,
            example="title: Europe",
        ),
        Key(
            name="description",
            kind=Text(),
            help="A line about the region or topic.",
            example="description: From the Atlantic to the Urals",
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
            help="Its stable name: it keeps the history when the URL changes.",
            required=True,
            example="id: bbc-world",
        ),
        Key(
            name="url",
            kind=Url(declares="source"),
            help="The feed: RSS, Atom or JSON Feed. A home page works too; its feed is looked for.",
            required=True,
            example="url: https://feeds.bbci.co.uk/news/world/rss.xml",
        ),
        Key(
            name="title",
            kind=Text(longest=200),
            help="Its name for readers; by default the feed's own.",
            example="title: BBC World",
        ),
        Key(
            name="sections",
            kind=ListOf(words="a list of section ids", item=Text(refers="section")),
            help="The sections in which its entries stand.",
            example="sections: [world, europe]",
        ),
        Key(
            name="every",
            kind=Duration(),
            help="How often it is polled. It may be less than `defaults.min_interval`.",
            example="every: 1m",
        ),
        Key(
            name="enabled",
            kind=Boolean(),
            help="Whether it is polled; its entries stay either way.",
            default="true",
            example="enabled: true",
        ),
        Key(
            name="headers",
            kind=Headers(),
            help="Header fields sent to this source. They are never shown.",
            example="headers: {Authorization: 'Bearer ${TOKEN}'}",
        ),
        KEEP,
        DROP,
        RULES,
        Key(
            name="retry_after",
            kind=Choice(values=("host", "source")),
            help=(
                "Whether a server's “not before” (Retry-After) holds for all sources of its host, "
                "or for this one alone."
            ),
            default="host",
            example="retry_after: host",
        ),
        Key(
            name="priority",
            kind=Integer(least=0, most=100),
            help="Whose report leads a story in views with `lead=priority`: the highest of all.",
            default="0",
            example="priority: 10",
        ),
    ),
)

VIEW = Block(
    noun="a view",
    keys=(
        Key(
            name="id",
            kind=_id("view"),
            help="Its name in addresses, `/view/nato`.",
            required=True,
            example="id: nato",
        ),
        Key(
            name="title",
            kind=Text(longest=200),
            help="Its name for readers.",
            required=True,
            example="title: Nato",
        ),
        Key(
            name="query",
            kind=QueryText(),
            help="What it selects.",
            required=True,
            example='query: "q=nato&section=europe"',
        ),
        Key(
            name="description",
            kind=Text(),
            help="A line about it.",
            example="description: All that is said about the alliance",
        ),
        Key(
            name="token",
            kind=Text(
                words="a token",
                remedy="Use 16 or more letters, digits, dots, dashes or underscores.",
                pattern="[A-Za-z0-9._~-]{16,200}",
                secret=True,
            ),
            help=(
                "Makes the view private: its page and feeds are given only to who adds "
                "`?token=…` to the address or sends it as `Authorization: Bearer …`."
            ),
            example="token: only-for-the-night-desk",
        ),
        KEEP,
        DROP,
    ),
)

ROOT = Block(
    noun="the file",
    keys=(
        Key(name="site", kind=SITE, help="The site itself.", example="site: {title: World News}"),
        Key(
            name="storage",
            kind=STORAGE,
            help="Where entries are kept.",
            example="storage: {path: data/aggregator.db}",
        ),
        Key(
            name="network",
            kind=NETWORK,
            help="What may be reached, and how.",
            example="network: {allow: [127.0.0.0/8]}",
        ),
        Key(
            name="auth",
            kind=AUTH,
            help="What is closed to strangers; without it nothing is.",
            example="auth: {token: '${SITE_TOKEN}', protect: site}",
        ),
        Key(
            name="websub",
            kind=WEBSUB,
            help="Pushes instead of polls (WebSub), in and out.",
            example="websub: {hub: own, subscribe: true}",
        ),
        Key(
            name="media",
            kind=MEDIA,
            help="Where pages load the pictures of entries from.",
            example="media: {proxy: true}",
        ),
        Key(
            name="cluster",
            kind=CLUSTER,
            help="Other machines that fetch and read feeds; see [Scaling](scaling.md).",
            example="cluster: {address: 'tcp://10.0.0.1:8786'}",
        ),
        Key(
            name="defaults",
            kind=DEFAULTS,
            help="What holds for every source that does not say otherwise.",
            example="defaults: {every: 15m}",
        ),
        Key(
            name="sections",
            kind=ListOf(words="a list of sections", item=SECTION),
            help="The regions and topics of the site, in the order of its navigation.",
            example="sections:\n  - {id: europe, title: Europe}",
        ),
        Key(
            name="sources",
            kind=ListOf(words="a list of sources", item=SOURCE),
            help="The feeds.",
            example="sources:\n  - {id: bbc-world, url: 'https://feeds.bbci.co.uk/news/rss.xml'}",
        ),
        Key(
            name="views",
            kind=ListOf(words="a list of views", item=VIEW),
            help="Saved queries, each with a page and feeds of its own.",
            example='views:\n  - {id: nato, title: Nato, query: "q=nato&section=europe"}',
        ),
    ),
)
"""The whole file."""
