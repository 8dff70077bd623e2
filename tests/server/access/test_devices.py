"""A phone becomes a device by a one-time code, and stops being one when the office says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from console_day import Console, a_console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.access import devices, heartbeat
from server.access.callers import caller_of
from server.access.heartbeat import Heartbeat
from server.access.models import DeviceRow, RegistrationCodeRow
from server.access.tokens import digest, new_code, read_code
from server.dispatch.models import TechnicianRow
from shared.problems import BadValue, ExpiredToken, NotFound, RevokedDevice, SignInNeeded, UnsentWork

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path) as found:
        yield found


def reader(session: Session, token: str | None, now: datetime) -> DeviceRow:
    """The device that speaks, where it may read. Raises what is wrong, as a contact would."""
    caller = caller_of(session, token, now)
    if caller.refusal:
        raise caller.refusal
    return session.get_one(DeviceRow, caller.device.id)


def a_code(console: Console, technician: UUID) -> str:
    with console.database.write() as session:
        return devices.new_code(session, technician, NOON)


def registered(console: Console) -> tuple[UUID, str]:
    code = a_code(console, console.technician())
    with console.database.write() as session:
        device, token = devices.register(session, code, "Aino's phone", "web", NOON)
        return device.id, token


def a_heartbeat(*, queue_length: int) -> Heartbeat:
    return Heartbeat(
        protocol=2,
        app_version="0.1.0",
        queue_length=queue_length,
        unsent_photos=0,
        oldest_unsent_at=None,
        storage_left_bytes=None,
        clock_offset_seconds=-2,
    )


class TestACode:
    def test_reads_the_same_however_it_is_typed(self):
        assert read_code(" k7qd 3m9x") == read_code("K7QD-3M9X") == "K7QD-3M9X"
        assert read_code("oil0-1111") == "0110-1111"

    def test_is_eight_letters_that_nobody_confuses(self):
        letters = {letter for _ in range(300) for letter in new_code()}
        assert letters.isdisjoint("ILOU")
        assert len(new_code()) == 9

    def test_is_kept_only_as_its_digest(self, console: Console):
        code = a_code(console, console.technician())
        with console.database.read() as session:
            assert session.scalars(select(RegistrationCodeRow.code_hash)).all() == [digest(code)]

    def test_needs_a_technician(self, console: Console):
        with console.database.write() as session, pytest.raises(NotFound):
            devices.new_code(session, UUID(int=7), NOON)


class TestRegistering:
    def test_makes_a_device_that_its_token_opens(self, console: Console):
        device_id, token = registered(console)
        with console.database.read() as session:
            device = reader(session, token, NOON)
        assert (device.id, device.name, device.platform) == (device_id, "Aino's phone", "web")
        assert device.token_expires_at == NOON + timedelta(days=180)

    def test_spends_the_code(self, console: Console):
        code = a_code(console, console.technician())
        with console.database.write() as session:
            devices.register(session, code, "Phone", "web", NOON)
        with console.database.write() as session, pytest.raises(SignInNeeded, match="used already"):
            devices.register(session, code, "Another", "web", NOON)
        with console.database.read() as session:
            assert session.scalar(select(func.count()).select_from(DeviceRow)) == 1

    def test_is_refused_for_a_code_a_day_old(self, console: Console):
        code = a_code(console, console.technician())
        with console.database.write() as session, pytest.raises(ExpiredToken, match="too old"):
            devices.register(session, code, "Phone", "web", NOON + timedelta(days=1))

    def test_is_refused_for_a_code_nobody_made(self, console: Console):
        with console.database.write() as session, pytest.raises(SignInNeeded, match="not known"):
            devices.register(session, "AAAA-AAAA", "Phone", "web", NOON)

    @pytest.mark.parametrize(
        ("name", "platform", "field"), [(" ", "web", "device_name"), ("Phone", "fridge", "platform")]
    )
    def test_wants_a_name_and_a_known_platform_and_keeps_the_code_good(
        self, console: Console, name: str, platform: str, field: str
    ):
        code = a_code(console, console.technician())
        with console.database.write() as session, pytest.raises(BadValue) as refused:
            devices.register(session, code, name, platform, NOON)
        assert refused.value.field == field
        with console.database.write() as session:
            assert devices.register(session, code, "Phone", "web", NOON)

    def test_waits_while_the_phone_holds_unsent_work_of_somebody_else_and_keeps_the_code_good(
        self, console: Console
    ):
        aino, eetu = console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")
        code = a_code(console, eetu)
        with console.database.write() as session, pytest.raises(UnsentWork) as refused:
            devices.register(session, code, "Phone", "web", NOON, unsent_of=aino)
        assert refused.value.detail == (
            "This phone still holds unsent work of Aino Virtanen. Let it be sent, then enter this code for "
            "Eetu Korhonen again. If it can't be sent, dispatch signs the phone out first"
        )
        with console.database.write() as session:
            assert devices.register(session, code, "Phone", "web", NOON)[0].technician_id == eetu

    def test_goes_on_at_once_with_unsent_work_of_the_same_technician(self, console: Console):
        aino = console.technician("Aino Virtanen")
        code = a_code(console, aino)
        with console.database.write() as session:
            assert devices.register(session, code, "Phone", "web", NOON, unsent_of=aino)

    def test_over_http_answers_as_the_app_expects(self, console: Console):
        technician = console.technician("Eetu Korhonen")
        with console.database.write() as session:
            code = devices.new_code(session, technician, console.now)
        body = {"code": code.lower(), "device_name": "Phone", "platform": "test"}
        with console.client() as client:
            answer = client.post("/api/devices/register", json=body)
            again = client.post("/api/devices/register", json=body)
        assert answer.status_code == 201
        assert answer.json()["technician"] == {"id": str(technician), "name": "Eetu Korhonen"}
        assert set(answer.json()) == {"device_id", "token", "technician"}
        assert again.status_code == 401
        assert again.headers["content-type"] == "application/problem+json"
        assert again.json()["field"] == "code"

    def test_over_http_slows_down_who_guesses(self, console: Console):
        body = {"code": "AAAA-AAAA", "device_name": "Phone", "platform": "test"}
        with console.client() as client:
            answers = [client.post("/api/devices/register", json=body).status_code for _ in range(31)]
        assert answers == [401] * 30 + [429]


class TestADevice:
    def test_of_somebody_who_left_is_shut_out_too(self, console: Console):
        device_id, token = registered(console)
        with console.database.write() as session:
            device = session.get_one(DeviceRow, device_id)
            session.get_one(TechnicianRow, device.technician_id).active = False
        with console.database.read() as session, pytest.raises(RevokedDevice, match="not on the list"):
            reader(session, token, NOON)

    def test_is_shut_out_when_revoked_and_told_so(self, console: Console):
        device_id, token = registered(console)
        with console.database.write() as session:
            devices.revoke(session, device_id, NOON)
            devices.revoke(session, device_id, NOON + timedelta(hours=1))  # the first time stays
        with console.database.read() as session:
            with pytest.raises(RevokedDevice, match="Your work stays on it"):
                reader(session, token, NOON)
            assert session.get_one(DeviceRow, device_id).revoked_at == NOON

    def test_runs_out_when_it_stays_away(self, console: Console):
        _, token = registered(console)
        with console.database.read() as session, pytest.raises(ExpiredToken):
            reader(session, token, NOON + timedelta(days=180))

    def test_never_runs_out_while_it_is_used(self, console: Console):
        _, token = registered(console)
        later = NOON + timedelta(days=91)
        with console.database.write() as session:
            device = reader(session, token, later)
            heartbeat.note(device, a_heartbeat(queue_length=3), later, life=timedelta(days=180))
        with console.database.read() as session:
            assert reader(session, token, NOON + timedelta(days=270)).queue_length == 3

    @pytest.mark.parametrize("token", [None, "", "nonsense"])
    def test_needs_a_token_of_ours(self, console: Console, token: str | None):
        with console.database.read() as session, pytest.raises(SignInNeeded):
            reader(session, token, NOON)

    @pytest.mark.parametrize(
        ("header", "token"),
        [("Bearer abc", "abc"), ("bearer  abc", "abc"), ("Basic abc", None), ("Bearer", None), (None, None)],
    )
    def test_says_its_token_in_a_header(self, header: str | None, token: str | None):
        assert devices.bearer(header) == token
