"""Weights of `rewrites.features`; `benchmarks.fit_stories --write` fits them."""

from collections.abc import Mapping

BIAS: Mapping[str, float] = {
    "ar": -4.1678,
    "de": -3.7270,
    "en": -4.9366,
    "es": -4.5798,
    "fr": -4.1880,
    "ja": -5.0066,
    "ru": -4.9647,
    "zh": -2.4264,
}

WEIGHTS: Mapping[str, float] = {
    "phrases": -0.5560,
    "words": 5.5264,
    "rare words": 1.2209,
    "titles": 0.1193,
    "title in the other": 1.3083,
    "names": -0.7151,
    "names overlap": 0.6209,
    "names apart": -0.7166,
    "title names": -0.3577,
    "title names apart": -0.4759,
    "title names apart at most": -0.3561,
    "names in another order": 0.1493,
    "large numbers": 1.6028,
    "small numbers": 0.9964,
    "numbers apart": -0.4580,
    "numbers of one unit apart": -0.2472,
    "title numbers missing": -0.2087,
    "numbers after one word apart": -1.3888,
    "kinds": 0.6648,
    "kinds apart": -0.1706,
    "opposites": 0.0261,
    "genres apart": -0.6579,
    "days apart": -1.5626,
    "opening days apart": -1.0150,
    "places": 0.5239,
    "one opening ahead": -0.7478,
    "one ahead": -0.0574,
}
