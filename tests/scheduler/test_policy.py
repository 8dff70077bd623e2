"""Who may do what: each rule alone, kept and broken, by the policy and by the checker."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import plainest
import pytest
from days import a_day, a_job, ann, at, bob, window
from ruled import a_ruled_day

from scheduler.check import check
from scheduler.emergency import best_insertions
from scheduler.engine.pool import Pool, recombined
from scheduler.engine.problem import problem_of
from scheduler.engine.routes import routes_of
from scheduler.explain import fit, why_assigned, why_unassigned
from scheduler.policy import BrokenRule, Policy
from scheduler.request import InvalidRequest, Job, Pin, PlanRequest, Technician, Weights, Window
from scheduler.solve import solve
from scheduler.timing import Day

MARCH_12 = "2026-03-12"


def said(job: Job, person: Technician, day: str = MARCH_12) -> list[BrokenRule]:
    policy = Policy(Weights(), date.fromisoformat(day))
    broken = policy.broken(person, job, person.parts)
    assert (policy.free_to(person, job) and policy.suits(person, job, person.parts)) is not bool(broken)
    return broken


def on(day: str, job: Job, *people: Technician) -> PlanRequest:
    return replace(replace(a_day(job), day=day), technicians=people)


def judged(request: PlanRequest) -> list[str]:
    """Rules that the checker finds broken when the first technician is sent to every job all the same."""
    anyone = replace(
        request,
        technicians=tuple(replace(p, valid_until={}) for p in request.technicians),
        jobs=tuple(replace(job, skills={}, parts={}, technician=None) for job in request.jobs),
    )
    plan = solve(replace(anyone, technicians=anyone.technicians[:1]), seconds=0)
    return [v.rule for v in check(replace(request, technicians=request.technicians[:1]), plan)]


class TestTied:
    def test_the_named_technician_may(self) -> None:
        assert said(a_job(technician="ann"), ann()) == []
        assert said(a_job(), ann()) == []

    def test_nobody_else_may(self) -> None:
        job = a_job(technician="bob")
        assert said(job, ann()) == [BrokenRule(code="no_technician", text="is tied to technician bob")]
        plan = solve(a_day(a_job(), technicians=(ann(), bob())), seconds=0)
        assert [v.rule for v in check(a_day(job, technicians=(ann(), bob())), plan)] == ["technician"]


class TestSkilled:
    def test_the_level_or_more_will_do(self) -> None:
        job = a_job(skills={"splice": 2})
        assert said(job, ann(skills={"splice": 2})) == said(job, ann(skills={"splice": 5})) == []

    def test_less_will_not(self) -> None:
        job = a_job(skills={"splice": 3, "fibre": 1})
        assert said(job, ann(skills={"splice": 2})) == [
            BrokenRule(code="skill", text="needs fibre level 1, has none"),
            BrokenRule(code="skill", text="needs splice level 3, has 2"),
        ]
        assert judged(a_day(job, technicians=(ann(skills={"splice": 2}),))) == ["skill", "skill"]


class TestCertified:
    JOB = a_job(skills={"splice": 2})
    ANN = ann(skills={"splice": 2, "roof": 1}, valid_until={"splice": MARCH_12, "roof": "2020-01-01"})

    def test_a_certificate_counts_on_its_last_day(self) -> None:
        assert said(self.JOB, self.ANN, MARCH_12) == []
        request = on(MARCH_12, self.JOB, self.ANN)
        assert solve(request, seconds=0).unassigned == ()

    def test_and_not_on_the_day_after(self) -> None:
        text = "splice certificate valid until 12.03.2026, the shift is on 13.03.2026"
        expired = BrokenRule(code="certificate", text=text)
        assert said(self.JOB, self.ANN, "2026-03-13") == [expired]
        request = on("2026-03-13", self.JOB, self.ANN)
        plan = solve(request, seconds=0)
        assert fit(request, plan, "j1", "ann").broken == (expired,)
        reason = why_unassigned(request, plan, "j1")
        assert (reason.code, reason.reason) == ("certificate", f"nearest is ann: {expired.text}")
        assert judged(request) == ["certificate"]

    def test_the_day_of_the_shift_is_what_counts(self) -> None:
        tomorrow = replace(self.ANN, shift_start=1440 + at("08:00"), shift_end=1440 + at("16:00"))
        request = on(MARCH_12, self.JOB, tomorrow)
        assert not Day(request).may_go(0, 0)
        assert judged(request) == ["certificate"]
        [wrong] = check(request, solve(replace(request, day="2026-03-01"), seconds=0))
        assert wrong.text == (
            "j1 needs splice, the certificate of ann is valid until 2026-03-12, the shift is on 2026-03-13"
        )
        # Asked today, for tomorrow: nothing has expired by now.
        (rule,) = fit(request, solve(request, seconds=0), "j1", "ann").broken
        assert rule.text == "splice certificate valid until 12.03.2026, the shift is on 13.03.2026"

    def test_level_and_certificate_are_two_rules(self) -> None:
        broken = said(a_job(skills={"splice": 3}), self.ANN, "2026-03-13")
        assert [rule.code for rule in broken] == ["skill", "certificate"]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"valid_until": {"splice": MARCH_12}}, "valid_until names splice, which is not among skills"),
            (
                {"skills": {"splice": 1}, "valid_until": {"splice": "12.03.2026"}},
                "technician ann: valid_until['splice'] must be a date like 2026-03-12, not '12.03.2026'",
            ),
        ],
    )
    def test_a_bad_certificate_is_named(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            ann(**changes)
        assert message in str(refusal.value)

    def test_a_request_with_certificates_says_its_day(self) -> None:
        with pytest.raises(InvalidRequest, match="technician ann: valid_until needs the request's day"):
            a_day(self.JOB, technicians=(self.ANN,))
        with pytest.raises(InvalidRequest, match="day must be a date like 2026-03-12, not 'monday'"):
            replace(a_day(self.JOB), day="monday")


class TestEquipped:
    def test_what_is_on_the_van_will_do(self) -> None:
        assert said(a_job(parts={"ONT": 2}), ann(parts={"ONT": 2})) == []

    def test_less_will_not(self) -> None:
        job = a_job(parts={"ONT": 2, "ROUTER": 1})
        assert said(job, ann(parts={"ONT": 1})) == [
            BrokenRule(code="parts", text="1 × ONT on the van, needs 2"),
            BrokenRule(code="parts", text="no ROUTER on the van, needs 1"),
        ]
        assert judged(a_day(job, technicians=(ann(parts={"ONT": 1}),))) == ["parts", "parts"]

    def test_a_van_is_short_of_what_all_jobs_take_together(self) -> None:
        jobs = [a_job(parts={"ONT": 1, "CABLE": 5}), a_job(parts={"ONT": 1})]
        assert Policy.short_of({"ONT": 2, "CABLE": 5}, jobs) is None
        assert Policy.short_of({"ONT": 1, "CABLE": 9}, jobs) == "ONT"


class TestPrices:
    def test_somebody_else_than_told_costs(self) -> None:
        policy = Policy(Weights(other_technician=700))
        job = a_job(previous_technician="bob")
        assert [policy.moved(person, job) for person in (ann(), bob())] == [700, 0]
        assert policy.moved(ann(), a_job()) == 0

    def test_another_shift_of_the_person_who_was_told_is_nobody_else(self) -> None:
        shifts = (ann(), tomorrow(ann()), bob())
        job = a_job(previous_technician="ann+1", previous_start=1440 + at("09:00"))
        request = a_day(job, technicians=shifts, other_technician=700)
        day = Day(request)
        assert [day.policy.moved(person, job) for person in shifts] == [0, 0, 700]
        for person, cents in enumerate((0, 0, 700)):
            plan = day.plan([[0] if n == person else [] for n in range(3)], (), engine="by hand", seed=0)
            assert plan.cost.moved == cents
            assert check(request, plan) == []

    def test_a_bias_is_of_the_pair(self) -> None:
        policy = Policy(Weights(other_technician=700))
        person = ann(bias={"j1": 30})
        assert (policy.bias(person, a_job()), policy.bias(person, a_job("j2"))) == (30, 0)
        assert policy.extra(person, a_job(previous_technician="bob")) == 730


class TestPinned:
    def test_to_a_technician(self) -> None:
        job = a_job(pinned=Pin(technician="bob"))
        assert said(job, ann()) == [BrokenRule(code="pinned", text="is pinned to technician bob")]
        assert said(job, bob()) == []
        people = (ann(), bob(start_place=7, end_place=7))
        plan = solve(a_day(job, technicians=people), seconds=0)
        assert [who for who, _ in plan.visits()] == ["bob"]
        assert (
            why_assigned(a_day(job, technicians=people), plan, "j1").text
            == "pinned to bob by hand; adds 123.60"
        )

    def test_to_a_start_in_place_of_the_window(self) -> None:
        job = a_job(pinned=Pin(start=at("13:07")), windows=(window("08:00", "09:00"),))
        plan = solve(a_day(job), seconds=0)
        assert [visit.start for _, visit in plan.visits()] == [at("13:07")]
        assert [v.rule for v in check(a_day(replace(job, pinned=Pin(start=at("13:08")))), plan)] == ["pinned"]

    def test_to_a_technician_who_can_not(self) -> None:
        request = a_day(a_job(pinned=Pin(technician="ann"), skills={"splice": 1}), technicians=(ann(), bob()))
        reason = why_unassigned(request, solve(request, seconds=0), "j1")
        assert (reason.code, reason.reason) == ("skill", "is pinned to ann: needs splice level 1, has none")

    def test_to_a_start_that_can_not_be(self) -> None:
        request = a_day(a_job(place=3, pinned=Pin(start=at("08:20"))))
        plan = solve(request, seconds=0)
        answer = fit(request, plan, "j1", "ann")
        assert [b.text for b in answer.broken] == ["would arrive 08:30, is pinned to begin 08:20"]
        assert [r.text for r in answer.remedies] == ["works if it were not pinned to begin 08:20"]
        free = a_day(a_job(place=3, pinned=Pin(start=at("08:30"))))
        assert [v.rule for v in check(request, solve(free, seconds=0))] == ["pinned"]

    def test_and_left_undone_it_costs_more_than_any_other(self) -> None:
        request = a_day(
            a_job("a", minutes=400, priority=1),
            a_job("b", minutes=400, priority=4, pinned=Pin(technician="ann")),
        )
        assert [left.job_id for left in solve(request, seconds=0).unassigned] == ["a"]

    def test_it_makes_no_room_for_an_urgent_one(self) -> None:
        jobs = (a_job("a", minutes=400, pinned=Pin(technician="ann")), a_job("b", minutes=400, priority=1))
        plan = solve(a_day(jobs[0]), seconds=0)
        assert best_insertions(a_day(*jobs), plan, "b") == ()

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: Pin(), "pinned holds neither a technician nor a start"),
            (lambda: Pin(start=-1), "pinned.start must be between 0 and 200000, not -1"),
            (
                lambda: a_job(technician="ann", fixed_start=500, pinned=Pin(start=500)),
                "job j1: pinned and fixed_start: what has begun can't be pinned any more",
            ),
            (
                lambda: a_day(a_job(pinned=Pin(technician="eve"))),
                "job j1: pinned.technician eve is unknown",
            ),
        ],
    )
    def test_a_bad_pin_is_named(self, make: Callable[[], object], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            make()
        assert message in str(refusal.value)


class TestTerritories:
    JOB = a_job(territory="south")

    def test_a_technicians_own_costs_nothing(self) -> None:
        policy = Policy(Weights(other_territory=900))
        assert policy.territory(ann(territories=("north", "south")), self.JOB) == 0
        assert (
            policy.territory(ann(), self.JOB) == policy.territory(ann(territories=("north",)), a_job()) == 0
        )
        assert policy.extra(ann(territories=("north",)), self.JOB) == 900

    def test_who_belongs_there_goes_as_long_as_the_drive_is_not_dearer(self) -> None:
        people = (ann(territories=("north",)), bob(territories=("south",), start_place=3, end_place=3))
        dear = a_day(self.JOB, technicians=people, other_territory=9_000)
        plan = solve(dear, seconds=0)
        assert ([who for who, _ in plan.visits()], plan.cost.territory) == (["bob"], 0)
        cheap = a_day(self.JOB, technicians=people, other_territory=100)
        plan = solve(cheap, seconds=0)
        assert ([who for who, _ in plan.visits()], plan.cost.territory) == (["ann"], 100)
        assert check(cheap, plan) == []
        assert [v.rule for v in check(dear, plan)] == ["cost"]

    def test_who_stays_in_it_does_not_leave_it(self) -> None:
        person = ann(territories=("north", "west"), stays=True)
        assert said(a_job(territory="north"), person) == said(a_job(), person) == []
        lies = BrokenRule(code="territory", text="lies in south, stays in north and west")
        assert said(self.JOB, person) == [lies]
        request = a_day(self.JOB, technicians=(person,))
        answer = fit(request, solve(request, seconds=0), "j1", "ann")
        assert [r.text for r in answer.remedies] == ["works if ann served south too"]
        roaming = solve(a_day(self.JOB, technicians=(ann(),)), seconds=0)
        assert "territory" in {v.rule for v in check(request, roaming)}

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: ann(stays=True), "technician ann: stays needs territories to stay in"),
            (lambda: ann(territories=("",)), "technician ann: territories must be a text"),
            (lambda: a_job(territory=" "), "job j1: territory must be a text"),
        ],
    )
    def test_a_bad_territory_is_named(self, make: Callable[[], object], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            make()
        assert message in str(refusal.value)


class TestPreferred:
    LATER = (window("10:00", "11:00"), window("14:00", "15:00"))

    def test_each_minute_outside_costs(self) -> None:
        policy = Policy(Weights(unpreferred_minute=7))
        job = a_job(preferred=self.LATER)
        starts = ["09:50", "10:00", "11:00", "11:01", "13:58", "15:03"]
        assert [policy.preferred(job, at(start)) for start in starts] == [70, 0, 0, 7, 14, 21]
        assert policy.preferred(a_job(), 0) == 0

    def test_a_visit_waits_for_it_where_nobody_pays_for_that(self) -> None:
        request = a_day(a_job(preferred=self.LATER))
        plan = solve(request, seconds=0)
        assert ([v.start for _, v in plan.visits()], plan.cost.preferred) == ([at("10:00")], 0)
        assert check(request, plan) == []

    def test_but_not_at_the_cost_of_a_promise(self) -> None:
        jobs = (a_job("a", preferred=self.LATER), a_job("b", place=2, windows=(window("09:00", "09:30"),)))
        request = a_day(*jobs, technicians=(ann(shift_end=at("09:50")),))
        plan = solve(request, seconds=0)
        assert plan.unassigned == ()
        assert plan.cost.preferred == 5 * (
            at("10:00") - next(v.start for _, v in plan.visits() if v.job_id == "a")
        )
        assert check(request, plan) == []

    def test_the_checker_prices_it_by_itself(self) -> None:
        plan = solve(a_day(a_job(preferred=(window("08:00", "08:05"),))), seconds=0)
        assert plan.cost.preferred == 5 * 5
        assert [v.rule for v in check(a_day(a_job()), plan)] == ["cost"]

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_either_engine_comes_when_it_suits(self, compiled: bool) -> None:
        jobs = [a_job(f"j{n}", place=n, minutes=60) for n in range(1, 5)]
        wish = a_job("wish", place=5, minutes=60, preferred=(window("08:00", "09:00"),))
        plan = solve(a_day(*jobs, wish, unpreferred_minute=500), seconds=0.5, compiled=compiled)
        assert (plan.cost.preferred, plan.unassigned) == (0, ())

    def test_windows_that_overlap_are_named(self) -> None:
        with pytest.raises(
            InvalidRequest, match="job j1: preferred overlap or are out of order at minute 600"
        ):
            a_job(preferred=(window("10:00", "11:00"), window("10:00", "12:00")))


class TestOnAnyDay:
    """Days on which every rule has something to say, by the policy, the checker, and the plainest rules."""

    @pytest.mark.parametrize("part", range(4))
    def test_a_plan_breaks_none_and_the_matrix_is_the_rules(self, part: int) -> None:
        for seed in range(part * 50, part * 50 + 50):
            request = a_ruled_day(seed)
            assert check(request, solve(request, seconds=0)) == []
            day = Day(request)
            problem, numbers = problem_of(day)
            for technician, person in enumerate(request.technicians):
                for number in day.open_jobs:
                    allowed = not plainest.forbidding(request, person, request.jobs[number])
                    assert (
                        day.may_go(technician, number) is allowed is not bool(day.broken(technician, number))
                    )
                    if number in numbers:
                        assert bool(problem.able[technician, numbers.index(number)]) is allowed

    def test_the_search_breaks_none_either(self) -> None:
        for seed in range(40):
            request = a_ruled_day(seed)
            plan = solve(request, rounds=200)
            assert check(request, plan) == []
            assert plan.cost.total <= solve(request, seconds=0).cost.total

    def test_and_or_tools_neither(self) -> None:
        for seed in range(6):
            request = a_ruled_day(seed)
            assert check(request, solve(request, seconds=0.2, compiled=False)) == []


def tomorrow(person: Technician) -> Technician:
    """The same person's shift a day later."""
    return replace(
        person, id=f"{person.id}+1", person=person.id,
        shift_start=person.shift_start + 1440, shift_end=person.shift_end + 1440,
    )  # fmt: skip


class TestSeveralDays:
    TWO = (ann(), tomorrow(ann()))

    def test_each_visit_is_on_a_day_of_its_windows(self) -> None:
        late = Window(1440 + at("09:00"), 1440 + at("10:00"))
        request = a_day(
            a_job("a", windows=(window("09:00", "10:00"),)), a_job("b", windows=(late,)), technicians=self.TWO
        )
        plan = solve(request, seconds=0)
        assert {visit.job_id: who for who, visit in plan.visits()} == {"a": "ann", "b": "ann+1"}
        assert check(request, plan) == []

    def test_what_has_no_room_today_waits_at_the_price_of_its_lateness(self) -> None:
        jobs = [a_job(n, minutes=300, due=at("16:00")) for n in ("a", "b")]
        request = a_day(*jobs, technicians=self.TWO, late_minute=1)
        plan = solve(request, seconds=0)
        assert plan.unassigned == ()
        assert plan.cost.late == (1440 + at("13:10")) - at("16:00")
        assert check(request, plan) == []

    def test_the_van_is_one_for_all_days(self) -> None:
        jobs = [a_job(n, minutes=300, parts={"ONT": 1}) for n in ("a", "b")]
        van = ann(parts={"ONT": 1})
        request = a_day(*jobs, technicians=(van, tomorrow(van)))
        plan = solve(request, seconds=0)
        (left,) = plan.unassigned
        answer = fit(request, plan, left.job_id, "ann+1")
        assert [rule.text for rule in answer.broken] == [
            "1 × ONT on the van, 1 for visits already planned, needs 1"
        ]
        assert "works with 1 more ONT on the van" in [remedy.text for remedy in answer.remedies]
        assert best_insertions(request, plan, left.job_id) == ()
        full = ann(parts={"ONT": 2})
        both = solve(replace(request, technicians=(full, tomorrow(full))), seconds=0)
        assert both.unassigned == ()
        assert [v.rule for v in check(request, both)] == ["parts"]

    def test_what_began_on_one_day_is_gone_on_the_other(self) -> None:
        van = ann(parts={"ONT": 1})
        begun = a_job("begun", technician="ann", fixed_start=at("08:10"), parts={"ONT": 1})
        request = a_day(begun, a_job(parts={"ONT": 1}), technicians=(van, tomorrow(van)))
        assert not Day(request).may_go(1, 1)

    def test_who_is_named_is_a_person(self) -> None:
        job = a_job(minutes=300, technician="ann", previous_technician="ann", pinned=Pin(technician="ann"))
        shifts = (ann(shift_end=at("10:00")), tomorrow(ann()), bob())
        request = a_day(job, technicians=shifts)
        plan = solve(request, seconds=0)
        assert ([who for who, _ in plan.visits()], plan.cost.moved) == (["ann+1"], 0)
        assert check(request, plan) == []

    def test_what_people_were_told_begins_on_its_day(self) -> None:
        told = [
            a_job(n, previous_technician="ann", previous_start=at("09:00") + 1440 * day)
            for day, n in enumerate(["a", "b"])
        ]
        assert Day(a_day(*told, technicians=self.TWO)).previous_orders() == [[0], [1]]

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda: a_day(technicians=(ann(), ann(id="x", person="ann"))),
                "technician x: is on shift as ann at the same time",
            ),
            (
                lambda: a_day(technicians=(ann(), replace(tomorrow(ann()), parts={"ONT": 1}))),
                "technician ann+1: parts differ from ann's, ann has one van",
            ),
            (
                lambda: a_day(
                    a_job(technician="ann", fixed_start=500),
                    technicians=(ann(id="x", person="ann"), tomorrow(ann(id="ann"))),
                ),
                "job j1: fixed_start needs the shift it began in as technician",
            ),
        ],
    )
    def test_what_can_not_be_is_named(self, make: Callable[[], object], message: str) -> None:
        with pytest.raises(InvalidRequest) as refusal:
            make()
        assert message in str(refusal.value)

    def test_no_engine_takes_more_from_a_van_than_it_has(self) -> None:
        for seed in range(40):
            request = a_ruled_day(seed, days=2)
            known = solve(request, seconds=0)
            assert check(request, known) == []
            searched = solve(request, rounds=200)
            assert check(request, searched) == []
            assert searched.cost.total <= known.cost.total
        for seed in range(4):
            request = a_ruled_day(seed, days=2)
            assert check(request, solve(request, seconds=0.2, compiled=False)) == []

    def test_the_best_mix_of_routes_shares_the_van_too(self) -> None:
        van = ann(parts={"ONT": 1})
        jobs = [a_job(n, place=p, minutes=300, parts={"ONT": 1}) for p, n in enumerate(["a", "b"], start=1)]
        problem, _ = problem_of(Day(a_day(*jobs, technicians=(van, tomorrow(van)))))
        pool = Pool(problem)
        for orders in ([[0], []], [[], [1]]):
            pool.add(routes_of(problem, orders, 0))
        mixed = recombined(problem, [[1], []], [pool], None, 0)
        assert sum(map(len, mixed)) == 1
