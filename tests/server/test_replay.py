"""The log alone rebuilds the state: every table of both databases gives the same hash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from databases import migrated_database
from sqlalchemy import update
from world import CABLE, MONDAY, World, uid

from server import office
from server.customers.models import CustomerRow
from server.db.engine import Database
from server.db.feed_models import CommandRow, EntryRow
from server.db.migrate import downgrade, upgrade
from server.dispatch import absences, crew, link_rows, policy, preferences, slot_holds, traffic
from server.dispatch.planner import plan_day
from server.dispatch.time_slots import Wish
from server.inbox import acts
from server.replay import TableReport, compare, replay
from server.stock.models import ProductRow, ReservationRow, StockBalanceRow, StockMoveRow
from server.work_orders import kinds
from server.work_orders.intake import CustomerOrder, place
from shared.commands import (
    AddNote,
    AssignWorkOrder,
    CancelWorkOrder,
    CannotComplete,
    EditContact,
    InstallAsset,
    RemoveAsset,
    StartTravel,
)
from shared.network_faults import FaultSign, ReportNetworkFault
from shared.stock_commands import AskForPart
from shared.work_orders import ContactField, RemovalCause, UnfinishedReason, WorkOrderKind


@pytest.fixture
def fresh(tmp_path: Any) -> Iterator[Database]:
    with migrated_database("sqlite", tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def assign(world: World, job: Any, phone: Any) -> AssignWorkOrder:
    return AssignWorkOrder(
        work_order_id=job.id, technician_id=phone.technician_id, planned_start=MONDAY,
        planned_end=MONDAY + timedelta(hours=2),
    )  # fmt: skip


def a_day(world: World) -> None:
    """A bit of everything that can be in a log."""
    with world.database.write() as session:
        session.get_one(ProductRow, CABLE).reorder_point = 395  # the first visit crosses it
    first, second, third, fourth = (world.order() for _ in range(4))
    swap = world.order(WorkOrderKind.SWAP, phone=world.ben)
    world.ana.send(*world.visit(first))
    world.ana.send(AddNote(work_order_id=first.id, text="after the close"))
    run(world, assign(world, second, world.ben))
    world.ben.send(*world.visit(second, fit=world.ben.ont))
    world.ana.send(*world.visit(second))  # done twice: kept beside it
    took_off = world.visit(swap, fit=f"{world.ben.ont[:-4]}0002")
    world.ben.send(
        *(
            replace(step, cause=RemovalCause.NO_POWER) if isinstance(step, RemoveAsset) else step
            for step in took_off
        )
    )
    run(world, CancelWorkOrder(work_order_id=third.id, reason="moved away"))
    world.ana.send(*world.visit(third, fit=f"{world.ana.ont[:-4]}0002"))  # held: it was cancelled
    wanted = AskForPart(request_id=uid("cable"), sku=CABLE, quantity=30, holder_id=world.ana.van_id)
    dark = ReportNetworkFault(report_id=uid("dark"), cabinet="CAB-1", sign=FaultSign.NO_LIGHT, safe=True)
    world.ben.send(wanted, dark)
    given, taken = world.handing(CABLE, offered=40, taken=30)
    world.ben.send(taken)
    world.ana.send(given)
    world.ana.send(StartTravel(work_order_id=fourth.id))
    unknown = InstallAsset(work_order_id=fourth.id, serial="NOBODYS1", source="typed")
    world.ana.send(unknown)
    cannot = CannotComplete(work_order_id=fourth.id, reason=UnfinishedReason.NO_ACCESS, text="gate shut")
    world.ana.send(cannot)
    late = world.ana.envelopes(AddNote(work_order_id=fourth.id, text="by a clock that is a day behind"))
    world.ana.deliver(late, now=MONDAY + timedelta(days=2), device_now=MONDAY + timedelta(days=1))
    odd = replace(world.ana.envelope(AddNote(work_order_id=fourth.id, text="x")), type="teleport")
    world.ana.deliver([odd])
    run(world, EditContact(work_order_id=swap.id, field=ContactField.PHONE, value="+358409"))
    with world.database.write() as session:
        order = CustomerOrder(
            kind=WorkOrderKind.REPAIR, customer_id=first.customer_id, service_id=first.service_id
        )
        place(session, world.settings, order, actor="Dora", now=MONDAY)
    book_a_slot(world, replace(order, kind=WorkOrderKind.REPAIR, skills={}, equipment={}))
    with world.database.write() as session:
        ana, until = world.ana.technician_id, MONDAY + timedelta(hours=9)
        absences.note(session, ana, MONDAY, until, absences.Reason.VAN, by="Dora", now=MONDAY)
        absences.end(session, ana, by="Dora", now=MONDAY + timedelta(hours=2))
        crew.set_skill(session, ana, "splice", 3, by="Dora", now=MONDAY)
        crew.certify(session, ana, "splice", until.date(), MONDAY.date(), by="Dora", now=MONDAY)
        crew.allow_overtime(session, ana, 45, by="Dora", now=MONDAY)
    held = world.rows(CommandRow, CommandRow.outcome == "held")
    acts.dismiss(world.database, held[0].id, "Dora", "not billed")
    world.buy(CABLE, 300)
    with world.database.write() as session:
        policy.change(
            session, after=0, weights={"drive_km": 40}, territories={"north": ["97"]}, note="petrol",
            who="Dora", now=MONDAY,
        )  # fmt: skip
    what_the_office_says(world)


def what_the_office_says(world: World) -> None:
    """Links, wishes, minutes and traffic, made, changed and taken away."""
    one, two, three = (world.order() for _ in range(3))
    start, end = MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=6)
    with world.database.write() as session:
        for job, number in ((two, one.number), (three, two.number)):
            wanted = link_rows.NewLink(kind="after", number=number, gap_least=10)
            made = link_rows.make(session, job.id, wanted, by="Dora", now=MONDAY)
        for job in (one, two):
            preferences.prefer(session, job.id, start, end, by="Dora", now=MONDAY)
    with world.database.write() as session:
        link_rows.remove(session, three.id, made, by="Dora", now=MONDAY)
        preferences.prefer(session, one.id, None, None, by="Dora", now=MONDAY)
        preferences.prefer(session, two.id, start, end + timedelta(hours=1), by="Dora", now=MONDAY)
        for minutes in (40, 50):
            wished = kinds.KindTimes(kind=WorkOrderKind.SWAP, minutes=minutes, setup_minutes=10)
            kinds.change(session, wished, by="Ada", now=MONDAY)
        traffic.change(session, after=0, factors=[1.0] * 8 + [1.5] * 16, by="Ada", now=MONDAY)


def book_a_slot(world: World, order: CustomerOrder) -> None:
    """In a day that is planned: the order is placed, and given its technician at once."""
    start = MONDAY + timedelta(days=1, hours=1)  # 10:00 in Helsinki
    plan_day(world.database, world.settings, start.date(), seconds=0, now=MONDAY)
    wish, end = Wish(order=order), start + timedelta(hours=2)
    kept = slot_holds.hold(world.database, world.settings, wish, start, end, MONDAY, key="slot", by="Dora")
    slot_holds.confirm(world.database, world.settings, kept.id, MONDAY, by="Dora")


def run(world: World, command: Any) -> None:
    office.run(world.database, world.settings, command, "Dora")


def differing(reports: list[TableReport]) -> dict[str, tuple[str, ...]]:
    return {report.name: report.differences for report in reports if not report.equal}


class TestReplay:
    def test_of_a_day_gives_equal_hashes_table_by_table(self, world: World, fresh: Database):
        a_day(world)
        count = replay(world.database, fresh, world.settings)
        reports = compare(world.database, fresh)
        assert differing(reports) == {}
        rows = {report.name: report.rows for report in reports}
        assert count == rows["command"] + len(world.rows(EntryRow))
        empty = {name for name, number in rows.items() if not number}
        assert empty <= {"follow_up"}, "a table without rows proves nothing"

    @pytest.mark.parametrize("text", [b"\\ud83d", b"\xff", b"\xed\xa0\xbd", b"\\q"])
    def test_holds_again_what_nobody_can_read(self, world: World, fresh: Database, text: bytes):
        note = world.ana.envelope(AddNote(work_order_id=world.order().id, text="TEXT"))
        body = msgspec.Raw(bytes(note.body).replace(b"TEXT", text))
        assert [receipt.slug for receipt in world.ana.deliver([replace(note, body=body)])] == ["malformed"]
        replay(world.database, fresh, world.settings)
        assert differing(compare(world.database, fresh)) == {}

    def test_shows_a_row_that_was_changed_behind_the_log(self, world: World, fresh: Database):
        a_day(world)
        with world.database.write() as session:
            session.execute(
                update(StockBalanceRow)
                .where(StockBalanceRow.place_id == world.ana.van_id, StockBalanceRow.sku == CABLE)
                .values(quantity=7)
            )
        replay(world.database, fresh, world.settings)
        found = differing(compare(world.database, fresh))
        assert list(found) == ["stock_balance"]
        assert '"quantity":7' in found["stock_balance"][0]

    def test_shows_a_consequence_that_is_missing(self, world: World, fresh: Database):
        a_day(world)
        with world.database.write() as session:
            session.execute(update(ReservationRow).values(released_at=None))
        replay(world.database, fresh, world.settings)
        assert list(differing(compare(world.database, fresh))) == ["reservation"]

    def test_begins_with_an_opening_where_the_database_is_older_than_its_log(
        self, world: World, fresh: Database
    ):
        job, other = world.order(), world.order()
        world.ana.send(*world.visit(job))
        world.database.close()
        downgrade(world.settings.database_url, "20261122")  # the schema that had no log of entries
        upgrade(world.settings.database_url)
        [opening] = world.rows(EntryRow)
        assert opening.opening
        summed: Counter[tuple[UUID, str]] = Counter()
        for move in world.rows(StockMoveRow):
            summed[move.source_id, move.sku] -= move.quantity
            summed[move.target_id, move.sku] += move.quantity
        assert {(row.place_id, row.sku): row.quantity for row in world.rows(StockBalanceRow)} == summed
        world.ana.send(StartTravel(work_order_id=other.id))
        assert replay(world.database, fresh, world.settings) == 2
        assert differing(compare(world.database, fresh)) == {}


class TestAnEntry:
    def test_holds_what_a_transaction_brought_in_and_one_that_failed_leaves_none(self, world: World):
        before = len(world.rows(EntryRow))
        customer = CustomerRow(id=uid("new"), name="Åsa", phone="", email="a@home.test", language="sv")
        with pytest.raises(ZeroDivisionError), world.database.write() as session:
            session.add(customer)
            session.flush()
            raise ZeroDivisionError
        assert len(world.rows(EntryRow)) == before
        with world.database.write() as session:
            session.add(CustomerRow(id=uid("new"), name="Åsa", phone="", email="a@home.test", language="sv"))
        with world.database.write() as session:
            session.get_one(CustomerRow, uid("new")).name = "Åsa Öst"
        added, changed = [msgspec.json.decode(row.body) for row in world.rows(EntryRow)[-2:]]
        assert added == [
            ["insert", "customer", {"id": str(uid("new")), "name": "Åsa", "phone": "", "email": "a@home.test",
             "language": "sv"}]
        ]  # fmt: skip
        assert changed == [["update", "customer", {"id": str(uid("new")), "name": "Åsa Öst"}]]

    def test_is_not_written_for_what_commands_cause(self, world: World):
        job = world.order()
        before = len(world.rows(EntryRow))
        world.ana.send(*world.visit(job))
        assert len(world.rows(EntryRow)) == before
