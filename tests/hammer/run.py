"""Rounds of real work with something real killed in each."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import databases
from hammer import invariants
from hammer.cluster import Address, Postgres
from hammer.dispatcher import Dispatcher
from hammer.technician import Kit, Technician, hand_over
from real_server import RealServer, free_port
from simulation.chance import Dice
from simulation.violation import require
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from world import ONT_A, ONT_B, World

from server import office
from server.access import people
from server.access.roles import Role
from server.db import feed, history
from server.db.engine import Database
from server.db.feed_models import HistoryRow
from shared.commands import AssignWorkOrder
from shared.work_orders import WorkOrderKind
from sync.client.records import Registration

ROOT = Path(__file__).resolve().parents[2]
CREW = ("Ana Virtanen", "Ben Korhonen", "Cem Aydin", "Dina Laine", "Eero Salo")
KILLED = ("Dina Laine", "Eero Salo")
"""These have a process of their own that dies in each round; the others share the harness's."""
JOBS_AT_FIRST, JOBS_PER_ROUND = 24, 4
LOOK_EVERY, REST_EVERY = 5, 25
PROGRESS_SECONDS_MAX = 120

# What is killed, and how often beside the others. A client is killed in each round as well.
KINDS = {
    "sqlite": {"server": 8, "server twice": 2, "client": 1},
    "postgresql": {
        "server": 9, "server twice": 2, "client": 1, "sessions": 4, "session crash": 2, "database": 3,
        "server and database": 2, "fail-over synchronous": 1, "fail-over asynchronous": 1,
        "fail-over under way": 1,
    },
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run came to. Seconds are of the harness's clock, on a machine that does other things too."""

    rounds: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    clients_killed: int = 0
    taps: int = 0
    accepted: int = 0
    held: int = 0
    completed: int = 0
    moves: int = 0
    pictures: int = 0
    invariants_looked_at: int = 0
    lost_by_fail_over_and_offered_again: int = 0
    recovery_seconds: list[float] = field(default_factory=list)


def say(text: str) -> None:
    print(f"hammer: {text}", file=sys.stderr, flush=True)


class ShadowReader:
    """Follows the whole feed by cursor in a thread of its own, whatever dies meanwhile."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.seen: list[tuple[int, int]] = []
        self.position = feed.Position()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def start_over(self) -> None:
        """Another history: what was read may be gone."""
        with self._lock:
            self.seen, self.position = [], feed.Position()

    def finish(self) -> list[tuple[int, int]]:
        self._over.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        return self.seen

    def _follow(self) -> None:
        try:
            while True:
                last = self._over.is_set()
                try:
                    while self._read() or not last:
                        if not last and self._over.wait(0.1):
                            break
                except DBAPIError:
                    time.sleep(0.1)
                    continue
                if last:
                    return
        except BaseException as error:  # told to who asks for what was seen
            self._failure = error

    def _read(self) -> int:
        # A connection that stays open would keep SQLite from recovering the way it does after a real crash.
        with self._lock:
            database = Database(self._url())
            try:
                with database.read() as session:
                    page = feed.read(session, _scopes(session), self.position, limit=300)
            finally:
                database.close()
            for change in page:
                self.seen.append((change.position.xid, change.position.seq))
            if page:
                self.position = page[-1].position
            return len(page)


def _scopes(session: Any) -> list[str]:
    from server.dispatch.models import TechnicianRow

    crew = session.scalars(select(TechnicianRow.id)).all()
    return [feed.BOARD, *(feed.technician_scope(id) for id in crew)]


def _is_recognised(database: Database) -> bool:
    """Whether the server knows on which database it is, so that phones were or will be told."""
    with database.read() as session:
        known = session.scalars(select(HistoryRow.identity)).one()
        return bool(known == history.identity(session))


class Hammer:
    """One run. `folder` holds everything, and is short (see Postgres)."""

    def __init__(
        self, *, engine: databases.Engine, seed: int, rounds: int, only: tuple[str, ...], folder: Path,
        mutation: str | None = None,
    ) -> None:  # fmt: skip
        kinds = KINDS[engine]
        self.kinds = {kind: weight for kind, weight in kinds.items() if not only or kind in only}
        if not self.kinds:
            raise SystemExit(f"hammer: {engine} knows {', '.join(kinds)}")
        self.mutation = mutation
        self.engine, self.rounds, self.folder = engine, rounds, folder
        self.dice = Dice(seed)
        self.seed = seed
        self._at_first = self.dice.sample(list(self.kinds), len(self.kinds))
        self.figures = Figures()
        self.complete = False
        self._enough = False
        self._stopping = False
        self._instances = 0
        self.primary: Postgres | None = None
        self._lost: set[UUID] = set()
        self._address = Address(folder)
        url = self._make_database()
        self.world = World(url, crew=CREW, now=datetime.now(UTC), data_folder=folder / "data")
        self._tasks: list[asyncio.Task[None]] = []
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self.log = folder / "server.log"

    # Setting up

    def _make_database(self) -> str:
        if self.engine == "sqlite":
            url = f"sqlite:///{self.folder / 'server.db'}"
        else:
            self.primary = self._instance()
            self.primary.create()
            self.primary.ask("CREATE DATABASE hammer")
            self._address.lead_to(self.primary)
            url = self._address.url
        databases.migrate(url)
        return url

    def _instance(self) -> Postgres:
        self._instances += 1
        return Postgres(self.folder / f"pg{self._instances}")

    def set_up(self) -> None:
        """Crew with phones, stock, jobs; a dispatcher who is signed in."""
        world, dice = self.world, self.dice
        with world.database.write() as session:
            for phone in world.phones:
                stem = phone.ont.removesuffix("0001")
                for number in range(10, 30 + self.rounds // 2):
                    world.receive(
                        session, phone.van_id, ONT_A if number % 3 else ONT_B, serial=f"{stem}{number:04d}"
                    )
        later = datetime.now(UTC) + timedelta(days=40)  # in nobody's scope until it is assigned
        waiting: list[UUID] = []
        for _ in range(JOBS_AT_FIRST + JOBS_PER_ROUND * self.rounds):
            job = world.order(dice.pick(list(WorkOrderKind)), phone=dice.pick(world.phones), start=later)
            waiting.append(job.id)
        for number, order_id in enumerate(waiting[:JOBS_AT_FIRST]):
            assigned = AssignWorkOrder(
                work_order_id=order_id,
                technician_id=world.phones[number % len(CREW)].technician_id,
                planned_start=datetime.now(UTC),
                planned_end=datetime.now(UTC) + timedelta(hours=2),
                travel_minutes=10,
                route_position=number,
            )
            office.run(world.database, world.settings, assigned, "the plan")
        given, waiting = waiting[:JOBS_AT_FIRST], waiting[JOBS_AT_FIRST:]
        settings = replace(world.settings, log_level="WARNING", device_requests_per_second=0, send_seconds=0)
        self.server = RealServer(settings, free_port(), self.log)
        if self.mutation:
            self.server.program = (str(Path(__file__).with_name("mutations.py")), self.mutation)
        contested = (*(phone.ont for phone in world.phones), "GHOST0001", "GHOST0002")
        self.kits = {}
        for phone in world.phones:
            key = phone.name.split()[0]
            kit = Kit(
                name=phone.name,
                file=self.folder / f"{key}.phone",
                diary=self.folder / f"{key}.diary",
                url=self.server.url,
                contested=contested,
            )
            self.kits[phone.name] = kit
            hand_over(
                kit,
                Registration(
                    device_id=phone.device_id, token=phone.token, technician_id=phone.technician_id,
                    technician_name=phone.name,
                ),
            )  # fmt: skip
        with world.database.write() as session:
            people.add_person(
                session, name="Dora", email="dora@office.test", role=Role.DISPATCHER, password="of the hammer"
            )
        signed_in = people.sign_in(world.database, "dora@office.test", "of the hammer", datetime.now(UTC))
        assert signed_in is not None
        crew = [phone.technician_id for phone in world.phones]
        self.dispatcher = Dispatcher(
            self.server.url, signed_in.token, signed_in.person.csrf_token, crew, given, waiting
        )
        world.database.close()

    # The run

    def finish_early(self) -> None:
        """After this round: everything is still looked at."""
        self._enough = True

    async def run(self, minutes: float) -> None:
        """At most so long, and the end after that. Raises Violation when a promise was broken."""
        deadline = time.monotonic() + minutes * 60
        for asked in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(asked, self.finish_early)
        self.server.start()
        self.shadow = ShadowReader(lambda: self.world.settings.database_url)
        try:
            self._begin_work()
            for number in range(1, self.rounds + 1):
                await self._round(number)
                if number % LOOK_EVERY == 0:
                    await asyncio.to_thread(self._look)
                if self._enough or time.monotonic() > deadline:
                    break
                if number % REST_EVERY == 0 and number < self.rounds:
                    await self._rest(last=False)
                    self._begin_work()
            await self._rest(last=True)
            self.complete = True
        finally:
            self._stopping = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for child in self._children.values():
                child.kill()
                child.wait()

    def _begin_work(self) -> None:
        self._stopping = False
        self.technicians = [Technician(kit) for name, kit in self.kits.items() if name not in KILLED]
        jobs: list[Coroutine[Any, Any, None]] = [
            technician.work(Dice(self.dice.getrandbits(32)), self._stopped) for technician in self.technicians
        ]
        jobs.append(self.dispatcher.work(Dice(self.dice.getrandbits(32)), self._stopped))
        self._tasks = [asyncio.create_task(job) for job in jobs]
        for name in KILLED:
            self._start_client(name)

    def _stopped(self) -> bool:
        return self._stopping

    async def _round(self, number: int) -> None:
        """Kill one client and one other thing at moments that the seed says; wait until work goes on."""
        kind = self._kind(number)
        self.dispatcher.allowed += JOBS_PER_ROUND
        victim = self.dice.pick(KILLED)
        await asyncio.sleep(self.dice.uniform(0.02, 0.5))
        client_first = self.dice.happens(0.5)
        if client_first:
            self._kill_client(victim)
        started = time.monotonic()
        await self._strike(kind)
        if not client_first:
            await asyncio.sleep(self.dice.uniform(0, 0.2))
            self._kill_client(victim)
        self._start_client(victim)
        await self._progress(kind)
        if kind != "client":
            self.figures.recovery_seconds.append(time.monotonic() - started)
        self.figures.rounds = number
        self.figures.kinds[kind] += 1
        if number % 10 == 0:
            say(f"{self.engine}: {number} rounds, {self._decided()} commands decided since the last rest")

    def _kind(self, number: int) -> str:
        """Each once, in an order that the seed says; then by weight."""
        if number <= len(self._at_first):
            return self._at_first[number - 1]
        return self.dice.choices(list(self.kinds), list(self.kinds.values()))[0]

    async def _strike(self, kind: str) -> None:
        match kind:
            case "server":
                self.server.kill()
                await self._start_server()
            case "server twice":
                self.server.kill()
                starting = asyncio.create_task(asyncio.to_thread(self._try_to_start))
                await asyncio.sleep(self.dice.uniform(0.1, 2.5))
                os.kill(self.server.pid, signal.SIGKILL)
                await starting
                await self._start_server()
            case "sessions":
                pids = self._primary.backends()
                chosen = [pid for pid in pids if self.dice.happens(0.6)]
                await asyncio.to_thread(self._primary.terminate, chosen)
            case "session crash":
                if pids := self._primary.backends():
                    self._primary.crash(self.dice.pick(pids))
            case "database":
                self._primary.kill()
                await asyncio.sleep(self.dice.uniform(0, 0.5))
                await asyncio.to_thread(self._primary.start)
            case "server and database":
                self._primary.kill()
                self.server.kill()
                await asyncio.to_thread(self._primary.start)
                await self._start_server()
            case "fail-over synchronous":
                await self._fail_over(synchronous=True, restart=True)
            case "fail-over asynchronous":
                await self._fail_over(synchronous=False, restart=True)
            case "fail-over under way":
                await self._fail_over(synchronous=self.dice.happens(0.5), restart=False)

    def _try_to_start(self) -> None:
        try:
            self.server.start()
        except RuntimeError:
            return  # it was killed while it started

    async def _start_server(self) -> None:
        await asyncio.to_thread(self.server.start)

    @property
    def _primary(self) -> Postgres:
        assert self.primary is not None, "kinds that need it are PostgreSQL's"
        return self.primary

    async def _fail_over(self, *, synchronous: bool, restart: bool) -> None:
        """A standby takes over. Synchronous: nothing answered is lost. Asynchronous: it is offered again.

        `restart`: the server starts anew on it; else it goes on and finds another database behind the name.
        """
        old, new = self._primary, self._instance()
        await asyncio.to_thread(new.copy_from, old)
        await asyncio.to_thread(old.wait_for_standby, synchronous)
        if not synchronous:
            await asyncio.sleep(self.dice.uniform(0, 0.3))
            await asyncio.to_thread(new.cut_off)
        before = self._decided()
        await self._until(lambda: self._decided() > before, "work while a standby follows")
        await asyncio.sleep(self.dice.uniform(0, 0.3))
        old.kill()
        if restart:
            self.server.kill()
        answered = self._answered()
        await asyncio.to_thread(new.promote)
        self.primary = new
        # What an earlier one lost may not have been offered again yet: phones are told within seconds.
        lost = answered - new.command_ids() - self._lost
        if synchronous:
            require(not lost, "NO_FALSE_ACK", f"{len(lost)} answered commands are not on the standby")
        else:
            self._lost |= lost
            self.figures.lost_by_fail_over_and_offered_again = len(self._lost)
            self.dispatcher.acknowledged.clear()  # nobody offers the office's acts again
        self.shadow.start_over()
        self._address.lead_to(new)
        if restart:
            await self._start_server()

    def _answered(self) -> set[UUID]:
        """Every command that a phone believes decided."""
        found: set[UUID] = set()
        for kit in self.kits.values():
            connection = sqlite3.connect(kit.file, timeout=30)
            rows = connection.execute("SELECT id FROM command WHERE outcome IS NOT NULL").fetchall()
            found |= {UUID(row[0]) for row in rows}
            connection.close()
        return found

    # Clients that die

    def _start_client(self, name: str) -> None:
        kit = self.kits[name]
        command = [
            sys.executable, str(Path(__file__).with_name("technician.py")), "--name", kit.name,
            "--file", str(kit.file), "--diary", str(kit.diary), "--url", kit.url,
            "--contested", ",".join(kit.contested), "--seed", str(self.dice.getrandbits(32)),
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        with (self.folder / "clients.log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def _kill_client(self, name: str) -> None:
        child = self._children[name]
        ended = child.poll()
        if ended is not None:
            tail = (self.folder / "clients.log").read_text(errors="replace")[-3000:]
            raise RuntimeError(f"the phone of {name} ended by itself with {ended}:\n{tail}")
        child.kill()
        child.wait()
        self.figures.clients_killed += 1

    # Waiting

    def _decided(self) -> int:
        return sum(technician.decided for technician in self.technicians)

    async def _progress(self, kind: str) -> None:
        before = self._decided()
        await self._until(lambda: self._decided() > before, f"work after {kind}")

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PROGRESS_SECONDS_MAX
        while not true():
            for task in self._tasks:
                if task.done() and (failure := task.exception()):
                    raise failure
            if time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise TimeoutError(f"no {what} for {PROGRESS_SECONDS_MAX} s:\n{tail}")
            await asyncio.sleep(0.01)

    def _look(self) -> None:
        """While everybody works: what must hold at any moment, on one snapshot."""
        database = Database(self.world.settings.database_url)
        books = invariants.copy(database, self.folder / "look.db")
        database.close()
        self.figures.invariants_looked_at += invariants.hold_at_any_moment(books)
        books.close()

    async def _rest(self, *, last: bool) -> None:
        """Everybody stops and syncs until all is said; then every promise is looked at."""
        self._stopping = True
        await asyncio.gather(*self._tasks)
        for technician in self.technicians:
            await technician.close()
        for name in KILLED:
            self._kill_client(name)
        database = Database(self.world.settings.database_url)
        await self._until(lambda: _is_recognised(database), "notice of the fail-over")
        resting = [Technician(kit) for kit in self.kits.values()]
        try:
            await asyncio.gather(*(self._drain(technician) for technician in resting))
            # A colleague's last word may have changed what the others show.
            await asyncio.gather(*(self._drain(technician) for technician in resting))
            books = invariants.copy(database, self.folder / "copy.db")
            settings = replace(self.world.settings, database_url=database.url)
            figures = self.figures
            figures.invariants_looked_at += invariants.hold_at_rest(
                books, database, settings, resting, datetime.now(UTC)
            )
            invariants.office_acts_survive(books, self.dispatcher.acknowledged)
            if last:
                invariants.feed_was_seen_whole(books, self.shadow.finish())
            count = "SELECT count(*) FROM command WHERE origin = 'field' AND outcome = ?"
            figures.accepted, figures.held = books.value(count, "accepted"), books.value(count, "held")
            figures.completed = books.value("SELECT count(*) FROM work_order WHERE state = 'completed'")
            figures.moves = books.value("SELECT count(*) FROM stock_move WHERE work_order_id IS NOT NULL")
            figures.pictures = books.value("SELECT count(*) FROM attachment")
            figures.taps = sum(len(technician.taps) for technician in resting)
            books.close()
        finally:
            for technician in resting:
                await technician.close()
            database.close()

    async def _drain(self, technician: Technician) -> None:
        for _ in range(60):
            report = await technician.sync()
            waiting = technician.store.counts()
            left = waiting.unsent_commands + waiting.unsent_photos + waiting.confirming
            if report.drained and not left:
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{technician.name} could not sync: {report}, {waiting}")

    def clean_up(self) -> None:
        self.world.close()
        self.server.stop()
        if self.primary:
            self.primary.stop()
