"""Addresses that people copy from a browser to the URL of the feed behind them, by one table.

Pure: a recipe knows the forms of a site's addresses and where the site keeps its feeds. Where only
the site knows the feed's URL, a recipe names the page or the API to ask.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

import can_ada

from aggregator.models.listing import JsonListing


class Answer(Enum):
    """Where the URL of the feed is found."""

    FEED = "feed"
    """The recipe's URL is the feed's."""
    PAGE = "page"
    """The recipe's URL is that of a page that declares its feed."""
    ITUNES = "itunes"
    """The recipe's URL is that of a lookup in Apple's directory, which answers with `feedUrl`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One form of a site's addresses, and where its feed is.

    Args:
        name: The site and the kind of page, for messages.
        host: Regular expression of the whole host, without `www.`, `m.` and the like.
        path: Regular expression of the whole path, without a slash at its end.
        query: Regular expression to find in the query.
        url: Template of the URL, with the named groups of all three, `host` and `origin`.
        answer: Where the feed's URL is found.
        listing: How the entries are found where the URL is that of JSON, with the named groups too.
        certain: Whether the host has no other pages of this form. If not, try the feed only where
            the address itself leads to none.
    """

    name: str
    host: str
    path: str
    url: str
    query: str = ""
    answer: Answer = Answer.FEED
    listing: JsonListing | None = None
    certain: bool = True
    patterns: tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        """Compile the expressions."""
        compiled = (re.compile(self.host), re.compile(self.path), re.compile(self.query))
        object.__setattr__(self, "patterns", compiled)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress:
    """The feed behind an address; the fields are as in `Recipe`."""

    name: str
    url: str
    answer: Answer = Answer.FEED
    listing: JsonListing | None = None
    certain: bool = True


_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"
_REPO = rf"/(?P<repo>{_NAME}/{_NAME})"
_YOUTUBE = "https://www.youtube.com"
_FEEDS = f"{_YOUTUBE}/feeds/videos.xml"
_TABS = "(?:/(?:featured|videos|shorts|streams|playlists|community|about|podcasts|posts))?"
_GITHUB, _GITLAB, _CODEBERG = "https://github.com", "https://gitlab.com", "https://codeberg.org"
_MASTODON = (
    r"mastodon\.(?:[a-z-]+\.)?[a-z]+"
    r"|(?:mstdn|fosstodon|hachyderm|infosec|chaos)\.(?:social|org|io|exchange)"
)
_LEMMY = (
    r"lemmy\.[a-z.]+|[a-z.]+\.lemmy\.[a-z]+|beehaw\.org|programming\.dev|sh\.itjust\.works"
    r"|feddit\.[a-z]+|sopuli\.xyz|lemm\.ee"
)
_WIKI = r"[a-z-]+\.(?:wikipedia|wiktionary|wikinews|wikivoyage|wikibooks|wikiquote|wikisource)\.org"
_NO_USERS = (  # of GitHub, GitLab and Codeberg
    "(?!/(?:about|account|api|apps|collections|contact|customer-stories|dashboard|explore|features"
    "|groups|help|issues|join|login|marketplace|new|notifications|orgs|organizations|pricing|pulls"
    "|search|security|settings|site|sponsors|stars|topics|trending|user|users)(?:/|$))"
)

RECIPES = (
    # YouTube: the feed of a channel needs its id, which the page of a handle declares.
    Recipe(
        name="YouTube channel",
        host=r"youtube\.com",
        path=rf"/channel/(?P<id>UC[\w-]{{22}}){_TABS}",
        url=f"{_FEEDS}?channel_id={{id}}",
    ),
    Recipe(
        name="YouTube playlist",
        host=r"youtube\.com|youtu\.be|music\.youtube\.com",
        path=r"/(?:playlist|watch|[\w-]{11})",
        query=r"(?:^|&)list=(?P<id>(?:PL|OLAK5uy_|UU|FL)[\w-]+)",
        url=f"{_FEEDS}?playlist_id={{id}}",
    ),
    Recipe(
        name="YouTube channel",
        host=r"youtube\.com",
        path=rf"(?P<page>/(?:@[^/]+|(?:c|user)/[^/]+)){_TABS}",
        url=f"{_YOUTUBE}{{page}}",
        answer=Answer.PAGE,
    ),
    # The Fediverse: any host may run the software, and other sites have @names too.
    Recipe(
        name="Mastodon account",
        host=_MASTODON,
        path=rf"/(?:web/)?@(?P<user>\w[\w.-]*)@(?P<home>{_NAME}\.[a-z]+)",
        url="https://{home}/@{user}.rss",
    ),
    Recipe(
        name="Mastodon account",
        host=_MASTODON,
        path=r"/(?:web/)?@(?P<user>\w[\w.-]*)(?:/(?:with_replies|media))?",
        url="https://{host}/@{user}.rss",
    ),
    Recipe(
        name="Mastodon tag",
        host=_MASTODON,
        path=r"/tags/(?P<tag>[^/]+)",
        url="https://{host}/tags/{tag}.rss",
    ),
    Recipe(
        name="Bluesky account",
        host=r"bsky\.app",
        path=r"/profile/(?P<user>[\w.:-]+)",
        url="https://bsky.app/profile/{user}/rss",
    ),
    Recipe(
        name="Lemmy community",
        host=_LEMMY,
        path=r"/(?P<kind>[cu])/(?P<name>[\w.@-]+)",
        url="https://{host}/feeds/{kind}/{name}.xml?sort=New",
    ),
    # Reddit
    Recipe(
        name="Reddit search",
        host=r"reddit\.com",
        path=r"(?P<place>(?:/r/[\w+-]+)?/search)",
        query=r"^(?P<search>.*\bq=.*)$",
        url="https://www.reddit.com{place}.rss?{search}",
    ),
    Recipe(
        name="Reddit list",
        host=r"reddit\.com",
        path=r"(?P<place>/r/[\w+-]+/(?:top|controversial))",
        query=r"(?:^|&)(?P<time>t=(?:hour|day|week|month|year|all))(?:&|$)",
        url="https://www.reddit.com{place}/.rss?{time}",
    ),
    Recipe(
        name="Reddit list",
        host=r"reddit\.com",
        path=r"(?P<place>/(?:r/[\w+-]+(?:/(?:new|hot|top|rising|controversial|comments/\w+(?:/[^/]+)?))?"
        r"|user/[\w-]+(?:/(?:submitted|comments|m/[\w-]+))?))",
        url="https://www.reddit.com{place}/.rss",
    ),
    Recipe(
        name="Reddit account",
        host=r"reddit\.com",
        path=r"/u/(?P<user>[\w-]+)",
        url="https://www.reddit.com/user/{user}/.rss",
    ),
    # GitHub
    Recipe(
        name="GitHub releases",
        host=r"github\.com",
        path=rf"{_NO_USERS}{_REPO}(?:/releases(?:/.*)?)?",
        url=f"{_GITHUB}/{{repo}}/releases.atom",
    ),
    Recipe(
        name="GitHub tags",
        host=r"github\.com",
        path=rf"{_REPO}/tags",
        url=f"{_GITHUB}/{{repo}}/tags.atom",
    ),
    Recipe(
        name="GitHub commits",
        host=r"github\.com",
        path=rf"{_REPO}/commits",
        url=f"{_GITHUB}/{{repo}}/commits.atom",
    ),
    Recipe(
        name="GitHub commits",
        host=r"github\.com",
        path=rf"{_REPO}/(?:commits|tree|blob)/(?P<branch>.+)",
        url=f"{_GITHUB}/{{repo}}/commits/{{branch}}.atom",
    ),
    Recipe(
        name="GitHub issues",
        host=r"github\.com",
        path=rf"{_REPO}/issues(?:/.*)?",
        url="https://api.github.com/repos/{repo}/issues?state=all&sort=created&per_page=50",
        listing=JsonListing(
            items="[?!pull_request]",
            title="title",
            link="html_url",
            date="created_at",
            summary="body",
        ),
    ),
    Recipe(
        name="GitHub discussions",
        host=r"github\.com",
        path=rf"{_REPO}/discussions",
        url=f"{_GITHUB}/{{repo}}/discussions.atom",
    ),
    Recipe(
        name="GitHub account",
        host=r"github\.com",
        path=rf"{_NO_USERS}/(?P<user>[A-Za-z0-9-]+)",
        url=f"{_GITHUB}/{{user}}.atom",
    ),
    # GitLab: groups nest, so `/-/` ends the name of a project.
    Recipe(
        name="GitLab releases",
        host=r"gitlab\.com",
        path=rf"/(?P<repo>{_NAME}(?:/{_NAME})+)/-/releases(?:/.*)?",
        url=f"{_GITLAB}/{{repo}}/-/releases.atom",
    ),
    Recipe(
        name="GitLab tags",
        host=r"gitlab\.com",
        path=rf"/(?P<repo>{_NAME}(?:/{_NAME})+)/-/tags(?:/.*)?",
        url=f"{_GITLAB}/{{repo}}/-/tags?format=atom",
    ),
    Recipe(
        name="GitLab commits",
        host=r"gitlab\.com",
        path=rf"/(?P<repo>{_NAME}(?:/{_NAME})+)/-/(?:commits|tree)/(?P<branch>.+)",
        url=f"{_GITLAB}/{{repo}}/-/commits/{{branch}}?format=atom",
    ),
    Recipe(
        name="GitLab issues or merge requests",
        host=r"gitlab\.com",
        path=rf"/(?P<repo>{_NAME}(?:/{_NAME})+)/-/(?P<list>issues|merge_requests)",
        url=f"{_GITLAB}/{{repo}}/-/{{list}}.atom",
    ),
    Recipe(
        name="GitLab activity",
        host=r"gitlab\.com",
        path=rf"{_NO_USERS}/(?P<name>{_NAME}(?:/{_NAME})*)",
        url=f"{_GITLAB}/{{name}}.atom",
    ),
    # Codeberg, which runs Forgejo
    Recipe(
        name="Codeberg releases or tags",
        host=r"codeberg\.org",
        path=rf"{_REPO}/(?P<list>releases|tags)(?:/.*)?",
        url=f"{_CODEBERG}/{{repo}}/{{list}}.atom",
    ),
    Recipe(
        name="Codeberg commits",
        host=r"codeberg\.org",
        path=rf"{_REPO}/(?:commits|src)/branch/(?P<branch>.+)",
        url=f"{_CODEBERG}/{{repo}}/atom/branch/{{branch}}",
    ),
    Recipe(
        name="Codeberg activity",
        host=r"codeberg\.org",
        path=rf"{_NO_USERS}/(?P<name>{_NAME}(?:/{_NAME})?)",
        url=f"{_CODEBERG}/{{name}}.atom",
    ),
    # Packages
    Recipe(
        name="PyPI releases",
        host=r"pypi\.(?:org|python\.org)",
        path=rf"/(?:project|pypi)/(?P<name>{_NAME})(?:/.*)?",
        url="https://pypi.org/rss/project/{name}/releases.xml",
    ),
    Recipe(
        name="npm versions",
        host=r"npmjs\.(?:com|org)",
        path=r"/package/(?P<name>(?:@[\w.-]+/)?[\w.-]+)(?:/.*)?",
        url="https://registry.npmjs.org/{name}",
        listing=JsonListing(
            items="reverse(items(time)[?[0] != 'created' && [0] != 'modified'])[:50]",
            title="join(' ', ['{name}', [0]])",
            link="join('', ['https://www.npmjs.com/package/{name}/v/', [0]])",
            date="[1]",
        ),
    ),
    Recipe(
        name="RubyGems versions",
        host=r"rubygems\.org",
        path=rf"/gems/(?P<name>{_NAME})(?:/versions(?:/.*)?)?",
        url="https://rubygems.org/gems/{name}/versions.atom",
    ),
    Recipe(
        name="Packagist versions",
        host=r"packagist\.org",
        path=rf"/packages/(?P<name>{_NAME}/{_NAME})",
        url="https://packagist.org/feeds/package.{name}.rss",
    ),
    Recipe(
        name="crates.io versions",
        host=r"crates\.io",
        path=r"/crates/(?P<name>[\w-]+)(?:/.*)?",
        url="https://static.crates.io/rss/crates/{name}.xml",
    ),
    # Science
    Recipe(
        name="arXiv category",
        host=r"(?:export\.)?arxiv\.org",
        path=r"/(?:list|archive)/(?P<category>[a-z-]+(?:\.[A-Za-z-]+)?)(?:/\w+)?",
        url="https://rss.arxiv.org/atom/{category}",
    ),
    Recipe(
        name="arXiv author",
        host=r"arxiv\.org",
        path=r"/a/(?P<author>[\w-]+)(?:\.html)?",
        url="https://arxiv.org/a/{author}.atom2",
    ),
    # Wikipedia and its sisters: an article declares the feed of all changes of the wiki only.
    Recipe(
        name="Wikipedia history",
        host=_WIKI,
        path=r"/w/index\.php",
        query=r"^(?=.*\baction=history\b).*?\btitle=(?P<title>[^&]+)",
        url="https://{host}/w/index.php?title={title}&action=history&feed=atom",
    ),
    Recipe(
        name="Wikipedia changes",
        host=_WIKI,
        path=r"/wiki/(?P<title>Special:(?:RecentChanges|NewPages|Contributions/[^?]+))",
        url="https://{host}/w/index.php?title={title}&feed=atom",
    ),
    Recipe(
        name="Wikipedia history",
        host=_WIKI,
        path=r"/wiki/(?P<title>(?!Special:)[^?]+)",
        url="https://{host}/w/index.php?title={title}&action=history&feed=atom",
    ),
    # Podcasts and writing
    Recipe(
        name="Apple podcast",
        host=r"(?:podcasts|itunes)\.apple\.com",
        path=r"(?:/[a-z]{2})?/podcast(?:/[^/]+)?/id(?P<id>[0-9]+)",
        url="https://itunes.apple.com/lookup?id={id}&entity=podcast",
        answer=Answer.ITUNES,
    ),
    Recipe(
        name="Medium author",
        host=r"medium\.com",
        path=r"/(?P<user>@[\w.-]+)(?:/(?:about|latest))?",
        url="https://medium.com/feed/{user}",
    ),
    Recipe(
        name="Substack newsletter",
        host=r"(?!open\.|substack)[a-z0-9-]+\.substack\.com",
        path=r"(?:/(?:archive|about|p/[^/]+))?",
        url="https://{host}/feed",
    ),
    Recipe(
        name="Stack Overflow tag",
        host=r"(?:[a-z]+\.)?stackoverflow\.com|[a-z]+\.stackexchange\.com|(?:serverfault|superuser|"
        r"askubuntu)\.com",
        path=r"/questions/tagged/(?P<tag>[^/]+)",
        url="https://{host}/feeds/tag?tagnames={tag}&sort=newest",
    ),
    Recipe(
        name="Steam news",
        host=r"store\.steampowered\.com",
        path=r"/(?:news/)?app/(?P<app>[0-9]+)(?:/.*)?",
        url="https://store.steampowered.com/feeds/news/app/{app}/",
    ),
    # Software that any host may run, by the form of its addresses alone.
    Recipe(
        name="Mastodon account",
        host=r"(?!(?:.+\.)?(?:youtube|medium|tiktok|threads|flickr|instagram)\.[a-z]+$).+",
        path=r"/@(?P<user>\w[\w.-]*)",
        url="{origin}/@{user}.rss",
        certain=False,
    ),
    Recipe(
        name="Lemmy community",
        host=r"(?!(?:.+\.)?youtube\.com$).+",
        path=r"/c/(?P<name>[\w.@-]+)",
        url="{origin}/feeds/c/{name}.xml?sort=New",
        certain=False,
    ),
    Recipe(
        name="GitLab activity",
        host=r"gitlab\..+",
        path=rf"{_NO_USERS}/(?P<name>{_NAME}(?:/{_NAME})+)",
        url="{origin}/{name}.atom",
        certain=False,
    ),
)
"""In this order; the first that fits gives the feed."""

_VARIANTS = re.compile(r"^(?:www|m|mobile|old|new|np|amp|i)\.(?=[^.]+\.)|(?<=[a-z])\.m(?=\.wik)")
"""Parts of hosts that show the same pages in another form: m.youtube.com, en.m.wikipedia.org."""
_OF_FEEDS = re.compile(
    r"(?:/feeds?|/rss|/atom|\.rss|\.atom2?|\.xml|\.rdf|feed\.json)$", re.IGNORECASE
)
"""Ends of paths that are feeds already."""
_LONGEST = 2_000


def find(address: str) -> FeedAddress | None:
    """Return where the feed behind an address is, None for addresses of other forms.

    Args:
        address: An http or https URL as copied from a browser: with or without `www.`, a slash at
            its end, and parameters. The URL of a feed gives None.
    """
    if len(address) > _LONGEST:
        return None
    try:
        parsed = can_ada.parse(address.strip())
    except (ValueError, TypeError):
        return None
    if parsed.protocol not in ("http:", "https:") or parsed.username:
        return None
    host = parsed.hostname
    usual_host = _VARIANTS.sub("", host, count=1)
    path, query = parsed.pathname.rstrip("/"), parsed.search.removeprefix("?")
    if _OF_FEEDS.search(path) or "=atom" in query or "=rss" in query:
        return None
    for recipe in RECIPES:
        if groups := _match(recipe, usual_host if recipe.certain else host, path, query):
            groups["origin"] = parsed.origin
            return FeedAddress(
                name=recipe.name,
                url=recipe.url.format_map(groups),
                answer=recipe.answer,
                listing=_filled(recipe.listing, groups),
                certain=recipe.certain,
            )
    return None


def feed_url(address: str) -> str:
    """Return the URL of the feed behind an address if it is certain without a lookup.

    Returns:
        The address itself where it is not.
    """
    found = find(address)
    if not found or not found.certain or found.listing or found.answer is not Answer.FEED:
        return address
    return found.url


def _filled(listing: JsonListing | None, groups: Mapping[str, str]) -> JsonListing | None:
    """Return a listing with the parts of an address in the places of their names."""
    if listing is None:
        return None
    title, link = (text.format_map(groups) for text in (listing.title, listing.link))
    return replace(listing, title=title, link=link)


def _match(recipe: Recipe, host: str, path: str, query: str) -> dict[str, str] | None:
    """Return the parts of an address by name, None if it has another form."""
    of_host, of_path, of_query = recipe.patterns
    if not of_host.fullmatch(host):
        return None
    in_path, in_query = of_path.fullmatch(path), of_query.search(query)
    if not (in_path and in_query):
        return None
    return {"host": host} | in_path.groupdict() | in_query.groupdict()


def feed_of_lookup(body: bytes) -> str:
    """Return the URL in an answer of Apple's directory, "" without one; never raises."""
    try:
        results = json.loads(body)["results"]
        return next(str(each["feedUrl"]) for each in results if each.get("feedUrl"))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, StopIteration):
        return ""
