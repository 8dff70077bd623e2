"""The promise, in a real browser against the real server: a visit closed with the server stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from browser import kill, launch, open_app
from PIL import Image
from pwa_server import build_alone
from real_server import RealServer, free_port
from sqlalchemy import func, select
from technician import SENT, Album, Dispatcher, Technician
from world import CABLE, CONNECTOR, ONT_A, Job, World, a_world

from server.access.devices import new_code
from server.access.people import add_person
from server.access.roles import Role
from server.billing.models import InvoiceLineRow, InvoiceRow, JournalLineRow
from server.clock import utc_now
from server.customers.models import NoticeRow, ServiceRow
from server.db.feed_models import CommandRow
from server.demo.prepare import morning_zone
from server.scanning import label_jpeg, render_label
from server.stock.models import ReservationRow, StockMoveRow
from server.work_orders.models import AttachmentRow, WorkOrderRow
from shared.work_orders import WorkOrderKind

SERIAL, MAC = "ALCLB1A2C001", "00:19:C7:0B:1A:2C"
EMAIL, PASSWORD = "dispatch@office.test", "a long enough password"
BOARD_SECONDS_MAX = 2.0
# In the order in which the technician does them; the server must have decided each once, in this order.
DEEDS = [
    "start_travel", "arrive", "install_asset", "record_check", "record_check", "use_parts", "add_evidence",
    "add_evidence", "close_work_order",
]  # fmt: skip


@dataclass
class Office:
    """A running server, what is in its database, and the way to stop it."""

    server: RealServer
    world: World
    job: Job

    def code(self) -> str:
        with self.world.database.write() as session:
            return new_code(session, self.world.ana.technician_id, utc_now())

    def count(self, *conditions: object) -> int:
        with self.world.database.read() as session:
            return int(session.scalar(select(func.count()).where(*conditions)) or 0)  # type: ignore[arg-type]


@pytest.fixture
def office(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    """It is morning; Ana has an installation and a repair before her, and an ONT with a label on the van."""
    build_alone()
    port, now = free_port(), utc_now().replace(second=0, microsecond=0)
    with a_world(
        sqlite_url,
        now=now,
        data_folder=tmp_path / "data",
        time_zone=morning_zone(now),
        base_url=f"http://127.0.0.1:{port}",
    ) as world:
        job = world.order(start=now + timedelta(minutes=20))
        world.order(WorkOrderKind.REPAIR, start=now + timedelta(minutes=150))
        with world.database.write() as session:
            world.receive(session, world.ana.van_id, ONT_A, serial=SERIAL, gpon_serial=SERIAL, mac=MAC)
            add_person(session, name="Dana", email=EMAIL, role=Role.DISPATCHER, password=PASSWORD)
        server = RealServer(world.settings, port, tmp_path / "server.log")
        server.start()
        yield Office(server, world, job)
        server.stop()


def a_photo() -> bytes:
    out = BytesIO()
    Image.effect_noise((1200, 900), 60).save(out, "JPEG", quality=70)
    return out.getvalue()


@pytest.mark.browser
class TestAJobClosedWithTheServerStopped:
    def test_survives_the_battery_and_is_booked_once_when_the_server_is_back(
        self, office: Office, tmp_path: Path
    ):
        album = Album(tmp_path / "pictures")
        server, world, job, number = office.server, office.world, office.job, office.job.number
        app_url, profile = f"{server.url}/app/", tmp_path / "phone"
        zone = world.settings.zone
        label = label_jpeg(render_label(serial=SERIAL, gpon=SERIAL, mac=MAC, model="Nokia G-2425"))

        with launch(tmp_path / "office", size=(1366, 768)) as office_browser:
            dispatcher = Dispatcher(office_browser, server.url)
            dispatcher.sign_in(EMAIL, PASSWORD, f"{world.now.astimezone(zone):%Y-%m-%d}")
            assert "planned" in dispatcher.job(job.id)

            with launch(profile) as browser:
                ana = Technician(open_app(browser, app_url), album)
                ana.register(office.code())
                starts = f"{world.now.astimezone(zone) + timedelta(minutes=20):%H:%M}"
                route = ana.route()
                assert [card.split(",")[0] for card in route] == ["WO-0001", "WO-0002"]
                assert route[0].startswith(f"{number}, To do, {starts}, New connection, Customer 1")
                ana.app.wait_until_offline_ready()
                ana.look("today")

                server.stop()
                ana.app.reload()
                ana.app.see("0 of 2 jobs done")
                ana.look("today-offline")
                ana.open_job(number)
                ana.look("job")
                ana.travel_and_arrive()
                ana.fit(label)
                ana.measure({"Optical receive power": "-19.4", "Download speed": "96.4"})
                ana.use_parts({"Drop cable": 18, "Connector SC": 2})
                ana.photograph(a_photo())
                ana.have_signed()
                ana.close()
                ana.app.see("1 of 2 jobs done")
                assert ana.unsent() == len(DEEDS)
                ana.look("closed")
                kill(profile)

            assert not server.answers()
            with launch(profile) as browser:
                ana = Technician(open_app(browser, app_url), album)
                ana.app.see("1 of 2 jobs done")
                assert ana.route()[0].startswith(f"{number}, Closed")
                assert ana.unsent() == len(DEEDS)
                ana.go("Sync")
                ana.app.see(f"Only on this device ({len(DEEDS)})")
                ana.look("sync-before")

                server.start()
                dispatcher.wait_until_live()
                ana.app.tap("Send now")
                ana.app.see(f"Answered by the office ({len(DEEDS)})", seconds=60)
                ana.app.see(SENT, seconds=60)
                assert ana.unsent() == 0
                ana.look("sync-after")

                shown_at = dispatcher.wait_until_done(job.id)
                album.keep(dispatcher.page, "board")

            self.has_been_booked_once(office)
            close = world.row(CommandRow, CommandRow.type == "close_work_order")
            assert shown_at - close.decided_at.timestamp() <= BOARD_SECONDS_MAX

    def has_been_booked_once(self, office: Office) -> None:
        world, job = office.world, office.job
        commands = sorted(world.rows(CommandRow), key=lambda row: row.seq)
        assert [(row.type, row.outcome) for row in commands] == [(deed, "accepted") for deed in DEEDS]
        order = world.row(WorkOrderRow, WorkOrderRow.id == job.id)
        assert order.state == "completed"
        assert order.finished_at == commands[-1].happened_at < commands[-1].decided_at
        service = world.row(ServiceRow, ServiceRow.id == job.service_id)
        assert (service.state, service.active_from) == ("active", order.finished_at)
        fitted = world.asset(SERIAL)
        assert (fitted.state, fitted.holder_id, fitted.claimed_by) == ("installed", job.location_id, None)
        moves = world.rows(StockMoveRow, StockMoveRow.work_order_id == job.id)
        assert sorted((move.sku, move.quantity, move.serial) for move in moves) == [
            (CABLE, 18, None), (CONNECTOR, 2, None), (ONT_A, 1, SERIAL),
        ]  # fmt: skip
        assert all(move.target_id == job.location_id for move in moves)
        assert world.row(ReservationRow, ReservationRow.work_order_id == job.id).released_at is not None
        invoice = world.row(InvoiceRow, InvoiceRow.work_order_id == job.id)
        lines = world.rows(InvoiceLineRow, InvoiceLineRow.invoice_id == invoice.id)
        assert invoice.net_minor == sum(line.net_minor for line in lines)
        assert invoice.net_minor > Decimal(9_900)  # the fee, and parts and days on top
        with world.database.read() as session:
            assert session.scalar(select(func.sum(JournalLineRow.amount_minor))) == 0
        assert office.count(NoticeRow.work_order_id == job.id, NoticeRow.state == "queued") >= 1
        assert office.count(AttachmentRow.digest.is_not(None)) == 2
