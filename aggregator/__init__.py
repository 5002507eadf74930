"""A feed aggregator: polls the feeds listed in a YAML file and serves them merged.

The folders, in the order of the data:

    cli/          commands: run, web, poll, sources, diagnose, maintenance
    config/       YAML -> Config, with file:line:column errors
    models/       frozen dataclasses that the stages exchange
    policy/       pure decisions: schedule, health, filter rules
    polling/      due -> Request -> PollResult: scheduler, poller, pipeline, parser pool
    fetch/        1  HTTP
    parse/        2  bytes -> ParsedFeed
    clean/        3  untrusted -> safe
    dedupe/       4  same entry (within a feed), same story (across feeds)
    ingest/       5  PollResult -> database
    store/        6  all SQL: database/ entries/ sources/ websub/ queries/
    formats/      7  entries -> Atom, RSS, JSON Feed, OPML
    web/          8  middleware/ images/ feeds/ pages/ api/ ops/
    websub/       hub, subscriber, protocol, delivery worker
    icons/        icons of sources: looked up, redrawn, refreshed once a month
    publish/      the site as a folder of files
    cluster/      polls on Dask workers
    demo/         a publisher of invented feeds

Start with `polling.stages` and `ingest.batch`: together they are the whole program.
"""

__version__ = "0.3.0"

PRODUCT = "feed-aggregator"
"""Our product token, in User-Agent and for robots.txt (RFC 9110 §10.1.5, RFC 9309 §2.2.1)."""
