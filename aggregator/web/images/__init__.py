"""Images: the proxy, its cache, and the site's logo."""
