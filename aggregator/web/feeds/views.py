"""Views by address: the entries that a view selects, its titles and its URLs.

    /section/europe?q=nato            a page
    /feeds/section/europe.atom?q=nato the same as a feed

The query string narrows the view of the path, with the keys of `query.KEYS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote, unquote_plus

from aggregator.errors import QueryError
from aggregator.models import query as queries
from aggregator.models.config import Config
from aggregator.models.messages import N_
from aggregator.models.query import Query, Sort
from aggregator.models.query_string import known_pairs
from aggregator.web.i18n import gettext
from aggregator.web.middleware.auth import is_same_secret

NAMED = frozenset({"section", "source", "view"})
"""Kinds of views that are in the configuration."""

KINDS = ("all", "section", "source", "view", "category", "author", "lang", "search")

_REPLACED = frozenset({"limit", "sort", "stories", "lead"})
_JOINED = frozenset({"q", "exclude"})
_DEFAULT = Query()


class NoSuchView(LookupError):
    """There is no view of this kind and name."""


class NeedsToken(PermissionError):
    """The view is private, and the request has no or another token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """A requested view.

    Args:
        kind: One of `KINDS`.
        id: The name within its kind, "" for `all` and `search`.
        query: The query of the path, narrowed by the query string.
        extra: The query string in canonical form, "" without one.
        base: The site's base_url.
        archived: Whether it has archives: only views to which entries are only added do.
        private: Whether it needs a token.
        token: The token for its URLs, if the request had it in the URL, else "".
    """

    kind: str
    id: str
    query: Query
    title: str
    description: str
    extra: str
    base: str
    archived: bool
    private: bool = False
    token: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """The part of the path that page and feeds share, such as `section/europe`."""
        return f"{self.kind}/{quote(self.id, safe='')}" if self.id else self.kind

    @property
    def key(self) -> str:
        """The key of the view's archives; a saved view whose query changes gets new archives."""
        key = f"{self.kind}:{self.id}"
        return f"{key}?{queries.render(self.query)}" if self.kind == "view" else key

    def feed_id(self, site_id: str) -> str:
        """Return the id of the view's feeds, a tag: URI (RFC 4151)."""
        query = f"?{self.extra}" if self.extra else ""
        return f"tag:{site_id},2026:{self.path}{query}"

    def at(self, now: datetime) -> "ViewSpec":
        """Return the view with its durations counted from a time."""
        return replace(self, query=queries.at(self.query, now)) if self.query.within else self

    @property
    def page_url(self) -> str:
        """The URL of the view's page."""
        return f"{self.base}{self.page_path}"

    @property
    def page_path(self) -> str:
        """The path and query string of the view's page."""
        if self.kind == "all":
            return f"/search{self._suffix}" if self.extra else "/"
        path = page_path(self.kind, self.id)
        joint = "&" if "?" in path else "?"
        return f"{path}{joint}{self._suffix[1:]}" if self._suffix else path

    def feed_path(self, format: str, archive: int = 0) -> str:
        """Return path and query string of the view in a format, or of one of its archives."""
        part = f"/archive/{archive}" if archive else ""
        return f"/feeds/{self.path}{part}.{format}{self._suffix}"

    def feed_url(self, format: str, archive: int = 0) -> str:
        """Return the URL of the view in a format, or of one of its archives."""
        return f"{self.base}{self.feed_path(format, archive)}"

    @property
    def _suffix(self) -> str:
        token = f"token={quote(self.token, safe='')}" if self.token else ""
        together = "&".join(filter(None, (self.extra, token)))
        return f"?{together}" if together else ""


def page_path(kind: str, id: str) -> str:
    """Return the path of a view's page; names that are unsafe in a path go into the query.

    Browsers resolve dots, servers merge slashes, and some refuse encoded slashes.
    """
    if not id:
        return f"/{kind}"
    name = quote(id, safe="")
    return f"/{kind}?name={name}" if "/" in id or id in (".", "..") else f"/{kind}/{name}"


def without_token(args: str) -> tuple[str, str]:
    """Return a query string without its token, and the token."""
    pairs = args.split("&") if args else []
    tokens = [pair[6:] for pair in pairs if pair.startswith("token=")]
    rest = "&".join(pair for pair in pairs if not pair.startswith("token="))
    return rest, unquote_plus(tokens[-1]) if tokens else ""


def without_secret(url: str) -> str:
    """Return the URL of a view without its token, for places that others see."""
    path, _, args = url.partition("?")
    rest, _ = without_token(args)
    return f"{path}?{rest}" if rest else path


def resolve(kind: str, id: str, args: str, config: Config, *, bearer: str = "") -> ViewSpec:
    """Return the view of a kind and name, narrowed by a query string.

    Args:
        kind: One of `KINDS`.
        id: The name within its kind, "" for `all` and `search`.
        args: The query string; its `token` opens a private view, as does `bearer`. Unknown keys
            are ignored.
        config: The configuration in force.
        bearer: The token of the Authorization field, "" without one.

    Raises:
        NeedsToken: The view is private, and neither token is right.
        NoSuchView: There is no view of this kind and name.
        QueryError: The query string is invalid, or sets a key that the view sets.
    """
    find = _FIND.get(kind)
    if find is None or bool(id) is (kind in ("all", "search")):
        raise NoSuchView(N_("there is no %(id)s", id=" ".join((kind or "view", id)).strip()))
    base, title, description = find(id, config)
    args, token = without_token(args)
    secret = _token_of(kind, id, config)
    in_address = bool(secret) and is_same_secret(token, secret)
    if secret and not in_address and not is_same_secret(bearer, secret):
        raise NeedsToken(N_("this view is private: add ?token=… to the address"))
    wanted = queries.parse(known_pairs(args))
    if kind == "search" and wanted == _DEFAULT:
        raise QueryError(N_("a search needs one of: %(keys)s", keys=", ".join(queries.KEYS)))
    _check_ids(wanted, config)
    extra = queries.render(wanted)
    query = narrow(base, wanted)
    filters = describe(wanted)
    site = config.site.title
    return ViewSpec(
        kind=kind,
        id=id,
        query=query,
        title=site if kind == "all" and not filters else f"{_titled(title, filters)} – {site}",
        description=description,
        extra=extra,
        base=config.site.url,
        archived=kind in {"all", *NAMED} and not extra and not secret and _only_grows(query),
        private=bool(secret),
        token=token if in_address else "",
    )


def _token_of(kind: str, id: str, config: Config) -> str:
    if kind != "view":
        return ""
    return next((view.token for view in config.views if view.id == id), "")


def narrow(base: Query, wanted: Query) -> Query:
    """Return the intersection of two queries: `q` is joined; `limit` and `sort` are replaced.

    Raises:
        QueryError: Both set a key that can't be combined.
    """
    changes: dict[str, object] = {}
    for name in Query.__dataclass_fields__:
        old, new = getattr(base, name), getattr(wanted, name)
        default = getattr(_DEFAULT, name)
        if new in (default, old):
            continue
        if old == default or name in _REPLACED:
            changes[name] = new
        elif name in _JOINED:
            changes[name] = f"{old} {new}"
        else:
            key = "since" if name == "within" else name
            raise _set_by_view(key)
    if (base.since or base.within) and (wanted.since or wanted.within) and changes:
        raise _set_by_view("since")
    return replace(base, **changes)  # type: ignore[arg-type]  # each value is of its own field


def _set_by_view(key: str) -> QueryError:
    return QueryError(N_("%(key)s is set by the view itself and can't be set again", key=key))


def describe(query: Query) -> str:
    """Return the filters of a query as text for a title, "" without any."""
    filters = replace(
        query, limit=None, sort=Sort.NEWEST, stories=_DEFAULT.stories, lead=_DEFAULT.lead
    )
    pairs = (pair.partition("=") for pair in filter(None, queries.render(filters).split("&")))
    return ", ".join(
        value if key == "q" else f"{key} {value}"
        for key, _, value in ((k, e, unquote_plus(v)) for k, e, v in pairs)
    )


def _titled(title: str, filters: str) -> str:
    return ": ".join(filter(None, (title, filters)))


def _only_grows(query: Query) -> bool:
    if query.view:  # a changed rule changes old entries too
        return False
    return (query.limit, query.since, query.within, query.sort) == (None, None, None, Sort.NEWEST)


def _check_ids(wanted: Query, config: Config) -> None:
    """Refuse unknown ids: a typing error must not give an empty feed."""
    sections = sorted(section.id for section in config.sections)
    for id in wanted.section:
        if id not in sections:
            names = ", ".join(sections[:50])
            text = N_('there is no section "%(id)s"; sections are: %(ids)s', id=id, ids=names)
            raise QueryError(text)
    sources = sorted(source.id for source in config.sources)
    for id in wanted.source:
        if id not in sources:
            names = ", ".join(sources[:50])
            text = N_('there is no source "%(id)s"; sources are: %(ids)s', id=id, ids=names)
            raise QueryError(text)


_Found = tuple[Query, str, str]


def _all(_: str, config: Config) -> _Found:
    return Query(), "", config.site.description


def _section(id: str, config: Config) -> _Found:
    for section in config.sections:
        if section.id == id:
            return Query(section=(id,)), section.title, section.description
    raise NoSuchView(N_("there is no section %(id)s", id=id))


def _source(id: str, config: Config) -> _Found:
    for source in config.sources:
        if source.id == id:
            return Query(source=(id,)), source.title or id, ""
    raise NoSuchView(N_("there is no source %(id)s", id=id))


def _view(id: str, config: Config) -> _Found:
    for view in config.views:
        if view.id == id:
            query = replace(view.query, view=(id,)) if view.rules else view.query
            return query, view.title, view.description
    raise NoSuchView(N_("there is no view %(id)s", id=id))


def _category(id: str, _: Config) -> _Found:
    return Query(category=(id,)), id, ""


def _author(id: str, _: Config) -> _Found:
    return Query(author=(id,)), id, ""


def _language(id: str, _: Config) -> _Found:
    if not queries.LANGUAGE.fullmatch(id):
        raise NoSuchView(N_("%(tag)s is not a language tag such as en or pt-br", tag=id))
    return Query(lang=(id,)), id, ""


def _search(_: str, __: Config) -> _Found:
    return Query(), gettext("Search"), ""


_FIND: MappingProxyType[str, Callable[[str, Config], _Found]] = MappingProxyType(
    {
        "all": _all,
        "section": _section,
        "source": _source,
        "view": _view,
        "category": _category,
        "author": _author,
        "lang": _language,
        "search": _search,
    }
)
