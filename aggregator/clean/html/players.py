"""Map the address of an embedded player to its page and thumbnail.

Both are derived from the address of the frame, without a request to the other site.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from aggregator.clean import text, urls
from aggregator.clean.html.tags import element, escape, link

TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Page:
    """The page of an embedded frame, and its thumbnail if known."""

    url: str
    picture: str = ""

    @property
    def host(self) -> str:
        """The host of the page."""
        host = urlsplit(self.url).hostname or ""
        return host.removeprefix("www.") if self.picture else host


@dataclass(frozen=True, slots=True)
class _Host:
    """A site that names the page in the path of its frames.

    Args:
        frame: Matches the host and path of a frame.
        page, picture: URLs, filled with the groups of the match.
    """

    frame: re.Pattern[str]
    page: str
    picture: str = ""


def _host(frame: str, page: str, picture: str = "") -> _Host:
    return _Host(re.compile(rf"(?:www\.)?{frame}"), page, picture)


_YOUTUBE = (
    "https://www.youtube.com/watch?v={0}",
    "https://i.ytimg.com/vi/{0}/hqdefault.jpg",
)
_HOSTS = (
    _host(r"(?:m\.)?youtube(?:-nocookie)?\.com/(?:embed|v|e|shorts|live)/(?!videoseries|live_stream)"
          r"([\w-]{11})(?![\w-])", *_YOUTUBE),
    _host(r"youtu\.be/([\w-]{11})(?![\w-])", *_YOUTUBE),
    _host(r"player\.vimeo\.com/video/(\d+)", "https://vimeo.com/{0}"),
    _host(r"(?:geo\.)?dailymotion\.com/(?:embed|swf)/(?:video/)?([a-z0-9]+)",
          "https://www.dailymotion.com/video/{0}",
          "https://www.dailymotion.com/thumbnail/video/{0}"),
    _host(r"open\.spotify\.com/embed(?:-podcast)?/(\w+)/(\w+)", "https://open.spotify.com/{0}/{1}"),
    _host(r"embed\.podcasts\.apple\.com/(.+)", "https://podcasts.apple.com/{0}"),
    _host(r"embed\.music\.apple\.com/(.+)", "https://music.apple.com/{0}"),
    _host(r"instagram\.com/(p|reel|tv)/([\w-]+)", "https://www.instagram.com/{0}/{1}/"),
    _host(r"streamable\.com/[eos]/(\w+)", "https://streamable.com/{0}"),
    _host(r"loom\.com/embed/(\w+)", "https://www.loom.com/share/{0}"),
    _host(r"archive\.org/embed/([\w.-]+)", "https://archive.org/details/{0}",
          "https://archive.org/services/img/{0}"),
    _host(r"codepen\.io/([\w-]+)/embed/(?:preview/)?(\w+)", "https://codepen.io/{0}/pen/{1}"),
    _host(r"embed\.ted\.com/talks/([\w/-]+)", "https://www.ted.com/talks/{0}"),
    _host(r"embed\.bsky\.app/embed/(did:[\w:.-]+)/app\.bsky\.feed\.post/(\w+)",
          "https://bsky.app/profile/{0}/post/{1}"),
    _host(r"tiktok\.com/embed/(?:v\d/)?(\d+)", "https://www.tiktok.com/@/video/{0}"),
    _host(r"rutube\.ru/play/embed/(\w+)", "https://rutube.ru/video/{0}/"),
    _host(r"coub\.com/embed/(\w+)", "https://coub.com/view/{0}"),
    _host(r"gist\.github\.com/((?:[\w-]+/)?[0-9a-f]+)(?:\.js|\.pibb)?", "https://gist.github.com/{0}"),
    _host(r"jsfiddle\.net/((?:[\w-]+/)*?)embed", "https://jsfiddle.net/{0}"),
    _host(r"asciinema\.org/a/(\w+)(?:\.js|/embed|/iframe)", "https://asciinema.org/a/{0}",
          "https://asciinema.org/a/{0}.png"),
    _host(r"pastebin\.com/embed_(?:js|iframe)/(\w+)", "https://pastebin.com/{0}"),
    _host(r"gitlab\.com/(.+?)/-/snippets/(\d+)\.js", "https://gitlab.com/{0}/-/snippets/{1}"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _QueryHost:
    """A site that names the page in the query of its frames."""

    host: str
    parameter: str
    page: Callable[[str], str]


_SAME: Callable[[str], str] = str
_ASKED = (
    _QueryHost("w.soundcloud.com", "url", _SAME),
    _QueryHost("www.facebook.com", "href", _SAME),
    _QueryHost(
        "player.twitch.tv", "video", lambda v: f"https://www.twitch.tv/videos/{v.lstrip('v')}"
    ),
    _QueryHost("player.twitch.tv", "channel", "https://www.twitch.tv/{0}".format),
    _QueryHost("clips.twitch.tv", "clip", "https://clips.twitch.tv/{0}".format),
    _QueryHost("player.bilibili.com", "bvid", "https://www.bilibili.com/video/{0}".format),
    _QueryHost("player.bilibili.com", "aid", "https://www.bilibili.com/video/av{0}".format),
    _QueryHost("geo.dailymotion.com", "video", "https://www.dailymotion.com/video/{0}".format),
    _QueryHost("platform.twitter.com", "id", "https://x.com/i/status/{0}".format),
    _QueryHost("www.youtube.com", "list", "https://www.youtube.com/playlist?list={0}".format),
    _QueryHost(
        "www.youtube-nocookie.com", "list", "https://www.youtube.com/playlist?list={0}".format
    ),
)
_PEERTUBE = re.compile(r"/videos/embed/([\w-]+)\Z")
CODE = re.compile(
    r"https?://(?:gist\.github\.com/(?:[\w-]+/)?[0-9a-f]+\.js|asciinema\.org/a/\w+\.js"
    r"|jsfiddle\.net/[\w/-]+/embed|pastebin\.com/embed_js/\w+|gitlab\.com/.+/-/snippets/\d+\.js)"
)
"""Scripts that embed a piece of code or a recording."""


def page(frame: str) -> Page:
    """Return the page of a frame, or its own address if no page is known.

    Args:
        frame: Absolute URL.
    """
    parts = urlsplit(frame)
    host = parts.hostname or ""
    for known in _HOSTS:
        if match := known.frame.match(f"{host}{parts.path}"):
            return Page(known.page.format(*match.groups()), known.picture.format(*match.groups()))
    if parts.query:
        asked = parse_qs(parts.query)
        for site in _ASKED:
            if host == site.host and site.parameter in asked:
                url = urls.absolute("", site.page(asked[site.parameter][0]))
                return Page(url or frame)
    if peertube := _PEERTUBE.search(parts.path):
        return Page(f"{parts.scheme}://{parts.netloc}/w/{peertube[1]}")
    return Page(frame)


_FILM = re.compile(
    r"https?://(?:(?:www\.|m\.)?youtube\.com/(?:watch\?(?:[^#]*&)?v=|shorts/|live/)[\w-]{11}(?![\w-])"
    r"|youtu\.be/[\w-]{11}(?![\w-])|(?:www\.)?vimeo\.com/\d+|(?:www\.)?dailymotion\.com/video/\w+"
    r"|(?:www\.)?bilibili\.com/video/\w+|(?:www\.)?twitch\.tv/videos/\d+"
    r"|[^/]+/(?:w|videos/watch)/[0-9a-f]{8}-[0-9a-f-]{27}\Z)"
)


def is_film(url: str) -> bool:
    """Return whether a URL is the page of one film on a site for films."""
    return _FILM.match(url) is not None


def film_page(frame: str) -> str:
    """Return the page of a frame that plays a film, "" if it is none or not known."""
    url = page(frame).url
    return url if url != frame and is_film(url) else ""


def player(frame: str, title: str = "") -> str:
    """Return a link to the page of a frame, with its thumbnail if there is one.

    Args:
        frame: Absolute URL.
        title: Of the frame, as text. Without a title the link text is the host alone, because
            the rest of an advert's address changes with each poll.
    """
    shown = page(frame)
    words = text.one_line(title, TITLE_LENGTH) or shown.host
    if not shown.picture:
        return link(shown.url, escape(words))
    picture = element("img", {"src": shown.picture, "alt": text.one_line(title, TITLE_LENGTH)})
    return link(shown.url, f"{picture}<br>▶ {escape(words)}")
