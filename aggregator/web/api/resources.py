"""The resources of the API as JSON; `openapi` describes them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aggregator.models.config import Config, Section
from aggregator.models.entry import StoredEntry
from aggregator.store.database.connection import Connection
from aggregator.store.entries import stories as stored_stories
from aggregator.store.entries.stories import Member
from aggregator.store.entries.versions import Version
from aggregator.store.queries import summaries
from aggregator.store.queries.summaries import EntrySummary
from aggregator.store.sources import sources
from aggregator.store.sources.poll_log import PollRow
from aggregator.store.sources.sources import Label, SourceState
from aggregator.web.pages import presenters
from aggregator.web.pages.dates import rfc3339, rfc3339_or_none

Json = dict[str, Any]


def entry(stored: StoredEntry, state: SourceState | None, config: Config) -> Json:
    """Return an entry; `state` is that of its source, None if there is none any more."""
    content, base = stored.entry, config.site.url
    return {
        "id": stored.id,
        "uri": stored.uri,
        "url": f"{base}/entry/{stored.id}",
        "link": content.link or None,
        "title": presenters.headline(content),
        "summary": content.summary,
        "authors": [author.name for author in content.authors if author.name],
        "categories": list(content.categories),
        "language": content.language or None,
        "source": {
            "id": stored.source_id,
            "title": state.title if state else stored.source_id,
            "url": f"{base}/source/{stored.source_id}",
        },
        "sections": list(state.sections) if state else [],
        "image": asdict(content.image) if content.image else None,
        "enclosures": [asdict(enclosure) for enclosure in content.enclosures],
        "published": rfc3339_or_none(content.published),
        "first_seen": rfc3339(stored.first_seen),
        "changed": rfc3339(stored.changed),
        "withdrawn": rfc3339_or_none(stored.withdrawn),
        "retracted": rfc3339_or_none(stored.retracted),
    }


def whole_entry(
    stored: StoredEntry,
    state: SourceState | None,
    config: Config,
    *,
    story: int | None,
    earlier: Sequence[Version],
) -> Json:
    """Return an entry with its content, its story and its earlier versions."""
    return entry(stored, state, config) | {
        "content": stored.entry.content,
        "text_from": stored.entry.text_from or "feed",
        "hidden": stored.hidden or None,
        "rules": list(stored.ruling.reasons),
        "known_by": stored.known_by.split(),
        "story": story,
        "versions": [
            {"until": rfc3339(version.until), "title": version.title, "content": version.content}
            for version in earlier
        ],
    }


def stories(db: Connection, ids: Sequence[int], config: Config) -> list[Json]:
    """Return stories with their reports, without those that have none."""
    members = stored_stories.members(db, ids, shown=True)
    lines = summaries.get_many(db, [member.entry_id for member in members])
    labels = sources.labels(db, {member.source_id for member in members})
    reports: dict[int, list[Json]] = {}
    for member in members:
        report = _report(member, lines[member.entry_id], labels.get(member.source_id), config)
        reports.setdefault(member.story, []).append(report)
    return [
        {"id": story, "began": first["at"], "title": first["title"], "reports": reports[story]}
        for story in ids
        if story in reports
        for first in reports[story][:1]
    ]


def _report(member: Member, line: EntrySummary, label: Label | None, config: Config) -> Json:
    base = config.site.url
    return {
        "entry": member.entry_id,
        "uri": line.uri,
        "url": f"{base}/entry/{member.entry_id}",
        "link": line.link or None,
        "title": presenters.headline(line),
        "at": rfc3339(member.at),
        "source": {
            "id": member.source_id,
            "title": label.title if label else member.source_id,
            "url": f"{base}/source/{member.source_id}",
        },
        "reason": member.reason or None,
        "similarity": member.similarity,
    }


def source(state: SourceState, feed_url: str) -> Json:
    """Return a source; `feed_url` has no secrets."""
    return presenters.source_fields(state) | {
        "feed_url": feed_url,
        "site_url": state.link or None,
        "enabled": state.enabled,
        "health": state.shown_health,
        "health_since": rfc3339_or_none(state.health_since),
        "problem": state.problem or None,
        "error": state.error or None,
    }


def section(section: Section, config: Config) -> Json:
    """Return a section with the ids of its sources."""
    return {
        "id": section.id,
        "title": section.title,
        "description": section.description,
        "url": f"{config.site.url}/section/{section.id}",
        "sources": [source.id for source in config.sources if section.id in source.sections],
    }


def poll(row: PollRow) -> Json:
    """Return a poll of the log."""
    return {
        "at": rfc3339(row.at),
        "outcome": row.outcome,
        "outcome_text": row.outcome_text,
        "status": row.status or None,
        "milliseconds": row.milliseconds,
        "bytes": row.bytes,
        "conditional": row.conditional,
        "new": row.new,
        "changed": row.changed,
        "error": row.detail or None,
        "next_poll": rfc3339(row.next_poll),
        "reason": row.reason,
    }
