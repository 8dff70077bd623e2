"""When each visit of a route happens: the one place that turns an order of jobs into times and costs.

`Day` holds the request as plain lists, so that trying an order is quick. Visits that have begun are facts:
they form a fixed beginning of their technician's route, and everything else is planned after it; so nothing
that looks for better plans can move them.

A visit starts as early as it can. For a given order the earliest times are also the cheapest but for two
choices: where to have lunch, and whether to wait for the hours that a customer prefers. Two clocks run side
by side, lunch still to come and lunch had, and the first becomes the second on the drive where lunch costs
least time. Should that make visits late for their promise, `timed` tries lunch on every other drive as well;
and it lets those who would come before the hours preferred wait for them, where that costs less. Where other
breaks are due beside lunch, or the hours differ in traffic, scheduler/walk.py does the same in general.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scheduler.duty import home_by, overtime, setup_after, uneven
from scheduler.pace import HOURS, STEADY, Pace
from scheduler.plan import Cost, Plan, Route, Unassigned, Visit
from scheduler.policy import BrokenRule, Policy, Wants
from scheduler.request import PlanRequest, Technician
from scheduler.walk import Rest, Stop, TooLate, Walk, earliest, resting_on

if TYPE_CHECKING:
    from scheduler.links import Links

NEVER = 1 << 40
Starts = list[tuple[tuple[int, int], ...]]  # job → the spans in which it may begin, first and last minute
LunchRule = tuple[int, int, int]  # earliest start, latest start, minutes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when a technician is free for what has not begun: after the jobs of `begun`, in order.

    site, set_up: where the last of them was and how long its setup takes, for a visit there shares it.
    """

    place: int
    minute: int
    begun: tuple[int, ...]
    lunch: LunchRule | None
    parts: dict[str, int]  # what is left on the van for jobs that have not begun
    site: int | None
    set_up: int
    rests: tuple[Rest, ...]  # lunch and breaks in their order


@dataclass(frozen=True, slots=True)
class Times:
    """Starts of a route's planned jobs; `lunch_leg` is the drive (0: to the first) that has lunch."""

    starts: tuple[int, ...]
    back: int
    lunch_leg: int | None
    lunch_start: int | None
    rests: tuple[tuple[int | None, int], ...] = ()
    """Instead of these two, with other breaks or traffic: drive (None: when home) and start of each."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """The first thing in an order that can't be: it would be at `minute`, the latest allowed is `limit`."""

    kind: Literal["window", "shift", "lunch"]
    job: int | None
    minute: int
    limit: int


class Day:
    """A request as plain lists. Jobs and technicians are numbers: their place in the request."""

    def __init__(self, request: PlanRequest) -> None:
        self.request = request
        self.policy = Policy.of(request)
        self.technicians = request.technicians
        self.jobs = request.jobs
        self.job_number = {job.id: number for number, job in enumerate(request.jobs)}
        self.technician_number = {person.id: number for number, person in enumerate(request.technicians)}
        travel, weights = request.travel, request.weights
        # Of each two forms: arrays for the compiled search, lists where single values are asked for.
        self.all_minutes, self.minutes = travel.in_minutes
        self.all_drive_costs, self.drive_cost = travel.priced(weights)
        self.windows: Starts = [self.policy.starts(job) or ((0, NEVER),) for job in request.jobs]
        self.pace = Pace(request.pace) if any(pace != STEADY for pace in request.pace) else None
        self.undone = [weights.leave_undone(job) for job in request.jobs]
        first: dict[str, int] = {}
        # Shifts of one person share a van: it has the number of the first of them.
        self.van = tuple(first.setdefault(p.whose, n) for n, p in enumerate(request.technicians))
        self.vans_shared = len(first) < len(request.technicians)
        self.origins = tuple(self._origin(person) for person in request.technicians)
        self.open_jobs = tuple(n for n, job in enumerate(request.jobs) if job.fixed_start is None)
        # Where visits depend on each other: `windows` then hold them to what these say (scheduler/links.py).
        self.links: Links | None = None
        self.starts: dict[int, int] = {}
        self._suits: dict[tuple[int, Wants], bool] = {}
        self._wants = [self.policy.wants(job) for job in request.jobs]

    def _origin(self, person: Technician) -> Origin:
        begun = sorted(
            (job.fixed_start, job.minutes, number)
            for number, job in enumerate(self.jobs)
            if job.fixed_start is not None and job.technician == person.id
        )
        place, minute = person.start_place, max(person.shift_start, self.request.now)
        parts = dict(person.parts)
        for start, minutes, number in begun:
            place, minute = self.jobs[number].place, max(minute, start + minutes)
        own = {shift.id for shift in self.technicians if shift.whose == person.whose}
        for job in self.jobs:
            if job.fixed_start is not None and job.technician in own:
                for sku, quantity in job.parts.items():
                    parts[sku] = max(0, parts.get(sku, 0) - quantity)
        rests, clock = [], minute
        for rest in person.rests:
            # Work that overran lunch time is a fact too: then lunch comes as soon as it can.
            clock = max(clock, rest.earliest)
            rests.append((rest.earliest, max(rest.latest, clock), rest.minutes))
            clock += rest.minutes
        lunch = rests[0] if rests and not person.breaks and not self.pace else None
        site, set_up = (place, self.jobs[begun[-1][2]].setup_minutes) if begun else (None, 0)
        return Origin(
            place, minute, tuple(number for _, _, number in begun), lunch, parts, site, set_up, tuple(rests)
        )

    def times(self, technician: int, order: Sequence[int], windows: Starts | None = None) -> Times | Misfit:
        """Time the jobs of `order` (none of them begun) after the technician's origin.

        windows: other spans than their own to begin in, job by job.
        """
        if self.pace or self.technicians[technician].breaks:
            return self._walked(technician, order, windows)
        origin = self.origins[technician]
        minutes, jobs, windows = self.minutes, self.jobs, windows or self.windows
        earliest, latest, length = origin.lunch or (0, 0, 0)
        hungry = origin.minute if origin.lunch else NEVER  # free to leave, lunch still to come
        fed = NEVER if origin.lunch else origin.minute  # free to leave, lunch had (or none due)
        fed_leg = None
        place, site, set_up = origin.place, origin.site, origin.set_up
        hungry_starts: list[int] = []
        fed_starts: list[int] = []
        legs: list[int | None] = []
        for leg, number in enumerate(order):
            job = jobs[number]
            drive = minutes[place][job.place]
            place = job.place
            before, fed = fed, fed + drive
            if hungry <= latest:
                lunched = max(hungry + drive, earliest) + length
                if lunched < fed:
                    fed, fed_leg = lunched, leg
            elif before >= NEVER:
                return Misfit("lunch", number, hungry, latest)
            hungry += drive
            arrival = min(hungry, fed)
            hungry = self._start(windows[number], hungry)
            fed = self._start(windows[number], fed)
            if hungry >= NEVER and fed >= NEVER:
                return Misfit("window", number, arrival, windows[number][-1][1])
            hungry_starts.append(hungry)
            fed_starts.append(fed)
            legs.append(fed_leg)
            stay = job.minutes
            if job.setup_minutes:
                stay += setup_after(job, site, set_up)
            site, set_up = place, job.setup_minutes
            hungry, fed = min(NEVER, hungry + stay), min(NEVER, fed + stay)
        person = self.technicians[technician]
        drive = minutes[place][person.end_place] if order or origin.begun else 0
        limit = home_by(person) if order else NEVER
        back = hungry + drive
        if origin.lunch and back <= min(latest, limit):
            return Times(tuple(hungry_starts), back, None, max(back, earliest))
        last = len(order)
        fed += drive
        if hungry <= latest and (lunched := max(hungry + drive, earliest) + length) < fed:
            fed, fed_leg = lunched, last
        if fed >= NEVER:
            return Misfit("lunch", None, hungry, latest)
        if fed > limit:
            return Misfit("shift", None, fed, limit)
        if fed_leg is None:
            return Times(tuple(fed_starts), fed, None, None)
        freed = (
            origin.minute
            if fed_leg == 0
            else hungry_starts[fed_leg - 1] + self.stay(technician, order, fed_leg - 1)
        )
        starts = (*hungry_starts[:fed_leg], *fed_starts[fed_leg:])
        return Times(starts, fed, fed_leg, max(freed, earliest))

    def timed(self, technician: int, order: Sequence[int]) -> tuple[Times, Cost] | Misfit:
        """Time `order` at the least cost, and say that cost."""
        times = self.times(technician, order)
        if isinstance(times, Misfit):
            return times
        cost = self.cost(technician, order, times)
        if self.origins[technician].lunch and (cost.late or cost.later or cost.preferred):
            for leg in range(len(order) + 1):
                if other := self._lunching_on(technician, order, leg):
                    dearer = self.cost(technician, order, other)
                    if dearer.total < cost.total:
                        times, cost = other, dearer
        for number in range(len(times.rests)) if cost.late or cost.later else ():
            for leg in range(len(order) + 1):
                if moved := self._resting_on(technician, order, times, number, leg):
                    dearer = self.cost(technician, order, moved)
                    if dearer.total < cost.total:
                        times, cost = moved, dearer
        return self._waiting(technician, order, times, cost) if cost.preferred else (times, cost)

    def _waiting(self, technician: int, order: Sequence[int], times: Times, cost: Cost) -> tuple[Times, Cost]:
        """Let a visit that could begin too early for its customer's liking wait, where that costs less."""
        windows = list(self.windows)
        for at in reversed(range(len(order))):
            number, start = order[at], times.starts[at]
            liked = self.jobs[number].preferred
            later = [w.opens for w in liked if w.opens > start]
            if not later or any(w.opens <= start <= w.closes for w in liked):
                continue
            before = windows[number]
            narrowed = tuple((max(a, later[0]), b) for a, b in before if b >= later[0])
            if not narrowed:
                continue
            windows[number] = narrowed
            waited = self.times(technician, order, windows)
            less = self.cost(technician, order, waited) if isinstance(waited, Times) else cost
            if isinstance(waited, Times) and less.total < cost.total:
                times, cost = waited, less
            else:
                windows[number] = before
        return times, cost

    def _stops(
        self, technician: int, order: Sequence[int], windows: Starts | None = None
    ) -> tuple[list[Stop], int]:
        """The visits of a route as stops, and the drive home."""
        origin, person = self.origins[technician], self.technicians[technician]
        place, stops, windows = origin.place, [], windows or self.windows
        for position, number in enumerate(order):
            there = self.jobs[number].place
            stay = self.stay(technician, order, position)
            stops.append(Stop(self.minutes[place][there], windows[number], stay))
            place = there
        return stops, self.minutes[place][person.end_place] if order or origin.begun else 0

    def _walked(self, technician: int, order: Sequence[int], windows: Starts | None) -> Times | Misfit:
        """`times` with any number of breaks, and traffic."""
        origin, person = self.origins[technician], self.technicians[technician]
        stops, home = self._stops(technician, order, windows)
        limit = home_by(person) if order else NEVER
        walk = earliest(origin.minute, origin.rests, stops, home, limit, self.pace)
        if isinstance(walk, TooLate):
            return Misfit(walk.kind, None if walk.at is None else order[walk.at], walk.minute, walk.limit)
        return self._times_of(origin, walk)

    def _resting_on(
        self, technician: int, order: Sequence[int], times: Times, number: int, leg: int
    ) -> Times | None:
        """`times` with one of its breaks on another drive, or None where that can't be."""
        legs = [at for at, _ in times.rests if at is not None]
        if number >= len(legs):
            return None
        before, after = legs[:number][-1:] or [0], legs[number + 1 :][:1] or [leg]
        if not before[0] <= leg <= after[0]:
            return None
        legs[number] = leg
        origin, person = self.origins[technician], self.technicians[technician]
        stops, home = self._stops(technician, order)
        walk = resting_on(origin.minute, origin.rests, stops, home, home_by(person), self.pace, legs)
        return self._times_of(origin, walk) if walk else None

    @staticmethod
    def _times_of(origin: Origin, walk: Walk) -> Times:
        later = [(None, max(walk.minute, rest[0])) for rest in origin.rests[len(walk.rests) :]]
        return Times(walk.starts, walk.minute, None, None, (*walk.rests, *later))

    def _lunching_on(self, technician: int, order: Sequence[int], lunch_leg: int) -> Times | None:
        """Time `order` with lunch on the given drive, or return None where that can't be."""
        origin, person = self.origins[technician], self.technicians[technician]
        assert origin.lunch
        earliest, latest, length = origin.lunch
        clock, place, lunch_start = origin.minute, origin.place, 0
        starts = []
        for leg in range(len(order) + 1):
            there = self.jobs[order[leg]].place if leg < len(order) else person.end_place
            arrival = clock + self.minutes[place][there]
            if leg == lunch_leg:
                lunch_start = max(clock, earliest)
                if lunch_start > latest:
                    return None
                arrival = max(arrival, earliest) + length
            clock, place = arrival, there
            if leg < len(order):
                clock = self._start(self.windows[order[leg]], clock)
                if clock >= NEVER:
                    return None
                starts.append(clock)
                clock += self.stay(technician, order, leg)
        return Times(tuple(starts), clock, lunch_leg, lunch_start) if clock <= home_by(person) else None

    def stay(self, technician: int, order: Sequence[int], position: int) -> int:
        """Minutes from the start of a visit of `order` to its end: work, and setup unless it is shared."""
        job = self.jobs[order[position]]
        if position:
            before = self.jobs[order[position - 1]]
            return job.minutes + setup_after(job, before.place, before.setup_minutes)
        origin = self.origins[technician]
        return job.minutes + setup_after(job, origin.site, origin.set_up)

    @staticmethod
    def _start(windows: tuple[tuple[int, int], ...], arrival: int) -> int:
        for opens, closes in windows:
            if arrival <= closes:
                return max(arrival, opens)
        return NEVER

    def cost(self, technician: int, order: Sequence[int], times: Times) -> Cost:
        """What a route costs, begun visits included, in cents."""
        origin = self.origins[technician]
        policy, weights, person = self.policy, self.request.weights, self.technicians[technician]
        if not order and not origin.begun:
            return Cost()
        begun_starts = [self.jobs[number].fixed_start or 0 for number in origin.begun]
        travel = late = later = moved = bias = territory = preferred = 0
        place, site, set_up = person.start_place, origin.site, origin.set_up
        for number, start in zip((*origin.begun, *order), (*begun_starts, *times.starts), strict=True):
            job = self.jobs[number]
            travel += self.drive_cost[place][job.place]
            place = job.place
            end = start + job.minutes
            if job.fixed_start is None:
                end += setup_after(job, site, set_up)
                site, set_up = place, job.setup_minutes
            if job.due is not None and end > job.due:
                late += (end - job.due) * weights.late_minute
            if job.previous_start is not None and start > job.previous_start:
                later += (start - job.previous_start) * weights.later_minute
            moved += policy.moved(person, job)
            bias += policy.bias(person, job)
            territory += policy.territory(person, job)
            preferred += policy.preferred(job, start)
        travel += self.drive_cost[place][person.end_place]
        return Cost(
            travel=travel,
            late=late,
            later=later,
            moved=moved,
            bias=bias,
            territory=territory,
            preferred=preferred,
            overtime=overtime(person, weights, times.back),
            uneven=0
            if person.fair_minutes is None
            else uneven(person, weights, self.busy(technician, order)),
        )

    def busy_before(self, technician: int) -> int:
        """Minutes of work and driving of the visits that have begun."""
        begun = [self.jobs[number] for number in self.origins[technician].begun]
        places = [self.technicians[technician].start_place, *(job.place for job in begun)]
        drives = sum(self.minutes[i][j] for i, j in itertools.pairwise(places))
        return drives + sum(job.minutes for job in begun)

    def busy(self, technician: int, order: Sequence[int]) -> int:
        """Minutes of work, setup and driving of a route, begun visits included."""
        origin, person = self.origins[technician], self.technicians[technician]
        if not order and not origin.begun:
            return 0
        places = [origin.place, *(self.jobs[number].place for number in order), person.end_place]
        drives = sum(self.minutes[i][j] for i, j in itertools.pairwise(places))
        stays = sum(self.stay(technician, order, position) for position in range(len(order)))
        return self.busy_before(technician) + drives + stays

    def broken(self, technician: int, job: int) -> list[BrokenRule]:
        """Rules on the person and the van that forbid it, whatever the time and other jobs."""
        parts = self.origins[technician].parts
        return self.policy.broken(self.technicians[technician], self.jobs[job], parts)

    def may_go(self, technician: int, job: int) -> bool:
        """Whether person and van suit the job, the clock and other jobs left aside: nothing is `broken`."""
        person, wanted = self.technicians[technician], self.jobs[job]
        if not self.policy.free_to(person, wanted):
            return False
        # Days have thousands of jobs and few kinds of wants.
        known = self._suits.get(key := (technician, self._wants[job]))
        if known is None:
            parts = self.origins[technician].parts
            known = self._suits[key] = self.policy.suits(person, wanted, parts)
        return known

    def on_the_van(
        self, technician: int, order: Sequence[int], orders: Sequence[Sequence[int]] | None = None
    ) -> list[int]:
        """`order`, and what `orders` hold for other shifts of the same person: all that one van carries."""
        if not self.vans_shared or orders is None:
            return list(order)
        van = self.van[technician]
        return [
            *order,
            *(n for t, o in enumerate(orders) if t != technician and self.van[t] == van for n in o),
        ]

    def parts_suffice(
        self, technician: int, order: Sequence[int], orders: Sequence[Sequence[int]] | None = None
    ) -> bool:
        """Whether the van carries enough for `order`, and for other shifts of its person in `orders`."""
        jobs = (self.jobs[number] for number in self.on_the_van(technician, order, orders))
        return self.policy.short_of(self.origins[technician].parts, jobs) is None

    def previous_orders(self) -> list[list[int]]:
        """The plan people were told before, as far as the jobs remember it: one order a technician."""
        told: list[list[tuple[int, int]]] = [[] for _ in self.technicians]
        for number in self.open_jobs:
            job = self.jobs[number]
            if job.previous_technician is not None and job.previous_start is not None:
                shift = self._shift_of(job.previous_technician, job.previous_start)
                if shift is not None:
                    told[shift].append((job.previous_start, number))
        return [[number for _, number in sorted(visits)] for visits in told]

    def _shift_of(self, name: str, minute: int) -> int | None:
        """Of the person so named the last shift that has begun by `minute`, else the first; or the shift."""
        own = sorted((p.shift_start, n) for n, p in enumerate(self.technicians) if p.whose == name)
        if not own:
            return self.technician_number.get(name)
        return max([one for one in own if one[0] <= minute] or own[:1])[1]

    def orders_of(self, plan: Plan) -> list[list[int]]:
        """What of `plan` has not begun and is still in the request: one order a technician of the request."""
        orders: list[list[int]] = [[] for _ in self.technicians]
        for person, visit in plan.visits():
            number = self.job_number.get(visit.job_id)
            known = person in self.technician_number
            if known and number is not None and self.jobs[number].fixed_start is None:
                orders[self.technician_number[person]].append(number)
        return orders

    def route(self, technician: int, order: Sequence[int], times: Times) -> Route:
        """Write the route out, visit by visit."""
        origin, person = self.origins[technician], self.technicians[technician]
        travel = self.request.travel
        if not order and not origin.begun:
            return Route(technician_id=person.id, leave=person.shift_start, back=person.shift_start)
        visits: list[Visit] = []
        place, seconds, metres = person.start_place, 0, 0
        freed = origin.minute
        lunch = origin.lunch[2] if origin.lunch else 0
        leave: int | None = None
        for number in (*origin.begun, *order):
            job = self.jobs[number]
            drive = self.minutes[place][job.place]
            leg = len(visits) - len(origin.begun)
            stay = job.minutes if leg < 0 else self.stay(technician, order, leg)
            if leg < 0:
                start = arrive = job.fixed_start or 0
            else:
                start = times.starts[leg]
                arrive = freed + drive
                if times.rests or self.pace:
                    arrive, ready, lunch = self._arrival(technician, times, leg, freed, drive)
                    ready = ready if any(at == leg for at, _ in times.rests) else start
                elif leg != times.lunch_leg:
                    ready = start
                elif arrive > (times.lunch_start or 0):
                    arrive += lunch  # lunch interrupts the drive
                    ready = arrive
                else:
                    ready = times.lunch_start or 0  # lunch on site, before work
                if not visits:
                    arrive = max(arrive, ready)  # nobody sets off at dawn to sit in the van
            if leave is None:
                on_the_way = lunch if leg == times.lunch_leg and arrive > (times.lunch_start or 0) else 0
                if (times.rests or self.pace) and leg >= 0:
                    on_the_way = lunch
                leave = max(0, arrive - drive - on_the_way)
                if self.pace and leg >= 0:
                    leave = freed if lunch else self.pace.departure(arrive, drive * STEADY)
            seconds += travel.seconds[place][job.place]
            metres += travel.metres[place][job.place]
            visits.append(
                Visit(
                    job_id=job.id,
                    arrive=arrive,
                    start=start,
                    end=start + stay,
                    travel_minutes=drive,
                    travel_metres=travel.metres[place][job.place],
                    fixed=leg < 0,
                    setup_minutes=stay - job.minutes,
                )
            )
            place, freed = job.place, start + stay
            if leg < 0:
                freed = max(freed, origin.minute)
        lunch_start, break_starts = times.lunch_start, [0] * len(person.breaks)
        open_breaks = list(enumerate(person.breaks))
        lunch_left = person.lunch is not None
        for rest, (_, begins) in zip(person.rests, times.rests, strict=False):
            if lunch_left and rest is person.lunch:
                lunch_start, lunch_left = begins, False
            else:
                which = next(one for one in open_breaks if one[1] is rest)
                open_breaks.remove(which)
                break_starts[which[0]] = begins
        return Route(
            technician_id=person.id,
            visits=tuple(visits),
            leave=leave or 0,
            back=times.back,
            lunch_start=lunch_start,
            break_starts=tuple(break_starts),
            travel_minutes=sum(v.travel_minutes for v in visits) + self.minutes[place][person.end_place],
            travel_seconds=seconds + travel.seconds[place][person.end_place],
            travel_metres=metres + travel.metres[place][person.end_place],
        )

    def _arrival(
        self, technician: int, times: Times, leg: int, freed: int, drive: int
    ) -> tuple[int, int, int]:
        """Arrival, begin of a break on site before work (else the arrival), minutes of breaks on the way."""
        pace = self.pace or Pace((STEADY,) * HOURS)
        now, left, on_the_way = freed, drive * STEADY, 0
        for (at, begins), rest in zip(times.rests, self.origins[technician].rests, strict=True):
            if at == leg:
                if pace.arrival(now, left) <= begins:
                    return pace.arrival(now, left), begins, on_the_way
                left -= pace.driven(now, begins)
                now = begins + rest[2]
                on_the_way += rest[2]
        arrive = pace.arrival(now, left)
        return arrive, arrive, on_the_way

    def plan(
        self, orders: Sequence[Sequence[int]], unassigned: tuple[Unassigned, ...], *, engine: str, seed: int
    ) -> Plan:
        """Write a whole plan out. Every order must be feasible; ValueError otherwise, it is our mistake."""
        cost = Cost(unserved=sum(self.undone[self.job_number[left.job_id]] for left in unassigned))
        routes = []
        for technician, order in enumerate(orders):
            timed = self.timed(technician, order)
            if isinstance(timed, Misfit):
                raise ValueError(
                    f"route of technician {self.technicians[technician].id} does not fit: {timed}"
                )
            times, route_cost = timed
            cost += route_cost
            routes.append(self.route(technician, order, times))
        return Plan(
            routes=tuple(routes),
            unassigned=unassigned,
            cost=cost,
            engine=engine,
            roads=self.request.travel.engine,
            roads_estimated=self.request.travel.estimated,
            seed=seed,
        )
