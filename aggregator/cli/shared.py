"""Shared by the commands: output, configuration, database."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import click

from aggregator.cli import masked
from aggregator.config import edit
from aggregator.config import file as config_file
from aggregator.config.rewrite import rewrite
from aggregator.errors import AggregatorError
from aggregator.models.config import Config, Section, Source
from aggregator.store.database.connection import Store


def echo(text: str, *, err: bool = False) -> None:
    """Print a line to stdout, or to stderr, without secrets."""
    click.echo(text, file=masked.STDERR if err else masked.STDOUT)


def load(path: str) -> Config:
    """Load a configuration file and mask its secrets from now on; raises ConfigError."""
    return parse(config_file.read_text(path), path)


def parse(text: str, path: str) -> Config:
    """Parse the text of a configuration file as `load` does."""
    config = config_file.parse(text, path, os.environ)
    masked.hide(config.secrets)
    return config


def add_to_file(
    path: str,
    sources: Sequence[Source],
    sections: Sequence[Section] = (),
    extended: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Append sections and sources to a configuration file, unless the result would be invalid.

    Args:
        path: The file.
        sources, sections: What to append.
        extended: New section ids of sources that the file has, by their ids.

    Raises:
        AggregatorError: The file can't be extended or written; it is as before.
    """
    config_file.read_text(path)  # its errors are for people
    text = edit.append(Path(path).read_bytes().decode(), sources, path, sections=sections)
    text = edit.extend_sections(text, extended, path) if extended else text
    parse(text.removeprefix("\ufeff"), path)
    rewrite(path, text)


@contextmanager
def open_store(path: str) -> Iterator[tuple[Config, Store]]:
    """Yield the configuration and its open database."""
    config = load(path)
    store = Store(config.storage)
    try:
        yield config, store
    finally:
        store.close()


def check_known(config: Config, source_ids: tuple[str, ...]) -> None:
    """Raise an AggregatorError for the first unknown source id."""
    known = {source.id for source in config.sources}
    for source_id in source_ids:
        if source_id not in known:
            raise AggregatorError(
                f"no source has the id {source_id!r}; `aggregator status` lists all"
            )


def complete_source(ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Return the source ids that begin with a text, for the completion of shells."""
    return _completions(ctx, typed, lambda config: [source.id for source in config.sources])


def complete_section(ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Return the section ids that begin with a text, for the completion of shells."""
    return _completions(ctx, typed, lambda config: [section.id for section in config.sections])


def _completions(
    ctx: click.Context, typed: str, ids_of: Callable[[Config], list[str]]
) -> list[str]:
    try:
        config = load(ctx.find_root().params["config_path"])
    except AggregatorError:
        return []
    return [id for id in ids_of(config) if id.startswith(typed)]
