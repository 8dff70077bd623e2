"""Spans of time that were promised or planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Half-open [start, end) of aware instants. Raises ValueError when naive or empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs a time zone on both ends")
        if self.end <= self.start:
            raise ValueError(f"the window ends ({self.end:%H:%M}) before it starts ({self.start:%H:%M})")

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end
