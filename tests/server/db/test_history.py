"""A restored database is never taken for the old one, and a shortened feed loses nobody."""

from __future__ import annotations

import shutil
from datetime import timedelta

from sqlalchemy import event, func, select, update
from sqlalchemy.engine import make_url
from world import MONDAY, World, settle

from server.db import feed, history
from server.db.engine import Database
from server.db.feed_models import FeedRow, HistoryRow
from server.field.exchange import exchange
from shared.commands import AddNote
from sync.protocol import PROTOCOL, PushedCommand, SyncRequest, SyncResponse, encode
from sync.server.cursors import sealed


def sync(world: World, cursor: str | None = None, *commands: PushedCommand) -> SyncResponse:
    request = SyncRequest(
        protocol=PROTOCOL,
        app_version="t",
        device_now=MONDAY,
        queue_length=len(commands),
        cursor=cursor,
        commands=commands,
    )
    body = encode(request)
    return exchange(world.database, world.settings, world.ana.token, body, MONDAY).response


def given_out(world: World, cursor: str) -> str:
    """`cursor` as this database would have given it out."""
    return sealed(cursor, world.row(HistoryRow).cursor_key)


def epoch(world: World) -> str:
    return str(world.row(HistoryRow).epoch)


class TestAnotherDatabase:
    def test_is_known_by_its_identity(self, world: World):
        assert history.recognise(world.database, MONDAY) is False, "it is seen for the first time"
        before = epoch(world)
        assert (history.recognise(world.database, MONDAY), epoch(world)) == (False, before)
        with world.database.write() as session:
            session.scalars(select(HistoryRow)).one().identity = "another server/00000001"
        assert history.recognise(world.database, MONDAY) is True
        assert epoch(world) != before
        told = world.row(FeedRow, FeedRow.kind == "history")
        assert (told.topic, told.key, told.scope) == ("HistoryBegan", epoch(world), feed.BOARD)

    def test_does_not_wait_for_transactions_that_the_other_one_had(self, world: World):
        """A dump of a cluster that had come far, and had been compacted, put into one that is young."""
        if not world.database.is_postgresql:
            assert feed.Position(0, 7) > feed.START, "a file has no transaction numbers to be mistaken about"
            return
        world.ana.send(AddNote(work_order_id=world.order().id, text="before the dump"))
        with world.database.write() as session:
            row = session.scalars(select(HistoryRow)).one()
            row.identity, row.compacted_xid, row.compacted_seq = "another server/00000001", 2**40, 7
            session.execute(update(FeedRow).values(xid=FeedRow.xid + 2**40))
        assert history.recognise(world.database, MONDAY) is True
        settle(world.database)
        first = sync(world)
        assert first.reset
        again = sync(world, first.cursor)
        assert (again.reset, again.rows) == (False, ()), "a snapshot that begins anew each time never ends"
        with world.database.read() as session:
            assert not feed.held_back(session, feed.head(session))

    def test_is_known_by_a_phone_that_has_seen_more_than_is_there(self, world: World):
        first = sync(world)
        assert (first.reset, first.epoch) == (True, epoch(world))
        ahead = f"{first.cursor.partition('.')[0]}.{2**40}.{2**40}"
        answer = sync(world, given_out(world, ahead))
        assert answer.reset
        assert answer.epoch == epoch(world) != first.epoch
        assert answer.cursor.startswith(answer.epoch)
        assert sync(world, answer.cursor).epoch == answer.epoch, "once"

    def test_is_not_begun_by_a_cursor_of_some_other_history(self, world: World):
        before = epoch(world)
        assert sync(world, given_out(world, f"ffffffff-20261116-x.{2**40}.{2**40}")).reset
        assert epoch(world) == before

    def test_is_not_begun_by_a_place_that_was_never_given_out(self, world: World):
        """One device that invents a place would have every other device start over."""
        first, job = sync(world), world.order()
        ahead = f"{first.cursor.partition('.')[0]}.{2**40}.{2**40}"
        note = AddNote(work_order_id=job.id, text="brought along")
        seal = first.cursor.rpartition("!")[2]
        for forged in (ahead, f"{ahead}!{seal}", sealed(ahead, "some key"), f"{ahead}~asset/1!{seal}"):
            answer = sync(world, forged, world.ana.envelope(note))
            assert [receipt.outcome for receipt in answer.receipts] == ["accepted"]
            assert (answer.reset, answer.epoch) == (True, first.epoch), forged
            assert epoch(world) == first.epoch
            assert sync(world, answer.cursor).reset is False

    def test_a_file_that_was_put_back_is_noticed_and_its_phone_starts_over(self, tmp_path):
        from databases import migrated_database

        with migrated_database("sqlite", tmp_path) as url:
            file = make_url(url).database
            world = World(url)
            job = world.order()
            assert sync(world).reset
            world.close()
            shutil.copy(file, tmp_path / "backup.db")
            world.database = Database(url)
            world.ana.send(AddNote(work_order_id=job.id, text="after the backup"))
            seen = sync(world)
            world.close()
            shutil.copy(tmp_path / "backup.db", file)
            for leftover in ("-wal", "-shm"):
                (file_beside := tmp_path / f"{file}{leftover}").unlink(missing_ok=True)
                assert not file_beside.exists()
            world.database = Database(url)
            answer = sync(world, seen.cursor)
            assert (answer.reset, answer.epoch != seen.epoch) == (True, True)
            world.close()

    def test_is_noticed_before_the_work_of_that_phone_is_decided(self, world: World):
        """What it brings would fill the gap, and nobody would see any more that there was one."""
        first, job = sync(world), world.order()
        with world.database.read() as session:
            newest = feed.head(session)
        xid = newest.xid and newest.xid + 1_000_000
        ahead = given_out(world, f"{first.cursor.partition('.')[0]}.{feed.Position(xid, newest.seq + 1)}")
        answer = sync(world, ahead, *world.ana.envelopes(AddNote(work_order_id=job.id, text="brought along")))
        assert [receipt.outcome for receipt in answer.receipts] == ["accepted"]
        assert (answer.reset, answer.epoch != first.epoch) == (True, True)


class TestWhoFollowsTheFeed:
    def test_goes_on_from_the_head_when_a_backup_was_put_back_under_it(self, world: World):
        settle(world.database)
        with world.database.read() as session:
            head = feed.head(session)
            assert feed.or_head(session, head) == head
            assert feed.or_head(session, feed.START) == feed.START
            assert feed.or_head(session, feed.Position(2**40, 2**40)) < feed.Position(2**40, 2**40)


class TestCompacting:
    def rows(self, world: World, *conditions: object) -> int:
        with world.database.read() as session:
            return int(session.scalar(select(func.count()).select_from(FeedRow).where(*conditions)) or 0)

    def test_drops_what_phones_were_told_long_ago_and_keeps_the_audit_trail(self, world: World):
        job = world.order()
        world.ana.send(AddNote(work_order_id=job.id, text="old"))
        world.ana.send(AddNote(work_order_id=job.id, text="old too"))
        board = self.rows(world, FeedRow.scope == feed.BOARD)
        later = MONDAY + timedelta(days=200)
        assert history.compact(world.database, MONDAY + timedelta(days=30)) == 0
        assert history.compact(world.database, later) == 1
        assert self.rows(world, FeedRow.scope != feed.BOARD) == 1, "the newest shows how far it has come"
        assert self.rows(world, FeedRow.scope == feed.BOARD) == board
        assert history.compact(world.database, later) == 0

    def test_lets_a_phone_from_before_start_over_and_one_from_after_go_on(self, world: World):
        settle(world.database)
        old = sync(world).cursor
        job = world.order()
        for text in ("old", "old too"):
            world.ana.send(AddNote(work_order_id=job.id, text=text))
        settle(world.database)
        history.compact(world.database, MONDAY + timedelta(days=200))
        settle(world.database)
        answer = sync(world, old)
        assert (answer.reset, answer.epoch) == (True, epoch(world))
        again = sync(world, answer.cursor)
        assert (again.reset, again.rows, again.gone) == (False, (), ())


def test_a_device_with_nothing_to_say_costs_two_statements(world: World):
    first = sync(world)
    cursor = sync(world, first.cursor).cursor
    said: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    answer = sync(world, cursor)
    assert (answer.reset, answer.rows) == (False, ())
    asked = [statement for statement in said if not statement.startswith(("BEGIN", "SET"))]
    assert len(asked) == 2, asked
