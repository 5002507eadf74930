"""Parse, check, document and edit the YAML file; other packages use `models.config.Config`.

keys        the table of keys; add new settings here
kinds       general value types: text, numbers, lists, blocks of keys
values      text with a format: durations, URLs, time zones, queries
tree        YAML text to nodes with positions; explains syntax errors
validation  collects every mistake during one pass over the nodes
file        a file or text to a `Config`
watch       reload the file when it changes
snapshot    a copy of the last valid file, for new web workers
edit        append sources and sections without changing other bytes
ids         readable ids for new sources and sections
rewrite     write the file: all of it or nothing
reference   the JSON Schema and docs/configuration.md, from the table
"""

DEFAULT_PATH = "config/sources.yaml"
"""The configuration file when the user names none."""
