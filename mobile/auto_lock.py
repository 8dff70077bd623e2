"""When the app asks for the PIN again: after a while without a tap, and after a while out of sight.

By the device's wall clock, for others stand still while it sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

MINUTES = (1, 5, 15, 0)
"""What may be chosen; 0: only at the next start of the app."""
USUAL_MINUTES = 5
HIDDEN_SECONDS = 60
"""Out of sight: long enough for the camera or the map, too short to be left lying about."""


def kept_minutes(preference: Callable[[str], str | None]) -> int:
    chosen = preference("lock_minutes")
    return int(chosen) if chosen in map(str, MINUTES) else USUAL_MINUTES


class AutoLock:
    """Told of each sign of life; says how long it may still take."""

    def __init__(self, now: Callable[[], datetime], minutes: Callable[[], int]) -> None:
        self._now = now
        self._minutes = minutes
        self._touched_at = now()
        self._hidden_at: datetime | None = None

    def touch(self) -> None:
        self._touched_at = self._now()

    def hide(self) -> None:
        self._hidden_at = self._hidden_at or self._now()

    def show(self) -> None:
        """In sight again. Ask `seconds_left` first: it forgets how long it was hidden."""
        self._hidden_at = None

    def was_hidden(self, seconds: float) -> None:
        """The page has counted itself: it may have been frozen before it could say so."""
        self._hidden_at = self._now() - timedelta(seconds=seconds)

    def seconds_left(self) -> float | None:
        """Until the app has to lock; 0 when that is now, None when time alone never does it."""
        minutes = self._minutes()
        if not minutes:
            return None
        left = minutes * 60 - self._since(self._touched_at)
        if self._hidden_at is not None:
            left = min(left, HIDDEN_SECONDS - self._since(self._hidden_at))
        return max(0.0, left)

    def _since(self, moment: datetime) -> float:
        """A clock that was set back says nothing, and then it is late enough."""
        seconds = (self._now() - moment).total_seconds()
        return seconds if seconds >= 0 else float("inf")
