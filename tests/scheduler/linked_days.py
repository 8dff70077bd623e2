"""Random days with groups and sequences, and the cheapest plan of a small one by trying all of them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, permutations, product

from days import a_town_day, at

from scheduler.plan import Plan
from scheduler.request import After, InvalidRequest, Job, Lunch, PlanRequest, Technician, TravelMatrix, Window


def starts(plan: Plan) -> dict[str, int]:
    return {visit.job_id: visit.start for _, visit in plan.visits()}


def holders(plan: Plan) -> dict[str, str]:
    return {visit.job_id: technician for technician, visit in plan.visits()}


def left(plan: Plan) -> dict[str, tuple[str, str]]:
    return {undone.job_id: (undone.code, undone.reason) for undone in plan.unassigned}


def without_links(request: PlanRequest) -> PlanRequest:
    return replace(request, jobs=tuple(replace(job, together=None, after=()) for job in request.jobs))


def a_linked_town_day(technicians: int, jobs: int, *, groups: int, chains: int, seed: int = 1) -> PlanRequest:
    """A believable day: splicers and drop workers who meet at a home, and drops spliced after they lie.

    A group needs one of each trade, so that also without the link two people drive there.
    """
    day, r = a_town_day(technicians, jobs, seed), random.Random(seed)
    numbers = list(range(jobs))
    r.shuffle(numbers)
    work = list(day.jobs)
    for group in range(groups):
        a, b = numbers.pop(), numbers.pop()
        work[b] = replace(work[a], id=work[b].id, skills={"splice": 1}, parts={}, together=f"crew {group}")
        work[a] = replace(work[a], skills={"drop": 1}, together=f"crew {group}")
    for _ in range(chains):
        a, b = numbers.pop(), numbers.pop()
        gap = r.choice([0, 0, 30])
        work[a] = replace(work[a], windows=(), skills={"drop": 1})
        work[b] = replace(
            work[b], place=work[a].place, windows=(), after=(After(job=work[a].id, gap_least=gap),)
        )
    people = tuple(
        person if n % 2 else replace(person, skills={**person.skills, "drop": 1})
        for n, person in enumerate(day.technicians)
    )
    return replace(day, technicians=people, jobs=tuple(work))


def a_small_day(seed: int, *, jobs: int = 5, anything: bool = False) -> PlanRequest:
    """Few jobs, many links. With `anything` also lunches, begun visits, parts and a day half gone."""
    r = random.Random(seed)
    places = 5
    spots = [(r.uniform(0, 15), r.uniform(0, 15)) for _ in range(places)]
    kilometres = [[abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in spots] for a in spots]
    people = [
        Technician(
            id=f"t{n}",
            start_place=r.randrange(places),
            end_place=r.randrange(places),
            shift_start=at("08:00") + r.choice([0, 0, 60]),
            shift_end=at("12:00") + r.choice([0, 60, 200]),
            lunch=Lunch(earliest=at("11:00"), latest=at("12:00"), minutes=30)
            if anything and r.random() < 0.4
            else None,
            skills={"splice": 1} if r.random() < 0.6 else {},
            parts={"ONT": r.randrange(3)},
        )
        for n in range(r.choice([2, 3]))
    ]
    work: list[Job] = []
    for n in range(jobs):
        opens = at("08:00") + r.randrange(0, 240)
        begun = anything and r.random() < 0.15
        before = [After(job=job.id, gap_least=r.choice([0, 0, 20])) for job in work if r.random() < 0.25]
        work.append(
            Job(
                id=f"j{n}",
                place=r.randrange(places),
                minutes=r.choice([15, 30, 60]),
                skills={"splice": 1} if r.random() < 0.25 else {},
                parts={"ONT": 1} if anything and r.random() < 0.3 else {},
                windows=(Window(opens, opens + r.choice([30, 120])),) if r.random() < 0.3 else (),
                priority=r.choice([2, 3, 4]),
                due=at("10:00") if r.random() < 0.2 else None,
                drop_cost=r.choice([None, None, 2_000]),
                technician=r.choice(people).id if begun else None,
                fixed_start=at("08:00") + r.randrange(0, 90) if begun else None,
                previous_technician=r.choice(people).id if anything and r.random() < 0.5 else None,
                previous_start=at("08:00") + r.randrange(0, 200) if anything and r.random() < 0.5 else None,
                after=tuple(
                    replace(link, gap_most=link.gap_least + 60) if r.random() < 0.3 else link
                    for link in before
                ),
            )
        )
    for group in range(2):
        loose = [n for n, job in enumerate(work) if job.together is None and not job.after]
        if len(loose) >= 2 and r.random() < 0.6:
            for n in r.sample(loose, 3 if len(people) == 3 and len(loose) > 3 and r.random() < 0.3 else 2):
                work[n] = replace(work[n], together=f"g{group}")
    travel = TravelMatrix.of(
        [[km * 120 for km in row] for row in kilometres],
        [[km * 1000 for km in row] for row in kilometres],
        engine="test",
        estimated=True,
    )
    now = at("09:00") if anything and r.random() < 0.3 else 0
    try:
        return PlanRequest(technicians=tuple(people), jobs=tuple(work), travel=travel, now=now)
    except InvalidRequest:  # links that chance made contradict each other
        return a_small_day(seed + 10_000, jobs=jobs, anything=anything)


def cheapest_of_all(request: PlanRequest) -> int:
    """What the best plan costs, by every choice of technicians in every order.

    Without lunch, parts and begun visits.
    """
    jobs, people = request.jobs, request.technicians
    best = sum(request.weights.leave_undone(job) for job in jobs)
    able: list[list[int | None]] = [
        [None, *(p for p, who in enumerate(people) if job.skills.keys() <= who.skills.keys())] for job in jobs
    ]
    for choice in product(*able):
        if not _may_stand(jobs, choice):
            continue
        routes = [[n for n, who in enumerate(choice) if who == p] for p in range(len(people))]
        for orders in product(*(permutations(route) for route in routes)):
            cost = _cost(request, orders)
            if cost is not None:
                best = min(best, cost)
    return best


def _may_stand(jobs: Sequence[Job], choice: Sequence[int | None]) -> bool:
    planned = {job.id for job, who in zip(jobs, choice, strict=True) if who is not None}
    groups: dict[str, list[int | None]] = {}
    for job, who in zip(jobs, choice, strict=True):
        if job.together:
            groups.setdefault(job.together, []).append(who)
        if job.id in planned and any(link.job not in planned for link in job.after):
            return False
    return all(
        all(who is None for who in whos) or (None not in whos and len(set(whos)) == len(whos))
        for whos in groups.values()
    )


def _cost(request: PlanRequest, orders: Sequence[Sequence[int]]) -> int | None:
    """The cost of these orders at their earliest minutes; None where no minutes keep every rule."""
    jobs, travel, weights = request.jobs, request.travel, request.weights
    begins = {n: 0 for order in orders for n in order}
    number = {job.id: n for n, job in enumerate(jobs)}
    while True:
        before = dict(begins)
        for person, order in zip(request.technicians, orders, strict=True):
            clock, place = person.shift_start, person.start_place
            for n in order:
                clock = max(clock + travel.minutes(place, jobs[n].place), begins[n])
                if jobs[n].windows:
                    opening = [max(clock, w.opens) for w in jobs[n].windows if clock <= w.closes]
                    if not opening:
                        return None
                    clock = opening[0]
                begins[n] = clock
                clock, place = clock + jobs[n].minutes, jobs[n].place
            if order and clock + travel.minutes(place, person.end_place) > person.shift_end:
                return None
        for n, minute in _later(jobs, begins, number):
            begins[n] = max(begins[n], minute)
        if begins == before:
            break
    cost = sum(weights.leave_undone(job) for n, job in enumerate(jobs) if n not in begins)
    for person, order in zip(request.technicians, orders, strict=True):
        stops = [person.start_place, *(jobs[n].place for n in order), person.end_place] if order else []
        for i, j in pairwise(stops):
            cost += weights.drive(travel.seconds[i][j], travel.metres[i][j])
        for n in order:
            due = jobs[n].due
            if due is not None:
                cost += weights.late_minute * max(0, begins[n] + jobs[n].minutes - due)
    return cost


def _later(
    jobs: Sequence[Job], begins: Mapping[int, int], number: Mapping[str, int]
) -> Iterator[tuple[int, int]]:
    for n in begins:
        for other in begins:
            if jobs[n].together and jobs[n].together == jobs[other].together:
                yield n, begins[other]
        for link in jobs[n].after:
            before = number[link.job]
            yield n, begins[before] + jobs[before].minutes + link.gap_least
            if link.gap_most is not None:
                yield before, begins[n] - link.gap_most - jobs[before].minutes
