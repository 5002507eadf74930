"""The sanitiser: publishers' HTML to HTML that shows and does nothing more.

markup | bounds | nh3 | rewrite (pictures, players, links) | nh3 | the same again until stable
"""
