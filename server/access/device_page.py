"""What the page "Devices" says of each device, and the code as a picture that a phone's camera reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import zxingcpp
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.access import heartbeat
from server.access.heartbeat import Left
from server.access.models import DeviceRow, RetiredTokenRow
from server.dispatch.meaning import counted
from server.dispatch.models import TechnicianRow
from shared.commands import JOBLESS_COMMANDS
from sync.protocol import UNSENT_LISTED_MAX

UNSENT_TOO_LONG = timedelta(hours=4)
CLOCK_WRONG_SECONDS = 120
STORAGE_SHORT_BYTES = 200 * 2**20
MODULE_PX = 5


class State(StrEnum):
    """What became of a device, in the order in which the page lists them."""

    IN_USE = "in use"
    RUN_OUT = "run out"
    SIGNED_OUT = "signed out"
    WIPE_ORDERED = "wipe ordered"
    WIPED = "wiped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a device had not sent of one job, and when the newest of it was made."""

    order_number: str
    things: str
    newest_at: datetime


def carried(left: Sequence[Left]) -> list[Carried]:
    """`left` by job, the one with the newest entry first."""
    by_job: dict[str, list[Left]] = {}
    for one in left:
        about = one.order_number or ("Of the van" if one.type in JOBLESS_COMMANDS else "")
        by_job.setdefault(about, []).append(one)
    return [
        Carried(
            order_number=number,
            things=", ".join(counted(kind, count) for kind, count in Counter(x.type for x in found).items()),
            newest_at=max(one.made_at for one in found),
        )
        for number, found in by_job.items()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One row of the page. `since`: when it came into `state`. `copied_at`: an old token of it was used.

    `late`: something has waited on it for longer than a dispatcher should leave alone. `free_mb` is None
    where the device does not tell. `carried`: what it had not sent at its last contact, job by job; of more
    than UNSENT_LISTED_MAX things the newest, and then `more_carried`.
    """

    id: UUID
    technician: str
    technician_left: bool
    name: str
    platform: str
    app_version: str | None
    protocol: int
    last_seen_at: datetime | None
    queue_length: int
    unsent_photos: int
    oldest_unsent_at: datetime | None
    late: bool
    clock_offset_seconds: int
    clock_wrong: bool
    free_mb: int | None
    storage_short: bool
    state: State
    since: datetime
    copied_at: datetime | None
    carried: list[Carried]
    more_carried: bool

    @property
    def holds(self) -> str:
        """What its last contact said that only this device has; empty when nothing."""
        parts = []
        if self.queue_length:
            parts.append(f"{self.queue_length} {'entry' if self.queue_length == 1 else 'entries'}")
        if self.unsent_photos:
            parts.append(f"{self.unsent_photos} photo{'' if self.unsent_photos == 1 else 's'}")
        return " and ".join(parts)

    @property
    def clock(self) -> str:
        """The device's clock against the server's, for a person: "right", "3 min behind"."""
        seconds = abs(self.clock_offset_seconds)
        if not self.clock_wrong:
            return "right"
        for size, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
            if seconds >= size * (2 if word == "days" else 1):
                return f"{seconds // size} {word} {'behind' if self.clock_offset_seconds > 0 else 'ahead'}"
        return "right"


def listing(session: Session, now: datetime) -> list[DeviceLine]:
    """Every device, those in use first, then by technician."""
    copied = (
        select(RetiredTokenRow.device_id, func.max(RetiredTokenRow.used_at).label("at"))
        .where(RetiredTokenRow.used_at.is_not(None))
        .group_by(RetiredTokenRow.device_id)
        .subquery()
    )
    query = (
        select(DeviceRow, TechnicianRow, copied.c.at)
        .join(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
        .outerjoin(copied, copied.c.device_id == DeviceRow.id)
    )
    lines = [_line(row, technician, at, now) for row, technician, at in session.execute(query)]
    order = list(State)
    return sorted(lines, key=lambda line: (order.index(line.state), line.technician, line.since, line.id))


def _line(row: DeviceRow, technician: TechnicianRow, copied_at: datetime | None, now: datetime) -> DeviceLine:
    state, since = _state(row, now)
    waiting = row.oldest_unsent_at if row.queue_length or row.unsent_photos else None
    free = row.storage_left_bytes
    left = heartbeat.read_left(row.unsent)
    return DeviceLine(
        id=row.id,
        technician=technician.name,
        technician_left=not technician.active,
        name=row.name,
        platform=row.platform,
        app_version=row.app_version,
        protocol=row.protocol,
        last_seen_at=row.last_seen_at,
        queue_length=row.queue_length,
        unsent_photos=row.unsent_photos,
        oldest_unsent_at=waiting,
        late=waiting is not None and now - waiting > UNSENT_TOO_LONG,
        clock_offset_seconds=row.clock_offset_seconds,
        clock_wrong=abs(row.clock_offset_seconds) > CLOCK_WRONG_SECONDS,
        free_mb=None if free is None else free // 2**20,
        storage_short=free is not None and free < STORAGE_SHORT_BYTES,
        state=state,
        since=since,
        copied_at=copied_at,
        carried=carried(left),
        more_carried=len(left) >= UNSENT_LISTED_MAX,
    )


def _state(row: DeviceRow, now: datetime) -> tuple[State, datetime]:
    if row.wiped_at is not None:
        return State.WIPED, row.wiped_at
    if row.wipe_ordered_at is not None:
        return State.WIPE_ORDERED, row.wipe_ordered_at
    if row.revoked_at is not None:
        return State.SIGNED_OUT, row.revoked_at
    if row.token_expires_at <= now:
        return State.RUN_OUT, row.token_expires_at
    return State.IN_USE, row.registered_at


def registration_link(base_url: str, code: str) -> str:
    """Opens the app with the code filled in. What follows # stays in the browser: no log ever sees it."""
    return f"{base_url.rstrip('/')}/app/#/sign-in/{code}"


def qr_svg(link: str) -> Markup:
    """`link` as an SVG element with its quiet zone of four modules, black on white."""
    code = zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = code.to_svg(scale=MODULE_PX, add_quiet_zones=True)
    return Markup(picture[picture.index("<svg") :])
