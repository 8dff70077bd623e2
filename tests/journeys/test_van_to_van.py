"""Two real browsers with the server stopped: stock goes from van to van, and both tell of it later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browser import AppDriver, launch, open_app
from pwa_server import build_alone
from real_server import RealServer, free_port
from technician import SENT, Technician
from world import CONNECTOR, Phone, World, a_world

from server.access.devices import new_code
from server.clock import utc_now
from server.db.feed_models import CommandRow
from server.demo.prepare import morning_zone
from server.stock.models import StockMoveRow, VanTransferRow

NAME = "Connector SC"


@pytest.fixture
def day(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[RealServer, World]]:
    """Ana and Ben each have two jobs and twenty connectors."""
    build_alone()
    port, now = free_port(), utc_now().replace(second=0, microsecond=0)
    url = f"http://127.0.0.1:{port}"
    folder, zone = tmp_path / "data", morning_zone(now)
    with a_world(sqlite_url, now=now, data_folder=folder, time_zone=zone, base_url=url) as world:
        for phone in world.phones:
            for minutes in (20, 150):
                world.order(start=now + timedelta(minutes=minutes), phone=phone)
        server = RealServer(world.settings, port, tmp_path / "server.log")
        server.start()
        yield server, world
        server.stop()


def registered(app: AppDriver, world: World, phone: Phone) -> Technician:
    with world.database.write() as session:
        code = new_code(session, phone.technician_id, utc_now())
    technician = Technician(app)
    technician.register(code)
    technician.app.wait_until_offline_ready()
    return technician


def connectors(app: AppDriver) -> int:
    """What the stock screen says is left."""
    app.see(f"{NAME}, ")
    said = next(text for text in app.texts() if text.startswith(f"{NAME}, "))
    found = re.search(r"(\d+) on the van", said)
    assert found, said
    return int(found[1])


def code_on(app: AppDriver) -> str:
    """What the other phone's camera would read, from the text below it."""
    return next(text for text in app.texts() if text.startswith('["TR-'))


def paste(app: AppDriver, label: str, text: str) -> None:
    app.page.get_by_role("textbox", name=label).click()
    app.page.wait_for_timeout(500)  # what comes before Flutter holds the field never reaches it
    app.page.keyboard.insert_text(text)


@pytest.mark.browser
def test_stock_goes_from_van_to_van_between_two_phones_without_a_server(
    day: tuple[RealServer, World], tmp_path: Path
):
    server, world = day
    with launch(tmp_path / "ana") as anas, launch(tmp_path / "ben") as bens:
        ana = registered(open_app(anas, f"{server.url}/app/"), world, world.ana)
        ben = registered(open_app(bens, f"{server.url}/app/"), world, world.ben)
        server.stop()

        ana.go("Van stock")
        ana.app.tap("Hand over")
        for _ in range(3):
            ana.app.tap(f"More {NAME}")
        ana.app.tap("Show the code")
        ana.app.see("Your colleague scans this")
        offer = code_on(ana.app)

        ben.go("Van stock")
        ben.app.tap("Take over")
        paste(ben.app, "Your colleague's code", offer)
        ben.app.tap("Read code")
        ben.app.see("Ana Virtanen hands you")
        ben.app.tap(f"Less {NAME}")  # one of the three is bent
        ben.app.tap("I have this in hand")
        ben.app.see("Now your colleague scans this")
        answer = code_on(ben.app)
        ben.app.tap("My colleague has scanned it")

        ana.app.reload()  # the app was closed meanwhile; the offer is still there
        ana.app.see("Your colleague scans this", seconds=60)
        paste(ana.app, "Your colleague's answer", answer)
        ana.app.tap("Read code")
        ana.app.see("Handed over, and saved here")
        for technician, left in ((ana, 18), (ben, 22)):
            technician.app.settle()
            assert (connectors(technician.app), technician.unsent()) == (left, 1)
        assert world.rows(CommandRow) == []

        server.start()
        for technician in (ben, ana):
            technician.go("Sync")
            technician.app.tap("Send now")
            technician.app.see(SENT, seconds=60)
            technician.go("Van stock")
            technician.app.see("Hand over")
            technician.app.settle()
        assert (connectors(ana.app), connectors(ben.app)) == (18, 22)

    [row] = world.rows(VanTransferRow)
    assert (row.given, row.taken) == (True, True)
    van_to_van = [row for row in world.rows(StockMoveRow) if row.source_id == world.ana.van_id]
    assert [(row.sku, row.quantity, row.target_id) for row in van_to_van] == [
        (CONNECTOR, 2, world.ben.van_id)
    ]
    assert (world.balance(world.ana.van_id, CONNECTOR), world.balance(world.ben.van_id, CONNECTOR)) == (
        18,
        22,
    )
    assert sorted(row.type for row in world.rows(CommandRow)) == ["hand_over", "take_over"]
