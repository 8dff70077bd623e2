"""An office that requires a PIN: how its phones hear of it, and that older ones are not disturbed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import old_protocol_1
import old_protocol_4
import pytest
from day_of_work import PROFILE
from world import World

from server.access.callers import Technician
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.settings import Settings
from sync.protocol import Profile, decode_image, encode
from sync.server.pull import Page, pull


def contact(world: World, cursor: str | None) -> Page:
    """What Ana's phone, which stands at `cursor`, is told next."""
    with world.database.read() as session:
        technician: Technician = session.get_one(TechnicianRow, world.ana.technician_id)  # type: ignore[assignment]
        return pull(DeviceSource(session, world.settings, technician, world.now), cursor)


def profile_in(page: Page) -> bytes:
    """As it goes over the wire."""
    [body] = [bytes(row.body) for row in page.rows if row.kind == "profile"]
    return body


def read(body: bytes) -> Profile:
    profile = decode_image("profile", body)
    assert isinstance(profile, Profile)
    return profile


class TestAPhone:
    @pytest.mark.parametrize("digits", [0, 6])
    def test_is_told_in_the_profile(self, world: World, digits: int):
        world.settings = replace(world.settings, pin_length_min=digits)
        profile = read(profile_in(contact(world, None)))
        assert (profile.pin_length_min, profile.company) == (digits, "Truckroll Fibre")

    def test_hears_of_a_change_at_the_next_contact_and_once(self, world: World):
        first = contact(world, None)
        assert contact(world, first.cursor).rows == (), "nothing is new"
        cursor, told = first.cursor, []
        for digits in (6, 8, 0):
            world.settings = replace(world.settings, pin_length_min=digits)
            page = contact(world, cursor)
            told.append((read(profile_in(page)).pin_length_min, page.reset, contact(world, page.cursor).rows))
            cursor = page.cursor
        assert told == [(6, True, ()), (8, True, ()), (0, True, ())]


class TestAnOlderApp:
    @pytest.mark.parametrize("of", [old_protocol_1, old_protocol_4])
    def test_reads_the_profile_as_before(self, world: World, of):  # type: ignore[no-untyped-def]
        world.settings = replace(world.settings, pin_length_min=6)
        body = profile_in(contact(world, None))
        assert b'"pin_length_min":6' in body
        told, understood = read(body), msgspec.json.decode(body, type=of.Profile)
        assert (understood.technician_id, understood.van_name) == (told.technician_id, told.van_name)


class TestAnOlderServer:
    def test_requires_none(self):
        said = msgspec.json.decode(encode(PROFILE))
        del said["pin_length_min"]
        assert (read(msgspec.json.encode(said)), PROFILE.pin_length_min) == (PROFILE, 0)


class TestTheSetting:
    @pytest.mark.parametrize("text", ["-1", "1", "3", "9"])
    def test_that_no_pin_can_meet_stops_the_server_with_its_name(self, text: str):
        with pytest.raises(ValueError, match="TRUCKROLL_PIN_LENGTH_MIN: 4 to 8 digits, or 0"):
            Settings.from_environment({"TRUCKROLL_PIN_LENGTH_MIN": text})

    @pytest.mark.parametrize("text", ["0", "4", "8"])
    def test_is_none_or_as_long_as_a_pin_may_be(self, text: str):
        assert Settings.from_environment({"TRUCKROLL_PIN_LENGTH_MIN": text}).pin_length_min == int(text)
