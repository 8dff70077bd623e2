"""What a device says of itself at a contact: kept for the office, and seldom enough to cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.access.callers import Device
from server.access.models import DeviceRow

EVERY = timedelta(seconds=30)
"""A contact that tells nothing new is noted at most so often."""
LISTING_SINCE = 4
"""Apps of earlier protocols only count what they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One thing that only the device has; `type` as in UnsentItem, `made_at` by the server's clock."""

    type: str
    order_number: str
    made_at: datetime

    def as_json(self) -> dict[str, str]:
        at = self.made_at.isoformat()
        return {"type": self.type, "order_number": self.order_number, "made_at": at}


def read_left(kept: list[Any]) -> list[Left]:
    """What a device's row keeps, the newest first."""
    return [Left(**one | {"made_at": datetime.fromisoformat(one["made_at"])}) for one in kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """`queue_length` counts what the server has not answered yet, this contact's receipts taken off.

    `oldest_unsent_at` is by the server's clock, as far as it can be told; None when nothing waits.
    `clock_offset_seconds`: the server's time minus the device's. `unsent` is None where the list that the
    device told before still holds.
    """

    protocol: int
    app_version: str
    queue_length: int
    unsent_photos: int
    oldest_unsent_at: datetime | None
    storage_left_bytes: int | None
    clock_offset_seconds: int
    unsent: tuple[Left, ...] | None = None


def is_news(device: DeviceRow | Device, beat: Heartbeat, now: datetime) -> bool:
    """Whether it is worth a write. Clock and storage change all the time and wait for the next one."""
    if device.last_seen_at is None or now - device.last_seen_at >= EVERY:
        return True
    if _left(device, beat) != device.unsent:
        return True
    known = (device.protocol, device.app_version, device.queue_length, device.unsent_photos)
    return known != (beat.protocol, beat.app_version, beat.queue_length, beat.unsent_photos)


def note(device: DeviceRow, beat: Heartbeat, now: datetime, *, life: timedelta) -> None:
    """Keep it on the row. A device in use never runs out: its token lives on from here for `life`."""
    device.last_seen_at = now
    device.protocol = beat.protocol
    device.app_version = beat.app_version
    device.queue_length = beat.queue_length
    device.unsent_photos = beat.unsent_photos
    device.oldest_unsent_at = beat.oldest_unsent_at
    device.storage_left_bytes = beat.storage_left_bytes
    device.clock_offset_seconds = beat.clock_offset_seconds
    device.unsent = _left(device, beat)
    if device.token_expires_at < now + life / 2:
        device.token_expires_at = now + life


def _left(device: DeviceRow | Device, beat: Heartbeat) -> list[Any]:
    """The list to keep. Nothing is left where nothing is counted, also when an older app says so."""
    if not (beat.queue_length or beat.unsent_photos):
        return []
    if beat.unsent is None:
        return device.unsent if beat.protocol >= LISTING_SINCE else []
    return [one.as_json() for one in beat.unsent]
