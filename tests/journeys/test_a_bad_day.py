"""What goes wrong on a day, in a real browser against the real server: bad answers, a new version, a full
phone, a wrong clock. One office and one phone; each journey works a job of its own.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import databases
import pytest
from browser import START_SECONDS, kill, launch, open_app
from PIL import Image
from playwright.sync_api import BrowserContext
from pwa_server import build_alone
from real_server import RealServer, free_port
from rough_line import RoughLine, Trouble
from sqlalchemy import update
from technician import SENT, Album, Technician, jpeg
from world import ONT_A, Job, World, a_world

from server.access.devices import new_code
from server.access.models import DeviceRow
from server.billing.models import InvoiceRow
from server.clock import utc_now
from server.db.feed_models import CommandRow
from server.demo.prepare import morning_zone
from server.pwa import payload
from server.stock.models import StockMoveRow
from server.work_orders.models import EvidenceRow, WorkOrderRow
from shared.work_orders import WorkOrderKind

MAIN = payload.LAUNCH.read_text()
TRIES = 4  # of a version that does not open
CLOCK_ERROR = timedelta(minutes=2)  # docs/protocol.md, Clocks
VERSIONS = "caches.keys().then(all => all.filter(name => name.startsWith('app-')))"
# Else Chromium tells every page of ten free gigabytes, however few it would let it have.
TRUE_ROOM = ("--disable-features=StaticStorageQuota",)
SERVE = Path(__file__).resolve().parents[1] / "serve_office.py"
SERIALS = ("ANA0001", "ANA0002", "ANA0004")
MEASURED = {"Optical receive power": "-19.5", "Download speed": "96.4"}


@dataclass
class Office:
    """A running server whose app can be published anew, the line to it, and one technician's phone."""

    server: RealServer
    line: RoughLine
    world: World
    app: Path
    profile: Path
    album: Album
    jobs: dict[str, Job]
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _hand: Technician | None = None

    def code(self) -> str:
        with self.world.database.write() as session:
            return new_code(session, self.world.ana.technician_id, utc_now())

    def phone(self) -> Technician:
        """Ana's phone at her list of jobs: registered once, and ready for a day without network."""
        if self._hand is None:
            known = self.profile.exists()
            self._hand = self.start_phone()
            if not known:
                self._hand.register(self.code())
                self._hand.app.wait_until_offline_ready()
        show(self._hand, "/")
        self._hand.app.see("jobs done")
        return self._hand

    def start_phone(self) -> Technician:
        self._open = contextlib.ExitStack()
        self.browser: BrowserContext = self._open.enter_context(
            launch(self.profile, size=(360, 800), flags=TRUE_ROOM)
        )
        self._hand = Technician(open_app(self.browser, f"{self.line.url}/app/"), self.album)
        return self._hand

    def publish(self, main: str) -> str:
        """Put a new version of the app on the server, beginning with the script `main`; returns its name."""
        script = self.app.with_name("main.py")
        script.write_text(main)
        return build_alone(self.app, main=script).inputs

    def end_phone(self) -> None:
        self._hand = None
        self._open.close()

    def commands(self, job: Job) -> list[CommandRow]:
        """What the server has of a job, in the device's order."""
        return sorted(
            self.world.rows(CommandRow, CommandRow.work_order_id == job.id), key=lambda row: row.seq
        )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("bad-day")
    app = folder / "pwa"
    build_alone(app)
    now = utc_now().replace(second=0, microsecond=0)
    with contextlib.ExitStack() as open_:
        url = open_.enter_context(databases.migrated_database("sqlite", folder))
        port = free_port()
        line = open_.enter_context(RoughLine(port))
        zone, data = morning_zone(now), folder / "data"
        world = open_.enter_context(
            a_world(url, now=now, data_folder=data, time_zone=zone, base_url=line.url)
        )
        with world.database.write() as session:
            world.receive(session, world.ana.van_id, ONT_A, serial=SERIALS[2])
        kinds = {
            "answers": WorkOrderKind.INSTALL,
            "version": WorkOrderKind.DISCONNECT,
            "broken": WorkOrderKind.REPAIR,
            "full": WorkOrderKind.INSTALL,
            "ahead": WorkOrderKind.DISCONNECT,
            "behind": WorkOrderKind.DISCONNECT,
        }
        jobs = {
            name: world.order(kind, start=now + timedelta(minutes=20 + 40 * place))
            for place, (name, kind) in enumerate(kinds.items())
        }
        server = RealServer(world.settings, port, folder / "server.log")
        server.program = (str(SERVE), str(app))
        server.start()
        open_.callback(server.stop)
        there = Office(server, line, world, app, folder / "phone", Album(folder / "pictures"), jobs)
        yield there
        there.end_phone()


def show(hand: Technician, route: str) -> None:
    hand.app.page.evaluate("route => { location.hash = route; }", route)


def a_photo(*size: int) -> bytes:
    out = BytesIO()
    Image.effect_noise(size or (800, 600), 60).save(out, "JPEG", quality=60)
    return out.getvalue()


def told(ana: Technician, job: Job, sentence: str, unsent: int) -> None:
    """The sync screen says what is the matter, and how much only this device has; then back to the job."""
    show(ana, "/sync")
    ana.app.see(sentence)
    assert ana.unsent() == unsent
    show(ana, f"/job/{job.id}")
    ana.app.see("Before you close")


@pytest.mark.browser
class TestAServerThatAnswersBadly:
    def test_costs_no_tap_books_nothing_twice_and_is_named_in_words(self, office: Office):
        ana, job, line = office.phone(), office.jobs["answers"], office.line
        first = len(office.world.rows(CommandRow))
        ana.open_job(job.number)

        line.trouble = Trouble.ERROR
        ana.travel()
        told(ana, job, "The server has trouble. Your work is kept and will be sent later.", 1)
        line.trouble = Trouble.PORTAL
        ana.arrive()
        elsewhere = "Something else than the Truckroll server answered: sign in to this network"
        told(ana, job, elsewhere, 2)
        ana.look("portal")
        assert office.commands(job) == [], "nothing of it has reached the server"

        line.trouble = Trouble.CUT
        ana.fit_typed(SERIALS[0])
        told(ana, job, "The server's answer could not be read. Your work is kept and will be sent again.", 3)
        assert len(office.commands(job)) == 3, "decided, and the phone does not know"
        line.trouble = Trouble.HALF
        ana.measure(MEASURED)
        told(ana, job, "The server could not be reached", 5)
        line.trouble = Trouble.GATE
        ana.use_parts({"Drop cable": 18})
        told(ana, job, elsewhere, 6)
        assert len(office.commands(job)) == 5

        line.trouble = None
        with office.world.database.write() as session:  # the phone was away for too long
            session.execute(update(DeviceRow).values(token_expires_at=utc_now()))
        ana.photograph(a_photo())
        ana.have_signed()
        ana.close()
        show(ana, "/sync")
        ana.app.see("This device's sign-in has run out. Enter a new code; your work stays on it")
        ana.app.see("Only on this device (9)")
        ana.app.see("Sign in again: then it goes by itself.")
        ana.look("signed-out")
        assert len(office.commands(job)) == 5
        ana.app.tap("Sign in again")
        ana.register(office.code(), "The same phone")
        ana.go("Sync")
        ana.app.see(SENT, seconds=60)
        ana.look("sent-after-all")
        assert set(line.met) == set(Trouble)

        commands = office.commands(job)
        assert [(row.type, row.outcome) for row in commands] == [
            (deed, "accepted")
            for deed in (
                "start_travel", "arrive", "install_asset", "record_check", "record_check", "use_parts",
                "add_evidence", "add_evidence", "close_work_order",
            )
        ]  # fmt: skip
        assert len(office.world.rows(CommandRow)) == first + len(commands)
        office.world.row(InvoiceRow, InvoiceRow.work_order_id == job.id)
        moves = office.world.rows(StockMoveRow, StockMoveRow.work_order_id == job.id)
        assert sorted((move.quantity, move.serial) for move in moves) == [(1, SERIALS[0]), (18, None)]
        assert office.world.row(WorkOrderRow, WorkOrderRow.id == job.id).state == "completed"


@pytest.mark.browser
class TestANewVersion:
    def test_waits_until_the_work_is_sent_and_the_one_before_until_it_has_opened(self, office: Office):
        ana, job = office.phone(), office.jobs["version"]
        before = ana.app.page.evaluate("truckroll.build")
        office.server.stop()
        ana.open_job(job.number)
        ana.travel()
        ana.arrive()
        newer = office.publish(MAIN + "# newer")
        assert newer != before

        office.line.trouble = Trouble.ERROR  # the new app comes, and the work does not go
        office.server.start()
        ana.app.reload()
        show(ana, "/sync")
        ana.app.see("A new version is ready. It waits until 2 unsent entries are sent", seconds=60)
        assert "Change to it now" not in ana.app.texts()
        ana.look("update-waits")
        office.server.stop()
        kill(office.profile)
        office.end_phone()
        ana = office.start_phone()
        assert ana.app.page.evaluate("truckroll.build") == before
        ana.open_job(job.number)
        ana.take_away(job.on_site[0], "Customer leaves")
        ana.have_signed()
        ana.close()
        assert ana.unsent() == 5

        office.line.trouble = None
        office.server.start()
        ana.go("Sync")
        ana.app.tap("Send now")
        ana.app.see(SENT, seconds=60)
        ana.app.see("A new version is ready")
        assert len(ana.app.page.evaluate(VERSIONS)) == 2
        with ana.app.page.expect_navigation():
            ana.app.tap("Change to it now")
        office.server.stop()  # what it needs is there
        ana.app.wait_until_started()
        assert ana.app.page.evaluate("truckroll.build") == newer
        ana.app.see(f"0.1.0, {newer}")
        ana.app.see("Answered by the office")
        ana.look("updated")
        office.server.start()

        commands = office.commands(job)
        assert [(row.type, row.outcome) for row in commands] == [
            (deed, "accepted")
            for deed in ("start_travel", "arrive", "remove_asset", "add_evidence", "close_work_order")
        ]
        assert office.world.row(WorkOrderRow, WorkOrderRow.id == job.id).state == "completed"

    def test_that_does_not_open_gives_way_to_the_one_before_with_all_that_was_there(self, office: Office):
        ana, job = office.phone(), office.jobs["broken"]
        before = ana.app.page.evaluate("truckroll.build")
        ana.open_job(job.number)
        ana.travel()
        show(ana, "/sync")
        ana.app.see(SENT, seconds=60)
        office.publish("raise SystemExit('broken')")
        ana.app.reload()
        ana.app.see("A new version is ready", seconds=60)
        ana.app.see(SENT, seconds=60)
        for _ in range(TRIES):
            ana.app.page.reload()
            ana.app.page.get_by_text("The app could not start").wait_for(timeout=START_SECONDS * 1000)
        office.album.keep(ana.app.page, "broken")
        office.server.stop()
        ana.app.reload()
        assert ana.app.page.evaluate("truckroll.build") == before
        ana.app.see("Set out")
        assert "A new version is ready" not in ana.app.texts()
        show(ana, f"/job/{job.id}")
        ana.arrive()
        office.server.start()
        show(ana, "/sync")
        ana.app.see(SENT, seconds=60)
        deeds = [(row.type, row.outcome) for row in office.commands(job)]
        assert deeds == [("start_travel", "accepted"), ("arrive", "accepted")]


PICTURES_MAX = 8  # each of more than a megabyte: by then any small room is full


@pytest.mark.browser
class TestAFullPhone:
    def test_gives_up_what_the_office_has_keeps_all_else_and_still_closes_the_job(self, office: Office):
        ana, job = office.phone(), office.jobs["full"]
        room = Room(office.browser, office.line.url)
        ana.open_job(job.number)
        ana.travel()
        ana.arrive()
        show(ana, f"/job/{job.id}/photo")
        ana.app.choose_file("Take photo", jpeg(a_photo(), "first.jpg"))
        ana.app.see("1 photo")
        show(ana, "/sync")
        ana.app.see("Photo, ")
        ana.app.see(SENT, seconds=60)
        office.server.stop()
        show(ana, f"/job/{job.id}")
        ana.fit_typed(SERIALS[1])
        ana.measure(MEASURED)
        show(ana, f"/job/{job.id}/photo")
        ana.app.choose_file("Take another photo", jpeg(a_photo(), "second.jpg"))
        ana.app.see("2 photos")
        assert pictures(ana) == ["Photo 1", "Photo 2"]

        room.leave(used=0.95)
        ana.app.reload()
        ana.app.page.wait_for_function("() => !document.querySelector('[aria-label=\"Photo 1\"]')")
        ana.app.see("Photo 2")
        ana.look("photo-given-up")
        show(ana, "/sync")
        ana.app.see("Nearly full: photos that the office has go first")
        ana.look("nearly-full")

        room.leave(used=1)
        show(ana, f"/job/{job.id}/photo")
        kept = 2
        for _ in range(PICTURES_MAX):
            ana.app.choose_file("Take another photo", jpeg(a_photo(2000, 1500), "more.jpg"))
            ana.app.see(re.compile(rf"^{kept + 1} photos|This device could not save it"))
            if f"{kept + 1} photos" not in ana.app.texts():
                break
            kept += 1
        ana.app.see("Free some space, then try again")
        ana.look("refused")
        assert f"{kept} photos" in ana.app.texts()
        show(ana, f"/job/{job.id}")
        ana.have_signed()
        ana.close()
        unsent = 3 + (kept - 1) + 2  # device and values, photos, signature and close
        assert ana.unsent() == unsent

        room.leave(used=0.5)
        office.server.start()
        ana.go("Sync")
        ana.app.tap("Send now")
        ana.app.see(SENT, seconds=120)
        commands = office.commands(job)
        assert [row.outcome for row in commands] == ["accepted"] * (3 + unsent)
        assert commands[-1].type == "close_work_order"
        named = office.world.rows(EvidenceRow, EvidenceRow.work_order_id == job.id)
        assert len(named) == kept + 1
        assert all(row.arrived_at for row in named)
        office.world.row(InvoiceRow, InvoiceRow.work_order_id == job.id)


class Room:
    """How much the browser lets our address have: it refuses what is more, and tells the app how much."""

    def __init__(self, browser: BrowserContext, url: str) -> None:
        self._devices = browser.new_cdp_session(browser.pages[0])
        self._origin = {"origin": url}

    def leave(self, *, used: float) -> None:
        """From now on what lies there is this part of what there may be."""
        bytes_used = self._devices.send("Storage.getUsageAndQuota", self._origin)["usage"]
        limit = {**self._origin, "quotaSize": round(bytes_used / used)}
        self._devices.send("Storage.overrideQuotaForOrigin", limit)


def pictures(ana: Technician) -> list[str]:
    return [text for text in ana.app.texts() if re.fullmatch(r"Photo \d", text)]


SET_CLOCK = """ms => {
  const real = globalThis.realNow ??= Date.now.bind(Date);
  Date.now = () => real() + ms;
}"""


@pytest.mark.browser
@pytest.mark.parametrize(("name", "days", "told"), [("ahead", 1, "ahead"), ("behind", -1, "behind")])
class TestAClockThatIsWrongByADay:
    def test_books_the_visit_when_it_was_and_says_so(self, office: Office, name: str, days: int, told: str):
        ana, job = office.phone(), office.jobs[name]
        off = timedelta(days=days)
        for worker in ana.app.page.workers:  # Python asks the clock of the worker that it runs in
            worker.evaluate(SET_CLOCK, off / timedelta(milliseconds=1))
        show(ana, "/sync")
        ana.app.tap("Send now")
        warning = f"This device's clock is 1440 min {told}. Times are corrected; set it right."
        ana.app.see(warning)
        ana.look(f"clock-{name}")
        show(ana, "/")
        today = office.world.now.astimezone(office.world.settings.zone)
        ana.app.see(f"{today:%A} {today.day} {today:%B}")
        office.server.stop()
        began = utc_now()
        ana.open_job(job.number)
        ana.travel()
        ana.arrive()
        ana.take_away(job.on_site[0], "Customer leaves")
        ana.have_signed()
        ana.close()
        ended = utc_now()
        office.server.start()
        ana.go("Sync")
        ana.app.tap("Send now")
        ana.app.see(SENT, seconds=60)
        ana.app.see(f"The phone's clock was 1440 minutes {told}; times were corrected")

        commands = office.commands(job)
        assert [row.outcome for row in commands] == ["accepted"] * 5
        assert all(began + off <= row.made_at <= ended + off for row in commands)  # by that clock
        assert all(began - CLOCK_ERROR <= row.happened_at <= ended + CLOCK_ERROR for row in commands)
        order = office.world.row(WorkOrderRow, WorkOrderRow.id == job.id)
        assert (order.state, order.finished_at) == ("completed", commands[-1].happened_at)
