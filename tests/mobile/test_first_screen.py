"""What the page shows of the day while the app starts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import day_of_work

from mobile.first_screen import first_screen
from mobile.gateway import Gateway
from shared.commands import StartTravel
from sync.protocol import PROTOCOL, SyncResponse


def shown(gateway: Gateway, now: datetime) -> dict[str, object]:
    text = first_screen(gateway, now)
    assert text is not None
    return json.loads(text)


class TestTheFirstScreen:
    def test_is_the_day_as_it_was_last_known_and_until_midnight_only(self, gateway: Gateway):
        first = shown(gateway, day_of_work.MORNING)

        assert first["date"] == "Monday 23 November"
        assert first["done"] == "0 of 6 jobs done"
        assert first["as_of"] == "As of 08:05. Starting: you can tap in a moment"
        assert datetime.fromtimestamp(first["until"] / 1000, UTC) == datetime(2026, 11, 23, 22, tzinfo=UTC)
        assert first["cards"][0] == {
            "over": False,
            "starts": "08:30",
            "state": "To do",
            "heading": "Repair",
            "lines": ["Eero Lindqvist", "Hämeentie 31 · WO-1041", "Promised 08:00–12:00", "8 min drive"],
        }

    def test_is_the_day_by_the_offices_clock_and_over_by_the_devices(self, tmp_path):
        ahead = timedelta(hours=20)  # this device's clock: it believes that it is Tuesday
        gateway = day_of_work.a_gateway(tmp_path, now=lambda: day_of_work.MORNING + ahead)
        answer = SyncResponse(protocol=PROTOCOL, server_now=day_of_work.MORNING, cursor="later")
        received = day_of_work.MORNING + ahead
        gateway._store.apply(answer, received_at=received, clock_offset=-ahead)
        gateway._take_in()

        first = shown(gateway, received)

        assert (first["date"], first["as_of"][:11]) == ("Monday 23 November", "As of 08:05")
        midnight = datetime(2026, 11, 23, 22, tzinfo=UTC) + ahead
        assert datetime.fromtimestamp(first["until"] / 1000, UTC) == midnight

    def test_follows_each_tap_and_says_nothing_of_what_is_saved_or_sent(self, gateway: Gateway):
        gateway.send(StartTravel(work_order_id=day_of_work.the_orders()[0].id))

        text = first_screen(gateway, day_of_work.MORNING)

        assert "On the way" in text
        assert "aved" not in text
        assert "sent" not in text

    def test_is_nothing_where_a_pin_has_to_be_set_first(self, gateway: Gateway):
        gateway.lock._rounds = 10
        day_of_work.send_down(gateway._store, [replace(day_of_work.PROFILE, pin_length_min=6)])
        gateway._look_again()

        assert first_screen(gateway, day_of_work.MORNING) is None

    def test_is_nothing_before_a_technician_has_signed_in(self, tmp_path):
        store = day_of_work.a_store(tmp_path, registered=False)
        gateway = Gateway(store, day_of_work.NoWayOut())

        assert first_screen(gateway, day_of_work.MORNING) is None
