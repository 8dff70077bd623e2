"""Groups: visits that begin at the same minute, each with another technician, or not at all."""

import pytest
from days import LUNCH, a_day, a_job, ann, at, bob, window
from linked_days import holders, left, starts

from scheduler.check import check
from scheduler.plan import Plan
from scheduler.request import PlanRequest, Technician
from scheduler.solve import solve

EFFORT = pytest.mark.parametrize("rounds", [0, 300], ids=["greedy", "search"])


def planned(request: PlanRequest, rounds: int) -> Plan:
    plan = solve(request, rounds=rounds)
    assert check(request, plan) == []
    return plan


def cat(**changes: object) -> Technician:
    return ann(**({"id": "cat"} | changes))


def a_pair(**changes: object) -> tuple:  # type: ignore[type-arg]
    return a_job("pull", together="cable", **changes), a_job("feed", together="cable", **changes)


@EFFORT
class TestAGroup:
    def test_two_people_begin_at_the_same_minute(self, rounds: int) -> None:
        plan = planned(a_day(*a_pair(place=2), technicians=(ann(), bob())), rounds)
        assert starts(plan) == {"pull": at("08:20"), "feed": at("08:20")}
        assert set(holders(plan).values()) == {"ann", "bob"}
        assert plan.cost.total == 2 * 4 * 1030

    def test_who_is_nearer_waits_for_who_comes_from_afar(self, rounds: int) -> None:
        people = (ann(start_place=2, end_place=2), bob(start_place=7, end_place=7))
        plan = planned(a_day(*a_pair(place=2), technicians=people), rounds)
        assert starts(plan) == {"pull": at("08:50"), "feed": at("08:50")}

    def test_each_visit_has_its_own_place_skill_and_length(self, rounds: int) -> None:
        jobs = (
            a_job("end a", place=1, minutes=20, together="cable", skills={"splice": 1}),
            a_job("end b", place=3, minutes=50, together="cable"),
        )
        people = (ann(), bob(skills={"splice": 1}))
        plan = planned(a_day(*jobs, technicians=people), rounds)
        assert holders(plan) == {"end a": "bob", "end b": "ann"}
        assert starts(plan) == {"end a": at("08:30"), "end b": at("08:30")}

    def test_the_minute_keeps_the_windows_of_all(self, rounds: int) -> None:
        jobs = (
            a_job("pull", together="cable", windows=(window("09:00", "11:00"), window("13:00", "15:00"))),
            a_job("feed", together="cable", windows=(window("08:00", "08:45"), window("12:00", "14:00"))),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob())), rounds)
        assert starts(plan) == {"pull": at("13:00"), "feed": at("13:00")}

    def test_a_lunch_is_had_before_or_after_for_all(self, rounds: int) -> None:
        jobs = (
            a_job("pull", minutes=120, together="cable", windows=(window("11:00", "13:30"),)),
            a_job("feed", minutes=120, together="cable", windows=(window("11:20", "13:30"),)),
        )
        plan = planned(a_day(*jobs, technicians=(ann(lunch=LUNCH), bob())), rounds)
        assert starts(plan)["pull"] == starts(plan)["feed"]
        assert plan.unassigned == ()

    def test_other_visits_stand_around_it(self, rounds: int) -> None:
        early = a_job("early", place=1, minutes=60, windows=(window("08:00", "08:20"),), technician="ann")
        plan = planned(a_day(early, *a_pair(place=1), technicians=(ann(), bob())), rounds)
        assert starts(plan) == {"early": at("08:10"), "pull": at("09:10"), "feed": at("09:10")}

    def test_three_of_three(self, rounds: int) -> None:
        jobs = [a_job(f"j{n}", together="crew") for n in range(3)]
        plan = planned(a_day(*jobs, technicians=(ann(), bob(), cat(shift_start=at("10:00")))), rounds)
        assert set(starts(plan).values()) == {at("10:10")}

    def test_two_groups_cross_without_waiting_for_each_other_for_ever(self, rounds: int) -> None:
        jobs = (
            a_job("a1", place=1, together="a"),
            a_job("a2", place=1, together="a"),
            a_job("b1", place=3, together="b"),
            a_job("b2", place=3, together="b"),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob())), rounds)
        assert plan.unassigned == ()
        assert plan.cost.total == 2 * 6 * 1030


@EFFORT
class TestNoneOrAll:
    def test_a_skill_that_one_visit_lacks_leaves_the_group_out(self, rounds: int) -> None:
        jobs = (a_job("pull", together="cable"), a_job("feed", together="cable", skills={"splice": 1}))
        plan = planned(a_day(*jobs, a_job("other"), technicians=(ann(), bob())), rounds)
        assert list(starts(plan)) == ["other"]
        skill = "nobody has splice level 1: the best has none"
        assert left(plan) == {
            "pull": ("linked", f"must begin with feed, which can't be planned: {skill}"),
            "feed": ("skill", skill),
        }

    def test_the_only_able_one_cant_do_both(self, rounds: int) -> None:
        plan = planned(
            a_day(*a_pair(skills={"splice": 1}), technicians=(ann(skills={"splice": 1}), bob())), rounds
        )
        text = "must begin with {}: at no minute is there a technician for each of them"
        assert left(plan) == {
            "pull": ("linked", text.format("feed")), "feed": ("linked", text.format("pull")),
        }  # fmt: skip

    def test_shifts_that_never_meet(self, rounds: int) -> None:
        people = (ann(shift_end=at("11:00")), bob(shift_start=at("11:00")))
        assert set(left(planned(a_day(*a_pair(), technicians=people), rounds))) == {"pull", "feed"}

    def test_a_detour_that_costs_more_than_the_whole_group(self, rounds: int) -> None:
        plan = planned(a_day(*a_pair(place=7, drop_cost=7_000), technicians=(ann(), bob())), rounds)
        text = "must begin with feed: ann and bob could at 09:10, but it would add 288.40; "
        assert left(plan)["pull"] == ("too_costly", f"{text}left undone they cost 140.00")


@EFFORT
class TestBegunVisits:
    def test_the_second_person_joins_while_it_lasts(self, rounds: int) -> None:
        jobs = (
            a_job("pull", minutes=120, together="cable", technician="ann", fixed_start=at("08:10")),
            a_job("feed", together="cable"),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob()), now=at("08:30")), rounds)
        assert starts(plan) == {"pull": at("08:10"), "feed": at("08:40")}
        assert holders(plan) == {"pull": "ann", "feed": "bob"}

    def test_nobody_comes_when_it_is_over(self, rounds: int) -> None:
        jobs = (
            a_job("pull", minutes=20, together="cable", technician="ann", fixed_start=at("08:10")),
            a_job("feed", place=3, together="cable"),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob())), rounds)
        text = "would start 08:30, but must begin while pull lasts, 08:10 to 08:30"
        assert left(plan) == {"feed": ("linked", f"nearest is bob: {text}")}

    def test_two_who_join_still_begin_together(self, rounds: int) -> None:
        jobs = (
            a_job("pull", minutes=120, together="cable", technician="ann", fixed_start=at("08:10")),
            a_job("feed", together="cable"),
            a_job("watch", together="cable"),
        )
        people = (ann(), bob(), cat(start_place=5))
        plan = planned(a_day(*jobs, technicians=people), rounds)
        assert (starts(plan)["feed"], starts(plan)["watch"]) == (at("08:40"), at("08:40"))


class TestWhatWasToldBeforeItWasLinked:
    def test_at_two_minutes_is_planned_anew_at_one(self) -> None:
        pair = [
            a_job(
                name, place=1, minutes=60, together="crew", previous_technician=who, previous_start=at(start)
            )
            for name, who, start in (("one", "ann", "09:00"), ("two", "bob", "11:00"))
        ]
        request = a_day(*pair, technicians=(ann(), bob()))
        plan = solve(request, seconds=0)
        assert check(request, plan) == []
        assert len(set(starts(plan).values())) == 1

    def test_to_one_technician_is_given_to_two(self) -> None:
        pair = [
            a_job(
                name,
                place=1,
                minutes=60,
                together="crew",
                previous_technician="ann",
                previous_start=at(start),
            )
            for name, start in (("one", "09:00"), ("two", "11:00"))
        ]
        request = a_day(*pair, technicians=(ann(), bob()))
        plan = solve(request, seconds=0)
        assert check(request, plan) == []
        assert set(holders(plan).values()) == {"ann", "bob"}
