"""Checks of the command web before it starts a server."""

import pytest

from aggregator.cli.web_server import misleading_address
from aggregator.models.config import Site


@pytest.mark.parametrize(
    ("base_url", "trusted_proxies", "is_named"),
    [
        ("", 0, False),
        ("http://127.0.0.1:9137", 0, False),
        ("http://127.0.0.1:8000", 0, True),
        ("http://localhost", 0, True),
        ("https://[::1]", 0, True),
        ("http://127.0.0.1:8000", 1, False),
        ("https://news.example", 0, False),
        ("http://192.168.1.7:8000", 0, False),
    ],
)
def test_a_base_url_with_another_port_of_this_machine_is_named(
    base_url: str, trusted_proxies: int, is_named: bool
) -> None:
    site = Site(base_url=base_url, trusted_proxies=trusted_proxies)
    assert bool(misleading_address(site, 9137)) == is_named


def test_the_warning_names_both_addresses() -> None:
    warning = misleading_address(Site(base_url="http://127.0.0.1:8000"), 9137)
    assert "site.base_url is http://127.0.0.1:8000" in warning
    assert "listens on port 9137" in warning
