import re
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.config import file, validation
from aggregator.errors import ConfigError
from aggregator.models.config import (
    FOREVER,
    Attribution,
    Config,
    Defaults,
    Feeds,
    Limits,
    PerHost,
    Rule,
    Section,
    Site,
    Source,
    View,
    Zone,
)
from aggregator.models.query import Query

WHOLE = """\
site:
  title: World News
  description: All of it
  base_url: https://news.example.org/feeds/
  timezones: [{zone: Europe/London, label: UK}, America/New_York]
  contact: you@example.org
  language: en-GB
  logo: https://news.example.org/logo.svg
  accent: "#b80000"
  css: |
    h1 { color: red }
  embed: [https://Blog.example/, 'https://*.müller.example:8443', '*']
  feeds: {attribution: title}
storage: {path: data/news.db}
network: {allow: [127.0.0.0/8, 192.168.1.7, NAS.lan, "fd00::/8"], proxy: "http://proxy.lan:3128"}
cluster: {address: "tcp://10.0.0.1:8786"}
defaults:
  every: 15m
  min_interval: 1m
  max_interval: 12h
  retention: 90d
  retracted: hide
  limits:
    {connect: 1s, idle: 2s, total: 1m, body: 1MB, header: 8 KiB, redirects: 0, parse: 1h 30m}
  per_host: {connections: 4, spacing: 0s}
sections:
  - {id: europe, title: Europe, description: The continent}
  - {id: world, title: World, retracted: show}
sources:
  - id: one
    url: https://one.example.org/feed
    title: The One
    sections: [europe, world, europe]
    every: 5s
    retention: 2h
    retracted: show
    enabled: no
    headers: {Authorization: Bearer abc}
    keep: [{title: '(?i)\\bclimate\\b'}]
    drop: [{link: /sport/}, {author: ^Bot$}]
    retry_after: source
  - {id: two, url: "https://two.example.org/feed"}
views:
  - {id: nato, title: Nato, query: "q=nato&section=europe&source=one", description: The alliance}
"""


def read(text: str, **environ: str) -> Config:
    return file.parse(text, "news.yaml", environ)


def problems(text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, **environ)
    return [str(problem).removeprefix("news.yaml:") for problem in caught.value.problems]


def only_source(text: str, **environ: str) -> Source:
    return read(f"sources:\n  - id: a\n    url: https://a.example\n{text}", **environ).sources[0]


def test_a_whole_file_is_read() -> None:
    found = read(WHOLE)
    assert found == Config(
        path="news.yaml",
        site=Site(
            title="World News",
            description="All of it",
            base_url="https://news.example.org/feeds",
            contact="you@example.org",
            zones=(
                Zone(name="Europe/London", label="UK"),
                Zone(name="America/New_York", label="New York"),
            ),
            language="en-GB",
            logo="https://news.example.org/logo.svg",
            accent="#b80000",
            css="h1 { color: red }\n",
            embed=("https://blog.example", "https://*.xn--mller-kva.example:8443", "*"),
            feeds=Feeds(attribution=Attribution.TITLE),
        ),
        storage="data/news.db",
        allow=("127.0.0.0/8", "192.168.1.7", "nas.lan", "fd00::/8"),
        proxy="http://proxy.lan:3128",
        cluster="tcp://10.0.0.1:8786",
        defaults=Defaults(
            every=timedelta(minutes=15),
            minimum=timedelta(minutes=1),
            maximum=timedelta(hours=12),
            retention=timedelta(days=90),
            retracted="hide",
            limits=Limits(
                connect=1.0,
                idle=2.0,
                total=60.0,
                body=1_000_000,
                header=8192,
                redirects=0,
                parse=5400.0,
            ),
            per_host=PerHost(connections=4, spacing=timedelta(0)),
        ),
        sections=(
            Section(id="europe", title="Europe", description="The continent"),
            Section(id="world", title="World", retracted="show"),
        ),
        sources=(
            Source(
                id="one",
                url="https://one.example.org/feed",
                title="The One",
                sections=("europe", "world"),
                every=timedelta(seconds=5),
                retention=timedelta(hours=2),
                retracted="show",
                enabled=False,
                headers={"Authorization": "Bearer abc"},
                rules=(
                    Rule(action="keep", field="title", pattern=r"(?i)\bclimate\b"),
                    Rule(action="drop", field="link", pattern="/sport/"),
                    Rule(action="drop", field="author", pattern="^Bot$"),
                ),
                retry_after_scope="source",
                line=30,
                yaml=found.sources[0].yaml,
            ),
            Source(
                id="two",
                url="https://two.example.org/feed",
                line=42,
                yaml='{id: two, url: "https://two.example.org/feed"}',
            ),
        ),
        views=(
            View(
                id="nato",
                title="Nato",
                query=Query(q="nato", section=("europe",), source=("one",)),
                description="The alliance",
            ),
        ),
    )


def test_an_empty_file_is_valid() -> None:
    found = read("sources:\n")
    assert found == Config(path="news.yaml", site=Site(), storage="data/aggregator.db")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # keys
        pytest.param(
            "sorces: []",
            ['1:1: unknown key "sorces" in the file. Did you mean sources? The keys here are site'],
            id="an unknown key, with the nearest",
        ),
        pytest.param(
            "site: {zzz: 1}",
            ['1:8: unknown key "zzz" in site. The keys here are title'],
            id="an unknown key without a near one",
        ),
        *(
            pytest.param(
                f"site: {{embed: ['{text}']}}",
                ["is not the address of a site, or *"],
                id=f"a site that embeds: {text}",
            )
            for text in (
                "blog.example",
                "ftp://blog.example",
                "https://blog.example/path",
                "https://a.example; script-src *",
                "https://a.*.example",
                "null",
                "https://a.example https://b.example",
                "https://u@a.example",
            )
        ),
        pytest.param("[a]: b", ["1:1: a list as a key"], id="a key that is no word"),
        pytest.param(
            "sources:\n  - &s {id: a, url: 'http://a'}\n  - {<<: *s}",
            ["3:5: a source without id", "3:5: a source without url", '3:6: unknown key "<<"'],
            id="merging",
        ),
        pytest.param(
            "site:\n  title: a\n  title: b\n",
            ["3:3: title appears twice in site. Keep one; the first is on line 2."],
            id="a key twice",
        ),
        pytest.param(
            "sources: [{title: a}]",
            [
                "1:11: a source without id. Add it, such as id: bbc-world",
                "1:11: a source without url. Add it, such as url: https://",
            ],
            id="required keys missing",
        ),
        pytest.param("sources: [null]", ["1:11: a source without id", ""], id="an empty item"),
        # types
        pytest.param(
            "- a", ["1:1: the file must be a mapping, not a list. Write keys"], id="a list of all"
        ),
        pytest.param(
            "just words", ['1:1: the file must be a mapping, not "just words"'], id="words only"
        ),
        pytest.param("site: 5", ['1:7: site must be a mapping, not the number "5"'], id="number"),
        pytest.param(
            "site: {title: 42}",
            ['1:15: title must be text, not the number "42". Write text, in quotes'],
            id="a number for text",
        ),
        pytest.param(
            "site: {title: no}",
            ['1:15: title must be text, not the yes-or-no value "no"'],
            id="a boolean for text",
        ),
        pytest.param(
            "site: {title: 2026-11-01}", ['not "2026-11-01". Write text, in quotes'], id="a date"
        ),
        pytest.param(
            "site: {title: }",
            [
                "1:15: title has no value. Write text, in quotes if YAML",
            ],
            id="no value",
        ),
        pytest.param("site: {title: [a]}", ["1:15: title must be text, not a list"], id="a list"),
        pytest.param("site: {title: !x a}", ['title must be text, not "a"'], id="a tag"),
        pytest.param("site: {title: ' '}", ['title: " " is empty'], id="blank text"),
        pytest.param(
            "sections: [{id: e, title: E}]\nsources: [{id: a, url: 'http://a', sections: e}]",
            ['2:46: sections must be a list of section ids, not "e". Write sections: [e].'],
            id="a word for a list",
        ),
        pytest.param(
            "sources: {id: a}",
            ["1:10: sources must be a list of sources, not a mapping. Begin each item with a dash"],
            id="a mapping for a list",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a', enabled: 1}]",
            ['enabled must be true or false, not the number "1"'],
            id="a number for a boolean",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a', enabled: 'yes'}]",
            ['enabled must be true or false, not "yes". Write true or false, without quotes.'],
            id="text for a boolean",
        ),
        pytest.param(
            "defaults: {per_host: {connections: true}}",
            ['connections must be a whole number, not the yes-or-no value "true"'],
            id="a boolean for a number",
        ),
        pytest.param(
            "defaults: {per_host: {connections: 0}}",
            ['connections: the number "0" is out of bounds. Write a number from 1 to 100.'],
            id="a number too low",
        ),
        pytest.param(
            "defaults: {per_host: {connections: 010}}",
            ['connections: the number "010" is not a whole number'],
            id="an octal number",
        ),
        # values
        pytest.param(
            "defaults: {every: 15}",
            ['1:19: every: the number "15" has no unit. Write 15s, 15m, 15h or 15d.'],
            id="a duration without a unit",
        ),
        pytest.param(
            "defaults: {every: 15 min, retention: 1:30}",
            ['every: "15 min" is not a duration', 'retention: the number "1:30" is not a duration'],
            id="bad durations",
        ),
        pytest.param("defaults: {every: 0s}", ["is zero"], id="no time at all"),
        pytest.param(
            "defaults: {retention: never}",
            ['retention: "never" is not a duration. Write a number with a unit, as in 30d, or'],
            id="a retention that is no duration",
        ),
        pytest.param("defaults: {retention: 0d}", ["is zero"], id="no retention at all"),
        pytest.param(
            "defaults:\n  keep: 30d\n  retention: 90d",
            [
                "3:3: retention appears twice in defaults (keep is its old name)."
                " Keep one; the first is on line 2."
            ],
            id="a key by its old name and its new one",
        ),
        pytest.param(
            "defaults: {limits: {body: 10, header: 0B, total: 1x}}",
            ['"10" is not a size. Write a number with a unit', "is zero", "a duration"],
            id="bad sizes",
        ),
        pytest.param(
            "defaults: {min_interval: 2h, max_interval: 1h}",
            ["1:26: min_interval is longer than max_interval"],
            id="bounds that cross",
        ),
        pytest.param(
            "defaults: {max_interval: 1m}",
            ["1:26: min_interval is longer than max_interval"],
            id="a bound that crosses the default of the other",
        ),
        pytest.param(
            "site: {timezones: [Europe/Londn, {zone: Mars/Base}, {label: x}, ../etc]}",
            [
                '"Europe/Londn" is not a time zone. Did you mean Europe/London?',
                '"Mars/Base" is not a time zone',
                "a time zone without zone",
                '"../etc" is not a time zone',
            ],
            id="bad time zones",
        ),
        pytest.param(
            "site: {base_url: 'ftp://a', language: English please, accent: #fff}\n}",
            [
                "has an unsupported scheme, ftp. Use http or https.",
                "language tag",
                "accent has",
            ],
            id="bad site",
        ),
        pytest.param(
            "site:\n  accent: #b80000\n",
            ['2:10: accent has no value. Write it in quotes, as in "#b80000"'],
            id="a colour that is a comment",
        ),
        pytest.param(
            "site: {base_url: 'https://me@a.example/?x'}",
            ["has more than host and path"],
            id="a base URL with a query",
        ),
        pytest.param(
            "site: {contact: 'me (home)'}", ["is not a mail address or URL"], id="a contact"
        ),
        pytest.param(
            "network: {allow: [127.0.0.1/8, '300.1.1.1', 'a b', 10.0.0.0/99]}",
            [
                '"127.0.0.1/8" has an address inside the network. Write 127.0.0.0/8.',
                '"300.1.1.1" is not a host, an address or a network',
                '"a b" is not',
                '"10.0.0.0/99" is not',
            ],
            id="bad addresses",
        ),
        pytest.param(
            "cluster: {address: '10.0.0.1'}",
            ['"10.0.0.1" is not the address of a cluster. Write tcp://HOST:8786'],
            id="a cluster without a port",
        ),
        pytest.param(
            "network: {proxy: 'ftp://user:secret@proxy'}",
            ["proxy: has an unsupported scheme, ftp"],
            id="a proxy, which is never shown",
        ),
        pytest.param(
            "sources:\n"
            "  - {id: a, url: example.org/rss}\n"
            "  - {id: b, url: 'feed://example.org/rss'}\n"
            "  - {id: c, url: 'file:///etc/passwd'}\n"
            "  - {id: d, url: 'https://'}\n"
            "  - {id: e, url: 'https://exam ple.org/'}\n"
            "  - {id: f, url: 'https://example.org:99999/?key=secret'}\n"
            "  - {id: g, url: 'https://me:secret@exa^mple.org/'}\n",
            [
                '"example.org/rss" is not a URL. Write the full URL, such as https://example.org/rss',
                "unsupported scheme, feed. Use http or https. Write https://example.org/rss",
                "unsupported scheme, file",
                '5:18: url: "https://" is not a URL',
                '"https://exam ple.org/" is not a URL. Encode spaces',
                '"https://example.org:99999/" is not a URL. The host or port',
                '"https://***@exa^mple.org/" is not a URL',
            ],
            id="bad URLs, shown without secrets",
        ),
        pytest.param(
            "sources:\n  - {id: Big Name, url: 'http://a'}\n",
            ['2:10: id: "Big Name" is not an id. Write small letters, digits'],
            id="a bad id",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a', retry_after: never}]",
            ['"never" is not host or source. Write host or source.'],
            id="a word that is no choice",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a', headers: {'b c': x, Host: y, X: 5, x: z, Z: 'é'}}]",
            [
                '"b c" is not a header name',
                '"Host" is set by the program',
                "X must be the value of a header field, not a value of another type",
                "Z: is not the value of a header field",
            ],
            id="bad headers, whose values are never shown",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a', headers: {X: y, x: z}}]",
            ['headers: "x" appears twice'],
            id="a header twice",
        ),
        pytest.param(
            "sources: [{id: a, url: 'http://a', headers: secret}]",
            ["headers must be header fields"],
            id="headers that are no mapping",
        ),
        pytest.param(
            "sources:\n  - id: a\n    url: http://a\n    drop:\n"
            "      - {title: '('}\n"
            "      - {title: '(?=a)'}\n"
            "      - {title: '(a)\\1'}\n"
            "      - {title: a, link: b}\n"
            "      - {}\n"
            "      - {titel: a}\n"
            f"      - {{title: {'a' * 501}}}\n"
            "      - {title: 'a{1001}'}\n",
            [
                '5:17: title: "(" is not a regular expression: missing ): (',
                '"(?=a)" is not a regular expression: invalid perl operator: (?=',
                '"(a)\\1" is not a regular expression: invalid escape sequence: \\1',
                "8:9: a rule must hold one key. Write one of title, summary",
                "9:9: a rule must hold one key",
                '10:10: unknown key "titel" in a rule. Did you mean title?',
                "is longer than 500 characters",
                "is not a regular expression: invalid repetition size: {1001}. Use RE2",
            ],
            id="bad rules",
        ),
        # names
        pytest.param(
            "sources:\n  - {id: a, url: 'http://a'}\n  - {id: a, url: 'http://b'}\n",
            ['3:10: two sources have the id "a". Change or delete one; the first'],
            id="two sources with one id",
        ),
        pytest.param(
            "sources:\n  - {id: a, url: 'http://A:80'}\n  - {id: b, url: 'http://a/#x'}\n",
            [
                '3:18: two sources have the url "http://a/#x"',
            ],
            id="two sources with one URL, spelt differently",
        ),
        pytest.param(
            "sources:\n  - &a {id: a, url: 'http://a'}\n  - *a\n",
            ['2:13: two sources have the id "a"', 'two sources have the url "http://a"'],
            id="one source twice by an alias",
        ),
        pytest.param(
            "sections:\n  - {id: a, title: A}\n  - {id: a, title: B}\n",
            ['3:10: two sections have the id "a"'],
            id="two sections with one id",
        ),
        pytest.param(
            "sections: [{id: europe, title: Europe}]\n"
            "sources: [{id: a, url: 'http://a', sections: [eurpe, mars]}]",
            [
                '2:47: there is no section "eurpe". Did you mean europe? Add it under sections.',
                '2:54: there is no section "mars". Add it under sections.',
            ],
            id="sections that do not exist",
        ),
        pytest.param(
            "sections: [{id: Europe, title: Europe}]\n"
            "sources: [{id: a, url: 'http://a', sections: [Europe]}]",
            ['1:17: id: "Europe" is not an id'],
            id="a bad id is named once, where it is declared",
        ),
        pytest.param(
            "views:\n  - {id: v, title: V, query: 'sektion=a'}\n"
            "  - {id: w, title: W, query: 'section=a&source=b'}\n",
            [
                '2:30: query: "sektion=a" is not a query: unknown key "sektion"',
                '3:30: there is no section "a"',
                '3:30: there is no source "b"',
            ],
            id="bad queries",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_a_fix(text: str, expected: list[str]) -> None:
    found = problems(text)
    assert [pair for pair in zip(expected, found, strict=True) if pair[0] not in pair[1]] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "1:1: the file is empty. Start with a source", id="an empty file"),
        pytest.param("# only a comment\n", "1:1: the file is empty", id="only comments"),
        pytest.param(
            "site:\n\ttitle: x\n",
            "2:1: a tab where YAML requires spaces. Indent with spaces.",
            id="tab",
        ),
        pytest.param(
            "site:\n  title: a: b\n", "2:11: a colon where no key is allowed", id="a colon"
        ),
        pytest.param("site: @x\n", '1:7: a value can\'t begin with "@". Put the value in', id="@"),
        pytest.param(
            "site:\n  title: 'x\n",
            "2:10: the text that begins here has no closing quote",
            id="quote",
        ),
        pytest.param(
            "sources: [a, b\nsite: {}\n",
            '1:10: the list is not closed by "]"',
            id="a list left open",
        ),
        pytest.param(
            "site: {title: x\n", '1:7: the mapping is not closed by "}"', id="a mapping left open"
        ),
        pytest.param(
            "sources:\n- id: a\n  url: b\n title: x\n",
            "4:2: the line is not aligned with those above it",
            id="an indentation between two others",
        ),
        pytest.param("site: {}\nsources\n", "2:1: a key without a colon", id="no colon"),
        pytest.param("site: *nothing\n", "1:7: * begins an alias", id="an unknown alias"),
        pytest.param('site: {title: "\\q"}\n', "1:16: an unknown escape sequence", id="escape"),
        pytest.param("site: {}\n---\nsite: {}\n", "2:1: a second document begins", id="documents"),
        pytest.param("%FOO\n", "1:5: bad YAML", id="any other fault"),
        pytest.param(
            "site: {title: '\x07'}", "1:16: a control character", id="a control character"
        ),
        pytest.param("[" * 200_000, "1:101: more than 100 levels of lists", id="brackets to crash"),
        pytest.param("- " * 200_000, "1:201: more than 100 levels of lists", id="dashes to crash"),
    ],
)
def test_a_file_that_is_no_yaml_is_explained(text: str, expected: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert expected in found[0]


def test_an_unclosed_quote_is_reported_where_it_begins() -> None:
    text = 'sources:\n  - id: a\n    title: "One\n  - id: b\n    title: "Two"\n'
    first, second = problems(text)
    assert first == (
        "3:12: the text that begins here runs on to line 5. Put its closing quote on the same line."
    )
    assert second.startswith("4:5: a source without url")


def test_all_mistakes_are_reported_at_once_including_bad_yaml() -> None:
    text = """\
site: {titel: World, base_url: nowhere}
defaults: {every: fortnight}
sections:
  - {id: europe, title: Europe}
sources:
  - {id: one, url: "http://one.example", sections: [eurp]}
  - id: two: three
    url: http://two.example
  - {id: one, url: "http://one.example"}
  - {id: four, url: "http://four.example", enabled: perhaps}
views:
  - id: v
   title: V
  - {id: w, title: W, query: "limit=0", x: 1}
"""
    places = [problem.split(": ")[0] for problem in problems(text)]
    assert places == [
        "1:8", "1:32", "2:19", "6:53", "7:12", "9:10", "9:20", "10:53", "13:4", "14:30", "14:41",
    ]  # fmt: skip


def test_keys_hidden_by_syntax_errors_are_not_reported_as_missing() -> None:
    text = (
        "sections:\n  - {id: a, title: b: c}\n"
        "sources:\n  - {id: s, url: 'http://s', sections: [a]}\n"
    )
    assert len(problems(text)) == 1


def test_many_syntax_errors_are_bounded() -> None:
    assert len(problems("sources:\n" + "  - a: b: c\n" * 50)) == 10


def test_a_long_file_with_errors_is_read_in_linear_time() -> None:
    text = "site: {x: 1}\nsources:\n  - a: b: c\n" + "# long\n" * 400_000
    assert [problem[:4] for problem in problems(text)] == ["3:9:"]


def test_aliases_may_repeat_only_so_much() -> None:
    rule = "{title: x}"
    text = f"sources:\n  - id: a\n    url: http://a\n    keep: [&r {rule}{', *r' * 10_001}]\n"
    assert problems(text) == [
        "4:12: more than 10000 uses of aliases. Write the values out, or use fewer aliases."
    ]
    assert validation.MOST_ALIASES == 10_000


def test_a_recursive_alias_is_refused() -> None:
    assert "the file must be a mapping" in problems("&a [*a]")[0]
    assert (
        "text, not a list" in problems("sources: [{id: a, url: 'http://a', sections: &s [*s]}]")[0]
    )


class TestEnvironment:
    def test_variables_are_put_in(self) -> None:
        source = only_source("    headers: {Authorization: 'Bearer ${TOKEN}'}\n", TOKEN="12345")
        assert source.headers == {"Authorization": "Bearer 12345"}

    def test_a_variable_gives_any_type(self) -> None:
        found = read(
            "defaults: {every: '${E}', per_host: {connections: '${N}'}}\n"
            "sources: [{id: a, url: 'http://a', enabled: '${B}'}]",
            E="1h",
            N="7",
            B="off",
        )
        assert found.defaults.every == timedelta(hours=1)
        assert found.defaults.per_host.connections == 7
        assert not found.sources[0].enabled

    def test_a_second_dollar_escapes_a_variable(self) -> None:
        assert only_source("    title: $${TOKEN} costs $5\n").title == "${TOKEN} costs $5"

    def test_a_missing_variable_is_a_mistake(self) -> None:
        assert problems("site:\n  title: ${NOPE} ${}\n") == [
            "2:10: the environment variable NOPE is not set. "
            "Set it before starting, as in export NOPE=…, or write $${ for ${.",
            "2:10: the environment variable ${} is not set. "
            "Set it before starting, as in export NAME=…, or write $${ for ${.",
        ]

    def test_the_value_of_a_variable_is_not_shown(self) -> None:
        found = problems("sources: [{id: a, url: '${U}', headers: {X: '${H}'}}]", U="s3", H="s3\n")
        assert len(found) == 2
        assert not any("s3" in problem for problem in found)

    @pytest.mark.parametrize("value", ["maybe", "1"])
    def test_a_boolean_from_a_variable_is_checked(self, value: str) -> None:
        found = problems("sources: [{id: a, url: 'http://a', enabled: '${B}'}]", B=value)
        assert "is not true or false" in found[0]


class TestExcerpt:
    def test_it_is_what_defines_the_source(self) -> None:
        source = only_source("    # a comment\n    title: A  # the first\n\n  # more\n")
        assert source.line == 2
        assert source.yaml == "id: a\nurl: https://a.example\ntitle: A"

    def test_it_ends_where_the_next_begins(self) -> None:
        text = "sources: [{id: a, url: 'http://a'}, {id: b, url: 'http://b'}]"
        assert [source.yaml for source in read(text).sources] == [
            "{id: a, url: 'http://a'}",
            "{id: b, url: 'http://b'}",
        ]

    def test_secrets_are_masked(self) -> None:
        source = only_source(
            "    headers:\n"
            "      # Authorization: secret\n"
            "      Authorization: Bearer secret  # not secret-old\n"
            "      X-Key: >-\n"
            "        secret\n"
            "    title: A\n"
        )
        assert source.headers == {"Authorization": "Bearer secret", "X-Key": "secret"}
        assert source.yaml == (
            "id: a\nurl: https://a.example\nheaders:\n  Authorization: ***\n  X-Key: ***\ntitle: A"
        )

    def test_secrets_are_masked_on_one_line(self) -> None:
        text = "sources: [{id: a, headers: {A: 'x, y', B: z}, url: 'http://me:pw@a/'}]"
        assert read(text).sources[0].yaml == (
            "{id: a, headers: {A: ***, B: ***}, url: 'http://***@a/'}"
        )

    def test_headers_that_stand_elsewhere_do_not_disturb(self) -> None:
        text = (
            "sources:\n"
            "  - {id: a, url: 'http://a', headers: &h {A: secret}}\n"
            "  - {id: b, url: 'http://b', headers: *h}\n"
        )
        assert [source.yaml for source in read(text).sources] == [
            "{id: a, url: 'http://a', headers: &h {A: ***}}",
            "{id: b, url: 'http://b', headers: *h}",
        ]

    def test_an_alias_at_the_end_is_part_of_it(self) -> None:
        text = (
            "sources:\n"
            "  - {id: a, url: 'http://a', headers: &h {A: secret}}\n"
            "  - id: b\n    url: http://b\n    headers: *h  # as above\n\n    # more\nviews: []\n"
        )
        assert read(text).sources[1].yaml == "id: b\nurl: http://b\nheaders: *h  # as above"

    def test_repr_shows_neither_url_nor_headers(self) -> None:
        assert "example" not in repr(only_source("    headers: {A: example}\n"))


class TestLoad:
    def load(self, path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            file.load(str(path), {})
        return str(caught.value)

    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "news.yaml"
        path.write_bytes(b"\xef\xbb\xbfsources:\r\n- {id: a, url: 'http://a'}\r\n")
        found = file.load(str(path), {})
        assert (found.path, found.sources[0].id) == (str(path), "a")

    def test_no_file(self, tmp_path: Path) -> None:
        path = tmp_path / "none.yaml"
        assert self.load(path).startswith(
            f"{path}:1:1: no such file. Create it with `aggregator --config {path} init`"
        )

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "the file can't be read: Is a directory" in self.load(tmp_path)

    def test_a_file_that_is_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.yaml"
        path.write_bytes("site:\n  title: Müll".encode("latin-1"))
        assert f"{path}:2:11: the file is not UTF-8: byte 0xfc" in self.load(path)

    def test_ten_thousand_sources(self, tmp_path: Path) -> None:
        path = tmp_path / "many.yaml"
        lines = (f"  - {{id: s{n}, url: 'https://h{n % 99}.example/{n}'}}" for n in range(10_000))
        path.write_text("sources:\n" + "\n".join(lines))
        found = file.load(str(path), {})
        assert (len(found.sources), found.sources[-1].line) == (10_000, 10_001)


def test_auth_without_a_password_or_token_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="no one could sign in"):
        file.parse("auth: {protect: site}\nsources: []\n", "x.yaml", {})


def test_auth_is_read() -> None:
    text = "auth: {token: '${TOKEN}', protect: site}\nsources: []\n"
    auth = file.parse(text, "x.yaml", {"TOKEN": "a-token-for-programs"}).auth
    assert (auth.token, auth.protect) == ("a-token-for-programs", "site")
    assert auth.token not in repr(auth)


@pytest.mark.parametrize(
    ("written", "hub"),
    [
        ("own", "own"),
        ("off", "off"),  # which YAML takes for false
        ("'off'", "off"),
        ("https://hub.example/", "https://hub.example/"),
    ],
)
def test_hub_is_own_off_or_a_url(written: str, hub: str) -> None:
    text = f"websub: {{hub: {written}, subscribe: false}}\nsources: []\n"
    websub = file.parse(text, "x.yaml", {}).websub
    assert (websub.hub, websub.subscribe) == (hub, False)


@pytest.mark.parametrize("written", ["true", "ours", "ftp://hub.example/", "[]"])
def test_other_hub_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match="hub"):
        file.parse(f"websub: {{hub: {written}}}\nsources: []\n", "x.yaml", {})


@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n\x1a\n..", b"<?xml version='1.0'?>\n<svg xmlns=''/>", b"\xff\xd8\xff\xe0"]
)
def test_logo_is_a_picture_on_this_machine(tmp_path: Path, body: bytes) -> None:
    logo = tmp_path / "logo"
    logo.write_bytes(body)
    assert read(f"site: {{logo: {logo}}}\nsources: []").site.logo == str(logo)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (None, "can't be read from"),
        (b"", "is not an image type"),
        (b"<html><svg>", "is not an image type"),
        (b"GIF89a", "is not an image type"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200_000), "is larger than 200 kB"),
    ],
)
def test_logo_that_can_not_be_shown_is_refused(
    tmp_path: Path, body: bytes | None, what: str
) -> None:
    logo = tmp_path / "logo"
    if body is not None:
        logo.write_bytes(body)
    [problem] = problems(f"site: {{logo: {logo}}}\nsources: []")
    assert what in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("defaults: {}", FOREVER),
        ("defaults: {keep: 30d}", timedelta(days=30)),
        ("defaults: {retention: 30d}", timedelta(days=30)),
        ("defaults: {retention: forever}", FOREVER),
    ],
)
def test_retention_has_an_old_name_in_defaults(text: str, expected: timedelta) -> None:
    assert file.parse(text, "a.yaml", {}).defaults.retention == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("retention: 1h", timedelta(hours=1)), ("retention: forever", FOREVER)]
)
def test_source_has_a_retention_beside_its_filter(value: str, expected: timedelta) -> None:
    source = f"{{id: a, url: 'https://a.example/', {value}, keep: [{{title: rain}}]}}"
    [found] = file.parse(f"sources: [{source}]", "a.yaml", {}).sources
    assert found.retention == expected
    assert [rule.action for rule in found.rules] == ["keep"]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("https://news.example.org", "https://news.example.org"),
        ("https://news.example.org/", "https://news.example.org"),
        ("HTTPS://News.Example.org:443/a/news/", "https://news.example.org/a/news"),
        ("https://новости.example/дни", "https://xn--b1amnebsh.example/%D0%B4%D0%BD%D0%B8"),
        ("http://[0:0::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_base_url_is_stored_in_one_form(written: str, stored: str) -> None:
    config = file.parse(f"site: {{base_url: '{written}'}}", "news.yaml", {})
    assert config.site.base_url == config.site.public_url == config.site.url == stored


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("news.example.org", "Write the full URL, such as https://news.example.org"),
        ("https://news.example.org?x=1", "has more than host and path"),
        ("https://news.example.org/#top", "has more than host and path"),
        ("https://me@news.example.org", "has more than host and path"),
        ("https://news.example.org//news", "has an unusual path"),
        ("https://news.example.org/a;b", "has an unusual path"),
        ("https://news.example.org:99999", "The host or port is invalid"),
    ],
)
def test_a_wrong_base_url_is_named(written: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        file.parse(f"site: {{base_url: '{written}'}}", "news.yaml", {})


def test_without_a_base_url_the_address_of_run_is_the_public_one() -> None:
    site = file.parse("site: {}", "news.yaml", {file.LISTENING: "http://127.0.0.1:9137"}).site
    assert (site.base_url, site.public_url) == ("", "http://127.0.0.1:9137")
