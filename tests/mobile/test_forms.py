"""What was entered and not saved is there again after the app was killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import day_of_work
import pytest
from day_of_work import uid

from mobile.device.place import Spot
from mobile.forms import Forgotten, plain, value_of
from mobile.gateway import Gateway
from mobile.parts.taken import Taken
from mobile.state import Desk, job_route
from shared.commands import CannotComplete, StartTravel
from shared.network_faults import FaultSign
from shared.work_orders import UnfinishedReason

JPEG = b"\xff\xd8\xff\xe0photo"
FAULT = "/fault"


def again(gateway: Gateway, **options: object) -> Desk:
    """The app started anew on the same file."""
    return Desk(Gateway(gateway._store, day_of_work.NoWayOut(), now=gateway._now), **options)


class TestAFormOfAnAppThatWasKilled:
    def test_is_as_it_was(self, desk: Desk, gateway: Gateway):
        entered = {
            "cabinet": "KAL-0312",
            "sign": FaultSign.NO_LIGHT,
            "ports": 4,
            "safe": False,
            "nothing": None,
            "photos": (JPEG, JPEG + b"2"),
            "spot": Spot(lat=60.19, lon=24.95, accuracy_m=12.5),
            "photo": Taken(jpeg=JPEG, spot=None, said="Saved"),
            "chosen": {"CABLE": 30, "OUTLET": "2x"},
            "picked": frozenset({"ALCLB1A2C001"}),
            "order": uid(7),
        }
        for name, value in entered.items():
            desk.keep_draft(name, value, route=FAULT)
        found = {name: value for (_, name), value in again(gateway).forms.drafts.items()}
        assert found == entered
        assert type(found["sign"]) is FaultSign

    def test_is_gone_once_it_was_sent_or_given_up(self, desk: Desk, gateway: Gateway):
        desk.go(FAULT)
        desk.keep_draft("note", "Door is open")
        desk.keep_draft("text", "Gate code 12", route="/stock")
        desk.drop_drafts()
        assert again(gateway).forms.drafts == {("/stock", "text"): "Gate code 12"}

    def test_of_a_job_that_is_over_is_not_shown_again(self, desk: Desk, gateway: Gateway):
        order = gateway.today()[0]
        here = job_route(order.id, "note")
        desk.keep_draft("text", "Gate code 12", route=here)
        assert again(gateway).forms.drafts == {(here, "text"): "Gate code 12"}
        gateway.send(StartTravel(work_order_id=order.id))
        gateway.send(CannotComplete(work_order_id=order.id, reason=UnfinishedReason.NO_ACCESS, text="Nobody"))
        assert again(gateway).forms.drafts == {}
        assert gateway.drafts("form ") == {}

    def test_with_what_a_scan_said_begins_with_a_new_scan(self, desk: Desk, gateway: Gateway):
        verdict = object()
        desk.keep_draft("verdict", verdict, route=FAULT)
        assert desk.draft("verdict", route=FAULT) is verdict
        assert again(gateway).forms.drafts == {}

    def test_that_another_version_kept_otherwise_is_forgotten(self, gateway: Gateway):
        for number, body in enumerate(
            ['{"is":"Gone","of":1}', '{"is":"FaultSign","of":"melted"}', "{}", "x"]
        ):
            gateway.keep_draft(f"form {FAULT} field{number}", body)
        assert again(gateway).forms.drafts == {}
        assert gateway.drafts("form ") == {}


class TestWriting:
    def test_waits_a_moment_but_not_with_a_photo(self, gateway: Gateway):
        started = []
        desk = again(gateway, run=started.append)
        for text in ("D", "Do", "Door"):
            desk.keep_draft("note", text, route=FAULT)
        assert (len(started), gateway.drafts("form ")) == (1, {})
        desk.keep_draft("photos", (JPEG,), route=FAULT)
        assert len(gateway.drafts("form ")) == 2
        desk.keep_draft("note", "Door open", route=FAULT)
        assert len(started) == 2
        assert gateway.drafts("form ").keys() == {f"form {FAULT} note", f"form {FAULT} photos"}
        assert again(gateway).draft("note", route=FAULT) == "Door"
        asyncio.run(started[1]())
        assert again(gateway).draft("note", route=FAULT) == "Door open"

    def test_on_a_full_device_keeps_it_on_the_screen(self, desk: Desk, gateway: Gateway):
        gateway._store._disk.execute("PRAGMA query_only=ON")
        desk.keep_draft("note", "Door is open", route=FAULT)
        assert desk.draft("note", route=FAULT) == "Door is open"

    def test_is_nothing_to_the_next_technician(self, desk: Desk, gateway: Gateway, tmp_path: Path):
        desk.keep_draft("note", "Door is open", route=FAULT)
        gateway._store.wipe("erased")
        gateway._look_again()
        gateway._tell()
        assert (desk.forms.drafts, gateway.drafts("form ")) == ({}, {})


@pytest.mark.parametrize("value", [object(), (1, object()), {"a": b"x", "b": object()}])
def test_what_only_memory_can_hold_is_not_made_plain(value: object):
    with pytest.raises(Forgotten):
        plain(value)


@pytest.mark.parametrize("value", ["", 0, True, None, 1.5, (), [1, (2, "3")], {}, b"", {1: "x"}])
def test_what_was_made_plain_comes_back_as_it_was(value: object):
    found = value_of(plain(value))
    assert (found, type(found)) == (value, type(value))
