"""From a feed's metadata as published to ours."""

from aggregator.clean import text, urls
from aggregator.clean.entry import authors
from aggregator.model import Feed, ParsedFeed, Text

SUBTITLE_LENGTH = 1_000
PROBLEMS, PROBLEM_LENGTH = 10, 300


def clean(parsed: ParsedFeed, *, url: str) -> Feed:
    """Return a feed's metadata, safe to store; `url` is where the document came from."""
    base = urls.absolute(url, parsed.link) or url

    def link(rel: str) -> tuple[str, ...]:
        found = (urls.absolute(url, target) for name, target in parsed.links if name == rel)
        return tuple(dict.fromkeys(target for target in found if target))

    return Feed(
        version=text.one_line(parsed.version),
        id=parsed.id[:1000] if urls.is_iri(parsed.id) else "",
        title=text.title(Text(value=parsed.title)),
        subtitle=text.one_line(text.plain(parsed.subtitle), SUBTITLE_LENGTH),
        link=urls.absolute(url, parsed.link),
        language=text.one_line(parsed.language, 35).lower(),
        rights=text.one_line(text.plain(parsed.rights)),
        image=urls.absolute(base, parsed.image),
        updated=parsed.updated,
        authors=authors(parsed.authors, base),
        self_url=next(iter(link("self")), ""),
        hubs=link("hub")[:5],
        previous_archive=next(iter(link("prev-archive")), ""),
        ttl=parsed.ttl,
        update_period=parsed.update_period,
        update_base=parsed.update_base,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
        problems=tuple(
            text.one_line(problem, PROBLEM_LENGTH) for problem in parsed.problems[:PROBLEMS]
        ),
    )
