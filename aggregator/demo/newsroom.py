"""The reports of the demo's feeds at a time: a pure function of the time and a seed.

Two series of events run in parallel: a slow one that starts half a day ago, so that the first page
has a past, and a quick one that continues while the demo runs.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SLOW = timedelta(minutes=20)
PAST = timedelta(hours=12)
RETOLD_AFTER = timedelta(seconds=30)
EDITED_AFTER = timedelta(seconds=45)
ITEMS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Texts of one kind of event: headline, another feed's headline, edited headline, lead."""

    first: str
    second: str
    later: str
    lead: str


WORLD = (
    Line(
        first="{country} and {country2} agree to share the waters of the {river}",
        second="Water of the {river} to be shared by {country} and {country2}",
        later="{country} and {country2} sign treaty on the waters of the {river}",
        lead="After {n} months of talks, both governments accept a joint commission in {town}.",
    ),
    Line(
        first="Ferry service between {town} and {town2} resumes after {n} weeks",
        second="After {n} weeks, ferries sail again between {town} and {town2}",
        later="Ferry service between {town} and {town2} resumes, first crossing full",
        lead="The harbour at {town} was closed while divers cleared the channel of sand.",
    ),
    Line(
        first="Thousands evacuated as the {river} rises above {town}",
        second="The {river} floods the plain at {town}, thousands leave their homes",
        later="Waters recede at {town} as the {river} falls by {n} centimetres",
        lead="Schools in {country} opened their halls overnight; nobody was reported hurt.",
    ),
    Line(
        first="{country} counts its votes: {person} leads by {n} seats",
        second="{person} ahead by {n} seats in {country}, half of the votes counted",
        later="{person} wins in {country} with a majority of {n} seats",
        lead="Turnout was the highest in {m} years, the electoral office in {town} said.",
    ),
    Line(
        first="{country} cuts the price of bread by {n} per cent",
        second="Bread to cost {n} per cent less in {country}",
        later="{country} cuts the price of bread by {n} per cent, bakers protest",
        lead="The harvest along the {river} was the best since records began, said {person}.",
    ),
)
EUROPE = (
    Line(
        first="{town} opens its {n}-kilometre tunnel for bicycles",
        second="Cyclists get a tunnel of {n} kilometres under {town}",
        later="{town} closes its new bicycle tunnel for a day: too many bicycles",
        lead="The old railway line under the hill had been unused for {m} years.",
    ),
    Line(
        first="Night train from {town} to {town2} returns in spring",
        second="{town} to {town2} by night train again from spring",
        later="Night train from {town} to {town2} returns, tickets sold out in {m} minutes",
        lead="{country}'s railways have bought {m} sleeping cars from {country2}.",
    ),
    Line(
        first="Museum in {town} returns {n} paintings to {country}",
        second="{country} gets back {n} paintings from the museum in {town}",
        later="Museum in {town} returns {n} paintings to {country}, keeps one on loan",
        lead="{person}, the director, called it the end of a long correspondence.",
    ),
    Line(
        first="Storm off {town}: {n} fishing boats reach the harbour",
        second="All {n} boats safe after the storm off {town}",
        later="Storm off {town} moves on to {town2}, {n} boats back in harbour",
        lead="The lifeboat was out for the whole night, its helmsman {person} said.",
    ),
    Line(
        first="{country} lowers the voting age in its towns to sixteen",
        second="Sixteen-year-olds to vote in the towns of {country}",
        later="{country} lowers the voting age to sixteen by {n} votes",
        lead="The bill by {person} passed its third reading after {m} hours of debate.",
    ),
)
SCIENCE = (
    Line(
        first="Telescope at {town} finds a planet that circles its star in {n} hours",
        second="A year of {n} hours: new planet seen from {town}",
        later="Planet with a year of {n} hours confirmed by a second telescope",
        lead="Its surface must be molten rock, writes {person} in a paper of four pages.",
    ),
    Line(
        first="{animal} of the {river} sleep only {n} minutes at a time",
        second="Why the {animal} of the {river} never sleep longer than {n} minutes",
        later="{animal} of the {river} sleep in turns, {n} minutes each",
        lead="Sensors the size of a grain of rice followed {m} animals for a summer.",
    ),
    Line(
        first="Battery from {town} survives {n}0,000 charges",
        second="{n}0,000 charges and no end: a battery made in {town}",
        later="Battery from {town} survives {n}0,000 charges, makers publish the recipe",
        lead="The electrode is made of clay from the banks of the {river}, says {person}.",
    ),
    Line(
        first="Mathematicians halve the cost of sorting letters in {town}",
        second="{person}'s theorem sorts the post of {town} in half the time",
        later="Proof of the {town} sorting theorem checked by a machine in {m} seconds",
        lead="{person} found the idea on a tram, between the {n}th and the last stop.",
    ),
)
LOCAL = (
    Line(
        first="Clock of {town} runs {n} minutes late, town hall keeps it so",
        second="{town} votes to keep its late clock",
        later="Clock of {town} repaired by mistake",
        lead="Trains leave by the station clock, weddings by the other, explained {person}.",
    ),
    Line(
        first="Baker {person} wins the bridge race of {town}",
        second="Bridge race of {town} goes to a baker",
        later="Baker {person} wins the bridge race of {town} by {m} seconds",
        lead="{n} runners crossed the {river} and came back.",
    ),
    Line(
        first="Swans block the tram in {town} for {n} minutes",
        second="Tram in {town} waits {n} minutes for swans",
        later="Swans block the tram in {town} again",
        lead="Passengers fed them, which did not help, said {person} of the tramway.",
    ),
    Line(
        first="Library of {town} forgives all fines below {n} crowns",
        second="Fines forgiven by the library of {town}",
        later="Library of {town} forgives all fines, {m} lost books come back",
        lead="The oldest of them was a guide to the {river}, {n} years late.",
    ),
)
TALK = (
    Line(
        first="Episode {n}: {person} on the bridges of {town}",
        second="{person} and the bridges of {town}",
        later="Episode {n}: {person} on the bridges of {town} (with corrections)",
        lead="A walk along the {river}, an argument about arches, and a song.",
    ),
    Line(
        first="Episode {n}: What the {animal} heard",
        second="What the {animal} heard",
        later="Episode {n}: What the {animal} heard (longer cut)",
        lead="{person} put microphones into the {river} and listened for {m} nights.",
    ),
)

ASIDES = (
    "“It could have been worse,” said {person} in {town}.",
    "{person} will say more on it tomorrow, before lunch.",
    "Neighbours in {town2} watched with interest and sandwiches.",
    "A similar case in {country2} took {m} years.",
    "The last word on it has not been spoken along the {river}.",
)

DESKS = {
    "world": (WORLD, 5),
    "europe": (EUROPE, 5),
    "science": (SCIENCE, 4),
    "podcast": (TALK, 1),
    "leaving": (LOCAL, 2),
    "broken": (LOCAL, 1),
}
RETELLERS = {"world": "europe", "europe": "world", "science": "world"}
"""The feed that may report the same event a little later."""

COUNTRIES = ("Marenna", "Kessia", "Ostland", "Tavaria", "Corra", "Veldia", "Saruna", "Norrholm")
TOWNS = (
    "Tolvik",
    "Port Alma",
    "Brunhaven",
    "Lindow",
    "Asterby",
    "Quellen",
    "Mirafonte",
    "Sankt Odo",
)
RIVERS = ("Ondor", "Lissa", "Great Vey", "Tamber", "Aruna")
PEOPLE = ("Ilse Maran", "Tomas Verring", "Adaeze Okoru", "Jun Harada", "Leila Benmar", "Pavel Rusk")
ANIMALS = ("otters", "herons", "pike", "water voles", "kingfishers", "beavers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An invented event, with the values for its texts."""

    key: str
    time: datetime
    desk: str
    line: Line
    aside: str
    values: tuple[tuple[str, str], ...]
    retold: bool
    syndicated: bool
    edited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One feed's item about an event; `path` of its page, name of its `picture`."""

    guid: str
    path: str
    headline: str
    lead: str
    aside: str
    author: str
    category: str
    picture: str
    published: datetime
    updated: datetime


def reports(
    feed: str, *, now: datetime, since: datetime, every: timedelta, seed: int
) -> tuple[Report, ...]:
    """Return the reports of `feed` at the time `now`, newest first.

    The quick series starts at `since` and has an event per `every`.
    """
    published = [
        report
        for event in _events(now, since, every, seed)
        if (report := _report(event, feed, now)) is not None
    ]
    return tuple(sorted(published, key=lambda report: report.published, reverse=True)[:ITEMS])


def _events(now: datetime, since: datetime, every: timedelta, seed: int) -> Iterator[Event]:
    last = int(now.timestamp() / SLOW.total_seconds())
    for number in range(last - PAST // SLOW, last + 1):
        yield _event("s", number, SLOW, seed)
    last = int(now.timestamp() / every.total_seconds())
    first = int(since.timestamp() / every.total_seconds())
    for number in range(max(first, last - 10 * ITEMS), last + 1):
        yield _event("q", number, every, seed)


@lru_cache(maxsize=4096)
def _event(series: str, number: int, every: timedelta, seed: int) -> Event:
    """Invent an event; numbers count from 1970, so that a restart repeats no event."""
    rng = random.Random(f"{seed}/{series}/{number}")  # noqa: S311 - invents headlines
    desk = _desk(series, number, seed)
    country, country2 = rng.sample(COUNTRIES, 2)
    town, town2 = rng.sample(TOWNS, 2)
    values = {
        "country": country,
        "country2": country2,
        "town": town,
        "town2": town2,
        "river": rng.choice(RIVERS),
        "person": rng.choice(PEOPLE),
        "animal": rng.choice(ANIMALS),
        "n": str(rng.randint(3, 48)),
        "m": str(rng.randint(2, 19)),
    }
    started = datetime.fromtimestamp(number * every.total_seconds(), UTC)
    return Event(
        key=f"{series}{number}",
        time=started + timedelta(seconds=int(every.total_seconds() * rng.random())),
        desk=desk,
        line=rng.choice(DESKS[desk][0]),
        aside=rng.choice(ASIDES),
        values=tuple(values.items()),
        retold=rng.random() < 0.35,
        syndicated=rng.random() < 0.3,
        edited=rng.random() < 0.15,
    )


def _desk(series: str, number: int, seed: int) -> str:
    """Return the desk of an event; each round has events for every desk."""
    rota = [desk for desk, (_, share) in DESKS.items() for _ in range(share)]
    order = random.Random(f"{seed}/{series}/{number // len(rota)}")  # noqa: S311
    order.shuffle(rota)
    return rota[number % len(rota)]


def _report(event: Event, feed: str, now: datetime) -> Report | None:
    """Return the report of an event in `feed` at the time `now`, or None if it has none."""
    original = event.desk == feed
    if not original and not (event.retold and RETELLERS.get(event.desk) == feed):
        return None
    published = event.time if original else event.time + RETOLD_AFTER
    edit = published + EDITED_AFTER
    if published > now:
        return None
    changed = event.edited and original and edit <= now
    headline = event.line.first if original or event.syndicated else event.line.second
    values = dict(event.values)
    path = f"/stories/{event.key}-{event.desk if event.syndicated else feed}"
    return Report(
        guid=f"{feed}:{event.key}",
        path=f"{path}?utm_source={feed}" if event.syndicated and not original else path,
        headline=_sentence((event.line.later if changed else headline).format_map(values)),
        lead=_sentence(event.line.lead.format_map(values)),
        aside=event.aside.format_map(values),
        author=PEOPLE[(len(event.key) + int(event.key[1:])) % len(PEOPLE)],
        category={"podcast": "Talk", "leaving": "Local", "broken": "Local"}.get(
            event.desk, event.desk.title()
        ),
        picture=event.key,
        published=published,
        updated=edit if changed else published,
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
