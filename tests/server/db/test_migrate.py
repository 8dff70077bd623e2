"""The migrations: from nothing to the newest schema and back, and no difference from the models."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, inspect, select
from world import MONDAY, a_world, settle

from server.db.engine import Database
from server.db.feed_models import CommandRow, EntryRow, HistoryRow
from server.db.migrate import check, downgrade, upgrade
from server.db.tables import metadata
from server.stock.models import StockBalanceRow, StockPlaceRow
from server.work_orders.models import EvidenceRow, WorkOrderRow
from shared.commands import AddEvidence, Arrive, StartTravel
from shared.situation import UNRECEIVED_PLACE
from shared.work_orders import EvidenceKind


def tables(url: str) -> set[str]:
    database = Database(url)
    found = set(inspect(database.engine).get_table_names())
    database.close()
    return found


class TestAnEmptyDatabase:
    def test_goes_up_to_the_models_down_to_nothing_and_up_again(self, empty_database_url: str):
        assert tables(empty_database_url) == set()
        upgrade(empty_database_url)
        assert tables(empty_database_url) == {*metadata.tables, "alembic_version"}
        downgrade(empty_database_url, "base")
        assert tables(empty_database_url) == {"alembic_version"}
        upgrade(empty_database_url)
        assert tables(empty_database_url) == {*metadata.tables, "alembic_version"}
        check(empty_database_url)

    def test_holds_its_history_and_a_place_for_finds_from_the_start(self, empty_database_url: str):
        upgrade(empty_database_url)
        database = Database(empty_database_url)
        with database.read() as session:
            epoch = session.scalars(select(HistoryRow.epoch)).one()
            assert session.get(StockPlaceRow, UNRECEIVED_PLACE).kind == "adjustment"
        upgrade(empty_database_url)
        with database.read() as session:
            assert session.scalars(select(HistoryRow.epoch)).one() == epoch, (
                "a second upgrade changes nothing"
            )
        database.close()


class TestTheModels:
    def test_are_what_the_migrations_make(self, database_url: str):
        check(database_url)  # raises when alembic would write another migration

    def test_name_every_constraint_so_that_migrations_can_drop_it(self):
        nameless = [
            f"{table.name}: {constraint}"
            for table in metadata.tables.values()
            for constraint in table.constraints
            if constraint.name is None
        ]
        assert nameless == []


class TestAnInstant:
    def test_comes_back_aware_and_in_utc_from_either_database(self, database_url: str):
        from datetime import datetime, timedelta, timezone

        from server.db.feed import BOARD, Position, append, read

        helsinki = timezone(timedelta(hours=2))
        at = datetime(2026, 11, 16, 12, 30, 0, 123456, tzinfo=helsinki)
        database = Database(database_url)
        with database.write() as session:
            append(session, [BOARD], "x", "y", "Z", at=at, actor="x")
        settle(database)
        with database.read() as session:
            [change] = read(session, [BOARD], Position())
        assert change.at == at
        assert change.at.utcoffset() == timedelta(0)
        with pytest.raises(Exception, match="every instant is aware"), database.write() as session:
            append(session, [BOARD], "x", "y", "Z", at=at.replace(tzinfo=None), actor="x")
        database.close()


class TestADatabaseOfTheReleaseBefore:
    """What `main_job` has written is numbered, summed up and looked up once."""

    def test_keeps_its_log_in_order_its_stock_and_the_photos_that_it_waits_for(self, database_url: str):
        with a_world(database_url) as world:
            receipts = world.ana.send(*world.visit(world.order()))
            told = world.rows(CommandRow)
            known = {row.id: (row.outcome, row.body, row.digest) for row in told}
            stock = {(row.place_id, row.sku): row.quantity for row in world.rows(StockBalanceRow)}
            named = {(row.technician_id, row.digest, row.size_bytes) for row in world.rows(EvidenceRow)}
        assert (len(receipts), len(named)) == (9, 2)
        downgrade(database_url, "20261122")
        upgrade(database_url)
        check(database_url)
        database = Database(database_url)
        with database.read() as session:
            log = session.scalars(select(CommandRow).order_by(CommandRow.number)).all()
            assert [row.number for row in log] == list(range(1, 10))
            assert log == sorted(log, key=lambda row: (row.decided_at, row.id))
            assert {row.id: (row.outcome, row.body, row.digest) for row in log} == known
            assert {row.origin for row in log} == {"field"}
            kept = {(row.place_id, row.sku): row.quantity for row in session.scalars(select(StockBalanceRow))}
            assert kept == stock
            asked = session.scalars(select(EvidenceRow))
            assert {(row.technician_id, row.digest, row.size_bytes) for row in asked} == named
            opening = session.scalars(select(EntryRow)).one()
            assert (opening.opening, opening.number) == (True, 10)
        database.close()

    def test_asks_for_a_photo_whoever_took_it_and_not_who_has_the_job_now(self, database_url: str):
        with a_world(database_url) as world:
            first, second = world.order(), world.order()
            ana, ben = world.ana.technician_id, world.ben.technician_id
            world.ana.send(*world.visit(first))
            taken = AddEvidence(
                work_order_id=second.id, kind=EvidenceKind.PHOTO, digest="c3" * 32, size_bytes=7,
                media_type="image/png", taken_at=MONDAY,
            )  # fmt: skip
            world.ana.send(StartTravel(work_order_id=second.id), Arrive(work_order_id=second.id), taken)
            with world.database.write() as session:
                session.get_one(WorkOrderRow, first.id).technician_id = ben
                session.get_one(WorkOrderRow, second.id).technician_id = None
            named = {row.digest: row.named_at for row in world.rows(EvidenceRow)}
        downgrade(database_url, "20261122")
        upgrade(database_url)
        database = Database(database_url)
        with database.read() as session:
            asked = session.scalars(select(EvidenceRow)).all()
        database.close()
        assert len(named) == 3
        assert {(row.digest, row.technician_id, row.named_at) for row in asked} == {
            (digest, ana, at) for digest, at in named.items()
        }

    def test_gets_its_log_also_when_the_server_was_killed_between_the_schema_and_the_rows(
        self, database_url: str
    ):
        with a_world(database_url):
            pass
        database = Database(database_url)
        with database.write() as session:
            session.execute(delete(EntryRow))  # as the migration itself leaves it
        upgrade(database_url)
        with database.read() as session:
            assert session.scalars(select(EntryRow.opening)).one() is True
        database.close()
