"""A linked day mended: who waits for somebody late is late too, and no change parts what belongs together."""

import random
from dataclasses import replace

from days import a_day, a_job, ann, at, bob, window
from linked_days import a_small_day, holders, starts

from scheduler.check_links import broken_links
from scheduler.live import standing
from scheduler.mend import mend
from scheduler.plan import Plan
from scheduler.request import After, Job, PlanRequest
from scheduler.slots import openings, sketch
from scheduler.solve import solve
from scheduler.told import told as plan_of

DROP = a_job("drop", place=1, minutes=60, previous_technician="ann", previous_start=at("09:00"))
SPLICE = a_job(
    "splice",
    place=1,
    minutes=60,
    windows=(window("10:00", "12:00"),),
    previous_technician="bob",
    previous_start=at("10:00"),
    after=(After(job="drop"),),
)


def told(request: PlanRequest) -> Plan:
    """The plan as everybody knows it."""
    return plan_of(
        request,
        {
            job.id: (job.previous_technician, job.previous_start or 0)
            for job in request.jobs
            if job.previous_technician
        },
    )


def late_drop(until: str) -> tuple[Job, ...]:
    """Ann is held up by another job until then."""
    return (
        a_job("held up", place=1, minutes=at(until) - at("08:00"), technician="ann", fixed_start=at("08:00")),
    )


class TestADayAsItStands:
    def test_who_waits_for_somebody_late_is_late_as_well(self) -> None:
        request = a_day(*late_drop("11:30"), DROP, SPLICE, technicians=(ann(), bob()), now=at("09:30"))
        now = standing(request, told(request))
        assert now.orders == {"ann": ("drop",), "bob": ("splice",)}
        assert now.late == {"splice": 30}  # 11:30 and an hour; promised until noon

    def test_who_does_not_wait_long_stays_where_it_was(self) -> None:
        request = a_day(DROP, SPLICE, technicians=(ann(), bob()), now=at("08:00"))
        now = standing(request, told(request))
        assert now.late == {}
        held = {job.id: job.windows for job in now.request.jobs}
        assert held["splice"][0].opens == at("10:00")
        assert held["drop"][0].closes == at("09:00")  # or the splice would have to wait
        assert all(not job.after for job in now.request.jobs)

    def test_two_who_begin_together_wait_for_the_later_one(self) -> None:
        pair = [
            a_job(
                name,
                place=1,
                minutes=60,
                together="crew",
                previous_technician=who,
                previous_start=at("09:00"),
            )
            for name, who in (("one", "ann"), ("two", "bob"))
        ]
        request = a_day(*late_drop("10:20"), *pair, technicians=(ann(), bob()), now=at("09:00"))
        held = {job.id: job.windows for job in standing(request, told(request)).request.jobs}
        assert held["one"] == held["two"] == (window("10:20", "10:20"),)

    def test_what_was_never_told_waits_for_a_plan_unless_it_is_the_only_one_missing(self) -> None:
        third = a_job("install", place=1, after=(After(job="splice"),))
        fourth = a_job("check", place=1, after=(After(job="install"),))
        crew = (ann(), bob())
        one = a_day(DROP, SPLICE, third, technicians=crew)
        assert standing(one, told(one)).loose == frozenset()
        two = a_day(DROP, SPLICE, third, fourth, technicians=crew)
        assert standing(two, told(two)).loose == {"install", "check"}

    def test_two_told_to_one_technician_hold_nobody_up(self) -> None:
        """They were told before somebody linked them; the plan, not the clock, puts that right."""
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
        now = standing(
            a_day(*pair, technicians=(ann(), bob())), told(a_day(*pair, technicians=(ann(), bob())))
        )
        held = {job.id: job.windows for job in now.request.jobs}
        assert held == {"one": (window("09:00", "09:00"),), "two": (window("11:00", "11:00"),)}

    def test_the_later_one_told_first_holds_nobody_up(self) -> None:
        splice = replace(SPLICE, windows=(), previous_technician="ann", previous_start=at("08:30"))
        request = a_day(splice, replace(DROP, previous_start=at("10:00")), technicians=(ann(), bob()))
        held = {job.id: job.windows[0].opens for job in standing(request, told(request)).request.jobs}
        assert held == {"splice": at("08:30"), "drop": at("10:00")}

    def test_who_wait_for_each_other_in_a_circle_stay_as_told(self) -> None:
        """Each route has first what waits for the second visit of the other one."""
        jobs = [
            a_job("a", after=(After(job="b"),), previous_technician="ann", previous_start=at("09:00")),
            a_job("x", previous_technician="ann", previous_start=at("10:00")),
            a_job("y", after=(After(job="x"),), previous_technician="bob", previous_start=at("09:00")),
            a_job("b", previous_technician="bob", previous_start=at("10:00")),
        ]
        request = a_day(*jobs, technicians=(ann(), bob()))
        now = standing(request, told(request))
        assert {job.id: job.windows[0].opens for job in now.request.jobs} == {
            "a": at("09:00"), "x": at("10:00"), "y": at("09:00"), "b": at("10:00")
        }  # fmt: skip


class TestMending:
    def test_gives_a_mate_of_somebody_ill_to_another_at_the_same_minute(self) -> None:
        pair = [
            a_job(
                name,
                place=1,
                minutes=60,
                together="crew",
                previous_technician=who,
                previous_start=at("10:00"),
            )
            for name, who in (("one", "ann"), ("two", "bob"))
        ]
        day = a_day(*pair, technicians=(ann(), bob(), ann(id="cas")))
        plan = told(day)
        ill = replace(
            day,
            technicians=tuple(person for person in day.technicians if person.id != "bob"),
            jobs=(day.jobs[0], replace(day.jobs[1], previous_technician=None, previous_start=None)),
        )
        found = mend(ill, plan, tell_max=5, rounds=50)
        assert holders(found.plan) == {"one": "ann", "two": "cas"}
        assert starts(found.plan) == {"one": at("10:00"), "two": at("10:00")}
        assert list(broken_links(day, found.plan)) == []

    def test_never_parts_what_belongs_together_on_random_days(self) -> None:
        """But where one of the two can't come any more: the dispatcher is told, and the other one stays."""
        late = 0
        for seed in range(32):
            request, plan = a_day_with_its_plan(seed)
            later = an_hour_lost(request, seed)
            assert list(broken_links(request, plan)) == []
            found = mend(later, plan, tell_max=3, rounds=20)
            late += starts(found.plan) != starts(plan)
            said = {one.job_id for one in found.kept_late if one.place is None}
            broken = [one.text for one in broken_links(later, found.plan)]
            parted = [text for text in broken if not any(f"with {id}, which is" in text for id in said)]
            assert parted == [], seed
        assert late > 20


class TestTimeSlots:
    def test_are_found_beside_what_depends_on_each_other(self) -> None:
        new = a_job("new", place=1, minutes=60)
        request = a_day(DROP, SPLICE, new, technicians=(ann(), bob()))
        now, found = sketch(request, told(replace(request, jobs=(DROP, SPLICE))), {}, without=["new"])
        assert found == {"ann": ("drop",), "bob": ("splice",)}
        slots = [window("08:00", "08:30"), window("10:00", "11:00")]
        first, second = openings(now, found, "new", slots)
        assert (
            first and first.technician_id == "bob"
        )  # Ann's drop may not become later: the splice waits for it
        assert second and second.technician_id == "ann"


def a_day_with_its_plan(seed: int) -> tuple[PlanRequest, Plan]:
    request = a_small_day(seed, jobs=7)
    plan = solve(request, rounds=20)
    who, when = holders(plan), starts(plan)
    jobs = tuple(
        replace(job, previous_technician=who.get(job.id), previous_start=when.get(job.id))
        for job in request.jobs
    )
    return replace(request, jobs=jobs), plan


def an_hour_lost(request: PlanRequest, seed: int) -> PlanRequest:
    """Somebody is held up at home by a job of an hour that nobody knew of."""
    person = random.Random(seed).choice(request.technicians)
    job = a_job(
        "held up", place=person.start_place, minutes=60, technician=person.id, fixed_start=person.shift_start
    )
    return replace(request, jobs=(*request.jobs, job), now=person.shift_start + 30)
