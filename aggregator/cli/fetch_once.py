"""Poll one URL without a database."""

from collections.abc import Iterator
from contextlib import contextmanager

from pebble import ProcessPool

from aggregator.errors import AggregatorError
from aggregator.fetch.agent import user_agent
from aggregator.fetch.client import Client
from aggregator.models.config import Config
from aggregator.models.poll import Fetched, FetchOutcome, PollResult, Request
from aggregator.policy import feed_addresses
from aggregator.policy.feed_addresses import Answer, FeedAddress
from aggregator.polling import parser_pool, stages
from aggregator.polling.poller import utc_now


class OncePoller:
    """Polls as the service does, one request after the other."""

    def __init__(self, config: Config, client: Client, pool: ProcessPool) -> None:
        self._config, self._client, self._pool = config, client, pool

    def request(self, url: str) -> Request:
        """Return the request for a URL that is not configured."""
        return Request(source_id="it", url=url, limits=self._config.defaults.limits)

    def fetch(self, request: Request) -> FetchOutcome:
        """Fetch without parsing."""
        return self._client.fetch_one(request)

    def poll(self, request: Request) -> PollResult:
        """Make one poll; a request with a document needs no fetch."""
        checked = stages.check_fetch(request, request.document or self.fetch(request))
        if isinstance(checked, PollResult):
            return checked
        answer = parser_pool.send(self._pool, [checked], utc_now())
        [result] = parser_pool.results(answer, [checked])
        if not isinstance(result, PollResult):
            raise TypeError("a page in place of a feed")
        return result

    def feed_url(self, address: FeedAddress) -> str:
        """Return the URL to poll for an address, which may need a lookup.

        Raises:
            AggregatorError: The lookup has no feed.
        """
        if address.answer is not Answer.ITUNES:
            return address.url
        outcome = self.fetch(self.request(address.url))
        url = feed_addresses.feed_of_lookup(outcome.body) if isinstance(outcome, Fetched) else ""
        if not url:
            raise AggregatorError(f"{address.name}: {address.url} names no feed")
        return url


@contextmanager
def once_poller(config: Config) -> Iterator[OncePoller]:
    """Yield a poller with a client and a parser process of its own."""
    client = Client(
        user_agent=user_agent(config),
        allow=config.allow,
        proxy=config.proxy,
        per_host=config.defaults.per_host,
    )
    pool = parser_pool.start(1)
    try:
        yield OncePoller(config, client, pool)
    finally:
        pool.stop()
        pool.join()
        client.close()
