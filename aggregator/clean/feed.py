"""From a feed's metadata as published to ours."""

from collections.abc import Sequence

from aggregator.clean import entry, text, urls
from aggregator.models.entry import Feed, ParsedFeed

SUBTITLE_LENGTH = 1_000
MOST_HUBS = 5
PROBLEMS, PROBLEM_LENGTH = 10, 300


def clean(parsed: ParsedFeed, *, url: str, header_links: Sequence[tuple[str, str]] = ()) -> Feed:
    """Return a feed's metadata, safe to store and serve.

    Args:
        parsed: As the publisher wrote it.
        url: Address of the document, the base of its links.
        header_links: `(rel, URL)` of the Link header fields; where they name hub or self, the
            document's own are not looked at (WebSub §4).
    """
    link = urls.absolute(url, parsed.link)
    base = link or url

    def linked(rel: str, links: Sequence[tuple[str, str]] = parsed.links) -> tuple[str, ...]:
        absolute = (urls.absolute(url, target) for name, target in links if name == rel)
        return tuple(dict.fromkeys(target for target in absolute if target))

    return Feed(
        version=text.one_line(parsed.version, 20),
        id=entry.guid(parsed.id) if urls.is_iri(parsed.id) else "",
        title=text.line(parsed.title, text.TITLE_LENGTH),
        subtitle=text.line(parsed.subtitle, SUBTITLE_LENGTH),
        link=link,
        language=entry.language_tag(parsed.language),
        rights=text.line(parsed.rights, text.TITLE_LENGTH),
        icon=urls.absolute(base, parsed.icon),
        image=urls.absolute(base, parsed.image),
        updated=parsed.updated,
        authors=entry.authors(parsed.authors, base),
        self_url=next(iter(linked("self", header_links) or linked("self")), ""),
        hubs=(linked("hub", header_links) or linked("hub"))[:MOST_HUBS],
        older=next(iter((*linked("prev-archive"), *linked("next"))), ""),
        ttl=parsed.ttl,
        update_period=parsed.update_period,
        update_base=parsed.update_base,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
        problems=tuple(
            text.one_line(problem, PROBLEM_LENGTH) for problem in parsed.problems[:PROBLEMS]
        ),
        unmatched=tuple((selector, 1) for selector in parsed.unmatched),
    )
