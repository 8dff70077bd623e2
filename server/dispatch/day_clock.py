"""Minutes of one local day ↔ instants, also on the two days a year that are not 24 hours long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DayClock:
    """Counts minutes from twelve hours before local noon, as public timetables (GTFS) do.

    That is local midnight on all days but those when the clocks change. Then one minute is still a minute of
    work, and a number still reads as the clock on the wall from the change on; only the night before it
    differs by an hour.
    """

    day: date
    zone: ZoneInfo

    @property
    def origin(self) -> datetime:
        """The instant of minute 0."""
        return datetime.combine(self.day, time(12), self.zone).astimezone(UTC) - timedelta(hours=12)

    def minute(self, at: datetime) -> int:
        """The minute that `at` falls into; below 0 before the day."""
        return (at - self.origin) // MINUTE

    def minute_after(self, at: datetime) -> int:
        """The first minute that begins at or after `at`."""
        return -((self.origin - at) // MINUTE)

    def instant(self, minute: int) -> datetime:
        return self.origin + minute * MINUTE

    def of_wall(self, wall_minutes: int) -> int:
        """The minute when the clock on the wall shows `wall_minutes` after midnight."""
        shown = datetime.combine(self.day, time()) + timedelta(minutes=wall_minutes)
        return max(0, self.minute(shown.replace(tzinfo=self.zone).astimezone(UTC)))
