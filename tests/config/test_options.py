"""The options of a source: read, checked with line and remedy, and their secrets masked."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import certifi
import pytest

from aggregator.config import file
from aggregator.errors import ConfigError
from aggregator.models.config import (
    PLAIN_READING,
    PLAIN_TRANSPORT,
    Config,
    Content,
    Limits,
    PageRules,
    Reading,
    Source,
    Transform,
)
from aggregator.policy.masking import masker

COOKIES = """# Netscape HTTP Cookie File
.example.org\tTRUE\t/\tTRUE\t9999999999\tsession\tcookie-secret
www.example.org\tFALSE\t/\tFALSE\t0\tname\tother-secret
#HttpOnly_.example.org\tTRUE\t/\tFALSE\t9999999999\thidden\tthird-secret
.example.org\tTRUE\t/\tFALSE\t1000000000\texpired\tgone
"""


def parse(options: str, before: str = "", environ: dict[str, str] | None = None) -> Config:
    text = f"{before}sources:\n  - id: a\n    url: https://a.example/feed\n    {options}\n"
    return file.parse(text, "sources.yaml", environ or {})


def source(options: str, before: str = "") -> Source:
    [found] = parse(options, before).sources
    return found


def problems(options: str, before: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        parse(options, before)
    return str(caught.value)


def test_source_without_options_shares_the_defaults() -> None:
    found = source("title: A")
    assert found.transport == PLAIN_TRANSPORT
    assert found.reading == PLAIN_READING
    assert found.limits is None
    assert found.content is Content.FEED


SECTIONS = (
    "sections:\n  - {id: one, title: One, content: full}\n"
    "  - {id: two, title: Two, content: excerpt}\n  - {id: three, title: Three}\n"
)


@pytest.mark.parametrize(
    ("options", "before", "expected"),
    [
        ("title: A", "defaults: {content: full}\n", Content.FULL),
        ("sections: [three]", f"defaults: {{content: full}}\n{SECTIONS}", Content.FULL),
        ("sections: [one]", SECTIONS, Content.FULL),
        ("sections: [one, two]", SECTIONS, Content.EXCERPT),
        ("sections: [two]\n    content: link", SECTIONS, Content.LINK),
        ("sections: [two]\n    content: feed", SECTIONS, Content.FEED),
    ],
)
def test_content_is_that_of_the_source_its_sections_or_the_defaults(
    options: str, before: str, expected: Content
) -> None:
    assert source(options, before).content is expected


def test_rules_for_pages() -> None:
    found = source("full_text: {select: 'article .story', remove: [.ad, 'aside > p']}")
    assert found.page_rules == PageRules(select="article .story", remove=(".ad", "aside > p"))


def test_limits_of_a_source_complete_the_defaults() -> None:
    found = source("limits: {total: 2m}", "defaults: {limits: {body: 5MB}}\n")
    assert found.limits == Limits(total=timedelta(minutes=2).total_seconds(), body=5_000_000)


def test_reading_options() -> None:
    found = source(
        "items: 30\n    language: pt-BR\n    timezone: America/Sao_Paulo\n"
        "    title_template: '{author}: {title}'\n"
        "    transforms: [{title: '^(a)b', replace: '\\1'}, {content: '<hr>'}]"
    )
    assert found.reading == Reading(
        items=30,
        language="pt-BR",
        timezone="America/Sao_Paulo",
        title="{author}: {title}",
        transforms=(
            Transform(field="title", pattern="^(a)b", replacement=r"\1"),
            Transform(field="content", pattern="<hr>", replacement=""),
        ),
    )


def test_cookies_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(COOKIES)
    config = parse(f"cookies: {path}")
    cookies = config.sources[0].transport.cookies
    assert {(each.domain, each.name, each.secure) for each in cookies} == {
        (".example.org", "session", True),
        ("www.example.org", "name", False),
        (".example.org", "hidden", False),
    }
    assert {"cookie-secret", "other-secret", "third-secret"} <= config.secrets


def test_certificates_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.chdir(tmp_path)
    assert source("ca: ca.pem").transport.ca == str(tmp_path / "ca.pem")


def test_credentials_become_a_header_and_are_masked_everywhere() -> None:
    environ = {"PASSWORD": "open-sesame"}
    config = parse("credentials: {username: ann, password: '${PASSWORD}'}", environ=environ)
    token = b64encode(b"ann:open-sesame").decode()
    assert config.sources[0].headers == {"Authorization": f"Basic {token}"}
    assert "PASSWORD" not in config.sources[0].yaml
    assert config.sources[0].yaml.endswith("credentials: {username: ***, password: ***}")
    masked = masker(config.secrets).text(f"refused ann:open-sesame, {token}")
    assert "open-sesame" not in masked
    assert token not in masked
    for text in (repr(config), repr(config.sources[0])):
        assert "open-sesame" not in text
        assert token not in text


def test_password_written_into_the_file_is_masked_too() -> None:
    config = parse("credentials: {bearer: written-in-the-file}")
    assert config.sources[0].headers == {"Authorization": "Bearer written-in-the-file"}
    assert "written-in-the-file" in config.secrets
    assert "written-in-the-file" not in config.sources[0].yaml


def test_password_of_a_proxy_is_masked() -> None:
    config = parse("proxy: 'http://ann:open-sesame@proxy.lan:3128'")
    assert "open-sesame" in config.secrets
    assert "open-sesame" not in config.sources[0].yaml
    assert "open-sesame" not in repr(config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("content: all", 'sources.yaml:4:14: content: "all" is not feed or full or excerpt'),
        ("full_text: {select: 'a['}", 'sources.yaml:4:25: select: "a[" is not a CSS selector'),
        ("full_text: {select: 'p::before'}", "is not a CSS selector"),
        ("full_text: {remove: ['..']}", "is not a CSS selector"),
        ("transforms: [{title: '('}]", "is not a regular expression"),
        ("transforms: [{replace: 'x'}]", "sources.yaml:4:18: a transform must name title or"),
        ("transforms: [{title: a, content: b}]", "a transform must name title or content"),
        ("transforms: [{title: 'a(b)', replace: '\\2'}]", "replace names group 2"),
        ("title_template: '{titel}'", "has an unknown placeholder, {titel}"),
        ("title_template: 'News'", "has no placeholder"),
        ("timezone: Mars/Base", "is not a time zone"),
        ("items: 0", "is out of bounds"),
        ("credentials: {username: ann}", "sources.yaml:4:18: credentials must be a username"),
        ("credentials: {username: ann, password: x, bearer: y}", "credentials must be a username"),
        ("credentials: {}", "credentials must be a username"),
        (
            "credentials: {bearer: y}\n    headers: {authorization: z}",
            "credentials and an Authorization header",
        ),
        ("cookies: none.txt", "none.txt\" can't be read: No such file"),
        ("ca: none.pem", "none.pem\" can't be read: No such file"),
        ("user_agent: 'é'", "is not a User-Agent"),
        ("proxy: proxy.lan", "is not a URL"),
        ("insecure: maybe", "must be true or false"),
    ],
)
def test_mistakes_are_named_with_their_line(options: str, message: str) -> None:
    found = problems(options)
    assert message in found
    assert "sources.yaml:" in found


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("name=value", "is not a file of cookies in Netscape's format"),
        ("# Netscape HTTP Cookie File\n", "has no cookie that is still valid"),
        (
            "# Netscape HTTP Cookie File\n.a.example\tTRUE\t/\tFALSE\t1000000000\ta\tb\n",
            "has no cookie that is still valid",
        ),
    ],
)
def test_file_without_cookies(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(body)
    assert message in problems(f"cookies: {path}")


def test_file_without_certificates(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("none")
    assert "has no certificate in it" in problems(f"ca: {path}")
