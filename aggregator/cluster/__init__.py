"""Polling on many machines: Dask workers poll batches of requests, the scheduler stores results.

`batches` decides which requests go where, `client` and `link` send them, `worker` runs remotely.
Workers hold no state that matters: if one is lost, its sources are due again.
"""
