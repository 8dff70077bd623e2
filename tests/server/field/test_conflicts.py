"""The world moved on while a technician worked offline: what was done is booked or held whole, never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from world import CABLE, MONDAY, ONT_A, ROUTER, Job, Phone, World, uid

from server import office
from server.billing.models import InvoiceRow
from server.db.feed_models import CommandRow, FeedRow
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.stock.models import ReservationRow, StockMoveRow
from shared.assets import AssetState
from shared.commands import (
    AddNote,
    AssignWorkOrder,
    CancelWorkOrder,
    InstallAsset,
    StartTravel,
    UnassignWorkOrder,
    UseParts,
)
from shared.situation import UNRECEIVED_PLACE
from shared.work_orders import PartLine, WorkOrderKind, WorkOrderState
from sync.protocol import Receipt

DISPATCH = "Dora of dispatch"


def by_type(world: World, receipts: list[Receipt]) -> dict[str, tuple[str, str | None]]:
    """Command type → (outcome, slug); the last one of a type counts."""
    types = {row.id: row.type for row in world.rows(CommandRow)}
    return {types[receipt.command_id]: (receipt.outcome, receipt.slug) for receipt in receipts}


def give(world: World, job: Job, to: Phone) -> None:
    command = AssignWorkOrder(
        work_order_id=job.id,
        technician_id=to.technician_id,
        planned_start=MONDAY + timedelta(hours=3),
        planned_end=MONDAY + timedelta(hours=5),
    )
    office.run(world.database, world.settings, command, DISPATCH)


def held(world: World) -> list[CommandRow]:
    """What waits for a dispatcher, in the order of the device."""
    rows = world.rows(CommandRow, CommandRow.outcome == "held", CommandRow.resolved_at.is_(None))
    return sorted(rows, key=lambda row: row.seq)


class TestTheSameSerialOnTwoJobs:
    @pytest.fixture
    def jobs(self, world: World) -> tuple[Job, Job]:
        with world.database.write() as session:
            world.receive(session, world.depot_id, ONT_A, serial="SHARED01")
        return world.order(), world.order(phone=world.ben)

    def visit(self, world: World, job: Job) -> list:
        return [
            replace(step, confirmed=True) if isinstance(step, InstallAsset) else step
            for step in world.visit(job, fit="SHARED01")
        ]

    def test_one_wins_and_the_others_work_is_kept_and_shown(self, world: World, jobs: tuple[Job, Job]):
        won = world.ana.send(*self.visit(world, jobs[0]))
        lost = world.ben.send(*self.visit(world, jobs[1]))
        assert {receipt.outcome for receipt in won} == {"accepted"}
        outcomes = by_type(world, lost)
        assert outcomes["install_asset"] == ("held", "serial-elsewhere")
        assert outcomes["close_work_order"] == ("held", "missing-equipment")
        assert outcomes["use_parts"] == ("accepted", None), "the parts were used all the same"
        assert world.asset("SHARED01").holder_id == jobs[0].location_id
        assert len(world.rows(InvoiceRow)) == 1
        assert world.work_order(jobs[1]).state is WorkOrderState.ON_SITE
        claim = held(world)[0]
        assert json.loads(claim.body)["serial"] == "SHARED01"
        assert claim.detail == (
            "SHARED01 is installed at Fabianinkatu 1: check the label, or take another one"
        )
        assert (claim.actor, claim.work_order_id) == ("Ben Korhonen", jobs[1].id)
        shown = [row for row in world.rows(FeedRow) if row.topic == "CommandHeld"]
        assert [(row.scope, row.kind, row.key) for row in shown] == [
            ("board", "command", str(row.id)) for row in held(world)
        ]

    def test_before_either_has_closed_the_claim_decides(self, world: World, jobs: tuple[Job, Job]):
        world.ana.send(*self.visit(world, jobs[0])[:3])
        lost = world.ben.send(*self.visit(world, jobs[1])[:3])
        assert lost[-1].detail == "SHARED01 was fitted on another job: dispatch has to look at it"
        assert world.asset("SHARED01").claimed_by == jobs[0].id

    def test_sent_in_the_same_instant_exactly_one_wins(self, world: World, jobs: tuple[Job, Job]):
        pushes = [
            (phone, phone.envelopes(*self.visit(world, job)))
            for phone, job in zip((world.ana, world.ben), jobs, strict=True)
        ]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda item: item[0].deliver(item[1]), pushes))
        closes = sorted(answer[-1].outcome for answer in answers)
        assert closes == ["accepted", "held"]
        moves = world.rows(StockMoveRow, StockMoveRow.serial == "SHARED01")
        assert len(moves) == 2, "goods in, and one customer"
        assert len(world.rows(InvoiceRow)) == 1
        assert len(world.rows(CommandRow)) == 18, "every command has its receipt"

    def test_unknown_to_us_and_sent_in_the_same_instant_exactly_one_wins(self, world: World):
        """Neither finds a row to lock: the unique serial decides, and the loser is decided again."""
        pushes = []
        for phone in (world.ana, world.ben):
            job = world.order(phone=phone)
            steps = world.visit(job, until_close=False)[:2]
            fit = InstallAsset(
                work_order_id=job.id, serial="NEVERSEEN", source="typed", sku=ONT_A, confirmed=True
            )
            pushes.append((phone, phone.envelopes(*steps, fit)))
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda item: item[0].deliver(item[1]), pushes))
        assert sorted((answer[-1].outcome, answer[-1].slug or "") for answer in answers) == [
            ("accepted", ""),
            ("held", "serial-elsewhere"),
        ]


class TestAJobGivenToSomebodyElse:
    def test_closed_offline_before_the_other_started_is_booked_for_who_did_it(self, world: World):
        job = world.order()
        give(world, job, world.ben)
        receipts = world.ana.send(*world.visit(job))
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert [remark.slug for remark in receipts[0].remarks] == ["reassigned"]
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.COMPLETED, world.ana.technician_id)
        assert order.former_technician_ids == {world.ana.technician_id, world.ben.technician_id}
        assert world.balance(world.ana.van_id, CABLE) == 182
        told = {row.scope for row in world.rows(FeedRow, FeedRow.key == str(job.id))}
        assert told == {
            "board",
            f"tech:{world.ana.technician_id}",
            f"tech:{world.ben.technician_id}",
        }, "Ben's phone drops it at once"

    def test_closed_offline_after_the_other_started_is_held_whole(self, world: World):
        job = world.order()
        give(world, job, world.ben)
        world.ben.send(StartTravel(work_order_id=job.id))
        before = world.contents()
        steps = world.visit(job)
        receipts = world.ana.send(*steps)
        assert {(receipt.outcome, receipt.slug) for receipt in receipts} == {("held", "reassigned")}
        assert receipts[0].detail == (
            "WO-0001 went to a colleague who has started it. Your work is kept; dispatch decides"
        )
        after = world.contents()
        for table in ("work_order", "asset", "stock_move", "invoice", "journal_line", "notice"):
            assert after[table] == before[table], table
        assert [row.type for row in held(world)] == [step.type for step in steps]
        assert all(row.work_order_id == job.id for row in held(world))

    def test_what_is_promised_to_it_moves_along_and_both_phones_learn_it(self, world: World):
        job = world.order()
        give(world, job, world.ben)
        seen = world.rows(FeedRow)[-1].seq
        world.ana.send(StartTravel(work_order_id=job.id))
        open_ = world.rows(ReservationRow, ReservationRow.released_at.is_(None))
        assert {(row.place_id, row.sku) for row in open_} == {
            (world.ana.van_id, CABLE),
            (world.ana.van_id, ONT_A),
        }
        told = {
            (row.scope, row.key)
            for row in world.rows(FeedRow, FeedRow.seq > seen, FeedRow.kind == "stock_line")
        }
        both = [f"tech:{phone.technician_id}" for phone in (world.ana, world.ben)]
        assert {(scope, sku) for scope in both for sku in (CABLE, ONT_A)} <= told

    def test_a_note_from_her_is_kept_and_takes_nothing_from_the_other(self, world: World):
        job = world.order()
        give(world, job, world.ben)
        [receipt] = world.ana.send(AddNote(work_order_id=job.id, text="The code is 4711"))
        assert (receipt.outcome, receipt.remarks) == ("accepted", ())
        order = world.work_order(job)
        assert order.technician_id == world.ben.technician_id
        assert [note.text for note in order.notes] == ["The code is 4711"]

    def test_and_back_again_is_hers_as_before(self, world: World):
        job = world.order()
        give(world, job, world.ben)
        give(world, job, world.ana)
        receipts = world.ana.send(*world.visit(job))
        assert {(receipt.outcome, receipt.remarks) for receipt in receipts} == {("accepted", ())}

    def test_taken_back_by_the_office_and_done_all_the_same_is_booked(self, world: World):
        job = world.order()
        command = UnassignWorkOrder(work_order_id=job.id)
        office.run(world.database, world.settings, command, DISPATCH)
        receipts = world.ana.send(*world.visit(job))
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert world.work_order(job).technician_id == world.ana.technician_id


class TestAJobThatTheOfficeCancelled:
    @pytest.mark.parametrize("begun", [False, True])
    def test_and_its_technician_closed_offline_is_held_whole(self, world: World, begun: bool):
        job = world.order()
        steps = world.visit(job)
        if begun:
            world.ana.send(*steps[:3])
        command = CancelWorkOrder(work_order_id=job.id, reason="the customer moved away")
        office.run(world.database, world.settings, command, DISPATCH)
        unsent = steps[3:] if begun else steps
        receipts = world.ana.send(*unsent)
        assert {(receipt.outcome, receipt.slug) for receipt in receipts} == {("held", "work-order-cancelled")}
        assert [row.type for row in held(world)] == [step.type for step in unsent]
        assert [json.loads(row.body)["work_order_id"] for row in held(world)] == [str(job.id)] * len(unsent)
        assert world.rows(InvoiceRow) == []
        assert world.balance(world.ana.van_id, CABLE) == 200
        device = world.asset("ANA0001")
        assert (device.holder_id, device.claimed_by) == (world.ana.van_id, None)


class TestAJobThatIsNotTheirs:
    def test_is_held_and_nothing_moves(self, world: World):
        job = world.order(phone=world.ben)
        before = world.contents()
        receipts = world.ana.send(*world.visit(job))
        assert {(receipt.outcome, receipt.slug) for receipt in receipts} == {("held", "not-your-job")}
        assert receipts[0].detail == "WO-0001 was never yours: ask dispatch to assign it"
        after = world.contents()
        assert {name for name in after if after[name] != before[name]} == {"command", "feed", "evidence"}

    def test_a_job_that_does_not_exist_is_held_too(self, world: World):
        [receipt] = world.ana.send(StartTravel(work_order_id=uid("no such job")))
        assert (receipt.outcome, receipt.slug) == ("held", "not-found")
        assert receipt.detail == f"There is no work order {uid('no such job')}"


class TestBadInputIsKept:
    """Each is answered in words, and what the person entered can be read again."""

    @pytest.fixture
    def job(self, world: World) -> Iterator[Job]:
        job = world.order()
        world.ana.send(*world.visit(job)[:2])
        with world.database.write() as session:
            world.receive(session, world.ana.van_id, ROUTER, serial="ROUTER01")
            world.receive(session, world.ana.van_id, ONT_A, serial="RECALL01", state=AssetState.QUARANTINED)
        before = world.contents()
        yield job
        after = world.contents()
        assert {name for name in after if after[name] != before[name]} <= {"command", "feed"}

    @pytest.mark.parametrize(
        ("change", "slug", "words"),
        [
            ({"serial": "FOREIGN1"}, "serial-unknown", "FOREIGN1 is not on your van's list"),
            ({"serial": "BEN0001"}, "serial-elsewhere", "BEN0001 is booked on Van ben"),
            ({"serial": "ROUTER01"}, "wrong-model", "AVM 7530 does not fit Home 100: it needs Huawei HG8 or"),
            ({"serial": "RECALL01"}, "asset-quarantined", "RECALL01 is from a batch under recall"),
            ({"serial": "(01)123"}, "bad-value", "A serial has 4 to 40 letters and digits"),
            ({"mac": "AC:12:2F:00:1B"}, "bad-value", "A MAC has 12 hex digits, this one has 10"),
            (
                {"serial": "FOREIGN1", "confirmed": True, "sku": "NO-SUCH"},
                "bad-value",
                "There is no device NO-SUCH in the catalogue",
            ),
        ],
    )
    def test_of_a_scan(self, world: World, job: Job, change: dict[str, object], slug: str, words: str):
        scan = InstallAsset(work_order_id=job.id, serial="ANA0001", source="typed")
        command = replace(scan, **change)
        [receipt] = world.ana.send(command)
        assert (receipt.outcome, receipt.slug) == ("held", slug)
        assert receipt.detail is not None and receipt.detail.startswith(words)
        kept = held(world)[-1]
        assert msgspec.json.decode(kept.body, type=InstallAsset) == command

    @pytest.mark.parametrize("quantity", [-5, 0, 1_000_000])
    def test_of_a_quantity(self, world: World, job: Job, quantity: int):
        line = PartLine(sku=CABLE, quantity=quantity)
        [receipt] = world.ana.send(UseParts(work_order_id=job.id, lines=(line,)))
        assert (receipt.outcome, receipt.slug) == ("held", "bad-value")
        assert receipt.detail == "Prysmian FD1: the quantity must be 1 to 10,000"

    @pytest.mark.parametrize(
        ("change", "slug"),
        [
            ({"type": "teleport"}, "unknown-command"),
            ({"type": "tele\x00port"}, "unknown-command"),
            ({"schema": 2}, "newer-schema"),
            ({"schema": 2**40}, "newer-schema"),
            ({"seq": 2**40, "base_version": 2**40, "type": "teleport"}, "unknown-command"),
            ({"seq": -(2**40), "base_version": -(2**40), "type": "teleport"}, "unknown-command"),
            ({"body": msgspec.Raw(b"[]")}, "malformed"),
            ({"body": msgspec.Raw(b'{"work_order_id": 7}')}, "malformed"),
            ({"body": msgspec.Raw(b'{"work_order_id": "\xff\xfe"}')}, "malformed"),
            ({"body": msgspec.Raw(b"null")}, "malformed"),
        ],
    )
    def test_of_an_envelope_neither_blocks_the_queue_nor_is_lost(
        self, world: World, job: Job, change: dict[str, object], slug: str
    ):
        odd, note = world.ana.envelopes(
            StartTravel(work_order_id=job.id), UseParts(work_order_id=job.id, lines=())
        )
        receipts = world.ana.deliver([replace(odd, **change), note])
        assert {receipt.command_id: receipt.slug for receipt in receipts} == {
            odd.id: slug,
            note.id: "bad-value",
        }
        kept = world.row(CommandRow, CommandRow.id == odd.id)
        assert (kept.outcome, kept.slug) == ("held", slug)

    def test_held_evidence_with_an_unreadable_body_does_not_stop_the_next_pull(self, world: World, job: Job):
        note = world.ana.envelope(AddNote(work_order_id=job.id, text="x"))
        for number, body in enumerate((b"[]", b"7", b'"\xff"', b'{"digest": 5}')):
            odd = replace(note, id=uid(f"odd {number}"), type="add_evidence", body=msgspec.Raw(body))
            assert world.ana.deliver([odd])[0].outcome == "held"
        with world.database.read() as session:
            ana = session.get(TechnicianRow, world.ana.technician_id)
            assert DeviceSource(session, world.settings, ana, MONDAY).missing_evidence() == []


class TestNegativeStock:
    def test_is_booked_as_a_fact_and_remarked(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        receipts = world.ana.send(*world.visit(job, cable=230))
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert [remark.detail for receipt in receipts for remark in receipt.remarks] == [
            "Prysmian FD1: used 230, the van's list had 200: count it"
        ]
        assert world.balance(world.ana.van_id, CABLE) == -30
        assert set(world.stock_by_sku().values()) == {0}

    def test_a_device_nobody_received_leaves_the_place_of_the_unreceived(self, world: World):
        job = world.order()
        steps = [
            replace(step, sku=ONT_A, confirmed=True) if isinstance(step, InstallAsset) else step
            for step in world.visit(job, fit="FOUND001")
        ]
        receipts = world.ana.send(*steps)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert receipts[2].remarks[0].slug == "unreceived-serial"
        assert world.asset("FOUND001").holder_id == job.location_id
        assert world.balance(UNRECEIVED_PLACE, ONT_A) == -1
        assert set(world.stock_by_sku().values()) == {0}
