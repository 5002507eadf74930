"""Addresses of pages to the URLs of their feeds."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse.listings import document
from aggregator.policy import feed_addresses
from aggregator.policy.feed_addresses import RECIPES, Answer

CHANNEL = "UC-lHJZR3Gqxm24_Vd_AJ5Yw"
VIDEOS = "https://www.youtube.com/feeds/videos.xml"
WIKI = "https://en.wikipedia.org/w/index.php?title"
HISTORY = "action=history&feed=atom"

FORMS = {
    f"{VIDEOS}?channel_id={CHANNEL}": [
        f"https://www.youtube.com/channel/{CHANNEL}",
        f"https://youtube.com/channel/{CHANNEL}/",
        f"http://m.youtube.com/channel/{CHANNEL}/videos?view=0&sort=dd",
        f"https://WWW.YouTube.com/channel/{CHANNEL}/streams#top",
    ],
    f"{VIDEOS}?playlist_id=PLrAXtmErZgOei": [
        "https://www.youtube.com/playlist?list=PLrAXtmErZgOei",
        "https://m.youtube.com/playlist?app=desktop&list=PLrAXtmErZgOei",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PLrAXtmErZgOei&index=2",
        "https://youtu.be/dQw4w9WgXcQ?list=PLrAXtmErZgOei",
        "https://music.youtube.com/playlist?list=PLrAXtmErZgOei",
    ],
    "https://mastodon.social/@Gargron.rss": [
        "https://mastodon.social/@Gargron",
        "https://mastodon.social/@Gargron/",
        "https://mastodon.social/@Gargron/with_replies",
        "https://mastodon.social/web/@Gargron",
        "https://hachyderm.io/@Gargron@mastodon.social",
    ],
    "https://mastodon.social/tags/python.rss": ["https://mastodon.social/tags/python/"],
    "https://bsky.app/profile/bsky.app/rss": [
        "https://bsky.app/profile/bsky.app",
        "https://bsky.app/profile/bsky.app/?ref=x",
    ],
    "https://bsky.app/profile/did:plc:z72i7h/rss": ["https://bsky.app/profile/did:plc:z72i7h"],
    "https://lemmy.world/feeds/c/technology.xml?sort=New": [
        "https://lemmy.world/c/technology",
        "https://lemmy.world/c/technology/?dataType=Post&sort=Active",
    ],
    "https://lemmy.ml/feeds/u/dessalines.xml?sort=New": ["https://lemmy.ml/u/dessalines"],
    "https://www.reddit.com/r/python/.rss": [
        "https://www.reddit.com/r/python",
        "https://old.reddit.com/r/python/",
        "https://reddit.com/r/python?utm_source=share",
        "http://m.reddit.com/r/python/",
    ],
    "https://www.reddit.com/r/python+django/new/.rss": [
        "https://www.reddit.com/r/python+django/new/"
    ],
    "https://www.reddit.com/r/python/top/.rss?t=week": [
        "https://old.reddit.com/r/python/top?t=week"
    ],
    "https://www.reddit.com/r/python/top/.rss": ["https://www.reddit.com/r/python/top/"],
    "https://www.reddit.com/r/python/comments/1abc/a_title/.rss": [
        "https://www.reddit.com/r/python/comments/1abc/a_title/"
    ],
    "https://www.reddit.com/user/spez/.rss": [
        "https://www.reddit.com/user/spez/",
        "https://www.reddit.com/u/spez",
    ],
    "https://www.reddit.com/r/python/search.rss?q=asyncio&restrict_sr=1": [
        "https://www.reddit.com/r/python/search/?q=asyncio&restrict_sr=1"
    ],
    "https://github.com/lemon24/reader/releases.atom": [
        "https://github.com/lemon24/reader",
        "https://www.github.com/lemon24/reader/",
        "https://github.com/lemon24/reader?tab=readme-ov-file",
        "https://github.com/lemon24/reader/releases/latest",
        "https://github.com/lemon24/reader/releases/tag/3.0",
    ],
    "https://github.com/lemon24/reader/tags.atom": ["https://github.com/lemon24/reader/tags"],
    "https://github.com/lemon24/reader/commits.atom": [
        "https://github.com/lemon24/reader/commits/"
    ],
    "https://github.com/lemon24/reader/commits/main.atom": [
        "https://github.com/lemon24/reader/commits/main/",
        "https://github.com/lemon24/reader/tree/main",
    ],
    "https://github.com/lemon24/reader/commits/main/docs/why.rst.atom": [
        "https://github.com/lemon24/reader/blob/main/docs/why.rst",
        "https://github.com/lemon24/reader/commits/main/docs/why.rst?after=x",
    ],
    "https://github.com/lemon24/reader/discussions.atom": [
        "https://github.com/lemon24/reader/discussions"
    ],
    "https://github.com/lemon24.atom": [
        "https://github.com/lemon24",
        "https://github.com/lemon24/",
    ],
    "https://gitlab.com/gitlab-org/cli.atom": ["https://gitlab.com/gitlab-org/cli/"],
    "https://gitlab.com/gitlab-org/cli/-/releases.atom": [
        "https://gitlab.com/gitlab-org/cli/-/releases",
        "https://gitlab.com/gitlab-org/cli/-/releases/v1.0",
    ],
    "https://gitlab.com/a/b/c/-/tags?format=atom": ["https://gitlab.com/a/b/c/-/tags"],
    "https://gitlab.com/a/b/-/commits/main?format=atom": [
        "https://gitlab.com/a/b/-/commits/main?ref_type=heads",
        "https://gitlab.com/a/b/-/tree/main",
    ],
    "https://gitlab.com/a/b/-/issues.atom": ["https://gitlab.com/a/b/-/issues/?sort=updated"],
    "https://codeberg.org/forgejo/forgejo.atom": ["https://codeberg.org/forgejo/forgejo"],
    "https://codeberg.org/forgejo/forgejo/releases.atom": [
        "https://codeberg.org/forgejo/forgejo/releases",
        "https://codeberg.org/forgejo/forgejo/releases/tag/v9",
    ],
    "https://codeberg.org/forgejo/forgejo/tags.atom": ["https://codeberg.org/forgejo/forgejo/tags"],
    "https://codeberg.org/forgejo/forgejo/atom/branch/main": [
        "https://codeberg.org/forgejo/forgejo/commits/branch/main",
        "https://codeberg.org/forgejo/forgejo/src/branch/main/",
    ],
    "https://pypi.org/rss/project/flask/releases.xml": [
        "https://pypi.org/project/flask/",
        "https://pypi.org/project/flask/3.1.3/#history",
        "http://pypi.python.org/pypi/flask",
    ],
    "https://rubygems.org/gems/rails/versions.atom": [
        "https://rubygems.org/gems/rails",
        "https://rubygems.org/gems/rails/versions/8.0.0",
    ],
    "https://packagist.org/feeds/package.symfony/console.rss": [
        "https://packagist.org/packages/symfony/console"
    ],
    "https://static.crates.io/rss/crates/serde.xml": [
        "https://crates.io/crates/serde",
        "https://crates.io/crates/serde/versions",
    ],
    "https://rss.arxiv.org/atom/cs.LG": [
        "https://arxiv.org/list/cs.LG/recent",
        "https://www.arxiv.org/list/cs.LG/new?skip=0&show=50",
        "https://export.arxiv.org/list/cs.LG/current",
    ],
    "https://rss.arxiv.org/atom/math": ["https://arxiv.org/archive/math"],
    "https://arxiv.org/a/warner_s_1.atom2": ["https://arxiv.org/a/warner_s_1"],
    f"{WIKI}=Ada_Lovelace&{HISTORY}": [
        "https://en.wikipedia.org/wiki/Ada_Lovelace",
        "https://en.m.wikipedia.org/wiki/Ada_Lovelace#Life",
        "https://en.wikipedia.org/w/index.php?title=Ada_Lovelace&action=history",
        "https://en.wikipedia.org/w/index.php?action=history&title=Ada_Lovelace&offset=1",
    ],
    f"{WIKI}=Special:Contributions/Jimbo&feed=atom": [
        "https://en.wikipedia.org/wiki/Special:Contributions/Jimbo"
    ],
    "https://itunes.apple.com/lookup?id=1200361736&entity=podcast": [
        "https://podcasts.apple.com/us/podcast/the-daily/id1200361736",
        "https://podcasts.apple.com/podcast/id1200361736?i=1000",
        "https://itunes.apple.com/gb/podcast/the-daily/id1200361736?mt=2",
    ],
    "https://medium.com/feed/@ev": ["https://medium.com/@ev", "https://medium.com/@ev/about"],
    "https://news.substack.com/feed": [
        "https://news.substack.com",
        "https://news.substack.com/archive?sort=new",
        "https://news.substack.com/p/a-letter",
    ],
    "https://stackoverflow.com/feeds/tag?tagnames=python&sort=newest": [
        "https://stackoverflow.com/questions/tagged/python?tab=Newest"
    ],
    "https://store.steampowered.com/feeds/news/app/220/": [
        "https://store.steampowered.com/app/220/HalfLife_2/",
        "https://store.steampowered.com/news/app/220",
    ],
}
LISTINGS = {
    "https://api.github.com/repos/lemon24/reader/issues?state=all&sort=created&per_page=50": [
        "https://github.com/lemon24/reader/issues",
        "https://github.com/lemon24/reader/issues/12?q=is%3Aopen",
    ],
    "https://registry.npmjs.org/left-pad": [
        "https://www.npmjs.com/package/left-pad",
        "https://npmjs.com/package/left-pad/v/1.0.0?activeTab=versions",
    ],
    "https://registry.npmjs.org/@vue/core": ["https://www.npmjs.com/package/@vue/core"],
}
GUESSES = {
    "https://m.example.org/@ada.rss": ["https://m.example.org/@ada", "https://m.example.org/@ada/"],
    "https://talk.example.org/feeds/c/boats.xml?sort=New": ["https://talk.example.org/c/boats"],
    "https://gitlab.example.org/a/b.atom": ["https://gitlab.example.org/a/b"],
    "http://127.0.0.1:8000/@ada.rss": ["http://127.0.0.1:8000/@ada"],
}
PAGES = {
    "https://www.youtube.com/@veritasium": [
        "https://www.youtube.com/@veritasium/videos",
        "https://m.youtube.com/@veritasium",
    ],
    "https://www.youtube.com/c/veritasium": ["https://youtube.com/c/veritasium/featured"],
    "https://www.youtube.com/user/1veritasium": ["https://www.youtube.com/user/1veritasium/"],
}
ALL = FORMS | LISTINGS | GUESSES | PAGES


@pytest.mark.parametrize(
    ("address", "url"), [(address, url) for url, forms in ALL.items() for address in forms]
)
def test_address_leads_to_its_feed(address: str, url: str) -> None:
    found = feed_addresses.find(address)
    assert found
    assert found.url == url
    assert found.certain is (url not in GUESSES)
    assert (found.answer is Answer.PAGE) is (url in PAGES)
    assert (found.listing is not None) is (url in LISTINGS)
    assert (found.answer is Answer.ITUNES) is ("itunes" in url)


def test_every_recipe_has_a_form_here() -> None:
    found = {feed_addresses.find(address) for forms in ALL.values() for address in forms}
    names = {(each.name, each.certain) for each in found if each}
    assert {(recipe.name, recipe.certain) for recipe in RECIPES} == names


@pytest.mark.parametrize("url", [*FORMS, *GUESSES, f"{WIKI}=Special:RecentChanges&feed=atom"])
def test_the_url_of_a_feed_stays(url: str) -> None:
    assert feed_addresses.feed_url(url) == url


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no address",
        "ftp://github.com/a/b",
        "https://github.com/",
        "https://github.com/features/actions",
        "https://github.com/orgs/python/repositories",
        "https://github.com/a/b/pulls",
        "https://gitlab.com/explore/projects",
        "https://user:secret@github.com/a/b",
        "https://github.com.example.org/a/b",
        "https://github.com/a/b.atom",
        "https://codeberg.org/forgejo/forgejo/releases.rss",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=RDdQw4w9WgXcQ",
        "https://www.youtube.com/channel/UCshort",
        "https://www.tiktok.com/@ada",
        "https://www.reddit.com/",
        "https://substack.com/home",
        "https://open.substack.com/pub/news",
        "https://arxiv.org/abs/2401.00001",
        "https://en.wikipedia.org/w/index.php?title=Ada_Lovelace",
        "https://podcasts.apple.com/us/charts",
        "https://www.bbc.co.uk/news",
        f"https://mastodon.social/@{'a' * 3000}",
    ],
)
def test_other_addresses_have_no_recipe(address: str) -> None:
    assert feed_addresses.find(address) is None
    assert feed_addresses.feed_url(address) == address


def test_only_certain_feeds_replace_an_address() -> None:
    for url, forms in ALL.items():
        expected = url if url in FORMS and "itunes" not in url else forms[0]
        assert feed_addresses.feed_url(forms[0]) == expected


def listed(address: str, answer: object) -> list[tuple[str, str, str]]:
    found = feed_addresses.find(address)
    assert found
    assert found.listing
    now = datetime(2026, 3, 21, tzinfo=UTC)
    changes = document.parse_changes(
        json.dumps(answer).encode(), url=found.url, listing=found.listing, now=now
    )
    assert changes.feed.problems == ()
    return [
        (each.title.value if each.title else "", each.link, f"{each.published:%Y-%m-%d}")
        for each in changes.feed.entries
    ]


def test_answer_of_npm_gives_versions_newest_first() -> None:
    times = {"created": "2020-01-01", "modified": "2026-01-01", "1.0.0": "2020-01-01T00:00:00.5Z"}
    answer = {"name": "@vue/core", "time": times | {"1.1.0": "2021-02-03T00:00:00.000Z"}}
    page = "https://www.npmjs.com/package/@vue/core"
    assert listed(page, answer) == [
        ("@vue/core 1.1.0", f"{page}/v/1.1.0", "2021-02-03"),
        ("@vue/core 1.0.0", f"{page}/v/1.0.0", "2020-01-01"),
    ]


def test_answer_of_github_gives_issues_without_pull_requests() -> None:
    issue = {"title": "A bug", "html_url": "https://github.com/a/b/issues/2", "body": "It *fails*"}
    issue["created_at"] = "2026-03-01T10:00:00Z"
    answer = [issue | {"title": "A fix", "pull_request": {"url": "x"}}, issue]
    assert listed("https://github.com/a/b/issues", answer) == [
        ("A bug", "https://github.com/a/b/issues/2", "2026-03-01")
    ]


@given(st.text())
def test_find_takes_any_text(text: str) -> None:
    for prefix in ("", "https://github.com/", "https://www.youtube.com/@", "https://x.example/@"):
        found = feed_addresses.find(prefix + text)
        assert found is None or found.url.startswith("http")


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (b'{"resultCount":1,"results":[{"feedUrl":"https://a.example/feed"}]}', "https://a.example/feed"),
        (b'{"results":[{"kind":"podcast"},{"feedUrl":"https://b.example/"}]}', "https://b.example/"),
        (b'{"results":[]}', ""),
        (b'{"results":["feedUrl"]}', ""),
        (b'{"results":7}', ""),
        (b"[]", ""),
        (b"<html>", ""),
        (b"[" * 100_000, ""),
    ],
)  # fmt: skip
def test_feed_of_lookup(body: bytes, url: str) -> None:
    assert feed_addresses.feed_of_lookup(body) == url
