"""What the office decides about its technicians: kept with who did it, and the booked visits that it hits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician
from sqlalchemy.orm import Session
from world import Job, World, a_world

from server.dispatch import absences, crew, policy, technician_changes
from server.dispatch.absences import Reason
from server.dispatch.crew import Member
from server.dispatch.models import TechnicianRow
from shared.problems import BadValue, NotFound
from shared.skills import SkillNeed
from shared.work_orders import WorkOrderState

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as world:
        change_technician(world, world.ana.technician_id, skills={"splice": 3})
        yield world


def done(world: World, act: Callable[..., str], *values: Any, by: str = "Dora") -> str:
    with world.database.write() as session:
        return act(session, world.ana.technician_id, *values, by=by, now=DAWN)


def ana(world: World) -> Member:
    with world.database.read() as session:
        return crew.member(session, world.ana.technician_id, world.settings.zone, DAWN)


def row(world: World) -> TechnicianRow:
    return world.row(TechnicianRow, TechnicianRow.id == world.ana.technician_id)


def history(world: World) -> list[tuple[str, str]]:
    with world.database.read() as session:
        return [(one.words, one.made_by) for one in technician_changes.of(session, world.ana.technician_id)]


def a_splice(world: World, day: date = DAY, level: int = 2, **columns: Any) -> Job:
    """Booked with Ana at ten."""
    job = an_order(world, requirements={"required_skills": (SkillNeed("splice", level),)})
    booked = {
        "state": WorkOrderState.ASSIGNED, "technician_id": world.ana.technician_id,
        "planned_start": at(10, day=day), "planned_end": at(11, day=day),
    }  # fmt: skip
    change(world, job, **booked | columns)
    return job


def hits(world: World) -> list[tuple[str, str]]:
    return [(one.number, one.why) for one in ana(world).hits]


class TestASkill:
    def test_is_given_at_a_level_set_to_another_and_taken(self, world: World):
        assert done(world, crew.set_skill, "copper", 2) == "copper: level 2"
        assert done(world, crew.set_skill, "copper", 4) == "copper: level 2 → 4"
        assert row(world).skills == {"splice": 3, "copper": 4}
        assert done(world, crew.take_skill, "copper", by="Ada") == "copper: level 4 → none"
        assert row(world).skills == {"splice": 3}
        assert history(world) == [
            ("copper: level 4 → none", "Ada"), ("copper: level 2 → 4", "Dora"), ("copper: level 2", "Dora"),
        ]  # fmt: skip

    def test_is_spelt_as_it_is_already(self, world: World):
        done(world, crew.set_skill, "  SPLICE ", 4)
        assert row(world).skills == {"splice": 4}

    def test_taken_away_takes_its_certificate_along(self, world: World):
        done(world, crew.certify, "splice", NEXT, DAY)
        done(world, crew.take_skill, "splice")
        assert (row(world).skills, row(world).valid_until) == ({}, {})

    def test_lowered_hits_the_booked_visits_that_ask_for_more(self, world: World):
        hit = a_splice(world, level=3)
        a_splice(world, level=2)
        assert hits(world) == []
        done(world, crew.set_skill, "splice", 2)
        assert hits(world) == [(hit.number, "needs splice level 3, has 2")]

    @pytest.mark.parametrize(
        ("skill", "level", "sentence"),
        [
            ("splice", 0, "choose 1"),
            ("splice", 6, "choose 1"),
            (" ", 3, "write a name"),
            ("splice", 3, "has splice at level 3 already"),
        ],
    )
    def test_that_is_none_is_refused(self, world: World, skill: str, level: int, sentence: str):
        with pytest.raises(BadValue, match=sentence):
            done(world, crew.set_skill, skill, level)
        assert (row(world).skills, history(world)) == ({"splice": 3}, [])


class TestACertificate:
    def test_is_added_renewed_and_withdrawn(self, world: World):
        assert done(world, crew.certify, "splice", DAY, DAY) == (
            "splice certificate: none needed → until 16.11.2026"
        )
        assert row(world).valid_until == {"splice": "2026-11-16"}
        done(world, crew.certify, "splice", date(2027, 11, 16), DAY)
        assert done(world, crew.withdraw, "splice", DAY, by="Ada") == (
            "splice certificate: until 16.11.2027 → withdrawn"
        )
        assert (row(world).skills, row(world).valid_until) == ({"splice": 3}, {"splice": "2026-11-15"})
        assert done(world, crew.certify, "splice", None, DAY) == (
            "splice certificate: until 15.11.2026 → none needed"
        )
        assert [by for _, by in history(world)] == ["Dora", "Ada", "Dora", "Dora"]

    def test_is_warned_of_in_its_last_thirty_days_and_not_before(self, world: World):
        for days, soon in ((31, False), (30, True), (0, True)):
            change_technician(
                world, world.ana.technician_id, valid_until={"splice": str(DAY + timedelta(days=days))}
            )
            assert [one.days for one in ana(world).warnings] == ([days] if soon else [])

    def test_hits_what_is_booked_after_its_last_day(self, world: World):
        a_splice(world)
        late = a_splice(world, NEXT)
        done(world, crew.certify, "splice", DAY, DAY)
        assert hits(world) == [(late.number, "splice certificate valid until 16.11.2026, the shift is on 17.11.2026")]
        [warned] = ana(world).warnings
        assert [one.number for one in warned.needing if one.on > DAY] == [late.number]

    def test_withdrawn_hits_everything_from_today_on(self, world: World):
        jobs = [a_splice(world), a_splice(world, NEXT)]
        done(world, crew.withdraw, "splice", DAY)
        assert hits(world) == [(job.number, "splice certificate expired 15.11.2026") for job in jobs]

    def test_hits_nothing_that_has_begun_or_is_another_technicians(self, world: World):
        a_splice(world, state=WorkOrderState.ON_SITE)
        a_splice(world, technician_id=world.ben.technician_id)
        done(world, crew.withdraw, "splice", DAY)
        assert hits(world) == []

    @pytest.mark.parametrize(
        ("act", "values", "sentence"),
        [
            (crew.certify, ("splice", DAY - timedelta(days=1), DAY), "To end it, withdraw it"),
            (crew.certify, ("splice", None, DAY), "says so already"),
            (crew.certify, ("copper", DAY, DAY), "has no skill copper"),
            (crew.withdraw, ("copper", DAY), "has no skill copper"),
        ],
    )
    def test_that_can_not_be_is_refused(self, world: World, act: Any, values: Any, sentence: str):
        with pytest.raises(BadValue, match=sentence):
            done(world, act, *values)
        assert (row(world).valid_until, history(world)) == ({}, [])

    def test_is_withdrawn_once(self, world: World):
        done(world, crew.withdraw, "splice", DAY)
        with pytest.raises(BadValue, match="over already"):
            done(world, crew.withdraw, "splice", DAY)


class TestAHome:
    @pytest.fixture(autouse=True)
    def territories(self, world: World) -> None:
        with world.database.write() as session:
            policy.change(
                session, after=0, weights={}, territories={"North": ["001"], "South": ["002"]}, note="Drawn",
                who="Ada", now=DAWN,
            )  # fmt: skip

    def test_is_kept_and_hits_what_is_booked_outside(self, world: World):
        job = a_splice(world)  # at 00180
        assert done(world, crew.settle, ["South", "North"], False) == "Territories: anywhere → North, South"
        assert (row(world).territories, hits(world)) == (["North", "South"], [])
        done(world, crew.settle, ["South"], True)
        with world.database.write() as session:
            start = world.work_order(job).place.postcode
            policy.change(
                session, after=1, weights={}, territories={"North": [start], "South": ["x"]}, note="Again",
                who="Ada", now=DAWN,
            )  # fmt: skip
        assert hits(world) == [(job.number, "lies in North, stays in South")]
        assert history(world)[0] == ("Territories: North, South → South, never outside", "Dora")

    @pytest.mark.parametrize(
        ("names", "stays", "sentence"),
        [
            (["West"], False, "no territory West"),
            ([], True, "Choose the territories"),
            ([], False, "how it is already"),
        ],
    )
    def test_that_is_none_is_refused(self, world: World, names: list[str], stays: bool, sentence: str):
        with pytest.raises(BadValue, match=sentence):
            done(world, crew.settle, names, stays)
        assert (row(world).territories, history(world)) == ([], [])

    def test_that_the_policy_does_not_have_any_more_may_stay(self, world: World):
        change_technician(world, world.ana.technician_id, territories=["Old"])
        done(world, crew.settle, ["Old", "South"], False)
        assert row(world).territories == ["Old", "South"]


class TestOvertime:
    def test_has_a_limit_for_each(self, world: World):
        assert done(world, crew.allow_overtime, 45) == "Overtime: at most 0 → 45 min"
        assert row(world).overtime_minutes == 45

    @pytest.mark.parametrize("minutes", [-1, 721, 0])
    def test_beyond_a_night_or_as_it_is_is_refused(self, world: World, minutes: int):
        with pytest.raises(BadValue):
            done(world, crew.allow_overtime, minutes)
        assert history(world) == []


def noted(world: World, start: Any, end: Any) -> Any:
    with world.database.write() as session:
        return absences.note(session, world.ana.technician_id, start, end, Reason.SICK, by="Dora", now=DAWN)


class TestAnAbsence:
    def test_hits_what_is_booked_in_its_time(self, world: World):
        job = a_splice(world)
        a_splice(world, NEXT)
        noted(world, at(10, 30), at(20))
        said = "Ana Virtanen is away from 16.11. 10:30 to 20:00 (sick), noted at 06:00 by Dora"
        assert hits(world) == [(job.number, said)]

    def test_is_ended_alone_and_remembers_by_whom_and_how_long_it_was(self, world: World):
        now, later = noted(world, DAWN, at(20)), noted(world, at(8, day=NEXT), at(20, day=NEXT))
        with world.database.write() as session:
            assert self.end(session, world, now, at(9)) == 1
            assert self.end(session, world, now, at(9)) == 0
            assert self.end(session, world, later, at(9)) == 1
            assert self.end(session, world, later, at(9)) == 0
        with world.database.read() as session:
            off, back = absences.of(session, world.ana.technician_id)
        assert (back.ends_at, back.was_until, back.ended_by, back.ended_at) == (at(9), at(20), "Ben", at(9))
        assert (off.ends_at, off.was_until) == (off.starts_at, at(20, day=NEXT))
        assert [one.ends_at for one in ana(world).away] == [at(9)]  # as it was known at dawn

    @staticmethod
    def end(session: Session, world: World, absence: Any, now: Any) -> int:
        return absences.end(session, world.ana.technician_id, by="Ben", now=now, only=absence)


class TestEverybody:
    def test_is_listed_by_name_with_what_is_theirs(self, world: World):
        a_splice(world)
        done(world, crew.withdraw, "splice", DAY)
        with world.database.read() as session:
            members = crew.crew(session, world.settings.zone, DAWN)
        assert [(one.row.name, len(one.hits), len(one.warnings)) for one in members] == [
            ("Ana Virtanen", 1, 1), ("Ben Korhonen", 0, 0)
        ]  # fmt: skip

    def test_but_not_who_has_left(self, world: World):
        change_technician(world, world.ana.technician_id, active=False)
        with pytest.raises(NotFound):
            ana(world)
        with pytest.raises(NotFound):
            done(world, crew.allow_overtime, 45)
