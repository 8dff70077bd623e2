"""Who may do what: each rule alone, kept and broken, by the policy and by the checker."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from days import a_day, a_job, ann, at, bob

from scheduler.check import check
from scheduler.explain import fit, why_unassigned
from scheduler.policy import BrokenRule, Policy
from scheduler.request import InvalidRequest, Job, PlanRequest, Technician, Weights
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
        expired = BrokenRule(code="certificate", text="splice certificate expired 12.03.2026")
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

    def test_a_bias_is_of_the_pair(self) -> None:
        policy = Policy(Weights(other_technician=700))
        person = ann(bias={"j1": 30})
        assert (policy.bias(person, a_job()), policy.bias(person, a_job("j2"))) == (30, 0)
        assert policy.extra(person, a_job(previous_technician="bob")) == 730
