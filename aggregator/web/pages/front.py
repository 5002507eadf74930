"""The front page: which story leads, what stands in each section, what is new, heard and seen."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from aggregator.models.query import Query
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.web.feeds.views import resolve
from aggregator.web.pages.entry_lists import Reader, head
from aggregator.web.pages.view_models import Block, FrontPage

LEAD_AMONG = 20
"""The lead is the newest story with a picture among so many; else simply the newest."""

LEAD_MARKED = timedelta(hours=12)
"""What a rule marks as important leads before that, for so long; the newest story is the clock."""

LATEST, SECTION_STORIES, MEDIA = 15, 6, 4

FROM_ONE, VARIED_AMONG = 2, 30
"""A section shows at most so many stories of one source while others have any among so many: one
that publishes by the dozen must not be all there is to see."""


def compose(reader: Reader, updated: datetime | None) -> FrontPage:
    """Return the front page.

    Args:
        updated: When anything changed last.
    """
    config = reader.config
    newest = reader.select(Query(), limit=LATEST + LEAD_AMONG)
    lead = _lead(newest, reader.select(Query(has=("priority",)), limit=1))
    latest = [one for one in newest if lead is None or one.id != lead.id][:LATEST]
    at = updated if newest else None
    return FrontPage(
        head=head(
            resolve("all", "", "", config), at, newest=max((one.id for one in newest), default=0)
        ),
        lead=reader.tell([lead])[0] if lead else None,
        blocks=tuple(_blocks(reader, set(reader.stories_of([lead] if lead else []).values()))),
        covered=reader.tell(reader.most_covered()),
        latest=reader.tell(latest),
        media=reader.tell(_media(reader)),
        sources=len(config.sources),
        next_poll=sources.next_due(reader.db),
    )


def _blocks(reader: Reader, shown: set[int]) -> Iterator[Block]:
    """Give the sections with their newest stories; no story stands twice."""
    for section in reader.config.sections:
        found = _varied(_newest(reader, section.id, shown))
        shown |= set(reader.stories_of(found).values())
        if found:
            yield Block(section=section, stories=reader.tell(found))


def _newest(reader: Reader, section: str, shown: set[int]) -> list[EntrySummary]:
    """Return the newest stories of a section that stand nowhere yet, enough to choose among."""
    found: list[EntrySummary] = []
    for among in (2 * SECTION_STORIES, VARIED_AMONG):  # so few are mostly enough, and are cheaper
        newest = reader.select(Query(section=(section,)), limit=among)
        stories = reader.stories_of(newest)
        found = [one for one in newest if stories[one.id] not in shown]
        if len(newest) < among or _is_varied(found):
            break
    return found


def _is_varied(found: Sequence[EntrySummary]) -> bool:
    """Tell whether no source has to fill a section; then those behind change nothing."""
    counts = Counter(one.source_id for one in found)
    return sum(min(count, FROM_ONE) for count in counts.values()) >= SECTION_STORIES


def _varied(found: Sequence[EntrySummary]) -> list[EntrySummary]:
    """Return the stories that a section shows, newest first."""
    counts: Counter[str] = Counter()
    chosen: list[EntrySummary] = []
    others: list[EntrySummary] = []
    for one in found:
        counts[one.source_id] += 1
        (chosen if counts[one.source_id] <= FROM_ONE else others).append(one)
    return sorted([*chosen, *others][:SECTION_STORIES], key=_newest_first)


def _media(reader: Reader) -> list[EntrySummary]:
    heard = reader.select(Query(has=("audio",)), limit=MEDIA)
    seen = reader.select(Query(has=("video",)), limit=MEDIA)
    return sorted({one.id: one for one in (*heard, *seen)}.values(), key=_newest_first)[:MEDIA]


def _lead(newest: Sequence[EntrySummary], marked: Sequence[EntrySummary]) -> EntrySummary | None:
    """Return the story that the front page begins with."""
    for one in marked:
        if newest[0].sort_at - one.sort_at < LEAD_MARKED:
            return one
    pictured = (one for one in newest[:LEAD_AMONG] if one.image)
    return next(pictured, next(iter(newest), None))


def _newest_first(one: EntrySummary) -> tuple[float, int]:
    return -one.sort_at.timestamp(), -one.id
