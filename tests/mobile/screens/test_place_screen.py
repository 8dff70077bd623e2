"""The job's screen: what is known of the place, and the question whether one has arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import flet as ft
import flet.canvas as cv
import pytest
from day_of_work import MORNING, a_brief, send_down, the_devices, the_orders

from mobile.state import Desk, job_route
from mobile.views.nearby import Position
from shared.assets import AssetState
from shared.commands import StartTravel
from shared.work_orders import WorkOrderState

REPAIR, INSTALL, *_ = the_orders()
HERE = Position(lat=REPAIR.place.lat, lon=REPAIR.place.lon, accuracy_metres=12)


class TestThePlace:
    @pytest.fixture
    def screen(self, open_app, gateway):
        send_down(gateway._store, [a_brief()], at=MORNING + timedelta(seconds=1))
        gateway._look_again()
        return open_app(job_route(REPAIR.id))

    def test_tells_visits_faults_and_other_jobs(self, screen):
        assert screen.sees("Other open repairs on this cabinet")
        assert screen.sees("WO-1090, On the way, since 22 Nov 06:05")
        assert screen.sees("WO-1099, Swap device, To do, 26 Nov 2026, another address")
        assert screen.sees("14 Nov 2026, Repair, WO-0900")

    def test_draws_the_light_and_says_it(self, screen):
        [canvas] = [control for control in screen.controls() if isinstance(control, cv.Canvas)]
        circles = [shape for shape in canvas.shapes if isinstance(shape, cv.Circle)]

        assert len(circles) == 5  # four visits, and a ring around the one that is too weak
        assert screen.sees("Allowed from -27 dBm to -8 dBm.")

    def test_of_which_nothing_is_known_says_so_only_when_the_office_was_asked(self, open_app, gateway):
        assert not open_app(job_route(REPAIR.id)).sees("Earlier visits here")
        empty = replace(a_brief(), visits=(), open_orders=(), faults=())
        send_down(gateway._store, [empty], at=MORNING + timedelta(seconds=1))
        gateway._look_again()

        assert open_app(job_route(REPAIR.id)).sees("Nobody of us was here before, as far as is known.")

    def test_lets_one_write_and_call(self, screen):
        urls = {control.content.value: control.url for control in screen.controls()
                if isinstance(control, ft.OutlinedButton) and control.url}  # fmt: skip

        assert urls["Message"] == "sms:+358405550012"
        assert urls["Call"] == "tel:+358405550012"
        assert urls["Map"].startswith("geo:60.186000,24.955000")

    def test_warns_of_a_quarantined_lot(self, open_app, gateway):
        first = next(device for device in the_devices() if device.serial == "ALCLB1A2C000")
        bad = replace(first, batch="L7", state=AssetState.QUARANTINED)
        send_down(gateway._store, [bad], at=MORNING + timedelta(seconds=1))
        gateway._look_again()

        screen = open_app(job_route(INSTALL.id))
        assert screen.sees("On your van: Nokia G-2425G-B ALCLB1A2C000 is in quarantine. Don't fit it.")


def test_a_job_without_a_brief_is_named_where_others_have_one(open_app, gateway):
    send_down(gateway._store, [a_brief()], at=MORNING + timedelta(seconds=1))
    gateway._look_again()

    assert open_app("/sync").sees("No earlier visits and faults for WO-1042, WO-1043, WO-1044, WO-1045")


class TestTheQuestionWhetherOneHasArrived:
    QUESTION = "You seem to be at Hämeentie 31. Arrived?"

    @pytest.fixture
    def asked(self) -> list[bool]:
        """What was asked of the phone: begin, or stop."""
        return []

    @pytest.fixture
    def desk(self, gateway, clock, asked) -> Desk:
        return Desk(gateway, now=clock, watch=asked.append)

    def test_is_off_until_it_is_chosen_and_asks_the_phone_nothing(self, open_app, desk, gateway, asked):
        gateway.send(StartTravel(work_order_id=REPAIR.id))
        screen = open_app(job_route(REPAIR.id))
        screen.do(lambda: desk.found(HERE))

        assert set(asked) == {False}
        assert not screen.sees(self.QUESTION)

    def test_asks_the_phone_only_while_somebody_travels(self, desk, gateway, asked):
        desk.suggest_arrival(True)
        assert asked[-1] is False
        gateway.send(StartTravel(work_order_id=REPAIR.id))
        assert asked[-1] is True
        desk.suggest_arrival(False)
        assert asked[-1] is False

    @pytest.fixture
    def there(self, open_app, desk, gateway):
        desk.suggest_arrival(True)
        gateway.send(StartTravel(work_order_id=REPAIR.id))
        screen = open_app(job_route(REPAIR.id))
        screen.do(lambda: desk.found(HERE))
        return screen

    def test_records_nothing_by_itself_and_the_arrival_on_yes(self, there, gateway):
        assert there.sees(self.QUESTION)
        assert gateway.order(REPAIR.id).state is WorkOrderState.TRAVELLING
        there.tap("Yes, arrived")

        assert gateway.order(REPAIR.id).state is WorkOrderState.ON_SITE
        assert not there.sees(self.QUESTION)

    def test_is_not_repeated_after_a_no(self, there, desk, gateway):
        there.tap("No")
        there.do(lambda: desk.found(replace(HERE, accuracy_metres=8)))

        assert not there.sees(self.QUESTION)
        assert gateway.order(REPAIR.id).state is WorkOrderState.TRAVELLING

    def test_draws_nothing_anew_while_only_the_position_changes(self, there, desk):
        drawn: list[str | None] = []
        stop = desk.shell.subscribe(lambda _shell, field: drawn.append(field))
        for metres in (8, 9, 10):
            there.do(lambda metres=metres: desk.found(replace(HERE, accuracy_metres=metres)))
        assert drawn == []
        there.do(lambda: desk.found(replace(HERE, lat=HERE.lat + 0.1)))
        stop()

        assert drawn == ["reached_id"]
        assert not there.sees(self.QUESTION)

    def test_stands_on_the_days_list_too(self, there, desk):
        there.do(lambda: desk.go("/"))

        assert there.sees(self.QUESTION)

    def test_never_leaves_the_phone(self, there, gateway):
        there.tap("Yes, arrived")
        said = b"".join(entry.body for entry in gateway._store.entries()).decode()

        assert str(HERE.lat) not in said and str(HERE.lon) not in said

    def test_is_chosen_in_the_settings_which_say_what_becomes_of_it(self, open_app, gateway):
        screen = open_app("/settings")
        assert screen.sees("The position stays on this phone and is sent to nobody")
        screen.tap("Suggest “Arrived” when I am there: On")

        assert gateway.preference("suggest_arrival") == "yes"

    def test_says_so_when_the_phone_gives_no_position(self, open_app, desk):
        desk.suggest_arrival(True)
        screen = open_app("/settings")
        screen.do(lambda: desk.found(None))

        assert screen.sees("The phone does not give its position.")
