"""Keys about stories: pairs of entries that are wrongly joined, or wrongly apart."""

from aggregator.config.kinds import Block, Key, ListOf, Pair, Schema, Text


class _Entry(Text):
    """An entry's id, which YAML reads as a number, or its link or guid."""

    def schema(self) -> Schema:
        """Return the schema of strings and numbers."""
        return {"type": ["string", "integer"]}


_PAIRS = ListOf(
    expected="a list of pairs of entries",
    remedy="Write [[4711, 4712]].",
    item=Pair(
        expected="two entries in brackets",
        remedy="Write [4711, 4712], or two links in quotes.",
        item=_Entry(
            expected="an entry's id, link or guid",
            remedy="Write its id, or its link or guid in quotes.",
            tags=("str", "int"),
        ),
    ),
)

STORIES = Block(
    noun="stories",
    keys=(
        Key(
            name="apart",
            kind=_PAIRS,
            help=(
                "Pairs of entries that are no story: the later one leaves the story of the other. "
                "`aggregator stories apart` adds one."
            ),
            default="[]",
            example="apart: [[4711, 4712]]",
        ),
        Key(
            name="together",
            kind=_PAIRS,
            help=(
                "Pairs of entries of two sources that are one story, which has the id of the "
                "earlier one's. `aggregator stories together` adds one."
            ),
            default="[]",
            example='together: [["https://a.example/1", "https://b.example/2"]]',
        ),
    ),
)
