"""Judge any plan against its request, with no help from what made it: no OR-Tools, none of the timing code.

A plan with no violations can be driven: every drive has its time, every promise is kept, and every job of the
request is in it once, planned or listed as left undone. The cost is worked out again and compared.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.check_links import broken_links
from scheduler.clock import hhmm
from scheduler.plan import Cost, Plan, Route, Visit
from scheduler.request import Job, Lunch, PlanRequest, Technician


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule; `text` is a sentence with the numbers."""

    rule: str
    text: str
    technician_id: str | None = None
    job_id: str | None = None


def check(request: PlanRequest, plan: Plan) -> list[Violation]:
    """Return everything wrong with `plan`; an empty list means it can be driven as written."""
    found = [*_everything_once(request, plan)]
    if found:
        return found  # the rest would only repeat it
    jobs = {job.id: job for job in request.jobs}
    people = {person.id: person for person in request.technicians}
    for route in plan.routes:
        person = people[route.technician_id]
        found += _person_and_van(person, route, jobs)
        found += _certificates(request, person, route, jobs)
        found += _territory(person, route, jobs)
        found += _pins(person, route, jobs)
        found += _clock(request, person, route, jobs)
        found += _begun(person, route, jobs)
        found += _totals(request, person, route, jobs)
    found += [
        Violation(rule=link.rule, text=link.text, technician_id=link.technician_id, job_id=link.job_id)
        for link in broken_links(request, plan)
    ]
    found += _vans(people, plan, jobs)
    if (cost := cost_of(request, plan)) != plan.cost:
        found.append(Violation(rule="cost", text=f"the plan says {plan.cost}, its visits cost {cost}"))
    return found


def _everything_once(request: PlanRequest, plan: Plan) -> Iterator[Violation]:
    known = {job.id for job in request.jobs}
    if [r.technician_id for r in plan.routes] != [t.id for t in request.technicians]:
        yield Violation(
            rule="routes", text="the plan must hold one route a technician, in the request's order"
        )
    seen = Counter([v.job_id for _, v in plan.visits()] + [left.job_id for left in plan.unassigned])
    for job_id, times in seen.items():
        if job_id not in known:
            yield Violation(rule="unknown_job", text=f"job {job_id} is not in the request", job_id=job_id)
        elif times > 1:
            yield Violation(rule="twice", text=f"job {job_id} appears {times} times", job_id=job_id)
    for job in request.jobs:
        if job.id not in seen:
            yield Violation(
                rule="forgotten", text=f"job {job.id} is neither planned nor listed", job_id=job.id
            )
    for left in plan.unassigned:
        if not left.reason:
            yield Violation(
                rule="no_reason", text=f"job {left.job_id} is left without a reason", job_id=left.job_id
            )


def _person_and_van(person: Technician, route: Route, jobs: dict[str, Job]) -> Iterator[Violation]:
    needed_begun: Counter[str] = Counter()
    needed: Counter[str] = Counter()
    for visit in route.visits:
        job = jobs[visit.job_id]
        (needed if job.fixed_start is None else needed_begun).update(job.parts)
        if job.fixed_start is not None:
            continue
        if job.technician not in (None, person.id, person.person or None):
            text = f"{job.id} is tied to technician {job.technician}"
            yield Violation(rule="technician", text=text, technician_id=person.id, job_id=job.id)
        for name, level in job.skills.items():
            if (has := person.skills.get(name, 0)) < level:
                text = f"{job.id} needs {name} level {level}, {person.id} has {has}"
                yield Violation(rule="skill", text=text, technician_id=person.id, job_id=job.id)
    for sku, quantity in needed.items():
        left = max(0, person.parts.get(sku, 0) - needed_begun[sku])
        if quantity > left:
            text = f"the route needs {quantity} × {sku}, the van has {left}"
            yield Violation(rule="parts", text=text, technician_id=person.id)


def _vans(people: dict[str, Technician], plan: Plan, jobs: dict[str, Job]) -> Iterator[Violation]:
    """What several shifts of one person take from their van together; one alone is looked at above."""
    shifts: dict[str, list[Route]] = {}
    for route in plan.routes:
        shifts.setdefault(people[route.technician_id].person or route.technician_id, []).append(route)
    for name, routes in shifts.items():
        needed: Counter[str] = Counter()
        begun: Counter[str] = Counter()
        for route in routes if len(routes) > 1 else ():
            for visit in route.visits:
                job = jobs[visit.job_id]
                (needed if job.fixed_start is None else begun).update(job.parts)
        for sku, quantity in needed.items():
            left = max(0, people[routes[0].technician_id].parts.get(sku, 0) - begun[sku])
            if quantity > left:
                text = f"the shifts of {name} need {quantity} × {sku}, the van has {left}"
                yield Violation(rule="parts", text=text, technician_id=routes[0].technician_id)


def _certificates(
    request: PlanRequest, person: Technician, route: Route, jobs: dict[str, Job]
) -> Iterator[Violation]:
    if not person.valid_until:
        return
    on_duty = date.fromisoformat(request.day) + timedelta(days=person.shift_start // 1440)
    for visit in route.visits:
        job = jobs[visit.job_id]
        for name in job.skills if job.fixed_start is None else ():
            ends = person.valid_until.get(name, "")
            if ends and ends < on_duty.isoformat():
                text = f"{job.id} needs {name}, the certificate of {person.id} is valid until {ends}"
                text += f", the shift is on {on_duty.isoformat()}"
                yield Violation(rule="certificate", text=text, technician_id=person.id, job_id=job.id)


def _territory(person: Technician, route: Route, jobs: dict[str, Job]) -> Iterator[Violation]:
    for visit in route.visits if person.stays else ():
        job = jobs[visit.job_id]
        if job.fixed_start is None and job.territory and job.territory not in person.territories:
            text = f"{job.id} lies in {job.territory}, {person.id} stays in {', '.join(person.territories)}"
            yield Violation(rule="territory", text=text, technician_id=person.id, job_id=job.id)


def _pins(person: Technician, route: Route, jobs: dict[str, Job]) -> Iterator[Violation]:
    for visit in route.visits:
        pin = jobs[visit.job_id].pinned
        if pin and pin.technician and pin.technician not in (person.id, person.person):
            text = f"{visit.job_id} is pinned to {pin.technician}"
            yield Violation(rule="pinned", text=text, technician_id=person.id, job_id=visit.job_id)
        if pin and pin.start is not None and pin.start != visit.start:
            text = f"{visit.job_id} is pinned to begin {hhmm(pin.start)}, not {hhmm(visit.start)}"
            yield Violation(rule="pinned", text=text, technician_id=person.id, job_id=visit.job_id)


def _clock(
    request: PlanRequest, person: Technician, route: Route, jobs: dict[str, Job]
) -> Iterator[Violation]:
    def broken(rule: str, text: str, visit: Visit | None = None) -> Violation:
        return Violation(
            rule=rule, text=text, technician_id=person.id, job_id=visit.job_id if visit else None
        )

    begun = [jobs[v.job_id] for v in route.visits if jobs[v.job_id].fixed_start is not None]
    planned = [v for v in route.visits if jobs[v.job_id].fixed_start is None]
    ends = [(job.fixed_start or 0) + job.minutes for job in begun]
    freed = max(person.shift_start, request.now, *ends)
    place = begun[-1].place if begun else person.start_place
    worked_at, set_up = (begun[-1].place, begun[-1].setup_minutes) if begun else (None, 0)
    rests = [(start, of.minutes) for _, of, start in _rests(person, route)] if route.visits else []
    rests.sort()
    for rule, text in _wrong_rests(person, route, freed):
        yield broken(rule, text)
    if not begun and planned and route.leave < freed:
        yield broken("shift", f"leaves at {hhmm(route.leave)}, free from {hhmm(freed)}")
    for visit in planned:
        job = jobs[visit.job_id]
        drive = request.travel.minutes(place, job.place)
        on_the_way, note = [], ""
        while rests and rests[0][0] < visit.start:
            begins, minutes = rests.pop(0)
            if begins < freed:
                yield broken("lunch", f"lunch at {hhmm(begins)} falls into the job before", visit)
            if begins < visit.arrive:
                on_the_way.append((begins, minutes))
                note += f" and {minutes} min lunch"
            elif visit.start < begins + minutes:
                yield broken("lunch", f"work starts at {hhmm(visit.start)}, during lunch", visit)
        if visit.arrive < _soonest(request, freed, drive, on_the_way):
            text = f"arrives {hhmm(visit.arrive)}, but {hhmm(freed)} and {drive} min drive{note} is later"
            yield broken("travel", text, visit)
        if visit.start < visit.arrive:
            yield broken("travel", f"starts {hhmm(visit.start)} before arriving {hhmm(visit.arrive)}", visit)
        setup = job.setup_minutes
        if job.place == worked_at:
            setup -= min(setup, set_up)
        if (visit.end, visit.setup_minutes) != (visit.start + setup + job.minutes, setup):
            text = f"lasts {visit.end - visit.start} min, the job takes {job.minutes}"
            yield broken("duration", text + (f" and {setup} for the setup" if setup else ""), visit)
        decided = job.pinned is not None and job.pinned.start is not None
        if job.windows and not decided and not any(w.opens <= visit.start <= w.closes for w in job.windows):
            promised = " or ".join(f"{hhmm(w.opens)}–{hhmm(w.closes)}" for w in job.windows)
            yield broken("window", f"starts {hhmm(visit.start)}, promised {promised}", visit)
        freed, place, worked_at, set_up = visit.end, job.place, job.place, job.setup_minutes
    if not route.visits:
        return
    on_the_way = []
    for begins, minutes in rests:
        if begins < freed:
            yield broken("lunch", f"lunch at {hhmm(begins)} falls into the last job")
        elif begins < route.back:
            on_the_way.append((begins, minutes))
    home = _soonest(request, freed, request.travel.minutes(place, person.end_place), on_the_way)
    if route.back < home:
        yield broken("travel", f"is back {hhmm(route.back)}, not possible before {hhmm(home)}")
    if planned and route.back > person.shift_end + person.overtime_max:
        extra = f" and {person.overtime_max} min of overtime are allowed" if person.overtime_max else ""
        text = f"is back {hhmm(route.back)}, the shift ends {hhmm(person.shift_end)}{extra}"
        yield broken("shift", text)


def _soonest(request: PlanRequest, minute: int, drive: int, breaks: list[tuple[int, int]]) -> int:
    """When a drive from `minute` on can be over, with all these breaks (start, minutes) before that."""
    left = 1000 * drive
    for begins, minutes in (*breaks, (None, 0)):
        if not request.pace:
            on = left // 1000 if begins is None else min(left // 1000, max(0, begins - minute))
            left, minute = left - 1000 * on, minute + on
        while left > 0 and (begins is None or minute < begins):
            left -= request.pace[minute // 60 % 24]
            minute += 1
        minute = max(minute, begins or 0) + minutes
    return minute


def _rests(person: Technician, route: Route) -> list[tuple[str, Lunch, int]]:
    """(what it is, when it may be, when the route has it) for each break of the route, lunch included."""
    lunch = [("lunch", person.lunch, route.lunch_start)] if person.lunch else []
    others = [("a break", of, start) for of, start in zip(person.breaks, route.break_starts, strict=False)]
    return [(name, of, start) for name, of, start in (*lunch, *others) if start is not None]


def _wrong_rests(person: Technician, route: Route, freed: int) -> Iterator[tuple[str, str]]:
    """Breaks that are missing, too many, out of their times, or two at once."""
    if route.lunch_start is not None and not person.lunch:
        yield "lunch", f"{person.id} has a lunch nobody asked for"
    if len(route.break_starts) > len(person.breaks):
        yield "lunch", f"{person.id} has a break nobody asked for"
    if not route.visits:
        return
    if person.lunch and route.lunch_start is None:
        yield "lunch", f"{person.id} gets no lunch"
    if len(route.break_starts) < len(person.breaks):
        yield "lunch", f"{person.id} gets {len(route.break_starts)} of {len(person.breaks)} breaks"
    # Work may have gone on beyond a break's time: then it may begin when it first can after those before it.
    first, over = freed, freed
    for name, of, start in sorted(_rests(person, route), key=lambda one: (one[1].earliest, one[1].latest)):
        first = max(first, of.earliest)
        latest = max(of.latest, first)
        first += of.minutes
        if not of.earliest <= start <= latest or start < freed:
            yield "lunch", f"{name} at {hhmm(start)}, allowed {hhmm(of.earliest)}–{hhmm(latest)}"
        elif start < over and start < route.back:
            yield "lunch", f"{name} at {hhmm(start)} begins before another is over"
        over = start + of.minutes


def _begun(person: Technician, route: Route, jobs: dict[str, Job]) -> Iterator[Violation]:
    planned_before = False
    for visit in route.visits:
        job = jobs[visit.job_id]
        if job.fixed_start is None:
            planned_before = True
            if visit.fixed:
                text = f"{job.id} is marked as begun, but has not begun"
                yield Violation(rule="begun", text=text, technician_id=person.id, job_id=job.id)
            continue
        as_it_was = (person.id, job.fixed_start, job.fixed_start + job.minutes, True)
        if (job.technician, visit.start, visit.end, visit.fixed) != as_it_was or planned_before:
            text = f"{job.id} began at {hhmm(job.fixed_start)} with {job.technician} and was moved"
            yield Violation(rule="begun", text=text, technician_id=person.id, job_id=job.id)


def _totals(
    request: PlanRequest, person: Technician, route: Route, jobs: dict[str, Job]
) -> Iterator[Violation]:
    travel = request.travel
    stops = [person.start_place, *(jobs[v.job_id].place for v in route.visits), person.end_place]
    legs = list(itertools.pairwise(stops)) if route.visits else []
    claimed = [(v.travel_minutes, v.travel_metres) for v in route.visits]
    real = [(travel.minutes(i, j), travel.metres[i][j]) for i, j in legs]
    if claimed != real[: len(claimed)]:
        yield Violation(
            rule="totals", text="the drives differ from the travel matrix", technician_id=person.id
        )
    total = (
        sum(minutes for minutes, _ in real),
        sum(travel.seconds[i][j] for i, j in legs),
        sum(metres for _, metres in real),
    )
    if total != (route.travel_minutes, route.travel_seconds, route.travel_metres):
        text = f"the route's drives add up to {total} (minutes, seconds, metres), not to what it says"
        yield Violation(rule="totals", text=text, technician_id=person.id)


def cost_of(request: PlanRequest, plan: Plan) -> Cost:
    """Work out what `plan` costs from its visits alone, in cents."""
    jobs = {job.id: job for job in request.jobs}
    people = {person.id: person for person in request.technicians}
    weights, travel = request.weights, request.travel
    parts: Counter[str] = Counter()
    for route in plan.routes:
        person = people[route.technician_id]
        stops = [person.start_place, *(jobs[v.job_id].place for v in route.visits), person.end_place]
        for i, j in itertools.pairwise(stops) if route.visits else ():
            parts["travel"] += weights.drive(travel.seconds[i][j], travel.metres[i][j])
        if route.visits and route.back > person.shift_end:
            cents, rest = divmod((route.back - person.shift_end) * weights.overtime_hour, 60)
            parts["overtime"] += cents + (rest >= 30)
        if route.visits and person.fair_minutes is not None:
            busy = sum(travel.minutes(i, j) for i, j in itertools.pairwise(stops))
            busy += sum(visit.end - visit.start for visit in route.visits)
            cents, rest = divmod(max(0, busy - person.fair_minutes) * weights.uneven_hour, 60)
            parts["uneven"] += cents + (rest >= 30)
        for visit in route.visits:
            job = jobs[visit.job_id]
            parts["late"] += weights.late_minute * max(
                0, visit.end - (visit.end if job.due is None else job.due)
            )
            told = visit.start if job.previous_start is None else job.previous_start
            parts["later"] += weights.later_minute * max(0, visit.start - told)
            told_to = job.previous_technician
            if told_to in people:  # one of somebody's shifts
                told_to = people[told_to].person or told_to
            known = (None, person.person or person.id)
            parts["moved"] += weights.other_technician * (told_to not in known)
            parts["bias"] += person.bias.get(job.id, 0)
            abroad = job.territory and person.territories and job.territory not in person.territories
            parts["territory"] += weights.other_territory if abroad else 0
            early = [w.opens - visit.start for w in job.preferred]
            late = [visit.start - w.closes for w in job.preferred]
            away = [max(0, a, b) for a, b in zip(early, late, strict=True)]
            parts["preferred"] += weights.unpreferred_minute * min(away, default=0)
    parts["unserved"] = sum(weights.leave_undone(jobs[left.job_id]) for left in plan.unassigned)
    return Cost(**parts)
