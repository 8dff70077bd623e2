"""Which time slots a job can be promised: those where everybody else is still served as promised."""

from dataclasses import replace

from days import LUNCH, a_day, a_job, a_town_day, ann, at, bob, random_days, window
from hypothesis import given, settings

from scheduler.baseline import greedy
from scheduler.check import check
from scheduler.plan import Cost, Plan, Route, Visit
from scheduler.request import Job, PlanRequest
from scheduler.slots import Opening, openings, sketch
from scheduler.solve import solve
from scheduler.timing import Day

SLOTS = (
    window("08:00", "09:59"),
    window("10:00", "11:59"),
    window("12:00", "13:59"),
    window("14:00", "15:59"),
)


def nothing_planned(request: PlanRequest) -> Plan:
    return in_force(request, {})


def in_force(request: PlanRequest, told: dict[str, tuple[tuple[str, int], ...]]) -> Plan:
    """Technician → (job, start) in order."""
    jobs = {job.id: job for job in request.jobs}
    return Plan(
        routes=tuple(
            Route(
                technician_id=person.id,
                visits=tuple(_visit(jobs[id], start) for id, start in told.get(person.id, ())),
                leave=person.shift_start,
                back=person.shift_start,
            )
            for person in request.technicians
        ),
        unassigned=(),
        cost=Cost(),
        engine="in force",
        roads="",
        roads_estimated=True,
        seed=0,
    )


def _visit(job: Job, start: int) -> Visit:
    return Visit(
        job_id=job.id, arrive=start, start=start, end=start + job.minutes, travel_minutes=0, travel_metres=0
    )


def on_offer(request: PlanRequest, plan: Plan, **known: object) -> list[Opening | None]:
    now, found = sketch(request, plan, known.pop("placed", {}), without=["new"])  # type: ignore[arg-type]
    return list(openings(now, found, "new", SLOTS))


class TestTheSlotsOfADay:
    def test_an_empty_day_has_a_place_in_each_that_can_be_reached(self) -> None:
        request = a_day(a_job("new", place=1, minutes=60))
        found = on_offer(request, nothing_planned(request))
        assert [one and one.start for one in found] == [at("08:10"), at("10:00"), at("12:00"), at("14:00")]
        assert [one and one.added_cost for one in found] == [2 * 1030] * 4

    def test_a_slot_that_is_full_has_none(self) -> None:
        jobs = [a_job(f"j{n}", place=1, minutes=60, windows=(SLOTS[1],)) for n in range(2)]
        request = a_day(*jobs, a_job("new", place=1, minutes=60))
        plan = in_force(request, {"ann": (("j0", at("10:00")), ("j1", at("11:00")))})
        found = on_offer(request, plan)
        assert [one is not None for one in found] == [True, False, True, True]

    def test_what_is_promised_and_has_no_technician_yet_takes_its_place_too(self) -> None:
        jobs = [a_job(f"j{n}", place=1, minutes=60, windows=(SLOTS[1],)) for n in range(2)]
        request = a_day(*jobs, a_job("new", place=1, minutes=60))
        found = on_offer(request, nothing_planned(request))
        assert [one is not None for one in found] == [True, False, True, True]

    def test_what_is_promised_at_no_time_can_wait_for_another_day(self) -> None:
        jobs = [a_job(f"j{n}", place=1, minutes=60) for n in range(8)]
        request = a_day(*jobs, a_job("new", place=1, minutes=60))
        assert None not in on_offer(request, nothing_planned(request))

    def test_a_place_that_is_known_is_kept(self) -> None:
        """Bob lives far away, and still nobody is moved to Ann, who would be cheaper."""
        held = a_job("held", place=1, minutes=110, windows=(SLOTS[1],))
        request = a_day(held, a_job("new", minutes=60), technicians=(ann(), bob(start_place=5, end_place=5)))
        _, found = sketch(request, nothing_planned(request), {"held": ("bob", at("10:00"))}, without=["new"])
        assert found == {"ann": (), "bob": ("held",)}

    def test_a_place_that_is_gone_is_looked_for_anew(self) -> None:
        held = a_job("held", place=1, minutes=110, windows=(SLOTS[1],))
        request = a_day(held, a_job("new", minutes=60), technicians=(ann(),))
        _, found = sketch(request, nothing_planned(request), {"held": ("bob", at("10:00"))}, without=["new"])
        assert found == {"ann": ("held",)}

    def test_says_whom_it_moves_and_that_somebody_is_near(self) -> None:
        there = a_job("there", place=3, minutes=30, windows=(window("08:00", "11:00"),))
        request = a_day(there, a_job("new", place=3, minutes=30))
        plan = in_force(request, {"ann": (("there", at("08:30")),)})
        first = on_offer(request, plan)[0]
        assert first and (first.near, first.detour_minutes, first.added_cost) == (True, 0, 0)
        assert {d.job_id: d.minutes for d in first.delays} == ({"there": 30} if first.position == 0 else {})

    def test_a_round_for_one_visit_alone_is_not_near(self) -> None:
        request = a_day(a_job("new", place=1))
        first = on_offer(request, nothing_planned(request))[0]
        assert first and not first.near

    def test_a_skill_or_part_that_nobody_has_leaves_none(self) -> None:
        for want in ({"skills": {"splice": 1}}, {"parts": {"ONT": 1}}):
            request = a_day(a_job("new", **want))
            assert on_offer(request, nothing_planned(request)) == [None] * 4

    def test_lunch_takes_its_time(self) -> None:
        request = a_day(a_job("new", minutes=100), technicians=(ann(lunch=LUNCH, shift_end=at("14:00")),))
        noon = on_offer(request, nothing_planned(request))[2]
        assert noon and noon.start == at("12:00")
        tight = a_day(a_job("new", minutes=100), technicians=(ann(lunch=LUNCH, shift_end=at("13:40")),))
        assert on_offer(tight, nothing_planned(tight))[2] is None

    def test_the_time_of_somebody_who_is_late_is_nobody_elses(self) -> None:
        """Begun until 11, then the visit promised for 10 is still done, late; so no new one before noon."""
        begun = a_job("begun", place=0, minutes=180, technician="ann", fixed_start=at("08:00"))
        late = a_job("late", place=0, minutes=60, windows=(window("09:00", "10:00"),))
        request = a_day(begun, late, a_job("new", place=0, minutes=60), now=at("09:00"))
        plan = in_force(request, {"ann": (("late", at("09:00")),)})
        found = on_offer(request, plan)
        assert [one and one.start for one in found] == [None, None, at("12:00"), at("14:00")]

    def test_a_van_of_two_shifts_gives_no_part_twice(self) -> None:
        morning = ann(id="morning", person="ann", shift_end=at("12:00"), parts={"ONT": 1})
        evening = replace(morning, id="evening", shift_start=at("12:00"), shift_end=at("16:00"))
        has = a_job("has", place=1, parts={"ONT": 1}, windows=(SLOTS[0],))
        request = a_day(has, a_job("new", parts={"ONT": 1}), technicians=(morning, evening))
        plan = in_force(request, {"morning": (("has", at("08:10")),)})
        assert on_offer(request, plan) == [None] * 4

    def test_a_promise_without_technician_is_sketched_with_no_part_twice(self) -> None:
        morning = ann(id="morning", person="ann", shift_end=at("12:00"), parts={"ONT": 1})
        evening = replace(morning, id="evening", shift_start=at("12:00"), shift_end=at("16:00"))
        jobs = [
            a_job(id, place=1, parts={"ONT": 1}, windows=(slot,))
            for id, slot in zip("ab", SLOTS[::2], strict=False)
        ]
        request = a_day(*jobs, technicians=(morning, evening))
        places = {"a": ("morning", at("08:10")), "b": ("evening", at("12:10"))}
        assert sketch(request, nothing_planned(request), places)[1] == {"morning": ("a",), "evening": ()}

    def test_a_late_day_with_a_break_behind_lunch_has_slots(self) -> None:
        person = ann(lunch=LUNCH, breaks=(replace(LUNCH, earliest=at("14:00"), latest=at("14:30")),))
        begun = a_job("begun", place=0, minutes=180, technician="ann", fixed_start=at("08:00"))
        late = a_job("late", place=0, minutes=60, windows=(window("09:00", "10:00"),))
        request = a_day(
            begun, late, a_job("new", place=0, minutes=60), now=at("09:00"), technicians=(person,)
        )
        plan = in_force(request, {"ann": (("late", at("09:00")),)})
        found = on_offer(request, plan)
        assert [one and one.start for one in found] == [None, None, at("12:00"), at("14:30")]


class TestEveryOffer:
    def test_in_a_town_can_be_driven_with_all_that_was_promised(self) -> None:
        town = a_town_day(6, 40)
        plan = solve(town, seconds=0)
        planned = {visit.job_id for _, visit in plan.visits()}
        jobs = tuple(job for job in town.jobs if job.id in planned)
        new = a_job("new", place=9, skills={"fibre": 1})
        request = replace(town, jobs=(*jobs, new))
        now, found = sketch(request, plan, {}, without=["new"])
        offers = openings(now, found, "new", SLOTS)
        assert any(offers)
        for slot, offer in zip(SLOTS, offers, strict=True):
            if offer is None:
                continue
            promised = replace(request, jobs=(*jobs, replace(new, windows=(slot,))))
            day = Day(promised)
            orders = [[day.job_number[id] for id in found[person.id]] for person in day.technicians]
            person = day.technician_number[offer.technician_id]
            orders[person].insert(offer.position, day.job_number["new"])
            after = day.plan(orders, (), engine="slots", seed=0)
            assert check(promised, after) == []
            assert slot.opens <= offer.start <= slot.closes

    @given(random_days(roads=True))
    @settings(max_examples=60, deadline=None)
    def test_is_found_wherever_trying_every_place_finds_one(self, request: PlanRequest) -> None:
        day = Day(request)
        plan = day.plan(greedy(day), (), engine="greedy", seed=0)
        new = Job(id="new", place=0, minutes=20)
        asked = replace(request, jobs=(*request.jobs, new))
        slots = (window("00:00", "03:00"), window("05:00", "09:00"))
        now, found = sketch(asked, plan, {}, without=["new"])
        for slot, offer in zip(slots, openings(now, found, "new", slots), strict=True):
            promised = replace(
                now, jobs=tuple(replace(j, windows=(slot,)) if j.id == "new" else j for j in now.jobs)
            )
            there = Day(promised)
            costs = []
            for person, technician in enumerate(there.technicians):
                order = [there.job_number[id] for id in found[technician.id]]
                base = there.timed(person, order)
                for position in range(len(order) + 1):
                    longer = [*order[:position], there.job_number["new"], *order[position:]]
                    timed = there.timed(person, longer)
                    if isinstance(timed, tuple) and isinstance(base, tuple):
                        costs.append(timed[1].total - base[1].total)
            assert (offer.added_cost if offer else None) == min(costs, default=None)
