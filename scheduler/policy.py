"""Who may do a job, and what that person costs beyond the drive: the one home of both.

The solver, the explanations, the places offered for one more job and the board's check of a hand's move all
ask here, so that they give the same answer in the same words. Each rule is a function of a `Pair` and yields
a sentence with the numbers for whatever breaks it; the clock is not its business (scheduler/timing.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from scheduler.plan import ReasonCode
from scheduler.request import Job, PlanRequest, Technician, Weights

DAY_MINUTES = 24 * 60
Wants = tuple[object, ...]
"""All of a job that its rules look at but for whom it is tied to: few kinds of it fill a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """One rule that forbids it; `text` names the numbers ("needs splice level 3, has 2")."""

    code: ReasonCode
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A technician and a job. parts: SKU → what is left on the van. day: when the shift begins, if known."""

    person: Technician
    job: Job
    parts: Mapping[str, int]
    day: date | None


Rule = Callable[[Pair], Iterator[BrokenRule]]


def tied(pair: Pair) -> Iterator[BrokenRule]:
    if pair.job.technician not in (None, pair.person.id, pair.person.whose):
        yield BrokenRule(code="no_technician", text=f"is tied to technician {pair.job.technician}")


def pinned(pair: Pair) -> Iterator[BrokenRule]:
    if pair.job.pinned and pair.job.pinned.technician not in (
        None,
        pair.person.id,
        pair.person.whose,
    ):
        yield BrokenRule(code="pinned", text=f"is pinned to technician {pair.job.pinned.technician}")


def at_home(person: Technician, job: Job) -> bool:
    """Whether the job lies where the technician belongs."""
    return job.territory is None or not person.territories or job.territory in person.territories


def stays(pair: Pair) -> Iterator[BrokenRule]:
    if pair.person.stays and not at_home(pair.person, pair.job):
        own = " and ".join(pair.person.territories)
        yield BrokenRule(code="territory", text=f"lies in {pair.job.territory}, stays in {own}")


def skilled(pair: Pair) -> Iterator[BrokenRule]:
    for name, level in sorted(pair.job.skills.items()):
        has = pair.person.skills.get(name, 0)
        if has < level:
            has_text = f"has {has}" if has else "has none"
            yield BrokenRule(code="skill", text=f"needs {name} level {level}, {has_text}")


def certified(pair: Pair) -> Iterator[BrokenRule]:
    """A skill whose certificate has run out by the day of the shift does not count."""
    for name in sorted(pair.job.skills):
        until = last_day(pair.person, name)
        if until and pair.day and until < pair.day:
            text = f"{name} certificate valid until {until:%d.%m.%Y}, the shift is on {pair.day:%d.%m.%Y}"
            yield BrokenRule(code="certificate", text=text)


def equipped(pair: Pair) -> Iterator[BrokenRule]:
    for sku, quantity in sorted(pair.job.parts.items()):
        has = pair.parts.get(sku, 0)
        if not has:
            yield BrokenRule(code="parts", text=f"no {sku} on the van, needs {quantity}")
        elif has < quantity:
            yield BrokenRule(code="parts", text=f"{has} × {sku} on the van, needs {quantity}")


TIES: tuple[Rule, ...] = (tied, pinned)
SUITS: tuple[Rule, ...] = (stays, skilled, certified, equipped)
RULES = TIES + SUITS


def last_day(person: Technician, skill: str) -> date | None:
    """The last day on which the skill counts; None: no end is known."""
    until = person.valid_until.get(skill)
    return date.fromisoformat(until) if until else None


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules and prices of one request. `day` is that of its minute 0. people: shift → whose it is."""

    weights: Weights
    day: date | None = None
    people: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: PlanRequest) -> "Policy":
        people = {person.id: person.whose for person in request.technicians}
        return cls(request.weights, date.fromisoformat(request.day) if request.day else None, people)

    def pair(self, person: Technician, job: Job, parts: Mapping[str, int]) -> Pair:
        return Pair(person, job, parts, self.day_of(person))

    def day_of(self, person: Technician) -> date | None:
        """The day on which a technician's shift begins."""
        return self.day + timedelta(days=person.shift_start // DAY_MINUTES) if self.day else None

    def broken(self, person: Technician, job: Job, parts: Mapping[str, int]) -> list[BrokenRule]:
        """Every rule on the person and the van that forbids it, whatever the time."""
        pair = self.pair(person, job, parts)
        return [broken for rule in RULES for broken in rule(pair)]

    def free_to(self, person: Technician, job: Job) -> bool:
        """Whether nobody else has been named for the job."""
        if job.technician is None and job.pinned is None:
            return True  # as nearly always, and this is asked a million times a day
        pair = Pair(person, job, {}, None)
        return not any(True for rule in TIES for _ in rule(pair))

    def suits(self, person: Technician, job: Job, parts: Mapping[str, int]) -> bool:
        """Whether person and van can do it: the same for all jobs of the same `wants`."""
        pair = self.pair(person, job, parts)
        return not any(True for rule in SUITS for _ in rule(pair))

    @staticmethod
    def only(job: Job) -> str | None:
        """The one technician who may come, where somebody has been named."""
        return job.pinned.technician if job.pinned and job.pinned.technician else job.technician

    @staticmethod
    def starts(job: Job) -> tuple[tuple[int, int], ...]:
        """(first, last) minute of each span in which work may begin; () for any time."""
        if job.pinned and job.pinned.start is not None:
            return ((job.pinned.start, job.pinned.start),)
        return tuple((w.opens, w.closes) for w in job.windows)

    @staticmethod
    def wants(job: Job) -> Wants:
        return tuple(sorted(job.skills.items())), tuple(sorted(job.parts.items())), job.territory

    @staticmethod
    def short_of(parts: Mapping[str, int], jobs: Iterable[Job]) -> str | None:
        """The first SKU of which a van with `parts` has too little for all of `jobs` together."""
        left = dict(parts)
        for job in jobs:
            for sku, quantity in job.parts.items():
                left[sku] = left.get(sku, 0) - quantity
                if left[sku] < 0:
                    return sku
        return None

    def moved(self, person: Technician, job: Job) -> int:
        """Cents for sending somebody else than was told before; another day of theirs is no matter."""
        if job.previous_technician is None:
            return 0
        told = self.people.get(job.previous_technician, job.previous_technician)
        return 0 if told == person.whose else self.weights.other_technician

    @staticmethod
    def bias(person: Technician, job: Job) -> int:
        return person.bias.get(job.id, 0)

    def territory(self, person: Technician, job: Job) -> int:
        """Cents for sending somebody out of their territories."""
        return 0 if at_home(person, job) else self.weights.other_territory

    def preferred(self, job: Job, start: int) -> int:
        """Cents for a start outside the windows that the customer would like."""
        if not job.preferred:
            return 0
        away = min(max(w.opens - start, start - w.closes, 0) for w in job.preferred)
        return away * self.weights.unpreferred_minute

    def extra(self, person: Technician, job: Job) -> int:
        """Cents for sending this technician, beyond drive and time."""
        return self.moved(person, job) + self.bias(person, job) + self.territory(person, job)
