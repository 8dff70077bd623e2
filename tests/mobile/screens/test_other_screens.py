"""Sign-in, stock, sync, and what belongs to no single job."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import day_of_work
import flet as ft
import pytest
from day_of_work import MORNING, uid
from flet_screen import Screen

from mobile import words
from mobile.app import App
from mobile.device import scanner
from mobile.device.network import PageFacts
from mobile.device.space import Usage
from mobile.look import Look
from mobile.state import Desk, job_route
from mobile.views.handover import answer_of, given, held_out, read_answer, read_offer, taken
from shared.commands import AddNote, Arrive, CloseWorkOrder, StartTravel
from shared.problems import ExpiredToken, UnsentWork
from shared.transfers import HandedDevice, Offer, Transfer
from shared.work_orders import PartLine, WorkOrderState
from sync.client.schema import MIGRATIONS
from sync.client.transport import Answer
from sync.protocol import PROTOCOL

REPAIR = uid(0x100)


class OneAnswer:
    """A server that gives one answer to everything."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        content = "application/json" if status < 400 else "application/problem+json"
        self.answer = Answer(status=status, headers={"content-type": content}, body=json.dumps(body).encode())
        self.asked: list[dict[str, str]] = []

    async def request(self, method, path, *, headers, body):
        assert (method, path) == ("POST", "/api/devices/register")
        self.asked.append(json.loads(body))
        return self.answer


class TestSigningIn:
    @pytest.fixture
    def new_device(self, tmp_path):
        """Show the app on a device that belongs to nobody; the office answers as told."""
        folder = tmp_path / "new"
        folder.mkdir()
        with contextlib.ExitStack() as opened:

            def show(transport=None, route="/"):
                gateway = day_of_work.a_gateway(folder, transport=transport, registered=False)
                desk = Desk(gateway, now=lambda: MORNING)
                desk.shell.route = route
                return opened.enter_context(Screen(App, desk)), gateway

            yield show

    def test_comes_first_on_a_new_device_and_gives_it_to_a_technician(self, new_device):
        technician = {"id": str(day_of_work.AINO), "name": "Aino Virtanen"}
        office = OneAnswer(201, {"device_id": str(uid(9)), "token": "secret", "technician": technician})
        screen, gateway = new_device(office)

        screen.type_into("Registration code", "abcd-1234")
        screen.type_into("Name of this device", "Aino's phone")
        screen.tap("Sign in")

        assert office.asked == [{"code": "ABCD-1234", "device_name": "Aino's phone", "platform": "test"}]
        assert gateway.registered
        assert screen.sees("Fetching your jobs …")

    def test_takes_the_code_that_the_link_brought(self, new_device):
        technician = {"id": str(day_of_work.AINO), "name": "Aino Virtanen"}
        office = OneAnswer(201, {"device_id": str(uid(9)), "token": "secret", "technician": technician})
        screen, gateway = new_device(office, route="/sign-in/ABCD-1234")

        assert screen.field("Registration code").value == "ABCD-1234"
        screen.tap("Sign in")

        assert [request["code"] for request in office.asked] == ["ABCD-1234"]
        assert gateway.registered

    def test_scans_the_picture_on_the_offices_screen_and_waits_for_a_tap(self, new_device, monkeypatch):
        technician = {"id": str(day_of_work.AINO), "name": "Aino Virtanen"}
        office = OneAnswer(201, {"device_id": str(uid(9)), "token": "secret", "technician": technician})
        hints = []

        class Camera(scanner.NativeScanner):
            live = True

            async def scan(self, *, title, hint="", judge=None, seconds=60):
                label, picture = (
                    scanner.Reading(text=text, source="camera", symbology="QRCode")
                    for text in ("ALCLB1A2C000", "https://truckroll.example/app/#/sign-in/ABCD-1234")
                )
                hints.extend([judge(label), judge(picture)])
                return (picture,)

        monkeypatch.setattr("mobile.screens.sign_in.scanner", Camera)
        screen, gateway = new_device(office)
        screen.tap("Scan the office's code")
        assert hints == ["That is no registration code.", None]
        assert (screen.field("Registration code").value, office.asked) == ("ABCD-1234", [])
        screen.tap("Sign in")
        assert [request["code"] for request in office.asked] == ["ABCD-1234"]
        assert gateway.registered

    def test_says_where_nothing_can_be_scanned(self, new_device):
        screen, _ = new_device()
        screen.tap("Scan the office's code")
        assert screen.sees("There is no live scanner on this device.")

    def test_keeps_the_code_and_says_why_it_was_refused(self, new_device):
        refusal = ExpiredToken("This code was used already: ask the office for a new one")
        screen, gateway = new_device(OneAnswer(refusal.status, refusal.as_json()))

        screen.type_into("Registration code", "ABCD-1234")
        screen.tap("Sign in")

        assert screen.sees("This code was used already: ask the office for a new one")
        assert screen.field("Registration code").value == "ABCD-1234"
        assert not gateway.registered

    def test_says_that_it_needs_a_network(self, new_device):
        screen, _ = new_device()

        screen.type_into("Registration code", "ABCD-1234", enter=True)

        assert screen.sees("Signing in is the one thing that needs a network: try again.")


class TestSigningInWhileSomebodyElsesWorkIsHere:
    SAID = "This phone still holds unsent work of Aino Virtanen. Let it be sent, then enter this code again"

    @pytest.fixture
    def devices_office(self, gateway) -> OneAnswer:
        """Two entries of Aino's are unsent; the office refuses the next one's code for them."""
        gateway.send(StartTravel(work_order_id=REPAIR))
        gateway.send(Arrive(work_order_id=REPAIR))
        refusal = UnsentWork(self.SAID)
        gateway._transport = office = OneAnswer(refusal.status, refusal.as_json())
        return office

    def test_tells_what_becomes_of_it_and_keeps_it_only_when_that_is_said(
        self, open_app, gateway, devices_office
    ):
        screen = open_app("/sync")
        screen.tap("Sign in somebody else")
        screen.type_into("Registration code", "BEN-0001")
        assert "Their work can't be sent now?" not in screen.names()
        screen.tap("Sign in")
        assert screen.sees(self.SAID)

        screen.tap("Their work can't be sent now?")
        assert screen.sees("This device keeps 2 entries of Aino Virtanen that the office does not have yet.")
        technician = {"id": str(uid(0xBE)), "name": "Ben Koski"}
        taken = {"device_id": str(uid(9)), "token": "secret", "technician": technician}
        devices_office.answer = OneAnswer(201, taken).answer
        screen.tap("Sign in and keep their work")

        assert [asked.get("unsent_of") for asked in devices_office.asked] == [str(day_of_work.AINO), None]
        assert (gateway.technician_name, gateway.status().aside) == ("Ben Koski", 2)
        screen.tap("Sync")
        assert screen.sees("2 entries of whoever had this device before are still to send")

    def test_can_be_left_alone(self, open_app, gateway, devices_office):
        screen = open_app("/sign-in/BEN-0001")
        screen.tap("Sign in")
        screen.tap("Their work can't be sent now?")
        screen.tap("Not now")

        assert screen.field("Registration code").value == "BEN-0001"
        assert (len(devices_office.asked), gateway.status().unsent_commands) == (1, 2)

    def test_is_not_offered_for_another_refusal(self, open_app, devices_office):
        refusal = ExpiredToken("This code was used already: ask the office for a new one")
        devices_office.answer = OneAnswer(refusal.status, refusal.as_json()).answer
        screen = open_app("/sign-in/BEN-0001")
        screen.tap("Sign in")

        assert screen.sees("This code was used already")
        assert "Their work can't be sent now?" not in screen.names()


class TestStock:
    def test_puts_what_must_be_refilled_first_and_opens_serials_by_a_tap(self, open_app):
        screen = open_app("/stock")
        texts = screen.texts()

        assert texts.index("Refill") < texts.index("Fibre outlet, 2 ports") < texts.index("Devices")
        assert not screen.sees("ALCLB1A2C000")
        screen.tap("ONT, 4 ports, Wi-Fi 5")
        assert screen.sees("ALCLB1A2C000")

    def test_of_an_empty_van_still_leads_to_a_colleague(self, open_app, gateway, desk):
        gateway._overlay = replace(gateway._shown, images=replace(gateway.images, stock={}))
        screen = open_app("/stock")
        assert screen.sees("Nothing is booked on your van yet.")
        screen.tap("Take over")
        assert desk.shell.route == "/take"


class TestCountingTheVan:
    @pytest.fixture
    def screen(self, open_app):
        screen = open_app("/stock")
        screen.tap("Count the van")
        return screen

    def scan(self, screen, text: str) -> None:
        screen.type_into("Scanner or typed code", text, enter=True)

    def test_says_what_it_changes(self, screen):
        assert screen.sees("What you leave out stays as it is.")

    def test_goes_to_the_office_as_one_and_changes_the_list_at_once(self, screen, gateway):
        before = {view.product.sku: view for view in gateway.van_stock()}
        outlet = next(view for view in before.values() if view.product.name == "Fibre outlet, 2 ports")
        self.scan(screen, "ALCLB1A2C000")
        self.scan(screen, "STRANGER01")
        screen.tap(f"Count Fibre outlet, 2 ports: {outlet.left} by the list")
        screen.tap("Less Fibre outlet, 2 ports")
        assert screen.sees("1 fewer than listed")
        screen.tap("Send the count")
        [item] = gateway.queue()
        assert (item.type, item.title) == ("count_van", "Counted the van: 1 part, 2 devices")
        after = {view.product.sku: view for view in gateway.van_stock()}
        assert after[outlet.product.sku].left == outlet.left - 1
        assert {sku for sku in before if after[sku].left != before[sku].left} == {outlet.product.sku}
        assert gateway.draft("count") is None

    def test_is_still_there_after_a_restart_with_what_the_list_said_then(self, screen, gateway, open_app):
        self.scan(screen, "ALCLB1A2C000")
        assert "ALCLB1A2C000" in gateway.draft("count")
        assert open_app("/count").sees("Undo ALCLB1A2C000")

    def test_of_nothing_can_not_be_sent(self, screen, gateway):
        with pytest.raises(AssertionError, match="'Send the count' is disabled"):
            screen.tap("Send the count")
        assert gateway.queue() == []

    def test_leaves_a_part_out_again(self, screen, gateway):
        [outlet] = [view for view in gateway.van_stock() if view.product.name == "Fibre outlet, 2 ports"]
        screen.tap(f"Count Fibre outlet, 2 ports: {outlet.left} by the list")
        screen.tap("Leave out Fibre outlet, 2 ports")
        assert screen.sees(f"Count Fibre outlet, 2 ports: {outlet.left} by the list")

    def test_lists_what_is_found_missing_and_not_booked(self, screen, gateway):
        devices = len(gateway.devices_on_van())
        self.scan(screen, "ALCLB1A2C000")
        self.scan(screen, "STRANGER01")
        assert screen.sees(f"1 of {devices} found")
        assert screen.sees(f"Missing ({devices - 1})")
        assert screen.sees("Not booked on this van (1)")
        assert screen.sees("STRANGER01 is not booked on this van")

    def test_counts_no_device_twice_and_takes_the_last_one_back(self, screen, gateway):
        devices = len(gateway.devices_on_van())
        self.scan(screen, "ALCLB1A2C000")
        self.scan(screen, "alcl b1a2c000")
        assert screen.sees("ALCLB1A2C000 is counted already")
        screen.tap("Undo ALCLB1A2C000")
        assert screen.sees(f"0 of {devices} found")

    def test_goes_on_from_label_to_label_while_the_camera_is_open(self, open_app, gateway, monkeypatch):
        said = []

        class Camera(scanner.NativeScanner):
            live = True

            async def scan(self, *, title, hint="", judge=None, seconds=60):
                for text in ("4006381333931", "ALCLB1A2C000", "ALCLB1A2C000", "STRANGER01", "ALCLB1A2C000"):
                    said.append(judge(scanner.Reading(text=text, source="camera", frames=2)))
                raise scanner.ScanClosed("cancelled")

        monkeypatch.setattr("mobile.screens.count.scanner", Camera)
        devices = len(gateway.devices_on_van())
        screen = open_app("/count")
        screen.tap("Open camera")
        assert said == [
            "That code names no device. Scan the serial on the label.",
            f"ALCLB1A2C000: 1 of {devices} found",
            f"ALCLB1A2C000: 1 of {devices} found",
            "STRANGER01 is not booked on this van. It is listed",
            "ALCLB1A2C000 is counted already",
        ]
        assert screen.sees(f"1 of {devices} found")

    def test_keeps_the_app_open_while_labels_are_read(self, open_app, gateway, desk, clock, monkeypatch):
        left = []

        class Camera(scanner.NativeScanner):
            live = True

            async def scan(self, *, title, hint="", judge=None, seconds=60):
                for text in ("ALCLB1A2C000", "STRANGER01"):
                    clock.forward(minutes=4)
                    judge(scanner.Reading(text=text, source="camera", frames=2))
                    left.append(desk.auto_lock.seconds_left())
                raise scanner.ScanClosed("cancelled")

        monkeypatch.setattr("mobile.screens.count.scanner", Camera)
        gateway.prefer(lock_minutes="5")
        open_app("/count").tap("Open camera")
        assert left == [300, 300]

    def test_says_so_when_the_device_is_full_and_shows_nothing_as_counted(self, screen, gateway):
        gateway._store._disk.execute("PRAGMA query_only=ON")
        self.scan(screen, "ALCLB1A2C000")
        assert screen.sees("attempt to write a readonly database")
        assert "Undo ALCLB1A2C000" not in screen.names()
        gateway._store._disk.execute("PRAGMA query_only=OFF")
        self.scan(screen, "ALCLB1A2C000")
        screen.tap("Undo ALCLB1A2C000")

    def test_counts_no_product_number(self, screen):
        self.scan(screen, "4006381333931")
        assert screen.sees("That code names no device.")

    def test_is_kept_over_a_look_at_another_screen_and_books_nothing(self, screen, gateway, desk):
        self.scan(screen, "ALCLB1A2C000")
        screen.tap("Back")
        screen.tap("Count the van")
        assert screen.sees("Undo ALCLB1A2C000")
        assert gateway.queue() == []


COLLEAGUE, THEIR_VAN = UUID(int=7), UUID(int=8)


def code_on(screen) -> str:
    """The code as text, to be copied."""
    return next(text for text in screen.texts() if text.startswith('["TR-'))


class TestHandingOver:
    OUTLET = "Fibre outlet, 2 ports"

    def left(self, gateway) -> int:
        return next(view.left for view in gateway.van_stock() if view.product.name == self.OUTLET)

    def test_shows_a_code_and_reads_the_answer(self, open_app, gateway):
        before = self.left(gateway)
        screen = open_app("/stock")
        screen.tap("Hand over")
        screen.tap(f"More {self.OUTLET}")
        screen.tap("ONT, 4 ports, Wi-Fi 5 ALCLB1A2C000")
        screen.tap("Show the code")
        assert screen.sees(f"1 × {self.OUTLET}, ONT, 4 ports, Wi-Fi 5 ALCLB1A2C000")
        held = read_offer(code_on(screen))
        assert held == gateway.held_out()
        transfer = Transfer(
            offer=held.offer, taker_id=COLLEAGUE, taker_van_id=THEIR_VAN, lines=held.offer.lines
        )
        answer = answer_of(taken(held, transfer, "theirs"), "Ben").as_text()
        screen.type_into("Your colleague's answer", "ALCLB1A2C000", enter=True)
        assert screen.sees("That is no answer to an offer")
        screen.type_into("Your colleague's answer", answer, enter=True)
        assert [item.type for item in gateway.queue()] == ["hand_over"]
        assert self.left(gateway) == before - 1
        assert "ALCLB1A2C000" in [asset.serial for asset in gateway.devices_on_van()], "it was not taken"

    @pytest.mark.parametrize(
        ("why", "sentence"),
        [("typed", words.TYPE_INSTEAD), ("timeout", words.SCAN_TIMEOUT), ("cancelled", "")],
    )
    def test_says_what_else_to_do_where_the_camera_read_nothing(
        self, open_app, gateway, desk, monkeypatch, why, sentence
    ):
        class Camera(scanner.NativeScanner):
            live = True

            async def scan(self, *, title, hint="", judge=None, seconds=60):
                raise scanner.ScanClosed(why)

        monkeypatch.setattr("mobile.screens.take.scanner", Camera)
        open_app("/take").tap("Scan the code")
        assert (desk.shell.notice.text if desk.shell.notice else "") == sentence

    def test_keeps_the_offer_over_a_look_at_another_screen_and_withdraws_it(self, open_app, gateway):
        screen = open_app("/give")
        screen.tap(f"More {self.OUTLET}")
        screen.tap("Show the code")
        screen.tap("Back")
        screen.tap("Hand over")
        assert screen.sees("Your colleague scans this")
        screen.tap("Withdraw the offer")
        assert screen.sees("If your colleague has taken it already, the office learns it from their phone")
        assert (gateway.held_out(), gateway.queue()) == (None, [])


class TestTakingOver:
    def offer(self, gateway):
        sku = next(
            view.product.sku for view in gateway.van_stock() if view.product.name == "Fibre outlet, 2 ports"
        )
        ont = next(asset.sku for asset in gateway.devices_on_van() if asset.serial == "ALCLB1A2C000")
        offer = Offer(
            id=UUID(int=9),
            giver_id=COLLEAGUE,
            giver_van_id=THEIR_VAN,
            offered_at=datetime(2026, 11, 23, 6, tzinfo=UTC),
            lines=(PartLine(sku=sku, quantity=2),),
            devices=(HandedDevice(serial="BEN0001", sku=ont),),
        )
        return held_out(offer, "theirs", "Ben Korhonen")

    def test_shows_what_is_offered_and_takes_less(self, open_app, gateway):
        held = self.offer(gateway)
        screen = open_app("/stock")
        screen.tap("Take over")
        screen.type_into("Your colleague's code", held.as_text(), enter=True)
        assert screen.sees("Ben Korhonen hands you")
        screen.tap("More Fibre outlet, 2 ports")
        screen.tap("Less Fibre outlet, 2 ports")
        screen.tap("I have this in hand")
        assert [item.type for item in gateway.queue()] == ["take_over"]
        assert "BEN0001" in [asset.serial for asset in gateway.devices_on_van()]
        answer = read_answer(code_on(screen))
        assert [line.quantity for line in given(held, answer).transfer.lines] == [1]
        screen.tap("My colleague has scanned it")
        assert gateway.offered_to_me() is None

    def test_takes_all_of_the_next_offer_whatever_was_lowered_before(self, open_app, gateway):
        first = self.offer(gateway)
        second = held_out(replace(first.offer, id=UUID(int=10)), "theirs", "Ben Korhonen")
        screen = open_app("/take")
        screen.type_into("Your colleague's code", first.as_text(), enter=True)
        screen.tap("Less Fibre outlet, 2 ports")
        screen.tap("Not now")
        screen.type_into("Your colleague's code", second.as_text(), enter=True)
        screen.tap("I have this in hand")
        answer = read_answer(code_on(screen))
        assert [line.quantity for line in given(second, answer).transfer.lines] == [2]

    def test_stays_where_it_is_while_the_device_is_full(self, open_app, gateway, desk):
        held = self.offer(gateway)
        gateway.take_over(held, held.offer.lines, held.offer.devices)
        screen = open_app("/take")
        screen.type_into("Your colleague's code", held.as_text(), enter=True)
        gateway._store._disk.execute("PRAGMA query_only=ON")
        screen.tap("My colleague has scanned it")
        assert screen.sees("Free some space, then try again")
        assert (desk.shell.route, gateway.offered_to_me()) == ("/take", held)

    def test_leaves_a_device_out(self, open_app, gateway):
        screen = open_app("/take")
        screen.type_into("Your colleague's code", self.offer(gateway).as_text(), enter=True)
        screen.tap("ONT, 4 ports, Wi-Fi 5 BEN0001")
        screen.tap("I have this in hand")
        assert "BEN0001" not in [asset.serial for asset in gateway.devices_on_van()]

    def test_shows_the_answer_again_where_the_same_code_is_read(self, open_app, gateway):
        held = self.offer(gateway)
        gateway.take_over(held, held.offer.lines, held.offer.devices)
        screen = open_app("/take")
        screen.type_into("Your colleague's code", held.as_text(), enter=True)
        assert screen.sees("Now your colleague scans this")
        assert len(gateway.queue()) == 1

    def test_refuses_another_code_and_leaves_an_offer(self, open_app, gateway):
        screen = open_app("/take")
        screen.type_into("Your colleague's code", "ALCLB1A2C000", enter=True)
        assert screen.sees("That is no code of a colleague who hands something over")
        screen.type_into("Your colleague's code", self.offer(gateway).as_text(), enter=True)
        screen.tap("Not now")
        assert (gateway.offered_to_me(), gateway.queue()) == (None, [])


class TestSync:
    def test_lists_every_tap_with_its_state(self, open_app, gateway):
        gateway.send(StartTravel(work_order_id=REPAIR))
        gateway.send(Arrive(work_order_id=REPAIR))
        screen = open_app("/sync")

        assert screen.sees("Only on this device (2)")
        assert [text for text in screen.texts() if text == "Saved here"] == ["Saved here", "Saved here"]

    def test_shows_first_what_needs_a_person(self, open_app, gateway):
        gateway.send(StartTravel(work_order_id=REPAIR))
        order = gateway.order(REPAIR)
        cancelled = replace(order, state=WorkOrderState.CANCELLED, travel_started_at=None, version=9)
        day_of_work.send_down(gateway._store, [cancelled])
        gateway._look_again()
        screen = open_app("/sync")

        assert screen.sees("Needs attention (1)")
        assert screen.sees("The office cancelled WO-1041.")
        assert "Sync: 1 needs attention, 1 not sent" in screen.names()

    def test_shows_all_steps_of_a_job_that_wait_for_one_decision_as_one_card(self, open_app, gateway):
        gateway.send(StartTravel(work_order_id=REPAIR))
        gateway.send(Arrive(work_order_id=REPAIR))
        for number in range(5):
            gateway.send(AddNote(work_order_id=REPAIR, text=f"Look {number}"))
        order = gateway.order(REPAIR)
        cancelled = replace(order, state=WorkOrderState.CANCELLED, travel_started_at=None, version=9)
        day_of_work.send_down(gateway._store, [cancelled])
        gateway._look_again()
        blocked = [item for item in gateway.queue() if item.state == "refused_local"]
        assert len({item.detail for item in blocked}) == 1 < len(blocked), "one reason for several steps"
        screen = open_app("/sync")

        assert [text for text in screen.texts() if text == "Needs you"] == ["Needs you"]
        assert [text for text in screen.texts() if text == blocked[0].detail] == [blocked[0].detail]
        assert screen.sees(f"{len(blocked)} steps, 08:05")
        shown = ", ".join(item.title for item in reversed(blocked))
        assert screen.sees(words.which_steps([item.title for item in reversed(blocked)])), shown

    def test_asks_the_background_to_send_now(self, open_app, desk):
        asked: list[str] = []
        desk.nudge = lambda: asked.append("now")
        screen = open_app("/sync")
        screen.tap("Send now")

        assert asked == ["now"]

    @pytest.mark.parametrize(
        ("promised", "sentence"),
        [
            (True, "The browser keeps our data"),
            (False, "The browser may clear our data when the phone is full: send often"),
        ],
    )
    def test_says_whether_the_browser_keeps_our_data(self, open_app, desk, promised, sentence):
        desk.storage = "browser"
        screen = open_app("/sync", page_facts=PageFacts(storage_is_persistent=promised))

        assert screen.sees(sentence)

    @pytest.mark.parametrize(
        ("usage", "sentence"),
        [
            (Usage(312_400_000, 2_100_000_000), "0.3 of 2.1 GB used"),
            (
                Usage(95_000_000, 100_000_000),
                "95.0 of 100.0 MB used. Nearly full: photos that the office has go first",
            ),
        ],
    )
    def test_says_how_much_room_there_is(self, open_app, desk, usage, sentence):
        desk.usage = lambda: usage

        assert open_app("/sync").sees(sentence)

    def test_offers_a_new_version_only_when_everything_is_sent(self, open_app, desk, gateway):
        facts = PageFacts(update_waiting=True)
        screen = open_app("/sync", page_facts=facts)
        assert "Change to it now" in screen.names()

        screen.do(lambda: gateway.send(StartTravel(work_order_id=REPAIR)))

        assert screen.sees("A new version is ready. It waits until 1 unsent entry is sent")
        assert "Change to it now" not in screen.names()


class TestOneScreenOrTwo:
    def test_shows_list_and_job_side_by_side_on_a_tablet(self, open_app):
        screen = open_app("/", width=1024)

        assert screen.sees("0 of 6 jobs done")
        assert "Start travel" in screen.names()
        assert [name for name in screen.names() if name.startswith("Sync:")] == ["Sync: All sent 08:05"]

    @pytest.mark.parametrize("route", ["/give", "/take", "/count"])
    def test_names_the_stock_while_it_is_handed_over(self, open_app, route):
        screen = open_app(route, width=1000)
        [rail] = [control for control in screen.controls() if isinstance(control, ft.NavigationRail)]
        assert rail.selected_index == 1

    def test_leads_to_my_time_beside_an_open_job(self, open_app, desk):
        screen = open_app(job_route(REPAIR), width=1000)
        screen.tap("My time")
        assert desk.shell.route == "/time"

    def test_follows_when_the_tablet_is_turned(self, open_app, desk):
        screen = open_app(job_route(REPAIR), width=1024)
        assert screen.sees("0 of 6 jobs done")

        screen.do(lambda: setattr(desk.shell, "width", 600))

        assert not screen.sees("0 of 6 jobs done")
        assert screen.sees("Hämeentie 31")


class TestWhatIsTold:
    def test_good_news_leaves_by_itself_and_a_refusal_stays(self, gateway):
        started = []
        desk = Desk(gateway, now=lambda: MORNING, run=started.append)

        desk.send(Arrive(work_order_id=REPAIR))
        desk.send(CloseWorkOrder(work_order_id=REPAIR))

        assert desk.shell.notice.mood == "bad"
        assert desk.shell.notice.text.startswith("Record optical receive power (-27 to -8 dBm); ")
        assert [task.__name__ for task in started].count("fade") == 1

    def test_a_job_that_left_this_device_says_so(self, open_app):
        screen = open_app(job_route(uid(0xFFF)))

        assert screen.sees("This job is no longer on this device.")

    def test_warns_of_a_job_that_gets_late(self, open_app, clock, desk):
        clock.now = MORNING + timedelta(hours=3, minutes=50)
        screen = open_app("/")

        assert screen.sees("You get there 12:03, promised until 12:00")


class TestLanguageAndDisplay:
    @pytest.fixture
    def worn(self, desk, monkeypatch):
        """What the app would put on; the words are spoken for real."""
        looks: list[Look] = []

        def wear(look: Look) -> None:
            looks.append(look)
            words.speak(look.language or "en")

        monkeypatch.setattr(desk, "_wear", wear)
        yield looks
        words.speak("en")

    def test_changes_every_word_at_once_and_keeps_the_choice(self, open_app, desk, gateway, worn):
        screen = open_app("/sync")
        screen.tap("Settings")
        screen.tap("Language: Deutsch")

        assert screen.sees("Einstellungen")
        assert worn == [Look(language="de")]
        assert Desk(gateway).shell.look == Look(language="de")
        screen.tap("Zurück")
        assert (desk.shell.route, screen.sees("Abgleich")) == ("/sync", True)

    def test_chooses_one_thing_without_changing_the_other(self, open_app, gateway, worn):
        screen = open_app("/settings")
        screen.tap("Appearance: Sunlight")
        screen.tap("Text size: 200 %")

        assert worn[-1] == Desk(gateway).shell.look == Look(theme="sunlight", text=200)

    def test_forgets_what_this_version_does_not_know(self, gateway):
        gateway.prefer(language="tlh", theme="neon", text="999")
        assert Desk(gateway).shell.look == Look()


class TestReadiness:
    def test_says_on_the_sync_screen_that_all_is_here(self, open_app):
        screen = open_app("/sync")

        assert screen.sees("Ready to work without a network?")
        assert screen.sees("Ready for 6 jobs")
        assert screen.sees(f"protocol {PROTOCOL}, tables {len(MIGRATIONS)}, complete")

    def test_says_on_the_days_list_what_is_missing_and_leads_there(self, open_app, gateway, clock, desk):
        clock.forward(hours=13)
        screen = open_app()
        screen.tap("Sync: Not ready: 1 thing is missing")

        assert desk.shell.route == "/sync"
        assert screen.sees("Connect once before you drive.")

    def test_leaves_the_days_list_alone_when_nothing_is_missing(self, open_app):
        assert not any(name.startswith("Sync: Not ready") for name in open_app().names())


class TestAnEntryThatNeedsSomebody:
    def test_says_what_to_do_and_leads_to_its_job(self, open_app, gateway, desk):
        gateway.send(StartTravel(work_order_id=REPAIR))
        there = replace(gateway.order(REPAIR), state=WorkOrderState.CANCELLED, version=9)
        day_of_work.send_down(gateway._store, [there], at=MORNING + timedelta(seconds=1))
        gateway._look_again()
        screen = open_app("/sync")

        assert screen.sees("Look at the job. This is sent all the same, and dispatch decides.")
        screen.tap("Open the job")
        assert desk.shell.route == job_route(REPAIR)

    def test_says_of_what_is_only_here_that_it_goes_by_itself(self, open_app, gateway):
        gateway.send(StartTravel(work_order_id=REPAIR))

        assert open_app("/sync").sees("Nothing to do: it goes by itself as soon as there is a network.")


class TestPhotosOnWiFi:
    @pytest.fixture
    def screen(self, open_app, gateway):
        gateway.prefer(photos="wifi")
        gateway.add_photo(REPAIR, b"\xff\xd8\xff\xe0 a photo", "image/jpeg")
        gateway.add_photo(REPAIR, b"\xff\xd8\xff\xe0 another", "image/jpeg")
        return open_app

    def test_are_told_on_the_sync_screen_and_can_be_sent_all_the_same(self, screen, gateway):
        gateway._metered = lambda: True
        screen = screen("/sync")
        assert screen.sees("2 photos wait for Wi-Fi. Everything else is sent.")
        screen.tap("Send photos now")
        assert not screen.sees("wait for Wi-Fi")
        assert screen.sees("2 pictures still to send")

    def test_wait_for_a_tap_where_the_device_does_not_tell_its_network(self, screen):
        assert screen("/sync").sees("2 photos wait here until you send them. Everything else is sent.")

    def test_are_a_choice(self, open_app, gateway):
        screen = open_app("/settings")
        assert screen.sees("This device does not say whether it is on Wi-Fi.")
        screen.tap("Photos: Only on Wi-Fi")
        assert gateway.preference("photos") == "wifi"
        screen.tap("Photos: Send at once")
        assert not gateway.photos_only_on_wifi
