"""Failed sign-ins are counted per client, for a while, in bounded memory."""

import pytest

from aggregator.web.middleware.attempts import MAX_ATTEMPTS, MAX_CLIENTS, PERIOD, LoginAttempts


def filled(address: str, clock: list[float]) -> LoginAttempts:
    attempts = LoginAttempts(lambda: clock[0])
    for _ in range(MAX_ATTEMPTS):
        assert attempts.begin(address) == 0
    return attempts


def test_a_client_waits_until_the_period_is_over() -> None:
    clock = [0.0]
    attempts = filled("192.0.2.1", clock)
    assert attempts.begin("192.0.2.1") == PERIOD
    clock[0] = PERIOD - 1
    assert attempts.begin("192.0.2.1") == 1
    clock[0] = PERIOD
    assert attempts.begin("192.0.2.1") == 0


def test_a_sign_in_that_did_not_fail_is_uncounted() -> None:
    attempts = filled("192.0.2.1", [0.0])
    attempts.take_back("192.0.2.1")
    assert attempts.begin("192.0.2.1") == 0
    assert attempts.begin("192.0.2.1") > 0


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("192.0.2.2", False),
        ("2001:db8::ffff", True),
        ("2001:db8:0:0:ffff::1", True),
        ("2001:db8:0:1::1", False),
    ],
)
def test_an_ipv6_network_is_one_client(address: str, same: bool) -> None:
    attempts = filled("2001:db8::1", [0.0])
    assert (attempts.begin(address) > 0) == same


def test_invalid_addresses_are_one_client() -> None:
    attempts = filled("x" * 50_000, [0.0])
    assert attempts.begin("unknown") > 0


def test_the_oldest_clients_are_forgotten() -> None:
    attempts = filled("192.0.2.1", [0.0])
    for number in range(MAX_CLIENTS):
        attempts.begin(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert attempts.begin("192.0.2.1") == 0
