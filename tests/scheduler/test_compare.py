"""Two plans side by side, with every figure worked out by hand."""

from dataclasses import replace

import pytest
from days import a_day, a_job, ann, at, bob, window

from scheduler.compare import Comparison, Figures, Move, compare, readable
from scheduler.explain import explain_unassigned
from scheduler.plan import Cost, Plan
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.timing import Day

# Place n is n × 10 minutes and n km from place 0, where Ann lives; Bob lives at place 5.
JOBS = (
    a_job("a", place=1),
    a_job("b", place=2, windows=(window("08:00", "10:00"),)),
    a_job("c", place=4, priority=4, due=at("09:30")),
    a_job("d", place=3, priority=2, windows=(window("13:00", "15:00"),)),
)
DAY = a_day(*JOBS, technicians=(ann(), bob(start_place=5, end_place=5)))


def planned(*orders: list[int], request: PlanRequest = DAY) -> Plan:
    day = Day(request)
    return day.plan(orders, explain_unassigned(day, orders), engine="by hand", seed=0)


BEFORE = planned([0, 1, 2], [])
AFTER = planned([1, 0], [2, 3])


def test_another_shift_of_the_same_person_is_no_other_technician() -> None:
    people = (ann(), ann(id="ann+1", person="ann", shift_start=1440, shift_end=1900), bob())
    request = a_day(a_job("a"), technicians=people)
    plans = [planned(*([0] if n == at_ else [] for n in range(3)), request=request) for at_ in range(3)]
    assert compare(request, plans[0], plans[1]).technician_changed == ()
    assert compare(request, plans[0], plans[2]).technician_changed == ("a",)


class TestFigures:
    def test_of_both_plans_are_exact(self) -> None:
        assert compare(DAY, BEFORE, AFTER) == Comparison(
            before=Figures(
                visits=3,
                travel_metres=8_000,
                travel_minutes=80,
                overtime_minutes=0,
                # a 8:10–8:40, b 8:50–9:20, c 9:40–10:10, due 9:30
                late_minutes=40,
                promises_broken=("d",),
                unassigned=(0, 1, 0, 0),
                cost=Cost(travel=8_000 + 240, late=4_000, unserved=160_000),
            ),
            after=Figures(
                visits=4,
                travel_metres=4_000 + 4_000,
                travel_minutes=80,
                overtime_minutes=0,
                late_minutes=0,
                promises_broken=(),
                unassigned=(0, 0, 0, 0),
                cost=Cost(travel=8_240),
            ),
            more=Cost(late=-4_000, unserved=-160_000),
            moved=(
                Move(job_id="a", technician_before="ann", technician_after="ann", start_before=490,
                     start_after=540),
                Move(job_id="b", technician_before="ann", technician_after="ann", start_before=530,
                     start_after=500),
                Move(job_id="c", technician_before="ann", technician_after="bob", start_before=580,
                     start_after=490),
                Move(job_id="d", technician_before=None, technician_after="bob", start_before=None,
                     start_after=780),
            ),
            technician_changed=("c",),
            to_tell=("a", "b", "c", "d"),
            tell_from_minutes=15,
        )  # fmt: skip

    def test_a_plan_beside_itself_moves_nothing(self) -> None:
        same = compare(DAY, AFTER, AFTER)
        assert (same.moved, same.technician_changed, same.to_tell, same.more) == ((), (), (), Cost())

    @pytest.mark.parametrize(
        ("minutes", "told"), [(30, ("a", "b", "c", "d")), (31, ("a", "c", "d")), (91, ("d",))]
    )
    def test_who_hears_a_new_time_depends_on_how_much_counts(
        self, minutes: int, told: tuple[str, ...]
    ) -> None:
        assert compare(DAY, BEFORE, AFTER, tell_from_minutes=minutes).to_tell == told

    def test_work_that_overran_is_overtime(self) -> None:
        begun = a_job("a", place=1, minutes=30, technician="ann", fixed_start=at("15:40"))
        request = a_day(begun)
        plan = planned([], request=request)
        assert compare(request, plan, plan).after.overtime_minutes == 20

    def test_a_promise_that_the_day_has_overtaken_counts_as_broken(self) -> None:
        """The plan was right when it was made; by now the customer has been promised a later time."""
        later = tuple(replace(j, windows=(window("12:00", "13:00"),)) if j.id == "b" else j for j in JOBS)
        assert compare(replace(DAY, jobs=later), AFTER, AFTER).after.promises_broken == ("b",)


class TestRefusals:
    def test_a_plan_for_another_problem(self) -> None:
        fewer = replace(DAY, jobs=JOBS[:3])
        with pytest.raises(InvalidRequest) as refused:
            compare(fewer, planned([0, 1, 2], [], request=fewer), AFTER)
        assert str(refused.value) == (
            "the second plan does not answer this problem: job d is not in the request"
        )

    def test_a_threshold_of_nothing(self) -> None:
        with pytest.raises(InvalidRequest, match="tell_from_minutes must be at least 1, not 0"):
            compare(DAY, BEFORE, AFTER, tell_from_minutes=0)


def test_lines_for_people() -> None:
    assert readable(DAY, compare(DAY, BEFORE, AFTER, tell_from_minutes=40)).splitlines() == [
        "                            before       after",
        "visits                           3           4",
        "kilometres                     8.0         8.0",
        "drive minutes                   80          80",
        "overtime minutes                 0           0",
        "minutes late                    40           0",
        "promises broken                  1           0",
        "undone, priority 1               0           0",
        "undone, priority 2               1           0",
        "undone, priority 3               0           0",
        "undone, priority 4               0           0",
        "cost: travel                 82.40       82.40",
        "cost: late                   40.00        0.00",
        "cost: unserved             1600.00        0.00",
        "cost                       1722.40       82.40",
        "",
        "4 of 4 jobs move, 1 to another technician; 3 customers hear a new time (from 40 minutes on)",
        "  a: ann 08:10 → ann 09:00  *",
        "  b: ann 08:50 → ann 08:20",
        "  c: ann 09:40 → bob 08:10  *",
        "  d: undone → bob 13:00  *",
    ]
