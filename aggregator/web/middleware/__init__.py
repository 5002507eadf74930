"""Request middleware: cache, conditional requests, ETags, access control, hosts and proxies."""
