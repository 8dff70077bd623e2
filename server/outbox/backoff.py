"""When to try again, and when to give up. Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=1)
RETRY_AFTER_MAX = timedelta(days=1)
"""However long somebody asks us to wait."""
TRIES_MAX = 12
REFUSALS_MAX = 3
"""A 4xx says that trying again is no use; it may still be a mistake that is being mended."""
PAUSE_MAX = timedelta(minutes=5)


def wait(tries: int, chance: float, retry_after: timedelta | None = None) -> timedelta:
    """5 s, 10 s, 20 s … at most an hour, spread by `chance` (0 to 1) from 80 to 120 per cent.

    `tries` is 1 after the first. What the other side asked for is kept to when it is longer.
    """
    doubled = min(FIRST * (1 << min(tries - 1, 20)), LONGEST)
    spread = min(doubled * (0.8 + 0.4 * chance), LONGEST)
    return max(spread, min(retry_after, RETRY_AFTER_MAX)) if retry_after else spread


def is_last(tries: int, *, refused: bool) -> bool:
    return tries >= (REFUSALS_MAX if refused else TRIES_MAX)


def pause(failures: int) -> timedelta:
    """How long an address that failed `failures` times on end is left alone: 5 s, 10 s … 5 minutes."""
    return min(FIRST * (1 << min(failures - 1, 20)), PAUSE_MAX)
