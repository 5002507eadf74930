"""Bytes of a feed document to `ParsedFeed`: pure functions of the document, its type and its URL.

Nothing here reads the network, a file or the clock. Nothing here is made safe: the values are the
publisher's. A document may cost much time or memory, so callers run these functions in a process
that can be killed.

    encodings         bytes of any encoding -> UTF-8
    decode            UTF-8 of any quality -> clean XML
    items             the document with its new items only
    tree              XML, well-formed or not -> a tree of elements
      repair            ill-formed XML -> XML that a parser takes
      fallback          feedparser, for a document that can't be repaired
      names             element names, by namespace
    feed, entry       the tree -> `ParsedFeed`, `ParsedEntry`: which element gives which value
      text              HTML or text
      people            authors
      links             links, and which is the page
      media             recordings, pictures, passed-on elements
      dates             dates and durations
    jsonfeed          JSON Feed -> `ParsedFeed`
    document          all of this in order; callers begin here
    discover          the feeds that an HTML page links
"""
