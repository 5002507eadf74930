"""robots.txt decides whether a home page is read."""

import pytest

from aggregator.icons import robots
from aggregator.models.poll import Failed, FailureKind, Fetched, FetchOutcome, Transfer

HOME = "https://news.example/"


def text(body: str) -> Fetched:
    return Fetched(url=f"{HOME}robots.txt", body=body.encode(), content_type="text/plain")


def failed(kind: FailureKind, status: int = 0) -> Failed:
    return Failed(kind=kind, detail="", transfer=Transfer(status=status))


@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        pytest.param(text("User-agent: *\nDisallow: /private"), True, id="other pages"),
        pytest.param(text("User-agent: *\nDisallow: /"), False, id="all pages"),
        pytest.param(
            text("User-agent: feed-aggregator\nDisallow: /\n\nUser-agent: *\nAllow: /"),
            False,
            id="our name",
        ),
        pytest.param(text("User-agent: other\nDisallow: /"), True, id="another's name"),
        pytest.param(text("<html>\0no rules"), True, id="a page in its place"),
        pytest.param(failed(FailureKind.HTTP_STATUS, 404), True, id="no such file"),
        pytest.param(failed(FailureKind.HTTP_STATUS, 403), True, id="forbidden"),
        pytest.param(failed(FailureKind.GONE, 410), True, id="gone"),
        pytest.param(failed(FailureKind.EMPTY, 200), True, id="empty"),
        pytest.param(failed(FailureKind.HTTP_STATUS, 500), None, id="broken server"),
        pytest.param(failed(FailureKind.RATE_LIMITED, 429), None, id="too many requests"),
        pytest.param(failed(FailureKind.TIMEOUT), None, id="no response"),
    ],
)
def test_a_home_page_is_read_where_it_may_be(outcome: FetchOutcome, allowed: bool | None) -> None:
    assert robots.allows(outcome, HOME) is allowed
