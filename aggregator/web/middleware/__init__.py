"""Request middleware: cache, conditional requests, ETags, authentication, CSRF checks."""
