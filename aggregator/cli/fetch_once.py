"""Poll one URL without a database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aggregator.fetch.agent import user_agent
from aggregator.fetch.client import Client
from aggregator.models.config import Config
from aggregator.models.poll import PollResult, Request
from aggregator.polling import parser_pool, stages
from aggregator.polling.poller import utc_now


@contextmanager
def request_poller(config: Config) -> Iterator[Callable[[Request], PollResult]]:
    """Yield a function that makes one poll."""
    client = Client(
        user_agent=user_agent(config),
        allow=config.allow,
        proxy=config.proxy,
        per_host=config.defaults.per_host,
    )
    pool = parser_pool.start(1)

    def poll(request: Request) -> PollResult:
        judged = stages.check_fetch(request, client.fetch_one(request))
        if isinstance(judged, PollResult):
            return judged
        return parser_pool.results(parser_pool.send(pool, [judged], utc_now()), [judged])[0]

    try:
        yield poll
    finally:
        pool.stop()
        pool.join()
        client.close()


@contextmanager
def url_poller(config: Config) -> Iterator[Callable[[str], PollResult]]:
    """Yield a function that polls a URL once."""
    with request_poller(config) as poll:
        yield lambda url: poll(Request(source_id="it", url=url, limits=config.defaults.limits))
