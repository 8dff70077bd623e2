"""./dev screenshots: make the pictures in docs/screenshots from a demo with a fixed seed.

The real server, the real app and the real board in Chromium; only the day is made up. Names and jobs are the
same in every run; clock times are those of the run.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import launch, open_app  # noqa: E402
from main_job import Phone, do_visit  # noqa: E402
from PIL import Image, ImageDraw, ImageFilter  # noqa: E402
from playwright.sync_api import Page  # noqa: E402
from real_server import RealServer, free_port  # noqa: E402
from sqlalchemy import select  # noqa: E402
from technician import Album, Dispatcher, Technician  # noqa: E402

from server.access.devices import new_code  # noqa: E402
from server.assets.models import AssetRow  # noqa: E402
from server.clock import utc_now  # noqa: E402
from server.customers.links import visit_link  # noqa: E402
from server.customers.models import CustomerRow  # noqa: E402
from server.db.engine import Database  # noqa: E402
from server.demo import prepare  # noqa: E402
from server.demo.seed import PASSWORD  # noqa: E402
from server.dispatch.models import TechnicianRow  # noqa: E402
from server.pwa.build import build_pwa  # noqa: E402
from server.scanning import label_jpeg, render_label  # noqa: E402
from server.stock.models import ProductRow  # noqa: E402
from server.work_orders.models import WorkOrderRow  # noqa: E402
from server.work_orders.repository import load  # noqa: E402
from shared import commands as cmd  # noqa: E402
from shared.work_orders import WorkOrder, WorkOrderKind, WorkOrderState  # noqa: E402

OUT = ROOT / "docs" / "screenshots"
SEED = 1
PHONE, TABLET, BOARD, CUSTOMER = (360, 800), (1024, 768), (1366, 768), (360, 760)
PHONE_SCREENS = (
    "today", "job", "scan-verdict", "checks", "parts", "signature", "close", "stock", "sync",
)  # fmt: skip
BYTES_MAX = 150_000
SOON = timedelta(minutes=45)
PLAN_SECONDS = 6


def say(text: str) -> None:
    print(f"screenshots: {text}", file=sys.stderr, flush=True)


class Frames(Album):
    """Keeps the `wanted` pictures under plain names, in few colours, so that a checkout stays small."""

    def __init__(self, folder: Path, prefix: str, *wanted: str) -> None:
        super().__init__(folder)
        self._folder = folder
        self._prefix = prefix
        self._wanted = set(wanted)

    def keep(self, page: Page, name: str) -> None:
        if name not in self._wanted:
            return
        self._wanted.remove(name)  # the first of its name
        path = self._folder / f"{self._prefix}-{name}.png"
        path.write_bytes(small_png(page.screenshot()))
        say(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def small_png(picture: bytes) -> bytes:
    """The picture as a PNG with a palette, with as many colours as fit into BYTES_MAX."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        drawn = image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        drawn.save(out, "PNG", optimize=True)
        if out.tell() <= BYTES_MAX:
            break
    return out.getvalue()


class Day:
    """A planned demo day, a server on it, and who is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = free_port()
        self.demo = prepare.make(
            folder / "demo", ROOT / "var" / "maps", named_map=None, seed_number=SEED, say=say
        )
        self.settings = self.demo.settings(f"http://127.0.0.1:{port}")
        prepare.plan(self.demo, self.settings, seconds=PLAN_SECONDS, say=say)
        self.database = Database(self.settings.database_url)
        self.server = RealServer(self.settings, port, folder / "server.log")

    def code(self, technician_id: UUID) -> str:
        with self.database.write() as session:
            return new_code(session, technician_id, utc_now())

    def technicians(self) -> list[UUID]:
        """Those with jobs; first who begins with an installation, then who begins early."""
        query = select(WorkOrderRow.technician_id).where(WorkOrderRow.technician_id.is_not(None)).distinct()
        with self.database.read() as session:
            found = [technician_id for technician_id in session.scalars(query) if technician_id]
        begins = {technician_id: self.route(technician_id)[0] for technician_id in found}
        return sorted(
            found,
            key=lambda one: (
                begins[one].kind is not WorkOrderKind.INSTALL,
                begins[one].planned_start or utc_now(),
                begins[one].number,
            ),
        )

    def route(self, technician_id: UUID) -> list[WorkOrder]:
        query = select(WorkOrderRow.id).where(WorkOrderRow.technician_id == technician_id)
        with self.database.read() as session:
            orders = load(session, session.scalars(query).all())
        return sorted(orders, key=lambda order: order.planned_start or utc_now())

    def label(self, technician_id: UUID, order: WorkOrder, role: int) -> bytes:
        """The label of a device on the technician's van that `order` asks for."""
        with self.database.read() as session:
            van = session.get_one(TechnicianRow, technician_id).van_id
            skus = order.required_equipment[role].skus
            query = select(AssetRow).where(AssetRow.holder_id == van, AssetRow.sku.in_(skus))
            asset = session.scalars(query.order_by(AssetRow.serial)).first()
            assert asset, f"{order.number} needs one of {skus}, and the van has none"
            model = session.get_one(ProductRow, asset.sku).model
            return label_jpeg(
                render_label(serial=asset.serial, gpon=asset.gpon_serial, mac=asset.mac, model=model or "")
            )

    def names(self, skus: Sequence[str]) -> dict[str, str]:
        with self.database.read() as session:
            return {sku: session.get_one(ProductRow, sku).name for sku in skus}

    def colleagues_work(self, technician_ids: Sequence[UUID]) -> None:
        """Whose first job is soon sets out; then some arrive and some close: by the real client, as always.

        Who goes to a customer with an English page stays on the way, for that page's picture.
        """
        for place, technician_id in enumerate(technician_ids):
            first = self.route(technician_id)[0]
            assert first.planned_start
            if first.planned_start > utc_now() + SOON or first.number in self.demo.absent:
                continue
            phone = Phone(f"phone-{place}", self.folder, self.server.url)
            phone.register(self.code(technician_id))
            phone.sync()
            if first.contact.language == "en":
                phone.gateway.send(cmd.StartTravel(work_order_id=first.id))
            elif place % 3:
                do_visit(phone, first)
            else:
                phone.gateway.send(cmd.StartTravel(work_order_id=first.id))
                phone.gateway.send(cmd.Arrive(work_order_id=first.id))
            phone.sync()
            phone.close()


def a_photo() -> bytes:
    """What a technician would photograph: a small white box with green lights on a wall."""
    wall = Image.effect_noise((1200, 900), 18).convert("RGB")
    wall = Image.blend(wall, Image.new("RGB", wall.size, (206, 196, 178)), 0.8)
    draw = ImageDraw.Draw(wall)
    draw.rounded_rectangle((380, 250, 820, 560), 30, fill=(244, 244, 241), outline=(180, 180, 176), width=4)
    for number in range(5):
        colour = (70, 190, 90) if number < 4 else (210, 210, 205)
        draw.ellipse((440 + 50 * number, 480, 462 + 50 * number, 502), fill=colour)
    draw.line([(600, 560), (600, 700), (660, 900)], fill=(250, 250, 248), width=14)
    draw.text((440, 300), "ONT", fill=(120, 120, 120), font_size=52)
    out = io.BytesIO()
    wall.filter(ImageFilter.GaussianBlur(1.2)).save(out, "JPEG", quality=85)
    return out.getvalue()


def phone_and_tablet(day: Day, out: Path) -> None:
    """One installation from the first look to the close, with the server stopped from the arrival on."""
    me = day.technicians()[0]
    order = next(item for item in day.route(me) if item.kind is WorkOrderKind.INSTALL)
    with launch(day.folder / "phone", size=PHONE, scale=2) as browser:
        app = open_app(browser, f"{day.server.url}/app/")
        technician = Technician(app)
        technician.register(day.code(me), "Pixel 9")
        on_tablet = Frames(out, "tablet", "today")
        on_phone = Frames(out, "phone", *PHONE_SCREENS)
        app.page.set_viewport_size({"width": TABLET[0], "height": TABLET[1]})
        app.see("Before you close")
        technician.album = on_tablet
        technician.look("today")
        technician.album = on_phone
        app.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        technician.look("today")
        app.wait_until_offline_ready()
        day.server.stop()
        technician.open_job(order.number)
        technician.look("job")
        technician.travel_and_arrive()
        needs = order.required_equipment
        labels = [day.label(me, order, role) for role in range(len(needs))]
        technician.fit(*labels, first=needs[0].role)
        assert order.checklist, "an order of today has one"
        # What else is asked depends on answers that nobody gives here.
        technician.answer_checklist([one for one in order.checklist.items if one.only_if is None], a_photo())
        parts = day.names([line.sku for line in order.required_parts])
        technician.use_parts({parts[line.sku]: line.quantity for line in order.required_parts})
        technician.photograph(a_photo())
        technician.have_signed()
        technician.close()
        technician.go("Van stock")
        app.see("on the van")
        technician.look("stock")
        technician.go("Sync")
        app.see("Only on this device")
        technician.look("sync")
        day.server.start()
        app.tap("Send now")
        app.see("All sent", seconds=60)
        technician.album = Frames(out, "phone", "sunlight", "arabic")
        for name, looks in (
            ("sunlight", ["Appearance: Sunlight"]),
            ("arabic", ["Appearance: As on this device", "Language: العربية"]),
        ):
            go_to(app.page, "/settings")
            for look in looks:
                app.tap(look)
            go_to(app.page, "/")
            technician.look(name)


def go_to(page: Page, route: str) -> None:
    """By the address, whatever the language."""
    page.evaluate(f"location.hash = '#{route}'")
    page.wait_for_timeout(1000)


def board(day: Day, out: Path) -> None:
    with launch(day.folder / "office", size=BOARD) as browser:
        dispatcher = Dispatcher(browser, day.server.url)
        dispatcher.sign_in(day.demo.dispatcher_email, PASSWORD, day.demo.day)
        page = dispatcher.page
        page.locator("#map[data-idle=yes]").wait_for(timeout=60_000)
        frames = Frames(out, "board", "light", "dark", "job")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.reload()
            page.locator("#map[data-idle=yes]").wait_for(timeout=60_000)
            dispatcher.wait_until_live()
            page.wait_for_timeout(1500)  # the map fades its labels in
            frames.keep(page, scheme)
        page.emulate_media(color_scheme="light")
        page.reload()
        page.locator("#unassigned li").first.wait_for()
        page.locator("#timeline .job.s-on_site").first.press("Enter")  # narrow boxes overlap for a pointer
        page.locator("#detail:not([hidden])").wait_for()
        page.wait_for_timeout(1500)
        frames.keep(page, "job")


def customer_page(day: Day, out: Path) -> None:
    """In English, if possible of somebody whose technician is on the way."""
    with day.database.read() as session:
        query = (
            select(WorkOrderRow.id)
            .join(CustomerRow, CustomerRow.id == WorkOrderRow.customer_id)
            .where(CustomerRow.language == "en", WorkOrderRow.technician_id.is_not(None))
            .order_by((WorkOrderRow.state == WorkOrderState.TRAVELLING).desc(), WorkOrderRow.planned_start)
        )
        order_id = session.scalars(query).first()
    assert order_id, "nobody reads English"
    with launch(day.folder / "customer", size=CUSTOMER, scale=2) as browser:
        page = browser.pages[0]
        page.goto(day.server.url + visit_link(day.settings, order_id))
        page.locator("h1").wait_for()
        Frames(out, "customer", "visit").keep(page, "visit")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="another folder")
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="truckroll-pictures-") as folder:
        say("making a town's day")
        day = Day(Path(folder))
        say("building the technician app")
        build_pwa()
        day.server.start()
        try:
            day.colleagues_work(day.technicians()[1:])
            phone_and_tablet(day, out)
            board(day, out)
            customer_page(day, out)
        finally:
            day.server.stop()
            day.database.close()
    say(f"done, in {out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
