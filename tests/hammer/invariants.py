"""The simulator's invariants, asked of a real server: its rows are copied to a file that they can read.

The copy is made from one snapshot of the server's database, so what holds between any two transactions must
hold of it, also while everybody is at work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from hammer.dispatcher import Acted
from hammer.technician import Technician
from simulation import books_hold, phones_hold
from simulation.books import Books
from simulation.violation import require
from sqlalchemy import create_engine, event, insert, select

from server.db.engine import Database
from server.db.tables import metadata
from server.settings import Settings

CHUNK = 2_000


def copy(database: Database, file: Path) -> Books:
    """Every row of `database` as it is at one moment, in a new SQLite file."""
    file.unlink(missing_ok=True)
    target = create_engine(f"sqlite:///{file}")

    @event.listens_for(target, "connect")
    def hurry(connection: object, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]

    metadata.create_all(target)
    with database.read() as session, target.begin() as writing:
        for table in metadata.sorted_tables:
            for rows in session.execute(select(table)).mappings().partitions(CHUNK):
                writing.execute(insert(table), [dict(row) for row in rows])
    target.dispose()
    return Books(file)


def hold_at_any_moment(books: Books) -> int:
    """What must be true between any two transactions. How many invariants were looked at."""
    for holds in (*books_hold.ALWAYS, messages_leave_once):
        holds(books)
    return len(books_hold.ALWAYS) + 1


def messages_leave_once(books: Books) -> None:
    """ONE_EFFECT: a notice has one message on its way out for each channel."""
    twice = books.rows(
        "SELECT notice_id, channel FROM outbox WHERE notice_id IS NOT NULL"
        " GROUP BY notice_id, channel HAVING count(*) > 1"
    )
    require(not twice, "ONE_EFFECT", f"messages queued twice: {twice}")


def office_acts_survive(books: Books, acknowledged: Counter[Acted]) -> None:
    """NO_FALSE_ACK: what a dispatcher was told is done is in the command log, as often as it was told."""
    logged = Counter(books.rows("SELECT work_order_id, type FROM command WHERE origin = 'office'"))
    lost = acknowledged - logged
    require(not lost, "NO_FALSE_ACK", f"the office was told of acts that are not in the log: {dict(lost)}")


def nothing_came_twice(books: Books, technicians: Sequence[Technician]) -> None:
    """NO_INTENT_LOST, ONE_EFFECT: the log holds what the phones hold, command for command, and no other."""
    logged = dict(
        books.rows("SELECT id, outcome FROM command WHERE origin = 'field' AND device_id IS NOT NULL")
    )
    kept: dict[str, str | None] = {}
    for technician in technicians:
        for id, outcome in technician.peek("SELECT id, outcome FROM command"):
            kept[id.replace("-", "")] = outcome
    lost, ghosts = kept.keys() - logged.keys(), logged.keys() - kept.keys()
    require(not lost, "NO_INTENT_LOST", f"{len(lost)} of the phones are not in the log: {sorted(lost)[:5]}")
    require(not ghosts, "ONE_EFFECT", f"{len(ghosts)} in the log are on no phone: {sorted(ghosts)[:5]}")
    wrong = {id for id in kept if kept[id] != logged[id]}
    require(not wrong, "NO_FALSE_ACK", f"phone and log disagree about {sorted(wrong)[:5]}")


def hold_at_rest(
    books: Books, database: Database, settings: Settings, technicians: Sequence[Technician], now: datetime
) -> int:
    """What must be true once everybody has synced and nobody works. How many invariants were looked at."""
    looked_at = hold_at_any_moment(books)
    nothing_came_twice(books, technicians)
    for technician in technicians:
        phones_hold.every_tap_is_on_the_disk(technician)  # type: ignore[arg-type]
        books_hold.every_tap_is_decided(books, technician.taps.values())
        phones_hold.only_the_server_acknowledges(technician, books, restored=False)  # type: ignore[arg-type]
        phones_hold.converged(technician, database, settings, now)  # type: ignore[arg-type]
        books_hold.pictures_arrived(books, settings.attachments, technician)  # type: ignore[arg-type]
        looked_at += 5
    return looked_at + 1


def feed_was_seen_whole(books: Books, seen: Iterable[tuple[int, int]]) -> None:
    """FEED_ORDER: a reader that followed the feed through all of it saw every row once, in order."""
    read = list(seen)
    require(read == sorted(set(read)), "FEED_ORDER", "the shadow reader saw a row twice, or out of order")
    rows = set(books.rows("SELECT xid, seq FROM feed"))
    require(set(read) == rows, "FEED_ORDER", f"{len(rows)} rows are there, the reader saw {len(read)}")
