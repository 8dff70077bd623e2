"""Timesheets: what was tapped and corrected, on its way from the phone to the page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from world import MONDAY, Job, World

from server import office
from server.billing.models import InvoiceRow, JournalLineRow
from server.customers.models import ServiceRow
from server.dispatch.models import TechnicianRow
from server.dispatch.timesheets import Timesheet, timesheets
from server.field.images import DeviceSource
from shared.commands import (
    Arrive,
    CannotComplete,
    CorrectTime,
    FieldCommand,
    PauseWork,
    ReopenWorkOrder,
    ResumeWork,
    StartTravel,
)
from shared.work_orders import (
    PauseReason,
    TimePoint,
    UnfinishedReason,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
)

DAY = date(2026, 11, 16)


def at(minutes: int) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


def visit(job: Job) -> list[FieldCommand]:
    """One step every ten minutes from nine on in Helsinki: 10 travel, 20 work, 10 pause, 10 work."""
    id = job.id
    return [
        StartTravel(work_order_id=id),
        Arrive(work_order_id=id),
        Arrive(work_order_id=id),  # tapped twice: counts for nothing
        PauseWork(work_order_id=id, reason=PauseReason.BREAK),
        ResumeWork(work_order_id=id),
        CannotComplete(work_order_id=id, reason=UnfinishedReason.NO_ACCESS),
    ]


def of_the_day(world: World, day: date = DAY, now: datetime | None = None, **who: Any) -> list[Timesheet]:
    with world.database.read() as session:
        return timesheets(session, day, world.settings.zone, now or at(600), **who)


def shown(sheet: Timesheet) -> list[tuple[str, str, int]]:
    return [(one.activity.value, f"{one.start:%H:%M}", one.minutes) for one in sheet.stretches]


def correct(job: Job, point: TimePoint, base: datetime, value: datetime) -> CorrectTime:
    return CorrectTime(work_order_id=job.id, point=point, base=base, value=value, reason="Tapped too late")


class TestTheSheet:
    def test_shows_what_each_technician_did(self, world: World):
        first, second = world.order(), world.order(phone=world.ben)
        world.ana.deliver(world.ana.envelopes(*visit(first), step_minutes=10))
        world.ben.send(StartTravel(work_order_id=second.id))

        ana, ben = of_the_day(world, now=at(30))

        assert (ana.technician, ana.travel_minutes, ana.work_minutes, ana.pause_minutes) == (
            "Ana Virtanen", 10, 30, 10,
        )  # fmt: skip
        assert shown(ana) == [
            ("travel", "07:00", 10), ("work", "07:10", 20), ("pause", "07:30", 10), ("work", "07:40", 10),
        ]  # fmt: skip
        assert (ben.technician, shown(ben), ben.stretches[0].open) == (
            "Ben Korhonen", [("travel", "07:00", 30)], True,
        )  # fmt: skip
        assert [one.technician for one in of_the_day(world, technician_id=world.ben.technician_id)] == [
            "Ben Korhonen"
        ]
        assert of_the_day(world, day=DAY - timedelta(days=1)) == []

    def test_goes_by_what_was_corrected_and_shows_both_values(self, world: World):
        job = world.order()
        world.ana.deliver(world.ana.envelopes(*visit(job), step_minutes=10))
        step = correct(job, TimePoint.ARRIVED, at(10), at(15))

        [receipt] = world.ana.send(step, start=at(60))

        assert (receipt.outcome, receipt.remarks) == ("accepted", ())
        [sheet] = of_the_day(world)
        assert shown(sheet)[:2] == [("travel", "07:00", 15), ("work", "07:15", 15)]
        assert [(one.point, one.recorded, one.value, one.reason) for one in sheet.corrections] == [
            (TimePoint.ARRIVED, at(10), at(15), "Tapped too late")
        ]

    def test_keeps_a_visit_that_ended_before_the_job_went_to_a_colleague(self, world: World):
        job = world.order()
        world.ana.deliver(world.ana.envelopes(*visit(job), step_minutes=10))
        command = ReopenWorkOrder(work_order_id=job.id, technician_id=world.ben.technician_id)
        with world.database.write() as session:
            office.apply(session, world.settings, [command], "Maria", at(70))
        world.ben.send(StartTravel(work_order_id=job.id), start=at(80))

        ana, ben = of_the_day(world, now=at(90))

        assert (ana.travel_minutes, ana.work_minutes, ana.pause_minutes) == (10, 30, 10)
        assert shown(ben) == [("travel", "08:20", 10)]
        with world.database.read() as session:
            row = session.get_one(TechnicianRow, world.ben.technician_id)
            found = DeviceSource(session, world.settings, row, at(90)).images([("work_order", str(job.id))])
        order = found.images["work_order", str(job.id)]
        assert isinstance(order, WorkOrder)
        assert order.earlier_visits == (), "what a colleague's times were is not Ben's to see"


class TestACorrection:
    def test_after_the_close_moves_no_money_and_no_service(self, world: World):
        job = world.order(WorkOrderKind.INSTALL)
        world.ana.send(*world.visit(job))
        closed_at = world.work_order(job).finished_at
        assert closed_at is not None
        before = {kind: world.rows(kind) for kind in (InvoiceRow, JournalLineRow)}
        plain = {kind: [vars_of(row) for row in rows] for kind, rows in before.items()}

        [receipt] = world.ana.send(
            correct(job, TimePoint.FINISHED, closed_at, closed_at - timedelta(minutes=1)), start=at(120)
        )

        assert receipt.outcome == "accepted"
        order = world.work_order(job)
        assert (order.state, order.finished_at) == (WorkOrderState.COMPLETED, closed_at)
        assert [one.value for one in order.time_corrections] == [closed_at - timedelta(minutes=1)]
        assert {kind: [vars_of(row) for row in world.rows(kind)] for kind in plain} == plain
        assert world.row(ServiceRow, ServiceRow.id == job.service_id).active_from == closed_at

    def test_to_what_cannot_be_is_held_and_changes_nothing(self, world: World):
        job = world.order()
        world.ana.deliver(world.ana.envelopes(*visit(job), step_minutes=10))
        before = world.work_order(job)

        [receipt] = world.ana.send(correct(job, TimePoint.ARRIVED, at(10), at(-10)), start=at(60))

        assert (receipt.outcome, receipt.slug, receipt.detail) == (
            "held",
            "bad-value",
            "The arrival can't be before the travel began: correct that first",
        )
        assert world.work_order(job) == before


def vars_of(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


class TestOverHttp:
    def test_is_data_and_a_page_for_dispatch(self, today: World, client: TestClient):
        from callers import add_staff, credentials

        add_staff(today)
        job = today.order()
        today.ana.deliver(
            today.ana.envelopes(*visit(job), step_minutes=1), now=today.now + timedelta(minutes=9)
        )
        day = today.now.astimezone(today.settings.zone).date()

        found = client.get(f"/api/timesheets?day={day}", headers=credentials("dispatcher")).json()
        html = client.get(f"/timesheets?day={day}", headers=credentials("dispatcher")).text

        assert [(one["technician"], one["pause_minutes"]) for one in found] == [("Ana Virtanen", 1)]
        assert (
            "Travel <strong>0:01</strong>, work <strong>0:03</strong>, pauses <strong>0:01</strong>" in html
        )
