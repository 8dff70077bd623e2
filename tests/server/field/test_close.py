"""One close, from the phone's command to every row it causes, with exact figures, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from world import (
    CABLE,
    CONNECTOR,
    CONNEX,
    FIBRECO,
    HOME_500,
    MONDAY,
    ONT_A,
    ONT_B,
    Job,
    World,
    a_world,
    uid,
)

from server.billing.models import InvoiceLineRow, InvoiceRow, JournalLineRow
from server.customers.models import NoticeRow, ServiceRow
from server.db.feed_models import CommandRow, FeedRow
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.purchasing.models import PurchaseOrderLineRow, PurchaseOrderRow
from server.stock.models import ReservationRow, StockMoveRow
from server.work_orders.models import WorkOrderRow
from shared.assets import AssetState
from shared.commands import CannotComplete, RemoveAsset, StartTravel
from shared.work_orders import ServiceState, UnfinishedReason, WorkOrderKind, WorkOrderState
from sync.protocol import Receipt


def close(world: World, job: Job, **visit: object) -> list[Receipt]:
    """Ana's whole visit, one command a minute from MONDAY, synced a day later; all of it is accepted."""
    receipts = world.ana.send(*world.visit(job, **visit))  # type: ignore[arg-type]
    assert [receipt.outcome for receipt in receipts] == ["accepted"] * len(receipts), receipts
    return receipts


def moves_of(world: World, job: Job) -> list[tuple[str, int, object, object, str | None]]:
    return [
        (move.sku, move.quantity, move.source_id, move.target_id, move.serial)
        for move in world.rows(StockMoveRow, StockMoveRow.work_order_id == job.id)
    ]


def lines_of(world: World, job: Job) -> dict[str, tuple[int, int, int, int]]:
    """Charge code → (quantity, unit, net, tax)."""
    return {
        line.charge_code: (line.quantity, line.unit_minor, line.net_minor, line.tax_minor)
        for line in world.rows(InvoiceLineRow, InvoiceLineRow.work_order_id == job.id)
    }


def journal_of(world: World, job: Job) -> dict[str, int]:
    """Account number → balance."""
    balances: dict[str, int] = {}
    for line in world.rows(JournalLineRow, JournalLineRow.work_order_id == job.id):
        number = line.account.split(" ")[0]
        balances[number] = balances.get(number, 0) + line.amount_minor
    return balances


def purchases(world: World) -> dict[str, dict[str, int]]:
    """Vendor → SKU → quantity, over all purchase orders."""
    found: dict[str, dict[str, int]] = {}
    vendors = {uid(name): name for name in (FIBRECO, CONNEX)}
    with world.database.read() as session:
        query = select(PurchaseOrderRow, PurchaseOrderLineRow).join(
            PurchaseOrderLineRow, PurchaseOrderLineRow.purchase_order_id == PurchaseOrderRow.id
        )
        for order, line in session.execute(query):
            found.setdefault(vendors[order.vendor_id], {})[line.sku] = line.quantity
    return found


class TestClosingAnInstallation:
    def test_moves_the_device_from_the_van_to_the_customer(self, world: World):
        job = world.order()
        close(world, job)
        device = world.asset("ANA0001")
        assert (device.state, device.holder_kind, device.holder_id, device.claimed_by) == (
            AssetState.INSTALLED,
            "customer",
            job.location_id,
            None,
        )

    def test_books_devices_and_parts_under_the_closing_command(self, world: World):
        job = world.order()
        receipts = close(world, job)
        assert moves_of(world, job) == [
            (CABLE, 18, world.ana.van_id, job.location_id, None),
            (CONNECTOR, 2, world.ana.van_id, job.location_id, None),
            (ONT_A, 1, world.ana.van_id, job.location_id, "ANA0001"),
        ]
        booked = world.rows(StockMoveRow, StockMoveRow.work_order_id == job.id)
        assert {move.cause for move in booked} == {receipts[-1].command_id}
        assert {move.at for move in booked} == {MONDAY + timedelta(minutes=8)}
        assert (world.balance(world.ana.van_id, CABLE), world.balance(job.location_id, CABLE)) == (182, 18)
        assert world.balance(world.ana.van_id, ONT_A) == 1
        assert set(world.stock_by_sku().values()) == {0}
        assert world.misplaced() == []

    def test_releases_what_was_promised_to_it(self, world: World):
        job = world.order()
        assert world.row(ReservationRow).released_at is None
        close(world, job)
        assert world.row(ReservationRow).released_at is not None

    def test_activates_the_service_with_the_time_on_site(self, world: World):
        job = world.order()
        close(world, job)
        service = world.row(ServiceRow)
        assert (service.state, service.plan_code) == (ServiceState.ACTIVE, "HOME-100")
        assert service.active_from == MONDAY + timedelta(minutes=8)
        assert service.ended_at is None

    def test_corrects_that_time_when_the_phones_clock_is_a_day_behind(self, world: World):
        job = world.order()
        behind = timedelta(hours=25)
        arrived = MONDAY + timedelta(hours=2)
        envelopes = world.ana.envelopes(*world.visit(job), start=MONDAY - behind)
        receipts = world.ana.deliver(envelopes, now=arrived, device_now=arrived - behind)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert [remark.detail for remark in receipts[-1].remarks] == [
            "The phone's clock was 1500 minutes behind; times were corrected"
        ]
        assert world.row(ServiceRow).active_from == MONDAY + timedelta(minutes=8)
        kept = world.row(CommandRow, CommandRow.type == "close_work_order")
        assert kept.made_at == MONDAY - behind + timedelta(minutes=8), "what the phone said is kept too"
        assert kept.happened_at == MONDAY + timedelta(minutes=8)

    def test_drafts_the_invoice_line_by_line_with_its_tax(self, world: World):
        job = world.order()
        close(world, job)
        assert lines_of(world, job) == {
            "fee": (1, 9_900, 9_900, 2_524),
            "first-month": (1, 1_500, 1_500, 382),  # 15 of 30 days of 30.00
            f"part:{CABLE}": (18, 65, 1_170, 298),
            f"part:{CONNECTOR}": (2, 420, 840, 214),
        }
        invoice = world.row(InvoiceRow)
        assert (invoice.state, invoice.net_minor, invoice.tax_minor) == ("draft", 13_410, 3_418)
        assert (invoice.customer_id, invoice.currency) == (job.customer_id, "EUR")
        words = {line.description for line in world.rows(InvoiceLineRow)}
        assert words == {
            "Install visit WO-0001, Home 100",
            "Home 100, first month, 15 of 30 days",
            "Drop cable",
            "Connector SC",
        }

    def test_posts_a_journal_that_balances(self, world: World):
        job = world.order()
        close(world, job)
        assert journal_of(world, job) == {
            "1500": 16_828,
            "4000": -9_900,
            "4010": -2_010,
            "4020": -1_500,
            "2200": -3_418,
            "5000": 960,  # 18 m at 0.30 and 2 connectors at 2.10
            "1400": -960,
        }
        assert world.journal_total() == 0

    def test_bills_by_the_day_where_the_customer_lives(self, database_url: str):
        late = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # 00:30 on 1 December in Helsinki
        with a_world(database_url, now=late) as world:
            job = world.order()
            close(world, job)
            assert lines_of(world, job)["first-month"] == (1, 3_000, 3_000, 765)

    def test_buys_what_fell_to_its_reorder_point_from_the_right_vendor(self, database_url: str):
        with a_world(database_url, crew=["Ana Virtanen"]) as world:
            close(world, world.order(), cable=150, connectors=10)
            assert purchases(world) == {FIBRECO: {CABLE: 500, ONT_A: 5}, CONNEX: {CONNECTOR: 100}}
            assert {row.state for row in world.rows(PurchaseOrderRow)} == {"draft"}

    def test_buys_once_and_extends_the_draft(self, database_url: str):
        with a_world(database_url, crew=["Ana Virtanen"]) as world:
            close(world, world.order(), cable=140, connectors=0)  # 60 m are left, the point is 50
            assert purchases(world) == {FIBRECO: {ONT_A: 5}}
            close(world, world.order(), fit="ANA0002", cable=20, connectors=0)
            assert purchases(world) == {FIBRECO: {ONT_A: 5, CABLE: 500}}
            close(world, world.order(WorkOrderKind.REPAIR), cable=30, connectors=0)
            assert purchases(world) == {FIBRECO: {ONT_A: 5, CABLE: 500}}, "540 m are there or on their way"
            assert len(world.rows(PurchaseOrderRow)) == 1

    def test_stops_the_sla_clock_and_frees_the_minutes_that_were_left(self, world: World):
        job = world.order()
        close(world, job)
        row = world.row(WorkOrderRow)
        assert row.sla_stopped_at == MONDAY + timedelta(minutes=8)
        assert row.freed_minutes == 112
        assert (row.state, row.finished_at) == (WorkOrderState.COMPLETED, MONDAY + timedelta(minutes=8))
        assert row.version == 10, "one for each of nine events"

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("fi", "Työ WO-0001 valmistui klo 09:08. Home 100 on valmis. Kiitos!"),
            ("sv", "Uppdrag WO-0001 blev klart 09:08. Home 100 är redo. Tack!"),
            ("et", "WO-0001 was completed at 09:08. Home 100 is ready. Thank you!"),
        ],
    )
    def test_tells_the_customer_in_their_language(self, world: World, language: str, words: str):
        close(world, world.order(language=language))
        notices = {notice.template: notice for notice in world.rows(NoticeRow)}
        assert set(notices) == {"completed"}
        told = notices["completed"]
        assert (told.body, told.language, told.state) == (words, language, "queued")
        assert (told.channel, told.recipient) == ("sms", "+3585000001")

    @pytest.mark.parametrize(("minutes_ago", "told"), [(5, ["on_the_way"]), (45, [])])
    def test_tells_who_is_on_the_way_only_while_that_is_news(
        self, world: World, minutes_ago: int, told: list[str]
    ):
        job = world.order()
        now = datetime.now(UTC)
        left = world.ana.envelope(StartTravel(work_order_id=job.id), now - timedelta(minutes=minutes_ago))
        assert world.ana.deliver([left], now=now)[0].outcome == "accepted"
        assert [notice.template for notice in world.rows(NoticeRow)] == told

    def test_tells_the_board_and_the_technician_what_changed(self, world: World):
        job = world.order()
        close(world, job)
        ana = f"tech:{world.ana.technician_id}"
        completed = world.rows(FeedRow, FeedRow.topic == "WorkOrderCompleted")
        assert {(row.scope, row.kind, row.key) for row in completed} == {
            ("board", "work_order", str(job.id)),
            (ana, "work_order", str(job.id)),
            (ana, "asset", "ANA0001"),
            (ana, "stock_line", CABLE),
            (ana, "stock_line", CONNECTOR),
            (ana, "stock_line", ONT_A),
            (ana, "stock_line", ONT_B),
            (ana, "place_brief", str(job.location_id)),
        }
        [for_the_board] = [row for row in completed if row.scope == "board"]
        assert for_the_board.facts == {"number": "WO-0001", "state": "completed", "freed_minutes": 112}
        assert for_the_board.actor == "Ana Virtanen"

    def test_keeps_every_command_whole_with_its_receipt(self, world: World):
        job = world.order()
        receipts = close(world, job)
        kept = {row.id: row for row in world.rows(CommandRow)}
        assert set(kept) == {receipt.command_id for receipt in receipts}
        assert {row.outcome for row in kept.values()} == {"accepted"}
        assert {row.work_order_id for row in kept.values()} == {job.id}
        assert sorted(row.seq for row in kept.values()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]

    def test_a_scanned_mac_or_gpon_serial_finds_its_device(self, world: World):
        job = world.order()
        with world.database.write() as session:
            world.receive(
                session, world.ana.van_id, ONT_A, serial="LABEL77", mac="AC:12:2F:00:1B:9E",
                gpon_serial="ALCL00112233",
            )  # fmt: skip
        close(world, job, fit="ALCL00112233")
        assert world.asset("LABEL77").holder_id == job.location_id


class TestTheOtherKindsOfVisit:
    def test_an_upgrade_swaps_the_device_and_bills_the_difference(self, world: World):
        job = world.order(WorkOrderKind.UPGRADE)
        close(world, job)
        assert moves_of(world, job)[2:] == [
            (ONT_B, 1, world.ana.van_id, job.location_id, "ANA0003"),
            (ONT_A, 1, job.location_id, world.ana.van_id, "OLD0001"),
        ]
        assert lines_of(world, job) == {
            "fee": (1, 2_500, 2_500, 638),
            "plan-change": (1, 750, 750, 191),  # 15 of 30 days of the 15.00 between the plans
            f"part:{CABLE}": (18, 65, 1_170, 298),
            f"part:{CONNECTOR}": (2, 420, 840, 214),
        }
        assert world.row(ServiceRow).plan_code == HOME_500
        old = world.asset("OLD0001")
        assert (old.state, old.holder_id) == (AssetState.RECOVERED, world.ana.van_id)
        assert world.journal_total() == 0

    def test_a_repair_costs_the_customer_nothing_and_us_its_parts(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        close(world, job)
        assert lines_of(world, job) == {"fee": (1, 0, 0, 0)}
        assert journal_of(world, job) == {"5000": 960, "1400": -960}
        service = world.row(ServiceRow)
        assert (service.state, service.active_from) == (ServiceState.ACTIVE, MONDAY - timedelta(days=400))
        assert world.asset("OLD0001").holder_id == job.location_id

    def test_a_swap_exchanges_devices_for_nothing(self, world: World):
        job = world.order(WorkOrderKind.SWAP)
        close(world, job, cable=0, connectors=0)
        assert lines_of(world, job) == {"fee": (1, 0, 0, 0)}
        assert journal_of(world, job) == {}
        assert world.asset("ANA0001").holder_id == job.location_id
        assert world.asset("OLD0001").holder_id == world.ana.van_id
        assert world.balance(world.ana.van_id, ONT_A) == 2, "one out, one in"

    def test_a_disconnection_ends_the_service_and_credits_unused_days(self, world: World):
        job = world.order(WorkOrderKind.DISCONNECT)
        close(world, job, cable=0, connectors=0)
        assert lines_of(world, job) == {
            "fee": (1, 1_900, 1_900, 484),
            "unused-days": (1, -1_400, -1_400, -357),  # 14 of 30 days: the day of the visit was served
        }
        assert journal_of(world, job) == {"1500": 627, "4000": -1_900, "4020": 1_400, "2200": -127}
        service = world.row(ServiceRow)
        assert (service.state, service.ended_at) == (ServiceState.TERMINATED, MONDAY + timedelta(minutes=4))
        assert "Palvelusi on päättynyt" in [notice.body for notice in world.rows(NoticeRow)][-1]
        assert world.asset("OLD0001").state == AssetState.RECOVERED

    def test_a_visit_that_could_not_be_done_books_its_parts_and_bills_nothing(self, world: World):
        job = world.order()
        steps = world.visit(job, until_close=False)
        given_up = CannotComplete(work_order_id=job.id, reason=UnfinishedReason.NETWORK_FAULT, text="Dark")
        receipts = world.ana.send(*steps, given_up)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        row = world.row(WorkOrderRow)
        assert (row.state, row.unfinished_reason) == (WorkOrderState.UNFINISHED, "network_fault")
        assert (row.sla_stopped_at, row.freed_minutes) == (None, 112)
        assert moves_of(world, job) == [
            (CABLE, 18, world.ana.van_id, job.location_id, None),
            (CONNECTOR, 2, world.ana.van_id, job.location_id, None),
        ]
        assert world.rows(InvoiceRow) == []
        assert journal_of(world, job) == {"5000": 960, "1400": -960}
        assert world.row(ServiceRow).state == ServiceState.RESERVED
        device = world.asset("ANA0001")
        assert (device.holder_id, device.claimed_by, device.state) == (
            world.ana.van_id,
            None,
            AssetState.IN_STOCK,
        )
        assert world.row(ReservationRow).released_at is not None
        assert [notice.template for notice in world.rows(NoticeRow)] == ["unfinished"]

    def test_a_device_taken_off_again_stays_on_the_van(self, world: World):
        job = world.order()
        travel, arrive, install, *rest = world.visit(job)
        undo = RemoveAsset(work_order_id=job.id, serial="ANA0001", reason="wrong one")
        again = world.visit(job, fit="ANA0002")[2]
        receipts = world.ana.send(travel, arrive, install, undo, again, *rest)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert world.asset("ANA0001").holder_id == world.ana.van_id
        assert world.asset("ANA0001").claimed_by is None
        assert world.asset("ANA0002").holder_id == job.location_id


class TestADeviceFromAColleaguesVan:
    def test_leaves_that_van_and_its_phone_is_told(self, world: World):
        job = world.order()
        steps = world.visit(job, fit=world.ben.ont)
        confirmed = [
            type(step)(**{**_fields(step), "confirmed": True}) if step.type == "install_asset" else step
            for step in steps
        ]
        receipts = world.ana.send(*confirmed)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert receipts[2].remarks[0].detail == "BEN0001 was booked on Van ben"
        assert (world.balance(world.ben.van_id, ONT_A), world.balance(world.ana.van_id, ONT_A)) == (1, 2)
        bens = {
            (row.kind, row.key)
            for row in world.rows(FeedRow)
            if row.scope.endswith(str(world.ben.technician_id))
        }
        assert {("asset", "BEN0001"), ("stock_line", ONT_A)} <= bens
        with world.database.read() as session:
            ben = session.get(TechnicianRow, world.ben.technician_id)
            rows = DeviceSource(session, world.settings, ben, MONDAY).images(
                [("asset", "BEN0001"), ("stock_line", ONT_A)]
            )
        assert rows.gone == [("asset", "BEN0001")], "it is at Ana's customer now"
        assert rows.images[("stock_line", ONT_A)].on_hand == 1


def _fields(command: object) -> dict[str, object]:
    return {name: getattr(command, name) for name in command.__dataclass_fields__}  # type: ignore[attr-defined]


def another_job_there(world: World, job: Job, kind: WorkOrderKind, plan: str = "HOME-100") -> Job:
    """Ben's job at the same address, for the same service."""
    other = world.order(kind, phone=world.ben, on_site=())
    with world.database.write() as session:
        row = session.get_one(WorkOrderRow, other.id)
        row.customer_id, row.location_id, row.service_id = job.customer_id, job.location_id, job.service_id
        row.plan_code = plan
    return replace(
        other,
        customer_id=job.customer_id,
        location_id=job.location_id,
        service_id=job.service_id,
        on_site=job.on_site,
    )


class TestTwoJobsAtOneAddress:
    def test_a_repair_ordered_before_an_upgrade_leaves_the_new_plan_alone(self, world: World):
        upgrade = world.order(WorkOrderKind.UPGRADE)
        repair = another_job_there(world, upgrade, WorkOrderKind.REPAIR)
        close(world, upgrade)
        assert {receipt.outcome for receipt in world.ben.send(*world.visit(repair))} == {"accepted"}
        service = world.row(ServiceRow, ServiceRow.id == upgrade.service_id)
        assert service.plan_code == HOME_500

    def test_a_disconnection_ordered_before_an_upgrade_credits_the_plan_that_ran(self, world: World):
        upgrade = world.order(WorkOrderKind.UPGRADE)
        end = another_job_there(world, upgrade, WorkOrderKind.DISCONNECT)
        close(world, upgrade)
        steps = world.visit(replace(end, on_site=("ANA0003",)), cable=0, connectors=0)
        assert {receipt.outcome for receipt in world.ben.send(*steps)} == {"accepted"}
        assert lines_of(world, end)["unused-days"] == (1, -2_100, -2_100, -536), "14 of 30 days of Home 500"

    def test_a_device_that_both_took_off_leaves_the_address_once(self, world: World):
        swap = world.order(WorkOrderKind.SWAP)
        end = another_job_there(world, swap, WorkOrderKind.DISCONNECT)
        bens = world.visit(end, cable=0, connectors=0)
        world.ben.send(*bens[:-1])
        close(world, swap)
        [receipt] = world.ben.send(bens[-1])
        assert receipt.outcome == "accepted"
        moves = world.rows(StockMoveRow, StockMoveRow.serial == swap.on_site[0])
        assert [move.target_id for move in moves] == [swap.location_id, world.ana.van_id]
        assert world.asset(swap.on_site[0]).holder_id == world.ana.van_id
        assert world.misplaced() == []

    def test_who_comes_next_is_told_what_hangs_there_now(self, world: World):
        swap = world.order(WorkOrderKind.SWAP)
        repair = another_job_there(world, swap, WorkOrderKind.REPAIR)
        close(world, swap)
        bens = {
            (row.kind, row.key)
            for row in world.rows(FeedRow, FeedRow.scope == f"tech:{world.ben.technician_id}")
        }
        assert bens == {
            ("work_order", str(repair.id)),
            ("asset", "ANA0001"),
            ("asset", swap.on_site[0]),
            ("place_brief", str(swap.location_id)),
        }
        assert world.work_order(repair).on_site_serials == ("ANA0001",)
