"""Our site on a port, and a publisher with a hub on another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feedserver import FeedServer
from tests.websub.ours import Ours, running
from tests.websub.peers import HubPeer


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Ours]:
    with running(tmp_path / "ours") as made:
        yield made


@pytest.fixture
def peer(feed_server: FeedServer) -> HubPeer:
    return HubPeer(feed_server)
