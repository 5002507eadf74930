"""When a web server or its workers are started again after they died."""

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds before the first restart in a row, and the most; each pause is twice the last one.

The workers of a server that was killed notice it within a second or two, and free the port.
"""

STEADY_SECONDS = 60.0
"""A server that ran as long was sound: the next pause is the first again."""


def next_pause(pause: float, lived: float) -> float:
    """Return the seconds to wait before a server is started again.

    Args:
        pause: The pause before its last start, 0 for none.
        lived: Seconds between that start and its end.
    """
    if lived >= STEADY_SECONDS or not pause:
        return FIRST_PAUSE
    return min(2 * pause, LONGEST_PAUSE)
