"""Where one database's half of the benchmark runs: a durable database, its world, and the real server."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import databases
from real_server import RealServer, free_port
from world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    engine: databases.Engine
    folder: Path
    quick: bool

    def say(self, text: str) -> None:
        print(f"{self.engine}: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def world(self) -> Iterator[World]:
        """A fresh database with one internet provider's rows. Ana is there; hire the others."""
        with databases.migrated_database(self.engine, self.folder) as url:
            world = World(url, crew=["Ana Virtanen"], now=datetime.now(UTC), data_folder=self.folder)
            try:
                yield world
            finally:
                world.close()

    @contextmanager
    def server(self, world: World) -> Iterator[RealServer]:
        """`python -m server serve` in a process of its own."""
        settings = replace(world.settings, log_level="WARNING")
        log = self.folder / f"server-{secrets.token_hex(3)}.log"
        server = RealServer(settings, free_port(), log)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def sites(quick: bool) -> Iterator[list[Site]]:
    """SQLite, and a PostgreSQL of our own: with safe settings, and nobody else's transactions in it."""
    folder = Path(tempfile.mkdtemp(prefix="tr-bench-"))
    folder.chmod(0o755)  # root's PostgreSQL runs as another user, who must be able to pass through
    before = os.environ.get("TEST_DATABASE_URL")
    try:
        if before is None:
            os.environ["TEST_DATABASE_URL"] = databases.start_postgresql(folder / "pg")
        found = []
        for engine in databases.ENGINES:
            place = folder / engine
            place.mkdir()
            with databases.migrated_database(engine, place):
                pass  # the template is there now: two threads can't migrate at a time
            found.append(Site(engine=engine, folder=place, quick=quick))
        yield found
    finally:
        if before is None:
            os.environ.pop("TEST_DATABASE_URL", None)
            databases.leave_postgresql()
        shutil.rmtree(folder, ignore_errors=True)
