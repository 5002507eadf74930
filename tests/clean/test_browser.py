"""A real browser runs nothing in sanitised markup, and parses it as we wrote it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from aggregator.clean.html.sanitise import sanitise
from tests.clean.payloads import PAYLOADS
from tests.web.server import chromium

AROUND = ("{}", "<p>a{}b", "<table><tr>{}</table>", "<math><mtext>{}</mtext></math>", "<svg>{}")
READ_TWICE = """markup => {
    window.alert = () => { window.ran = true };
    const first = document.createElement("main"), second = document.createElement("main");
    document.body.append(first, second);
    first.innerHTML = markup;
    second.innerHTML = first.innerHTML;  // where mutation XSS shows
    return new Promise(done => setTimeout(() => {
        const actors = "script, style, iframe, object, embed, [onerror], [onload], [onclick]";
        const found = document.querySelectorAll(actors).length;
        const same = first.innerHTML === second.innerHTML;
        first.remove(); second.remove();
        done([window.ran === true, found, same]);
    }, 20));
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.route("**/*", lambda route: route.abort())
        yield page
        page.close()


@pytest.mark.parametrize("around", AROUND)
def test_nothing_runs(page: Page, around: str) -> None:
    for payload in PAYLOADS:
        made = sanitise(around.replace("{}", payload), base="https://example.org/")
        assert page.evaluate(READ_TWICE, made) == [False, 0, True], payload
