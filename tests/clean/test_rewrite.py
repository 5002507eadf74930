"""How each kind of publishers' markup is rewritten; cleaning a result again changes nothing."""

import pytest

from aggregator.clean.html import bounds, pictures, players
from aggregator.clean.html.sanitise import sanitise

PAGE = "https://a.example/posts/one"
REL = ' rel="noopener noreferrer nofollow"'
PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
YOUTUBE = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
THUMBNAIL = "https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg"


def cleaned(markup: str) -> str:
    """Return sanitised HTML without the `rel` that every link has."""
    made = sanitise(markup, base=PAGE)
    assert sanitise(made, base=PAGE) == made
    return made.replace(REL, "")


LAZY = {
    "beside a data: picture": f'<img src="{PLACEHOLDER}" data-src="/pier.jpg">',
    "beside a placeholder file": '<img src="/img/lazy-load.gif#x" data-lazy-src="/pier.jpg">',
    "beside a preview": '<img src="/tiny/blur.jpg" data-src="/pier.jpg">',
    "of another loader": '<img src="/theme/grey.gif" data-original="/pier.jpg">',
    "in a lazy set": f'<img src="{PLACEHOLDER}" data-srcset="/s.jpg 300w, /pier.jpg 900w">',
    "in a set beside a placeholder": '<img src="/blank.png" srcset="/s.jpg 1x, /pier.jpg 2x">',
    "in noscript": f'<img src="{PLACEHOLDER}"><noscript><img src="/pier.jpg"></noscript>',
    "in noscript beside a placeholder file": '<img src="/i/spacer.gif"><NOSCRIPT>'
    '<img src="/pier.jpg"></NOSCRIPT>',
    "in noscript and in an attribute": f'<img src="{PLACEHOLDER}" data-src="/pier.jpg">'
    '<noscript><img src="/pier.jpg"></noscript>',
    "after its noscript": '<noscript><img src="/pier.jpg"></noscript>'
    f'<img src="{PLACEHOLDER}" data-src="/pier.jpg">',
    "in a picture's sources": '<picture><source data-srcset="/p.webp" type="image/webp">'
    f'<source srcset="/s.jpg 300w, /pier.jpg 900w"><img src="{PLACEHOLDER}"></picture>',
    "in a picture without img": '<picture><source srcset="/pier.jpg 2x"></picture>',
    "in AMP": '<amp-img src="/pier.jpg"><noscript><img src="/pier.jpg"></noscript></amp-img>',
    "beside a picture with a switch": '<img src="/pier.jpg" data-lazy="true" data-original="1">',
    "beside the address of a page": '<img src="/pier.jpg" data-url="/page.html">',
    "in an attribute of many uses": '<img src="/blank.gif" data-url="/pier.jpg">',
    "a picture's own file": '<picture><source srcset="/p.webp"><img src="/pier.jpg"></picture>',
    "with attributes of a gallery": '<img data-orig-file="/o.jpg" src="/pier.jpg" srcset="/l.jpg'
    ' 2x" data-image-meta="{&quot;a&quot;:1}">',
}


@pytest.mark.parametrize("markup", LAZY.values(), ids=LAZY.keys())
def test_a_lazy_picture_is_shown_once(markup: str) -> None:
    assert cleaned(markup) == '<img src="https://a.example/pier.jpg">'


@pytest.mark.parametrize(
    ("srcset", "largest"),
    [
        ("s.jpg 400w, l.jpg 1600w", "l.jpg"),
        ("l.jpg 2000w, xl.jpg 2001w", "l.jpg"),
        ("xl.jpg 3000w, xxl.jpg 4000w", "xl.jpg"),
        ("s.jpg, l.jpg 3x, xl.jpg 3.5x", "l.jpg"),
        ("c/w_400,h_3/s.jpg 400w, c/w_800,h_3/l.jpg 800w", "c/w_800,h_3/l.jpg"),
        ("s.jpg 1x,l.jpg 2x", "l.jpg"),
        ("one.jpg", "one.jpg"),
        ("data:image/gif;base64,AA 1x, l.jpg 2x", "l.jpg"),
        ("  , ", ""),
        ("javascript:x 2x", ""),
    ],
)
def test_the_largest_sensible_candidate_is_taken(srcset: str, largest: str) -> None:
    expected = f"https://a.example/posts/{largest}" if largest else ""
    assert pictures.largest(srcset, PAGE) == expected


@pytest.mark.parametrize(
    ("attributes", "stays"),
    [
        ('style="border-width: 1px" width="640"', True),
        ('style="border-top-width:0;max-width:1px"', True),
        ('style="line-height:0;width:100%"', True),
        ('style="width:1px"', False),
        ('style="color:red; height : 0 !important"', False),
        ('width="1" height="1"', False),
        ('width="2" height="2"', True),
    ],
)
def test_what_is_a_counting_pixel(attributes: str, stays: bool) -> None:
    assert ("pier.jpg" in cleaned(f'<img src="/pier.jpg" {attributes}>')) is stays


def test_a_picture_in_a_data_url_is_replaced_by_a_note() -> None:
    picture = f"data:image/png;base64,{'A' * pictures.MIN_DATA_LENGTH}"
    assert cleaned(f'<img src="{picture}" alt="Map">') == "[Picture: Map]"
    assert cleaned(f'<img src="{picture}">') == "[Picture]"
    assert cleaned(f'<img src="{PLACEHOLDER}" alt="Map">') == ""


@pytest.mark.parametrize(
    ("frame", "page", "picture"),
    [
        ("https://www.youtube.com/embed/dQw4w9WgXcQ?start=3", YOUTUBE, THUMBNAIL),
        ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", YOUTUBE, THUMBNAIL),
        ("http://youtube.com/v/dQw4w9WgXcQ&hl=en", YOUTUBE, THUMBNAIL),
        ("https://www.youtube.com/embed/videoseries?list=PL1",
         "https://www.youtube.com/playlist?list=PL1", ""),
        ("https://player.vimeo.com/video/12?h=3", "https://vimeo.com/12", ""),
        ("https://www.dailymotion.com/embed/video/x1", "https://www.dailymotion.com/video/x1",
         "https://www.dailymotion.com/thumbnail/video/x1"),
        ("https://open.spotify.com/embed/episode/1a?x=1",
         "https://open.spotify.com/episode/1a", ""),
        ("https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/1&auto=1",
         "https://api.soundcloud.com/tracks/1", ""),
        ("https://player.twitch.tv/?video=v12&parent=a", "https://www.twitch.tv/videos/12", ""),
        ("https://tube.example/videos/embed/ab-12", "https://tube.example/w/ab-12", ""),
        ("https://www.facebook.com/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fv%2F1",
         "https://www.facebook.com/v/1", ""),
        ("https://www.facebook.com/plugins/video.php?href=javascript:x",
         "https://www.facebook.com/plugins/video.php?href=javascript:x", ""),
        ("https://example.org/any?x=1", "https://example.org/any?x=1", ""),
        ("https://www.youtube.com/embed/short", "https://www.youtube.com/embed/short", ""),
    ],
)  # fmt: skip
def test_a_frame_becomes_a_link_to_its_page(frame: str, page: str, picture: str) -> None:
    assert players.page(frame) == players.Page(page, picture)


PLAYER = f'<p><a href="{YOUTUBE}"><img src="{THUMBNAIL}" alt="Tour"><br>▶ Tour</a></p>'
UNTITLED = f'<p><a href="{YOUTUBE}"><img src="{THUMBNAIL}" alt=""><br>▶ youtube.com</a></p>'
EMBEDDED = {
    "a frame": (
        '<iframe src="https://www.youtube.com/embed/dQw4w9WgXcQ" title="Tour"></iframe>',
        PLAYER,
    ),
    "a lazy frame": (
        '<iframe src="about:blank" data-src="//www.youtube.com/embed/dQw4w9WgXcQ"></iframe>',
        UNTITLED,
    ),
    "a frame of AMP": ('<amp-youtube data-videoid="dQw4w9WgXcQ"></amp-youtube>', UNTITLED),
    "a light frame": ('<lite-youtube videoid="dQw4w9WgXcQ"></lite-youtube>', UNTITLED),
    "a Flash film": (
        '<object><param name="movie" value="http://www.youtube.com/v/dQw4w9WgXcQ"><embed'
        ' src="http://www.youtube.com/v/dQw4w9WgXcQ"></object>',
        UNTITLED,
    ),
    "an embed": (
        '<embed src="/film.swf">',
        '<p><a href="https://a.example/film.swf">a.example</a></p>',
    ),
    "an object with other content": (
        '<object data="/map.svg"><img src="/map.png"></object>',
        '<img src="https://a.example/map.png">',
    ),
    "an object of a picture": (
        '<object data="/map.svg" type="image/svg+xml">Map</object>',
        '<img src="https://a.example/map.svg" alt="Map">',
    ),
    "a frame in a paragraph": (
        '<p>a <iframe src="https://b.example/x"></iframe> b</p>',
        '<p>a <a href="https://b.example/x">b.example</a> b</p>',
    ),
    "a frame in a link": (
        '<a href="/q"><iframe src="https://b.example/x"></iframe></a>',
        '<a href="https://a.example/q">b.example</a>',
    ),
    "markup in a frame": (
        '<iframe src="https://b.example/x"><b title="</b>">x</b></iframe>y',
        '<p><a href="https://b.example/x">b.example</a></p>y',
    ),
    "a frame in a frame is text": (
        '<p><iframe src="https://b.example/x"><iframe src="y"></iframe>a</p><b>c</b>',
        '<p><a href="https://b.example/x">b.example</a>a</p><b>c</b>',
    ),
    "a counting frame in noscript": (
        '<noscript><iframe src="https://b.example/t" width="0" height="0"></iframe></noscript>a',
        "a",
    ),
    "a gist": (
        '<script src="https://gist.github.com/ann/0a1b2c.js"></script>',
        '<p><a href="https://gist.github.com/ann/0a1b2c">gist.github.com</a></p>',
    ),
    "another script": ('<script async src="https://b.example/widget.js"></script>a', "a"),
    "a post that a script would show": (
        '<blockquote class="instagram-media" data-instgrm-permalink="https://www.instagram.com/p/Ab/'
        '?utm_source=x"></blockquote>',
        '<blockquote><p><a href="https://www.instagram.com/p/Ab/">www.instagram.com</a></p>'
        "</blockquote>",
    ),
    "a post with its link": (
        '<blockquote class="x-media" cite="https://b.example/1"><a href="https://b.example/1">c</a>'
        "</blockquote>",
        '<blockquote><a href="https://b.example/1">c</a></blockquote>',
    ),
    "a quote with a source": ('<blockquote cite="/q">a</blockquote>', "<blockquote>a</blockquote>"),
    "a post in a box": (
        '<div class="fb-post" data-href="https://b.example/1"></div>',
        '<div><p><a href="https://b.example/1">b.example</a></p></div>',
    ),
    "a lazy film": (
        '<video><source data-src="/v.mp4" type="video/mp4"></video>',
        '<video controls="" preload="none"><source src="https://a.example/v.mp4"'
        ' type="video/mp4"></video>',
    ),
    "words for readers without scripts": ("<noscript>Enable scripts</noscript>a", "a"),
    "a link for readers without scripts": (
        '<noscript><a href="/poll">Poll</a></noscript>',
        '<a href="https://a.example/poll">Poll</a>',
    ),
}


@pytest.mark.parametrize(("markup", "expected"), EMBEDDED.values(), ids=EMBEDDED.keys())
def test_nothing_embedded_is_lost(markup: str, expected: str) -> None:
    assert cleaned(markup) == expected


FORMULA = "<math><msup><mi>e</mi><mn>2</mn></msup></math>"
KEPT = {
    "a formula": (f"a {FORMULA} b", f"a {FORMULA} b"),
    "a formula as a block": (
        '<math display="block" onclick="x()" href="/q"><mfrac><mi>a</mi><mrow></mrow></mfrac>'
        "</math>",
        '<math display="block"><mfrac><mi>a</mi><mrow></mrow></mfrac></math>',
    ),
    "a formula that holds HTML is text": ("<math><mi><b>x</b></mi><mo>+</mo></math>", "x+"),
    "a formula in a formula is text": ("<math><mi><math><mi>x</mi></math></mi></math>", "x"),
    "a formula written twice (KaTeX)": (
        f'<span class="katex"><span>{FORMULA}</span><span class="katex-html" aria-hidden="true">'
        "<span>e2</span></span></span>",
        f"<span><span>{FORMULA}</span></span>",
    ),
    "other hidden spans": ('<span aria-hidden="true">a</span>', "<span>a</span>"),
    "the source of a formula goes": (
        '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">x</annotation>'
        "</semantics></math>",
        "<math><semantics><mi>x</mi></semantics></math>",
    ),
    "the words of a drawing": (
        "<p>Chart: <svg><title>Tides</title><g><text>42 m</text></g><path d='M0'/></svg></p>",
        "<p>Chart:  Tides 42 m </p>",
    ),
    "the label of a drawing": (
        'a<svg aria-label="Tides &amp; x"><path/></svg>b',
        "a Tides &amp; x b",
    ),
    "a large drawing without words": (
        '<svg width="101" height="9"></svg><svg width="100" height="9.5em"></svg>b',
        "[Drawing] b",
    ),
    "a formula in TeX": (
        '<script type="math/tex; mode=display">% <![CDATA[\nx < y^2 & 1 %]]></script>',
        "<code>x &lt; y^2 &amp; 1</code>",
    ),
    "a drawing that decorates": ('a<svg aria-hidden="true"><title>b</title></svg>c', "ac"),
    "a drawing's pictures go": (
        "<svg><foreignObject><img src=/x.jpg>a</foreignObject></svg>b",
        "a b",
    ),
    "tasks": (
        '<ul><li><input type="checkbox" checked disabled>a<li><input type=checkbox>b</ul>',
        '<ul><li><input type="checkbox" disabled="" checked="">a</li>'
        '<li><input type="checkbox" disabled="">b</li></ul>',
    ),
    "no other input": ('<input type="checkbox">a<ul><li><input type="text">b</ul>',
                       "a<ul><li>b</li></ul>"),
    "direction and language in any case": (
        '<p DIR="RTL" lang="en_US">a</p><bdo dir=" LTR ">b</bdo><p lang="no tag!">c</p>',
        '<p dir="rtl" lang="en-US">a</p><bdo dir="ltr">b</bdo><p>c</p>',
    ),
    "the language of XML": ('<p xml:lang="fr">a</p>', '<p lang="fr">a</p>'),
    "a footnote and the way back": (
        '<a id="r:1" href="#n%3A1">1</a><p id="n:1">a <a href="#r:1">b</a></p>',
        '<a href="#user-content-n:1" id="user-content-r:1">1</a><p id="user-content-n:1">a'
        ' <a href="#user-content-r:1">b</a></p>',
    ),
    "a footnote by the page's whole URL": (
        f'<a href="{PAGE}#n1">1</a><a name="n1"></a>a',
        '<a href="#user-content-n1">1</a><a id="user-content-n1"></a>a',
    ),
    "the first of equal ids": (
        '<a href="#x">a</a><b id="x">b</b><b id="x">c</b>',
        '<a href="#user-content-x">a</a><b id="user-content-x">b</b><b>c</b>',
    ),
    "no id whose only link shows nothing": ('<h2 id="x">a<a href="#x"></a></h2>', "<h2>a</h2>"),
    "no link to what is hidden": ('<a href="#x">a</a><p hidden id="x">b</p>', "<a>a</a>"),
    "no id without a link to it": ('<h2 id="x">a</h2><a href="#y">b</a>', "<h2>a</h2><a>b</a>"),
    "the language of code": (
        '<pre class="brush: php"><code class="hljs language-c++ x">a</code></pre>'
        '<code class="nolang-x">b</code>',
        '<pre class="language-php"><code class="language-c++">a</code></pre><code>b</code>',
    ),
    "the language of a box of code": (
        '<div class="highlight highlight-source-shell"><pre>a</pre></div><div class="x">b</div>',
        '<div class="language-shell"><pre>a</pre></div><div>b</div>',
    ),
    "the language in capitals": (
        '<div CLASS="lang-c"><pre>a</pre></div>',
        '<div class="language-c"><pre>a</pre></div>',
    ),
    "the alignment of cells": (
        '<table><tr><td align="RIGHT">a</td><td style="text-align:center">b</td>'
        '<th align="x" colspan="2">c</th></tr></table>',
        '<table><tbody><tr><td align="right">a</td><td align="center">b</td>'
        '<th colspan="2">c</th></tr></tbody></table>',
    ),
    "indentation": (
        '<pre><span class="w">    </span>a\n<span></span>\tb</pre>',
        "<pre>    a\n\tb</pre>",
    ),
    "no hidden text": (
        '<p hidden>a</p><div style="Display : NONE"><p>b</p><p>c</p></div>'
        "<b hidden=until-found>d</b>",
        "<b>d</b>",
    ),
    "parameters named like characters": (
        '<a href="/s?a=1&lang=en&copy=2&para=3">a</a>',
        '<a href="https://a.example/s?a=1&amp;lang=en&amp;copy=2&amp;para=3">a</a>',
    ),
    "no words of a head": ("<title>a</title><desc>b</desc>d", "d"),
}  # fmt: skip


@pytest.mark.parametrize(("markup", "expected"), KEPT.values(), ids=KEPT.keys())
def test_useful_markup_stays(markup: str, expected: str) -> None:
    assert cleaned(markup) == expected


def reopening(formats: int, paragraphs: int) -> str:
    """Return paragraphs in which a reader of HTML opens unclosed formatting again each time."""
    opened = "".join(f'<font size="{n}">' for n in range(formats))
    return f"<p>{opened}</p>{'<p>a' * paragraphs}"


@pytest.mark.parametrize(
    ("formats", "paragraphs", "is_costly"),
    [
        (bounds.FEW, 50_000, False),
        (100, bounds.MAX_REOPENED // 100 - 10, False),
        (100, bounds.MAX_REOPENED // 100 + 10, True),
        (240, 60_000, True),
    ],
)
def test_reopened_formatting_is_bounded(formats: int, paragraphs: int, is_costly: bool) -> None:
    assert bounds.is_costly(reopening(formats, paragraphs)) is is_costly


@pytest.mark.parametrize(
    "hidden",
    ["<!--</font>-->", '<x title="</font>">', "<style></font></style>", '<x \'="</font>">'],
)
def test_end_tags_in_hidden_elements_close_nothing(hidden: str) -> None:
    opened = "".join(f'<font size="{n}">{hidden}' for n in range(200))
    assert bounds.is_costly(f"<p>{opened}</p>{'<p>a' * 1_000}")
