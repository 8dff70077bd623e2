"""A command arrives once, twice, late, from several threads: it is booked once, and nothing gets lost."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, event, text, update
from world import CABLE, CONNECTOR, MONDAY, ONT_A, Phone, World, a_world, other_body, settle, uid

from server import office
from server.access.models import DeviceRow
from server.billing.models import InvoiceRow
from server.customers.models import NoticeRow, ServiceRow
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.field.exchange import exchange
from server.purchasing.models import PurchaseOrderLineRow, PurchaseOrderRow
from server.stock.models import StockMoveRow
from server.work_orders.models import WorkOrderRow
from shared.commands import AddEvidence, AddNote, Arrive, AssignWorkOrder, StartTravel
from shared.work_orders import EvidenceKind, ServiceState, WorkOrderKind, WorkOrderState
from sync.protocol import PROTOCOL, PushedCommand, Receipt, SyncRequest, SyncResponse, decode_image, encode
from sync.server.ports import TryAgain


def at_once(*calls: Callable[[], list[Receipt]]) -> list[list[Receipt]]:
    """Run all `calls` in threads that start together."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], list[Receipt]]) -> list[Receipt]:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class TestTheSameVisitAgain:
    def test_is_answered_by_the_same_receipts_and_writes_nothing(self, world: World):
        envelopes = world.ana.envelopes(*world.visit(world.order()))
        first = world.ana.deliver(envelopes)
        before = world.contents()
        for _ in range(5):
            assert world.ana.deliver(envelopes) == first
        assert world.contents() == before

    def test_in_pieces_that_overlap_books_once(self, world: World):
        envelopes = world.ana.envelopes(*world.visit(world.order()))
        world.ana.deliver(envelopes[:4])
        world.ana.deliver(envelopes[2:7])
        receipts = world.ana.deliver(envelopes)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert len(world.rows(CommandRow)) == 9
        assert len(world.rows(StockMoveRow, StockMoveRow.work_order_id.is_not(None))) == 3

    def test_in_the_wrong_order_within_one_push_is_sorted_by_the_devices_count(self, world: World):
        envelopes = world.ana.envelopes(*world.visit(world.order()))
        receipts = world.ana.deliver(envelopes[::-1])
        assert [receipt.command_id for receipt in receipts] == [item.id for item in envelopes]
        assert {receipt.outcome for receipt in receipts} == {"accepted"}

    @pytest.mark.parametrize("times", [8])
    def test_from_many_threads_at_once_books_once(self, world: World, times: int):
        job = world.order()
        envelopes = world.ana.envelopes(*world.visit(job))
        answers = at_once(*[lambda: world.ana.deliver(envelopes)] * times)
        assert all(answer == answers[0] for answer in answers)
        assert {receipt.outcome for receipt in answers[0]} == {"accepted"}
        assert len(world.rows(CommandRow)) == 9
        assert len(world.rows(InvoiceRow)) == 1
        assert len(world.rows(NoticeRow)) == 1
        assert world.balance(world.ana.van_id, CABLE) == 182
        assert world.work_order(job).version == 10


class TestAnIdThatCameWithAnotherContent:
    def test_books_nothing_says_so_and_is_kept_once(self, world: World):
        job, other = world.order(), world.order()
        envelope = world.ana.envelope(StartTravel(work_order_id=job.id))
        world.ana.deliver([envelope])
        before = world.contents()
        spoilt = other_body(envelope, StartTravel(work_order_id=other.id))
        answers = [world.ana.deliver([spoilt])[0] for _ in range(3)]
        assert all(answer == answers[0] for answer in answers)
        assert (answers[0].command_id, answers[0].outcome, answers[0].slug) == (
            envelope.id,
            "held",
            "id-reused",
        )
        assert answers[0].detail == ("This id came before with another content: the app must mint a new one")
        kept = world.row(CommandRow, CommandRow.outcome == "held")
        assert json.loads(kept.body)["work_order_id"] == str(other.id)
        after = world.contents()
        assert {name for name in after if after[name] != before[name]} == {"command", "feed"}
        assert world.ana.deliver([envelope])[0].outcome == "accepted", "the first content keeps its receipt"

    def test_of_another_device_gets_no_receipt_of_this_one(self, world: World):
        envelope = world.ana.envelope(StartTravel(work_order_id=world.order().id))
        world.ana.deliver([envelope])
        assert world.ben.deliver([envelope])[0].slug == "id-reused"


class TestTenTechniciansClosingAtOnce:
    """The same SKUs, the same vendors, one draft each: the order of locks, and no work lost."""

    @pytest.fixture
    def crew(self, database_url: str):
        with a_world(database_url, crew=[f"T{number} Tester" for number in range(10)]) as world:
            yield world

    def deadlocks(self, world: World) -> int:
        if not world.database.is_postgresql:
            return 0  # one writer at a time: there is nobody to wait for in a circle
        with world.database.read() as session:
            query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            return int(session.scalar(text(query)))

    def test_deadlocks_never_and_raises_one_draft_for_each_vendor(
        self, crew: World, caplog: pytest.LogCaptureFixture
    ):
        # 10 × 2 ONT-A, 10 × 200 m and 10 × 20 connectors; after 10 visits 10, 60 m and 5 are left
        pushes = []
        for phone in crew.phones:
            job = crew.order(phone=phone)
            envelopes = phone.envelopes(*crew.visit(job, fit=phone.ont, cable=194, connectors=19))
            pushes.append((phone, envelopes))
        with caplog.at_level(logging.ERROR):
            answers = at_once(*[lambda p=phone, e=items: p.deliver(e) for phone, items in pushes])
        outcomes = Counter(receipt.outcome for answer in answers for receipt in answer)
        assert outcomes == {"accepted": 90}
        assert [record.message for record in caplog.records] == [], "nothing had to be held"
        assert self.deadlocks(crew) == 0
        drafts = crew.rows(PurchaseOrderRow)
        assert len(drafts) == 1, "19 of 20 connectors and 194 of 200 m leave 10 and 60: Connex only"
        assert drafts[0].vendor_id == uid("Connex")
        assert {line.sku: line.quantity for line in crew.rows(PurchaseOrderLineRow)} == {CONNECTOR: 100}
        assert len(crew.rows(InvoiceRow)) == 10
        assert {row.state for row in crew.rows(WorkOrderRow)} == {WorkOrderState.COMPLETED}
        assert set(crew.stock_by_sku().values()) == {0}
        assert crew.journal_total() == 0
        assert crew.misplaced() == []

    def test_crossing_every_reorder_point_together_buys_once(self, crew: World):
        pushes: list[tuple[Phone, list[PushedCommand]]] = []
        for phone in crew.phones:
            job = crew.order(phone=phone)
            envelopes = phone.envelopes(*crew.visit(job, fit=phone.ont, cable=196, connectors=20))
            pushes.append((phone, envelopes))
        at_once(*[lambda p=phone, e=items: p.deliver(e) for phone, items in pushes])
        assert self.deadlocks(crew) == 0
        assert Counter(row.vendor_id for row in crew.rows(PurchaseOrderRow)) == {
            uid("Fibreco"): 1,
            uid("Connex"): 1,
        }
        lines = {line.sku: line.quantity for line in crew.rows(PurchaseOrderLineRow)}
        assert lines == {CABLE: 500, CONNECTOR: 100}
        assert crew.balance(crew.phones[0].van_id, ONT_A) == 1


class TestTwoDevicesOfOneTechnician:
    def test_may_work_on_one_job_at_once_and_nothing_is_lost(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        notes = [world.ana.envelope(AddNote(work_order_id=job.id, text=f"note {n}")) for n in range(8)]
        at_once(*[lambda item=item: world.ana.deliver([item]) for item in notes])
        assert sorted(note.text for note in world.work_order(job).notes) == [f"note {n}" for n in range(8)]
        assert world.work_order(job).version == 9


class TestTimesThatNoCalendarHolds:
    @pytest.mark.parametrize("year", [1, 9999])
    def test_neither_block_the_queue_nor_end_in_the_future(self, world: World, year: int):
        job = world.order()
        envelope = world.ana.envelope(StartTravel(work_order_id=job.id))
        odd = replace(envelope, made_at=envelope.made_at.replace(year=year))
        [receipt] = world.ana.deliver([odd], now=MONDAY, device_now=MONDAY.replace(hour=1))
        assert receipt.outcome == "accepted"
        assert world.row(CommandRow).happened_at <= MONDAY

    def test_without_a_zone_are_read_as_utc(self, world: World):
        envelope = world.ana.envelope(StartTravel(work_order_id=world.order().id))
        world.ana.deliver([replace(envelope, made_at=MONDAY.replace(tzinfo=None))])
        assert world.row(CommandRow).happened_at == MONDAY


class TestNumbersThatNoColumnHolds:
    def test_do_not_block_the_queue(self, world: World):
        job = world.order()
        note = replace(world.ana.envelope(AddNote(work_order_id=job.id, text="kept")), made_mono_ms=2**63 + 5)
        photo = AddEvidence(
            work_order_id=job.id,
            kind=EvidenceKind.PHOTO,
            digest="c3" * 32,
            size_bytes=2**40,
            media_type="image/jpeg",
            taken_at=MONDAY,
        )
        receipts = world.ana.deliver([note, world.ana.envelope(photo)])
        assert [(receipt.outcome, receipt.slug) for receipt in receipts] == [
            ("accepted", None),
            ("held", "bad-evidence"),
        ]
        assert world.row(CommandRow, CommandRow.outcome == "accepted").made_mono_ms == 2**63 - 1


class TestACommandOfANewerAppBehindAVisit:
    def test_undoes_nothing_of_that_visit(self, world: World):
        """It names another order of the same service, which is read while the close is not yet written."""
        job, other = world.order(), world.order()
        with world.database.write() as session:
            session.get_one(WorkOrderRow, other.id).service_id = job.service_id
        newer = replace(world.ana.envelope(AddNote(work_order_id=other.id, text="?")), type="add_hologram")
        visit = world.ana.envelopes(*world.visit(job))
        receipts = world.ana.deliver([*visit, replace(newer, seq=visit[-1].seq + 1)])
        assert [receipt.outcome for receipt in receipts] == ["accepted"] * 9 + ["held"]
        service = world.row(ServiceRow, ServiceRow.id == job.service_id)
        assert (service.state, service.active_from is None) == (ServiceState.ACTIVE, False)


class TestAServerThatHasNoConnectionLeft:
    def test_holds_nothing_for_that_and_asks_for_another_try(self, world: World):
        envelope = world.ana.envelope(AddNote(work_order_id=world.order().id, text="in a crowd"))
        usual = world.database.engine
        crowded = create_engine(world.database.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
        world.database.writing.configure(bind=crowded)
        with crowded.connect(), pytest.raises(TryAgain):
            world.ana.deliver([envelope])
        crowded.dispose()
        world.database.writing.configure(bind=usual)
        assert [receipt.outcome for receipt in world.ana.deliver([envelope])] == ["accepted"]


class TestADeviceThatIsSignedOutWhileItsWorkIsDecided:
    def test_gets_its_receipts_and_reads_nothing(self, world: World):
        envelope = world.ana.envelope(AddNote(work_order_id=world.order().id, text="the last one"))
        request = SyncRequest(
            protocol=PROTOCOL,
            app_version="t",
            device_now=MONDAY,
            queue_length=1,
            cursor=None,
            commands=(envelope,),
        )

        def sign_out(_session: object) -> None:
            with world.database.engine.begin() as office:
                mine = update(DeviceRow).where(DeviceRow.id == world.ana.device_id)
                office.execute(mine.values(revoked_at=MONDAY))

        event.listen(world.database.writing, "after_commit", sign_out, once=True)
        found = exchange(world.database, world.settings, world.ana.token, encode(request), MONDAY)
        assert [receipt.outcome for receipt in found.response.receipts] == ["accepted"]
        assert (found.response.rows, found.response.reset) == ((), False)


class Gates:
    """Stops a thread in front of its commit, in the thread that it is told of."""

    def __init__(self, database: Database) -> None:
        self._open = {name: threading.Event() for name in ("assigning", "closing")}
        self.reached = {name: threading.Event() for name in self._open}
        event.listen(database.engine, "commit", self._wait)

    def _wait(self, _connection: object) -> None:
        name = threading.current_thread().name
        if name in self._open:
            self.reached[name].set()
            assert self._open[name].wait(20)

    def open(self, name: str) -> None:
        self._open[name].set()


class TestAJobThatIsGivenToSomebodyWhileAVisitThereEnds:
    def test_comes_with_what_hangs_there_now(self, postgresql_url: str):
        """The visit must see the assignment or the assignment the visit: on SQLite one is always first."""
        with a_world(postgresql_url) as world:
            self._run(world)

    def _run(self, world: World) -> None:
        first = world.order()
        repair = world.order(WorkOrderKind.REPAIR, on_site=())
        with world.database.write() as session:
            row = session.get_one(WorkOrderRow, repair.id)
            row.location_id, row.technician_id = first.location_id, None
            row.planned_start, row.planned_end, row.state = None, None, WorkOrderState.UNASSIGNED
        *before, last = world.ana.envelopes(*world.visit(first))
        world.ana.deliver(before)
        cursor = self._pull(world, None).cursor
        gates = Gates(world.database)

        def assign() -> None:
            end = MONDAY + timedelta(hours=2)
            command = AssignWorkOrder(
                work_order_id=repair.id, technician_id=world.ben.technician_id, planned_start=MONDAY,
                planned_end=end,
            )  # fmt: skip
            office.run(world.database, world.settings, command, "Dora")

        assigning = threading.Thread(target=assign, name="assigning")
        closing = threading.Thread(target=lambda: world.ana.deliver([last]), name="closing")
        assigning.start()
        assert gates.reached["assigning"].wait(20)
        closing.start()
        with world.database.engine.connect() as look:
            while not (gates.reached["closing"].wait(0.02) or look.scalar(SOMEBODY_WAITS)):
                look.rollback()
        gates.open("assigning")
        assigning.join()
        seen = self._pull(world, cursor)
        gates.open("closing")
        closing.join()
        settle(world.database)
        after = self._pull(world, seen.cursor)
        images = [
            decode_image(row.kind, row.body) for row in (*seen.rows, *after.rows) if row.key == str(repair.id)
        ]
        assert images[-1].on_site_serials == ("ANA0001",)

    def _pull(self, world: World, cursor: str | None) -> SyncResponse:
        request = SyncRequest(
            protocol=PROTOCOL, app_version="t", device_now=MONDAY, queue_length=0, cursor=cursor
        )
        done = exchange(world.database, world.settings, world.ben.token, encode(request), MONDAY)
        return done.response


SOMEBODY_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class TestACommandThatNamesSomebodyElsesOrder:
    def test_learns_nothing_of_what_hangs_at_that_address(self, world: World):
        theirs = world.order(WorkOrderKind.REPAIR, phone=world.ben)
        assert theirs.on_site == ("OLD0001",)

        def contact(cursor: str | None, *commands: PushedCommand) -> SyncResponse:
            request = SyncRequest(
                protocol=PROTOCOL,
                app_version="t",
                device_now=MONDAY,
                queue_length=len(commands),
                cursor=cursor,
                commands=commands,
            )
            body = encode(request)
            return exchange(world.database, world.settings, world.ana.token, body, MONDAY).response

        cursor = contact(None).cursor
        answer = contact(cursor, world.ana.envelope(Arrive(work_order_id=theirs.id)))
        assert [receipt.outcome for receipt in answer.receipts] == ["held"]
        assert (answer.rows, [gone.key for gone in answer.gone]) == ((), [str(theirs.id)])
