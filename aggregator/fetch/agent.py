"""The User-Agent header."""

import aggregator
from aggregator.models.config import Config

NAME = "feed-aggregator"
"""Our name, as robots.txt files may have it (RFC 9309 §2.2.1)."""


def user_agent(config: Config) -> str:
    """Return the User-Agent, with the site's URL and contact for publishers if they are known."""
    site = config.site
    about = "; ".join(filter(None, (site.public_url and f"+{site.public_url}", site.contact)))
    return f"{NAME}/{aggregator.__version__}{about and f' ({about})'}"
