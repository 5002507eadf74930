"""The web side: it reads the store and answers, and never polls; only `app.py` reads the clock."""
