"""When things happen on a route, against trying every place for lunch by brute force."""

from itertools import combinations_with_replacement

from days import LUNCH, a_day, a_job, ann, at, random_days, window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.request import Job, PlanRequest
from scheduler.timing import Day, Misfit, Times


def begun(day: Day, technician: int) -> list[Job]:
    """What the technician has begun, the last first."""
    jobs = [day.jobs[number] for number in day.origins[technician].begun]
    return jobs[::-1]


def pace_at(day: Day, minute: int) -> int:
    return day.request.pace[minute // 60 % 24] if day.request.pace else 1000


def brute_force(day: Day, technician: int, order: list[int]) -> list[int]:
    """Arrivals back for each choice of drives that the breaks could fall on, where all goes well."""
    origin, person = day.origins[technician], day.technicians[technician]
    found = []
    after = len(order) + 1  # instead of a drive: when home
    for legs in combinations_with_replacement(range(after + 1), len(origin.rests)):
        minute, place, ok = origin.minute, origin.place, True
        for leg, number in enumerate([*order, None]):
            there = person.end_place if number is None else day.jobs[number].place
            drive = 1000 * day.minutes[place][there] if order or origin.begun else 0
            for rest_leg, (earliest, latest, minutes) in zip(legs, origin.rests, strict=True):
                if rest_leg == leg:
                    begin = max(minute, earliest)
                    ok = ok and begin <= latest
                    # Before, during or after the drive: the drive and the break are both done by then.
                    while drive > 0 and minute < begin:
                        drive, minute = drive - pace_at(day, minute), minute + 1
                    minute = begin + minutes
            while drive > 0:
                drive, minute = drive - pace_at(day, minute), minute + 1
            place = there
            if number is not None:
                before = day.jobs[order[leg - 1]] if leg else next(iter(begun(day, technician)), None)
                shared = before is not None and before.place == there
                open_from = [max(minute, w.opens) for w in day.jobs[number].windows if minute <= w.closes]
                ok = ok and (bool(open_from) or not day.jobs[number].windows)
                minute = (min(open_from) if open_from else minute) + day.jobs[number].minutes
                done = before.setup_minutes if before and shared else 0
                minute += max(0, day.jobs[number].setup_minutes - done)
        for rest_leg, (_, latest, _) in zip(legs, origin.rests, strict=True):
            ok = ok and (rest_leg != after or minute <= latest)
        if ok and (minute <= person.shift_end + person.overtime_max or not order):
            found.append(minute)
    return found


class TestTimes:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days(), data=st.data())
    def test_an_order_fits_exactly_when_some_place_for_lunch_works(
        self, request: PlanRequest, data: st.DataObject
    ) -> None:
        day = Day(request)
        technician = data.draw(st.integers(0, len(day.technicians) - 1))
        order = data.draw(st.permutations(day.open_jobs))[: data.draw(st.integers(0, 3))]
        expected = brute_force(day, technician, list(order))
        times = day.times(technician, order)
        if isinstance(times, Misfit):
            assert expected == []
        else:
            assert times.back == min(expected)

    def test_lunch_may_interrupt_a_drive(self) -> None:
        job = a_job(place=5, minutes=60, windows=(window("08:00", "13:00"),))
        day = Day(a_day(job, technicians=(ann(lunch=LUNCH),), now=at("11:20")))
        assert day.times(0, [0]) == Times(
            starts=(at("12:40"),), back=at("14:30"), lunch_leg=0, lunch_start=at("11:30")
        )

    def test_lunch_moves_where_it_makes_nobody_late(self) -> None:
        """Earliest lunch (11:30) would make the visit 30 min late for its SLA; after it is soon enough."""
        job = a_job(place=1, minutes=30, due=at("12:10"))
        day = Day(a_day(job, a_job("j2", place=1, minutes=150), technicians=(ann(lunch=LUNCH),), now=690))
        timed = day.timed(0, [0, 1])
        assert not isinstance(timed, Misfit)
        times, cost = timed
        assert (times.starts, cost.late, times.lunch_start) == ((at("11:40"), at("12:40")), 0, at("12:10"))

    def test_a_misfit_says_by_how_much(self) -> None:
        day = Day(a_day(a_job(place=5, windows=(window("08:00", "08:30"),))))
        assert day.times(0, [0]) == Misfit("window", 0, at("08:50"), at("08:30"))

    def test_parts_add_up_over_a_route(self) -> None:
        jobs = (a_job("a", parts={"ONT": 1}), a_job("b", parts={"ONT": 1}))
        day = Day(a_day(*jobs, technicians=(ann(parts={"ONT": 1}),)))
        assert day.parts_suffice(0, [0]) and not day.parts_suffice(0, [0, 1])
