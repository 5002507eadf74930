"""Numbers and sizes as pages show them, in the language of the interface."""

from aggregator.web.i18n import gettext, ngettext, pgettext

_LARGEST_POWER = 4


def number(value: float, digits: int = 0) -> str:
    """Return a number as `1,234`, with so many digits after the decimal point."""
    whole, _, fraction = f"{value:,.{digits}f}".partition(".")
    whole = whole.replace(",", pgettext("thousands", ","))
    point = pgettext("decimal point", ".")
    return f"{whole}{point}{fraction}" if fraction else whole


def size(value: float) -> str:
    """Return a number of bytes as `12 Bytes`, `1.2 kB` or `3.4 MB` (powers of 1000)."""
    if value < 1000:
        return ngettext("%(num)s Byte", "%(num)s Bytes", round(value))
    power = 1
    while power < _LARGEST_POWER and round(value / 1000**power, 1) >= 1000:
        power += 1
    shown = number(value / 1000**power, 1)
    match power:
        case 1:
            return gettext("%(number)s kB", number=shown)
        case 2:
            return gettext("%(number)s MB", number=shown)
        case 3:
            return gettext("%(number)s GB", number=shown)
    return gettext("%(number)s TB", number=shown)
