"""A faulty device that a visit brings opens one RMA line; the stock keeper sends it and notes the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from world import CONNEX, FIBRECO, MONDAY, ONT_A, ROUTER, Job, World, uid

from server import office
from server.access.models import PersonRow
from server.access.passwords import hashed
from server.access.roles import Role
from server.app import build_app
from server.clock import mint
from server.db import migrate
from server.db.engine import Database
from server.db.feed_models import FeedRow
from server.inbox import acts
from server.inbox.models import FollowUpRow
from server.purchasing import returns
from server.purchasing.models import RmaLineRow
from server.purchasing.returns import RmaState
from server.replay import compare, replay
from server.stock.models import StockMoveRow
from shared.assets import AssetState, HolderKind
from shared.commands import (
    CancelWorkOrder,
    CannotComplete,
    FieldCommand,
    InstallAsset,
    PutBackAsset,
    RemoveAsset,
    ReopenWorkOrder,
    SwapAsset,
    UndoSwap,
)
from shared.problems import AlreadyClosed, BadValue, Conflict, NotFound
from shared.work_orders import RemovalCause, UnfinishedReason, WorkOrderKind

STEN = "Sten of the store"
FAULT = RemovalCause.NO_POWER


@pytest.fixture
def job(world: World) -> Job:
    return world.order(WorkOrderKind.SWAP)


def swap(job: Job, cause: RemovalCause | None = FAULT, serial: str = "ANA0001") -> SwapAsset:
    return SwapAsset(
        work_order_id=job.id, old_serial=job.on_site[0], serial=serial, source="camera", cause=cause,
        reason="no lamp at all",
    )  # fmt: skip


def take_off(job: Job, serial: str | None = None, cause: RemovalCause | None = FAULT) -> RemoveAsset:
    return RemoveAsset(work_order_id=job.id, serial=serial or job.on_site[0], reason="", cause=cause)


def visit(world: World, job: Job, *instead: FieldCommand) -> list[FieldCommand]:
    """A whole visit with `instead` where a device comes off and another goes up."""
    travel, arrive, *rest = world.visit(job)
    others = [step for step in rest if not isinstance(step, RemoveAsset | InstallAsset)]
    return [travel, arrive, *instead, *others]


def send(world: World, *commands: FieldCommand) -> None:
    assert {receipt.outcome for receipt in world.ana.send(*commands)} == {"accepted"}


def give_up(job: Job) -> CannotComplete:
    return CannotComplete(work_order_id=job.id, reason=UnfinishedReason.NETWORK_FAULT)


def line(world: World) -> RmaLineRow:
    found: RmaLineRow = world.row(RmaLineRow)
    return found


def act(world: World, does: Callable[..., None], *said: object) -> None:
    line_id = line(world).id
    with world.database.write() as session:
        does(session, line_id, *said, by=STEN, at=world.now + timedelta(days=2))


class TestALine:
    def test_is_opened_by_the_close_that_brings_a_faulty_device(self, world: World, job: Job):
        envelopes = world.ana.envelopes(*visit(world, job, swap(job)))
        world.ana.deliver(envelopes[:-1])
        assert world.rows(RmaLineRow) == [], "nothing is booked before the close"
        world.ana.deliver(envelopes)
        world.ana.deliver(envelopes)
        opened = line(world)
        assert (opened.serial, opened.sku, opened.vendor_id) == (job.on_site[0], ONT_A, uid(FIBRECO))
        assert (opened.cause, opened.note, opened.state) == ("no_power", "no lamp at all", "open")
        assert (opened.work_order_id, opened.command_id) == (job.id, envelopes[-1].id)
        assert opened.opened_at == MONDAY + timedelta(days=1)

    def test_is_for_the_vendor_of_its_product(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        with world.database.write() as session:
            world.receive(
                session, job.location_id, ROUTER, serial="AVM0001", state=AssetState.INSTALLED,
                holder=HolderKind.CUSTOMER,
            )  # fmt: skip
        send(world, *visit(world, job, take_off(job, "AVM0001", RemovalCause.WIFI_FAULT)))
        assert (line(world).vendor_id, line(world).cause) == (uid(CONNEX), "wifi_fault")

    @pytest.mark.parametrize("cause", [None, *(cause for cause in RemovalCause if not cause.is_fault)])
    def test_is_none_for_a_device_that_works(self, world: World, job: Job, cause: RemovalCause | None):
        send(world, *visit(world, job, swap(job, cause)))
        assert world.rows(RmaLineRow) == []
        assert world.asset(job.on_site[0]).state == AssetState.RECOVERED

    def test_is_none_for_what_was_undone_before_the_close(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        old = job.on_site[0]
        undone = UndoSwap(work_order_id=job.id, old_serial=old, serial="ANA0001")
        back = PutBackAsset(work_order_id=job.id, serial=old)
        send(world, *visit(world, job, swap(job), undone, take_off(job), back))
        assert world.rows(RmaLineRow) == []
        assert world.asset(old).holder_id == job.location_id

    def test_is_opened_too_where_the_visit_could_not_be_completed_and_only_once(self, world: World):
        job = world.order(WorkOrderKind.SWAP)
        send(world, *visit(world, job, swap(job))[:3], give_up(job))
        assert line(world).serial == job.on_site[0]
        back = ReopenWorkOrder(work_order_id=job.id, technician_id=world.ana.technician_id)
        office.run(world.database, world.settings, back, "Dora")
        install = InstallAsset(work_order_id=job.id, serial="ANA0001", source="typed")
        send(world, *visit(world, job, install))
        assert line(world).serial == job.on_site[0]

    def test_is_opened_too_where_the_office_cancels_a_visit_that_had_begun(self, world: World, job: Job):
        send(world, *visit(world, job, swap(job))[:3])
        cancel = CancelWorkOrder(work_order_id=job.id, reason="moved away")
        office.run(world.database, world.settings, cancel, "Dora")
        assert (line(world).serial, line(world).state) == (job.on_site[0], "open")

    def test_keeps_the_words_without_what_no_database_would(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        odd = RemoveAsset(work_order_id=job.id, serial=job.on_site[0], reason="a\x00b", cause=FAULT)
        send(world, *visit(world, job, odd))
        assert line(world).note == "ab"


class TestADeviceThatIsDeadOnArrival:
    """Fitted on the visit, and taken off again for a fault: it never was the customer's."""

    def test_opens_a_line_and_is_no_stock_to_be_fitted(self, world: World):
        job = world.order()
        first, dead = world.visit(job)[2], take_off(job, "ANA0001", RemovalCause.DEAD_ON_ARRIVAL)
        second = InstallAsset(work_order_id=job.id, serial="ANA0002", source="camera")
        send(world, *visit(world, job, first, dead, second)[:4])
        assert world.asset("ANA0001").state == AssetState.IN_STOCK
        assert [item.serial for item in world.work_order(job).failed] == ["ANA0001"]
        send(world, *visit(world, job, second)[2:])
        device = world.asset("ANA0001")
        assert (device.state, device.holder_id) == (AssetState.RECOVERED, world.ana.van_id)
        assert (line(world).serial, line(world).cause) == ("ANA0001", "dead_on_arrival")
        assert world.misplaced() == []

    def test_by_a_swap_is_the_same(self, world: World, job: Job):
        again = SwapAsset(
            work_order_id=job.id, old_serial="ANA0001", serial="ANA0002", source="camera",
            cause=RemovalCause.DEAD_ON_ARRIVAL,
        )  # fmt: skip
        send(world, *visit(world, job, swap(job), again))
        found = {row.serial: row.cause for row in world.rows(RmaLineRow)}
        assert found == {job.on_site[0]: "no_power", "ANA0001": "dead_on_arrival"}

    def test_that_works_after_all_opens_none(self, world: World):
        job = world.order()
        fit, dead = world.visit(job)[2], take_off(job, "ANA0001", RemovalCause.DEAD_ON_ARRIVAL)
        send(world, *visit(world, job, fit, dead, fit))
        assert world.rows(RmaLineRow) == []
        assert world.work_order(job).failed == ()
        assert world.asset("ANA0001").state == AssetState.INSTALLED

    def test_taken_back_by_mistake_opens_none(self, world: World):
        job = world.order()
        fit, undo = world.visit(job)[2], take_off(job, "ANA0001", None)
        send(world, *visit(world, job, fit, undo, fit))
        assert world.rows(RmaLineRow) == []

    def test_opens_one_line_though_the_job_is_tried_twice(self, world: World):
        job = world.order()
        fit, dead = world.visit(job)[2], take_off(job, "ANA0001", RemovalCause.DEAD_ON_ARRIVAL)
        send(world, *visit(world, job, fit, dead)[:4], give_up(job))
        assert line(world).serial == "ANA0001"
        back = ReopenWorkOrder(work_order_id=job.id, technician_id=world.ana.technician_id)
        office.run(world.database, world.settings, back, "Dora")
        again = InstallAsset(work_order_id=job.id, serial="ANA0002", source="camera")
        send(world, *visit(world, job, again))
        assert line(world).serial == "ANA0001"


class TestALateReport:
    def test_opens_its_line_when_its_moves_are_booked_and_withdraws_it_with_them(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        send(world, *world.visit(job))
        send(world, swap(job))
        assert (line(world).serial, line(world).state) == (job.on_site[0], "open")
        undo = UndoSwap(work_order_id=job.id, old_serial=job.on_site[0], serial="ANA0001")
        send(world, undo)
        ended = line(world)
        assert (ended.state, ended.settled_by) == ("withdrawn", "Ana Virtanen")
        assert ended.settled_at == MONDAY + timedelta(days=1)
        send(world, swap(job))
        assert sorted(row.state for row in world.rows(RmaLineRow)) == ["open", "withdrawn"]

    def test_that_is_undone_in_the_same_batch_leaves_none_open(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        send(world, *world.visit(job))
        back = PutBackAsset(work_order_id=job.id, serial=job.on_site[0])
        send(world, take_off(job), back)
        assert line(world).state == "withdrawn"
        send(world, take_off(job), back, take_off(job))
        assert sorted(row.state for row in world.rows(RmaLineRow)) == ["open", "withdrawn", "withdrawn"]

    def test_that_was_held_opens_it_once_a_dispatcher_keeps_it(self, world: World, job: Job):
        cancel = CancelWorkOrder(work_order_id=job.id, reason="moved away")
        office.run(world.database, world.settings, cancel, "Dora")
        [receipt] = world.ana.send(take_off(job))
        assert receipt.outcome == "held"
        assert world.rows(RmaLineRow) == []
        acts.accept(world.database, world.settings, receipt.command_id, "Dora", way="report")
        assert (line(world).serial, line(world).state) == (job.on_site[0], "open")


class TestTheStockKeeper:
    @pytest.fixture
    def brought(self, world: World, job: Job) -> str:
        """The serial of a faulty device on Ana's van."""
        send(world, *visit(world, job, swap(job)))
        return job.on_site[0]

    def test_sends_it_and_it_leaves_our_stock(self, world: World, brought: str):
        assert world.balance(world.ana.van_id, ONT_A) == 2
        act(world, returns.send, " RMA 7 ")
        sent = line(world)
        assert (sent.state, sent.reference, sent.sent_by) == ("sent", "RMA 7", STEN)
        vendor = uid(f"place of {FIBRECO}")
        device = world.asset(brought)
        assert (device.holder_kind, device.holder_id) == (HolderKind.VENDOR, vendor)
        assert world.balance(world.ana.van_id, ONT_A) == 1
        [move] = world.rows(StockMoveRow, StockMoveRow.cause == sent.id)
        assert (move.source_id, move.target_id, move.serial) == (world.ana.van_id, vendor, brought)
        assert set(world.stock_by_sku().values()) == {0}
        assert world.misplaced() == []
        told = {
            (row.scope.split(":")[0], row.kind, row.topic, row.actor)
            for row in world.rows(FeedRow)
            if row.topic == "ReturnSent"
        }
        assert {(kind, actor) for _, kind, _, actor in told} == {
            ("rma_line", STEN),
            ("asset", STEN),
            ("stock_line", STEN),
        }

    def test_notes_what_the_vendor_answered(self, world: World, brought: str):
        act(world, returns.send, "")
        act(world, returns.settle, RmaState.REPLACED, "new one on Friday")
        ended = line(world)
        assert (ended.state, ended.settlement, ended.settled_by) == ("replaced", "new one on Friday", STEN)
        assert ended.settled_at == world.now + timedelta(days=2)

    def test_withdraws_it_where_a_test_finds_no_fault(self, world: World, brought: str):
        act(world, returns.withdraw, "works")
        assert (line(world).state, line(world).settlement) == ("withdrawn", "works")
        assert world.asset(brought).holder_id == world.ana.van_id

    def test_can_do_nothing_twice_or_out_of_turn(self, world: World, brought: str):
        before = world.contents()
        with pytest.raises(AlreadyClosed, match="is open already"):
            act(world, returns.settle, RmaState.CREDITED, "")
        assert world.contents() == before
        act(world, returns.send, "")
        before = world.contents()
        for does, said in ((returns.send, ("",)), (returns.withdraw, ("",))):
            with pytest.raises(AlreadyClosed, match=f"The return of {brought} is sent already"):
                act(world, does, *said)
        with pytest.raises(BadValue):
            act(world, returns.settle, RmaState.OPEN, "")
        with pytest.raises(BadValue, match="The note holds 200 letters"):
            act(world, returns.settle, RmaState.CREDITED, "x" * 201)
        with world.database.write() as session, pytest.raises(NotFound):
            returns.send(session, mint(), "", by=STEN, at=world.now)
        assert world.contents() == before

    def test_of_two_one_sends_it(self, world: World, brought: str):
        line_id = line(world).id

        def sent(by: str) -> str:
            try:
                with world.database.write() as session:
                    returns.send(session, line_id, by, by=by, at=world.now)
            except AlreadyClosed:
                return "too late"
            return by

        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(sent, ["Sam", "Sib", "Sten", "Sue"]))
        winner = line(world).sent_by
        assert answers == sorted([winner, "too late", "too late", "too late"])
        assert len(world.rows(StockMoveRow, StockMoveRow.cause == line_id)) == 1

    def test_does_not_send_what_hangs_at_a_customer_again(self, world: World, brought: str):
        other = world.order()
        send(world, *world.visit(other, fit=brought))
        before = world.contents()
        with pytest.raises(Conflict, match=f"{brought} is in use again .*withdraw the return"):
            act(world, returns.send, "")
        assert world.contents() == before
        act(world, returns.withdraw, "")
        assert line(world).state == "withdrawn"

    def test_sees_them_by_state(self, world: World, brought: str, job: Job):
        with world.database.read() as session:
            [shown] = returns.lines(session, [RmaState.OPEN])
            assert returns.lines(session, [RmaState.SENT]) == []
            assert returns.counts(session) == {RmaState.OPEN: 1}
        assert (shown.serial, shown.model, shown.vendor) == (brought, "Nokia G-2425", FIBRECO)
        assert (shown.cause, shown.number, shown.where) == (FAULT, job.number, "Van ana")


class TestTheLog:
    def test_alone_rebuilds_every_line(self, world: World, tmp_path: Path):
        job, late = world.order(WorkOrderKind.SWAP), world.order(WorkOrderKind.REPAIR)
        send(world, *visit(world, job, swap(job)))
        act(world, returns.send, "RMA 7")
        act(world, returns.settle, RmaState.CREDITED, "")
        send(world, *world.visit(late))
        send(world, swap(late, serial="ANA0002"))
        send(world, UndoSwap(work_order_id=late.id, old_serial=late.on_site[0], serial="ANA0002"))
        url = f"sqlite:///{tmp_path / 'fresh.db'}"
        migrate.upgrade(url)
        fresh = Database(url)
        try:
            replay(world.database, fresh, world.settings)
            reports = {report.name: report for report in compare(world.database, fresh)}
        finally:
            fresh.close()
        assert reports["rma_line"].rows == 2
        assert [name for name, report in reports.items() if not report.equal] == []
        assert world.rows(FollowUpRow) != []


class TestThePages:
    @pytest.fixture
    def client(self, world: World, tmp_path: Path) -> Iterator[TestClient]:
        """Somebody of the store is signed in, and a faulty device has come."""
        job = world.order(WorkOrderKind.SWAP)
        send(world, *visit(world, job, swap(job)))
        with world.database.write() as session:
            session.add(
                PersonRow(
                    id=mint(), name=STEN, email="sten@office.test", role=Role.STOCK,
                    password_hash=hashed("correct horse battery"),
                )
            )  # fmt: skip
        app = build_app(world.settings, pwa_folder=tmp_path / "none")
        with TestClient(app, follow_redirects=False) as made:
            signed = {"email": "sten@office.test", "password": "correct horse battery"}
            answer = made.post("/api/session", json=signed)
            made.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            yield made

    def test_for_programs(self, world: World, client: TestClient):
        found = client.get("/api/returns").json()
        assert found["counts"] == {"open": 1}
        [shown] = found["lines"]
        assert (shown["cause"], shown["vendor"], shown["state"]) == ("no_power", FIBRECO, "open")
        path = f"/api/returns/{shown['id']}"
        assert client.post(f"{path}/send", json={"reference": "RMA 7"}).status_code == 204
        assert client.post(f"{path}/send", json={}).json()["type"].endswith("/already-closed")
        refused = client.post(f"{path}/settle", json={"outcome": "withdrawn"})
        assert (refused.status_code, refused.json()["field"]) == (422, "outcome")
        assert client.post(f"{path}/settle", json={"outcome": "rejected", "note": "no"}).status_code == 204
        [ended] = client.get("/api/returns", params={"state": "rejected"}).json()["lines"]
        assert (ended["reference"], ended["settlement"], ended["settled_by"]) == ("RMA 7", "no", STEN)

    def test_for_people(self, world: World, client: TestClient):
        text = client.get("/returns").text
        assert f"Send {line(world).serial} to {FIBRECO}" in text
        assert "no power" in text and "no lamp at all" in text and "Van ana" in text
        path = f"/returns/{line(world).id}"
        assert client.post(f"{path}/send", data={"reference": "RMA 7"}).headers["location"] == "/returns"
        assert "RMA 7" in client.get("/returns").text
        client.post(f"{path}/settle", data={"outcome": "credited", "note": "x" * 201})
        assert line(world).state == "sent"
        assert client.post(f"{path}/settle", data={"outcome": "credited"}).status_code == 303
        assert client.post(f"{path}/settle", data={"outcome": "credited"}).status_code == 303
        assert line(world).state == "credited"
        assert "Nothing is with a vendor." in client.get("/returns").text
