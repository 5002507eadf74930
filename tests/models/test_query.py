from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import QueryError
from aggregator.models import query
from aggregator.models.query import Lead, Query, Sort, Stories

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", Query(), id="nothing selects everything"),
        pytest.param("?q=nato", Query(q="nato"), id="a leading question mark is dropped"),
        pytest.param("&&q=nato&", Query(q="nato"), id="empty pairs are dropped"),
        pytest.param(
            "section=&q=&since=&limit=&sort=", Query(), id="an untouched form selects everything"
        ),
        pytest.param(
            "section=europe,africa",
            Query(section=("africa", "europe")),
            id="a comma list gives alternatives, sorted",
        ),
        pytest.param(
            "section=europe&section=africa&section=europe",
            Query(section=("africa", "europe")),
            id="a repeated key gives alternatives, each once",
        ),
        pytest.param(
            "section=europe%2Cafrica",
            Query(section=("africa", "europe")),
            id="forms encode the comma between ids",
        ),
        pytest.param(
            "author=Smith%2C+Ann,Lee",
            Query(author=("Lee", "Smith, Ann")),
            id="an encoded comma belongs to a name",
        ),
        pytest.param(
            "q=%22two+words%22+-not+pre*",
            Query(q='"two words" -not pre*'),
            id="the search syntax passes unchanged",
        ),
        pytest.param("q=a=b", Query(q="a=b"), id="the first equals sign separates key and value"),
        pytest.param("q=a,b", Query(q="a,b"), id="a comma in a search makes no list"),
        pytest.param("q=" + "a" * 3998, Query(q="a" * 3998), id="the longest query"),
        pytest.param("not=sport", Query(exclude="sport"), id="not excludes words"),
        pytest.param("lang=EN,pt-BR", Query(lang=("en", "pt-br")), id="languages in lower case"),
        pytest.param("since=2026-11-01", Query(since=NOVEMBER), id="a day begins at midnight GMT"),
        pytest.param(
            "since=2026-11-01T01:00:00%2B01:00", Query(since=NOVEMBER), id="a time with its zone"
        ),
        pytest.param(
            "since=2026-11-01T01:00:00+01:00", Query(since=NOVEMBER), id="a plus left unencoded"
        ),
        pytest.param("since=2026-11-01T00:00Z", Query(since=NOVEMBER), id="a time in GMT"),
        pytest.param("since=7d", Query(within=timedelta(days=7)), id="a duration before now"),
        pytest.param(
            "since=1h30m", Query(within=timedelta(minutes=90)), id="a duration of two units"
        ),
        pytest.param("has=video&has=audio", Query(has=("audio", "video")), id="either of two"),
        pytest.param("limit=1", Query(limit=1), id="the smallest limit"),
        pytest.param("limit=500", Query(limit=500), id="the largest limit"),
        pytest.param("sort=updated", Query(sort=Sort.UPDATED), id="by the last change"),
        pytest.param("sort=newest", Query(), id="newest is the default order"),
        pytest.param("stories=expand", Query(stories=Stories.EXPAND), id="each entry on its own"),
        pytest.param(
            "stories=collapse&lead=first", Query(), id="a story is shown once, by the first"
        ),
        pytest.param("lead=longest", Query(lead=Lead.LONGEST), id="a story by its longest entry"),
    ],
)
def test_parse_reads(text: str, expected: Query) -> None:
    assert query.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "sectoin=a", ['unknown key "sectoin"', 'did you mean "section"', "limit"], id="a typo"
        ),
        pytest.param("zzz=1", ['unknown key "zzz": The keys are section'], id="an unknown key"),
        pytest.param("=1", ['unknown key ""'], id="a value without a key"),
        pytest.param("section=No Such", ["No Such", "lower-case letters"], id="a malformed id"),
        pytest.param("lang=english!", ["english!", "pt-br"], id="a language in words"),
        pytest.param("since=yesterday", ["yesterday", "2026-11-01", "7d"], id="a word for a time"),
        pytest.param("since=2026-02-30", ["2026-02-30"], id="a day that does not exist"),
        pytest.param("since=0001-01-01T00:00%2B14:00", ["0001"], id="a time before the calendar"),
        pytest.param("since=0d", ["0d"], id="no time at all"),
        pytest.param("since=99999999d", ["99999999d"], id="a time longer than a century"),
        pytest.param("has=smell", ["smell", "audio, image, priority, video"], id="an unknown kind"),
        pytest.param("limit=0", ["from 1 to 500"], id="a limit of nothing"),
        pytest.param("limit=501", ["from 1 to 500"], id="a limit too high"),
        pytest.param("limit=0000000019", ["from 1 to 500"], id="a limit that begins with zeros"),
        pytest.param("limit=-5", ["from 1 to 500"], id="a limit with a sign"),
        pytest.param("limit=²", ["from 1 to 500"], id="a limit in odd digits"),
        pytest.param("sort=oldest", ["oldest", "newest, updated"], id="an unknown order"),
        pytest.param("stories=all", ["collapse, expand"], id="an unknown value of stories"),
        pytest.param("lead=best", ["first, priority, longest"], id="an unknown lead"),
        pytest.param("q=a&q=b", ["q is given twice"], id="a search given twice"),
        pytest.param("since=7d&since=2026-11-01", ["since is given twice"], id="two beginnings"),
        pytest.param("q=%00", ["control character"], id="a control character"),
        pytest.param("q=" + "a" * 4000, ["4000 characters"], id="an endless query"),
        pytest.param("hass=1&limit=0", ["hass", "from 1 to 500"], id="two mistakes, both named"),
    ],
)
def test_parse_rejects_and_names_the_allowed(text: str, words: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        query.parse(text)
    assert [word for word in words if word not in str(caught.value)] == []


LONG = "x" * 90


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{LONG}=1",
            f'unknown key "{LONG[:40]}": The keys are section, source, category, author, lang, q, '
            "not, since, has, limit, sort, stories, lead",
        ),
        ("q=%07", "the query holds a control character"),
        (
            f"section=!{LONG}",
            f'"!{LONG[:79]}" is not an id: '
            "use lower-case letters, digits, dots, dashes and underscores",
        ),
        (f"lang={LONG}", f'lang="{LONG[:40]}" is not a language tag such as en, de or pt-br'),
        (
            f"has={LONG}&limit={LONG}",
            f'has="{LONG[:40]}" must be one of audio, image, priority, video; '
            f'limit="{LONG[:40]}" must be a number from 1 to 500',
        ),
        (
            f"since={LONG}",
            f'since="{LONG[:40]}" must be a date such as 2026-11-01, '
            "a time such as 2026-11-01T06:30:00Z, or a duration such as 7d or 12h",
        ),
    ],
)
def test_error_in_full(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        query.parse(text)
    assert str(caught.value) == message


def test_render_is_canonical() -> None:
    text = "sort=updated&limit=9&author=B,Smith%2C+Ann&section=b&section=a&q=x+y"
    assert (
        query.render(query.parse(text))
        == "section=a,b&author=B,Smith%2C+Ann&q=x+y&limit=9&sort=updated"
    )


def test_render_writes_times_in_gmt() -> None:
    time = datetime(2026, 11, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    assert query.render(Query(since=time)) == "since=2026-11-01T10%3A30%3A00Z"
    assert query.render(Query(since=NOVEMBER)) == "since=2026-11-01"


ids = st.from_regex(query.ID, fullmatch=True)
# Surrogates have no UTF-8, control characters are refused, and blanks at the ends say nothing.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)
# A word cut short by a star is refused.
searches = texts.map(lambda text: text.replace("*", "").strip())
whole_seconds = st.integers(1, 36_500 * 86_400).map(lambda number: timedelta(seconds=number))
moments = st.datetimes(timezones=st.just(UTC))


def alternatives(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values.filter(bool), max_size=4).map(lambda found: tuple(sorted(set(found))))


queries = st.builds(
    Query,
    section=alternatives(ids),
    source=alternatives(ids),
    category=alternatives(texts),
    author=alternatives(texts),
    lang=alternatives(st.sampled_from(["de", "en", "pt-br", "zh-hant-tw"])),
    q=searches,
    exclude=searches,
    has=alternatives(st.sampled_from(["audio", "image", "video"])),
    stories=st.sampled_from(Stories),
    lead=st.sampled_from(Lead),
    limit=st.none() | st.integers(1, query.MAX_ENTRIES),
    sort=st.sampled_from(Sort),
)


@given(
    selected=queries,
    start=st.none() | st.builds(dict, since=moments) | st.builds(dict, within=whole_seconds),
)
def test_parse_reads_the_rendered_query(
    selected: Query, start: dict[str, datetime | timedelta] | None
) -> None:
    wanted = replace(selected, **(start or {}))  # type: ignore[arg-type]
    assert query.parse(query.render(wanted)) == wanted


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    try:
        found = query.parse(text)
    except QueryError:
        return
    assert query.parse(query.render(found)) == found


@given(whole_seconds)
def test_durations_are_read_back(value: timedelta) -> None:
    assert query.parse_duration(query.render_duration(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(days=7), "7d"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "1d2h3m4s"),
    ],
)
def test_render_duration(value: timedelta, text: str) -> None:
    assert query.render_duration(value) == text


@pytest.mark.parametrize("text", ["2026-11-01", "2026-11-01T06:30:00%2B05:45"])
def test_times_are_in_gmt(text: str) -> None:
    since = query.parse(f"since={text}").since
    assert since is not None
    assert since.utcoffset() == timedelta(0)


def test_longest_durations() -> None:
    assert query.parse_duration("36500d") == query.MAX_DURATION
    assert query.parse_duration("36500d 1s") is None
    assert query.parse_duration("000000000007d") == timedelta(days=7)
    assert query.parse_duration("0000000000007d") is None


@pytest.mark.parametrize(
    "text", ["", "15", "m", "1.5h", "-5m", "5 m", "30m 1h", "1w", "36501d", "9" * 20 + "d", "٣d"]
)
def test_invalid_durations(text: str) -> None:
    assert query.parse_duration(text) is None


def test_every_key_is_explained() -> None:
    assert [name for name, key in query.KEYS.items() if not (key.help and key.values)] == []


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (datetime(2026, 11, 27, 12, 0, tzinfo=UTC), datetime(2026, 11, 27, 0, 0, tzinfo=UTC)),
        (datetime(2026, 11, 27, 12, 0, 59, tzinfo=UTC), datetime(2026, 11, 27, 0, 0, tzinfo=UTC)),
        (datetime(2026, 11, 27, 12, 1, tzinfo=UTC), datetime(2026, 11, 27, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_duration_counts_from_the_minute(now: datetime, since: datetime) -> None:
    assert query.at(query.parse("since=12h&q=a"), now) == Query(q="a", since=since)
    assert query.at(query.parse("q=a"), now) == Query(q="a")
