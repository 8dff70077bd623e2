"""An app that was brought up to date gets once more what the older one before it passed over."""

from __future__ import annotations

from world import World

from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from sync.protocol import PROTOCOL
from sync.server.pull import Page, pull


def contact(world: World, cursor: str | None, protocol: int) -> Page:
    with world.database.read() as session:
        technician = session.get_one(TechnicianRow, world.ana.technician_id)
        return pull(DeviceSource(session, world.settings, technician, world.now, protocol), cursor)


def test_gets_all_rows_at_its_first_contact_and_only_then(world: World):
    world.order()
    before = contact(world, None, PROTOCOL - 1)
    assert contact(world, before.cursor, PROTOCOL - 1).rows == ()
    first = contact(world, before.cursor, PROTOCOL)
    assert (first.reset, len(first.rows)) == (True, len(before.rows))
    then = contact(world, first.cursor, PROTOCOL)
    assert (then.reset, then.rows) == (False, ())
