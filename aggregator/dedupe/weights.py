"""Weights of `rewrites.features`; `benchmarks.fit_stories --write` fits them."""

from collections.abc import Mapping

BIAS = -2.0901

WEIGHTS: Mapping[str, float] = {
    "phrases": -1.2551,
    "words": 1.5112,
    "rare words": 0.6086,
    "length of the shorter": -0.3220,
    "length of the longer": -0.1630,
    "other words": 0.8090,
    "shared names": 0.2551,
    "names and other words": 0.3759,
    "title in the other": 1.2031,
    "names": 0.4308,
    "names apart": -0.2861,
    "title names": 0.5806,
    "title names apart": -0.6347,
    "title names apart at most": -0.4840,
    "telling numbers": 1.0943,
    "names and numbers": 1.6553,
    "telling numbers apart": -0.5966,
    "numbers of one unit apart": -0.5838,
    "title numbers missing": -0.3743,
    "numbers after one word apart": -0.8816,
    "kinds": 0.3747,
    "share of kinds": 0.4189,
    "no kind in common": -0.5812,
    "kinds apart": -0.2737,
    "genres apart": -2.5164,
    "days apart": -1.0892,
    "dates apart": -1.5345,
    "opening days apart": -1.2287,
    "one opening ahead": -1.9243,
    "one ahead": -0.3299,
    "words of plans": -0.2528,
    "only one looks ahead": -0.5785,
}
