"""What operators see of WebSub: which hubs push to us, and who is told by our hub.

Callbacks are secrets of those who chose them, so that only their hosts are shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, render_template

from aggregator.model import Config, Feed
from aggregator.store import subscribers, subscriptions
from aggregator.store.db import Store
from aggregator.store.subscriptions import ACTIVE, DENIED, LEAVING, Subscription
from aggregator.web.contexts import Head, PushesPage
from aggregator.websub import protocol

ROWS = 500


def blueprint(config: Callable[[], Config], store: Store) -> Blueprint:
    """Return the page."""
    made = Blueprint("pushes", __name__)

    def pushes() -> str:
        page = read(config(), store)
        return render_template("pushes.html", page=page, head=page.head)

    made.add_url_rule("/status/websub", "pushes", pushes)
    return made


def read(config: Config, store: Store) -> PushesPage:
    """Return what is known now."""
    site = config.site
    with store.reading() as db:
        ours, theirs = subscriptions.all_of(db), subscribers.listed(db, ROWS)
        log, total = subscribers.logged(db, ROWS), subscribers.count(db)
    return PushesPage(
        head=Head(title=f"Pushes – {site.title}", updated=None),
        objection=protocol.objection(config),
        hub=protocol.hub_url(config),
        subscriptions=tuple(
            replace(one, hub=_host(one.hub), callback="", secret="", token="")
            for one in ours[:ROWS]
        ),
        subscribers=tuple(
            replace(one, topic=_place(one.topic, site.base_url), callback="", secret="")
            for one in theirs
        ),
        total=total,
        deliveries=tuple(
            replace(one, topic=_place(one.topic, site.base_url), callback=_host(one.callback))
            for one in log
        ),
    )


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _place(topic: str, base_url: str) -> str:
    """Return a topic's path, without its query, which may hold a token."""
    return topic.removeprefix(base_url).partition("?")[0]


def words(config: Config, feed: Feed, known: Sequence[Subscription]) -> str:
    """Return how a source is pushed, or why it is not."""
    offer = protocol.offer(feed)
    if offer is None:
        return "not offered" + (": the feed names a hub, but not itself" if feed.hubs else "")
    objection = protocol.objection(config, offer.hub)
    if objection:
        return objection
    standing = [one for one in known if one.state != LEAVING]
    active = next((one for one in standing if one.state == ACTIVE), None)
    if active:
        return _active(active)
    asked = next(iter(standing), None)
    if asked is None:
        return "offered; its hub is asked next"
    if asked.state == DENIED:
        return f"denied by its hub: {asked.detail}"
    if asked.failures > 1:
        return f"failing since {_when(asked.since)}: {asked.detail}"
    return f"asked {_when(asked.since)}: {asked.detail}" if asked.detail else "asked"


def _active(active: Subscription) -> str:
    said = f"active until {_when(active.lease_until)}"
    if active.last_push:
        said += f"; {active.pushes} pushes, the last {_when(active.last_push)}"
    else:
        said += "; nothing pushed yet, so polls keep their pace"
    if active.ignored:
        said += f"; {active.ignored} ignored for a wrong signature"
    if active.algorithm == "sha1":
        said += "; signed with sha1, which is weak"
    if active.suspected:
        said += f"; a poll {_when(active.suspected)} found what was not pushed, so polls go on"
    return said


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} GMT" if moment else "never"
