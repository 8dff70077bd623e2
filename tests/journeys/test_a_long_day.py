"""Twelve jobs of all kinds, a visit asked for, parts handed to a colleague; no server, then no network,
and the browser killed five times: booked as if nothing had been.

The yardstick is the same day in a second database, sent without a break.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import databases
import pytest
from browser import kill, launch, open_app
from PIL import Image
from playwright.sync_api import Error as BrowserGone
from pwa_server import build_alone
from real_server import RealServer, free_port
from technician import SENT, Album, Technician
from world import CONNECTOR, ONT_A, Job, World, a_world

from server.access.devices import new_code
from server.assets.models import AssetRow
from server.billing.models import InvoiceLineRow, InvoiceRow, JournalLineRow
from server.clock import utc_now
from server.customers.models import NoticeRow, ServiceRow
from server.db.feed_models import CommandRow
from server.demo.prepare import morning_zone
from server.purchasing.models import PurchaseOrderLineRow, RmaLineRow
from server.stock.models import ReservationRow, StockMoveRow, VanTransferRow
from server.work_orders.models import AttachmentRow, EvidenceRow, WorkOrderRow
from shared.commands import (
    Arrive,
    AskForVisit,
    CannotComplete,
    FieldCommand,
    InstallAsset,
    RemoveAsset,
    StartTravel,
    SwapAsset,
)
from shared.ids import new_id
from shared.work_orders import RULES_BY_KIND, RemovalCause, UnfinishedReason, WorkOrderKind

MORNING, MIDDAY, AFTERNOON = range(4), range(4, 8), range(8, 12)
KILLS = {MORNING: 1, MIDDAY: 2, AFTERNOON: 2}
SEED = 20261128
INSTALL, UPGRADE, REPAIR, SWAP, DISCONNECT = WorkOrderKind
DAY = (
    INSTALL, REPAIR, SWAP, DISCONNECT, UPGRADE, REPAIR, INSTALL, REPAIR, SWAP, DISCONNECT, REPAIR, INSTALL,
)  # fmt: skip
LAST = ("close", "cannot complete")
"""The steps that end at the list of jobs."""
NOBODY_THERE = 7
"""The place in DAY of the job where nobody opens."""
FITTED = {0: "ANA0001", 2: "ANA0002", 4: "ANA0003", 6: "ANA0004", 8: "ANA0005", 11: "ANA0006"}
"""Place in DAY → the device from the van."""
CAUSES = {
    SWAP: RemovalCause.NO_LIGHT,
    UPGRADE: RemovalCause.UPGRADE,
    DISCONNECT: RemovalCause.CUSTOMER_LEAVES,
}
SAID = {
    RemovalCause.NO_LIGHT: "No light",
    RemovalCause.UPGRADE: "Better one goes up",
    RemovalCause.CUSTOMER_LEAVES: "Customer leaves",
}
CABLE_METRES, CONNECTORS = 9, 1
ASKED_AT, ASKED = 2, "The cabinet on the corner is bent"
"""The place in DAY of the job that needs another visit, and what for."""
PART, OFFERED, TAKEN = "Connector SC", 3, 2
"""Connectors that go from Ana's van to Ben's: one of them is bent."""
BEFORE = 20 - CONNECTORS * (len(DAY) - 1 - DAY.count(DISCONNECT))
"""What the jobs leave of them on Ana's van; Ben has not used any of his twenty."""


@dataclass(frozen=True)
class Step:
    """One thing to do, and how many commands it leaves on the device."""

    name: str
    do: Callable[[Technician], object]
    leaves: int = 1


@dataclass
class Phone:
    """The technician's browser, which dies and is started again on the same profile."""

    url: str
    profile: Path
    album: Album
    cut_off: bool = False
    deaths: list[str] = field(default_factory=list)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> Technician:
        self._open = contextlib.ExitStack()
        self._browser = self._open.enter_context(launch(self.profile, size=(360, 800)))
        self._browser.set_offline(self.cut_off)
        self.hand = Technician(open_app(self._browser, self.url))
        return self.hand

    def cut(self, *, off: bool) -> None:
        """Take the browser's own network away, or give it back; one that is started anew has none either."""
        self.cut_off = off
        self._browser.set_offline(off)

    def look(self, name: str) -> None:
        self.hand.app.settle()
        self.album.keep(self.hand.app.page, name)

    def end(self) -> None:
        with contextlib.suppress(BrowserGone):
            self._open.close()

    def do(self, job: Job, step: Step, *, dies_after: float | None) -> None:
        """Do `step`; where the browser dies in it, start again and finish what was not kept."""
        before = self.hand.unsent()
        if dies_after is None:
            step.do(self.hand)
        else:
            battery = threading.Timer(dies_after, kill, [self.profile])
            battery.start()
            with contextlib.suppress(BrowserGone, AssertionError):
                step.do(self.hand)
                self.hand.app.page.wait_for_timeout(10_000)
            battery.join()
            self.deaths.append(step.name)
            self.end()
            self.start()
            self.hand.app.see("saved on this device, not sent")
            kept = self.hand.unsent()
            assert before <= kept <= before + step.leaves, "a tap that was called saved is there, none twice"
            if kept < before + step.leaves or step.name not in LAST:
                self.hand.open_job(job.number)
            if kept < before + step.leaves:
                step.do(self.hand)
        assert self.hand.unsent() >= before + step.leaves, step.name


def steps_of(place: int, job: Job, photo: bytes) -> list[Step]:
    rules = RULES_BY_KIND[job.kind]
    fast = "480.5" if job.kind is UPGRADE else "96.4"
    values = {"Optical receive power": "-19.5", "Download speed": fast}
    steps = [Step("open", lambda hand: hand.open_job(job.number), leaves=0)]
    steps += [Step("travel", Technician.travel), Step("arrive", Technician.arrive)]
    if place == NOBODY_THERE:
        return [*steps, Step("cannot complete", lambda hand: hand.cannot_complete("Nobody at home"))]
    if job.kind in (INSTALL, UPGRADE):
        steps += [Step("price", Technician.agree_on_price)]
    if rules.takes_equipment and rules.fits_equipment:
        steps += [Step("swap", lambda hand: hand.swap_typed(FITTED[place], SAID[CAUSES[job.kind]]))]
    elif rules.takes_equipment:
        cause = SAID[CAUSES[job.kind]]
        steps += [Step("take away", lambda hand: hand.take_away(job.on_site[0], cause))]
    elif rules.fits_equipment:
        steps += [Step("fit", lambda hand: hand.fit_typed(FITTED[place]))]
    if rules.measures_line:
        steps += [Step("measure", lambda hand: hand.measure(values), leaves=2)]
        parts = {"Drop cable": CABLE_METRES, "Connector SC": CONNECTORS}
        steps += [Step("parts", lambda hand: hand.use_parts(parts))]
    if place == ASKED_AT:
        steps += [Step("ask", lambda hand: hand.ask_for_visit(ASKED))]
    if rules.photos:
        steps += [Step("photo", lambda hand: hand.photograph(photo))]
    if rules.needs_signature:
        steps += [Step("signature", Technician.have_signed)]
    return [*steps, Step("close", Technician.close)]


def sent_without_a_break(world: World, jobs: list[Job]) -> None:
    for place, job in enumerate(jobs):
        commands: list[FieldCommand] = [StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id)]
        if place == NOBODY_THERE:
            commands += [CannotComplete(work_order_id=job.id, reason=UnfinishedReason.NO_ACCESS)]
        else:
            measures = RULES_BY_KIND[job.kind].measures_line
            cable, connectors = (CABLE_METRES, CONNECTORS) if measures else (0, 0)
            commands = world.visit(job, fit=FITTED.get(place), cable=cable, connectors=connectors)
            commands = with_causes(commands, job)
        if place == ASKED_AT:
            commands.insert(-1, AskForVisit(
                work_order_id=job.id, new_order_id=new_id(0, b"asked for!"), kind=REPAIR, summary=ASKED,
                expected_minutes=30,
            ))  # fmt: skip
        receipts = world.ana.send(*commands)
        assert [receipt.detail for receipt in receipts if receipt.outcome != "accepted"] == []
    given, taken = world.handing(CONNECTOR, offered=OFFERED, taken=TAKEN)
    assert [world.ana.send(given)[0].outcome, world.ben.send(taken)[0].outcome] == ["accepted"] * 2


def with_causes(commands: list[FieldCommand], job: Job) -> list[FieldCommand]:
    """As the app sends it: a device for another is one command, and each that comes off has its cause."""
    off = next((item for item in commands if isinstance(item, RemoveAsset)), None)
    if off is None:
        return commands
    up = next((item for item in commands if isinstance(item, InstallAsset)), None)
    cause = CAUSES[job.kind]
    instead: FieldCommand = replace(off, cause=cause)
    if up is not None:
        instead = SwapAsset(
            work_order_id=job.id, old_serial=off.serial, serial=up.serial, source="typed", cause=cause
        )
    return [instead if item is off else item for item in commands if item is not up]


def the_day(world: World) -> list[Job]:
    with world.database.write() as session:
        for serial in sorted(FITTED.values())[3:]:  # the van has the first three
            world.receive(session, world.ana.van_id, ONT_A, serial=serial)
    jobs = [
        world.order(kind, start=world.now + timedelta(minutes=20 + 25 * place))
        for place, kind in enumerate(DAY)
    ]
    world.order(start=world.now + timedelta(minutes=20), phone=world.ben)
    return jobs


def booked(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All that the day has caused, without ids of its own and without the times, which differ."""

    def told(kind: type[Any], *names: str) -> list[tuple[Any, ...]]:
        return sorted((tuple(getattr(row, name) for name in names) for row in world.rows(kind)), key=str)

    return {
        "orders": told(WorkOrderRow, "number", "state", "kind", "summary", "location_id", "expected_minutes"),
        "transfers": told(VanTransferRow, "giver_id", "taker_id", "given", "taken"),
        "ledger": told(StockMoveRow, "sku", "quantity", "source_id", "target_id", "serial", "work_order_id"),
        "assets": told(AssetRow, "serial", "sku", "state", "holder_id", "claimed_by"),
        "services": told(ServiceRow, "id", "state", "plan_code"),
        "invoices": told(InvoiceRow, "work_order_id", "state", "net_minor", "tax_minor"),
        "charges": told(InvoiceLineRow, "work_order_id", "charge_code", "quantity", "net_minor", "tax_minor"),
        "journal": told(JournalLineRow, "work_order_id", "account", "amount_minor"),
        "returns": told(RmaLineRow, "serial", "cause", "state", "work_order_id"),
        "purchases": told(PurchaseOrderLineRow, "sku", "quantity"),
        # That somebody is on the way is only told while it is news.
        "messages": [row for row in told(NoticeRow, "work_order_id", "template") if row[1] != "on_the_way"],
        "open promises": [row for row in told(ReservationRow, "work_order_id", "released_at") if not row[1]],
    }


@dataclass
class Office:
    server: RealServer
    world: World
    jobs: list[Job]
    yardstick: dict[str, list[tuple[Any, ...]]]
    phone: Phone
    bens: Phone


@pytest.fixture(scope="class")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    build_alone()
    tmp_path = tmp_path_factory.mktemp("long-day")
    for folder in ("plain", "real"):
        (tmp_path / folder).mkdir()
    port, now = free_port(), utc_now().replace(second=0, microsecond=0)
    options = {"now": now, "time_zone": morning_zone(now), "base_url": f"http://127.0.0.1:{port}"}
    with (
        databases.migrated_database("sqlite", tmp_path / "plain") as plain_url,
        a_world(plain_url, data_folder=tmp_path / "plain-data", **options) as plain,
    ):
        sent_without_a_break(plain, the_day(plain))
        yardstick = booked(plain)
    with (
        databases.migrated_database("sqlite", tmp_path / "real") as url,
        a_world(url, data_folder=tmp_path / "data", **options) as world,
    ):
        jobs = the_day(world)
        server = RealServer(world.settings, port, tmp_path / "server.log")
        server.start()
        album = Album(tmp_path / "pictures")
        phone, bens = (Phone(f"{server.url}/app/", tmp_path / name, album) for name in ("phone", "bens"))
        yield Office(server, world, jobs, yardstick, phone, bens)
        phone.end()
        bens.end()
        server.stop()


def a_photo() -> bytes:
    out = BytesIO()
    Image.effect_noise((800, 600), 60).save(out, "JPEG", quality=60)
    return out.getvalue()


def work(office: Office, places: range) -> None:
    """Do the jobs at these places of the day, with the battery empty at moments that the seed says."""
    photo = a_photo()
    plan = [
        (office.jobs[place], step) for place in places for step in steps_of(place, office.jobs[place], photo)
    ]
    chance = random.Random(SEED + places.start)
    strikes = set(
        chance.sample([place for place, (_, step) in enumerate(plan) if step.leaves], KILLS[places])
    )
    for place, (job, step) in enumerate(plan):
        office.phone.do(job, step, dies_after=chance.uniform(0.2, 2.5) if place in strikes else None)


@pytest.mark.browser
class TestALongDayWithoutNetwork:
    """One day in six acts, so that none takes too long for a test."""

    def test_begins_with_the_jobs_fetched(self, office: Office):
        world = office.world
        # Ben's browser first: whichever is the first must be the last to end.
        for phone, who in ((office.bens, world.ben), (office.phone, world.ana)):
            with world.database.write() as session:
                code = new_code(session, who.technician_id, utc_now())
            phone.start().register(code)
            phone.hand.app.wait_until_offline_ready()
        assert len(office.phone.hand.route()) == len(DAY)

    def test_goes_on_with_the_server_stopped(self, office: Office):
        office.server.stop()
        work(office, MORNING)
        office.phone.hand.app.see("4 of 12 jobs done")

    def test_goes_on_after_an_empty_battery_and_without_any_network(self, office: Office):
        office.phone.cut(off=True)
        work(office, MIDDAY)
        office.phone.hand.app.see("7 of 12 jobs done")

    def test_survives_an_empty_battery_five_times(self, office: Office):
        assert not office.server.answers()
        work(office, AFTERNOON)
        assert len(office.phone.deaths) == sum(KILLS.values()) == 5
        office.phone.hand.app.see("11 of 12 jobs done")
        office.phone.look("evening")

    def test_hands_parts_to_a_colleague(self, office: Office):
        phone, ben = office.phone, office.bens.hand
        office.bens.cut(off=True)
        office.server.start()  # it is there again, and no way to it
        kept = phone.hand.unsent()
        offer = phone.hand.offer(OFFERED, PART)
        answer = ben.take_over(offer, "Ana Virtanen", less=PART)
        phone.end()  # the offer outlives the app
        ana = phone.start()
        ana.go("Van stock")
        ana.app.tap("Hand over")
        ana.app.see("Your colleague scans this")
        ana.hand_over(answer)
        assert (ana.left_on_van(PART), ben.left_on_van(PART)) == (BEFORE - TAKEN, 20 + TAKEN)
        assert (ana.unsent(), ben.unsent()) == (kept + 1, 1)
        assert office.server.answers()
        assert office.world.rows(CommandRow) == []

    def test_is_booked_exactly_once_and_as_without_a_break(self, office: Office):
        phone, world = office.phone, office.world
        kept = phone.hand.unsent()
        for one, left in ((office.bens, 20 + TAKEN), (phone, BEFORE - TAKEN)):
            one.cut(off=False)
            one.hand.go("Sync")
            one.hand.app.see(SENT, seconds=120)
            one.look("all sent")
            one.hand.go("Van stock")
            assert one.hand.left_on_van(PART) == left

        bens = world.row(CommandRow, CommandRow.type == "take_over")
        commands = world.rows(CommandRow, CommandRow.id != bens.id)
        assert [row.outcome for row in (bens, *commands)] == ["accepted"] * (1 + kept)
        assert sorted(row.seq for row in commands) == list(range(1, kept + 1))
        assert booked(world) == office.yardstick
        named = world.rows(EvidenceRow)
        assert {row.digest for row in named} == {row.digest for row in world.rows(AttachmentRow)}
        assert all(row.arrived_at for row in named)
