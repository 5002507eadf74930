"""Entries of sources without a feed, found by the selectors of the configuration.

The selectors are the operator's and trusted; the documents are not. The values are as published,
like those of feeds.

    document      which of the readers takes a document
      page          HTML, by CSS selectors and XPath expressions
      json          JSON, alone or in a script element, by JMESPath expressions
      sitemap       sitemaps and indexes of sitemaps
    html          a page as a tree: texts, links, pictures
    dates         dates in words: inside a text, and "3 hours ago"
    date_units    the names of these units in many languages
"""
