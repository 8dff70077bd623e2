"""What phones are told of a place: earlier visits, other open jobs, faults on the same cabinet."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import event, update
from world import MONDAY, Job, World, settle

from server import office
from server.customers.models import ServiceLocationRow
from server.field.exchange import exchange
from server.work_orders.intake import CustomerOrder, place
from server.work_orders.models import WorkOrderRow
from shared.briefs import Fault, OpenOrder, PastVisit, PlaceBrief, Reading
from shared.commands import (
    Arrive,
    AssignWorkOrder,
    CancelWorkOrder,
    CannotComplete,
    OfficeCommand,
    RecordCheck,
    StartTravel,
)
from shared.work_orders import UnfinishedReason, WorkOrderKind, WorkOrderState
from sync.protocol import PROTOCOL, SyncRequest, SyncResponse, decode_image, encode

K, S = WorkOrderKind, WorkOrderState
DAY = timedelta(days=1)


class Device:
    """What one technician's phone holds of briefs, by pulling like it."""

    def __init__(self, world: World, phone, now: datetime = MONDAY) -> None:
        self.world, self.phone, self.now = world, phone, now
        self.cursor: str | None = None
        self.briefs: dict[str, PlaceBrief] = {}
        self.pull()

    def pull(self) -> SyncResponse:
        settle(self.world.database)
        while True:
            asked = SyncRequest(
                protocol=PROTOCOL, app_version="2", device_now=self.now, queue_length=0, cursor=self.cursor
            )
            found = exchange(
                self.world.database, self.world.settings, self.phone.token, encode(asked), self.now
            ).response
            if found.reset:
                self.briefs.clear()
            self.briefs.update(
                (row.key, decode_image(row.kind, row.body))  # type: ignore[misc]
                for row in found.rows
                if row.kind == "place_brief"
            )
            for gone in found.gone:
                if gone.kind == "place_brief":
                    self.briefs.pop(gone.key, None)
            self.cursor = found.cursor
            if not found.more:
                return found

    def brief(self, job: Job) -> PlaceBrief:
        return self.briefs[str(job.location_id)]


def on_cabinet(world: World, cabinet: str, *jobs: Job) -> None:
    places = [job.location_id for job in jobs]
    with world.database.write() as session:
        session.execute(
            update(ServiceLocationRow).where(ServiceLocationRow.id.in_(places)).values(cabinet=cabinet)
        )


def at_place_of(world: World, first: Job, *others: Job) -> None:
    """The others are for the same customer at the same address."""
    with world.database.write() as session:
        session.execute(
            update(WorkOrderRow)
            .where(WorkOrderRow.id.in_([job.id for job in others]))
            .values(location_id=first.location_id, customer_id=first.customer_id, service_id=first.service_id)
        )


def run(world: World, command: OfficeCommand, now: datetime = MONDAY) -> None:
    with world.database.write() as session:
        office.apply(session, world.settings, [command], "Dora", now)


class TestABrief:
    def test_of_a_place_without_a_past_is_empty(self, world: World):
        job = world.order()
        device = Device(world, world.ana)

        assert device.brief(job) == PlaceBrief(
            place_id=job.location_id,
            open_orders=(
                OpenOrder(
                    order_id=job.id,
                    number=job.number,
                    kind=K.INSTALL,
                    state=S.ASSIGNED,
                    planned_start=world.work_order(job).planned_start,
                    here=True,
                ),
            ),
        )

    def test_tells_the_visit_that_was_done_there_with_its_readings(self, world: World):
        job, later = world.order(K.REPAIR), world.order(K.SWAP)
        at_place_of(world, job, later)
        device = Device(world, world.ana)
        world.ana.send(*world.visit(job))
        device.pull()
        order = world.work_order(job)
        power, speed = order.required_checks

        [visit] = device.brief(job).visits
        assert visit == PastVisit(
            order_id=job.id,
            number=job.number,
            kind=K.REPAIR,
            state=S.COMPLETED,
            at=order.finished_at,
            technician="Ana Virtanen",
            readings=tuple(
                Reading(
                    code=spec.code,
                    value=order.result_of(spec.code).value,
                    unit=spec.unit,
                    passed=True,
                    low=spec.low,
                    high=spec.high,
                )
                for spec in (power, speed)
            ),
        )
        assert visit.readings[0].low == Decimal("-27")
        assert [other.number for other in device.brief(job).open_orders] == [later.number]

    def test_tells_a_visit_that_failed_with_its_reason(self, world: World):
        job = world.order()
        device = Device(world, world.ana)
        world.ana.send(
            StartTravel(work_order_id=job.id),
            Arrive(work_order_id=job.id),
            CannotComplete(work_order_id=job.id, reason=UnfinishedReason.NO_ACCESS),
        )
        device.pull()

        [visit] = device.brief(job).visits
        assert (visit.state, visit.reason) == (S.UNFINISHED, UnfinishedReason.NO_ACCESS)

    def test_holds_the_newest_five_visits(self, world: World):
        jobs = [world.order(K.REPAIR) for _ in range(7)]
        at_place_of(world, *jobs)
        for number, job in enumerate(jobs[:6]):
            with world.database.write() as session:
                session.execute(
                    update(WorkOrderRow)
                    .where(WorkOrderRow.id == job.id)
                    .values(state=S.COMPLETED, finished_at=MONDAY - DAY * (10 - number))
                )
        found = Device(world, world.ana).brief(jobs[0])

        assert [visit.number for visit in found.visits] == [job.number for job in reversed(jobs[1:6])]

    def test_tells_of_open_repairs_on_the_same_cabinet_and_nothing_of_whose_they_are(self, world: World):
        mine = world.order(K.INSTALL)
        theirs, elsewhere, install = (
            world.order(K.REPAIR, phone=world.ben),
            world.order(K.REPAIR, phone=world.ben),
            world.order(K.INSTALL, phone=world.ben),
        )
        on_cabinet(world, "KAL-1", mine, theirs, install)
        on_cabinet(world, "KAL-2", elsewhere)
        device = Device(world, world.ana)

        ordered = world.row(WorkOrderRow, WorkOrderRow.id == theirs.id).ordered_at
        assert device.brief(mine).faults == (Fault(number=theirs.number, state=S.ASSIGNED, since=ordered),)
        assert device.briefs.keys() == {str(mine.location_id)}
        said = encode(device.brief(mine)).decode()
        assert str(theirs.customer_id) not in said and str(theirs.location_id) not in said

    def test_leaves_out_repairs_of_long_ago(self, world: World):
        mine, old = world.order(K.INSTALL), world.order(K.REPAIR, phone=world.ben)
        on_cabinet(world, "KAL-1", mine, old)
        with world.database.write() as session:
            session.execute(
                update(WorkOrderRow)
                .where(WorkOrderRow.id == old.id)
                .values(ordered_at=MONDAY - timedelta(days=15))
            )
        assert Device(world, world.ana).brief(mine).faults == ()


class TestThePhoneHears:
    def test_of_a_fault_on_the_cabinet_that_comes_goes_on_and_ends(self, world: World):
        mine, theirs = world.order(K.INSTALL), world.order(K.REPAIR, phone=world.ben)
        on_cabinet(world, "KAL-1", mine, theirs)
        device = Device(world, world.ana)

        world.ben.send(StartTravel(work_order_id=theirs.id))
        device.pull()
        assert [fault.state for fault in device.brief(mine).faults] == [S.TRAVELLING]
        run(world, CancelWorkOrder(work_order_id=theirs.id, reason="Line is up"))
        device.pull()
        assert device.brief(mine).faults == ()

    def test_of_a_colleagues_visit_at_the_same_place(self, world: World):
        mine, theirs = world.order(K.SWAP), world.order(K.REPAIR, phone=world.ben)
        at_place_of(world, mine, theirs)
        device = Device(world, world.ana)
        world.ben.send(*world.visit(theirs))
        device.pull()

        assert [(visit.number, visit.technician) for visit in device.brief(mine).visits] == [
            (theirs.number, "Ben Korhonen")
        ]

    def test_with_the_job_that_it_is_given_and_forgets_with_the_job_it_loses(self, world: World):
        job = world.order()
        ana, ben = Device(world, world.ana), Device(world, world.ben)
        assert (ana.briefs.keys(), ben.briefs.keys()) == ({str(job.location_id)}, set())
        order = world.work_order(job)
        run(
            world,
            AssignWorkOrder(
                work_order_id=job.id,
                technician_id=world.ben.technician_id,
                planned_start=order.planned_start,
                planned_end=order.planned_end,
                travel_minutes=5,
                route_position=0,
            ),
        )
        ana.pull()
        ben.pull()

        assert (ana.briefs.keys(), ben.briefs.keys()) == (set(), {str(job.location_id)})

    def test_nothing_of_a_tap_that_no_brief_tells_of(self, world: World):
        mine, theirs = world.order(K.REPAIR), world.order(K.INSTALL, phone=world.ben)
        device = Device(world, world.ana)
        world.ben.send(StartTravel(work_order_id=theirs.id))

        assert device.pull().rows == ()
        assert device.brief(mine).faults == ()

    def test_of_an_order_that_came_in_for_the_same_customer(self, world: World):
        mine = world.order(K.REPAIR)
        device = Device(world, world.ana)
        with world.database.write() as session:
            order = CustomerOrder(kind=K.REPAIR, customer_id=mine.customer_id, service_id=mine.service_id)
            row = place(session, world.settings, order, actor="Dora", now=MONDAY)
            number = row.number
        device.pull()

        assert [(other.number, other.state, other.here) for other in device.brief(mine).open_orders] == [
            (number, S.UNASSIGNED, True),
            (mine.number, S.ASSIGNED, True),
        ]

    def test_within_a_push_that_changes_nothing_of_it_with_no_query_more(self, world: World):
        """A note or a reading is no matter of briefs; only a visit's steps look who shows its place."""
        job = world.order(K.REPAIR)
        world.ana.send(StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id))
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            asked.append(statement)

        event.listen(world.database.engine, "before_cursor_execute", note)
        try:
            world.ana.send(RecordCheck(work_order_id=job.id, code="optical_power", value=Decimal("-19.5")))
            looked = sum("UNION SELECT work_order.technician_id" in statement for statement in asked)
            world.ana.send(CannotComplete(work_order_id=job.id, reason=UnfinishedReason.UNSAFE))
        finally:
            event.remove(world.database.engine, "before_cursor_execute", note)
        assert looked == 0
        assert sum("UNION SELECT work_order.technician_id" in statement for statement in asked) == 1
