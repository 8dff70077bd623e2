"""What the page "Devices" says: who holds what unsent, whose clock is wrong, what became of each device."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from console_day import Console, a_console

from server.access import device_page, devices
from server.access.device_page import DeviceLine, State
from server.access.heartbeat import Left
from server.access.models import DeviceRow, RetiredTokenRow
from server.dispatch.models import TechnicianRow

HOUR = timedelta(hours=1)


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path) as found:
        yield found


def a_device(console: Console, name: str = "Aino Virtanen", **values: Any) -> UUID:
    technician = console.technician(name)
    with console.database.write() as session:
        code = devices.new_code(session, technician, console.now)
        row, _ = devices.register(session, code, f"{name}'s phone", "android", console.now)
        for column, value in values.items():
            setattr(row, column, value)
        return row.id


def the_line(console: Console) -> DeviceLine:
    with console.database.read() as session:
        [line] = device_page.listing(session, console.now)
    return line


class TestALine:
    def test_says_what_only_the_device_has_and_since_when(self, console: Console):
        since = console.now - 5 * HOUR
        a_device(console, queue_length=1, unsent_photos=2, oldest_unsent_at=since)
        line = the_line(console)
        assert (line.holds, line.oldest_unsent_at, line.late) == ("1 entry and 2 photos", since, True)

    def test_is_not_late_before_four_hours_nor_when_nothing_waits(self, console: Console):
        device_id = a_device(console, queue_length=3, oldest_unsent_at=console.now - 3 * HOUR)
        assert (the_line(console).holds, the_line(console).late) == ("3 entries", False)
        with console.database.write() as session:
            row = session.get_one(DeviceRow, device_id)
            row.queue_length, row.oldest_unsent_at = 0, console.now - 9 * HOUR
        assert (the_line(console).holds, the_line(console).late) == ("", False)

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "right"),
            (-120, "right"),
            (121, "2 min behind"),
            (-7_200, "2 h ahead"),
            (2**18, "3 days behind"),
        ],
    )
    def test_says_how_wrong_the_clock_is(self, console: Console, seconds: int, words: str):
        a_device(console, clock_offset_seconds=seconds)
        assert the_line(console).clock == words

    @pytest.mark.parametrize(
        ("free", "said"), [(None, (None, False)), (2**30, (1024, False)), (2**20, (1, True))]
    )
    def test_says_how_much_storage_is_left(self, console: Console, free: int | None, said: object):
        a_device(console, storage_left_bytes=free)
        assert (the_line(console).free_mb, the_line(console).storage_short) == said

    def test_names_what_became_of_the_device(self, console: Console):
        device_id = a_device(console)
        assert the_line(console).state is State.IN_USE
        for column, state in (
            ("token_expires_at", State.RUN_OUT),
            ("revoked_at", State.SIGNED_OUT),
            ("wipe_ordered_at", State.WIPE_ORDERED),
            ("wiped_at", State.WIPED),
        ):
            with console.database.write() as session:
                setattr(session.get_one(DeviceRow, device_id), column, console.now - HOUR)
            assert the_line(console).state is state

    def test_says_that_an_old_sign_in_was_used(self, console: Console):
        device_id, used = a_device(console), console.now - HOUR
        with console.database.write() as session:
            for name, at in (("a", None), ("b", used - HOUR), ("c", used)):
                session.add(
                    RetiredTokenRow(token_hash=name, device_id=device_id, retired_at=used, used_at=at)
                )
        assert the_line(console).copied_at == used


class TestThePage:
    def test_shows_all_of_it(self, console: Console):
        device_id = a_device(
            console, queue_length=3, oldest_unsent_at=console.now - 5 * HOUR, app_version="2.1",
            protocol=2, clock_offset_seconds=600, storage_left_bytes=2**30,
        )  # fmt: skip
        with console.database.write() as session:
            session.add(
                RetiredTokenRow(
                    token_hash="x", device_id=device_id, retired_at=console.now, used_at=console.now
                )
            )
            row = session.get_one(DeviceRow, device_id)
            session.get_one(TechnicianRow, row.technician_id).active = False
        with console.client() as client:
            console.signed_in(client)
            page = client.get("/devices").text
        text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        for words in (
            "Aino Virtanen left", "2.1 protocol 2", "3 entries", "10 min behind", "1024 MB",
            "An old sign-in of this device was used", "May only send, into the inbox.", "Erase this device",
        ):  # fmt: skip
            assert words in text, words
        assert '<strong class="bad">3 entries</strong>' in page

    def test_tells_job_by_job_what_would_be_lost(self, console: Console):
        at = console.now - HOUR
        left = [
            Left(type=type, order_number=number, made_at=at).as_json()
            for type, number in (
                ("close_work_order", "WO-2"), ("photo", "WO-2"), ("photo", "WO-2"), ("record_check", "WO-1"),
            )
        ]  # fmt: skip
        a_device(console, queue_length=2, unsent_photos=2, unsent=left, last_seen_at=at)
        line = the_line(console)
        assert [(job.order_number, job.things, job.newest_at) for job in line.carried] == [
            ("WO-2", "close of the job, 2 photos", at),
            ("WO-1", "measurement", at),
        ]
        assert not line.more_carried
        with console.client() as client:
            console.signed_in(client)
            page = client.get("/devices").text
        assert page.count("WO-2: close of the job, 2 photos") == 2, "in the list, and before it is erased"

    def test_says_that_more_was_carried_than_is_listed(self, console: Console):
        one = Left(type="add_note", order_number="WO-1", made_at=console.now).as_json()
        a_device(console, queue_length=70, unsent=[one] * 50)
        line = the_line(console)
        assert ([job.things for job in line.carried], line.more_carried) == (["50 notes"], True)

    def test_lists_those_in_use_first(self, console: Console):
        a_device(console, "Aino Virtanen", revoked_at=console.now)
        a_device(console, "Eetu Korhonen")
        with console.database.read() as session:
            lines = device_page.listing(session, console.now)
        assert [(line.technician, line.state) for line in lines] == [
            ("Eetu Korhonen", State.IN_USE),
            ("Aino Virtanen", State.SIGNED_OUT),
        ]
