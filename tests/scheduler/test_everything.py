"""Whatever a request asks for at once, a plan keeps it, leaves nothing out in silence, and is repeatable.

`EVERY_RULE_DAYS` sets how many days are planned; 25 unless it is set.
"""

import os
from collections import Counter

import pytest
from every_rule import a_day_of_everything

from scheduler.check import check
from scheduler.codec import plan_from_json, plan_to_json, request_from_json, request_to_json
from scheduler.emergency import best_insertions
from scheduler.explain import fit, why_assigned, why_unassigned
from scheduler.plan import Plan
from scheduler.request import PlanRequest
from scheduler.solve import solve

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
