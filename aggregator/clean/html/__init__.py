"""The sanitiser: turns publishers' HTML into HTML that is safe to show.

markup | bounds | nh3 | rewrite (pictures, players, links) | nh3 unless stable | again until stable
"""
