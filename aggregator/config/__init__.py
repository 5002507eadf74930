"""The YAML file: read, checked, described, added to; the rest of the program sees `model.Config`.

keys       the table of keys; a new setting begins there
kinds      the forms of a value: text, numbers, lists, blocks of keys
values     the kinds of text with a meaning: durations, URLs, zones, queries
tree       YAML text to nodes with positions, syntax errors explained
reading    one pass over them, which collects every mistake
file       the path to a `Config`
edit       sources appended, all other bytes kept
reference  the JSON Schema and docs/configuration.md, from the table
"""
