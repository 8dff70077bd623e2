"""What the solver answers: who visits what and when, what stays undone and why, and what the day costs."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

PLAN_VERSION = 1

ReasonCode = Literal[
    "no_technician",  # the job is tied to a technician who can't do it
    "skill",  # nobody has the skill at the level
    "pinned",  # a person has pinned it to a technician or a time that can't be
    "territory",  # whoever else could do it stays in their own territory
    "certificate",  # who has the skill has it by a certificate that ran out before that day
    "parts",  # nobody able has the parts on the van
    "time",  # nobody able can be there in the window within the shift, even on an empty day
    "day_full",  # someone could, but the visits already planned leave no room
    "too_costly",  # there is room, but the detour costs more than leaving it undone
    "linked",  # a visit that it must begin with, or wait for, stands in the way
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stop. `travel_minutes` and `travel_metres` are the drive that leads to it; setup_minutes, of those
    between `start` and `end`, are for setting up.
    """

    job_id: str
    arrive: int
    start: int
    end: int
    travel_minutes: int
    travel_metres: int
    fixed: bool = False  # it has begun: a fact, not a proposal
    setup_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One technician's day in order. `back` is the arrival at the end place; totals include that last drive.

    `leave` is when to set off for the first visit, as late as that visit allows. `lunch_start` is None when
    the request has no lunch for this technician or there are no visits at all. break_starts: one for each of
    the technician's `breaks`, where there are visits; those that can wait until the day is over have one too.
    """

    technician_id: str
    visits: tuple[Visit, ...] = ()
    leave: int
    back: int
    lunch_start: int | None = None
    travel_minutes: int = 0
    travel_seconds: int = 0
    travel_metres: int = 0
    break_starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """A job left undone; `reason` is a sentence with the numbers, for the dispatcher."""

    job_id: str
    code: ReasonCode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the day costs, in cents, by cause."""

    travel: int = 0
    late: int = 0  # ends after the SLA's due minute
    later: int = 0  # begins later than told before
    moved: int = 0  # goes to another technician than told before
    bias: int = 0
    territory: int = 0  # goes to a technician outside of their territories
    preferred: int = 0  # begins outside the windows its customer would like
    unserved: int = 0
    overtime: int = 0  # home after the shift's end
    uneven: int = 0  # more work and driving than an even share

    @property
    def total(self) -> int:
        chosen = self.moved + self.bias + self.territory + self.preferred
        day = self.overtime + self.uneven
        return self.travel + self.late + self.later + chosen + day + self.unserved

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Cost)})

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(**{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(Cost)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One route a technician, in the request's order; every job is in exactly one route or in `unassigned`.

    engine: what found the plan ("greedy", "ortools-ils" …); roads and roads_estimated come from the travel
    matrix.
    """

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    cost: Cost
    engine: str
    roads: str
    roads_estimated: bool
    seed: int
    version: int = PLAN_VERSION

    def visits(self) -> Iterator[tuple[str, Visit]]:
        """Every visit with its technician's id."""
        for route in self.routes:
            for visit in route.visits:
                yield route.technician_id, visit
