"""Drives that were measured before, so that one more job in a day costs its own row and column and no more.

Kept by engine (its name says which map, or which server), origin and target, places rounded to six decimals
(0.1 m): in memory, and in one SQLite file in the data folder for the next start. It is a cache: whatever is
wrong with the file, it is begun anew, and nothing but time is lost.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from scheduler.travel.protocol import Drawn, Point, Table, TravelTimes, checked
from server.clock import utc_now

log = structlog.get_logger("truckroll.roads")

PAIRS_MAX = 4_000_000
"""All rows together, of all engines: 64 MB in memory, as much on disk. The longest unused rows go first."""
ROW_PAIRS_MAX = 8_192
"""A row that would grow beyond this forgets what was not asked for now."""
UNKNOWN = np.iinfo(np.int32).min

_PAIR = np.dtype([("target", "<i8"), ("seconds", "<i4"), ("metres", "<i4")])
_SCHEMA = """
CREATE TABLE IF NOT EXISTS drives (
  engine TEXT NOT NULL, origin INTEGER NOT NULL, measured_at TEXT NOT NULL, used_at TEXT NOT NULL,
  off TEXT, pairs BLOB NOT NULL, PRIMARY KEY (engine, origin)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Drives from one origin. pairs: sorted by target. off: why there is none. measured_at: of the oldest."""

    pairs: NDArray[np.void]
    off: str | None
    measured_at: datetime


NOTHING: NDArray[np.void] = np.zeros(0, dtype=_PAIR)


class DriveMemory:
    """Rows by engine and origin, of one process and of one file if there is one. Safe for threads."""

    def __init__(self, file: Path | None = None, *, pairs_max: int = PAIRS_MAX) -> None:
        self._file, self._pairs_max = file, pairs_max
        self._rows: OrderedDict[tuple[str, int], Row] = OrderedDict()
        self._pairs = 0
        self._lock = threading.Lock()

    def find(self, engine: str, origins: Iterable[int]) -> dict[int, Row]:
        """What is known of each origin; the file is asked for those that memory lacks."""
        with self._lock:
            found = {}
            missing = []
            for origin in origins:
                if (row := self._rows.get((engine, origin))) is not None:
                    self._rows.move_to_end((engine, origin))
                    found[origin] = row
                else:
                    missing.append(origin)
            for origin, row in self._read(engine, missing).items():
                found[origin] = row
                self._put(engine, origin, row)
            self._evict()
        return found

    def keep(self, engine: str, rows: Mapping[int, Row]) -> None:
        with self._lock:
            for origin, row in rows.items():
                self._put(engine, origin, row)
            self._write(engine, rows)
            self._evict()

    def _put(self, engine: str, origin: int, row: Row) -> None:
        old = self._rows.pop((engine, origin), None)
        self._pairs += len(row.pairs) - (len(old.pairs) if old else 0)
        self._rows[engine, origin] = row

    def _evict(self) -> None:
        while self._pairs > self._pairs_max and len(self._rows) > 1:
            _, row = self._rows.popitem(last=False)
            self._pairs -= len(row.pairs)

    def _read(self, engine: str, origins: Sequence[int]) -> dict[int, Row]:
        if self._file is None or not origins or not self._file.is_file():
            return {}
        found: dict[int, Row] = {}

        def read(connection: sqlite3.Connection) -> None:
            now = utc_now().isoformat()
            for origin in origins:
                at = (engine, origin)
                known = connection.execute(
                    "SELECT measured_at, off, pairs FROM drives WHERE engine = ? AND origin = ?", at
                ).fetchone()
                if known:
                    pairs = np.frombuffer(known[2], dtype=_PAIR)
                    found[origin] = Row(pairs, known[1], datetime.fromisoformat(known[0]))
            connection.executemany(
                "UPDATE drives SET used_at = ? WHERE engine = ? AND origin = ?",
                [(now, engine, origin) for origin in found],
            )

        self._with_file(read)
        return found

    def _write(self, engine: str, rows: Mapping[int, Row]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            now = utc_now().isoformat()
            connection.executemany(
                "INSERT OR REPLACE INTO drives VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (engine, origin, row.measured_at.isoformat(), now, row.off, row.pairs.tobytes())
                    for origin, row in rows.items()
                ],
            )
            (size,) = connection.execute("SELECT coalesce(sum(length(pairs)), 0) FROM drives").fetchone()
            over = size - self._pairs_max * _PAIR.itemsize
            for one, origin, length in (
                connection.execute(
                    "SELECT engine, origin, length(pairs) FROM drives ORDER BY used_at, engine, origin"
                ).fetchall()
                if over > 0
                else ()
            ):
                if over <= 0:
                    break
                connection.execute("DELETE FROM drives WHERE engine = ? AND origin = ?", (one, origin))
                over -= length

        if self._file is not None and rows and self._file.parent.is_dir():
            self._with_file(write)

    def _with_file(self, work: Callable[[sqlite3.Connection], None]) -> None:
        assert self._file is not None
        try:
            with closing(sqlite3.connect(self._file, timeout=5)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=OFF")  # nothing is lost that can't be measured again
                with connection:
                    connection.execute(_SCHEMA)
                    work(connection)
        except (OSError, sqlite3.Error, ValueError) as error:
            log.warning("no memory of drives", file=str(self._file), error=str(error))
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                for name in (self._file.name, f"{self._file.name}-wal", f"{self._file.name}-shm"):
                    self._file.with_name(name).unlink(missing_ok=True)


class Remembering:
    """The `TravelTimes` of `travel`, which is asked only for drives that `memory` lacks.

    good_for: how long what it measured is believed; None as long as its name is the same.
    """

    def __init__(self, travel: TravelTimes, memory: DriveMemory, good_for: timedelta | None = None) -> None:
        self._travel, self._memory, self._good_for = travel, memory, good_for
        self.name, self.estimated = travel.name, travel.estimated

    def path(self, stops: Sequence[Point]) -> Drawn:
        return self._travel.path(stops)

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        checked(origins)
        checked(targets)
        points = {key_of(point): point for point in (*origins, *targets)}
        rows = [key_of(point) for point in origins]
        columns = np.array([key_of(point) for point in targets], dtype=np.int64)
        asked_rows, asked_columns = list(dict.fromkeys(rows)), np.unique(columns)
        now = utc_now()
        known = {
            key: row
            for key, row in self._memory.find(self.name, points).items()
            if self._good_for is None or now - row.measured_at <= self._good_for
        }
        values = np.full((2, len(asked_rows), len(asked_columns)), UNKNOWN, dtype=np.int32)
        for n, key in enumerate(asked_rows):
            if key in known:
                values[:, n] = _looked_up(known[key].pairs, asked_columns)
        off = {key: row.off for key, row in known.items() if row.off}
        fresh = self._measure(values, asked_rows, asked_columns, points, off)
        if fresh:
            self._memory.keep(self.name, self._rows(asked_rows, asked_columns, values, known, off, now))
        place = np.searchsorted(asked_columns, columns)
        number = {key: n for n, key in enumerate(asked_rows)}
        cells = np.ix_(np.array([number[key] for key in rows], dtype=np.intp), place)
        spoken = {p: off[key] for p in {*origins, *targets} if (key := key_of(p)) in off}
        return Table(values[0][cells], values[1][cells], self.name, self.estimated, spoken)

    def _measure(
        self,
        values: NDArray[np.int32],
        rows: list[int],
        columns: NDArray[np.int64],
        points: dict[int, Point],
        off: dict[int, str],
    ) -> bool:
        """Fill in what is UNKNOWN: rows of which nothing is known, and columns that some row lacks."""
        missing = values[0] == UNKNOWN
        if not missing.any():
            return False
        some = ~missing.all(axis=1)  # rows of which something is known
        new_columns = missing[some].any(axis=0) if some.any() else np.zeros(len(columns), dtype=bool)
        for which_rows, which_columns in ((~some, np.ones(len(columns), dtype=bool)), (some, new_columns)):
            if not which_rows.any() or not which_columns.any():
                continue
            origins = [points[rows[n]] for n in np.flatnonzero(which_rows)]
            targets = [points[int(key)] for key in columns[which_columns]]
            table = self._travel.table(origins, targets)
            cells = np.ix_(which_rows, which_columns)
            values[0][cells], values[1][cells] = table.seconds, table.metres
            off.update({key_of(point): why for point, why in table.off.items()})
        return True

    def _rows(
        self,
        rows: list[int],
        columns: NDArray[np.int64],
        values: NDArray[np.int32],
        known: Mapping[int, Row],
        off: Mapping[int, str],
        now: datetime,
    ) -> dict[int, Row]:
        """What to keep: what is known now beside what was known before of other targets."""
        out: dict[int, Row] = {}
        for n, key in enumerate(rows):
            pairs = np.empty(len(columns), dtype=_PAIR)
            pairs["target"], pairs["seconds"], pairs["metres"] = columns, values[0, n], values[1, n]
            old = known.get(key)
            if old is not None and len(old.pairs):
                others = old.pairs[~np.isin(old.pairs["target"], columns)]
                if len(others) + len(pairs) <= ROW_PAIRS_MAX:
                    pairs = np.sort(np.concatenate([pairs, others]), order="target")
            out[key] = Row(pairs, off.get(key), old.measured_at if old else now)
        for key in off:
            if key not in out:
                out[key] = Row(NOTHING, off[key], now)
        return out


def key_of(point: Point) -> int:
    """A place as one number, rounded to six decimals."""
    return (round((point[0] + 180) * 1e6) << 28) | round((point[1] + 90) * 1e6)


def _looked_up(pairs: NDArray[np.void], targets: NDArray[np.int64]) -> NDArray[np.int32]:
    """(seconds, metres) of each target, UNKNOWN where a row lacks it."""
    found = np.full((2, len(targets)), UNKNOWN, dtype=np.int32)
    if len(pairs):
        at = np.minimum(np.searchsorted(pairs["target"], targets), len(pairs) - 1)
        hit = pairs["target"][at] == targets
        found[0, hit], found[1, hit] = pairs["seconds"][at[hit]], pairs["metres"][at[hit]]
    return found
