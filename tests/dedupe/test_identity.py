"""Which entries are the same, in sequences of documents of one feed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aggregator.dedupe import identity
from aggregator.dedupe.identity import Decision
from aggregator.models.entry import Entry, KnownEntry, SafeHtml

NOW = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
LONG = "A text that is long enough to be told from any other by itself. " * 5


def entry(guid: str = "", page: str = "", title: str = "", text: str = "", day: int = 0) -> Entry:
    """Return a cleaned entry; `day` is its date in June 2009, 0 for none."""
    return Entry(
        guid=guid,
        link=page,
        canonical_url=page,
        title=title,
        summary="",
        content=SafeHtml(""),
        text=text,
        published=datetime(2009, 6, day, tzinfo=UTC) if day else None,
        updated=None,
        fingerprint=f"{title}|{text}".encode(),
        item_hash=repr((guid, page, title, text, day)).encode(),
    )


class Feed:
    """The stored entries of a source, updated poll by poll."""

    def __init__(self) -> None:
        self.known: dict[int, KnownEntry] = {}
        self.aliases: dict[bytes, int] = {}
        self.texts: dict[int, str] = {}
        self.document: dict[bytes, int] = {}
        self.polls = 0
        self.last_id = 0

    def poll(self, *document: Entry) -> Decision:
        """Decide on a document as `ingest` does, and store the decision."""
        standing = {
            e.item_hash: self.document[e.item_hash]
            for e in document
            if e.item_hash in self.document
        }
        incoming = [e for e in document if e.item_hash not in standing]
        keys = [identity.keys("feed", e) for e in incoming]
        decision = identity.decide(
            incoming,
            keys,
            aliases=self.aliases,
            known=self.known,
            unchanged_items=frozenset(standing.values()) - {0},
            texts=self.texts,
            last_poll=NOW if self.polls else None,
        )
        self.polls += 1
        self.document = dict(standing)
        for position in set(decision.dropped) - set(decision.repeated):
            self.document.setdefault(incoming[position].item_hash, 0)
        for same in decision.same:
            self._keep(same.id, incoming[same.position], same.aliases)
        for new in decision.new:
            self.last_id += 1
            self._keep(self.last_id, incoming[new.position], new.aliases)
        self.aliases |= dict.fromkeys(decision.void, identity.VOID)
        return decision

    def expire(self) -> None:
        """Forget the entries, as retention does, and keep their aliases."""
        self.known.clear()
        self.document.clear()

    def _keep(self, entry_id: int, one: Entry, aliases: Sequence[bytes]) -> None:
        before = self.known.get(entry_id)
        self.known[entry_id] = KnownEntry(
            id=entry_id,
            guid=before.guid if before else one.guid,
            canonical_url=one.canonical_url,
            title=one.title,
            fingerprint=one.fingerprint,
            published=one.published or (before.published if before else None),
        )
        self.document[one.item_hash] = entry_id
        self.texts[entry_id] = one.text
        for key in aliases:
            self.aliases.setdefault(key, entry_id)


A = entry("a", "https://x/a", "Title A", "text a", 20)
B = entry("b", "https://x/b", "Title B", "text b", 21)


@pytest.mark.parametrize(
    ("first", "second", "stored"),
    [
        pytest.param([A], [A], 1, id="the same document again adds nothing"),
        pytest.param([A, B], [B, A], 2, id="another order adds nothing"),
        pytest.param(
            [A], [replace(A, title="New", item_hash=b"2")], 1, id="a guid holds over an edit"
        ),
        pytest.param(
            [A],
            [replace(A, canonical_url="https://y/a", item_hash=b"2")],
            1,
            id="a guid holds over a new page",
        ),
        pytest.param(
            [A],
            [replace(A, guid="a2", item_hash=b"2")],
            1,
            id="a new guid on the same page with the same title is the same entry",
        ),
        pytest.param(
            [entry("https://x/a#0", "https://x/a", "Old", day=20)],
            [entry("https://x/a#1", "https://x/a", "New", day=21)],
            1,
            id="a guid that counts revisions is the same entry",
        ),
        pytest.param(
            [entry("live-1", "https://x/live", "Monday", day=20)],
            [entry("live-2", "https://x/live", "Tuesday", day=21)],
            2,
            id="a live page with another title and text is another entry",
        ),
        pytest.param(
            [entry("", "https://x/a", "Old")],
            [entry("", "https://x/a", "New")],
            1,
            id="without a guid the page decides",
        ),
        pytest.param(
            [entry(title="Only a title"), entry(text="Only text")],
            [entry(title="Only a title"), entry(text="Only text")],
            2,
            id="without guid and page the text decides",
        ),
        pytest.param(
            [entry("same", title="A"), entry("same", title="B")],
            [entry("same", title="A"), entry("same", title="B")],
            1,
            id="a guid for two items without pages is the first's",
        ),
        pytest.param(
            [entry("same", "https://x/1", "A"), entry("same", "https://x/2", "B")],
            [entry("same", "https://x/3", "C"), entry("same", "https://x/1", "A")],
            3,
            id="a guid for items on different pages is void",
        ),
        pytest.param(
            [entry("1", "https://x/", "A"), entry("2", "https://x/", "B")],
            [entry("3", "https://x/", "C"), entry("1", "https://x/", "A")],
            3,
            id="a page that all items share is void",
        ),
        pytest.param(
            [entry("old", "https://x/old", "T", LONG)],
            [entry("new", "https://y/new", "T", LONG)],
            1,
            id="a long text under a new guid and page is the same entry",
        ),
        pytest.param(
            [entry("1", "https://x/1", "Weekly update", "short")],
            [entry("2", "https://x/2", "Weekly update", "short")],
            2,
            id="a short text says nothing",
        ),
        pytest.param([A, B], [B], 2, id="an item that leaves stays stored"),
    ],
)
def test_second_document(first: list[Entry], second: list[Entry], stored: int) -> None:
    feed = Feed()
    feed.poll(*first)
    feed.poll(*second)
    assert len(feed.known) == stored


def test_item_that_returns_is_not_new() -> None:
    feed = Feed()
    feed.poll(A, B)
    feed.poll(B)
    assert feed.poll(A, B).new == ()


def test_edit_is_a_change_and_a_repetition_is_none() -> None:
    feed = Feed()
    feed.poll(A)
    [edited] = feed.poll(replace(A, title="New", fingerprint=b"new", item_hash=b"2")).same
    assert edited.changed
    [dated] = feed.poll(
        replace(A, title="New", fingerprint=b"new", published=NOW, item_hash=b"3")
    ).same
    assert not dated.changed


def test_feed_that_gives_all_items_new_guids_and_pages_is_recognised() -> None:
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}", "short", 20) for n in range(20)))
    decision = feed.poll(
        *(entry(f"b{n}", f"https://y/{n}", f"T{n}", "short", 27) for n in range(20))
    )
    assert decision.new == ()
    assert len(decision.same) == 20


def test_mass_of_old_items_is_held_back() -> None:
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}", day=20) for n in range(20)))
    decision = feed.poll(*(entry(f"b{n}", f"https://y/{n}", f"U{n}", day=19) for n in range(20)))
    assert "held back" in decision.quarantine
    assert all(new.quarantine for new in decision.new)


def test_busy_feed_is_not_held_back() -> None:
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}", day=20) for n in range(20)))
    decision = feed.poll(*(entry(f"b{n}", f"https://y/{n}", f"U{n}", day=27) for n in range(20)))
    assert decision.quarantine == ""
    assert len(decision.new) == 20


def test_first_document_is_never_held_back() -> None:
    decision = Feed().poll(*(entry(f"a{n}", day=1) for n in range(50)))
    assert decision.quarantine == ""


def test_expired_entry_does_not_come_back() -> None:
    feed = Feed()
    feed.poll(A)
    feed.expire()
    assert feed.poll(A) == Decision(dropped=(0,))


def test_old_item_whose_page_has_expired_does_not_come_back_under_a_new_guid() -> None:
    feed = Feed()
    feed.poll(A)
    feed.expire()
    assert feed.poll(replace(A, guid="a2")).new == ()


def test_live_page_whose_last_entry_has_expired_brings_the_next() -> None:
    feed = Feed()
    feed.poll(entry("live-1", "https://x/live", "Monday", day=1))
    feed.expire()
    assert len(feed.poll(entry("live-2", "https://x/live", "Today", day=27)).new) == 1


def test_guid_once_void_stays_void() -> None:
    """Otherwise each new entry would overwrite the last one that has left the document."""
    feed = Feed()
    feed.poll(entry("same", "https://x/1", "A"), entry("same", "https://x/2", "B"))
    for number in (3, 4, 5):
        feed.poll(entry("same", f"https://x/{number}", f"Story {number}"))
    assert len(feed.known) == 5


def test_page_that_entries_without_guid_shared_once_stays_void() -> None:
    feed = Feed()
    feed.poll(entry("", "https://x/", "A"), entry("", "https://x/", "B"))
    for number in (3, 4, 5):
        feed.poll(entry("", "https://x/", f"Story {number}"))
    assert len(feed.known) == 5


def test_page_with_two_revisions_at_once_identifies_the_next() -> None:
    def revision(number: int) -> Entry:
        return entry(f"https://x/a#{number}", "https://x/a", f"Title {number}", day=20)

    feed = Feed()
    feed.poll(revision(0))
    feed.poll(revision(1), revision(0))
    assert feed.poll(revision(2)).new == ()


def test_of_two_items_with_one_guid_and_no_page_the_first_is_kept() -> None:
    decision = Feed().poll(entry("same", title="First"), entry("same", title="Second"))
    assert [new.position for new in decision.new] == [0]
    assert decision.dropped == decision.repeated == (1,)


def test_stored_entry_is_claimed_by_the_item_with_its_guid() -> None:
    """In either order of the two."""
    feed = Feed()
    feed.poll(replace(A, title="Stored"))
    with_guid, without = replace(A, canonical_url="https://x/moved"), replace(A, guid="")
    for number, pair in enumerate([(without, with_guid), (with_guid, without)]):
        document = [replace(one, item_hash=b"%d" % number + one.item_hash) for one in pair]
        [same] = feed.poll(*document).same
        assert document[same.position].guid == "a"


def test_half_of_a_document_that_is_new_is_no_flood() -> None:
    feed = Feed()
    old = [entry(f"a{n}", f"https://x/{n}", f"T{n}", day=20) for n in range(10)]
    feed.poll(*old)
    more = [entry(f"b{n}", f"https://y/{n}", f"U{n}", day=1) for n in range(10)]
    assert feed.poll(*more, *old).quarantine == ""


def test_news_within_a_flood_is_shown() -> None:
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}", day=20) for n in range(20)))
    old = [entry(f"b{n}", f"https://y/{n}", f"U{n}", day=1) for n in range(20)]
    decision = feed.poll(entry("news", "https://y/news", "News", day=27), *old)
    assert [new.position for new in decision.new if not new.quarantine] == [0]


def test_undated_items_are_held_back_only_when_nothing_is_known() -> None:
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}") for n in range(20)))
    undated = [entry(f"b{n}", f"https://y/{n}", f"U{n}") for n in range(20)]
    kept = entry("a0", "https://x/0", "T0")
    assert feed.poll(kept, *undated).quarantine == ""
    others = [entry(f"c{n}", f"https://z/{n}", f"V{n}") for n in range(20)]
    assert "held back" in feed.poll(*others).quarantine


def test_keys_of_two_sources_differ() -> None:
    ours, theirs = identity.keys("ours", A), identity.keys("theirs", A)
    assert not set(ours.present) & set(theirs.present)


documents = st.lists(
    st.builds(
        entry,
        guid=st.sampled_from(["", "a", "b", "c"]),
        page=st.sampled_from(["", "https://x/1", "https://x/2", "https://x/3"]),
        title=st.sampled_from(["", "One", "Two"]),
        text=st.sampled_from(["", "short", LONG]),
        day=st.integers(0, 28),
    ),
    max_size=6,
)


@given(st.lists(documents, max_size=5))
def test_polling_a_document_twice_adds_nothing(
    feeds: list[list[Entry]],
) -> None:
    feed = Feed()
    for document in feeds:
        feed.poll(*document)
        stored = len(feed.known)
        again = feed.poll(*document)
        assert again.new == ()
        assert len(feed.known) == stored


@given(documents)
def test_every_item_is_new_known_or_dropped(document: list[Entry]) -> None:
    keys = [identity.keys("feed", one) for one in document]
    decision = identity.decide(document, keys, aliases={}, known={})
    positions = [n.position for n in decision.new] + list(decision.dropped)
    assert sorted(positions) == list(range(len(document)))


@given(documents)
def test_guid_with_one_page_is_stored_once(document: list[Entry]) -> None:
    feed = Feed()
    feed.poll(*document)
    for guid in {one.guid for one in document} - {""}:
        pages = {one.canonical_url for one in document if one.guid == guid} - {""}
        if len(pages) <= 1:
            assert sum(known.guid == guid for known in feed.known.values()) == 1


@given(st.lists(documents, min_size=1, max_size=3), st.randoms())
def test_order_of_items_does_not_matter(feeds: list[list[Entry]], random: Random) -> None:
    """In any order, the same entries are found and as many are new."""
    *before, document = feeds
    guids = [one.guid for one in document if one.guid]
    assume(len(guids) == len(set(guids)))  # else the first of them is kept
    shuffled = document.copy()
    random.shuffle(shuffled)
    outcomes = []
    for last in (document, shuffled):
        feed = Feed()
        for one in before:
            feed.poll(*one)
        decision = feed.poll(*last)
        outcomes.append((len(decision.new), {same.id for same in decision.same}, decision.void))
    assert outcomes[0] == outcomes[1]


def test_untitled_entries_on_one_page_are_two() -> None:
    feed = Feed()
    feed.poll(entry("1", "https://x/live", text="Monday"))
    assert len(feed.poll(entry("2", "https://x/live", text="Tuesday")).new) == 1


def test_item_listed_twice_without_guid_keeps_its_page() -> None:
    """An edit of it is then an edit, and no new entry."""
    feed = Feed()
    listed = entry("", "https://x/a", "Title")
    feed.poll(listed, replace(listed, item_hash=b"copy"))
    feed.poll(entry("", "https://x/a", "Edited"))
    assert len(feed.known) == 1


def test_guids_of_one_entry_are_two_entries_once_each_has_a_page() -> None:
    feed = Feed()
    feed.poll(entry("a", "https://x/1", "Title"))
    feed.poll(entry("b", "https://x/1", "Title"))
    assert len(feed.known) == 1
    decision = feed.poll(entry("b", "https://x/2", "Other"), entry("a", "https://x/1", "Title"))
    assert [same.position for same in decision.same] == [1]
    assert len(feed.known) == 2


# --- keys ------------------------------------------------------------------------------------


KEYS = [
    "3d35d51c84a21756adfcefb5fcf5a8f7",
    "3d35d51c3e674793260fd288f6c1577f",
    "3d35d51c248d0c96438188f1cc9ab64c",
]


def test_keys_are_stored_so_they_never_change() -> None:
    """Changed keys need a new `VERSION`: otherwise every stored entry would be new."""
    keys = identity.keys("herald", entry("a", "https://x/a", "Title"))
    assert [key.hex() for key in keys.present] == KEYS


def test_guid_with_half_a_character_has_a_key() -> None:
    one, other = (identity.keys("herald", entry(guid)).guid for guid in ("\ud800", "\ud801"))
    assert one != other


def test_names_of_keys() -> None:
    keys = identity.keys("herald", A)
    assert keys.names_in(set(keys.present)) == "guid link text"
    assert keys.names_in({keys.guid, keys.text}) == "guid text"
    assert keys.names_in(set()) == ""


def moved(one: Entry, **changes: object) -> Entry:
    """The same item with another date, so that its hash differs."""
    changed = replace(one, **changes)  # type: ignore[arg-type]  # fields of Entry
    return replace(changed, item_hash=repr(changed).encode())


@pytest.mark.parametrize(
    ("stored", "item", "matched"),
    [
        (A, moved(A, canonical_url="https://x/b", title="Other"), "guid"),
        (A, moved(A, guid=""), "link"),
        (entry(text="Only text"), entry(text="Only text", day=3), "text"),
        (entry("1", "", "T", LONG), entry("2", "", "T", LONG), "text"),
    ],
)
def test_key_that_decided_is_named(stored: Entry, item: Entry, matched: str) -> None:
    feed = Feed()
    feed.poll(stored)
    [same] = feed.poll(item).same
    assert same.matched == matched


# --- void keys -------------------------------------------------------------------------------


def test_item_with_a_void_guid_and_no_page_is_known_by_its_text() -> None:
    feed = Feed()
    feed.poll(entry("same", "https://x/1", "A"), entry("same", "https://x/2", "B"))
    feed.poll(entry("same", "", "Short"))
    [same] = feed.poll(entry("same", "", "Short", day=3)).same
    assert same.matched == "text"


def test_item_without_guid_on_a_void_page_is_known_by_its_text() -> None:
    feed = Feed()
    feed.poll(entry("", "https://x/", "A"), entry("", "https://x/", "B"))
    [same] = feed.poll(entry("", "https://x/", "A", day=3)).same
    assert same.matched == "text"


def test_two_guids_on_one_page_are_two_entries_even_with_one_text() -> None:
    document = entry("1", "https://x/", "T"), entry("2", "https://x/", "T")
    assert len(Feed().poll(*document).new) == 2


def test_page_shared_under_a_void_guid_is_void_too() -> None:
    feed = Feed()
    one, other = entry("same", "https://x/1", "A"), entry("same", "https://x/1", "B")
    assert len(feed.poll(one, other, entry("same", "https://x/2", "C")).new) == 3
    later = entry("same", "https://x/3", "D"), entry("same", "https://x/3", "E")
    assert len(feed.poll(*later).new) == 2


def test_page_of_an_unchanged_item_identifies_no_other_item() -> None:
    """So the other is known by its text, which repeats the unchanged item's."""
    feed = Feed()
    stored = entry("1", "https://x/a", "T")
    feed.poll(stored)
    assert feed.poll(stored, entry("", "https://x/a", "T", day=3)).new == ()


def test_page_of_two_items_is_void_for_good_when_one_of_them_is_unchanged() -> None:
    feed = Feed()
    stored = entry("", "https://x/", "A")
    feed.poll(stored)
    decision = feed.poll(stored, entry("", "https://x/", "B"))
    assert decision.void == (identity.keys("feed", stored).link,)


def test_page_of_an_item_listed_twice_is_not_void_when_one_of_them_is_unchanged() -> None:
    feed = Feed()
    stored = entry("", "https://x/a", "A", day=1)
    feed.poll(stored)
    assert feed.poll(stored, entry("", "https://x/a", "A", day=2)).void == ()


def test_page_of_an_unchanged_item_with_guid_is_not_void_for_good() -> None:
    feed = Feed()
    stored = entry("1", "https://x/a", "A")
    feed.poll(stored)
    assert feed.poll(stored, entry("", "https://x/a", "B")).void == ()


def test_edits_of_an_item_without_guid_do_not_make_its_page_void() -> None:
    feed = Feed()
    for title in "ABC":
        assert feed.poll(entry("", "https://x/a", title)).void == ()
    assert len(feed.known) == 1


def test_page_of_two_new_revisions_is_not_void_for_good() -> None:
    def revision(number: int) -> Entry:
        return entry(f"https://x/a#{number}", "https://x/a", f"Title {number}", day=20)

    feed = Feed()
    feed.poll(revision(0))
    assert feed.poll(revision(1), revision(2)).void == ()
    assert feed.poll(revision(3)).new == ()


def test_second_guid_of_an_entry_is_not_void_while_the_entry_has_one_page() -> None:
    feed = Feed()
    feed.poll(A)
    feed.poll(moved(A, guid="a2"))
    decision = feed.poll(moved(A, guid="a2", title="Edited"))
    assert decision.void == ()
    assert len(decision.same) == 1


def decide(*incoming: Entry, aliases: dict[bytes, int], standing: Sequence[int] = ()) -> Decision:
    """Decide where every stored entry has expired."""
    return identity.decide(
        incoming,
        [identity.keys("feed", one) for one in incoming],
        aliases=aliases,
        known={},
        unchanged_items=frozenset(standing),
        last_poll=NOW,
    )


def test_expired_entry_with_two_guids_and_two_pages_does_not_come_back() -> None:
    one, other = entry("a", "https://x/1", day=3), entry("b", "https://x/2", day=3)
    aliases = {identity.keys("feed", item).guid: 1 for item in (one, other)}
    decision = decide(one, other, aliases=aliases)
    assert decision == Decision(dropped=(0, 1), repeated=())


def test_unchanged_item_whose_entry_has_expired_makes_no_key_void() -> None:
    with_guid, without = entry("a", "https://x/1", day=3), entry("", "https://x/2", day=3)
    guid, link = identity.keys("feed", with_guid).guid, identity.keys("feed", without).link
    decision = decide(with_guid, without, aliases={guid: 1, link: 2}, standing=(1, 2))
    assert decision.void == ()


# --- claims ----------------------------------------------------------------------------------


def test_of_two_items_with_guids_of_one_entry_the_second_is_dropped() -> None:
    feed = Feed()
    feed.poll(A)
    feed.poll(moved(A, guid="a2"))
    decision = feed.poll(moved(A, canonical_url=""), moved(A, guid="a2", canonical_url=""))
    assert (len(decision.same), len(decision.dropped)) == (1, 1)


def test_repetition_of_a_guid_claims_no_other_entry() -> None:
    """The first is known by its page; the second has the guid again and another entry's text."""
    feed = Feed()
    feed.poll(entry("a", "https://x/a", "T"), entry("b", "https://x/b", "Long", LONG))
    decision = feed.poll(
        entry("new", "https://x/a", "T", "edited"), entry("new", "", "Long", LONG, day=3)
    )
    assert [same.position for same in decision.same] == [0]
    assert decision.dropped == decision.repeated == (1,)


@pytest.mark.parametrize("first", [0, 1])
def test_item_with_a_guid_claims_a_text_before_one_without(first: int) -> None:
    feed = Feed()
    feed.poll(entry("old", "", "T", LONG))
    document = [entry("new", "", "T", LONG, day=3), entry("", "", "T", LONG, day=4)]
    decision = feed.poll(*document[first:], *document[:first])
    assert decision.new == ()
    assert [same.position for same in decision.same] == [first]


@pytest.mark.parametrize("first", [0, 1])
def test_item_with_a_page_claims_a_text_before_one_without(first: int) -> None:
    feed = Feed()
    feed.poll(entry("old", "", "T", LONG))
    document = [entry("", "https://x/n", "T", LONG, day=3), entry("", "", "T", LONG, day=4)]
    decision = feed.poll(*document[first:], *document[:first])
    assert decision.new == ()
    assert [same.position for same in decision.same] == [first]


def test_of_two_pages_with_one_text_the_same_claims_it_in_any_order() -> None:
    claimed = set()
    document = [entry("", f"https://x/{n}", "T", LONG, day=n) for n in (3, 4)]
    for items in (document, document[::-1]):
        feed = Feed()
        feed.poll(entry("old", "", "T", LONG))
        [same] = feed.poll(*items).same
        claimed.add(items[same.position].canonical_url)
    assert len(claimed) == 1


@pytest.mark.parametrize("guids", [("n1", "n2"), ("n2", "n1")])
def test_item_with_the_text_claims_an_entry_before_one_with_its_page(
    guids: tuple[str, str],
) -> None:
    feed = Feed()
    feed.poll(entry("a", "https://x/a", "T", LONG))
    by_text = entry(guids[0], "https://x/n", "T", LONG)
    decision = feed.poll(entry(guids[1], "https://x/a", "T", "edited"), by_text)
    assert [same.matched for same in decision.same] == ["text"]
    assert len(decision.new) == 1


def test_text_of_an_entry_that_another_item_claims_is_a_new_entry() -> None:
    """Claimed by its guid, by its page, or unchanged."""
    for stored, again in (
        (entry("a", "", "T", LONG), entry("a", "", "T", LONG, day=3)),
        (entry("", "https://x/a", "T", LONG), entry("", "https://x/a", "T", LONG, day=3)),
        (entry("a", "", "T", LONG), entry("a", "", "T", LONG)),
    ):
        feed = Feed()
        feed.poll(stored)
        assert len(feed.poll(again, entry("n", "", "T", LONG)).new) == 1


def test_entry_whose_void_guid_is_in_the_document_is_known_by_no_page_and_no_text() -> None:
    feed = Feed()
    feed.poll(entry("a", "https://x/a", "T", LONG))
    void = entry("a", "https://x/1", "X"), entry("a", "https://x/2", "Y")
    by_page = entry("n", "https://x/a", "T", "edited")
    by_text = entry("m", "https://x/m", "T", LONG)
    assert len(feed.poll(*void, by_page, by_text).new) == 4


# --- a guid for story after story ------------------------------------------------------------

STORM = entry(
    "latest", "https://x/storm", "Storm closes the harbour", "Waves broke over the pier.", 20
)
ELECTION = entry(
    "latest", "https://x/vote", "Mayor wins second term", "Voters queued until midnight.", 21
)


def test_guid_with_another_page_title_date_and_text_is_a_new_entry() -> None:
    feed = Feed()
    feed.poll(STORM)
    decision = feed.poll(ELECTION)
    assert len(decision.new) == 1
    assert decision.void == (identity.keys("feed", STORM).guid,)
    assert feed.known[1].title == STORM.title
    edited = replace(ELECTION, title="Mayor re-elected", fingerprint=b"2", item_hash=b"2")
    assert [same.id for same in feed.poll(edited).same] == [2]
    assert [same.id for same in feed.poll(replace(STORM, item_hash=b"3")).same] == [1]
    third = entry("latest", "https://x/snow", "Snow on the pass", "Chains are compulsory.", 22)
    assert len(feed.poll(third).new) == 1
    assert len(feed.known) == 3


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"canonical_url": STORM.canonical_url}, id="on the same page"),
        pytest.param({"canonical_url": ""}, id="without a page"),
        pytest.param({"title": STORM.title}, id="with the same title"),
        pytest.param({"title": "Harbour opens again"}, id="with a word of the title"),
        pytest.param({"published": STORM.published}, id="of the same date"),
        pytest.param({"published": datetime(2009, 6, 19, tzinfo=UTC)}, id="of an earlier date"),
        pytest.param({"published": None}, id="without a date"),
        pytest.param({"text": ""}, id="without a text"),
        pytest.param({"text": "After the storm, voters queued."}, id="that names the old story"),
    ],
)
def test_guid_with_anything_of_its_entry_is_an_edit(change: dict[str, object]) -> None:
    feed = Feed()
    feed.poll(STORM)
    edited = replace(ELECTION, **change, fingerprint=b"2", item_hash=b"2")  # type: ignore[arg-type]
    assert [same.id for same in feed.poll(edited).same] == [1]


@given(documents, documents)
def test_entry_is_never_another_one_while_it_keeps_its_title(
    first: list[Entry], second: list[Entry]
) -> None:
    """However page, date and text change."""
    for kept in first:
        for edit in second:
            if not kept.guid:
                continue
            feed = Feed()
            feed.poll(kept)
            edited = replace(edit, guid=kept.guid, title=kept.title, item_hash=b"2")
            assert feed.poll(edited).new == ()


# --- after an upgrade of the reader ----------------------------------------------------------

STORED = KnownEntry(
    id=1, guid="a", canonical_url="", title="Old", fingerprint=b"old", published=None
)


def upgraded(*incoming: Entry, reread: dict[int, int], outdated: Sequence[int] = ()) -> Decision:
    """Decide where entry 1 is stored with guid `a`, and some items have the bytes of last time."""
    keys = [identity.keys("feed", one) for one in incoming]
    guid = identity.keys("feed", entry("a")).guid
    return identity.decide(
        incoming,
        keys,
        aliases={guid: 1},
        known={1: STORED},
        reread=reread,
        outdated=outdated,
        last_poll=NOW,
    )


def test_item_with_the_bytes_of_its_last_reading_is_the_same_entry() -> None:
    [same] = upgraded(entry("better", "https://x/b", "New"), reread={0: 1}).same
    assert (same.id, same.matched, same.changed) == (1, "item", True)


@pytest.mark.parametrize("first", [0, 1])
def test_item_with_the_bytes_of_its_last_reading_claims_its_entry_first(first: int) -> None:
    document = [entry("better", title="New"), entry("a", title="Other")]
    decision = upgraded(*document[first:], *document[:first], reread={first: 1})
    assert [same.position for same in decision.same] == [first]
    assert decision.dropped == (1 - first,)


def test_entry_of_an_earlier_reader_is_not_changed_by_a_better_reading() -> None:
    [same] = upgraded(entry("a", title="New"), reread={}, outdated=[1]).same
    assert not same.changed


# --- pages, texts and floods -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "stored"),
    [
        pytest.param(("1", "", "text", 0), ("2", "", "text", 0), 1, id="the text"),
        pytest.param(("1", "T", "one", 1), ("2", "T", "two", 2), 1, id="the title"),
        pytest.param(("1", "T", "one", 1), ("2", "U", "two", 1), 1, id="the date"),
        pytest.param(("http://x#1", "", "a", 1), ("http://x#2", "", "b", 2), 1, id="the guid"),
        pytest.param(("http://x", "", "a", 1), ("http://x#2", "", "b", 2), 1, id="from none"),
        pytest.param(("http://x#1", "", "a", 1), ("http://x", "", "b", 2), 1, id="to none"),
        pytest.param(("http://x", "", "a", 1), ("http://y", "", "b", 2), 2, id="another guid"),
        pytest.param(("x#1", "", "a", 1), ("x#2", "", "b", 2), 2, id="a fragment of no URL"),
        pytest.param(("1", "", "a", 0), ("2", "", "b", 0), 2, id="no title and no date"),
    ],
)
def test_new_guid_on_a_known_page(
    first: tuple[str, str, str, int], second: tuple[str, str, str, int], stored: int
) -> None:
    """Each of text, title, date and guid alone shows that it is the same entry."""
    feed = Feed()
    for guid, title, text, day in (first, second):
        feed.poll(entry(guid, "https://x/live", title, text, day))
    assert len(feed.known) == stored


STALE_AT = NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("published", "new"),
    [(STALE_AT, 1), (STALE_AT - timedelta(seconds=1), 0), (None, 0)],
)
def test_item_on_an_expired_page_is_new_if_published_since(
    published: datetime | None, new: int
) -> None:
    feed = Feed()
    feed.poll(entry("live-1", "https://x/live", "Monday", day=1))
    feed.expire()
    item = replace(entry("live-2", "https://x/live", "Today"), published=published)
    assert len(feed.poll(item).new) == new


def test_item_on_an_expired_page_is_not_new_in_a_first_document() -> None:
    item = entry("2", "https://x/live", day=27)
    keys = identity.keys("feed", item)
    decision = identity.decide([item], [keys], aliases={keys.link: 1}, known={}, last_poll=None)
    assert decision.new == ()


def test_expired_long_text_does_not_come_back() -> None:
    feed = Feed()
    feed.poll(entry("1", "https://x/1", "T", LONG))
    feed.expire()
    assert feed.poll(entry("2", "https://x/2", "T", LONG)).new == ()


@pytest.mark.parametrize(("length", "stored"), [(200, 1), (199, 2)])
def test_characters_of_a_text_that_is_proof(length: int, stored: int) -> None:
    feed = Feed()
    feed.poll(entry("1", "https://x/1", "T", "x" * length))
    feed.poll(entry("2", "https://x/2", "T", "x" * length))
    assert len(feed.known) == stored


def test_short_text_is_no_proof_beside_a_guid() -> None:
    feed = Feed()
    feed.poll(entry("1", "", "Weekly update", "short"))
    feed.poll(entry("2", "", "Weekly update", "short"))
    assert len(feed.known) == 2


def renamed(number: int) -> Entry:
    return entry(f"b{number}", f"https://y/{number}", f"T{number}", "short", 27)


@pytest.mark.parametrize(
    ("kept", "known_texts", "unknown_texts", "same"),
    [
        pytest.param(0, 10, 0, 10, id="ten new keys"),
        pytest.param(0, 9, 0, 0, id="nine are too few"),
        pytest.param(9, 10, 0, 19, id="most of the document"),
        pytest.param(10, 10, 0, 10, id="half of it is not"),
        pytest.param(0, 6, 4, 6, id="most texts are known"),
        pytest.param(0, 5, 5, 0, id="half of them are not"),
    ],
)
def test_new_keys_for_all_items(kept: int, known_texts: int, unknown_texts: int, same: int) -> None:
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}", "short", 27) for n in range(40)))
    decision = feed.poll(
        *(entry(f"a{n}", f"https://x/{n}", f"Edited {n}", "", 27) for n in range(20, 20 + kept)),
        *(renamed(n) for n in range(known_texts)),
        *(renamed(n) for n in range(100, 100 + unknown_texts)),
    )
    assert len(decision.same) == same


def test_known_pages_are_no_new_keys() -> None:
    """Each item has another item's page and a text of its own: a short text is no proof."""
    feed = Feed()
    feed.poll(*(entry(f"a{n}", f"https://x/{n}", f"T{n}", "short") for n in range(20)))
    decision = feed.poll(
        *(entry(f"b{n}", f"https://x/{(n + 1) % 20}", f"T{n}", "short") for n in range(20))
    )
    assert decision.same == ()


def flood(count: int, published: datetime) -> list[Entry]:
    return [
        replace(entry(f"b{n}", f"https://y/{n}", f"U{n}"), published=published)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "kept", "published", "held"),
    [
        pytest.param(10, 0, STALE_AT - timedelta(seconds=1), 10, id="ten old items"),
        pytest.param(9, 0, STALE_AT - timedelta(seconds=1), 0, id="nine are too few"),
        pytest.param(10, 0, STALE_AT, 0, id="a day before the last poll is not old"),
        pytest.param(11, 10, STALE_AT - timedelta(days=1), 11, id="most of a document"),
        pytest.param(11, 11, STALE_AT - timedelta(days=1), 0, id="half of it is not"),
    ],
)
def test_flood(count: int, kept: int, published: datetime, held: int) -> None:
    feed = Feed()
    old = [entry(f"a{n}", f"https://x/{n}", f"T{n}", day=20) for n in range(20)]
    feed.poll(*old)
    decision = feed.poll(*flood(count, published), *old[:kept])
    assert sum(bool(new.quarantine) for new in decision.new) == held
    reason = (
        f"{count} of {count + kept} items were new at once; those dated before 26 June 2009"
        " or undated are held back as re-issued"
    )
    assert decision.quarantine == (reason if held else "")
