"""Open the app's SQLite database where this platform keeps data.

In the browser it lies in the origin private file system, on synchronous access handles: a commit takes
about a millisecond and nothing acknowledged is lost when the browser is killed. Elsewhere it is an
ordinary file. Both use a rollback journal and `synchronous=FULL`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mobile import words
from mobile.device.browser import IN_BROWSER, js_error_name, load_module

MOUNT_POINT = "/data"


class StorageError(Exception):
    """The database can't be opened. `str(error)` is a sentence for the technician."""


class OpenElsewhere(StorageError):
    """Another tab or window holds the database; only one may write."""

    def __init__(self) -> None:
        super().__init__(words.OPEN_ELSEWHERE)


class StorageUnsupported(StorageError):
    """This browser has no private file system (or hides it, as private windows do)."""

    def __init__(self) -> None:
        super().__init__(words.NO_STORAGE)


@dataclass(slots=True, kw_only=True)
class Database:
    """One open connection. After a commit that the technician is told about, call `flush`."""

    connection: sqlite3.Connection
    where: Literal["browser", "file"]
    _flush: Callable[[], None]
    _release: Callable[[], None]

    def flush(self) -> None:
        """Ask the device to put everything committed so far on its disk.

        Needed in the browser: SQLite's own fsync does not reach the access handle in Pyodide.
        In a file SQLite has already done it, so this costs nothing.
        """
        self._flush()

    def commit(self) -> None:
        """Commit, and return only when the commit is durable."""
        self.connection.commit()
        self.flush()

    def close(self) -> None:
        """Close the connection and let another tab have the database."""
        self.connection.close()
        self._release()


async def open_database(name: str, *, folder: Path | None = None) -> Database:
    """Open or create the database `name` (letters, digits, hyphens).

    `folder` is for CPython only; by default it is the app's private data folder.
    Raises OpenElsewhere while another tab has it, StorageUnsupported where there is nowhere to keep it.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"not a database name: {name!r}")
    return await _open_in_browser(name) if IN_BROWSER else _open_file(name, folder or data_folder())


def data_folder() -> Path:
    """The app's private folder: what Flet gives a packaged app, else the user's data folder."""
    if given := os.environ.get("FLET_APP_STORAGE_DATA"):
        return Path(given)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "truckroll"


def _open_file(name: str, folder: Path) -> Database:
    folder.mkdir(parents=True, exist_ok=True)
    connection = _connect(str(folder / f"{name}.db"))
    return Database(connection=connection, where="file", _flush=_nothing, _release=_nothing)


async def _open_in_browser(name: str) -> Database:
    import pyodide_js
    from pyodide.ffi import JsException

    module = await load_module("storage/opfs.mjs")
    point = f"{MOUNT_POINT}/{name}"
    try:
        store = await module.mount(pyodide_js.FS, point, name, [f"{name}.db", f"{name}.db-journal"])
    except JsException as error:
        if js_error_name(error) == "NoModificationAllowedError":
            raise OpenElsewhere from error
        raise StorageUnsupported from error
    connection = _connect(f"{point}/{name}.db")
    # Nobody else can have the file (its handles are exclusive): no need to ask at each reading who wrote it.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    return Database(connection=connection, where="browser", _flush=store.flush, _release=store.close)


def _connect(path: str) -> sqlite3.Connection:
    # Flet calls plain handlers from a thread pool on desktop and phone. SQLite is built serialised, and
    # all writes go through one gateway, so sharing the connection is safe.
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=TRUNCATE")  # WAL needs shared memory, which a browser lacks
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _nothing() -> None:
    pass
