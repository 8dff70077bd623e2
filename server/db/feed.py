"""The change feed: appended inside the transaction that changed something, read by cursor.

Why the cursor is (transaction, number): on PostgreSQL numbers are drawn before the commit, so reading
"number greater than my last" skips whoever commits late. Rows of transactions that may still be running,
those at or above the snapshot's xmin, are left for the next read; nothing is skipped, nothing repeated.
On SQLite one writer at a time makes commit order the order of numbers, and `xid` is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from server.db import rows
from server.db.base import columns_of
from server.db.feed_models import FeedRow

BOARD = "board"


def technician_scope(technician_id: object) -> str:
    return f"tech:{technician_id}"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the feed."""

    xid: int = 0
    seq: int = 0

    def __str__(self) -> str:
        return f"{self.xid}.{self.seq}"

    @classmethod
    def parse(cls, value: str) -> Position:
        """Raises ValueError when `value` was not made by `str`."""
        xid, _, seq = value.partition(".")
        position = cls(int(xid), int(seq))
        if not (0 <= position.xid < 2**63 and 0 <= position.seq < 2**63):
            raise ValueError(f"no place in any feed: {value}")
        return position


START = Position()
END = Position(2**62, 2**62)
"""Behind everything: nothing comes after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the feed."""

    position: Position
    scope: str
    kind: str
    key: str
    topic: str
    at: datetime
    actor: str
    facts: dict[str, Any]


_XID: Any = literal_column("pg_current_xact_id()::text::bigint")
_NO_XID: Any = literal_column("0")
_XMAX = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_HORIZON: Any = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def append(
    session: Session,
    scopes: Sequence[str],
    kind: str,
    key: object,
    topic: str,
    *,
    at: datetime,
    actor: str,
    facts: dict[str, Any] | None = None,
) -> None:
    """Tell each of `scopes` that (kind, key) changed. Visible when the surrounding transaction commits."""
    entry = {"kind": kind, "key": str(key), "topic": topic, "at": at, "actor": actor, "facts": facts or {}}
    append_all(session, [{"scope": scope, **entry} for scope in dict.fromkeys(scopes)])


def append_all(session: Session, entries: Sequence[dict[str, Any]]) -> None:
    """Rows of FeedRow without `seq` and `xid`, in one statement."""
    rows.add(session, FeedRow, entries, xid=_XID if is_postgresql(session) else _NO_XID)


def following(postgresql: bool, limit: int) -> Select[int, int, str, str]:
    """The query for (xid, seq, kind, key) of the next changes, none of them from a running transaction.

    Its parameters are `scope`, and `after_xid` and `after_seq` of the position.
    """
    row = columns_of(FeedRow)
    after = tuple_(bindparam("after_xid", type_=BigInteger), bindparam("after_seq", type_=BigInteger))
    query = (
        select(row.xid, row.seq, row.kind, row.key)
        .where(row.scope == bindparam("scope"), tuple_(row.xid, row.seq) > after)
        .order_by(row.xid, row.seq)
        .limit(limit)
    )
    return query.where(row.xid < _HORIZON) if postgresql else query


def read(session: Session, scopes: Sequence[str], after: Position, limit: int = 500) -> list[Change]:
    """The next changes that `scopes` may see, oldest first, none of them from a running transaction."""
    query = (
        select(FeedRow)
        .where(FeedRow.scope.in_(scopes), tuple_(FeedRow.xid, FeedRow.seq) > (after.xid, after.seq))
        .order_by(FeedRow.xid, FeedRow.seq)
        .limit(limit)
    )
    if is_postgresql(session):
        query = query.where(FeedRow.xid < _HORIZON)
    return [
        Change(
            position=Position(row.xid, row.seq),
            scope=row.scope,
            kind=row.kind,
            key=row.key,
            topic=row.topic,
            at=row.at,
            actor=row.actor,
            facts=row.facts,
        )
        for row in session.scalars(query)
    ]


def scopes_after(session: Session, position: Position, limit: int) -> tuple[set[str], Position]:
    """In which scopes something happened after `position`, and how far that goes."""
    query = _scopes_after(is_postgresql(session), limit)
    found = session.execute(query, {"after_xid": position.xid, "after_seq": position.seq}).all()
    return {scope for _, _, scope in found}, Position(found[-1].xid, found[-1].seq) if found else position


@cache
def _scopes_after(postgresql: bool, limit: int) -> Select[int, int, str]:
    row = FeedRow
    xid, seq = bindparam("after_xid", type_=BigInteger), bindparam("after_seq", type_=BigInteger)
    query = select(row.xid, row.seq, row.scope).order_by(row.xid, row.seq).limit(limit)
    if postgresql:
        return query.where(tuple_(row.xid, row.seq) > tuple_(xid, seq), row.xid < _HORIZON)
    return query.where(row.seq > seq)  # xid is 0 there, and `seq` alone has the index


def is_ahead(postgresql: bool) -> ColumnElement[bool]:
    """Whether a position, `seen_xid` and `seen_seq`, lies behind all that was ever given out here."""
    if postgresql:
        return bindparam("seen_xid", type_=BigInteger) >= literal_column(_XMAX)
    newest = select(func.max(columns_of(FeedRow).seq)).scalar_subquery()
    return func.coalesce(newest, 0) < bindparam("seen_seq", type_=BigInteger)


def forget_foreign_places(session: Session) -> None:
    """A dump brings rows of transactions that are yet to come here: they would wait for those.

    Their order among themselves stays, by number.
    """
    if is_postgresql(session):
        to_come = FeedRow.xid >= literal_column(_XMAX)
        moved = update(FeedRow).where(to_come).values(xid=0)
        session.execute(moved.execution_options(synchronize_session=False))


def or_head(session: Session, position: Position) -> Position:
    """`position`, or the head where it lies ahead of all there is: a backup was put back under us."""
    ahead = session.scalar(_ahead(is_postgresql(session)), seen(position))
    return head(session) if ahead else position


def seen(position: Position) -> dict[str, int]:
    """The parameters of `is_ahead`."""
    return {"seen_xid": position.xid, "seen_seq": position.seq}


@cache
def _ahead(postgresql: bool) -> Select[bool]:
    return select(is_ahead(postgresql))


def held_back(session: Session, position: Position) -> bool:
    """Whether committed rows wait behind a transaction that is still at work."""
    if not is_postgresql(session):
        return False
    query = select(FeedRow.seq).where(FeedRow.xid >= _HORIZON, FeedRow.xid > position.xid).limit(1)
    return session.scalar(query) is not None


def head(session: Session) -> Position:
    """Where a reader that has just taken a snapshot should go on."""
    if is_postgresql(session):
        horizon = session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
        # Every row below the horizon is in this snapshot; none at or above it has been promised.
        return Position(int(horizon or 1) - 1, 2**62)
    newest = session.scalar(select(FeedRow.seq).order_by(FeedRow.seq.desc()).limit(1))
    return Position(0, newest or 0)
