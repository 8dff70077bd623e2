"""How long visits of each kind take: said by the office, asked of new orders, shared at one address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from planned_day import DAWN, DAY, an_order, at, change, only_ana
from world import World, a_world, uid

from server.dispatch import link_rows
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.link_rows import NewLink
from server.dispatch.plan_request import ask
from server.dispatch.planner import plan_day
from server.dispatch.roads import travel_times
from server.work_orders import intake, kinds
from server.work_orders.intake import CustomerOrder
from server.work_orders.kinds import KindTimes, KindTimesRow
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue
from shared.work_orders import WorkOrderKind, WorkOrderState

REPAIR = WorkOrderKind.REPAIR


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as world:
        yield world


def said(world: World, kind: WorkOrderKind = REPAIR, **times: Any) -> None:
    with world.database.write() as session:
        kinds.change(session, KindTimes(kind=kind, **times), by="Ada", now=DAWN)


def jobs(world: World) -> dict[str, Any]:
    with world.database.read() as session:
        rows = read_day(session, clock_of(world.settings, DAY, DAWN), DAWN).rows
    request = ask(rows, travel_times(world.settings)).request
    assert request
    return {job.id: job for job in request.jobs}


class TestWhatTheOfficeSays:
    def test_is_what_the_program_comes_with_until_then(self, world: World):
        with world.database.read() as session:
            found = kinds.times(session)
        assert set(found) == set(WorkOrderKind)
        assert found[WorkOrderKind.INSTALL] == KindTimes(kind=WorkOrderKind.INSTALL, minutes=55)

    def test_is_kept_with_who_said_it_and_said_anew(self, world: World):
        said(world, minutes=70, setup_minutes=15)
        said(world, minutes=75, setup_minutes=20)
        [row] = world.rows(KindTimesRow)
        assert (row.kind, row.minutes, row.setup_minutes, row.changed_by) == ("repair", 75, 20, "Ada")

    @pytest.mark.parametrize(
        ("minutes", "setup", "words"),
        [(0, 0, "1 to 1440"), (2000, 0, "1 to 1440"), (30, 30, "less than all"), (30, -1, "less than all")],
    )
    def test_is_refused_where_it_can_not_be(self, world: World, minutes: int, setup: int, words: str):
        with pytest.raises(BadValue, match=words):
            said(world, minutes=minutes, setup_minutes=setup)
        assert world.rows(KindTimesRow) == []

    def test_is_asked_of_new_orders_and_not_of_those_that_are_there(self, world: World):
        there = an_order(world, expected_minutes=90)
        said(world, WorkOrderKind.INSTALL, minutes=70, setup_minutes=15)
        order = CustomerOrder(
            kind=WorkOrderKind.INSTALL, customer_id=uid(f"customer {there.number}"),
            location_id=there.location_id, plan_code="HOME-100",
        )  # fmt: skip
        with world.database.write() as session:
            assert intake.foresee(session, order).minutes == 70
            assert intake.place(session, world.settings, order, actor="Ada", now=DAWN).expected_minutes == 70
            assert session.get_one(WorkOrderRow, there.id).expected_minutes == 90


class TestSettingUp:
    def test_is_part_of_the_visit_and_done_once_at_one_address(self, world: World):
        only_ana(world)
        first, second = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        change(world, second, location_id=first.location_id)
        said(world, minutes=45, setup_minutes=20)
        assert {(job.minutes, job.setup_minutes) for job in jobs(world).values()} == {(40, 20)}
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        rows = [row for row in world.rows(WorkOrderRow) if row.id in (first.id, second.id)]
        lengths = [row.planned_end - row.planned_start for row in sorted(rows, key=lambda r: r.planned_start)]
        assert lengths == [timedelta(minutes=60), timedelta(minutes=40)]

    def test_of_a_visit_that_has_begun_is_shared_too(self, world: World):
        only_ana(world)
        first, second = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        change(world, second, location_id=first.location_id)
        change(
            world, first, state=WorkOrderState.ON_SITE, technician_id=world.ana.technician_id,
            arrived_at=at(8), planned_start=at(8), planned_end=at(9),
        )  # fmt: skip
        said(world, minutes=45, setup_minutes=20)
        plan_day(world.database, world.settings, DAY, seconds=0, now=at(8, 30))
        row = next(row for row in world.rows(WorkOrderRow) if row.id == second.id)
        assert (row.planned_start, row.planned_end) == (at(9), at(9, 40))

    def test_of_a_visit_that_another_waits_for_is_its_own(self, world: World):
        first, second = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        said(world, minutes=45, setup_minutes=20)
        with world.database.write() as session:
            wanted = NewLink(kind="after", number=first.number)
            link_rows.make(session, second.id, wanted, by="Ada", now=DAWN)
        found = jobs(world)
        assert (found[first.number].minutes, found[first.number].setup_minutes) == (60, 0)
        assert (found[second.number].minutes, found[second.number].setup_minutes) == (40, 20)

    def test_never_takes_more_than_a_short_visit_has(self, world: World):
        short = an_order(world, expected_minutes=10)
        said(world, minutes=45, setup_minutes=20)
        assert (jobs(world)[short.number].minutes, jobs(world)[short.number].setup_minutes) == (1, 9)
