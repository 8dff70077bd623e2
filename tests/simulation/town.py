"""The rows that a run begins with: crew, vans, stock, and orders for its days."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from databases import migrate
from simulation.chance import Dice
from simulation.schedule import Schedule
from sqlalchemy import update
from world import ONT_A, ONT_B, World

from server.access.models import DeviceRow
from server.settings import Settings
from shared.checklists import checklist_for
from shared.work_orders import WorkOrderKind

NAMES = ("Ana Virtanen", "Ben Korhonen", "Cem Aydin", "Dina Laine", "Eero Salo")
START = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
"""07:00 in Helsinki, on a Monday."""

WORK_STARTS_HOUR, WORK_ENDS_HOUR = 5, 15
"""In UTC: from 7 to 17 in Helsinki."""


def memory_folder() -> str | None:
    """A folder that is not on a disk, where the system has one."""
    shm = Path("/dev/shm")
    return str(shm) if shm.is_dir() else None


@cache
def empty_database() -> bytes:
    """The newest schema and no rows, migrated once a process."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        import sqlite3

        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return file.read_bytes()


def build(folder: Path, schedule: Schedule, dice: Dice, device_token_days: int) -> World:
    """A world in `folder`/server.db with every technician's orders. Its own connections are closed."""
    file = folder / "server.db"
    file.write_bytes(empty_database())
    settings: dict[str, Any] = {"device_token_days": device_token_days}
    world = World(
        f"sqlite:///{file}", now=START, crew=NAMES[: schedule.crew], data_folder=folder / "data", **settings
    )
    try:
        _stock(world, schedule)
        _orders(world, schedule, dice)
        with world.database.write() as session:
            expiry = START + timedelta(days=device_token_days)
            session.execute(update(DeviceRow).values(token_expires_at=expiry))
    finally:
        world.close()
    return world


def _stock(world: World, schedule: Schedule) -> None:
    with world.database.write() as session:
        for phone in world.phones:
            stem = phone.ont.removesuffix("0001")
            for number in range(10, 10 + schedule.orders):
                sku = ONT_A if number % 3 else ONT_B
                world.receive(session, phone.van_id, sku, serial=f"{stem}{number:04d}")
        for number in (1, 2):
            world.receive(session, world.depot_id, ONT_A, serial=f"DEPOT{number:04d}", holder=_depot())


def _depot() -> Any:
    from shared.assets import HolderKind

    return HolderKind.DEPOT


def _orders(world: World, schedule: Schedule, dice: Dice) -> None:
    days = int(schedule.hours // 24) + 1
    for day in range(days):
        for phone in world.phones:
            for slot in range(schedule.orders):
                start = START + timedelta(days=day, hours=1 + 1.5 * slot)
                kind = dice.pick(list(WorkOrderKind))
                mbps = 500 if kind is WorkOrderKind.UPGRADE else 100
                world.order(kind, phone=phone, start=start, checklist=checklist_for(kind, mbps))


def contested_serials(world: World) -> list[str]:
    """Devices that several technicians may come to hold, and two that nobody has booked in."""
    others = [phone.ont for phone in world.phones]
    return [*others, "DEPOT0001", "DEPOT0002", "GHOST0001", "GHOST0002"]


__all__ = ["Settings", "build", "contested_serials"]
