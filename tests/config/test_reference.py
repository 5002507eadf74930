import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import jsonschema
import pytest
import yaml

from aggregator.config import file, reference
from aggregator.config.keys import ROOT
from aggregator.config.keys.content import FIELDS
from aggregator.config.kinds import Block, Either, Key, Kind, ListOf
from aggregator.errors import ConfigError
from aggregator.models import query
from aggregator.models.config import Content
from aggregator.models.listing import JsonListing, PageListing, SitemapListing

ROOT_FOLDER = Path(__file__).parents[2]
FILES = ["config/sources.yaml", "config/demo.yaml"]


def keys_of(kind: Kind, path: str = "") -> Iterator[tuple[str, Key]]:
    if isinstance(kind, ListOf):
        yield from keys_of(kind.item, path)
    elif isinstance(kind, Either):
        yield from keys_of(kind.block, path)
    elif isinstance(kind, Block):
        for key in kind.keys:
            yield f"{path}{key.name}", key
            yield from keys_of(key.kind, f"{path}{key.name}.")


ALL_KEYS = dict(keys_of(ROOT))


def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(reference.render_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("path", "rendered"),
    [
        (reference.SCHEMA_PATH, reference.render_schema),
        (reference.DOCS_PATH, reference.render_docs),
    ],
)
def test_a_generated_file_is_up_to_date(path: Path, rendered: Any) -> None:
    remedy = "run `python -m aggregator.config.reference`"
    assert (ROOT_FOLDER / path).read_text(encoding="utf-8") == rendered(), remedy


@pytest.mark.parametrize("path", FILES)
def test_our_own_files_load_and_match_the_schema(path: str) -> None:
    text = (ROOT_FOLDER / path).read_text(encoding="utf-8")
    assert file.load(str(ROOT_FOLDER / path), {}).sources
    assert list(validator().iter_errors(yaml.safe_load(text))) == []
    assert text.startswith("# yaml-language-server: $schema=../aggregator/sources.schema.json\n")


def test_every_section_of_the_starter_has_a_source() -> None:
    found = file.load(str(ROOT_FOLDER / FILES[0]), {})
    used = {section for source in found.sources for section in source.sections}
    assert used == {section.id for section in found.sections}
    assert [section.title for section in found.sections] == [
        "World", "Americas", "Africa", "Europe", "Middle East", "South Asia", "Asia Pacific",
        "Science", "Technology",
    ]  # fmt: skip
    assert all(section.description for section in found.sections)
    assert found.allow == ()


@pytest.fixture
def named_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the examples name, in the working directory."""
    (tmp_path / "cookies.txt").write_text(
        "# Netscape HTTP Cookie File\n.example.org\tTRUE\t/\tTRUE\t9999999999\tid\tsecret-value\n"
    )
    (tmp_path / "home-ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("named_files")
def test_the_commented_lines_of_the_starter_are_valid() -> None:
    text = (ROOT_FOLDER / FILES[0]).read_text(encoding="utf-8")
    settings = re.sub(
        r"(?m)^( *)# (?=(network|defaults|contact|every|drop|headers|enabled"
        r"|content|full_text|credentials|items|language|timezone|transforms|title_template"
        r"|limits|proxy|user_agent|cookies|ca|insecure):)",
        r"\1",
        text,
    )
    settings = re.sub(r"(?m)^  # (?=- \{id: )", "  ", settings)
    settings = re.sub(r"(?m)^# (?=  (allow|every|retention):)", "", settings)
    found = file.parse(settings, "sources.yaml", {"TOKEN": "a-token"})
    assert found.allow
    assert found.defaults.retention == timedelta(days=365)
    assert found.site.contact
    source = found.sources[0]
    assert (source.every, source.enabled) == (timedelta(minutes=1), False)
    assert [rule.action for rule in source.rules] == ["drop"]
    assert source.headers == {"Authorization": "Bearer a-token", "X-Api-Key": "a-token"}
    assert source.content is Content.FULL
    assert source.transport.insecure
    assert source.reading.items == 30
    listings = {each.id: type(each.listing) for each in found.sources if each.listing}
    assert listings == {"council": PageListing, "port": JsonListing, "gazette": SitemapListing}


@pytest.mark.usefixtures("named_files")
def test_every_example_in_the_reference_is_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", reference.render_docs(), flags=re.DOTALL)
    documents = [block for block in blocks if re.match(r"\w+:\n", block)]
    assert len(documents) == len(ROOT.keys) + 3
    others = "sections: [{id: world, title: World}, {id: europe, title: Europe}]\n"
    password = f"scrypt:32768:8:1$saltsaltsaltsalt${'0' * 128}"
    environ = {"TOKEN": "x", "SITE_TOKEN": "x" * 16, "PASSWORD_HASH": password}
    environ["FEED_PASSWORD"] = "x"
    for document in documents:
        text = document if document.startswith("sections") else others + document
        file.parse(text, "example", environ)
        assert list(validator().iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize("path", ALL_KEYS)
def test_every_key_has_help_and_an_example(path: str) -> None:
    key = ALL_KEYS[path]
    assert key.help.endswith(".")
    if path.count(".") < 2 and not path.endswith(".label"):
        assert key.example.startswith(f"{key.name}:")


def test_the_reference_lists_every_key_and_query_parameter() -> None:
    docs = reference.render_docs()
    words = {path.split(".")[-1] for path in ALL_KEYS} | set(query.KEYS) | set(FIELDS)
    assert {
        word for word in words if f"`{word}`" not in docs and f"## {word}\n" not in docs
    } == set()


def test_documented_defaults_are_the_real_defaults() -> None:
    documented: dict[str, Any] = {}
    for path, key in ALL_KEYS.items():
        *blocks, name = path.split(".")
        if key.default and blocks[0] not in {"sources", "sections", "views"}:
            inner = documented
            for block in blocks:
                inner = inner.setdefault(block, {})
            inner[name] = yaml.safe_load(key.default)
    assert file.parse(yaml.safe_dump(documented), "x", {}) == file.parse("site: {}", "x", {})


@pytest.mark.parametrize(
    "text",
    [
        "site: {titel: x}",
        "site: {title: 5}",
        "site: {base_url: 'ftp://x'}",
        "defaults: {every: 5 minutes}",
        "defaults: {every: 15}",
        "defaults: {limits: {body: 10}}",
        "defaults: {per_host: {connections: true}}",
        "sources: [{id: a}]",
        "sources: [{id: A B, url: 'http://a'}]",
        "sources: [{id: a, url: 'http://a', enabled: 'yes'}]",
        "sources: [{id: a, url: 'http://a', sections: world}]",
        "sources: [{id: a, url: 'http://a', drop: [{title: a, link: b}]}]",
        "sources: [{id: a, url: 'http://a', retry_after: never}]",
        "sources: [{id: a, url: 'http://a', page: {title: h2}}]",
        "sources: [{id: a, url: 'http://a', page: article}]",
        "sources: [{id: a, url: 'http://a', json: {items: a, title: b, pages: 51}}]",
        "views: [{id: a, title: b}]",
    ],
)
def test_the_schema_rejects_what_the_program_rejects(text: str) -> None:
    assert list(validator().iter_errors(yaml.safe_load(text)))
    with pytest.raises(ConfigError):
        file.parse(text, "x", {})


@pytest.mark.parametrize(
    "text",
    [
        "sources:\nsite:\n",
        "site: {timezones: [UTC, {zone: Asia/Tokyo}]}",
        "defaults: {every: '${E}', limits: {body: 10 MB}, per_host: {spacing: 1h 30m}}",
        "sources: [{id: '${E}', url: '${E}', headers: {A: b}}]",
    ],
)
def test_the_schema_accepts_what_the_program_accepts(text: str) -> None:
    assert list(validator().iter_errors(yaml.safe_load(text))) == []
