"""Configuration: the YAML file as dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from aggregator.models.listing import Listing
from aggregator.models.query import Query

SHORTEST_SECRET = 6
"""Characters. A shorter secret also occurs in ordinary text, so its whole URL is masked instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A time zone of the "last updated" line: IANA `name`, and the `label` after the time."""

    name: str
    label: str


class Attribution(StrEnum):
    """Where an entry of a merged feed names its source, for feed readers that show nothing else."""

    TITLE = "title"
    AUTHOR = "author"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """Settings of our own feeds."""

    attribution: Attribution = Attribution.CONTENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Settings of the front page: entries of one source in each of its lists."""

    max_per_source: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Title, address and look of the site; addresses are ASCII and have no trailing slash.

    Args:
        base_url: The configured address, "" if it is not set.
        listening: The address that `run` serves on, "" when unknown; used without a `base_url`.
        here: The address of the site in the current request, "" outside of requests.
        hosts: Further host names under which a server on loopback is reached.
        trusted_proxies: Number of reverse proxies that set forwarded fields.
        logo: An http or https URL, or the path of an image file.
        accent: A colour, #rgb or #rrggbb.
        css: CSS added after our own.
        embed: Origins whose pages may show our lists in a frame, `*` for all.
        static: Whether the pages are published as files, without the parts that need a server.
    """

    title: str = "Feed aggregator"
    description: str = ""
    base_url: str = ""
    listening: str = ""
    here: str = ""
    hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    contact: str = ""
    zones: tuple[Zone, ...] = ()
    language: str = "en"
    logo: str = ""
    accent: str = ""
    css: str = ""
    embed: tuple[str, ...] = ()
    front: Front = Front()
    feeds: Feeds = Feeds()
    static: bool = False

    @property
    def public_url(self) -> str:
        """The address that other sites are given, "" for none; the same in every process."""
        return self.base_url or self.listening

    @property
    def url(self) -> str:
        """The address that begins the site's links."""
        return self.here or self.public_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one poll: times in seconds; `body`, decoded, and `header` in bytes."""

    connect: float = 10.0
    idle: float = 15.0
    total: float = 30.0
    body: int = 10_000_000
    header: int = 65_536
    redirects: int = 10
    parse: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PerHost:
    """Limits per host: simultaneous connections, and the time between two requests."""

    connections: int = 2
    spacing: timedelta = timedelta(0)


class Content(StrEnum):
    """Which text of an entry is shown: the feed's, its page's, an excerpt, or none."""

    FEED = "feed"
    FULL = "full"
    EXCERPT = "excerpt"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """CSS selectors for the text of a site's pages.

    Args:
        select: The elements that hold the text, "" to find it by the shape of the page.
        remove: Elements that do not belong to it.
    """

    select: str = ""
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie for a host, or for all hosts of a `.domain`; a `secure` one is for https only."""

    domain: str
    name: str
    value: str = field(repr=False)
    secure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How the requests of a source are sent, where that differs from other sources.

    Args:
        proxy: URL of a proxy, "" for `network.proxy`.
        user_agent: The User-Agent header, "" for our own.
        ca: PEM file of trusted authorities, "" for the system's.
        insecure: Whether any certificate is accepted.
        cookies: Sent to their hosts.
    """

    proxy: str = field(default="", repr=False)
    user_agent: str = ""
    ca: str = ""
    insecure: bool = False
    cookies: tuple[Cookie, ...] = ()

    def to(self, host: str, *, own: str) -> "Transport":
        """Return the options for a host; only the source's own is trusted as they say."""
        return self if host == own else replace(self, ca="", insecure=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A replacement in the `title` or `content` of entries, by a regular expression (RE2)."""

    field: str
    pattern: str
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the entries of a source are read, where that differs from its feed.

    Args:
        items: The most items taken of a document, from its beginning; 0 for all.
        language: Of its entries, "" for that of the feed.
        timezone: IANA name of the zone of dates without one, "" for UTC.
        title: Template of titles, such as `{title} ({author})`; "" for the title.
        transforms: Applied in order, before the template.
    """

    items: int = 0
    language: str = ""
    timezone: str = ""
    title: str = ""
    transforms: tuple[Transform, ...] = ()


PLAIN_TRANSPORT, PLAIN_READING, ANY_PAGE = Transport(), Reading(), PageRules()
"""Options of most sources, stored once."""


FOREVER = timedelta.max
"""The retention of entries that are never deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Settings for sources without their own.

    Args:
        retention: How long an entry is kept after it has left its feed's document.
        retracted: `show` or `hide` entries that their publisher removed from its feed.
    """

    content: Content = Content.FEED
    every: timedelta | None = None
    minimum: timedelta = timedelta(minutes=5)
    maximum: timedelta = timedelta(hours=24)
    retention: timedelta = FOREVER
    retracted: str = "show"
    limits: Limits = Limits()
    per_host: PerHost = PerHost()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An action on entries whose `field` matches a regular expression (RE2 syntax).

    Args:
        action: `keep`, `drop`, `category`, `section` or `priority`.
        field: The field to match; `words` is title, summary and content together.
        value: The category to add, or the section to show the entry in.
    """

    action: str
    field: str
    pattern: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A region or topic of the site.

    Args:
        content, retracted: As in `Defaults`; None and "" for the default.
    """

    id: str
    title: str
    description: str = ""
    content: Content | None = None
    retracted: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A feed of the YAML file: stable `id`, URL and options.

    Args:
        content: Which text of its entries is shown, after its sections and the defaults.
        page_rules: Where the text is on the pages of its entries.
        listing: How its entries are found on a page or in JSON, None for a feed.
        limits: Its own limits of a poll, or None for the default.
        every: The configured interval, or None to follow how often the feed publishes.
        retention: As in `Defaults`, or None for the default.
        retracted: As in `Defaults`, or "" for that of its sections.
        private: Whether the query string of `url` is secret.
        priority: The source with the highest leads a story in views with `lead=priority`.
        line: 1-based line of the source in the YAML file.
        yaml: Its lines of the YAML file, without secrets.
    """

    id: str
    url: str = field(repr=False)  # may contain secrets
    title: str = ""
    sections: tuple[str, ...] = ()
    content: Content = Content.FEED
    page_rules: PageRules = ANY_PAGE
    listing: Listing | None = None
    transport: Transport = PLAIN_TRANSPORT
    reading: Reading = PLAIN_READING
    limits: Limits | None = None
    every: timedelta | None = None
    retention: timedelta | None = None
    retracted: str = ""
    enabled: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may contain secrets
    rules: tuple[Rule, ...] = ()
    retry_after_scope: str = "host"
    priority: int = 0
    private: bool = False
    line: int = 0
    yaml: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved query with a name; with a `token` it is private."""

    id: str
    title: str
    query: Query
    description: str = ""
    token: str = field(default="", repr=False)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Access control.

    Args:
        password: The hash from `aggregator password`.
        token: For programs.
        protect: `control` for the actions only, or `site` for everything.
    """

    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    protect: str = "control"

    @property
    def on(self) -> bool:
        """Whether a password or token is configured."""
        return bool(self.password or self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSub:
    """WebSub settings.

    Args:
        hub: The hub of our feeds: `own`, `off`, or the URL of another hub.
        subscribe: Whether to subscribe to the hubs of sources.
    """

    hub: str = "own"
    subscribe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Images of entries and sources.

    Args:
        proxy: Whether pages load the images of entries through this site.
        icons: Whether icons of sources are fetched and shown.
    """

    proxy: bool = False
    icons: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryCorrections:
    """Pairs of entries, by id, link or guid, that are never or always one story."""

    apart: tuple[tuple[str, str], ...] = ()
    together: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration file; `cluster` is an address, or "" to poll in this process."""

    path: str
    site: Site
    storage: str
    allow: tuple[str, ...] = ()
    proxy: str = field(default="", repr=False)  # may carry a password
    defaults: Defaults = Defaults()
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    views: tuple[View, ...] = ()
    auth: Auth = Auth()
    websub: WebSub = WebSub()
    media: Media = Media()
    stories: StoryCorrections = StoryCorrections()
    cluster: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
