"""What the solver is asked: one day, some technicians, some jobs, and how long each drive takes.

Times are whole minutes after local midnight of the day planned; they may pass 1440 for a shift over midnight.
Places are numbers: row and column of the travel matrix. Costs are whole minor units of money (cents), so that
an hour of driving, a late minute and an unserved job can be weighed against each other by a person.

Everything is checked once, here: a request that exists is well formed. The messages name the field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from scheduler.link_rules import contradiction
from scheduler.pace import HOURS, PACE_MAX, PACE_MIN
from scheduler.shapes import misshapen

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.int64]

REQUEST_VERSION = 1
PRIORITIES = (1, 2, 3, 4)
MINUTES_MAX = 200_000
"""The longest horizon. A day has 1440; published instances count in ticks, of which one is a minute here."""
PLACES_MAX = 1_000_000
SECONDS_MAX = 1_000_000
COST_MAX = 1_000_000_000
JOBS_MAX = 5_000
"""The search keeps numbers for each two jobs: these take a gigabyte and a half."""


Amount = TypeVar("Amount", int, "Matrix")


class InvalidRequest(ValueError):
    """The request can't be planned as it stands; the message names the field and the value."""


def _whole(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int:
        raise InvalidRequest(f"{name} must be a whole number, not {value!r}")
    if not least <= value <= most:
        raise InvalidRequest(f"{name} must be between {least} and {most}, not {value}")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequest(f"{name} must be a text that is not empty, not {value!r}")


def _shaped(prefix: str, part: object) -> None:
    if wrong := misshapen(part):
        raise InvalidRequest(prefix + wrong)


def _amounts(name: str, amounts: Mapping[str, int], least: int) -> None:
    for key, amount in amounts.items():
        _text(f"a key of {name}", key)
        _whole(f"{name}[{key!r}]", amount, least, COST_MAX)


def _date(name: str, value: object) -> None:
    try:
        if not isinstance(value, str) or date.fromisoformat(value).isoformat() != value:
            raise ValueError
    except ValueError:
        raise InvalidRequest(f"{name} must be a date like 2026-03-12, not {value!r}") from None


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Work must begin between `opens` and `closes`, both included. It may end after `closes`."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        _whole("window.opens", self.opens, 0, MINUTES_MAX)
        _whole("window.closes", self.closes, 0, MINUTES_MAX)
        if self.closes < self.opens:
            raise InvalidRequest(f"window.closes ({self.closes}) is before window.opens ({self.opens})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lunch:
    """A break of `minutes`, begun between `earliest` and `latest`. It may interrupt a drive, never a job."""

    earliest: int
    latest: int
    minutes: int

    def __post_init__(self) -> None:
        _whole("lunch.earliest", self.earliest, 0, MINUTES_MAX)
        _whole("lunch.latest", self.latest, 0, MINUTES_MAX)
        _whole("lunch.minutes", self.minutes, 1, MINUTES_MAX)
        if self.latest < self.earliest:
            raise InvalidRequest(f"lunch.latest ({self.latest}) is before lunch.earliest ({self.earliest})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a person has decided about a visit that has not begun: who comes, when work starts, or both.

    A start takes the place of the job's windows; the other rules stay as they are.
    """

    technician: str | None = None
    start: int | None = None

    def __post_init__(self) -> None:
        _shaped("pinned.", self)
        if self.technician is None and self.start is None:
            raise InvalidRequest("pinned holds neither a technician nor a start")
        if self.start is not None:
            _whole("pinned.start", self.start, 0, MINUTES_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Technician:
    """Who goes: from `start_place` at `shift_start`, back at `end_place` by `shift_end`.

    overtime_max: so many minutes after `shift_end` are allowed, at `Weights.overtime_hour`.
    fair_minutes: this technician's even share of the day's work and driving, begun visits and setups
    included; more costs `Weights.uneven_hour`. None: any amount is fair. scheduler/fairness.py works it out.
    skills: name → level, from 1. parts: SKU → quantity on the van. `lunch` is None when none is due (any
    more). breaks: others beside it, of the same kind; all are had in the order of their times.
    bias: job id → extra cost of sending this technician to that job (a customer's dislike).
    valid_until: skill → the last day on which it counts, as 2026-03-12, where its certificate runs out.
    territories: the areas that are this technician's own, () for all. A job in another one costs the weights'
    other_territory, or with `stays` is out of the question.
    person: whose shift this is, where somebody has several in the request, on several days; "" for whom `id`
    names. Their minutes run on over midnight; they share one van, so all of them say the same `parts`.
    When the day has begun, `start_place` is where the technician is now and the request says `now`, or the
    visits begun so far are given as fixed jobs and the planner works the place out of them.
    """

    id: str
    start_place: int
    end_place: int
    shift_start: int
    shift_end: int
    overtime_max: int = 0
    lunch: Lunch | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    bias: Mapping[str, int] = field(default_factory=dict)
    fair_minutes: int | None = None
    breaks: tuple[Lunch, ...] = ()
    valid_until: Mapping[str, str] = field(default_factory=dict)
    territories: tuple[str, ...] = ()
    stays: bool = False
    person: str = ""

    @property
    def whose(self) -> str:
        """Whose shift it is: jobs are tied, pinned and told to a person."""
        return self.person or self.id

    def __post_init__(self) -> None:
        _text("technician.id", self.id)
        name = f"technician {self.id}:"
        _shaped(f"{name} ", self)
        _whole(f"{name} start_place", self.start_place, 0, PLACES_MAX)
        _whole(f"{name} end_place", self.end_place, 0, PLACES_MAX)
        _whole(f"{name} shift_start", self.shift_start, 0, MINUTES_MAX)
        _whole(f"{name} shift_end", self.shift_end, 0, MINUTES_MAX)
        _whole(f"{name} overtime_max", self.overtime_max, 0, MINUTES_MAX)
        if self.shift_end <= self.shift_start:
            raise InvalidRequest(
                f"{name} shift_end ({self.shift_end}) is not after shift_start ({self.shift_start})"
            )
        if self.fair_minutes is not None:
            _whole(f"{name} fair_minutes", self.fair_minutes, 0, MINUTES_MAX)
        _amounts(f"{name} skills", self.skills, 1)
        _amounts(f"{name} parts", self.parts, 0)
        _amounts(f"{name} bias", self.bias, 0)
        for skill, until in self.valid_until.items():
            if skill not in self.skills:
                raise InvalidRequest(f"{name} valid_until names {skill}, which is not among skills")
            _date(f"{name} valid_until[{skill!r}]", until)
        for territory in self.territories:
            _text(f"{name} territories", territory)
        if self.stays and not self.territories:
            raise InvalidRequest(f"{name} stays needs territories to stay in")
        if self.lunch and not (
            self.shift_start <= self.lunch.latest
            and self.lunch.earliest + self.lunch.minutes <= self.shift_end
        ):
            raise InvalidRequest(f"{name} lunch does not fit into the shift")
        minute, latest = self.shift_start, 0
        for rest in self.rests if self.breaks else ():
            minute = max(minute, rest.earliest)
            if minute > rest.latest or minute + rest.minutes > self.shift_end or rest.latest < latest:
                raise InvalidRequest(f"{name} lunch and breaks do not fit into the shift one after another")
            minute, latest = minute + rest.minutes, rest.latest

    @property
    def rests(self) -> tuple[Lunch, ...]:
        """Lunch and breaks in the order in which they are had."""
        every = (self.lunch, *self.breaks) if self.lunch else self.breaks
        return tuple(sorted(every, key=lambda rest: (rest.earliest, rest.latest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Work may begin only when `job` has ended, whoever does it.

    gap_least, gap_most: minutes from its end to this begin, at least and at most (None: as many as you like).
    """

    job: str
    gap_least: int = 0
    gap_most: int | None = None

    def __post_init__(self) -> None:
        _text("after.job", self.job)
        _whole("after.gap_least", self.gap_least, 0, MINUTES_MAX)
        if self.gap_most is not None:
            _whole("after.gap_most", self.gap_most, 0, MINUTES_MAX)
            if self.gap_most < self.gap_least:
                raise InvalidRequest(
                    f"after.gap_most ({self.gap_most}) is less than after.gap_least ({self.gap_least})"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work at one place for one technician.

    skills: name → least level. parts: SKU → quantity that must be on the van (equipment models and parts
    alike). windows: promises to the customer, kept or the job is not planned; () means any time.
    setup_minutes: time on site before `minutes`. Right after a visit at the same place only what this one
    takes longer is added: together they take the longer one. Window, `fixed_start` and `previous_start` speak
    of the arrival at work, which is the beginning of the setup. What a begun visit took for it is in its
    `minutes`.
    priority: 1 emergency … 4 can wait. drop_cost: what it costs to leave it undone; None takes the
    priority's. due: the SLA's minute by which the work should be finished; later is allowed and costs.
    technician: only this one may come (None: anyone able).
    fixed_start: the visit has begun (on the way, on site, finished) with `technician`, and its work began or
    will begin at this minute. It is a fact: it never moves, and no rule can refuse it. What it took from the
    van must be in `parts` only as long as the van's stock still counts it.
    previous_technician, previous_start: what people were told before; changing it costs.
    pinned: what a person has decided about it. territory: the area it lies in.
    preferred: windows that the customer would like; each minute that work starts outside them costs.
    together: jobs that name the same group begin at the same minute, each with another technician, or none of
    them is planned. Where one has begun, the others begin while it lasts.
    after: what must have ended before; its setup is in its `minutes`. Where one of these is not planned, this
    job is not planned either.
    """

    id: str
    place: int
    minutes: int
    skills: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    priority: int = 3
    drop_cost: int | None = None
    due: int | None = None
    technician: str | None = None
    fixed_start: int | None = None
    previous_technician: str | None = None
    previous_start: int | None = None
    setup_minutes: int = 0
    pinned: Pin | None = None
    territory: str | None = None
    preferred: tuple[Window, ...] = ()
    together: str | None = None
    after: tuple[After, ...] = ()

    def __post_init__(self) -> None:
        _text("job.id", self.id)
        name = f"job {self.id}:"
        _shaped(f"{name} ", self)
        _whole(f"{name} place", self.place, 0, PLACES_MAX)
        _whole(f"{name} minutes", self.minutes, 0, MINUTES_MAX)
        _whole(f"{name} setup_minutes", self.setup_minutes, 0, MINUTES_MAX)
        _amounts(f"{name} skills", self.skills, 1)
        _amounts(f"{name} parts", self.parts, 1)
        if type(self.priority) is not int or self.priority not in PRIORITIES:
            raise InvalidRequest(f"{name} priority must be 1 (emergency) to 4, not {self.priority!r}")
        for field_name, value, most in (
            ("drop_cost", self.drop_cost, COST_MAX),
            ("due", self.due, MINUTES_MAX),
            ("fixed_start", self.fixed_start, MINUTES_MAX),
            ("previous_start", self.previous_start, MINUTES_MAX),
        ):
            if value is not None:
                _whole(f"{name} {field_name}", value, 0, most)
        if self.fixed_start is not None and self.technician is None:
            raise InvalidRequest(f"{name} fixed_start needs technician: a visit that began has someone on it")
        if self.fixed_start is not None and self.pinned is not None:
            raise InvalidRequest(f"{name} pinned and fixed_start: what has begun can't be pinned any more")
        if self.territory is not None:
            _text(f"{name} territory", self.territory)
        for field_name, windows in (("windows", self.windows), ("preferred", self.preferred)):
            for before, after in pairwise(windows):
                if after.opens <= before.closes:
                    raise InvalidRequest(
                        f"{name} {field_name} overlap or are out of order at minute {after.opens}"
                    )
        if self.together is not None:
            _text(f"{name} together", self.together)


@dataclass(frozen=True, kw_only=True)
class TravelMatrix:
    """Drives between places: `seconds[i][j]` and `metres[i][j]` from place i to place j, both of shape (n,
    n).

    engine: who measured it ("crow", "roads …"); estimated: True when no road was looked at.
    """

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]
    engine: str
    estimated: bool

    def __post_init__(self) -> None:
        _shaped("travel.", self)
        places = len(self.seconds)
        for name, rows in (("travel.seconds", self.seconds), ("travel.metres", self.metres)):
            if len(rows) != places:
                raise InvalidRequest(f"{name} has {len(rows)} rows, travel.seconds has {places}")
            for i, row in enumerate(rows):
                if len(row) != places:
                    raise InvalidRequest(
                        f"{name}[{i}] has {len(row)} entries, not {places}: it must be square"
                    )
                for j, value in enumerate(row):
                    if type(value) is not int or not 0 <= value <= SECONDS_MAX * 30:
                        raise InvalidRequest(
                            f"{name}[{i}][{j}] must be a whole number from 0 up, not {value!r}"
                        )

    def __len__(self) -> int:
        return len(self.seconds)

    # A day is looked at again and again over the same drives: what takes a million steps is done once.

    @cached_property
    def _arrays(self) -> "tuple[Matrix, Matrix]":
        import numpy as np

        shape = (len(self), len(self))
        return np.array(self.seconds, np.int64).reshape(shape), np.array(self.metres, np.int64).reshape(shape)

    @cached_property
    def in_minutes(self) -> "tuple[Matrix, list[list[int]]]":
        """Whole minutes from place to place, rounded up, as an array and as lists."""
        minutes = -(-self._arrays[0] // 60)
        return minutes, minutes.tolist()

    @cached_property
    def _prices(self) -> "dict[tuple[int, int], tuple[Matrix, list[list[int]]]]":
        return {}

    def priced(self, weights: "Weights") -> "tuple[Matrix, list[list[int]]]":
        """What each drive costs in cents, as an array and as lists."""
        key = (weights.drive_hour, weights.drive_km)
        if key not in self._prices:
            costs = weights.drive(*self._arrays)
            self._prices[key] = costs, costs.tolist()
        return self._prices[key]

    def minutes(self, i: int, j: int) -> int:
        """Whole minutes from place i to place j, rounded up: a plan never promises a drive it can't keep."""
        return -(-self.seconds[i][j] // 60)

    @classmethod
    def of(
        cls,
        seconds: Iterable[Sequence[float]],
        metres: Iterable[Sequence[float]],
        *,
        engine: str,
        estimated: bool,
    ) -> "TravelMatrix":
        """Build from lists or numpy arrays, rounding. Raises InvalidRequest on NaN or infinity."""
        return cls(
            seconds=_rounded("travel.seconds", seconds),
            metres=_rounded("travel.metres", metres),
            engine=engine,
            estimated=estimated,
        )


def _rounded(name: str, rows: Iterable[Sequence[float]]) -> tuple[tuple[int, ...], ...]:
    out = []
    for i, row in enumerate(rows):
        try:
            out.append(tuple(round(float(value)) for value in row))
        except (ValueError, OverflowError, TypeError) as error:
            raise InvalidRequest(
                f"{name}[{i}] holds something that is not a finite number: {error}"
            ) from error
    return tuple(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What things cost, in cents. The defaults suit a van with one person in a town."""

    drive_hour: int = 6_000  # the technician's and the van's time
    drive_km: int = 30
    late_minute: int = 100  # each minute a visit ends after its SLA's `due`
    later_minute: int = 20  # each minute a visit begins later than the customer was told before
    other_technician: int = 2_000  # the visit goes to another technician than planned before
    overtime_hour: int = 9_000  # on duty after the shift's end
    uneven_hour: int = 1_500  # work and driving beyond a technician's `fair_minutes`, waiting not counted
    other_territory: int = 2_500  # the visit goes to a technician outside of their territories
    unpreferred_minute: int = 5  # each minute a visit begins outside the windows its customer would like
    unpinned: int = 1_000_000  # a visit that a person has pinned is left undone, on top of its priority's
    unserved: tuple[int, int, int, int] = (400_000, 160_000, 80_000, 40_000)  # by priority 1 to 4

    def __post_init__(self) -> None:
        _shaped("weights.", self)
        for weight in fields(self):
            if weight.name != "unserved":
                _whole(f"weights.{weight.name}", getattr(self, weight.name), 0, COST_MAX)
        if len(self.unserved) != len(PRIORITIES):
            raise InvalidRequest(f"weights.unserved needs four costs, one a priority, not {self.unserved!r}")
        for priority, cost in zip(PRIORITIES, self.unserved, strict=True):
            _whole(f"weights.unserved of priority {priority}", cost, 0, COST_MAX)

    def drive(self, seconds: Amount, metres: Amount) -> Amount:
        """Cost of one drive, in cents; or of many, given as whole numbers in arrays of one shape."""
        return (seconds * self.drive_hour * 10 + metres * self.drive_km * 36 + 18_000) // 36_000

    def leave_undone(self, job: Job) -> int:
        """Cost of not serving `job` today, in cents."""
        cost = self.unserved[job.priority - 1] if job.drop_cost is None else job.drop_cost
        return cost + self.unpinned if job.pinned else cost


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """One day to plan. Raises InvalidRequest naming the field when the parts don't fit together.

    now: nothing that has not begun may start before this minute (0: the whole day is still ahead).
    day: the date of minute 0, as 2026-03-12; "" where no certificate has to be held against it.
    pace: for each of the 24 hours, how fast one drives, in thousandths of what `travel` says: at 500 a drive
    takes twice as long (scheduler/pace.py). It changes when visits are, not what a drive costs, and
    `travel_minutes` of the plan remain those of `travel`. (): the same at all hours.
    """

    technicians: tuple[Technician, ...]
    jobs: tuple[Job, ...]
    travel: TravelMatrix
    weights: Weights = Weights()
    now: int = 0
    day: str = ""
    pace: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _shaped("", self)
        _whole("now", self.now, 0, MINUTES_MAX)
        if self.day:
            _date("day", self.day)
        if self.pace and len(self.pace) != HOURS:
            raise InvalidRequest(
                f"pace must have {HOURS} entries, one an hour, or none, not {len(self.pace)}"
            )
        for hour, pace in enumerate(self.pace):
            _whole(f"pace[{hour}]", pace, PACE_MIN, PACE_MAX)
        if not self.technicians:
            raise InvalidRequest("technicians is empty: nobody to plan for")
        shifts = _unique("technicians", [t.id for t in self.technicians])
        people = shifts | {t.whose for t in self.technicians}
        _one_van_each(self.technicians)
        if len(self.jobs) > JOBS_MAX:
            raise InvalidRequest(
                f"jobs holds {len(self.jobs)}, at most {JOBS_MAX} are planned at once: plan by day or by area"
            )
        jobs = _unique("jobs", [j.id for j in self.jobs])
        places = len(self.travel)
        for person in self.technicians:
            if person.valid_until and not self.day:
                raise InvalidRequest(f"technician {person.id}: valid_until needs the request's day")
            for name, place in (("start_place", person.start_place), ("end_place", person.end_place)):
                if place >= places:
                    raise InvalidRequest(
                        f"technician {person.id}: {name} {place} is not among {places} places"
                    )
            if unknown := sorted(set(person.bias) - jobs):
                raise InvalidRequest(f"technician {person.id}: bias names the unknown job {unknown[0]}")
        for job in self.jobs:
            if job.place >= places:
                raise InvalidRequest(f"job {job.id}: place {job.place} is not among {places} places")
            if job.technician is not None and job.technician not in people:
                raise InvalidRequest(f"job {job.id}: technician {job.technician} is unknown")
            if job.fixed_start is not None and job.technician not in shifts:
                raise InvalidRequest(f"job {job.id}: fixed_start needs the shift it began in as technician")
            if job.pinned and job.pinned.technician not in (None, *people):
                raise InvalidRequest(f"job {job.id}: pinned.technician {job.pinned.technician} is unknown")
        if wrong := contradiction(self.jobs, len(self.technicians)):
            raise InvalidRequest(wrong)


def _one_van_each(technicians: Sequence[Technician]) -> None:
    shifts: dict[str, list[Technician]] = {}
    for one in technicians:
        shifts.setdefault(one.whose, []).append(one)
    for person, own in shifts.items():
        own.sort(key=lambda shift: shift.shift_start)
        for before, after in pairwise(own):
            if after.shift_start < before.shift_end + before.overtime_max:
                raise InvalidRequest(f"technician {after.id}: is on shift as {before.id} at the same time")
            if dict(after.parts) != dict(before.parts):
                raise InvalidRequest(
                    f"technician {after.id}: parts differ from {before.id}'s, {person} has one van"
                )


def _unique(name: str, ids: Sequence[str]) -> set[str]:
    seen: set[str] = set()
    for value in ids:
        if value in seen:
            raise InvalidRequest(f"{name} holds the id {value} twice")
        seen.add(value)
    return seen
