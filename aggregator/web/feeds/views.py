"""From an address to a view: what it selects, what it is called, and where it is found.

    /section/europe?q=nato            a page
    /feeds/section/europe.atom?q=nato the same as a feed

The query string narrows what the path names, in the words of `query.KEYS`.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from urllib.parse import quote, unquote_plus

from aggregator.errors import QueryError
from aggregator.models import query as queries
from aggregator.models.config import Config
from aggregator.models.query import Query, Sort
from aggregator.models.urls import tag_authority

NAMED = frozenset({"section", "source", "view"})
"""Kinds whose members the configuration names."""

KINDS = ("all", "section", "source", "view", "category", "author", "lang", "search")

_REPLACED = frozenset({"limit", "sort", "stories", "lead"})
_JOINED = frozenset({"q", "exclude"})
_DEFAULT = Query()


class NoSuchView(LookupError):
    """Nothing of that kind has that name."""


class NeedsToken(PermissionError):
    """The view is private, and the token that was given is not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """A view that was asked for.

    Args:
        kind: One of `KINDS`; id: "" for `all` and `search`.
        query: What it selects: what the path names, narrowed by the query string.
        extra: The query string in its canonical form, "" when there is none.
        base: The site's base_url.
        archived: Whether it has archives: it can only grow, and everybody asks for the same.
        private: Whether it is only for those who know its token.
        token: What its addresses must carry, for a subscriber who sent it in the address.
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
        """The path that page and feeds have in common, such as `section/europe`."""
        return f"{self.kind}/{quote(self.id, safe='')}" if self.id else self.kind

    @property
    def key(self) -> str:
        """What the view's archives are stored under; a saved view that is changed gets new ones."""
        key = f"{self.kind}:{self.id}"
        return f"{key}?{queries.render(self.query)}" if self.kind == "view" else key

    @property
    def feed_id(self) -> str:
        """The id of the view's feeds, a tag: URI of ours (RFC 4151)."""
        query = f"?{self.extra}" if self.extra else ""
        return f"tag:{tag_authority(self.base)},2026:{self.path}{query}"

    @property
    def page_url(self) -> str:
        """The URL of the view's page for people."""
        return f"{self.base}{self.page_path}"

    @property
    def page_path(self) -> str:
        """The path and query string of the view's page for people."""
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
    """Return the path of a view's page; the query holds a name that would not survive as a path.

    Browsers resolve dots, servers merge slashes, and some refuse a slash that is encoded.
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


def resolve(kind: str, id: str, args: str, config: Config, *, bearer: str = "") -> ViewSpec:
    """Return the view of a kind and name, narrowed by a query string.

    Args:
        kind: One of `KINDS`.
        id: What the path names, "" for `all` and `search`.
        args: The query string; its `token` opens a private view, as does `bearer`.
        config: In force.
        bearer: The Authorization header field's token, "" for none.

    Raises:
        NeedsToken: The view is private and neither token is its own.
        NoSuchView: Nothing has that name.
        QueryError: The query string says something that can't be obeyed, or sets anew what the
            view itself sets.
    """
    find = _FIND.get(kind)
    if find is None or bool(id) is (kind in ("all", "search")):
        raise NoSuchView(f"there is no {kind or 'view'} {id}".rstrip())
    own, title, description = find(id, config)
    args, token = without_token(args)
    wanted_token = _token_of(kind, id, config)
    in_address = bool(wanted_token) and _same(token, wanted_token)
    if wanted_token and not in_address and not _same(bearer, wanted_token):
        raise NeedsToken("this view is private: add ?token=… to the address")
    wanted = queries.parse(args)
    if kind == "search" and wanted == _DEFAULT:
        raise QueryError(f"the search names nothing to look for: {', '.join(queries.KEYS)}")
    _known(wanted, config)
    extra = queries.render(wanted)
    query = narrow(own, wanted)
    words = describe(wanted)
    site = config.site.title
    return ViewSpec(
        kind=kind,
        id=id,
        query=query,
        title=site if kind == "all" and not words else f"{_titled(title, words)} – {site}",
        description=description,
        extra=extra,
        base=config.site.base_url,
        archived=kind in {"all", *NAMED} and not extra and not wanted_token and _only_grows(query),
        private=bool(wanted_token),
        token=token if in_address else "",
    )


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())


def _token_of(kind: str, id: str, config: Config) -> str:
    if kind != "view":
        return ""
    return next((view.token for view in config.views if view.id == id), "")


def narrow(own: Query, wanted: Query) -> Query:
    """Return what both select: words are added; `limit` and `sort` are replaced.

    Raises:
        QueryError: A key is set by both, and no one query can say so.
    """
    changes: dict[str, object] = {}
    for name in (one.name for one in fields(Query)):
        mine, yours = getattr(own, name), getattr(wanted, name)
        default = getattr(_DEFAULT, name)
        if yours in (default, mine):
            continue
        if mine == default or name in _REPLACED:
            changes[name] = yours
        elif name in _JOINED:
            changes[name] = f"{mine} {yours}"
        else:
            key = "since" if name == "within" else name
            raise QueryError(f"{key} is set by the view itself and can't be set again")
    if (own.since or own.within) and (wanted.since or wanted.within) and changes:
        raise QueryError("since is set by the view itself and can't be set again")
    return replace(own, **changes)  # type: ignore[arg-type]  # each value is of its own field


def describe(query: Query) -> str:
    """Return what a query narrows, in words for a title, "" when it narrows nothing."""
    narrowed = replace(
        query, limit=None, sort=Sort.NEWEST, stories=_DEFAULT.stories, lead=_DEFAULT.lead
    )
    pairs = (pair.partition("=") for pair in filter(None, queries.render(narrowed).split("&")))
    return ", ".join(
        value if key == "q" else f"{key} {value}"
        for key, _, value in ((k, e, unquote_plus(v)) for k, e, v in pairs)
    )


def _titled(title: str, words: str) -> str:
    return ": ".join(filter(None, (title, words)))


def _only_grows(query: Query) -> bool:
    if query.view:  # another rule is another past
        return False
    return (query.limit, query.since, query.within, query.sort) == (None, None, None, Sort.NEWEST)


def _known(wanted: Query, config: Config) -> None:
    """Refuse ids that the configuration does not name; a typing error is not an empty feed."""
    for noun, ids, known in (
        ("section", wanted.section, [section.id for section in config.sections]),
        ("source", wanted.source, [source.id for source in config.sources]),
    ):
        for id in ids:
            if id not in known:
                some = ", ".join(sorted(known)[:50]) or "none"
                raise QueryError(f'there is no {noun} "{id}"; {noun}s are: {some}')


_Found = tuple[Query, str, str]


def _all(_: str, config: Config) -> _Found:
    return Query(), "", config.site.description


def _section(id: str, config: Config) -> _Found:
    for section in config.sections:
        if section.id == id:
            return Query(section=(id,)), section.title, section.description
    raise _missing("section", id)


def _source(id: str, config: Config) -> _Found:
    for source in config.sources:
        if source.id == id:
            return Query(source=(id,)), source.title or id, ""
    raise _missing("source", id)


def _view(id: str, config: Config) -> _Found:
    for view in config.views:
        if view.id == id:
            query = replace(view.query, view=(id,)) if view.rules else view.query
            return query, view.title, view.description
    raise _missing("view", id)


def _missing(noun: str, id: str) -> NoSuchView:
    return NoSuchView(f"there is no {noun} {id}")


def _category(id: str, _: Config) -> _Found:
    return Query(category=(id,)), id, ""


def _author(id: str, _: Config) -> _Found:
    return Query(author=(id,)), id, ""


def _language(id: str, _: Config) -> _Found:
    if not queries.LANGUAGE.fullmatch(id):
        raise NoSuchView(f"{id} is no language tag such as en or pt-br")
    return Query(lang=(id,)), id, ""


def _search(_: str, __: Config) -> _Found:
    return Query(), "Search", ""


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
