"""The shipped YAML files are found in a checkout; test_packaging finds them in the wheel."""

from aggregator.demo import starter


def test_a_checkout_has_them_in_config() -> None:
    assert starter.path("demo.yaml").parent.name == "config"
