"""The JSON Schema and docs/configuration.md, made from the table of keys.

After a change of the table, in a checkout: `python -m aggregator.config.reference`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from aggregator.config.keys import DEFAULTS, FIELDS, ROOT, RULES, ZONE
from aggregator.config.kinds import Block, Key, Kind, ListOf, Schema
from aggregator.models import query

SCHEMA_PATH = Path("aggregator/sources.schema.json")
DOCS_PATH = Path("docs/configuration.md")

_INTRODUCTION = """\
# Configuration

<!-- Made from the table of keys by `python -m aggregator.config.reference`; edit that table. -->

One YAML file says everything: `config/sources.yaml`, or the one that `--config FILE` or
`AGGREGATOR_CONFIG` names. A source is a feed with a name of its own; sections are the regions and
topics of the site; views are saved queries. Nothing but `id` and `url` of a source must be there:

```yaml
sources:
  - {id: bbc-world, url: "https://feeds.bbci.co.uk/news/world/rss.xml"}
```

`aggregator check` reads the file and names all mistakes at once, each as
`file:line:column: what is wrong. What to do`. Nothing starts on a file with mistakes, and a
running service keeps the last good one.

Editors that know JSON Schema complete and check the keys as you type. Put this in the first line,
with the path to the schema in your checkout or package:

```yaml
# yaml-language-server: $schema=../aggregator/sources.schema.json
```

## How values are written

- **duration**: numbers with units: `90s`, `15m`, `1h`, `7d`, `1h 30m`.
- **size**: a number with a unit: `64KiB`, `10MB`.
- **id**: small letters, digits, dots, dashes and underscores, at most 64, the first a letter or
  digit.
- **text**: in quotes if it holds `: ` or ` #`, or if YAML takes it for a number, a date, yes or no.
- **regular expression**: in single quotes, so that backslashes stay. It is found anywhere in the
  text, in capitals or small letters. The syntax is that of RE2: nothing looks around or back.
- **`${NAME}`** in any value: the environment variable of that name, for secrets. `$${` stands for
  `${`.

Aliases (`&name`, `*name`) work; merging (`<<`) does not: what sources share belongs under
`defaults`.
"""

_QUERIES = """\
## Queries

The words of a view's `query` are those of every address, such as
`/feeds/search.atom?q=nato&section=europe&since=7d`. Values of one key are alternatives, by
repeating the key or by a comma; an entry must meet all keys. As in every address, write a blank
as `+` or `%20`, `&` as `%26`, `+` as `%2B`.
"""


def schema() -> Schema:
    """Give the JSON Schema of a configuration file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the feed aggregator",
        **ROOT.schema(),
    }


def render_schema() -> str:
    """Write the schema as the file at SCHEMA_PATH holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def render_docs() -> str:
    """Write the reference as the file at DOCS_PATH holds it."""
    parts = [_INTRODUCTION]
    for key in ROOT.keys:
        parts.extend(_section(key))
    parts.append(_QUERIES)
    rows = [(f"`{key.name}`", key.values, key.help) for key in query.KEYS.values()]
    parts.append(_table(("key", "value", "selects entries"), rows))
    return "\n".join(parts)


def _section(key: Key) -> Iterator[str]:
    block = _block(key.kind)
    yield f"## {key.name}\n\n{key.help}\n"
    yield _keys(block)
    yield _example(key.name, block, many=isinstance(key.kind, ListOf))
    if key.name == "site":
        yield "### site.timezones\n\nA zone is a name, or these two:\n"
        yield _keys(ZONE)
    if key.name == "defaults":
        for inner in DEFAULTS.keys:
            if isinstance(inner.kind, Block):
                yield f"### defaults.{inner.name}\n\n{inner.help}\n"
                yield _keys(inner.kind)
    if key.name == "sources":
        fields = ", ".join(f"`{field}`" for field in FIELDS)
        yield (
            "### keep, drop and rules\n\n"
            f"What an entry must meet is one field ({fields})\n"
            "and a regular expression to be found in it, or `words`, of which one stands in\n"
            "title, summary or text as a whole word, in any script. Capitals count for nothing.\n\n"
            "- `keep` and `drop` at a source decide what of it is shown at all; at a section,\n"
            "  what stands in that section; at a view, what stands in that view. An entry stands\n"
            "  if it meets one of `keep`, or there is none, and if it meets none of `drop`.\n"
            "- `rules` at a source or section do more: give a category, move to another section,\n"
            "  mark as important. Those of the source come first, then those of each section.\n\n"
            "Nothing is lost: what was dropped is stored, `aggregator explain` names the rule,\n"
            "and when the rules change, what is stored is judged anew.\n"
        )
        yield _keys(_block(RULES.kind))
        yield (
            "```yaml\n"
            "sections:\n"
            "  - id: science\n"
            "    title: Science\n"
            "    drop: [{words: 'horoscope, sky this week'}]\n"
            "sources:\n"
            "  - id: bbc-world\n"
            "    url: https://feeds.bbci.co.uk/news/world/rss.xml\n"
            "    rules:\n"
            "      - when: {title: '\\bclimate\\b'}\n"
            "        category: Climate\n"
            "        section: science\n"
            "```\n"
        )


def _block(kind: Kind) -> Block:
    block = kind.item if isinstance(kind, ListOf) else kind
    if not isinstance(block, Block):
        raise TypeError(f"a top-level key is a block or a list of blocks, not {block}")
    return block


def _keys(block: Block) -> str:
    rows = []
    for key in block.keys:
        default = "required" if key.required else f"`{key.default}`" if key.default else ""
        rows.append((f"`{key.name}`", _words(key.kind), default, key.help))
    return _table(("key", "value", "default", "meaning"), rows)


def _words(kind: Kind) -> str:
    words = kind.noun if isinstance(kind, Block) and kind.single else kind.words
    return words.removeprefix("a ").removeprefix("an ").removeprefix("the ")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _example(name: str, block: Block, *, many: bool) -> str:
    lines = "".join(_indented(key.example, 4 if many else 2) for key in block.keys)
    if many:
        lines = f"  - {lines.lstrip()}"
    return f"```yaml\n{name}:\n{lines}```\n"


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


if __name__ == "__main__":
    SCHEMA_PATH.write_text(render_schema(), encoding="utf-8")
    DOCS_PATH.write_text(render_docs(), encoding="utf-8")
