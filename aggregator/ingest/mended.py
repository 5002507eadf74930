"""Settings that were changed act at once: the sources they concern are polled now."""

import hashlib
from datetime import datetime

from aggregator.models.config import PLAIN_TRANSPORT, Config, Source, Transport
from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection
from aggregator.store.sources import settings
from aggregator.store.sources.settings import Settings

NETWORK = "network_settings"


def poll_changed(db: Connection, config: Config, now: datetime) -> None:
    """Make the sources due that have a shorter interval or other options of their requests.

    Sources that fail are due after a change of `network`, which may have been the reason.
    """
    before = settings.get_all(db)
    after = {source.id: _settings(source, config) for source in config.sources}
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    settings.put(db, changed)
    due = {key for key, new in changed.items() if key in before and _is_mended(before[key], new)}
    network = _digest(config.allow, config.proxy)
    if metadata.get(db, NETWORK) != network:
        if metadata.get(db, NETWORK):
            due |= set(settings.failing(db))
        metadata.put(db, NETWORK, network)
    if due:
        settings.hasten(db, due, now)


def _settings(source: Source, config: Config) -> Settings:
    every = source.every or config.defaults.every
    seconds = None if every is None else round(every.total_seconds())
    requests: list[object] = [sorted(source.headers.items())]
    if source.transport != PLAIN_TRANSPORT:
        requests += [repr(value) for value in _values(source.transport)]
    return Settings(seconds, _digest(*requests))


def _values(transport: Transport) -> list[object]:
    cookies = [(each.domain, each.name, each.value) for each in transport.cookies]
    return [transport.proxy, transport.user_agent, transport.ca, transport.insecure, cookies]


def _is_mended(old: Settings, new: Settings) -> bool:
    if old.digest != new.digest:
        return True
    return new.every is not None and (old.every is None or new.every < old.every)


def _digest(*values: object) -> str:
    # Cryptographic, because headers may hold secrets and a backup may be read by others.
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]
