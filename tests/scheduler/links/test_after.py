"""Sequences: a visit that may begin only when another has ended, whoever does either."""

import pytest
from days import a_day, a_job, ann, at, bob, window
from linked_days import holders, left, starts

from scheduler.check import check
from scheduler.plan import Plan
from scheduler.request import After, PlanRequest
from scheduler.solve import solve

EFFORT = pytest.mark.parametrize("rounds", [0, 300], ids=["greedy", "search"])
SPLICE = {"skills": {"splice": 1}}
PEOPLE = (ann(), bob(skills={"splice": 1}))


def planned(request: PlanRequest, rounds: int) -> Plan:
    plan = solve(request, rounds=rounds)
    assert check(request, plan) == []
    return plan


def after(job: str, least: int = 0, most: int | None = None) -> tuple[After, ...]:
    return (After(job=job, gap_least=least, gap_most=most),)


@EFFORT
class TestASequence:
    def test_the_splice_waits_for_the_drop_of_somebody_else(self, rounds: int) -> None:
        drop = a_job("drop", minutes=60, technician="ann")
        plan = planned(
            a_day(a_job("splice", after=after("drop"), **SPLICE), drop, technicians=PEOPLE), rounds
        )
        assert starts(plan) == {"drop": at("08:10"), "splice": at("09:10")}
        assert holders(plan) == {"drop": "ann", "splice": "bob"}

    def test_one_technician_does_both_in_order_where_that_is_cheapest(self, rounds: int) -> None:
        jobs = (a_job("splice", place=1, after=after("drop")), a_job("drop", place=5))
        plan = planned(a_day(*jobs, technicians=(ann(),)), rounds)
        assert [visit.job_id for visit in plan.routes[0].visits] == ["drop", "splice"]

    def test_a_gap_is_kept(self, rounds: int) -> None:
        jobs = (a_job("test", after=after("glue", least=90)), a_job("glue"))
        assert starts(planned(a_day(*jobs), rounds)) == {"glue": at("08:10"), "test": at("10:10")}

    def test_who_comes_before_waits_so_that_not_too_much_time_lies_between(self, rounds: int) -> None:
        jobs = (
            a_job("close", after=after("open", most=30), windows=(window("12:00", "13:00"),)),
            a_job("open"),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob())), rounds)
        assert starts(plan)["close"] - starts(plan)["open"] - 30 <= 30
        assert starts(plan)["close"] >= at("12:00")

    def test_drop_before_splice_before_install(self, rounds: int) -> None:
        jobs = (
            a_job("install", after=after("splice")),
            a_job("splice", after=after("drop"), **SPLICE),
            a_job("drop", technician="ann"),
        )
        plan = planned(a_day(*jobs, technicians=PEOPLE), rounds)
        assert starts(plan)["splice"] == at("08:40")
        assert starts(plan)["install"] == at("09:10")

    def test_a_group_waits_as_one_for_all_that_must_be_before(self, rounds: int) -> None:
        jobs = (
            a_job("pull", together="cable", after=after("duct")),
            a_job("feed", together="cable", after=after("permit", least=15)),
            a_job("duct", minutes=30, technician="ann"),
            a_job("permit", minutes=40, technician="bob"),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob())), rounds)
        assert starts(plan)["pull"] == starts(plan)["feed"] == at("09:05")

    def test_what_has_begun_is_waited_for_as_it_is(self, rounds: int) -> None:
        drop = a_job("drop", minutes=100, technician="ann", fixed_start=at("08:10"))
        plan = planned(a_day(drop, a_job("splice", after=after("drop")), technicians=PEOPLE), rounds)
        assert starts(plan)["splice"] == at("09:50")

    def test_a_successor_that_has_begun_holds_nobody(self, rounds: int) -> None:
        splice = a_job("splice", technician="bob", fixed_start=at("08:10"), after=after("drop"), **SPLICE)
        plan = planned(a_day(a_job("drop", technician="ann"), splice, technicians=PEOPLE), rounds)
        assert starts(plan)["drop"] == at("08:10")


@EFFORT
class TestWhatCantBe:
    def test_without_the_first_there_is_no_second(self, rounds: int) -> None:
        jobs = (
            a_job("drop", skills={"climb": 1}),
            a_job("splice", after=after("drop")),
            a_job("install", after=after("splice")),
        )
        plan = planned(a_day(*jobs, technicians=PEOPLE), rounds)
        assert starts(plan) == {}
        assert left(plan) == {
            "drop": ("skill", "nobody has climb level 1: the best has none"),
            "splice": ("linked", "waits for drop, which is not planned"),
            "install": ("linked", "waits for splice, which is not planned"),
        }

    def test_a_window_that_closes_before_the_first_ends(self, rounds: int) -> None:
        splice = a_job("splice", after=after("drop"), windows=(window("08:00", "09:00"),))
        plan = planned(a_day(a_job("drop", minutes=60), splice, technicians=PEOPLE), rounds)
        text = "nearest is bob: waits for drop, which ends 09:10; window ends 09:00"
        assert left(plan) == {"splice": ("linked", text.replace("bob", "ann"))}

    def test_a_shift_that_ends_too_soon_after_it(self, rounds: int) -> None:
        jobs = (a_job("drop", minutes=60), a_job("splice", minutes=60, after=after("drop", least=120)))
        plan = planned(a_day(*jobs, technicians=(ann(shift_end=at("12:00")),)), rounds)
        text = "waits for drop, which ends 09:10 and 120 min more: would be back 12:20, shift ends 12:00"
        assert left(plan) == {"splice": ("linked", f"nearest is ann: {text}")}

    def test_a_gap_that_nobody_can_keep(self, rounds: int) -> None:
        jobs = (
            a_job("open", windows=(window("08:00", "08:30"),)),
            a_job("close", after=after("open", most=30), windows=(window("12:00", "13:00"),)),
        )
        plan = planned(a_day(*jobs, technicians=(ann(), bob())), rounds)
        assert list(starts(plan)) == ["open"]
        assert left(plan)["close"][0] == "linked"

    def test_the_first_is_planned_though_it_pays_only_with_the_second(self, rounds: int) -> None:
        splice = a_job("splice", place=7, drop_cost=90_000, after=after("drop"))
        jobs = (a_job("drop", place=7, drop_cost=1), splice)
        assert len(starts(planned(a_day(*jobs), rounds))) == 2

    def test_neither_is_planned_where_both_together_dont_pay(self, rounds: int) -> None:
        splice = a_job("splice", place=7, drop_cost=900, after=after("drop"))
        jobs = (a_job("drop", place=7, drop_cost=1), splice)
        plan = planned(a_day(*jobs), rounds)
        assert {job: code for job, (code, _) in left(plan).items()} == {
            "drop": "too_costly", "splice": "linked",
        }  # fmt: skip
