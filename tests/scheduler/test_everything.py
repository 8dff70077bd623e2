"""Whatever a request asks for at once, a plan keeps it, leaves nothing out in silence, and is repeatable.

`EVERY_RULE_DAYS` sets how many days are planned; 25 unless it is set.
"""

import os
from collections import Counter
from dataclasses import replace

import pytest
from every_rule import a_day_of_everything
from live_days import a_live_day

from scheduler.check import check
from scheduler.check_links import broken_links
from scheduler.codec import plan_from_json, plan_to_json, request_from_json, request_to_json
from scheduler.emergency import apply_insertion, best_insertions, least_disruption
from scheduler.explain import explain_unassigned, fit, fits, why_assigned, why_unassigned
from scheduler.live import standing
from scheduler.mend import mend
from scheduler.plan import Plan
from scheduler.request import PlanRequest, Window
from scheduler.slots import openings, sketch
from scheduler.solve import solve
from scheduler.timing import Day

DAYS = int(os.environ.get("EVERY_RULE_DAYS", "25"))


def planned(request: PlanRequest) -> Plan:
    return solve(request, rounds=200, seed=3)


@pytest.mark.parametrize("seed", range(DAYS))
class TestADayOfEverything:
    def test_is_planned_without_a_violation(self, seed: int) -> None:
        request = a_day_of_everything(seed)
        plan = planned(request)
        assert check(request, plan) == []
        told = [visit.job_id for _, visit in plan.visits()] + [left.job_id for left in plan.unassigned]
        assert Counter(told) == Counter(job.id for job in request.jobs), "nothing is left out in silence"
        assert all(left.reason for left in plan.unassigned)
        assert request_from_json(request_to_json(request)) == request
        assert plan_from_json(plan_to_json(plan)) == plan
        assert plan_to_json(planned(request)) == plan_to_json(plan)

    def test_is_explained_for_whoever_asks(self, seed: int) -> None:
        request = a_day_of_everything(seed)
        plan = planned(request)
        for _, visit in plan.visits():
            assert why_assigned(request, plan, visit.job_id).text
        for left in plan.unassigned:
            assert why_unassigned(request, plan, left.job_id).code == left.code
            open_to = {
                person.id
                for person in request.technicians
                if fit(request, plan, left.job_id, person.id).feasible
            }
            offered = best_insertions(request, plan, left.job_id, count=len(request.technicians))
            places = {way.technician_id for way in offered if not way.displaced}
            # Who could come does not help a visit whose other half has no place.
            assert places == (set() if left.code == "linked" else open_to)


SLOTS = [Window(opens, opens + 119) for day in (0, 1440) for opens in range(day + 420, day + 1080, 120)]


@pytest.mark.parametrize("seed", range(2 * DAYS))
class TestALiveDayOfEverything:
    """Hours later: visits begun, early and late, pins overdue, shifts that adjoin, somebody gone."""

    def test_stands_as_it_is_with_no_violation_but_what_was_late_already(self, seed: int) -> None:
        request, plan = a_live_day(seed)
        now = standing(request, plan)
        day = Day(now.request)
        orders = [[day.job_number[id] for id in now.orders[person.id]] for person in day.technicians]
        as_it_is = day.plan(orders, explain_unassigned(day, orders), engine="as it is", seed=0)
        assert check(now.request, as_it_is) == []
        # By the promises as they were made, nothing is wrong but what is said.
        moved = {
            p.id for p, q in zip(request.technicians, now.request.technicians, strict=True)
            if p.shift_start != q.shift_start
        }  # fmt: skip
        for wrong in check(request, as_it_is):
            known = {
                "window": wrong.job_id in now.late,
                "pinned": wrong.job_id in now.late,
                "shift": wrong.technician_id in now.over or wrong.technician_id in moved,
                "lunch": wrong.technician_id in moved,
                "cost": True,  # of overtime, and of leaving out what was pinned
            }
            assert known.get(wrong.rule), wrong.text
        here = {id for order in now.orders.values() for id in order}
        open_jobs = {job.id for job in request.jobs if job.fixed_start is None}
        assert here | set(now.homeless) == {v.job_id for _, v in plan.visits() if v.job_id in open_jobs}
        assert here.isdisjoint(now.homeless)

    @pytest.mark.parametrize("linked", [False, True])
    def test_is_mended_without_a_violation_and_nothing_is_dropped(self, seed: int, linked: bool) -> None:
        request, plan = a_live_day(seed, linked=linked)
        now, mended = standing(request, plan), mend(request, plan, tell_max=3, rounds=60, seed=seed)
        assert check(mended.request, mended.plan) == []
        assert mended.plan.cost.total == mended.cost_after <= mended.cost_before
        assert len(mended.told) <= 3
        after = {visit.job_id: (person, visit.start) for person, visit in mended.plan.visits()}
        listed = [*after, *(left.job_id for left in mended.plan.unassigned), *mended.loose]
        assert Counter(listed) == Counter(job.id for job in request.jobs)
        assert linked or mended.loose == ()
        assert {id for order in now.orders.values() for id in order} <= set(after)
        assert set(now.homeless) <= set(after) | {late.job_id for late in mended.kept_late}
        for job in request.jobs:
            assert job.fixed_start is None or after[job.id] == (job.technician, job.fixed_start)
        # By the links as they were made, nothing is wrong but what nobody can help any more.
        begun = {job.id for job in request.jobs if job.fixed_start is not None}
        for wrong in broken_links(request, mended.plan):
            assert wrong.job_id in begun | set(now.late), wrong.text

    def test_is_answered_where_visits_depend_on_each_other(self, seed: int) -> None:
        request, plan = a_live_day(seed, linked=True)
        for way in best_insertions(request, plan, "sos"):
            taken_in = apply_insertion(request, plan, way)
            assert check(request, taken_in) == []
            assert {v.job_id: v.start for _, v in taken_in.visits()}["sos"] == way.start
        assert check(request, least_disruption(request, plan, "sos", rounds=60)) == []
        known = {visit.job_id: (person, visit.start) for person, visit in plan.visits()}
        told = tuple(
            replace(job, previous_technician=known[job.id][0], previous_start=known[job.id][1])
            if job.id in known and job.fixed_start is None
            else job
            for job in request.jobs
        )
        again = replace(request, jobs=told)
        assert check(again, solve(again, rounds=60)) == []
        people = {person.id for person in request.technicians}
        for job in request.jobs:
            assert len(fits(request, plan, job.id)) == len(people)
            if job.id in known and known[job.id][0] in people:
                assert why_assigned(request, plan, job.id).text
            elif job.fixed_start is None:
                assert why_unassigned(request, plan, job.id).reason

    def test_offers_slots_in_which_all_that_had_a_place_keeps_it(self, seed: int) -> None:
        request, plan = a_live_day(seed)
        now, found = sketch(request, plan, {}, without=["sos"])
        had = {id for order in standing(request, plan).orders.values() for id in order}
        assert had <= {id for order in found.values() for id in order}
        for slot, offer in zip(SLOTS, openings(now, found, "sos", SLOTS), strict=True):
            if offer is None:
                continue
            jobs = tuple(replace(job, windows=(slot,)) if job.id == "sos" else job for job in now.jobs)
            day = Day(replace(now, jobs=jobs))
            orders = [[day.job_number[id] for id in found[person.id]] for person in day.technicians]
            person = day.technician_number[offer.technician_id]
            at = offer.position - len(day.origins[person].begun)
            orders[person].insert(at, day.job_number["sos"])
            after = day.plan(orders, explain_unassigned(day, orders), engine="slots", seed=0)
            assert check(day.request, after) == []
            assert {v.job_id: (who, v.start) for who, v in after.visits()}["sos"] == (
                offer.technician_id,
                offer.start,
            )
