import pytest

from aggregator.clean import lead_picture
from aggregator.models.entry import Enclosure, Image

BASE = "https://a.example/posts/1/"
PICTURE = "https://a.example/p.jpg"


def find(*images: Image, content: str = "", enclosures: tuple[Enclosure, ...] = ()) -> str:
    """Return the URL of the lead picture, "" when there is none."""
    found = lead_picture.find(images, enclosures, content, base=BASE)
    return found.url if found else ""


def shown(url: str = PICTURE, width: int = 0) -> str:
    return f'<p><img src="{url}" width="{width}"></p>'


def test_the_narrowest_picture_that_is_wide_enough_is_taken() -> None:
    sizes = [599, 600, 1200]
    images = [Image(url=f"https://a.example/{size}.jpg", width=size) for size in sizes]
    assert find(*images) == "https://a.example/600.jpg"


def test_a_picture_of_unknown_size_is_preferred_to_a_thumbnail() -> None:
    small = Image(url="https://a.example/t.jpg", width=150, height=100)
    assert find(small, Image(url=PICTURE)) == PICTURE
    assert find(small, content=shown()) == PICTURE
    enclosed = Enclosure(url=PICTURE, type="image/jpeg")
    assert find(small, enclosures=(enclosed,)) == PICTURE


@pytest.mark.parametrize(("width", "url"), [(299, PICTURE), (300, "https://a.example/t.jpg")])
def test_what_is_a_thumbnail(width: int, url: str) -> None:
    assert find(Image(url="https://a.example/t.jpg", width=width), content=shown()) == url


def test_the_largest_thumbnail_is_taken_without_a_larger_picture() -> None:
    small = Image(url="https://a.example/t.jpg", width=150)
    assert find(small, content=shown(width=200)) == PICTURE
    assert find(small, content=shown(width=100)) == small.url


@pytest.mark.parametrize(
    "url",
    [
        "https://bp.example/x/s72-c/p.jpg",
        "https://lh3.example/abc=s72-c",
        "https://a.example/p-150x150.jpg",
        "https://a.example/p.jpg?w=150",
    ],
)
def test_a_width_in_the_url_counts(url: str) -> None:
    assert find(Image(url=url), content=shown()) == PICTURE
    assert find(Image(url=url)) == url


@pytest.mark.parametrize(
    ("width", "height", "is_taken"),
    [(63, 0, False), (64, 0, True), (0, 47, False), (0, 48, True), (500, 100, False),
     (499, 100, True)],
)  # fmt: skip
def test_icons_and_banners_are_ignored(width: int, height: int, is_taken: bool) -> None:
    content = f'<p><img src="{PICTURE}" width="{width}" height="{height}"></p>'
    assert (find(content=content) == PICTURE) is is_taken
    assert (find(Image(url=PICTURE, width=width, height=height)) == PICTURE) is is_taken


@pytest.mark.parametrize(
    "url",
    [
        "https://pixel.wp.com/b.gif?x=1",
        "https://secure.gravatar.com/avatar/1",
        "https://a.example/images/spacer.gif",
        "https://ad.doubleclick.net/x.jpg",
        "https://a.example/smilies/icon.gif",
    ],
)
def test_counters_and_adverts_are_ignored(url: str) -> None:
    assert find(Image(url=url), content=shown(url)) == ""
    assert find(Image(url=url), content=shown(url) + shown()) == PICTURE


def test_a_relative_picture_is_resolved() -> None:
    assert find(Image(url="../p.jpg")) == "https://a.example/posts/p.jpg"


def test_artwork_stays_artwork() -> None:
    found = lead_picture.find([Image(url=PICTURE, is_artwork=True)], (), "", base=BASE)
    assert found == Image(url=PICTURE, is_artwork=True)
