"""HTML pages for readers."""
