"""Traffic by the hour: in which hours of the day a drive takes longer than on empty roads.

A factor of 1.5 from 8 to 9 means that in this hour one gets only two thirds as far. A drive that begins at
8:50 and is not over at 9 goes on at the pace of the next hour. So nobody arrives earlier by leaving later,
which a drive multiplied by the factor of the hour it begins in does not promise: with 2.0 before 9 and 1.0
after, an hour's drive begun at 8:59 would end at 10:59 and one begun at 9:00 at 10:00.
"""

from dataclasses import dataclass, field
from math import floor, isfinite

from scheduler.pace import STEADY
from scheduler.request import TravelMatrix

HOURS = 24
HOUR_SECONDS = 3_600
FACTOR_MIN, FACTOR_MAX = 0.2, 10.0


@dataclass(frozen=True, slots=True)
class HourFactors:
    """factors[h]: how many times as long as in the matrix a drive takes from h o'clock to the next, local
    time; they hold on every day, so hour 24 is hour 0 again. A pure value: it asks no clock.

    Seconds are counted after local midnight. Raises ValueError unless there are 24 factors of 0.2 to 10.
    """

    factors: tuple[float, ...]
    _gone: tuple[float, ...] = field(init=False, repr=False, compare=False)  # of a drive, by each full hour

    def __post_init__(self) -> None:
        if len(self.factors) != HOURS:
            raise ValueError(f"there must be {HOURS} factors, one an hour, not {len(self.factors)}")
        for hour, factor in enumerate(self.factors):
            if not (isfinite(factor) and FACTOR_MIN <= factor <= FACTOR_MAX):
                raise ValueError(
                    f"the factor of {hour}:00 must be between {FACTOR_MIN} and {FACTOR_MAX}, not {factor}"
                )
        gone = [0.0]
        for factor in self.factors:
            gone.append(gone[-1] + HOUR_SECONDS / factor)
        object.__setattr__(self, "_gone", tuple(gone))

    @classmethod
    def parse(cls, text: str) -> "HourFactors":
        """From bands like "7-9:1.4 16-18:1.5", hours of the day and a factor; 1 in all others."""
        factors = [1.0] * HOURS
        for band in text.split():
            hours, colon, factor = band.partition(":")
            begin, dash, end = hours.partition("-")
            if not (colon and dash and begin.isdigit() and end.isdigit() and int(begin) < int(end) <= HOURS):
                raise ValueError(f"{band} is no band of hours; write 7-9:1.4")
            try:
                factors[int(begin) : int(end)] = [float(factor)] * (int(end) - int(begin))
            except ValueError:
                raise ValueError(f"{band}: {factor} is no factor") from None
        return cls(tuple(factors))

    def arrival(self, departure: float, base_seconds: float) -> float:
        """When a drive of `base_seconds` in the matrix that begins at `departure` is over. Never decreases
        when `departure` grows.
        """
        return self._when(self._progress(departure) + base_seconds)

    def departure(self, arrival: float, base_seconds: float) -> float:
        """When to leave to be there exactly at `arrival`, its inverse; below 0 is the day before."""
        return self._when(self._progress(arrival) - base_seconds)

    def paces(self) -> tuple[int, ...]:
        """The same as a plan request has it: thousandths of the matrix's speed in each hour."""
        return tuple(round(STEADY / factor) for factor in self.factors)

    def scaled(self, matrix: TravelMatrix, hour: int) -> TravelMatrix:
        """The matrix as it is in one hour, for whoever plans with one matrix; its name says which hour."""
        factor = self.factors[hour % HOURS]
        return TravelMatrix.of(
            [[value * factor for value in row] for row in matrix.seconds],
            matrix.metres,
            engine=f"{matrix.engine}, traffic of {hour % HOURS}:00 (× {factor:g})",
            estimated=matrix.estimated,
        )

    def _progress(self, second: float) -> float:
        """How many seconds of the matrix one gets on from midnight up to `second`."""
        day, rest = divmod(second, HOURS * HOUR_SECONDS)
        hour = min(HOURS - 1, floor(rest / HOUR_SECONDS))
        return day * self._gone[-1] + self._gone[hour] + (rest - hour * HOUR_SECONDS) / self.factors[hour]

    def _when(self, progress: float) -> float:
        day, rest = divmod(progress, self._gone[-1])
        hour = next(h for h in range(HOURS) if rest <= self._gone[h + 1] or h == HOURS - 1)
        return (
            day * HOURS * HOUR_SECONDS + hour * HOUR_SECONDS + (rest - self._gone[hour]) * self.factors[hour]
        )


EMPTY_ROADS = HourFactors((1.0,) * HOURS)
"""Every hour as the matrix says."""
