"""Poll one URL without a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from aggregator import PRODUCT
from aggregator.errors import AggregatorError
from aggregator.fetch.agent import user_agent
from aggregator.fetch.client import Client
from aggregator.models.config import Config, Source
from aggregator.models.listing import Listing
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Fetched,
    FetchOutcome,
    ParsedDocument,
    PollResult,
    Request,
)
from aggregator.models.urls import host_of, origin_of
from aggregator.parse import robots
from aggregator.policy import feed_addresses
from aggregator.policy.feed_addresses import Answer, FeedAddress
from aggregator.polling import stages
from aggregator.polling.parser_pool import ParserPool
from aggregator.polling.poller import utc_now

_LONGEST_RULE = 200
"""Characters of a line of robots.txt that are shown."""


def request_of(config: Config, source: Source) -> Request:
    """Return the request for a source, without validators and hashes."""
    return Request(
        source_id=source.id,
        url=source.url,
        headers=source.headers,
        limits=source.limits or config.defaults.limits,
        listing=source.listing,
        transport=source.transport,
        reading=source.reading,
        discover=source.listing is None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A listing for a page, and the document that it gives."""

    listing: Listing
    document: ParsedDocument


class OncePoller:
    """Polls as the service does, one request after the other."""

    def __init__(self, config: Config, client: Client, pool: ParserPool) -> None:
        self._config, self._client, self._pool = config, client, pool
        self._rules: dict[str, str | None] = {}

    def request(self, url: str) -> Request:
        """Return the request for a URL that is not configured."""
        return Request(source_id="it", url=url, limits=self._config.defaults.limits)

    def fetch(self, request: Request) -> FetchOutcome:
        """Fetch without parsing."""
        return self.fetch_page(request) if request.is_page else self._client.fetch_one(request)

    def fetch_page(self, request: Request) -> FetchOutcome:
        """Fetch a page as polls do, by the robots.txt of each host that it redirects to."""
        url = request.url
        while True:
            refusal = self.refusal(url, request)
            if refusal:
                return refusal
            outcome = self._client.fetch_one(replace(request, hosts=frozenset({host_of(url)})))
            if not isinstance(outcome, Failed) or outcome.kind is not FailureKind.ELSEWHERE:
                return outcome
            request = replace(request, hops=outcome.transfer.hops)
            url = request.hops[-1].url

    def refusal(self, url: str, request: Request) -> Failed | None:
        """Return why robots.txt keeps polls from a page, None if it does not; fetch it once.

        Args:
            url: The page.
            request: Has the options of its source.
        """
        origin = origin_of(url)
        if origin not in self._rules:
            transport = request.transport.to(host_of(url), own=host_of(request.url))
            asked = robots.request_for(origin, limits=request.limits, transport=transport)
            self._rules[origin] = robots.rules_of(self._client.fetch_one(asked))
        rules = self._rules[origin]
        refusal = robots.refusal(rules, url)
        if refusal is None or rules is None:
            return refusal
        line = robots.rule_against(rules, url)[:_LONGEST_RULE]
        detail = (
            f"{refusal.detail} to {PRODUCT}{f' (“{line}”)' if line else ''}, so polls would not"
            " fetch it. Ask its publisher for a feed, or to allow it"
        )
        return replace(refusal, detail=detail)

    def poll(self, request: Request) -> PollResult:
        """Make one poll."""
        return self.read(request, self.fetch(request))

    def read(self, request: Request, outcome: FetchOutcome) -> PollResult:
        """Return the result of a request from its outcome."""
        checked = stages.check_fetch(request, outcome)
        if isinstance(checked, PollResult):
            return checked
        result = self._pool.parse(checked, utc_now())
        if not isinstance(result, PollResult):
            raise TypeError("a page in place of a feed")
        return result

    def proposals(self, fetched: Fetched) -> tuple[Proposal, ...]:
        """Return listings for a page or JSON that is no feed, with the entries that they find."""
        request = self.request(fetched.url)
        found = []
        for listing in self.read(replace(request, propose=True), fetched).proposed:
            outcome = self.read(replace(request, listing=listing), fetched).outcome
            if isinstance(outcome, ParsedDocument):
                found.append(Proposal(listing=listing, document=outcome))
        return tuple(found)

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
    pool = ParserPool(1)
    try:
        yield OncePoller(config, client, pool)
    finally:
        pool.close()
        client.close()
