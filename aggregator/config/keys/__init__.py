"""The table of keys: everything a configuration file may contain.

The parser, the JSON Schema and docs/configuration.md are made from it. To add a setting, add a row
here, a field in `models.config` and, for a new block, a line in `config.file`.
"""

from aggregator.config.keys.content import SECTION, SOURCE, VIEW
from aggregator.config.keys.service import CLUSTER, DEFAULTS, NETWORK, STORAGE, WEBSUB
from aggregator.config.keys.site import AUTH, MEDIA, SITE
from aggregator.config.keys.stories import STORIES
from aggregator.config.kinds import Block, Key, ListOf

ROOT = Block(
    noun="the file",
    keys=(
        Key(
            name="site",
            kind=SITE,
            help="Title, address and look of the site.",
            example="site: {title: World News}",
        ),
        Key(
            name="storage",
            kind=STORAGE,
            help="Where entries are stored.",
            example="storage: {path: data/aggregator.db}",
        ),
        Key(
            name="network",
            kind=NETWORK,
            help="Private addresses that may be polled, and a proxy.",
            example="network: {allow: [127.0.0.0/8]}",
        ),
        Key(
            name="auth",
            kind=AUTH,
            help="Password and token; without them, everyone may see and control everything.",
            example="auth: {token: '${SITE_TOKEN}', protect: site}",
        ),
        Key(
            name="websub",
            kind=WEBSUB,
            help="WebSub: pushes to us and from us.",
            example="websub: {hub: own, subscribe: true}",
        ),
        Key(
            name="media",
            kind=MEDIA,
            help="Images of entries, and icons of sources.",
            example="media: {proxy: true}",
        ),
        Key(
            name="stories",
            kind=STORIES,
            help="Corrections of stories: entries that are wrongly joined, or wrongly apart.",
            example="stories: {apart: [[4711, 4712]]}",
        ),
        Key(
            name="cluster",
            kind=CLUSTER,
            help="Other machines that fetch and parse feeds; see [Scaling](scaling.md).",
            example="cluster: {address: 'tcp://10.0.0.1:8786'}",
        ),
        Key(
            name="defaults",
            kind=DEFAULTS,
            help="Settings for all sources; some can be overridden by a source.",
            example="defaults: {every: 15m}",
        ),
        Key(
            name="sections",
            kind=ListOf(expected="a list of sections", item=SECTION),
            help="Regions and topics of the site, in the order of the navigation.",
            example="sections:\n  - {id: europe, title: Europe}",
        ),
        Key(
            name="sources",
            kind=ListOf(expected="a list of sources", item=SOURCE),
            help="The feeds.",
            example="sources:\n  - {id: bbc-world, url: 'https://feeds.bbci.co.uk/news/rss.xml'}",
        ),
        Key(
            name="views",
            kind=ListOf(expected="a list of views", item=VIEW),
            help="Saved queries, each with its own page and feeds.",
            example='views:\n  - {id: nato, title: Nato, query: "q=nato&section=europe"}',
        ),
    ),
)
"""The whole file."""
