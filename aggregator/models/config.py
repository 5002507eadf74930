"""Configuration: the YAML file as dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aggregator.models.query import Query

SHORTEST_SECRET = 6
"""Characters. A shorter secret also occurs in ordinary text, so its whole URL is masked instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone of the "last updated" line: an IANA `name`, and the `label` shown after the time."""

    name: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages and feeds say of the site itself; `base_url` has no trailing slash.

    Args:
        logo: An http or https URL, or the path of a picture on this machine.
        accent: A colour as #rgb or #rrggbb.
        css: Rules for the pages, after our own.
    """

    title: str = "Feed aggregator"
    description: str = ""
    base_url: str = "http://127.0.0.1:8000"
    contact: str = ""
    zones: tuple[Zone, ...] = ()
    language: str = "en"
    logo: str = ""
    accent: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one fetch: times are totals in seconds, `body` counts decoded bytes."""

    connect: float = 10.0
    idle: float = 15.0
    total: float = 30.0
    body: int = 10_000_000
    header: int = 65_536
    redirects: int = 10
    parse: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PerHost:
    """How one host is treated: connections at once, and the least time between two requests."""

    connections: int = 2
    spacing: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for every source that does not say otherwise; `keep` is None for ever."""

    every: timedelta | None = None
    minimum: timedelta = timedelta(minutes=5)
    maximum: timedelta = timedelta(hours=24)
    keep: timedelta | None = None
    limits: Limits = Limits()
    per_host: PerHost = PerHost()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done with entries in whose `field` a regular expression (RE2 syntax) is found.

    Args:
        action: `keep`, `drop`, `category`, `section` or `priority`.
        field: What is looked at; `words` is title, summary and content together.
        value: The category that is added, or the section that the entry is moved to.
    """

    action: str
    field: str
    pattern: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A region or topic of the site."""

    id: str
    title: str
    description: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A feed that the YAML file names: stable `id`, URL and options.

    Args:
        every: The user's own interval, or None for the feed's rhythm.
        priority: The source with the highest leads a story in views with `lead: priority`.
        private: Whether the query of `url` is secret.
        line: 1-based line of the YAML file where the source stands.
        yaml: The lines of the YAML file that define it, for its page.
    """

    id: str
    url: str = field(repr=False)  # may carry keys
    title: str = ""
    sections: tuple[str, ...] = ()
    every: timedelta | None = None
    enabled: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may carry secrets
    rules: tuple[Rule, ...] = ()
    retry_after_scope: str = "host"
    priority: int = 0
    private: bool = False
    line: int = 0
    yaml: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved query with a name of its own; with a `token`, only for those who know it."""

    id: str
    title: str
    query: Query
    description: str = ""
    token: str = field(default="", repr=False)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """What is closed to strangers.

    Args:
        password: As hashed by `aggregator password`.
        token: For programs.
        protect: `control`, the actions alone, or `site`, everything.
    """

    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    protect: str = "control"

    @property
    def on(self) -> bool:
        """Whether anything is closed."""
        return bool(self.password or self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSub:
    """Pushes instead of polls.

    Args:
        hub: Of our own feeds: `own`, `off`, or the URL of another's hub, told of each change.
        subscribe: Whether the hubs of sources are asked to push.
    """

    hub: str = "own"
    subscribe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Pictures of entries; with `proxy`, pages load them from us and not from publishers."""

    proxy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration file.

    Args:
        cluster: The address of a Dask scheduler, "" to poll in this process.
        secrets: Values that must not leave the program (`policy.masking`).
    """

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
    cluster: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
