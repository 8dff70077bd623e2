"""What plans are weighed by, who may do what by the technicians' rows, and visits pinned by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from console_day import Console, a_console
from sqlalchemy import update
from world import Job, World, a_world

from scheduler.request import Weights
from server.dispatch import policy
from server.dispatch.models import TechnicianRow
from server.dispatch.planner import PlanOutcome, plan_day
from server.dispatch.policy import PlanningPolicy
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue, Conflict
from shared.skills import SkillNeed
from shared.work_orders import WorkOrderKind, WorkOrderState

DAY = date(2026, 11, 16)
DAWN = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)  # 06:00 in Helsinki


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana and Ben on shift from 8 to 16, and no work yet."""
    with a_world(database_url) as world:
        yield world


def an_order(world: World, *skills: SkillNeed, **columns: Any) -> Job:
    job = world.order(
        WorkOrderKind.REPAIR, reserve=False, required_equipment=(), required_parts=(), required_skills=skills
    )
    fresh = {
        "state": WorkOrderState.UNASSIGNED, "technician_id": None, "planned_start": None, "planned_end": None,
        "travel_minutes": 0, "route_position": None, "window_start": None, "window_end": None,
        "sla_due_at": None,
    }  # fmt: skip
    with world.database.write() as session:
        session.execute(update(WorkOrderRow).where(WorkOrderRow.id == job.id).values(**fresh | columns))
    return job


def technician(world: World, technician_id: UUID, **columns: Any) -> None:
    with world.database.write() as session:
        session.execute(update(TechnicianRow).where(TechnicianRow.id == technician_id).values(**columns))


def plan(world: World, now: datetime = DAWN) -> PlanOutcome:
    return plan_day(world.database, world.settings, DAY, seconds=0, now=now)


def changed(world: World, **changes: Any) -> PlanningPolicy:
    wishes = {
        "after": 0,
        "weights": {},
        "territories": None,
        "note": "for a test",
        "who": "Dora",
        "now": DAWN,
    }
    with world.database.write() as session:
        return policy.change(session, **wishes | changes)


class TestThePolicy:
    def test_begins_with_what_the_program_comes_with(self, world: World):
        with world.database.read() as session:
            assert policy.policy_in_force(session) == PlanningPolicy()
            assert policy.versions(session) == [PlanningPolicy()]

    def test_a_change_is_a_new_version_with_who_and_why(self, world: World):
        first = changed(world, weights={"drive_km": 45}, territories={"north": ["97", "96"]})
        second = changed(
            world, after=1, weights={"unserved": [9, 8, 7, 6]}, who="Ada", note=" petrol \n is dear"
        )
        assert (second.version, second.made_by, second.note) == (2, "Ada", "petrol is dear")
        assert second.weights == Weights(drive_km=45, unserved=(9, 8, 7, 6))
        assert second.territories == first.territories == {"north": ("97", "96")}
        with world.database.read() as session:
            assert policy.policy_in_force(session) == second
            assert policy.versions(session) == [second, first, PlanningPolicy()]

    def test_of_two_who_looked_at_the_same_one_the_second_looks_again(self, world: World):
        changed(world)
        with pytest.raises(Conflict, match="Version 1 is in force, not 0"):
            changed(world, weights={"drive_km": 1})

    @pytest.mark.parametrize(
        ("wish", "said"),
        [
            ({"weights": {"mood": 1}}, "There is no weight mood; there are"),
            ({"weights": {"drive_km": -1}}, "weights.drive_km must be between 0"),
            ({"weights": {"unserved": [1, 2]}}, "weights.unserved needs four costs"),
            ({"territories": {"north": []}}, "Territory 'north' needs a name and the beginnings"),
            ({"note": " "}, "Say in 1 to 500 characters why it is changed"),
        ],
    )
    def test_what_can_not_be_is_refused_by_name(self, world: World, wish: dict[str, Any], said: str):
        with pytest.raises(BadValue) as refusal:
            changed(world, **wish)
        assert said in str(refusal.value)

    def test_plans_are_weighed_by_it(self, world: World):
        """Left undone at next to nothing, the job is not worth its drive."""
        an_order(world)
        assert plan(world).planned == 1
        changed(world, weights={"unserved": [1, 1, 1, 1], "other_technician": 0})
        assert [code for _, code, _ in plan(world).unassigned] == ["too_costly"]

    def test_a_territory_is_the_longest_beginning_of_its_postcodes(self):
        areas = PlanningPolicy(territories={"town": ("001",), "county": ("00", "02")})
        assert [areas.territory_of(code) for code in ("00150", "00200", "99999")] == ["town", "county", None]


class TestTechnicians:
    def test_a_certificate_that_has_ended_does_not_count(self, world: World):
        for phone in world.phones:
            technician(world, phone.technician_id, skills={"splice": 3}, valid_until={"splice": "2026-11-15"})
        job = an_order(world, SkillNeed("splice", 2))
        ((number, code, reason),) = plan(world).unassigned
        assert (number, code) == (job.number, "certificate")
        assert reason.endswith(": splice certificate valid until 15.11.2026, the shift is on 16.11.2026")
        technician(world, world.ben.technician_id, valid_until={"splice": "2026-11-16"})
        assert plan(world).unassigned == ()
        assert world.work_order(job).technician_id == world.ben.technician_id

    def test_who_stays_in_a_territory_is_not_sent_out_of_it(self, world: World):
        job = an_order(world)
        code = world.work_order(job).place.postcode
        changed(world, territories={"here": [code], "there": ["99"]})
        technician(world, world.ana.technician_id, territories=["there"], stays=True)
        technician(world, world.ben.technician_id, territories=["there", "here"], stays=True)
        plan(world)
        assert world.work_order(job).technician_id == world.ben.technician_id
        technician(world, world.ben.technician_id, territories=["there"])
        assert [code for _, code, _ in plan(world).unassigned] == ["territory"]


class TestOverHttp:
    @pytest.fixture
    def console(self, database_url: str, tmp_path: Path) -> Iterator[Console]:
        with a_console(database_url, tmp_path, hour=9) as console:
            yield console

    def test_a_dispatcher_reads_it_and_may_not_change_it(self, console: Console):
        with console.client() as client:
            headers = console.signed_in(client)
            (only,) = client.get("/api/policy").json()
            assert (only["version"], only["weights"]["drive_km"]) == (0, 30)
            body = {"after": 0, "note": "petrol", "weights": {"drive_km": 45}}
            assert client.post("/api/policy", json=body, headers=headers).status_code == 403
