"""What would make it work: each remedy, tried out by asking again, does; and a minute less would not."""

from dataclasses import replace
from typing import get_args

import pytest
from days import LUNCH, a_day, a_job, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings
from live_days import a_live_day
from ruled import a_ruled_day

from scheduler.check import check
from scheduler.explain import fit
from scheduler.plan import Plan
from scheduler.remedy import Change, Kind, Remedy, apply
from scheduler.request import Job, Lunch, PlanRequest
from scheduler.solve import solve

LIMITS = {"open_until": 1, "shift_until": 1, "lunch_until": 1, "open_from": -1}


def what_helps(request: PlanRequest, plan: Plan, job: str = "j1", technician: str = "ann") -> list[str]:
    answer = fit(request, plan, job, technician)
    assert not answer.feasible
    return [remedy.text for remedy in answer.remedies]


def works(request: PlanRequest, plan: Plan, job: str, technician: str, changes: tuple[Change, ...]) -> bool:
    return fit(*apply(request, plan, job, changes), job, technician).feasible


def alone(job: Job, **person: object) -> list[str]:
    request = a_day(job, technicians=(ann(**person), bob()))
    return what_helps(request, solve(request, seconds=0))


class TestPersonAndVan:
    def test_a_skill_at_the_level(self) -> None:
        assert alone(a_job(skills={"splice": 3}), skills={"splice": 2}) == ["works with splice level 3"]

    def test_a_certificate_on_the_day(self) -> None:
        certified = ann(skills={"splice": 2}, valid_until={"splice": "2026-03-12"})
        request = replace(a_day(a_job(skills={"splice": 2})), day="2026-03-20")
        request = replace(request, technicians=(certified,))
        said = what_helps(request, solve(request, seconds=0))
        assert said == ["works with a splice certificate valid on 20.03.2026"]

    def test_a_part_on_the_van(self) -> None:
        said = alone(a_job(parts={"FIBRE-PATCH": 3}), parts={"FIBRE-PATCH": 2})
        assert said == ["works with 1 more FIBRE-PATCH on the van"]

    def test_what_begun_visits_took_is_not_there_any_more(self) -> None:
        begun = a_job("begun", technician="ann", fixed_start=at("08:10"), parts={"ONT": 3})
        request = a_day(begun, a_job(parts={"ONT": 1}), technicians=(ann(parts={"ONT": 1}),))
        plan = solve(request, seconds=0)
        assert what_helps(request, plan) == ["works with 1 more ONT on the van"]
        assert works(request, plan, "j1", "ann", fit(request, plan, "j1", "ann").remedies[0].changes)

    def test_somebody_else_than_it_is_tied_to(self) -> None:
        assert alone(a_job(technician="bob")) == ["works if it were not tied to bob"]

    def test_all_of_them_when_several_are_missing(self) -> None:
        said = alone(a_job(skills={"splice": 3}, parts={"ONT": 1}, technician="bob"))
        assert said == [
            "works if it were not tied to bob, with splice level 3 and with 1 more ONT on the van"
        ]


class TestTheClock:
    def test_the_window_or_nothing(self) -> None:
        assert alone(a_job(place=5, windows=(window("08:00", "08:30"),))) == [
            "works if the window stayed open until 08:50"
        ]

    def test_a_shift_that_is_too_short_or_a_window_that_opens_too_late(self) -> None:
        said = alone(a_job(windows=(window("15:30", "16:00"),)))
        assert said == ["works with 10 min of overtime", "works if the window opened at 15:20"]

    def test_the_smaller_of_two_ways_comes_first(self) -> None:
        jobs = (
            a_job("a", minutes=60, priority=1, windows=(window("08:10", "08:10"),)),
            a_job("j1", windows=(window("08:00", "09:00"),)),
        )
        request = a_day(*jobs, technicians=(ann(), bob(shift_end=at("08:30"))))
        said = what_helps(request, solve(request, seconds=0))
        assert said == ["works if the window stayed open until 09:10", "works if a were left undone"]

    def test_another_visit_goes_to_who_has_room(self) -> None:
        jobs = (a_job("a", minutes=60), a_job("j1", minutes=60, windows=(window("08:00", "08:20"),)))
        request = a_day(*jobs, technicians=(ann(shift_end=at("09:20")), bob()))
        without = solve(a_day(jobs[0], technicians=request.technicians[:1]), seconds=0)
        _, plan = apply(request, without, "j1", ())
        assert "works if a were moved to bob" in what_helps(request, plan)

    def test_lunch_that_could_wait(self) -> None:
        said = alone(
            a_job(minutes=120, windows=(window("11:20", "11:25"),)),
            lunch=LUNCH, shift_start=at("11:15"),
        )  # fmt: skip
        assert said == [
            "works if lunch could begin as late as 13:25",
            "works if the window stayed open until 12:00",
        ]

    def test_a_lunch_that_could_wait_for_as_long_as_the_break_behind_it(self) -> None:
        coffee = Lunch(earliest=at("13:40"), latest=at("14:00"), minutes=15)
        said = alone(
            a_job(minutes=120, windows=(window("11:20", "11:25"),)),
            lunch=LUNCH, breaks=(coffee,), shift_start=at("11:15"),
        )  # fmt: skip
        assert said == [
            "works if lunch could begin as late as 13:25",
            "works if the window stayed open until 12:00",
        ]
        # By 13:20 there must be time for the coffee behind it, so lunch can't be after work any more.
        coffee = replace(coffee, earliest=at("13:10"), latest=at("13:20"))
        said = alone(
            a_job(minutes=120, windows=(window("11:20", "11:25"),)),
            lunch=LUNCH, breaks=(coffee,), shift_start=at("11:15"),
        )  # fmt: skip
        assert said == ["works if the window stayed open until 13:25"]

    def test_overtime_is_counted_on_top_of_what_is_allowed(self) -> None:
        said = alone(a_job(windows=(window("15:50", "16:00"),)), overtime_max=20)
        assert said[0] == "works with 10 min of overtime more than the 20 allowed"

    def test_overtime_ends_where_the_persons_next_shift_begins(self) -> None:
        late = a_job(minutes=60, windows=(window("15:50", "15:50"),))
        first = ann(overtime_max=20)
        for begins, helps in (("17:00", True), ("16:59", False)):
            second = ann(id="second", person="ann", shift_start=at(begins), shift_end=at("23:00"))
            request = a_day(late, technicians=(first, second))
            plan = solve(request, seconds=0)
            more = "works with 40 min of overtime more than the 20 allowed"
            assert (more in what_helps(request, plan)) is helps
            for remedy in fit(request, plan, "j1", "ann").remedies:
                assert works(request, plan, "j1", "ann", remedy.changes), remedy.text

    def test_several_limits_when_none_alone_is_enough(self) -> None:
        said = alone(a_job(place=7, windows=(window("08:00", "08:10"),)), shift_end=at("10:00"))
        assert said == ["works with 50 min of overtime and if the window stayed open until 09:10"]

    def test_a_window_is_opened_only_up_to_the_next(self) -> None:
        said = alone(a_job(place=5, windows=(window("08:00", "08:30"), window("08:40", "08:45"))))
        assert said == ["works if the window stayed open until 08:50"]


class TestVisitsThatDependOnEachOther:
    def test_keep_their_minutes_when_another_visit_comes_to_their_technician(self) -> None:
        """On the way to the cable Bob could do a: then Cy would wait for an hour at its other end."""
        jobs = (
            a_job("pull", place=2, together="cable", technician="bob"),
            a_job("feed", place=2, together="cable", technician="cy"),
            a_job("a", place=1, minutes=60),
        )
        people = (ann(shift_end=at("09:20")), bob(bias={"a": 5_000}), ann(id="cy", shift_end=at("09:30")))
        plan = solve(a_day(*jobs, technicians=people), rounds=100)
        asked = a_job("j1", minutes=60, windows=(window("08:00", "08:20"),), technician="ann")
        request = a_day(*jobs, asked, technicians=people)
        moved = (Change(kind="move_away", of="a", to="bob"),)
        changed, after = apply(request, plan, "j1", moved)
        assert check(changed, after) == []
        assert fit(changed, after, "j1", "ann").feasible
        starts = {visit.job_id: (who, visit.start) for who, visit in after.visits()}
        assert starts == {
            "pull": ("bob", at("08:20")),
            "a": ("bob", at("09:00")),
            "feed": ("cy", at("08:20")),
        }
        assert "works if a were moved to bob" in what_helps(request, plan)

    def test_go_with_the_job_that_is_asked_about(self) -> None:
        jobs = (a_job("pull", together="cable"), a_job("feed", together="cable"), a_job("a"))
        request = a_day(*jobs, technicians=(ann(), bob()))
        changed, after = apply(request, solve(request, rounds=100), "pull", ())
        assert check(changed, after) == []
        assert [visit.job_id for _, visit in after.visits()] == ["a"]

    def test_keep_their_links_on_any_day(self) -> None:
        changes = 0
        for seed in range(80):
            request, plan = a_live_day(seed, linked=True)
            for job in request.jobs:
                for person in request.technicians if job.fixed_start is None else ():
                    for remedy in fit(request, plan, job.id, person.id).remedies:
                        changes += len(remedy.changes)
                        changed, kept = apply(request, plan, job.id, remedy.changes)
                        assert check(changed, kept) == [], (seed, remedy.text)
                        assert fit(changed, kept, job.id, person.id).feasible, (seed, remedy.text)
        assert changes > 100


class TestOnAnyDay:
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days())
    def test_each_remedy_works_and_the_checker_agrees(self, request: PlanRequest) -> None:
        plan = solve(request, seconds=0)
        for left in plan.unassigned:
            for person in request.technicians:
                answer = fit(request, plan, left.job_id, person.id)
                for remedy in answer.remedies:
                    changed, kept = apply(request, plan, left.job_id, remedy.changes)
                    assert fit(changed, kept, left.job_id, person.id).feasible, remedy.text
                    assert check(changed, kept) == []
                assert answer.feasible or answer.remedies or impossible(request, left.job_id)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days())
    def test_and_nothing_of_it_could_be_less(self, request: PlanRequest) -> None:
        plan = solve(request, seconds=0)
        for left in plan.unassigned:
            for person in request.technicians:
                for remedy in fit(request, plan, left.job_id, person.id).remedies:
                    for less in smaller(remedy):
                        assert not works(request, plan, left.job_id, person.id, less), remedy.text

    def test_works_and_could_not_be_less_where_every_rule_has_something_to_say(self) -> None:
        kinds = set()
        for seed in range(120):
            request = a_ruled_day(seed, days=1 + seed % 2)
            plan = solve(request, seconds=0)
            for left in plan.unassigned:
                for person in request.technicians:
                    for remedy in fit(request, plan, left.job_id, person.id).remedies:
                        kinds |= {change.kind for change in remedy.changes}
                        changed, kept = apply(request, plan, left.job_id, remedy.changes)
                        assert fit(changed, kept, left.job_id, person.id).feasible, remedy.text
                        assert check(changed, kept) == []
                        for less in smaller(remedy):
                            assert not works(request, plan, left.job_id, person.id, less), remedy.text
        assert kinds == set(get_args(Kind))

    def test_a_begun_visit_has_none(self) -> None:
        request = a_day(a_job(technician="ann", fixed_start=at("08:10")))
        assert fit(request, solve(request, seconds=0), "j1", "ann").remedies == ()


def impossible(request: PlanRequest, job: str) -> bool:
    """Only what has begun can't be given away."""
    return any(one.id == job and one.fixed_start is not None for one in request.jobs)


def smaller(remedy: Remedy) -> list[tuple[Change, ...]]:
    """The remedy with one of its changes a step smaller, and with one of them missing."""
    found = []
    for at_, change in enumerate(remedy.changes):
        before, after = remedy.changes[:at_], remedy.changes[at_ + 1 :]
        found.append((*before, *after))
        if change.kind in LIMITS and change.minutes > 1:
            step = replace(change, amount=change.amount - LIMITS[change.kind])
            found.append((*before, step, *after))
        if change.kind in ("parts", "skill") and change.amount > 1:
            found.append((*before, replace(change, amount=change.amount - 1), *after))
    return found


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_every_limit_is_one_that_a_change_can_move(kind: str) -> None:
    person = ann(lunch=LUNCH)
    request = a_day(a_job(windows=(window("09:00", "10:00"),)), technicians=(person,))
    plan = solve(request, seconds=0)
    minute = {"open_until": 700, "shift_until": 1000, "lunch_until": 800, "open_from": 500}[kind]
    changed, _ = apply(
        request, plan, "j1",
        (Change(kind=kind, of="j1" if kind.startswith("open") else "ann", amount=minute),),  # type: ignore[arg-type]
    )  # fmt: skip
    assert changed != request
