"""A photo on its screen: kept at once, with its place where that was chosen and is known in time."""

from __future__ import annotations

import asyncio

import pytest
from day_of_work import uid

from mobile.device.photos import Photo
from mobile.device.place import Spot
from mobile.state import job_route
from shared.commands import AddEvidence, Arrive, StartTravel
from sync.protocol import decode_command

INSTALL = uid(0x101)
JPEG = b"\xff\xd8\xff\xe0 a photo"
SPOT = Spot(lat=60.1719, lon=24.9414, accuracy_m=8.0)


@pytest.fixture
def taken(open_app, gateway, monkeypatch):
    """Take a photo while the device says where it is, says nothing, or takes too long to say it."""
    asked = []

    async def pick():
        return b"picture"

    async def shrink(picture):
        return Photo(jpeg=JPEG, width=1, height=1)

    monkeypatch.setattr("mobile.screens.photo.pick_picture", pick)
    monkeypatch.setattr("mobile.screens.photo.shrink", shrink)
    monkeypatch.setattr("mobile.screens.photo.PLACE_SECONDS", 0.01)
    for command in (StartTravel(work_order_id=INSTALL), Arrive(work_order_id=INSTALL)):
        gateway.send(command)

    def take(says: Spot | None, *, late: bool = False):
        async def here():
            asked.append(says)
            if late:
                await asyncio.sleep(60)
            return says

        monkeypatch.setattr("mobile.screens.photo.here", here)
        screen = open_app(job_route(INSTALL, "photo"))
        screen.tap("Take photo")
        screen.run(asyncio.sleep(0.1))
        command = decode_command(gateway._store.due()[-1])
        assert isinstance(command, AddEvidence)
        return screen, (command.lat, command.lon, command.accuracy_m), len(asked)

    return take


def test_says_where_it_was_taken_where_that_was_chosen(taken, gateway):
    gateway.prefer(photo_place="yes")
    screen, spot, asked = taken(SPOT)
    assert (spot, asked) == ((60.1719, 24.9414, 8.0), 1)
    assert screen.sees("Saved on this device")
    order = gateway.order(INSTALL)
    assert order.evidence[-1].metres_from(order.place) is not None


@pytest.mark.parametrize(("says", "late"), [(None, False), (SPOT, True)])
def test_is_kept_without_where_the_device_does_not_say_it_in_time(taken, gateway, says, late):
    gateway.prefer(photo_place="yes")
    screen, spot, _ = taken(says, late=late)
    assert spot == (None, None, None)
    assert screen.sees("Saved on this device. Its place was not found in time")


def test_asks_for_no_place_otherwise(taken):
    screen, spot, asked = taken(SPOT)
    assert (spot, asked) == ((None, None, None), 0)
    assert screen.sees("Saved on this device")
