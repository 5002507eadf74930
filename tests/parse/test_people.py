"""Names and addresses of authors, in every form of RSS and Atom."""

import pytest

from aggregator.models.entry import Author
from aggregator.parse.people import person, persons
from tests.parse import atom, atom_entry, parse, rss, rss_item


@pytest.mark.parametrize(
    ("sent", "name", "email"),
    [
        ("ida@boats.example (Ida Rask)", "Ida Rask", "ida@boats.example"),
        ("ida@boats.photography (Ida Rask)", "Ida Rask", "ida@boats.photography"),
        ("Ida Rask <ida@boats.example>", "Ida Rask", "ida@boats.example"),
        ("Ida Rask &lt;ida@boats.example&gt;", "Ida Rask", "ida@boats.example"),
        ('"Rask, Ida" <ida@boats.example>', "Rask, Ida", "ida@boats.example"),
        ("Ida Rask (ida@boats.example)", "Ida Rask", "ida@boats.example"),
        ("Ida Rask (mailto:ida@boats.example)", "Ida Rask", "ida@boats.example"),
        ("Ida Rask, ida@boats.example", "Ida Rask", "ida@boats.example"),
        ("ida@boats.example Ida Rask", "Ida Rask", "ida@boats.example"),
        ("ida+news@boats.co.uk(Ida)", "Ida", "ida+news@boats.co.uk"),
        ("o'hara@boats.example (Una O'Hara)", "Una O'Hara", "o'hara@boats.example"),
        ("ida@bådene.example (Ida)", "Ida", "ida@bådene.example"),
        ("ida@boats (Ida)", "Ida", "ida@boats"),
        ("ida@boats.example (Ida (editor))", "Ida (editor)", "ida@boats.example"),
        ("ida@boats.example", "", "ida@boats.example"),
        ("ida@boats.example (ida@boats.example)", "", "ida@boats.example"),
        ("ida@boats.example ()", "", "ida@boats.example"),
        ("Ida Rask (Boats Weekly)", "Ida Rask (Boats Weekly)", ""),
        ("(Ida)", "Ida", ""),
        ("@ida", "@ida", ""),
        ("@ida@boats.example", "@ida@boats.example", ""),
        ("Ida (@ida@boats.example)", "Ida (@ida@boats.example)", ""),
        ("Salt &amp; Tar", "Salt & Tar", ""),
        ("ida at boats dot example", "ida at boats dot example", ""),
        ("  \n ", "", ""),
    ],
)
def test_a_person_in_one_string(sent: str, name: str, email: str) -> None:
    assert person(sent) == Author(name=name, email=email)


def test_a_site_beside_a_name_or_alone() -> None:
    site = "https://ida.example/"
    assert person(f"Ida <{site}>") == Author(name="Ida", uri=site)
    assert person(site) == Author(name=site, uri=site)


def test_several_persons_in_one_string_keep_their_own_addresses() -> None:
    two = [Author(name="Ida", email="i@b.example"), Author(name="Bo", email="b@b.example")]
    assert persons("i@b.example (Ida), b@b.example (Bo)") == two
    assert persons("Ida <i@b.example>; Bo <b@b.example>") == two
    assert persons("Rask, Ida <i@b.example>") == [Author(name="Rask, Ida", email="i@b.example")]


def test_each_author_has_the_address_of_their_own_element() -> None:
    entry = atom_entry(
        "<author><name>Ida</name><email>i@b.example</email></author>"
        "<author><name>Bo</name><uri>http://bo.example/</uri></author>"
    )
    assert entry.authors == (
        Author(name="Ida", email="i@b.example"),
        Author(name="Bo", uri="http://bo.example/"),
    )


@pytest.mark.parametrize(
    ("inside", "author"),
    [
        ("<name>Ida (i@b.example)</name>", Author(name="Ida", email="i@b.example")),
        (
            "<name>Ida</name><email>mailto:i@b.example</email>",
            Author(name="Ida", email="i@b.example"),
        ),
        ("<name>Ida</name><email>hidden</email>", Author(name="Ida")),
        ("<email>i@b.example</email>", Author(email="i@b.example")),
        ("Ida", Author(name="Ida")),
    ],
)
def test_an_atom_person(inside: str, author: Author) -> None:
    assert atom_entry(f"<author>{inside}</author>").authors == (author,)


def test_a_creator_with_a_name_counts_before_a_mere_address() -> None:
    entry = rss_item("<author>news@b.example</author><dc:creator>Ida</dc:creator>")
    assert entry.authors == (Author(name="Ida"),)


@pytest.mark.parametrize(
    ("channel", "author"),
    [
        (
            "<managingEditor>i@b.example (Ida)</managingEditor>",
            Author(name="Ida", email="i@b.example"),
        ),
        ("<itunes:author>Ida</itunes:author>", Author(name="Ida")),
        (
            "<itunes:owner><itunes:name>Ida</itunes:name>"
            "<itunes:email>i@b.example</itunes:email></itunes:owner>",
            Author(name="Ida", email="i@b.example"),
        ),
        (
            "<managingEditor>i@b.example</managingEditor><itunes:author>Ida</itunes:author>",
            Author(name="Ida"),
        ),
    ],
)
def test_an_item_without_an_author_has_the_feeds(channel: str, author: Author) -> None:
    own = "<item><dc:creator>Bo</dc:creator></item>"
    feed = parse(rss(f"{channel}<item/>{own}"))
    assert [entry.authors for entry in feed.entries] == [(author,), (Author(name="Bo"),)]


def test_an_atom_entry_has_the_authors_of_its_source_before_the_feeds() -> None:
    ida, bo = ("<author><name>Ida</name></author>", "<author><name>Bo</name></author>")
    feed = parse(atom(f"{ida}<entry/><entry><source>{bo}</source></entry>"))
    assert [entry.authors for entry in feed.entries] == [
        (Author(name="Ida"),),
        (Author(name="Bo"),),
    ]


def test_an_item_copied_from_another_feed_has_not_this_feeds_editor() -> None:
    editor = "<managingEditor>i@b.example (Ida)</managingEditor>"
    feed = parse(rss(f'{editor}<item><source url="http://o.example/">O</source></item>'))
    assert feed.entries[0].authors == ()
