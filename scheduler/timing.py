"""When each visit of a route happens: the one place that turns an order of jobs into times and costs.

`Day` holds the request as plain lists, so that trying an order is quick. Visits that have begun are facts:
they form a fixed beginning of their technician's route, and everything else is planned after it; so nothing
that looks for better plans can move them.

A visit starts as early as it can. Nothing in the costs rewards waiting, so for a given order the earliest
times are also the cheapest but for one choice: where to have lunch. Two clocks run side by side, lunch still
to come and lunch had, and the first becomes the second on the drive where lunch costs least time. Should that
make visits late for their promise, `timed` tries lunch on every other drive as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scheduler.plan import Cost, Plan, Route, Unassigned, Visit
from scheduler.policy import BrokenRule, Policy, Wants
from scheduler.request import PlanRequest, Technician

NEVER = 1 << 40
Starts = list[tuple[tuple[int, int], ...]]  # job → the spans in which it may begin, first and last minute
LunchRule = tuple[int, int, int]  # earliest start, latest start, minutes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when a technician is free for what has not begun: after the jobs of `begun`, in order."""

    place: int
    minute: int
    begun: tuple[int, ...]
    lunch: LunchRule | None
    parts: dict[str, int]  # what is left on the van for jobs that have not begun


@dataclass(frozen=True, slots=True)
class Times:
    """Starts of a route's planned jobs; `lunch_leg` is the drive (0: to the first) that has lunch."""

    starts: tuple[int, ...]
    back: int
    lunch_leg: int | None
    lunch_start: int | None


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
        self.undone = [weights.leave_undone(job) for job in request.jobs]
        first: dict[str, int] = {}
        # Shifts of one person share a van: it has the number of the first of them.
        self.van = tuple(first.setdefault(p.whose, n) for n, p in enumerate(request.technicians))
        self.vans_shared = len(first) < len(request.technicians)
        self.origins = tuple(self._origin(person) for person in request.technicians)
        self.open_jobs = tuple(n for n, job in enumerate(request.jobs) if job.fixed_start is None)
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
        lunch = None
        if person.lunch:
            # Work that overran lunch time is a fact too: then lunch comes as soon as it can.
            lunch = (person.lunch.earliest, max(person.lunch.latest, minute), person.lunch.minutes)
        return Origin(place, minute, tuple(number for _, _, number in begun), lunch, parts)

    def times(self, technician: int, order: Sequence[int], windows: Starts | None = None) -> Times | Misfit:
        """Time the jobs of `order` (none of them begun) after the technician's origin.

        windows: other spans than their own to begin in, job by job.
        """
        origin = self.origins[technician]
        minutes, jobs, windows = self.minutes, self.jobs, windows or self.windows
        earliest, latest, length = origin.lunch or (0, 0, 0)
        hungry = origin.minute if origin.lunch else NEVER  # free to leave, lunch still to come
        fed = NEVER if origin.lunch else origin.minute  # free to leave, lunch had (or none due)
        fed_leg = None
        place = origin.place
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
            hungry, fed = min(NEVER, hungry + job.minutes), min(NEVER, fed + job.minutes)
        person = self.technicians[technician]
        drive = minutes[place][person.end_place] if order or origin.begun else 0
        limit = person.shift_end if order else NEVER
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
            origin.minute if fed_leg == 0 else hungry_starts[fed_leg - 1] + jobs[order[fed_leg - 1]].minutes
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
                clock += self.jobs[order[leg]].minutes
        return Times(tuple(starts), clock, lunch_leg, lunch_start) if clock <= person.shift_end else None

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
        place = person.start_place
        for number, start in zip((*origin.begun, *order), (*begun_starts, *times.starts), strict=True):
            job = self.jobs[number]
            travel += self.drive_cost[place][job.place]
            place = job.place
            if job.due is not None and start + job.minutes > job.due:
                late += (start + job.minutes - job.due) * weights.late_minute
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
        )

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
            if leg < 0:
                start = arrive = job.fixed_start or 0
            else:
                start = times.starts[leg]
                arrive = freed + drive
                if leg != times.lunch_leg:
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
                leave = max(0, arrive - drive - on_the_way)
            seconds += travel.seconds[place][job.place]
            metres += travel.metres[place][job.place]
            visits.append(
                Visit(
                    job_id=job.id,
                    arrive=arrive,
                    start=start,
                    end=start + job.minutes,
                    travel_minutes=drive,
                    travel_metres=travel.metres[place][job.place],
                    fixed=leg < 0,
                )
            )
            place, freed = job.place, start + job.minutes
            if leg < 0:
                freed = max(freed, origin.minute)
        return Route(
            technician_id=person.id,
            visits=tuple(visits),
            leave=leave or 0,
            back=times.back,
            lunch_start=times.lunch_start,
            travel_minutes=sum(v.travel_minutes for v in visits) + self.minutes[place][person.end_place],
            travel_seconds=seconds + travel.seconds[place][person.end_place],
            travel_metres=metres + travel.metres[place][person.end_place],
        )

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
