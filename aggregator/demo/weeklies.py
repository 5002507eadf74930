"""Quiet publications of the demo, each with a few pieces of one kind.

They show how pages look with large and tall pictures, comics, code, films, posts without a title,
and texts in other scripts and directions. `{base}` in a text is the publisher's address.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aggregator.demo.documents import image

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a publication.

    Args:
        name: Ends its address.
        hours: Its age when the day of the start began.
        title: "" for a post without a title.
        html: Its text; the whole of it, unless it ends with an ellipsis.
        picture: Name and size of its picture, such as `cranes-600x900`.
        link: Its page, if that is not the publisher's.
    """

    name: str
    hours: int
    title: str
    html: str
    picture: str = ""
    caption: str = ""
    credit: str = ""
    link: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """A publication in one language."""

    title: str
    subtitle: str
    author: str
    pieces: tuple[Piece, ...]
    language: str = "en"


def render(weekly: Weekly, start: datetime, *, base: str, path: str) -> bytes:
    """Render a publication in RSS 2.0, with times counted from the day of the start."""
    midnight = datetime.combine(start.date(), time(), start.tzinfo)
    items = "".join(
        _item(weekly, piece, midnight - timedelta(hours=piece.hours), base, path)
        for piece in weekly.pieces
    )
    return (
        f"{HEAD}<channel><title>{escape(weekly.title)}</title><link>{base}/</link>"
        f"{image(weekly.title, base, path)}"
        f"<description>{escape(weekly.subtitle)}</description>"
        f"<language>{weekly.language}</language>\n{items}</channel></rss>\n"
    ).encode()


def _item(weekly: Weekly, piece: Piece, published: datetime, base: str, path: str) -> str:
    title = f"<title>{escape(piece.title)}</title>" if piece.title else ""
    topic = f"<category>{escape(piece.topic)}</category>" if piece.topic else ""
    link = piece.link or f"{base}/pieces/{piece.name}"
    return (
        f"<item>{title}<link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{path}:{piece.name}</guid>'
        f"<pubDate>{format_datetime(published, usegmt=True)}</pubDate>"
        f"<dc:creator>{escape(weekly.author)}</dc:creator>{topic}\n"
        f"<content:encoded>{escape(piece.html.replace('{base}', base))}</content:encoded>\n"
        f"{_picture(piece, base)}</item>\n"
    )


def _picture(piece: Piece, base: str) -> str:
    if not piece.picture:
        return ""
    width, _, height = piece.picture.rpartition("-")[2].partition("x")
    address = quoteattr(f"{base}/pictures/{piece.picture}.png?width={width}")
    return (
        f'<media:content url={address} type="image/png" medium="image"'
        f' width="{width}" height="{height}">'
        f"<media:description>{escape(piece.caption)}</media:description>"
        f"<media:credit>{escape(piece.credit)}</media:credit></media:content>\n"
    )


LENS = Weekly(
    title="Long Exposure",
    subtitle="Photographs from the invented country",
    author="Mina Castellan",
    pieces=(
        Piece(
            name="dawn",
            hours=2,
            title="First light on the Great Vey, seen from the old ferry landing",
            picture="dawn-960x540",
            caption="The river at five in the morning, with the hills of Corra behind it",
            credit="Mina Castellan / Long Exposure",
            topic="Photography",
            html=(
                '<p><img src="{base}/pictures/dawn-960x540.png?width=960&quality=80" alt="Hills at'
                ' dawn"></p><p>The landing has been empty since the bridge opened. At five in the'
                " morning it belongs to the herons, who do not mind a tripod.</p><p>The exposure"
                " took eight minutes. In that time two barges passed, of which the picture shows"
                " only a line of light.</p>"
            ),
        ),
        Piece(
            name="tower",
            hours=20,
            title="The water tower of Quellen, photographed upright",
            picture="tower-600x999",
            caption="Hills that go on for longer than one expects",
            credit="Mina Castellan",
            topic="photography",
            html=(
                "<p>Some things are taller than they are wide. The tower of Quellen is one of them,"
                " and so is this picture.</p>"
            ),
        ),
        Piece(
            name="marsh",
            hours=44,
            title="A walk through the marsh of Lindow in eleven pictures",
            picture="marsh-960x540",
            credit="Mina Castellan",
            topic="Photography",
            html="<p>We set out before the fog had lifted, with dry socks in a tin, and …</p>",
        ),
    ),
)

STRIP = Weekly(
    title="Three Herons",
    subtitle="A comic strip, on Mondays and whenever it rains",
    author="Jun Harada",
    pieces=tuple(
        Piece(
            name=f"strip-{number}",
            hours=10 + 60 * turn,
            title=title,
            topic="Comics",
            html=f'<p><img src="{{base}}/pictures/strip{number}-900x280.png" alt="{title}"></p>',
        )
        for turn, (number, title) in enumerate(
            ((214, "The tin of worms"), (213, "One leg"), (212, "Fog, again"))
        )
    ),
)

CODE = Weekly(
    title="Sorting Letters",
    subtitle="Notes on programs, from the post office of Tolvik",
    author="Pavel Rusk",
    pieces=(
        Piece(
            name="trams",
            hours=5,
            title="Sorting the post of a town in half the time",
            topic="Programming",
            html=(
                "<p>The old program sorted by street and then by number. Most letters are already"
                " in order when they arrive, which it did not notice. The new one looks for"
                " <em>runs</em> first:</p>"
                "<pre><code>def runs(letters: Sequence[Letter]) -> Iterator[list[Letter]]:\n"
                '    """Yield the longest stretches that are in order already, each as a list."""\n'
                "    run = []\n"
                "    for letter in letters:\n"
                "        if run and letter.address &lt; run[-1].address:\n"
                "            yield run\n"
                "            run = []\n"
                "        run.append(letter)\n"
                "    if run:\n"
                "        yield run\n"
                "</code></pre>"
                "<p>After that, merging is all that is left to do. A week of post:</p>"
                "<table><thead><tr><th>Day</th><th>Letters</th><th>Runs</th><th>Longest run</th>"
                "<th>Seconds before</th><th>Seconds after</th><th>Trams missed by the postman</th>"
                "</tr></thead><tbody>"
                "<tr><td>Monday</td><td>18,204</td><td>611</td><td>2,090</td><td>41.2</td>"
                "<td>19.8</td><td>none</td></tr>"
                "<tr><td>Tuesday</td><td>12,877</td><td>402</td><td>1,644</td><td>28.0</td>"
                "<td>13.1</td><td>one, for another reason</td></tr></tbody></table>"
                "<h3>What is left</h3><ul><li>Parcels</li><li>Letters to people who moved<ul><li>"
                "once</li><li>more often</li></ul></li></ul>"
                "<blockquote><p>The address is the sort key of the world.</p></blockquote>"
            ),
        ),
        Piece(
            name="address",
            hours=70,
            title="https://sorting.example/a/very/long/address/that/is/the/title/of/a/post?and=more",
            topic="Programming",
            html="<p>A title may be an address, and it should not push the page to the side.</p>",
        ),
    ),
)

FILMS = Weekly(
    title="Ferry Films",
    subtitle="Short films, made on deck",
    author="Adaeze Okoru",
    pieces=(
        Piece(
            name="crossing",
            hours=7,
            title="Crossing: twelve minutes between two towns",
            picture="crossing-640x360",
            link="https://www.youtube.com/watch?v=aaaaaaaaaaa",
            topic="Film",
            html="<p>The whole crossing in one take, with the sound of the engine.</p>",
        ),
        Piece(
            name="ropes",
            hours=31,
            title="How a rope is spliced, slowly",
            picture="ropes-640x360",
            topic="Film",
            html=(
                '<p>A film for one hand.</p><iframe src="https://player.vimeo.com/video/1234567">'
                "</iframe><p>The rope held.</p>"
            ),
        ),
    ),
)

NOTES = Weekly(
    title="Ilse’s notes",
    subtitle="Short posts without titles",
    author="Ilse Maran",
    pieces=tuple(
        Piece(name=f"note-{number}", hours=hours, title="", html=f"<p>{text}</p>")
        for number, (hours, text) in enumerate(
            (
                (
                    1,
                    "The tram was late by exactly one heron, which stood on the rails near the"
                    " bakery and would not be hurried by anything we said to it.",
                ),
                (9, "Bread."),
                (
                    26,
                    "Reading an old atlas of the Aruna. Every map of it disagrees with the next"
                    " one, and the river with all of them; I have seldom been so happy.",
                ),
            )
        )
    ),
)

ARABIC = Weekly(
    title="جريدة النهر",
    subtitle="أخبار متخيلة من ضفاف النهر",
    author="ليلى بن مار",
    language="ar",
    pieces=(
        Piece(
            name="bridge",
            hours=3,
            title="افتتاح الجسر الجديد فوق النهر بعد ثلاث سنوات من العمل",
            picture="bridge-960x540",
            caption="الجسر الجديد عند الفجر",
            credit="ليلى بن مار",
            topic="مدن",
            html=(
                "<p>افتتح سكان المدينة صباح اليوم الجسر الجديد الذي يربط بين ضفتي النهر، وسار"
                " المئات عليه مشيا قبل مرور أول حافلة.</p>"
                "<p>وقال المهندس Pavel Rusk إن العمل استغرق 36 شهرا، وإن تكلفته كانت أقل من"
                " المتوقع.</p><ul><li>طول الجسر: 420 مترا</li><li>عرضه: 18 مترا</li></ul>"
                "<blockquote><p>الجسر أقصر طريق بين جارين.</p></blockquote>"
            ),
        ),
        Piece(
            name="market",
            hours=28,
            title="سوق الكتب يعود إلى الساحة القديمة",
            topic="ثقافة",
            html="<p>عاد باعة الكتب المستعملة إلى الساحة القديمة بعد غياب طويل.</p>",
        ),
    ),
)

HEBREW = Weekly(
    title="עיתון הנמל",
    subtitle="חדשות מומצאות מן הנמל",
    author="נועה ים",
    language="he",
    pieces=(
        Piece(
            name="lighthouse",
            hours=6,
            title="המגדלור הישן חוזר להאיר את הנמל",
            picture="lighthouse-640x360",
            topic="ערים",
            html=(
                "<p>לאחר שנתיים של שיפוצים הודלק אמש המגדלור הישן. מאות תושבים באו לראות את האור"
                " הראשון.</p>"
            ),
        ),
    ),
)

CHINESE = Weekly(
    title="河畔日报",
    subtitle="虚构的河畔新闻",
    author="林小河",
    language="zh-Hans",
    pieces=(
        Piece(
            name="snow",
            hours=4,
            title="山谷迎来今年第一场雪，电车停运半日",
            picture="snow-640x360",
            topic="天气",
            html=(
                "<p>今天清晨，山谷迎来今年的第一场雪。电车停运半日，学生步行上学，"
                "面包店提前一小时开门。</p><p>气象台说，明天放晴。</p>"
            ),
        ),
        Piece(
            name="library",
            hours=33,
            title="图书馆免除所有逾期罚款",
            topic="城市",
            html="<p>图书馆宣布免除所有逾期罚款，三天之内收回了两百多本书。</p>",
        ),
    ),
)

WEEKLIES = {
    "/lens.rss": LENS,
    "/strip.rss": STRIP,
    "/code.rss": CODE,
    "/films.rss": FILMS,
    "/notes.rss": NOTES,
    "/arabic.rss": ARABIC,
    "/hebrew.rss": HEBREW,
    "/chinese.rss": CHINESE,
}
