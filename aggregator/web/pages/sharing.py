"""A page as cards of social networks and search engines show it: OpenGraph and schema.org; pure.

The template `head_sharing.html` writes both.
"""

from collections.abc import Iterable
from typing import Any

from aggregator.models.config import Config, Section
from aggregator.models.entry import Image, StoredEntry
from aggregator.store.queries.summaries import EntrySummary
from aggregator.web.pages.dates import rfc3339
from aggregator.web.pages.view_models import EntryItem, LinkedData, Sharing, StoryMember

MAX_REPORTS = 50
"""Reports of a story that its linked data names."""


def of_front(config: Config, image: Image | None) -> Sharing:
    """Return the front page with the picture of its lead: the site, as a WebSite."""
    site = config.site
    fields = {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": site.title,
        "description": site.description,
        "url": f"{site.url}/",
        "inLanguage": site.language,
    }
    linked_data = (_filled(fields),)
    return Sharing(title=site.title, url=f"{site.url}/", image=image, linked_data=linked_data)


def of_entry(
    stored: StoredEntry,
    item: EntryItem,
    reports: Iterable[tuple[StoryMember, EntrySummary]],
    config: Config,
) -> Sharing:
    """Return the page of an entry, as a NewsArticle with the reports of its story.

    Args:
        stored: The entry.
        item: The same as lists show it.
        reports: The reports of its story, itself included; empty if it belongs to none.
    """
    url = f"{config.site.url}{item.url}"
    section = _section(stored.source_id, config)
    return Sharing(
        title=item.title,
        type="article",
        url=url,
        image=stored.entry.image,
        published=item.at,
        modified=stored.changed,
        section=section.title if section else "",
        linked_data=(
            _article(stored, item, reports, url, section),
            _breadcrumbs(item, section, config),
        ),
    )


def canonical(stored: StoredEntry, members: Iterable[StoryMember], config: Config) -> str:
    """Return the canonical URL of an entry's page (RFC 6596).

    The page of a single report repeats a text of its publisher, whose page it names. A story that
    several sources report is one page of ours: that of its first report.
    """
    ids = [member.entry.id for member in members]
    if len(ids) < 2 and stored.entry.link:
        return stored.entry.link
    return f"{config.site.url}/entry/{ids[0] if ids else stored.id}"


def _article(
    stored: StoredEntry,
    item: EntryItem,
    reports: Iterable[tuple[StoryMember, EntrySummary]],
    url: str,
    section: Section | None,
) -> LinkedData:
    entry = stored.entry
    publisher = _organization(item.source)
    authors = [{"@type": "Person", "name": author.name} for author in entry.authors if author.name]
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": item.title,
            "description": entry.summary,
            "url": url,
            "mainEntityOfPage": url,
            "datePublished": rfc3339(item.at),
            "dateModified": rfc3339(max(stored.changed, item.at)),
            "image": [entry.image.url] if entry.image else [],
            "inLanguage": item.language,
            "articleSection": section.title if section else "",
            "author": authors or [publisher],
            "publisher": publisher,
            "isBasedOn": [
                _filled(
                    {
                        "@type": "NewsArticle",
                        "headline": member.entry.title,
                        "url": summary.link,
                        "datePublished": rfc3339(member.entry.at),
                        "publisher": _organization(member.entry.source),
                    }
                )
                for member, summary in list(reports)[:MAX_REPORTS]
            ]
            or entry.link,
        }
    )


def _breadcrumbs(item: EntryItem, section: Section | None, config: Config) -> LinkedData:
    root = config.site.url
    steps = [(config.site.title, f"{root}/"), (item.title, f"{root}{item.url}")]
    if section:
        steps.insert(1, (section.title, f"{root}/section/{section.id}"))
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": url}
            for position, (name, url) in enumerate(steps, 1)
        ],
    }


def _section(source_id: str, config: Config) -> Section | None:
    sections = {section.id: section for section in config.sections}
    ids = (id for source in config.sources if source.id == source_id for id in source.sections)
    return next((sections[id] for id in ids if id in sections), None)


def _organization(name: str) -> LinkedData:
    return {"@type": "Organization", "name": name}


def _filled(fields: dict[str, Any]) -> LinkedData:
    return {name: value for name, value in fields.items() if value}
