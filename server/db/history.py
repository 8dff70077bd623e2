"""Which history of this database is it? A restore begins a new one, and every cursor of the old one is void.

Phones that hear of a new epoch offer again what was decided since, so that a backup loses no field work.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.orm import Session

from server.clock import entropy
from server.db import feed
from server.db.engine import Database
from server.db.feed_models import FeedRow, HistoryRow

log = logging.getLogger(__name__)

KEPT = timedelta(days=90)
"""A phone that stays away for longer begins with a snapshot."""


def identity(session: Session) -> str | None:
    """PostgreSQL's system identifier and timeline: another one means a dump, a backup or a fail-over."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    query = text(
        "SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
        " FROM pg_control_system()"
    )
    return str(session.scalar(query))


def recognise(database: Database, now: datetime) -> bool:
    """Draw a new epoch when this is not the database server that it was. True when it is not."""
    with database.read() as session:
        if identity(session) == session.scalars(select(HistoryRow.identity)).one():
            return False
    with database.write() as session:
        row = session.scalars(select(HistoryRow).with_for_update()).one()
        found = identity(session)
        if row.identity == found:
            return False
        known, row.identity = row.identity, found
        if known is None:
            return False
        _renew(session, row, f"it was on {known} and is on {found}", now)
        return True


def renew(database: Database, why: str, now: datetime, *, unless_not: str | None = None) -> str:
    """Begin a new history. `unless_not`: only if the epoch is still this one. Returns the epoch now."""
    with database.write() as session:
        row = session.scalars(select(HistoryRow).with_for_update()).one()
        if unless_not is None or row.epoch == unless_not:
            _renew(session, row, why, now)
        return row.epoch


def _renew(session: Session, row: HistoryRow, why: str, now: datetime) -> None:
    row.epoch = entropy(4).hex()
    # No cursor of the old history is good any more, and its mark may lie where another cluster had come to.
    row.compacted_xid, row.compacted_seq = 0, 0
    feed.forget_foreign_places(session)
    log.warning("a new history of this database begins: %s", why)
    facts = {"why": why}
    feed.append(
        session, [feed.BOARD], "history", row.epoch, "HistoryBegan", at=now, actor="server", facts=facts
    )


def compact(database: Database, now: datetime, kept: timedelta = KEPT) -> int:
    """Drop what phones were told longer ago than `kept`; a cursor from before that starts over.

    The board's entries are the audit trail and stay. So does the newest that could go: from the newest entry
    one sees how far this history has come. Returns how many rows went.
    """
    with database.write() as session:
        newest = (
            select(FeedRow.xid, FeedRow.seq)
            .where(FeedRow.at < now - kept, FeedRow.scope != feed.BOARD)
            .order_by(FeedRow.xid.desc(), FeedRow.seq.desc())
            .limit(1)
        )
        found = session.execute(newest).one_or_none()
        if found is None:
            return 0
        mark = feed.Position(found.xid, found.seq - 1)
        row = session.scalars(select(HistoryRow).with_for_update()).one()
        if mark > feed.Position(row.compacted_xid, row.compacted_seq):
            row.compacted_xid, row.compacted_seq = mark.xid, mark.seq
        # By place, not by age: a transaction that took long may have written an older time behind the mark.
        doomed = (
            delete(FeedRow)
            .where(FeedRow.scope != feed.BOARD, tuple_(FeedRow.xid, FeedRow.seq) <= (mark.xid, mark.seq))
            .returning(FeedRow.seq)
            .execution_options(synchronize_session=False)
        )
        return len(session.execute(doomed).all())
