"""Icons of sources: found in feeds and on sites, drawn anew at one size, stored once a month."""
