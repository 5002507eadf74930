"""The User-Agent header."""

import aggregator
from aggregator.models.config import Config


def user_agent(config: Config) -> str:
    """Return the User-Agent, with the site's URL and contact for publishers if they are known."""
    site = config.site
    about = "; ".join(filter(None, (site.public_url and f"+{site.public_url}", site.contact)))
    return f"{aggregator.PRODUCT}/{aggregator.__version__}{about and f' ({about})'}"
