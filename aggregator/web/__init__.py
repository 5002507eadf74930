"""The web server: it answers from the database and never polls; only `app.py` reads the clock.

Pages, feeds and the API read, through connections that SQLite keeps from writing. Entries are
written by the scheduler alone. A web process writes only this, in short transactions:

    feeds/build.py       the ranges of a merged feed's archives, when one is full
    feeds/server.py      the document of an archive, when it is first requested
    images/proxy.py      the key that signs image URLs, once
    middleware/auth.py   the key that signs logins, when it is missing or revoked
    ops/source.py        the time of a source's next poll, for the button "Poll now"
    websub.py            requests to our hub; our subscriptions, the pushes they receive, and the
                         time of their sources' next poll

A test compares this list with the code.
"""
