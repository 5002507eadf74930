"""Keys about the site and access to it: site, media, auth."""

from aggregator.config.kinds import Block, Boolean, Choice, Either, Integer, Key, ListOf, Text
from aggregator.config.values import TOKEN, FrameAncestor, Host, Logo, Url, ZoneName
from aggregator.models.config import Attribution

ZONE = Block(
    noun="a time zone",
    keys=(
        Key(
            name="zone",
            kind=ZoneName(),
            help="IANA name of the zone.",
            required=True,
            example="zone: Europe/London",
        ),
        Key(
            name="label",
            kind=Text(longest=40),
            help="Shown after the time; by default the last part of the name.",
            example="label: UK",
        ),
    ),
)

FEEDS = Block(
    noun="feeds",
    keys=(
        Key(
            name="attribution",
            kind=Choice(values=tuple(Attribution)),
            help=(
                "Where an entry of a feed with several sources names its own: in a first line of "
                "the content (“From SOURCE”), after the name of its author (“Ann (SOURCE)”), or "
                "before its title (“SOURCE: title”)."
            ),
            default="content",
            example="attribution: title",
        ),
    ),
)

FRONT = Block(
    noun="front",
    keys=(
        Key(
            name="max_per_source",
            kind=Integer(least=1, most=100),
            help=(
                "Entries of one source in each list of the front page, such as “Latest” and each "
                "section. A list shows more where its other sources have too few to fill it."
            ),
            default="2",
            example="max_per_source: 1",
        ),
    ),
)

LANGUAGE = Text(
    expected="a language tag",
    remedy="Write a tag such as en, de or pt-BR.",
    pattern="[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*",
)

SITE = Block(
    noun="site",
    keys=(
        Key(
            name="title",
            kind=Text(longest=200),
            help="Name of the site, in the masthead and in feeds.",
            default="Feed aggregator",
            example="title: World News",
        ),
        Key(
            name="description",
            kind=Text(),
            help="One line about the site.",
            example="description: News of the world, updated every minute of every day",
        ),
        Key(
            name="base_url",
            kind=Url(bare=True),
            help=(
                "Public address of the site, with the path if it has one, as in "
                "`https://example.org/news`; the base of the links in feeds. By default the "
                "address that the server listens on. WebSub needs it."
            ),
            example="base_url: https://news.example.org",
        ),
        Key(
            name="hosts",
            kind=ListOf(expected="a list of host names", item=Host()),
            help=(
                "Host names that also lead to the site, beside that of `base_url`. Without a "
                "password, a server on loopback refuses requests for all others but localhost."
            ),
            example="hosts: [news.home.arpa]",
        ),
        Key(
            name="trusted_proxies",
            kind=Integer(least=0, most=10),
            help=(
                "Number of reverse proxies in front of the web server. The client address and the "
                "scheme are then taken from `X-Forwarded-For` and `-Proto` or from `Forwarded`; "
                "without a `base_url`, so are the host and the path prefix, from "
                "`X-Forwarded-Host` and `-Prefix`. The proxies must set or remove these fields."
            ),
            default="0",
            example="trusted_proxies: 1",
        ),
        Key(
            name="timezones",
            kind=ListOf(
                expected="a list of time zones",
                item=Either(expected="a time zone", remedy="", scalar=ZoneName(), block=ZONE),
            ),
            help="Zones shown in the “last updated” line after GMT: names, or names with labels.",
            example="timezones: [{zone: Europe/London, label: UK}, Asia/Tokyo]",
        ),
        Key(
            name="contact",
            kind=Text(
                expected="a mail address or URL",
                remedy="Write visible ASCII characters without ( ) ; and blanks.",
                pattern=r"[!-'*-:<-~]+",
            ),
            help="How publishers can reach you; sent to them with every request.",
            example="contact: you@example.org",
        ),
        Key(
            name="language",
            kind=LANGUAGE,
            help=(
                "Language of the site, such as `de` or `de-AT`. English, German and French sites "
                "have their interface in this language, dates and numbers too; elsewhere it is in "
                "English, and pages say so."
            ),
            default="en",
            example="language: en",
        ),
        Key(
            name="logo",
            kind=Logo(),
            help=(
                "Image in the masthead: a URL, or the path of a PNG, SVG, WebP or JPEG file of at "
                "most 200 kB, relative to the working directory."
            ),
            example="logo: https://www.example.org/logo.svg",
        ),
        Key(
            name="accent",
            kind=Text(
                expected="a colour",
                remedy='Write it in quotes, as in "#b80000": a bare # begins a comment.',
                pattern="#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})",
            ),
            help=(
                "Colour of kickers, rules and marks. Where it would be hard to read it is shown "
                "darker, in the dark colour scheme lighter."
            ),
            example='accent: "#b80000"',
        ),
        Key(
            name="css",
            kind=Text(longest=100_000),
            help="CSS added to every page.",
            example="css: |\n  .masthead { font-variant: small-caps }",
        ),
        Key(
            name="embed",
            kind=ListOf(expected="a list of sites", item=FrameAncestor()),
            help=(
                "Sites whose pages may show our lists in a frame, as `/embed/section/ID`; `'*'` "
                "is every site. See [Feeds](feeds.md#lists-on-other-sites)."
            ),
            example="embed: [https://blog.example, 'https://*.example.org']",
        ),
        Key(
            name="front",
            kind=FRONT,
            help="How the front page is filled.",
            example="front: {max_per_source: 1}",
        ),
        Key(
            name="feeds",
            kind=FEEDS,
            help="How our own feeds are written.",
            example="feeds: {attribution: title}",
        ),
        Key(
            name="static",
            kind=Boolean(),
            help=(
                "Leave out of the pages what needs a server: filters, past versions, the status "
                "of sources, signing in. `aggregator build` always does; with this key the web "
                "server shows the pages as they are published."
            ),
            default="false",
            example="static: true",
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
                "Load the images of entries through this site, which fetches each once, so that "
                "publishers do not see the readers' addresses."
            ),
            default="false",
            example="proxy: true",
        ),
        Key(
            name="icons",
            kind=Boolean(),
            help=(
                "Show the icon of each source beside its name. It is fetched once a month: the "
                "feed's own square picture, or the icon of its site."
            ),
            default="true",
            example="icons: false",
        ),
    ),
)

AUTH = Block(
    noun="auth",
    keys=(
        Key(
            name="password",
            kind=Text(
                expected="a hash made by `aggregator password`",
                remedy="Run `aggregator password` and copy the line that it prints.",
                pattern=r"scrypt:\d{1,7}:\d{1,3}:\d{1,3}\$[^$\s]{8,64}\$[0-9a-f]{128}",
                secret=True,
            ),
            help="Password of the login page, hashed by `aggregator password`.",
            example="password: '${PASSWORD_HASH}'",
        ),
        Key(
            name="token",
            kind=TOKEN,
            help=(
                "Token for programs, sent as `Authorization: Bearer …` or as the password of HTTP "
                "Basic with any user name. It also works on the login page."
            ),
            example="token: '${SITE_TOKEN}'",
        ),
        Key(
            name="protect",
            kind=Choice(values=("control", "site")),
            help=(
                "`control` protects the actions, such as “Poll now”; `site` protects every page "
                "and feed except the login page, `/healthz` and `/readyz`."
            ),
            default="control",
            example="protect: site",
        ),
    ),
)
