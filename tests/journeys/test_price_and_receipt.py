"""The customer on site, in a real browser against the real server: price, signature, close, receipt, page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from browser import launch, open_app
from PIL import Image
from pwa_server import build_alone
from real_server import RealServer, free_port
from technician import SENT, SIGNATURE, Album, Technician
from world import Job, World, a_world

from server.access.devices import new_code
from server.billing.models import InvoiceRow
from server.clock import utc_now
from server.customers.links import visit_link
from server.demo.prepare import morning_zone
from server.inbox.models import FollowUpRow
from server.work_orders.models import AttachmentRow
from shared.money import Money
from shared.work_orders import WorkOrderKind, WorkOrderState

SERIAL = "ANA0001"


@dataclass
class Office:
    server: RealServer
    world: World
    job: Job

    def code(self) -> str:
        with self.world.database.write() as session:
            return new_code(session, self.world.ana.technician_id, utc_now())


@pytest.fixture
def office(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    """It is morning; Ana has an installation before her, at a customer who speaks German."""
    build_alone()
    port, now = free_port(), utc_now().replace(second=0, microsecond=0)
    with a_world(
        sqlite_url,
        now=now,
        data_folder=tmp_path / "data",
        time_zone=morning_zone(now),
        base_url=f"http://127.0.0.1:{port}",
    ) as world:
        job = world.order(start=now + timedelta(minutes=20), language="de")
        world.order(WorkOrderKind.REPAIR, start=now + timedelta(minutes=150))
        server = RealServer(world.settings, port, tmp_path / "server.log")
        server.start()
        yield Office(server, world, job)
        server.stop()


def a_photo() -> bytes:
    out = BytesIO()
    Image.effect_noise((800, 600), 60).save(out, "JPEG", quality=60)
    return out.getvalue()


def spaced(texts: list[str]) -> list[str]:
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts]


@pytest.mark.browser
class TestACustomer:
    def test_is_shown_the_price_agrees_offline_and_keeps_the_receipt(self, office: Office, tmp_path: Path):
        world, job, album = office.world, office.job, Album(tmp_path / "pictures")
        with launch(tmp_path / "phone", size=(360, 800)) as browser:
            ana = Technician(open_app(browser, f"{office.server.url}/app/"), album)
            app = ana.app
            ana.register(office.code())
            app.wait_until_offline_ready()
            browser.set_offline(True)
            ana.open_job(job.number)
            ana.travel_and_arrive()

            app.tap("Show the customer the price")
            app.see("Was dieser Termin kostet")
            [total] = [text for text in spaced(app.texts()) if text.startswith("Zu zahlen ")]
            ana.look("price")
            app.page.mouse.move(180, 300)
            app.page.mouse.wheel(0, 3_000)
            app.settle()
            app.draw("Hier unterschreiben, wenn Sie möchten", SIGNATURE)
            ana.look("price-signed")
            agreed = total.removeprefix("Zu zahlen ")
            app.tap(re.compile("^Einverstanden: "))
            app.see(re.compile(r"The customer agreed\. Saved on this device"))
            app.see(re.compile("^Customer 1 agreed to €"))
            ana.look("agreed")

            ana.fit_typed(SERIAL)
            ana.measure({"Optical receive power": "-19.4", "Download speed": "96.4"})
            ana.use_parts({"Drop cable": 20})
            ana.photograph(a_photo())
            ana.have_signed()
            app.tap("Check and close")
            app.see("What happens next")
            assert not any("more than agreed" in text for text in app.texts())
            app.tap("Close job")
            app.see("Truckroll Fibre · Beleg")
            app.see("Mit Ihrem Telefon scannen, um diesen Beleg zu behalten")
            shown = spaced(app.texts())
            assert f"Summe: {agreed}" in shown
            assert any(text.startswith("Customer 1 war um ") and agreed in text for text in shown)
            app.see("Mit Ihrem Telefon scannen, um diesen Beleg zu behalten")
            ana.look("receipt")
            app.tap("Back to today")
            app.see("1 of 2 jobs done")

            browser.set_offline(False)
            app.see(SENT, seconds=90)

            order = world.work_order(job)
            assert order.state is WorkOrderState.COMPLETED and order.bill is not None
            cents = int(re.sub(r"\D", "", agreed))
            assert (order.bill.total, order.bill.left_out) == (Money(cents), None)
            [consent] = order.consents
            assert (consent.name, consent.language, consent.bill.total) == ("Customer 1", "de", Money(cents))
            assert consent.signature is not None
            kept = {row.digest for row in world.rows(AttachmentRow)}
            assert consent.signature.digest in kept and len(kept) == 3
            invoice = world.row(InvoiceRow)
            assert invoice.net_minor + invoice.tax_minor == cents
            assert world.rows(FollowUpRow) == []

            page = browser.new_page()
            page.goto(world.settings.base_url + visit_link(world.settings, job.id))
            assert page.locator("h1").inner_text() == "Alles erledigt"
            assert page.locator(".receipt .total td").inner_text().replace("\xa0", " ") == agreed
            assert "vor Ort vereinbart" in page.locator(".receipt").inner_text()
            album.keep(page, "page")
