"""The PIN on the screens: what a locked app shows, and what opens it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import day_of_work
import pytest
from day_of_work import PROFILE, send_down, uid
from flet_screen import Screen

from mobile.app import App
from mobile.device.network import PageFacts
from mobile.first_screen import FirstScreen, first_screen
from mobile.state import Desk, job_route
from shared.commands import AddNote, Arrive, StartTravel
from sync.client.transport import Answer

REPAIR = uid(0x100)
PIN = "2580"
ROUTES = (
    "/",
    "/stock",
    "/count",
    "/sync",
    "/settings",
    "/pin",
    "/sign-in",
    job_route(REPAIR),
    job_route(REPAIR, "close"),
)


@pytest.fixture
def locked(gateway, clock):
    """Started anew with a PIN, after a tap that is not sent."""
    gateway.lock._rounds = 10
    gateway.send(StartTravel(work_order_id=REPAIR))
    asyncio.run(gateway.lock.set(PIN))
    return Desk(gateway, now=clock)


@pytest.fixture
def screen(locked):
    with Screen(App, locked) as screen:
        yield screen


def of_customers(gateway) -> list[str]:
    orders = gateway.today()
    return [*(order.contact.name for order in orders), *(order.place.street for order in orders),
            *(order.number for order in orders)]  # fmt: skip


class TestALockedApp:
    @pytest.mark.parametrize("route", ROUTES)
    def test_shows_nothing_of_customers_on_any_route(self, locked, gateway, route):
        locked.shell.route = route
        with Screen(App, locked) as screen:
            said = " ".join([*screen.texts(), *screen.names()])
        assert [name for name in of_customers(gateway) if name in said] == []
        assert "Settings" not in said

    def test_says_what_is_not_sent(self, screen):
        assert screen.sees("1 saved on this device, not sent")
        assert screen.sees("What is not sent is still being sent while the app is locked.")

    def test_opens_by_the_pin_where_it_was(self, locked):
        locked.shell.route = "/stock"
        with Screen(App, locked) as screen:
            screen.type_into("PIN", PIN)
            screen.tap("Unlock")
            assert screen.sees("Van stock")
            assert not screen.sees("Locked")

    def test_stays_shut_for_another(self, screen, locked):
        screen.type_into("PIN", "1111", enter=True)
        assert screen.sees("That is not the PIN. 9 tries are left.")
        assert (screen.field("PIN").value, locked.shell.locked) == ("", True)

    def test_says_until_when_to_wait(self, screen, clock):
        for _ in range(5):
            screen.type_into("PIN", "1111", enter=True)
        assert screen.sees("That is not the PIN. Try again at 08:06.")
        screen.type_into("PIN", PIN, enter=True)
        assert screen.sees("Try again at 08:06.")
        clock.forward(seconds=30)
        screen.type_into("PIN", PIN, enter=True)
        assert screen.sees("Monday 23 November")

    def test_asks_for_a_code_of_the_office_in_the_end_and_loses_nothing(self, locked, gateway, clock):
        for _ in range(10):
            clock.forward(seconds=gateway.lock.wait_seconds)
            asyncio.run(gateway.lock.opens("1111"))
        with Screen(App, locked) as screen:
            assert screen.sees("Ask the office for a new registration code")
            assert "PIN" not in screen.names() and "Unlock" not in screen.names()
            technician = {"id": str(day_of_work.AINO), "name": "Aino Virtanen"}
            gateway._transport = Office({"device_id": str(uid(9)), "token": "new", "technician": technician})
            screen.tap("I forgot the PIN")
            assert screen.sees("It opens this device again without the PIN")
            screen.type_into("Registration code", "ABCD-1234")
            screen.tap("Sign in")
            assert screen.sees("Monday 23 November")
        assert (gateway.lock.is_set, gateway.status().unsent_commands) == (False, 1)


class Office:
    """Gives the device to whom it is told to."""

    def __init__(self, given: dict[str, object]) -> None:
        self._answer = Answer(
            status=201, headers={"content-type": "application/json"}, body=json.dumps(given).encode()
        )

    async def request(self, method, path, *, headers, body):
        assert (method, path) == ("POST", "/api/devices/register")
        return self._answer


class TestThePinScreen:
    @pytest.fixture
    def settings(self, open_app, gateway):
        gateway.lock._rounds = 10
        return open_app("/settings")

    def choose(self, screen, pin, again=None):
        screen.type_into("New PIN", pin)
        screen.type_into("New PIN again", again or pin)
        screen.tap("Save the PIN")

    def test_sets_one(self, settings, gateway, desk):
        assert "Lock after: 5 minutes without a tap" not in settings.names()
        settings.tap("Set a PIN")
        self.choose(settings, PIN)
        assert settings.sees("This device asks for the PIN from now on")
        assert (desk.shell.route, desk.shell.locked, gateway.lock.is_set) == ("/settings", False, True)
        assert settings.run(gateway.lock.opens(PIN))
        settings.tap("Back")
        assert desk.shell.route == "/"

    @pytest.mark.parametrize(
        ("pin", "again", "said"),
        [
            ("123", None, "A PIN has 4 to 8 digits"),
            ("1234", None, "Anybody would try that first: choose another PIN"),
            ("2580", "2581", "The two are not the same: type them again."),
        ],
    )
    def test_takes_no_bad_one(self, settings, gateway, pin, again, said):
        settings.tap("Set a PIN")
        self.choose(settings, pin, again)
        assert settings.sees(said)
        assert not gateway.lock.is_set

    def test_changes_it_and_takes_it_away_for_who_knows_it_only(self, settings, gateway):
        settings.run(gateway.lock.set(PIN))
        settings.tap("Change the PIN")
        settings.type_into("Present PIN", "1111")
        settings.tap("Do without a PIN")
        assert settings.sees("That is not the PIN. 9 tries are left.")
        self.choose(settings, "9731")
        assert settings.run(gateway.lock.opens(PIN)), "it is as it was"
        settings.type_into("Present PIN", PIN)
        self.choose(settings, "9731")
        assert settings.run(gateway.lock.opens("9731"))
        settings.tap("Change the PIN")
        settings.type_into("Present PIN", "9731")
        settings.tap("Do without a PIN")
        assert settings.sees("This device asks for no PIN any more")
        assert not gateway.lock.is_set

    def test_locks_when_somebody_guesses_there(self, settings, gateway, desk):
        settings.run(gateway.lock.set(PIN))
        settings.tap("Change the PIN")
        for _ in range(5):
            settings.type_into("Present PIN", "1111")
            settings.tap("Do without a PIN")
        assert (desk.shell.locked, gateway.lock.is_set) == (True, True)


def require(gateway, digits: int) -> None:
    """What the office asks comes down with the next contact."""
    send_down(gateway._store, [replace(PROFILE, pin_length_min=digits)])
    gateway._take_in()
    gateway._tell()


class TestAPinThatTheOfficeRequires:
    @pytest.fixture(autouse=True)
    def quick(self, gateway):
        gateway.lock._rounds = 10

    def choose(self, screen, pin):
        screen.type_into("New PIN", pin)
        screen.type_into("New PIN again", pin)
        screen.tap("Save the PIN")

    @pytest.mark.parametrize("route", [route for route in ROUTES if route != "/sign-in"])
    def test_is_asked_for_at_the_start_before_anything_else(self, gateway, clock, route):
        require(gateway, 6)
        desk = Desk(gateway, now=clock)
        desk.shell.route = route
        with Screen(App, desk) as screen:
            said = " ".join([*screen.texts(), *screen.names()])
            assert "Truckroll Fibre requires a PIN of at least 6 digits on this device." in said
            assert [name for name in of_customers(gateway) if name in said] == []
            assert not {"Back", "Do without a PIN", "I forgot the PIN"} & set(screen.names())

    @pytest.mark.parametrize("route", ["/", "/stock", "/sync", "/settings", job_route(REPAIR)])
    def test_is_asked_for_at_the_next_contact_and_gives_the_screen_back(self, open_app, gateway, desk, route):
        screen = open_app(route)
        before = set(screen.texts())
        screen.do(lambda: require(gateway, 6))
        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits")
        self.choose(screen, PIN)
        assert screen.sees("The PIN needs at least 6 digits here")
        assert not gateway.lock.is_set
        self.choose(screen, "973105")
        assert screen.sees("This device asks for the PIN from now on")
        assert (desk.shell.route, desk.shell.locked, gateway.lock.length) == (route, False, 6)
        assert before - set(screen.texts()) <= {"Set a PIN"}

    def test_waits_until_what_is_open_was_saved(self, open_app, gateway, desk):
        gateway.send(StartTravel(work_order_id=REPAIR))
        gateway.send(Arrive(work_order_id=REPAIR))
        screen = open_app(job_route(REPAIR, "note"))
        screen.type_into("Note", "Gate code 12")
        screen.do(lambda: require(gateway, 6))
        assert not desk.shell.pin_due
        screen.tap("Save note")
        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits")
        assert gateway.queue()[0].type == "add_note"
        self.choose(screen, "973105")
        assert (desk.shell.route, desk.shell.pin_due) == (job_route(REPAIR), False)

    def test_is_asked_for_when_the_browsers_own_button_leads_away(self, open_app, gateway, desk):
        screen = open_app("/count")
        screen.do(lambda: require(gateway, 6))
        assert not desk.shell.pin_due
        screen.do(lambda: desk.follow("/stock"))
        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits")

    def test_loses_nothing_and_keeps_nothing_from_being_sent(self, open_app, gateway, desk):
        screen = open_app("/")
        desk.forms.drafts[job_route(REPAIR, "note"), "text"] = "Gate code 12"
        screen.do(lambda: require(gateway, 6))
        screen.do(lambda: gateway.send(AddNote(work_order_id=REPAIR, text="Saved behind it")))
        assert screen.sees("1 saved on this device, not sent")
        assert screen.sees("What is not sent is still being sent.")
        assert [sent.type for sent in gateway._store.due()] == ["add_note"]
        self.choose(screen, "973105")
        assert desk.forms.drafts == {(job_route(REPAIR, "note"), "text"): "Gate code 12"}

    def test_replaces_one_that_is_too_short_for_who_knows_it_only(self, open_app, gateway, desk):
        asyncio.run(gateway.lock.set(PIN))
        gateway.lock.use_key("K")
        screen = open_app("/")
        screen.do(lambda: require(gateway, 6))
        screen.type_into("Present PIN", "1111")
        self.choose(screen, "973105")
        assert screen.sees("That is not the PIN. 9 tries are left.")
        assert gateway.lock.length == 4
        screen.type_into("Present PIN", PIN)
        self.choose(screen, "973105")
        assert (gateway.lock.length, gateway.lock.key, desk.shell.pin_due) == (6, "K", False)

    def test_that_was_forgotten_is_set_anew_with_a_code_of_the_office(self, open_app, gateway, desk):
        asyncio.run(gateway.lock.set(PIN))
        screen = open_app("/")
        screen.do(lambda: require(gateway, 6))
        screen.tap("I forgot the PIN")
        assert screen.sees("It opens this device again without the PIN")
        assert "Settings" not in " ".join(screen.names())
        screen.tap("Back")
        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits")
        screen.tap("I forgot the PIN")
        technician = {"id": str(day_of_work.AINO), "name": "Aino Virtanen"}
        gateway._transport = Office({"device_id": str(uid(9)), "token": "new", "technician": technician})
        screen.type_into("Registration code", "ABCD-1234")
        screen.tap("Sign in")
        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits")
        assert "Present PIN" not in screen.names()

    def test_is_not_asked_for_where_it_is_long_enough(self, open_app, gateway, desk):
        asyncio.run(gateway.lock.set("973105"))
        screen = open_app("/")
        screen.do(lambda: require(gateway, 6))
        assert screen.sees("Monday 23 November")
        assert not desk.shell.pin_due

    def test_of_unknown_length_is_asked_for_once_and_known_from_there(self, gateway, clock):
        asyncio.run(gateway.lock.set("973105"))
        kept = json.loads(gateway._store.lock)
        del kept["length"]
        gateway._store.keep_lock(json.dumps(kept))
        require(gateway, 6)
        desk = Desk(gateway, now=clock)
        desk.lock()
        with Screen(App, desk) as screen:
            screen.type_into("PIN", "973105", enter=True)
            assert screen.sees("Monday 23 November")
        assert not desk.shell.pin_due

    def test_can_be_changed_and_not_be_done_without(self, open_app, gateway, desk):
        asyncio.run(gateway.lock.set("973105"))
        require(gateway, 6)
        screen = open_app("/settings")
        screen.tap("Change the PIN")
        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits")
        assert "Do without a PIN" not in screen.names()
        screen.type_into("Present PIN", "973105")
        self.choose(screen, "84620")
        assert screen.sees("The PIN needs at least 6 digits here")
        self.choose(screen, "8462075")
        assert (desk.shell.route, gateway.lock.length) == ("/settings", 7)

    def test_can_be_done_without_again_once_the_office_asks_for_none(self, open_app, gateway):
        asyncio.run(gateway.lock.set("973105"))
        require(gateway, 6)
        screen = open_app("/pin")
        screen.do(lambda: require(gateway, 0))
        assert "Do without a PIN" in screen.names()

    def test_of_an_office_without_a_name_says_so_too(self, open_app, gateway):
        screen = open_app("/")
        send_down(gateway._store, [replace(PROFILE, pin_length_min=4, company="")])
        screen.do(lambda: (gateway._take_in(), gateway._tell()))
        assert screen.sees("Your office requires a PIN of at least 4 digits on this device.")


class TestTheDevicesOwnCheck:
    @pytest.fixture
    def asked(self, monkeypatch):
        """What the device is asked, and its next answers."""
        asked, answers = [], {"enrol": "K", "check": True}

        async def enrol(name):
            asked.append(name)
            return answers["enrol"]

        async def check_owner(key):
            asked.append(key)
            return answers["check"]

        monkeypatch.setattr("mobile.screens.settings.enrol", enrol)
        monkeypatch.setattr("mobile.screens.locked.check_owner", check_owner)
        return asked, answers

    def test_is_chosen_in_the_settings_and_opens_then(self, open_app, gateway, desk, asked):
        gateway.lock._rounds = 10
        asyncio.run(gateway.lock.set(PIN))
        screen = open_app("/settings", page_facts=PageFacts(passkey=True))
        screen.tap("Also unlock by finger or face")
        assert screen.sees("Finger or face unlock too from now on")
        screen.do(desk.lock)
        asked[1]["check"] = False
        screen.tap("Unlock by finger or face")
        assert screen.sees("That did not work: type the PIN.")
        asked[1]["check"] = True
        screen.tap("Unlock by finger or face")
        assert not desk.shell.locked
        screen.tap("Unlock by the PIN only")
        assert (gateway.lock.key, asked[0]) == (None, ["Aino Virtanen", "K", "K"])

    def test_is_not_used_where_the_device_did_not_agree(self, open_app, gateway, asked):
        gateway.lock._rounds = 10
        asyncio.run(gateway.lock.set(PIN))
        asked[1]["enrol"] = None
        screen = open_app("/settings", page_facts=PageFacts(passkey=True))
        screen.tap("Also unlock by finger or face")
        assert screen.sees("This device did not agree: the PIN alone unlocks.")
        assert gateway.lock.key is None

    def test_is_not_offered_where_there_is_none(self, screen, gateway, locked):
        assert "Unlock by finger or face" not in screen.names()


class TestLockingByItself:
    @pytest.fixture
    def screen(self, open_app, gateway):
        gateway.lock._rounds = 10
        asyncio.run(gateway.lock.set(PIN))
        return open_app("/settings")

    def test_after_the_minutes_that_were_chosen(self, screen, desk, clock, gateway):
        screen.tap("Lock after: 1 minute without a tap")
        assert gateway.preference("lock_minutes") == "1"
        clock.forward(seconds=50)
        assert (desk.lock_if_due(), desk.shell.locked) == (10, False)
        screen.tap("Back")
        clock.forward(seconds=59)
        assert desk.lock_if_due() == 1
        clock.forward(seconds=1)
        assert (screen.do(desk.lock_if_due), desk.shell.locked) == (None, True)
        assert screen.sees("Locked")

    def test_never_where_there_is_no_pin(self, open_app, desk, clock, gateway):
        gateway.lock.remove()
        clock.forward(days=1)
        assert (desk.lock_if_due(), desk.shell.locked) == (None, False)


class TestTheFirstScreenOfTheNextStart:
    def test_holds_nothing_of_the_day_where_there_is_a_pin(self, locked, gateway, clock):
        kept = json.loads(first_screen(gateway, clock()) or "")
        assert (kept["date"], kept["done"], kept["cards"]) == ("Locked", "", [])
        assert kept["as_of"] == "Starting: you can enter your PIN in a moment"

    def test_is_written_over_as_soon_as_there_is_one(self, gateway, clock):
        gateway.lock._rounds = 10
        kept: list[str | None] = []

        async def day() -> None:
            task = asyncio.create_task(FirstScreen(gateway, clock, kept.append).run())
            await gateway.lock.set(PIN)
            await asyncio.sleep(0.01)
            task.cancel()

        asyncio.run(day())
        assert "Locked" in (kept[0] or "")
