"""Icons of sources: found in feeds and on sites, drawn again at one size, stored once a month."""
