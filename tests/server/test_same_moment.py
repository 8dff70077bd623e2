"""Two people change one contact in the same moment: the later one reads again, and nobody sees a fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from world import Job, World, a_world

from server import office
from server.access import devices
from server.inbox import acts
from shared.commands import CorrectContact, EditContact
from shared.problems import Conflict
from shared.work_orders import ContactField

FIRST, SECOND, CORRECTED = "+358402222222", "+358403333333", "+358401111111"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, data_folder=tmp_path) as found:
        yield found


def edit(job: Job, value: str) -> EditContact:
    return EditContact(work_order_id=job.id, field=ContactField.PHONE, value=value)


@contextmanager
def somebody_edits(world: World, job: Job) -> Iterator[None]:
    """Within, another transaction has changed the contact and is about to commit."""
    begun, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with world.database.write() as session:
            office.apply(session, world.settings, [edit(job, FIRST)], "First", world.now)
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert begun.wait(10)
        threading.Timer(0.3, may_end.set).start()
        yield
    finally:
        may_end.set()
        thread.join()


class TestAContactThatSomebodyElseHasJustChanged:
    def test_is_read_again_for_the_office(self, world: World):
        job = world.order()
        with somebody_edits(world, job):
            office.run(world.database, world.settings, edit(job, SECOND), "Second")
        assert world.work_order(job).contact.phone == SECOND

    def test_is_no_fault_of_ours_in_the_inbox(self, world: World):
        job = world.order()
        with world.database.write() as session:
            devices.revoke(session, world.ana.device_id, world.now, by="Dora")
        correction = CorrectContact(
            work_order_id=job.id, field=ContactField.PHONE, base=world.work_order(job).contact.phone,
            value=CORRECTED,
        )  # fmt: skip
        [held] = world.ana.send(correction)
        assert held.outcome == "held"
        with somebody_edits(world, job):
            try:
                acts.accept(world.database, world.settings, held.command_id, "Dora")
            except Conflict as told:
                assert "look again" in told.detail
                assert world.database.is_postgresql, "SQLite lets nobody else begin meanwhile"
        assert world.work_order(job).contact.phone == FIRST
