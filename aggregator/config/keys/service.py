"""Keys about how the service runs: storage, network, websub, cluster, defaults."""

from aggregator.config.kinds import Block, Boolean, Choice, Integer, Key, ListOf, Text
from aggregator.config.values import Address, Duration, FilePath, Hub, Retention, Size, Url
from aggregator.models.config import Content

STORAGE = Block(
    noun="storage",
    keys=(
        Key(
            name="path",
            kind=FilePath(),
            help=(
                "Path of the SQLite file, relative to the working directory. "
                "`~` is the home folder."
            ),
            default="data/aggregator.db",
            example="path: data/aggregator.db",
        ),
    ),
)

PROXY = Url(
    schemes=("http", "https", "socks5", "socks5h"),
    remedy="Write it as http://host:port or socks5h://host:port.",
    secret=True,
)

NETWORK = Block(
    noun="network",
    keys=(
        Key(
            name="allow",
            kind=ListOf(expected="a list of hosts and networks", item=Address()),
            help=(
                "Private hosts, addresses and networks that may be polled. "
                "Without this key, only public addresses are."
            ),
            example="allow: [192.168.1.7, nas.lan]",
        ),
        Key(
            name="proxy",
            kind=PROXY,
            help="Proxy for fetching feeds.",
            example="proxy: http://proxy.lan:3128",
        ),
    ),
)

WEBSUB = Block(
    noun="websub",
    keys=(
        Key(
            name="hub",
            kind=Hub(),
            help=(
                "Hub that pushes our feeds to subscribers: `own`, `off`, or the URL of another "
                "hub, which is notified of each change. "
                "`own` needs a `site.base_url` that others can reach."
            ),
            default="own",
            example="hub: own",
        ),
        Key(
            name="subscribe",
            kind=Boolean(),
            help=("Subscribe to the hubs of sources. Needs a `site.base_url` that they can reach."),
            default="true",
            example="subscribe: true",
        ),
    ),
)

CLUSTER_ADDRESS = r"(tcp|tls)://\S+:\d{1,5}|local:[1-9]\d{0,2}"

CLUSTER = Block(
    noun="cluster",
    keys=(
        Key(
            name="address",
            kind=Text(
                expected="the address of a cluster",
                remedy="Write tcp://HOST:8786, tls://HOST:8786 or local:N.",
                pattern=CLUSTER_ADDRESS,
            ),
            help=(
                "Address of Dask's scheduler, or `local:N` for N workers on this machine. "
                "`--cluster` overrides it. A change needs a restart."
            ),
            example="address: tcp://10.0.0.1:8786",
        ),
    ),
)

LIMITS = Block(
    noun="limits",
    keys=(
        Key(
            name="connect",
            kind=Duration(),
            help="Longest time to connect.",
            default="10s",
            example="connect: 10s",
        ),
        Key(
            name="idle",
            kind=Duration(),
            help="Longest time without receiving a byte.",
            default="15s",
            example="idle: 15s",
        ),
        Key(
            name="total",
            kind=Duration(),
            help="Longest time for a fetch, including redirects.",
            default="30s",
            example="total: 30s",
        ),
        Key(
            name="body",
            kind=Size(),
            help="Largest feed, decompressed.",
            default="10MB",
            example="body: 10MB",
        ),
        Key(
            name="header",
            kind=Size(),
            help="Largest response header.",
            default="64KiB",
            example="header: 64KiB",
        ),
        Key(
            name="redirects",
            kind=Integer(least=0, most=50),
            help="Most redirects followed.",
            default="10",
            example="redirects: 10",
        ),
        Key(
            name="parse",
            kind=Duration(),
            help="Longest time to parse a feed.",
            default="5s",
            example="parse: 5s",
        ),
    ),
)

PER_HOST = Block(
    noun="per_host",
    keys=(
        Key(
            name="connections",
            kind=Integer(least=1, most=100),
            help="Most simultaneous connections to one host.",
            default="2",
            example="connections: 2",
        ),
        Key(
            name="spacing",
            kind=Duration(zero=True),
            help="Shortest time between two requests to one host; a 429 response lengthens it.",
            default="0s",
            example="spacing: 0s",
        ),
    ),
)

DEFAULTS = Block(
    noun="defaults",
    keys=(
        Key(
            name="content",
            kind=Choice(values=tuple(Content)),
            help=(
                "Text of new entries: `feed` as the feed has it; `full` that of the entry's page, "
                "fetched once after the entry is stored; `excerpt` its first 300 characters; "
                "`link` none, only title and link."
            ),
            default="feed",
            example="content: full",
        ),
        Key(
            name="every",
            kind=Duration(),
            help="Polling interval; by default it follows how often each feed publishes.",
            example="every: 15m",
        ),
        Key(
            name="min_interval",
            kind=Duration(),
            help="Shortest interval that follows from how often a feed publishes.",
            default="5m",
            example="min_interval: 5m",
        ),
        Key(
            name="max_interval",
            kind=Duration(),
            help="Longest interval that follows from how often a feed publishes.",
            default="24h",
            example="max_interval: 24h",
        ),
        Key(
            name="retention",
            kind=Retention(),
            help=(
                "How long an entry is kept after it has left its feed, or `forever`."
                " The old name `keep` still works here."
            ),
            default="forever",
            example="retention: 365d",
            old_name="keep",
        ),
        Key(
            name="retracted",
            kind=Choice(values=("show", "hide")),
            help=(
                "Entries that their publisher removed from the middle of the feed for three polls:"
                " `show` marks them, `hide` takes them down as `aggregator hide` does."
            ),
            default="show",
            example="retracted: hide",
        ),
        Key(
            name="limits",
            kind=LIMITS,
            help="Limits of one poll.",
            example="limits: {total: 30s, body: 10MB}",
        ),
        Key(
            name="per_host",
            kind=PER_HOST,
            help="Limits per host.",
            example="per_host: {connections: 2}",
        ),
    ),
)
