"""The stories that sitemaps list: those of several reports, which have a canonical page here."""

from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import parse_time


def parts(db: Connection, size: int) -> list[int]:
    """Return the numbers of the parts that hold a story; a part spans `size` ids of stories."""
    rows = db.execute(
        "select distinct story_id / ? from story_members where entry_id <> story_id order by 1",
        (size,),
    )
    return [row[0] for row in rows]


def stories(db: Connection, part: int, size: int) -> list[tuple[int, datetime]]:
    """Return the stories of a part: the first report that views show, and the last change."""
    rows = db.execute(
        "select min(e.id), max(e.changed) from story_members join entries e on e.id = entry_id"
        " where story_id >= ? and story_id < ? and e.hidden is null"
        " group by story_id having count(*) > 1 order by story_id",
        (part * size, (part + 1) * size),
    )
    return [(row[0], parse_time(row[1])) for row in rows]
