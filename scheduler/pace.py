"""How far one gets in each hour of the day: drives that take longer in the morning's traffic.

A pace is in thousandths of the matrix's speed: at 500 a drive takes twice as long. What is left of a drive at
the full hour goes on at the pace of the next, so that nobody arrives earlier by leaving later (ADR 31).
"""

from dataclasses import dataclass, field

HOURS = 24
STEADY = 1_000
PACE_MIN, PACE_MAX = 100, 5_000


@dataclass(frozen=True, slots=True)
class Pace:
    """by_hour[h]: the pace from h o'clock to the next, local time, on every day. Minutes are whole."""

    by_hour: tuple[int, ...]
    gone: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """Thousandths of a minute's drive that one gets on from midnight to each full hour."""

    def __post_init__(self) -> None:
        gone = [0]
        for pace in self.by_hour:
            gone.append(gone[-1] + 60 * pace)
        object.__setattr__(self, "gone", tuple(gone))

    def driven(self, begin: int, end: int) -> int:
        """Thousandths of a minute's drive that one gets on between two minutes."""
        return self._since_midnight(end) - self._since_midnight(begin)

    def arrival(self, leave: int, drive: int) -> int:
        """The first minute at which a drive of `drive` thousandths that begins at `leave` is over."""
        minute, left = leave, drive
        while left > 0:
            pace, rest = self.by_hour[minute // 60 % HOURS], 60 - minute % 60
            if left <= pace * rest:
                return minute - -left // pace
            minute, left = minute + rest, left - pace * rest
        return minute

    def departure(self, arrive: int, drive: int) -> int:
        """The last minute at which one may leave to be there at `arrive`; below 0 is the day before."""
        minute, left = arrive, drive
        while left > 0:
            hour = (minute - 1) // 60
            pace, rest = self.by_hour[hour % HOURS], minute - 60 * hour
            if left <= pace * rest:
                return minute + -left // pace
            minute, left = minute - rest, left - pace * rest
        return minute

    def _since_midnight(self, minute: int) -> int:
        hours, rest = divmod(minute, 60)
        days, hour = divmod(hours, HOURS)
        return days * self.gone[HOURS] + self.gone[hour] + rest * self.by_hour[hour]
