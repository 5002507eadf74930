"""The User-Agent header."""

import aggregator
from aggregator.models.config import Config


def user_agent(config: Config) -> str:
    """Return the User-Agent, with the site's URL and contact for publishers."""
    contact = f"; {config.site.contact}" if config.site.contact else ""
    return f"feed-aggregator/{aggregator.__version__} (+{config.site.base_url}{contact})"
