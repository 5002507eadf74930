"""Bytes of a feed document to `ParsedFeed`: pure functions of the document, its type and its URL.

Nothing here may read the network, a file or the clock, and nothing here is made safe: what comes
out is the publisher's text. A document may still be made to cost much time or memory, so callers
run these functions where they can be killed.

    encodings    bytes of any encoding -> UTF-8
    decode       UTF-8 of any quality -> clean XML
    items        which items of it are new
    elements     what the library flattens, read from the tree
    direct       the library's dictionaries, from the tree of a document that is plain enough
    document     the library's reading of others, and the door for callers
    entries      the library's dictionaries -> our dataclasses
"""
