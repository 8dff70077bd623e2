"""The judge's half for links: plans that were right, made wrong by hand."""

from dataclasses import replace

import pytest
from days import a_day, a_job, ann, at, bob, window

from scheduler.check import check, cost_of
from scheduler.plan import Plan, Unassigned
from scheduler.request import After, Job, PlanRequest
from scheduler.solve import solve


def found(request: PlanRequest, plan: Plan) -> list[tuple[str, str]]:
    """What the checker says of `plan`, its cost put right before."""
    plan = replace(plan, cost=cost_of(request, plan))
    return [(violation.rule, violation.text) for violation in check(request, plan)]


def of_free(*jobs: Job) -> tuple[PlanRequest, Plan]:
    """A day with links, and the plan of the same day without."""
    request = a_day(*jobs, technicians=(ann(), bob()))
    free = tuple(replace(job, together=None, after=()) for job in jobs)
    return request, solve(replace(request, jobs=free), seconds=0)


class TestAfter:
    def test_too_early(self) -> None:
        request, plan = of_free(
            a_job("drop", technician="ann"),
            a_job("splice", technician="bob", after=(After(job="drop", gap_least=10),)),
        )
        assert found(request, plan) == [
            ("after", "splice starts 08:10, but drop ends 08:40 and 10 min must pass")
        ]

    def test_too_late(self) -> None:
        request, plan = of_free(
            a_job("drop", place=1, technician="ann", windows=(window("08:00", "08:15"),)),
            a_job("splice", place=6, technician="ann", after=(After(job="drop", gap_most=45),)),
        )
        assert found(request, plan) == [
            ("after", "splice starts 09:30, more than 45 min after drop ends 08:40")
        ]

    def test_what_it_waits_for_is_not_planned(self) -> None:
        request, plan = of_free(
            a_job("drop", skills={"climb": 1}), a_job("splice", after=(After(job="drop"),))
        )
        assert found(request, plan) == [("after", "splice comes after drop, which is not planned")]

    @pytest.mark.parametrize("gap", [0, 1])
    def test_to_the_minute(self, gap: int) -> None:
        request, plan = of_free(
            a_job("drop", technician="ann", windows=(window("08:00", "08:15"),)),
            a_job("splice", technician="ann", after=(After(job="drop", gap_least=gap),)),
        )
        assert len(found(request, plan)) == gap


class TestTogether:
    def test_another_minute(self) -> None:
        request, plan = of_free(
            a_job("pull", place=1, technician="ann", together="g"),
            a_job("feed", place=2, technician="bob", together="g"),
        )
        assert found(request, plan) == [("together", "feed starts 08:20, pull with it 08:10")]

    def test_one_person_for_both(self) -> None:
        request, plan = of_free(
            a_job("pull", technician="ann", together="g"), a_job("feed", technician="ann", together="g")
        )
        assert ("together", "feed and pull begin together, both with ann") in found(request, plan)

    def test_half_of_it(self) -> None:
        request, plan = of_free(a_job("pull", together="g"), a_job("feed", skills={"climb": 1}, together="g"))
        assert found(request, plan) == [("together", "pull begins together with feed, which is not planned")]

    def test_none_of_it_is_no_violation(self) -> None:
        request, plan = of_free(a_job("pull", together="g"), a_job("feed", together="g"))
        left = tuple(Unassigned(job_id=job.id, code="linked", reason="a test") for job in request.jobs)
        routes = tuple(
            replace(route, visits=(), leave=at("08:00"), back=at("08:00"), travel_minutes=0,
                    travel_seconds=0, travel_metres=0)
            for route in plan.routes
        )  # fmt: skip
        assert found(request, replace(plan, routes=routes, unassigned=left)) == []

    def test_joining_what_is_over(self) -> None:
        request, plan = of_free(
            a_job("pull", technician="ann", together="g", fixed_start=at("08:00"), minutes=10),
            a_job("feed", technician="bob", together="g"),
        )
        assert found(request, plan) == [("together", "feed starts 08:10, pull lasts from 08:00 to 08:10")]
