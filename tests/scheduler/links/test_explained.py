"""Why a linked visit can't be elsewhere, what an emergency may not move, and two plans side by side."""

from dataclasses import replace

from days import a_day, a_job, ann, at, bob, window
from linked_days import holders, left, starts

from scheduler.check import check
from scheduler.emergency import apply_insertion, best_insertions, least_disruption
from scheduler.explain import BrokenRule, fit, why_assigned
from scheduler.plan import Plan
from scheduler.request import After, PlanRequest, Technician
from scheduler.solve import solve


def dan(**changes: object) -> Technician:
    return ann(**({"id": "dan"} | changes))


def broken(request: PlanRequest, plan: Plan, job: str, technician: str) -> list[tuple[str, str]]:
    answer = fit(request, plan, job, technician)
    assert not answer.feasible
    return [(rule.code, rule.text) for rule in answer.broken]


class TestWhyNotThisTechnician:
    def test_too_far_away_for_the_common_minute(self) -> None:
        jobs = (a_job("pull", together="g", technician="ann"), a_job("feed", together="g"))
        request = a_day(*jobs, technicians=(ann(), bob(), dan(start_place=7)))
        plan = solve(request, seconds=0)
        assert broken(request, plan, "feed", "dan") == [
            ("linked", "would start 09:00, but must begin with pull, at 08:10")
        ]

    def test_is_with_the_other_visit_of_the_group(self) -> None:
        jobs = (a_job("pull", together="g", technician="ann"), a_job("feed", together="g"))
        request = a_day(*jobs, technicians=(ann(), bob()))
        plan = solve(request, seconds=0)
        rule = BrokenRule(code="linked", text="does pull, which begins at the same minute")
        assert fit(request, plan, "feed", "ann").broken == (rule,)

    def test_goes_home_before_what_it_waits_for_has_ended(self) -> None:
        jobs = (a_job("drop", minutes=180, technician="ann"), a_job("splice", after=(After(job="drop"),)))
        request = a_day(*jobs, technicians=(ann(), bob(), dan(shift_end=at("11:30"))))
        plan = solve(request, seconds=0)
        assert broken(request, plan, "splice", "dan") == [
            ("linked", "waits for drop, which ends 11:10: would be back 11:50, shift ends 11:30")
        ]

    def test_goes_home_before_it_whatever_overtime_is_allowed(self) -> None:
        jobs = (a_job("drop", minutes=180, technician="ann"), a_job("splice", after=(After(job="drop"),)))
        people = (ann(), bob(), dan(shift_end=at("11:30"), overtime_max=10))
        request = a_day(*jobs, technicians=people)
        text = "would be back 11:50, shift ends 11:30 and 10 min of overtime are allowed"
        assert broken(request, solve(request, seconds=0), "splice", "dan") == [
            ("linked", f"waits for drop, which ends 11:10: {text}")
        ]

    def test_would_not_be_done_before_who_waits_for_it(self) -> None:
        jobs = (
            a_job("drop", minutes=60),
            a_job(
                "splice", after=(After(job="drop"),), windows=(window("09:10", "09:20"),), technician="bob"
            ),
        )
        request = a_day(*jobs, technicians=(ann(), bob(), dan(start_place=7)))
        plan = solve(request, rounds=100)
        assert broken(request, plan, "drop", "dan") == [
            ("linked", "would start 09:00, but must end before splice, which begins 09:10")
        ]

    def test_the_runner_up_is_one_who_can_begin_at_the_same_minute(self) -> None:
        jobs = (a_job("pull", together="g", technician="ann"), a_job("feed", together="g"))
        request = a_day(*jobs, technicians=(ann(), bob(), dan(end_place=3)))
        plan = solve(request, rounds=100)
        choice = why_assigned(request, plan, "feed")
        assert choice.technician_id == "bob"
        assert choice.runner_up is not None
        assert (choice.runner_up.technician_id, choice.runner_up.start) == ("dan", at("08:10"))


class TestAnEmergency:
    def test_moves_no_visit_of_a_group(self) -> None:
        jobs = (a_job("pull", place=2, together="g"), a_job("feed", place=2, together="g"))
        day = a_day(*jobs, technicians=(ann(), bob()))
        plan = solve(day, seconds=0)
        sos = a_job("sos", place=1, priority=1)
        request = replace(day, jobs=(*jobs, sos))
        ways = best_insertions(request, plan, "sos")
        assert [way.affected for way in ways] == [(), ()]
        for way in ways:
            assert way.start == at("09:00")  # on the way home: before the group it would delay it
            after = apply_insertion(request, plan, way)
            assert check(request, after) == []
            assert (starts(after)["pull"], starts(after)["feed"]) == (at("08:20"), at("08:20"))

    def test_uses_the_time_until_the_next_one_begins_and_no_more(self) -> None:
        jobs = (
            a_job("drop", place=2, technician="ann"),
            a_job("splice", place=2, technician="bob", after=(After(job="drop"),),
                  windows=(window("09:30", "10:00"),)),
        )  # fmt: skip
        day = a_day(*jobs, technicians=(ann(), bob()))
        plan = solve(day, seconds=0)

        def first_of_ann(minutes: int) -> tuple[int, tuple[int, ...]]:
            sos = a_job(
                "sos", minutes=minutes, priority=1, technician="ann", windows=(window("08:00", "08:10"),)
            )
            (way,) = best_insertions(replace(day, jobs=(*jobs, sos)), plan, "sos") or (None,)
            return (0, ()) if way is None else (way.start, tuple(delay.minutes for delay in way.affected))

        assert first_of_ann(40) == (at("08:10"), (40,))
        assert first_of_ann(41) == (0, ())

    def test_pushes_nobody_out_who_is_waited_for(self) -> None:
        jobs = (
            a_job("drop", minutes=200, priority=4),
            a_job("splice", minutes=10, priority=4, after=(After(job="drop"),)),
        )
        day = a_day(*jobs, technicians=(ann(shift_end=at("11:50")),))
        plan = solve(day, seconds=0)
        request = replace(day, jobs=(*jobs, a_job("sos", minutes=200, priority=1)))
        assert plan.unassigned == ()
        assert best_insertions(request, plan, "sos") == ()
        short = replace(day, jobs=(*jobs, a_job("sos", minutes=10, priority=1)))
        (way,) = best_insertions(short, plan, "sos")
        assert way.displaced == ("splice",)
        assert left(apply_insertion(short, plan, way))["splice"][0] in ("linked", "day_full")

    def test_a_new_visit_keeps_its_own_links(self) -> None:
        jobs = (a_job("drop", minutes=60),)
        day = a_day(*jobs, technicians=(ann(), bob()))
        plan = solve(day, seconds=0)
        request = replace(day, jobs=(*jobs, a_job("splice", after=(After(job="drop"),))))
        ways = best_insertions(request, plan, "splice")
        assert {way.start for way in ways} == {at("09:10")}
        assert check(request, apply_insertion(request, plan, ways[0])) == []

    def test_half_a_group_is_no_way(self) -> None:
        day = a_day(a_job("other"), technicians=(ann(), bob()))
        plan = solve(day, seconds=0)
        group = (a_job("pull", together="g"), a_job("feed", together="g"))
        request = replace(day, jobs=(*day.jobs, *group))
        assert best_insertions(request, plan, "pull") == ()
        after = least_disruption(request, plan, "pull", rounds=50)
        assert check(request, after) == []
        assert starts(after)["pull"] == starts(after)["feed"]

    def test_the_least_disruption_moves_a_group_only_as_one(self) -> None:
        group = (
            a_job("pull", minutes=120, together="g", windows=(window("08:00", "12:00"),)),
            a_job("feed", minutes=120, together="g", windows=(window("08:00", "12:00"),)),
        )
        day = a_day(*group, technicians=(ann(), bob()))
        plan = solve(day, seconds=0)
        sos = a_job("sos", priority=1, windows=(window("08:00", "08:30"),))
        request = replace(day, jobs=(*group, sos))
        after = least_disruption(request, plan, "sos", rounds=100)
        assert check(request, after) == []
        assert starts(after) == {"sos": at("08:10"), "pull": at("08:40"), "feed": at("08:40")}
        assert holders(after)["pull"] != holders(after)["feed"]
