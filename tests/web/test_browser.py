"""The pages in a real browser."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from aggregator.models.config import Auth, Section, Source
from aggregator.models.entry import Author, Enclosure, Image, SafeHtml
from aggregator.models.network import Network
from aggregator.store.sources import network, sources
from aggregator.store.sources.sources import SourceChanges
from aggregator.web.app import create_app
from tests.feedserver import FeedServer
from tests.icons.pictures import opened as opened_picture
from tests.web.pages.test_pages import NASTY, SITE
from tests.web.sample_store import START, SampleStore, log_polls, make_entry, open_sample, proxied
from tests.web.server import Watched, chromium, served

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleStore]:
    with open_sample(tmp_path_factory.mktemp("browser"), SITE) as sample:
        fill(sample)
        yield sample


@pytest.fixture(scope="module")
def base(sample: SampleStore) -> Iterator[str]:
    now = START + timedelta(minutes=50)
    config = replace(SITE, site=replace(SITE.site, embed=("*",)))
    with served(create_app(lambda: config, sample.store, clock=lambda: now)) as address:
        yield address


def fill(sample: SampleStore) -> None:
    """Add entries of all kinds: plain, with pictures or sound, hostile, foreign, empty."""
    sample.add("herald", 12)
    sample.add("post", 8)
    sample.give_icon("herald")
    picture = Image(url="https://pictures.example/p.jpg", width=640, height=360, caption="A view")
    clip = Enclosure(url="https://sound.example/c.mp3", type="audio/mpeg", duration=187)
    film = Enclosure(url="https://sound.example/f.mp4", type="video/mp4", length=10_000_000)
    odd = [
        replace(make_entry(101), title="A picture leads", image=picture, categories=("Weather",)),
        replace(make_entry(102), title="A report to hear", enclosures=(clip,)),
        replace(make_entry(103), title="A report to see", enclosures=(film,), image=picture),
        replace(make_entry(104), title=NASTY, summary=NASTY, authors=(Author(name=NASTY),)),
        replace(make_entry(105), title="W" * 300, summary="w" * 300, text="w" * 300),
        replace(make_entry(106), title="مرحبا بالعالم", language="ar", text="نص عربي"),
        replace(make_entry(107), title="東京で雪が降る 🎉", language="ja", text="雪"),
        replace(make_entry(108), title="", summary="", text="", content=SafeHtml("")),
        replace(
            make_entry(109),
            title="A table",
            content=SafeHtml(
                "<h1>Cross-head</h1><table><tr>" + "<td>wide cell</td>" * 30 + "</tr></table>"
                "<pre>" + "x" * 400 + "</pre>"
                '<figure><img src="https://pictures.example/q.jpg" alt="A dog"></figure>'
            ),
        ),
    ]
    for entry in odd:
        sample.put("herald", entry)
    sample.put("odd", replace(make_entry(110), title="From an odd place"))
    log_polls(sample, "herald", [START - timedelta(days=number) for number in (0, 1, 9, 40)])
    story = "The ferry with a name too long for any page is aground off " + "Skerrow" * 12
    for number, source in enumerate(("herald", "post", "odd"), 111):
        sample.put(source, replace(make_entry(number), title=story))
    sample.revise(1, "Report number one")
    with sample.store.transaction() as db:
        changes: SourceChanges = {
            "health": "failing", "failures": 5, "error_kind": "http_status", "polls": 5,
            "error": "https://odd.example/feed: 500 Internal Server Error: an error of the server",
            "error_status": 500,
            "last_poll": START, "health_since": START,
        }  # fmt: skip
        sources.update(db, "odd", changes)


THEN = "/at/2009-06-27T21:40Z"
PATHS = (
    "/", "/stories",
    "/section/world", "/view/rain", "/category/weather", "/category?name=AC/DC", "/lang/ar",
    f"/author/{quote(NASTY, safe='')}", "/author?name=/", "/search", "/search?q=rain",
    "/status", "/status?sort=-entries", "/status?text=nowhere", "/status/hosts",
    "/status/websub", "/topics", "/corrections", "/source/odd",
    "/source/herald", "/source/herald?period=month", "/status?period=year",
    "/help", "/nowhere", f"{THEN}/", f"{THEN}/section/world", f"{THEN}/?print=1",
    f"{THEN}/author?name=/", "/at/soon/",
    "/entry/1", "/entry/21", "/entry/22", "/entry/24", "/entry/25", "/entry/26", "/entry/28",
    "/entry/29", "/entry/29?print=1", "/entry/31", "/section/world?stories=expand",
    "/feeds/all.atom", "/feeds/search.rss?q=rain", "/feeds/view/rain.json", "/feeds/source/odd.rss",
    "/feeds/corrections.atom", "/feeds/health.json",
    "/embed", "/embed/section/world", "/embed/category?name=/",
)  # fmt: skip


def opened(
    browser: Browser,
    base: str,
    path: str,
    *,
    width: int = 1280,
    scripts: bool = True,
) -> tuple[Page, Watched]:
    page = browser.new_page(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
    watched = Watched(page, base)
    page.goto(base + path)
    return page, watched


def test_front_page_shows_the_masthead_line_and_a_headline(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/")
    expect(page.locator(".updated")).to_contain_text("Page last updated at")
    expect(page.locator(".updated")).to_contain_text("GMT, Saturday, 27 June 2009 ·")
    expect(page.locator(".lead a.headline")).to_be_visible()
    page.close()


@pytest.mark.parametrize("path", PATHS)
def test_page_is_accessible_without_errors_or_outside_requests(
    browser: Browser, base: str, path: str
) -> None:
    """No axe violation, no error, no outside request except for pictures and sound."""
    page, watched = opened(browser, base, path)
    for width, scheme in ((1280, SCHEMES[0]), (1280, SCHEMES[1]), (360, SCHEMES[0])):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        report = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}})
        assert report.violations_count == 0, report.generate_report()
    assert page.locator("meta[name=description]").get_attribute("content")
    addresses = "[...document.querySelectorAll('script[src], link[rel~=stylesheet]')]"
    for address in page.evaluate(f"{addresses}.map(e => e.src || e.href)"):
        assert re.search(r"\?v=[0-9a-f]{8}$", address)
    page.close()
    assert [error for error in watched.errors if not re.search("40[04]", error)] == []
    assert [line for line in watched.outside if not line.startswith(("image", "media"))] == []


def test_a_missing_icon_leaves_no_frame_and_moves_nothing(browser: Browser, base: str) -> None:
    boxes, colours = [], []
    for status in (200, 404):
        page = browser.new_page(java_script_enabled=False)
        if status == 404:
            page.route("**/icon/*", lambda route: route.fulfill(status=404))
        with page.expect_response("**/icon/*") as response:
            page.goto(f"{base}/section/world")
        assert response.value.status == status
        icon = page.locator("img.favicon").first
        expect(icon).to_have_js_property("complete", True)
        boxes.append(page.locator(".byline a:has(img.favicon)").first.bounding_box())
        drawn = opened_picture(icon.screenshot()).convert("RGB").getpixel((8, 8))
        colours.append(drawn)
        page.close()
    assert boxes[0] == boxes[1]
    assert colours == [(40, 90, 160), (253, 252, 249)]  # the icon, and the paper


def test_a_list_is_shown_in_frames_of_listed_sites_only(
    browser: Browser, sample: SampleStore, feed_server: FeedServer
) -> None:
    config = replace(SITE, site=replace(SITE.site, embed=(feed_server.url(""),)))
    with served(create_app(lambda: config, sample.store)) as address:
        blog = f'<iframe src="{address}/embed/section/world"></iframe>'.encode()
        feed_server.reply("/blog", 200, {"Content-Type": "text/html"}, blog)
        page = browser.new_page()
        page.goto(feed_server.url("/blog"))
        page.frame_locator("iframe").locator("a.headline").first.click()
        expect(page).to_have_url(re.compile(rf"{address}/entry/\d+"))
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(feed_server.url("/blog", "127.0.0.2"))
        assert not page.frame_locator("iframe").locator("a.headline").count()
        page.close()


def test_policy_admits_linked_data_as_data_only(browser: Browser, base: str) -> None:
    """A hostile title in it is read as text by programs and runs nothing."""
    page, watched = opened(browser, base, "/entry/24")
    blocks = page.locator('script[type="application/ld+json"]').all_text_contents()
    assert [json.loads(block)["@type"] for block in blocks] == ["NewsArticle", "BreadcrumbList"]
    assert json.loads(blocks[0])["headline"] == NASTY
    assert page.locator('head > meta[property="og:title"]').get_attribute("content") == NASTY
    page.close()
    assert watched.errors == []


def test_browser_reads_the_manifest(browser: Browser, base: str) -> None:
    page, watched = opened(browser, base, "/")
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    page.close()
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["name"] == "The Site"
    assert watched.errors == []


@pytest.mark.parametrize("path", PATHS)
def test_page_fits_small_screens(browser: Browser, base: str, path: str) -> None:
    page, _ = opened(browser, base, path, width=320)
    for width in (320, 360, 768):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_page_from_right_to_left_fits_the_screen(
    browser: Browser, sample: SampleStore, width: int
) -> None:
    arabic = replace(SITE, site=replace(SITE.site, language="ar"))
    with served(create_app(lambda: arabic, sample.store, clock=lambda: START)) as address:
        page, _ = opened(browser, address, "/", width=width)
        assert page.evaluate("document.documentElement.dir") == "rtl"
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.close()


WORDS = ("council", "opens", "new", "harbour", "bridge", "before", "winter", "storm", "as", "polls")


def fill_section(sample: SampleStore, source: str, first: int, words: int) -> None:
    """Add entries with pictures, each with another headline of so many words."""
    picture = Image(url="https://pictures.example/p.jpg", width=960, height=540)
    for number in range(first, first + 30):
        chosen = [WORDS[(number * 7 + word) % len(WORDS)] for word in range(words)]
        title = f"{number}: {' '.join(chosen)}"
        sample.put(source, replace(make_entry(number), title=title, image=picture))


def test_list_shows_twelve_long_headlines_above_the_fold(browser: Browser, tmp_path: Path) -> None:
    with open_sample(tmp_path, SITE) as sample:
        fill_section(sample, "herald", 1, words=18)
        with served(create_app(lambda: SITE, sample.store, clock=lambda: sample.now)) as address:
            page, _ = opened(browser, address, "/section/world")
            bottoms = page.evaluate(
                "[...document.querySelectorAll('main a.headline')]"
                ".map(e => e.getBoundingClientRect().bottom).filter(y => y <= innerHeight)"
            )
            sizes = page.evaluate(
                "[...document.querySelectorAll('.day h3')].slice(0, 2)"
                ".map(e => parseFloat(getComputedStyle(e).fontSize))"
            )
            page.close()
    assert len(bottoms) >= 12
    assert sizes[0] > 1.4 * sizes[1]


SIX_SECTIONS = ("world", "home", "technology", "science", "listen", "fun")


def test_front_page_is_short_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    """Three stories of each section; the latest begin on the first screen."""
    sources = tuple(
        Source(id=f"s-{id}", url=f"https://{id}.example/feed", sections=(id,))
        for id in SIX_SECTIONS
    )
    sections = tuple(Section(id=id, title=id.title()) for id in SIX_SECTIONS)
    config = replace(SITE, sources=sources, sections=sections)
    with open_sample(tmp_path, config) as sample:
        for number, source in enumerate(sources):
            fill_section(sample, source.id, 1 + 100 * number, words=7)
        with served(create_app(lambda: config, sample.store, clock=lambda: sample.now)) as address:
            page, _ = opened(browser, address, "/", width=360)
            height = page.evaluate("document.documentElement.scrollHeight")
            latest = page.locator(".latest").first.bounding_box()
            visible = [
                block.locator(".item").filter(visible=True).count()
                for block in page.locator(".block").all()
            ]
            page.set_viewport_size({"width": 1280, "height": 800})
            tops = page.evaluate(
                "[...document.querySelectorAll('.block > div')].map(e => e.offsetTop)"
            )
            page.close()
    assert height <= 2330
    assert latest is not None
    assert latest["y"] < 800
    assert visible == [3] * len(SIX_SECTIONS)
    assert len(tops) == 3 * len(SIX_SECTIONS)
    assert len(set(tops)) == len(SIX_SECTIONS)  # large, small pictures and headlines in one row


def test_bar_shows_new_entries_without_moving_the_page(browser: Browser, tmp_path: Path) -> None:
    with open_sample(tmp_path, SITE) as sample:
        sample.add("herald", 30)
        app = create_app(lambda: SITE, sample.store, clock=lambda: sample.now)
        with served(app) as address:
            page = browser.new_page()
            page.clock.install()
            page.goto(address)
            first = page.locator("a.headline").first.bounding_box()
            sample.add("post", 3)
            page.clock.run_for(61_000)
            expect(page.locator("#news")).to_have_text("3 new entries")
            assert page.locator("a.headline").first.bounding_box() is not None
            assert first is not None
            page.locator("#news a").click()
            expect(page.locator(".lead")).to_contain_text("Report 33")
            page.close()


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_ages_change_without_moving_the_page(browser: Browser, base: str, width: int) -> None:
    places = "() => [...document.querySelectorAll('tr')].map(e => e.offsetTop)"
    bare, _ = opened(browser, base, "/status", width=width, scripts=False)
    page = browser.new_page(viewport={"width": width, "height": 800})
    Watched(page, base)
    page.clock.install(time=START + timedelta(minutes=50))
    page.goto(base + "/status")
    expect(page.locator("time.ago").first).to_have_text(re.compile("ago$"))
    assert page.evaluate(places) == bare.evaluate(places)
    text = page.locator("time.ago").first.inner_text()
    page.clock.run_for(180_000)
    expect(page.locator("time.ago").first).not_to_have_text(text)
    page.emulate_media(media="print")
    written = bare.locator("time.ago").all_text_contents()
    assert page.locator("time.ago").all_text_contents() == written
    bare.close()
    page.close()


@pytest.mark.parametrize(
    ("language", "age", "day"),
    [
        ("en", "50 minutes ago", "26 June, 2"),
        ("de", "vor 50 Minuten", "26. Juni, 2"),
        ("fr", "il y a 50 minutes", "26 juin à 2"),
        ("ar", "50 minutes ago", "26 June, 2"),
    ],
)
def test_scripts_write_times_in_the_language_of_the_interface(
    browser: Browser, sample: SampleStore, language: str, age: str, day: str
) -> None:
    site = replace(SITE, site=replace(SITE.site, language=language))
    now = START + timedelta(minutes=50)
    with served(create_app(lambda: site, sample.store, clock=lambda: now)) as address:
        page = browser.new_page()
        watched = Watched(page, address)
        page.clock.install(time=now)
        page.goto(address + "/status")
        expect(page.locator("time.ago").first).to_have_text(age)
        expect(page.locator(".axis time").first).to_contain_text(day)
        page.close()
    assert watched.errors == []


@pytest.mark.parametrize("path", ["/", "/section/world", "/entry/1"])
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_times_are_in_the_readers_zone_without_moving_the_page(
    browser: Browser, base: str, path: str, width: int
) -> None:
    lines = "[...document.querySelectorAll('.byline, .latest li, .when')].map(e => e.offsetHeight)"
    bare, _ = opened(browser, base, path, width=width, scripts=False)
    page = browser.new_page(
        viewport={"width": width, "height": 800}, timezone_id="Pacific/Auckland"
    )
    Watched(page, base)
    page.goto(base + path)
    time, written = page.locator("time.local").first, bare.locator("time.local").first
    expect(written).to_have_text(re.compile(r"\d\d:\d\d GMT$"))
    expect(time).to_have_text(re.compile(r"^28 June( 2009)?, \d\d:\d\d$"))  # 12 hours ahead
    expect(time).to_have_attribute("title", re.compile("GMT, Saturday, 27 June 2009"))
    assert page.evaluate(lines) == bare.evaluate(lines)
    page.emulate_media(media="print")
    expect(time).to_have_text(written.inner_text())
    bare.close()
    page.close()


@pytest.mark.parametrize("width", [320, 360, 480, 600, 735, 736, 800, 1024, 1280])
def test_masthead_is_low_and_covers_no_part_of_the_name(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    name = "The Evening Intelligencer of Tolvik and Port Alma"
    assert len(name) == 49
    long = replace(SITE, site=replace(SITE.site, title=name))
    with (
        open_sample(tmp_path, long) as sample,
        served(create_app(lambda: long, sample.store, clock=lambda: START)) as address,
    ):
        page, _ = opened(browser, address, "/", width=width)
        boxes = page.evaluate(
            "[...document.querySelector('.masthead')"
            ".querySelectorAll('.name a, .find, .icon, .theme, summary')]"
            ".map(e => e.getBoundingClientRect().toJSON()).filter(b => b.width)"
        )
        height = page.evaluate("document.querySelector('.masthead').offsetHeight")
        row = page.evaluate(
            "(() => { const r = document.querySelector('.sections ul'); return r.offsetHeight })()"
        )
        page.close()
    name_box, *others = boxes
    assert len(others) >= 2
    assert all(box["left"] >= name_box["right"] for box in others)
    assert row < 50
    assert len({round(box["y"] + box["height"] / 2) for box in others}) == 1  # one row
    if 360 <= width < 736:
        assert height < 110


FRAME = "meta[name=theme-color]"


def test_chosen_colours_are_remembered_without_a_flash(browser: Browser, base: str) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    Watched(page, base)
    paper = "getComputedStyle(document.body).backgroundColor"
    page.goto(base + "/")
    light = page.evaluate(paper)
    colours = [meta.get_attribute("content") for meta in page.locator(FRAME).all()]
    assert len(set(colours)) == 2
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(paper)
    assert dark != light
    assert [meta.get_attribute("content") for meta in page.locator(FRAME).all()] == [colours[1]] * 2
    page.goto(base + "/help", wait_until="commit")
    page.wait_for_selector("body")
    assert page.evaluate(paper) == dark
    assert [meta.get_attribute("content") for meta in page.locator(FRAME).all()] == [colours[1]] * 2
    page.wait_for_load_state()  # the keys are those of a script that waits for the page
    page.keyboard.press("d")  # the system's own scheme again: nothing is stored
    assert page.evaluate(paper) == light
    assert [meta.get_attribute("content") for meta in page.locator(FRAME).all()] == colours
    assert page.evaluate("localStorage.length") == 0
    context.close()


def test_question_mark_lists_the_keys(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.close()


def test_keyboard_moves_through_the_entries(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/section/world")
    titles = page.locator("a.headline").all_inner_texts()
    for key, expected in (("j", titles[0]), ("j", titles[1]), ("k", titles[0])):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.innerText") == expected
    page.keyboard.press("o")
    page.wait_for_url("**/entry/*")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.close()


def test_n_and_p_move_through_the_headlines_of_the_front_page(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/")
    shown = page.locator("main a.headline").filter(visible=True).all_inner_texts()
    for key, expected in (("n", shown[0]), ("n", shown[1]), ("p", shown[0]), ("p", shown[0])):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.innerText") == expected
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("else as j and k")
    page.close()


def test_first_tab_stop_skips_to_the_content(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.close()


def test_search_from_the_masthead(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/")
    page.locator("#find").fill("rain")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=rain")
    expect(page.locator("mark").first).to_have_text("rain")
    page.close()


def test_clip_is_not_loaded_before_it_is_played(browser: Browser, base: str) -> None:
    page, watched = opened(browser, base, "/entry/22")
    expect(page.locator("audio")).to_be_visible()
    assert watched.outside == []
    page.close()


def test_player_skips_and_changes_its_speed(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/entry/22")
    page.evaluate(
        "Object.defineProperty(document.querySelector('audio'), 'currentTime',"
        " {value: 40, writable: true})"
    )
    position = "document.querySelector('audio').currentTime"
    page.get_by_role("button", name="Back 30 seconds").click()
    assert page.evaluate(position) == 10
    page.get_by_role("button", name="Back 30 seconds").click()
    assert page.evaluate(position) == 0
    page.get_by_role("button", name="On 30 seconds").click()
    assert page.evaluate(position) == 30
    page.get_by_label("Speed").select_option("1.5")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.5
    page.close()
    bare, _ = opened(browser, base, "/entry/22", scripts=False)
    expect(bare.locator(".player")).to_be_hidden()
    bare.close()


def test_link_of_a_story_is_copied(browser: Browser, base: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(base + "/entry/21")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "https://site.example/entry/21"
    context.close()


def test_story_is_shared_by_the_dialog_of_the_system(browser: Browser, base: str) -> None:
    page = browser.new_page()
    page.add_init_script("navigator.share = async (data) => { window.shared = data; }")
    page.goto(base + "/entry/21")
    page.get_by_role("button", name="Share", exact=True).click()
    title = page.title()
    assert page.evaluate("window.shared") == {
        "title": title,
        "url": "https://site.example/entry/21",
    }
    page.close()
    bare = browser.new_page()
    bare.add_init_script("delete Navigator.prototype.share")
    bare.goto(base + "/entry/21")
    expect(bare.locator("button.share")).to_be_hidden()
    bare.close()


def test_keys_lead_to_the_stories_around_one(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/entry/23")
    for key, rel in (("n", "next"), ("p", "prev")):
        target = page.locator(f"main a[rel={rel}]").get_attribute("href")
        page.keyboard.press(key)
        page.wait_for_url(f"**{target}")
    assert page.url == base + "/entry/23"
    page.close()


def test_upright_picture_is_whole_on_the_screen(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/entry/21")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.evaluate(
        "(() => { const i = document.querySelector('.picture img'); i.width = 600; i.height = 1200;"
        " i.closest('.picture').hidden = false })()"
    )
    assert page.evaluate("document.querySelector('.picture img').offsetHeight") == 400
    page.close()


def test_proxied_pictures_need_no_outside_requests(
    browser: Browser, feed_server: FeedServer, tmp_path: Path
) -> None:
    one_pixel = b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    feed_server.reply("/p", body=one_pixel)
    image = Image(url=feed_server.url("/p"))
    proxying = proxied(SITE, tmp_path)
    with open_sample(tmp_path, proxying) as sample:
        sample.put("herald", replace(make_entry(1), image=image))
        app = create_app(lambda: proxying, sample.store, clock=lambda: sample.now)
        with served(app) as address:
            page, watched = opened(browser, address, "/")
            expect(page.locator(".lead img")).to_have_js_property("naturalWidth", 1)
            page.close()
    assert (watched.errors, watched.outside) == ([], [])


def test_wide_table_is_scrollable(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/entry/29", width=360)
    cell = page.locator(".content td").first.bounding_box()
    assert cell is not None
    assert cell["width"] > 30  # a word wide; a letter is 10
    for box in (".content table", ".content pre"):
        expect(page.locator(box)).to_have_attribute("tabindex", "0")
    wide = "document.querySelector('.content').scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    page.close()


def test_print_shows_only_the_entry(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/entry/21")
    page.emulate_media(media="print")
    expect(page.locator("h1")).to_be_visible()
    for part in (".sections", ".menu", ".theme", ".find", ".tools", ".also"):
        expect(page.locator(part)).to_be_hidden()
    page.close()


def test_status_of_a_broken_source_says_what_is_wrong(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/status?health=failing")
    expect(page.locator(".sources tbody tr")).to_have_count(1)
    expect(page.locator(".sources tbody")).to_contain_text("500 Internal Server Error")
    page.close()


def test_status_is_filtered_and_sorted_without_scripts(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/status?period=month", scripts=False)
    page.get_by_label("Section", exact=True).select_option("World")
    page.get_by_label("Order").select_option("by name")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".sources tbody th")).to_have_text(["Herald", "Post"])
    expect(page.locator(".history [aria-current]")).to_have_text("Month")
    page.get_by_role("link", name="Source", exact=True).click()
    expect(page.locator(".sources tbody th")).to_have_text(["Post", "Herald"])
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_label("Section", exact=True)).to_have_value("world")
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_small_screens_fold_healthy_sources(browser: Browser, base: str, scripts: bool) -> None:
    page, _ = opened(browser, base, "/status", width=360, scripts=scripts)
    expect(page.get_by_role("link", name="https://odd.example/feed")).to_be_visible()
    herald = page.get_by_role("link", name="Herald", exact=True)
    expect(herald).to_be_hidden()
    page.get_by_text("2 healthy sources", exact=True).click()
    expect(herald).to_be_visible()
    page.close()


def test_wide_screens_show_healthy_sources_in_the_same_columns(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/status")
    expect(page.get_by_role("link", name="Herald", exact=True)).to_be_visible()
    expect(page.get_by_text("2 healthy sources", exact=True)).to_be_hidden()
    rows = "[...document.querySelectorAll('.sources tbody tr')]"
    lefts = f"{rows}.map(r => [...r.cells].map(c => c.offsetLeft))"
    first, *others = page.evaluate(lefts)
    assert others == [first, first]
    assert len(set(first)) == 8
    page.close()


@pytest.mark.parametrize("path", ["/", "/status"])
def test_an_empty_site_without_network_says_so(browser: Browser, tmp_path: Path, path: str) -> None:
    with open_sample(tmp_path, SITE) as sample:
        with sample.store.transaction() as db:
            network.put(db, Network(down_since=START, retry_at=START + timedelta(minutes=5)))
        with served(create_app(lambda: SITE, sample.store, clock=lambda: START)) as address:
            page, _ = opened(browser, address, path, width=360)
            line = page.locator(".network")
            expect(line).to_contain_text("its network seems to be down since")
            above, below = page.locator(".masthead").bounding_box(), line.bounding_box()
            assert above is not None
            assert below is not None
            assert below["y"] > above["y"] + above["height"]
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                report = Axe().run(page)
                assert report.violations_count == 0, report.generate_report()
            page.close()


def test_poll_now_makes_the_source_due(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/source/herald")
    page.get_by_role("button", name="Poll now").click()
    expect(page.get_by_role("status").first).to_contain_text("Poll requested")
    expect(page.locator(".facts")).to_contain_text("requested")
    page.close()


def test_poll_now_after_signing_in(browser: Browser, tmp_path: Path) -> None:
    closed = replace(SITE, auth=Auth(token="a-token-for-programs"))
    with open_sample(tmp_path, closed) as sample:
        sample.add("herald")
        with served(create_app(lambda: closed, sample.store, clock=lambda: sample.now)) as address:
            page, watched = opened(browser, address, "/source/herald")
            page.get_by_role("link", name="Sign in to see its polls and settings").click()
            page.get_by_label("Password").fill("not the password")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("Wrong password")
            report = Axe().run(page)
            assert report.violations_count == 0, report.generate_report()
            page.get_by_label("Password").fill("a-token-for-programs")
            page.keyboard.press("Enter")
            page.wait_for_url("**/source/herald")
            page.get_by_role("button", name="Poll now").click()
            expect(page.get_by_role("status").first).to_contain_text("Poll requested")
            page.close()
    assert [error for error in watched.errors if "403" not in error] == []


def test_everything_can_be_read_without_scripts(browser: Browser, base: str) -> None:
    page, _ = opened(browser, base, "/", scripts=False)
    expect(page.locator(".lead a.headline")).to_be_visible()
    page.locator(".lead a.headline").click()
    expect(page.locator("h1")).to_be_visible()
    page.close()
