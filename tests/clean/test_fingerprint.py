import pytest

from aggregator.clean import entry
from aggregator.clean.html.sanitise import sanitise
from aggregator.models.entry import Enclosure, ParsedEntry, Text
from tests.clean.test_entry import BASE, NOW

TITLE = "NASA launches 12 probes"
CONTENT = (
    '<p class="a">The first <b>of 12</b> probes left at <a href="https://nasa.example/p?id=1">'
    "dawn</a>, won by 12 points.</p><p>Reported by A. Writer</p>"
)
FILE = "https://cdn.example/a.mp3"


def fingerprint(title: str = TITLE, content: str = CONTENT, file: str = FILE) -> bytes:
    parsed = ParsedEntry(
        title=Text(value=title), content=Text(value=content), enclosures=(Enclosure(url=file),)
    )
    return entry.clean(parsed, base=BASE, now=NOW).fingerprint


NOISE = {
    "the same": CONTENT,
    "a tracking parameter of a link": CONTENT.replace("id=1", "id=1&amp;utm_source=rss"),
    "another link": CONTENT.replace("nasa.example", "www.nasa.example"),
    "white space": CONTENT.replace(" ", "\n\t  ").replace("<p>", " <p> "),
    "other markup": CONTENT.replace("<b>", "<strong>").replace("</b>", "</strong>"),
    "a class": CONTENT.replace('class="a"', 'class="b" style="color:red"'),
    "a picture": CONTENT + '<img src="https://cdn.example/i.jpg?w=640" alt="A probe">',
    "a counting pixel": CONTENT + '<img src="https://t.example/1?r=99" width="1" height="1">',
    "a script": CONTENT + "<script>track(99)</script>",
    "an empty paragraph": CONTENT + "<p>&nbsp;</p>",
    "an entity for its character": CONTENT.replace("A. Writer", "&#65;. Writer"),
    "invisible characters": CONTENT.replace("Writer", "Wri\u00adter\u200b"),
    "an address": CONTENT + "<p>https://nasa.example/p?utm_medium=feed&amp;x=99</p>",
    "a label of an advert": CONTENT.replace("</p><p>", "</p><p>Advertisement</p><p>"),
    "the advert of an advertiser": CONTENT
    + '<p><a href="https://ad.doubleclick.net/x?99">Buy <b>this</b></a></p>',
    "an advertiser by its other domain": CONTENT
    + '<a href="http://www.googleadservices.com/pagead/99">Cheap probes</a>',
}

COUNTERS = (
    "<p>(12 comments)</p>",
    "<p>[12 comments]</p>",
    "<p>(1,204 likes)</p>",
    "<p>(1.2k views)</p>",
    "<p>12 Kommentare</p>",
    "<p>7 COMMENTAIRES</p>",
    "<p>1 reply</p>",
    "<p>7 Replies</p>",
    "<p>1 comentario</p>",
    "<p>7 Comentários</p>",
    "<p>7 commenti</p>",
    "<p>7 reacties</p>",
    "<p>12 комментариев</p>",
    "<p>7 КОММЕНТАРИЙ</p>",
    "<p>7 تعليقات</p>",
    "<p>No comments</p>",
)

LABELLED = (
    "<p>Comments: {}</p>",
    "<p>Comments ({})</p>",
    "<p># Comments: {}, Points: {}</p>",
    "<p>{} comments</p>",
    "<p>{} replies</p>",
    "<p>({} likes)</p>",
    "<p>评论: {}</p>",
    "<p>コメント({})</p>",
    "<p><small>{} posts - {} participants</small></p><p>Read full topic</p>",
    "<p>submitted by pia<br>{} points | <a href='https://l.example/1'>{} comments</a></p>",
    "<p>{} points, {} comments</p>",
    "<p>{} views · {} likes · {} shares</p>",
    "<p>{} Beiträge - {} Teilnehmer</p>",
    "<p>{} messages – {} participants</p>",
    "<p>Views: {}</p>",
    "<p>Score: {} | Replies: {}</p>",
    "<p>It ends.</p><p>{} views</p>",
    "<p>{} 条评论</p>",
    "<p>{}件のコメント</p>",
    "<p>阅读 {}</p>",
    "<p>👍 {} 💬 {}</p>",
    "<p>{} ответов</p>",
    "<p>Last reply 3 hours ago, {} replies</p>",
)

PROSE = (
    "<p>The team won by {} points - and lost {} players.</p>",
    "<p>He has {} followers and wrote {} posts.</p>",
    "<p>On page {} - 12 people stood there.</p>",
    "<p>They took {} votes</p><p>of all.</p>",
    "<p>Room {} / floor 3</p>",
    "<p>A vote of {} - 12 ended it.</p>",
)

CHANGES = {
    "a word of the title": fingerprint(title=TITLE.replace("launches", "loses")),
    "a number of the title": fingerprint(title=TITLE.replace("12", "13")),
    "a letter's case": fingerprint(title=TITLE.replace("NASA", "Nasa")),
    "a word of the text": fingerprint(content=CONTENT.replace("dawn", "noon")),
    "a number of the text": fingerprint(content=CONTENT.replace("of 12", "of 13")),
    "a number beside a word that counts elsewhere": fingerprint(
        content=CONTENT.replace("12 points", "13 points")
    ),
    "a full stop": fingerprint(content=CONTENT.replace("points.", "points!")),
    "the order of words": fingerprint(content=CONTENT.replace("A. Writer", "Writer A.")),
    "a sentence more": fingerprint(content=CONTENT + "<p>Corrected.</p>"),
    "another file": fingerprint(file="https://cdn.example/b.mp3"),
    "all text gone": fingerprint(content=""),
}


@pytest.mark.parametrize("content", NOISE.values(), ids=NOISE.keys())
def test_noise_is_no_change(content: str) -> None:
    assert fingerprint(content=content) == fingerprint()


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_counter_that_appears_is_no_change(counter: str) -> None:
    assert fingerprint(content=CONTENT + counter) == fingerprint()


@pytest.mark.parametrize("counter", LABELLED)
def test_a_counter_that_counts_is_no_change(counter: str) -> None:
    now, then = counter.replace("{}", "7"), counter.replace("{}", "1,204")
    assert fingerprint(content=CONTENT + now) == fingerprint(content=CONTENT + then)


@pytest.mark.parametrize("prose", PROSE)
def test_a_number_of_prose_is_a_change(prose: str) -> None:
    now, then = prose.replace("{}", "7"), prose.replace("{}", "9")
    assert fingerprint(content=CONTENT + now) != fingerprint(content=CONTENT + then)


def test_a_relative_time_is_no_change() -> None:
    now, then = "<p>Posted 3 hours ago</p>", "<p>Posted 2 days ago</p>"
    assert fingerprint(content=CONTENT + now) == fingerprint(content=CONTENT + then)


def test_a_counter_in_the_title_is_no_change() -> None:
    assert fingerprint(title=f"{TITLE} (12 comments)") == fingerprint()


def test_the_address_of_a_file_is_compared_without_tracking() -> None:
    assert fingerprint(file=f"{FILE}?utm_source=feed") == fingerprint()


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_what_readers_see_is_a_change(changed: bytes) -> None:
    assert changed != fingerprint()


def test_the_fingerprint_is_versioned_and_stays_what_it_is() -> None:
    parsed = ParsedEntry(title=Text(value="A"), content=Text(value="<p>B c</p>"))
    made = entry.clean(parsed, base=BASE, now=NOW).fingerprint
    # A failure here means that every stored entry would count as changed: raise the version.
    assert made.hex() == "321bcbcf5f2cda527fb598777a5284eff1"


def test_only_adverts_leave_the_text() -> None:
    link = sanitise('<a href="https://notdoubleclick.net/">a</a>', base=BASE)
    assert fingerprint(content=CONTENT + link) != fingerprint()
