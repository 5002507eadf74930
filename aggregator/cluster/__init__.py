"""Polling by many machines: batches of requests go to Dask workers, results to the one writer.

`batches` decides what may go, `client` sends it, `worker` is what runs there. Workers keep nothing
that matters: whatever happens to one, its sources are due again.
"""
