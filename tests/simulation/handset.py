"""A phone in somebody's van: the app's own gateway, store and driver; its clock and disk misbehave."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from simulation.chance import Chance, Dice
from simulation.clockwork import SimulatedLoop
from simulation.disk import PhoneDied, new_disk
from simulation.network import SimulatedTransport
from simulation.trace import Trace
from simulation.violation import require

from mobile.gateway import Gateway
from shared.commands import AddNote, FieldCommand
from shared.problems import Conflict, Problem
from sync.client.driver import ERASED
from sync.client.records import NotSaved, Registration
from sync.client.store import ClientStore
from sync.client.transport import NoNetwork
from sync.protocol import PROTOCOL, SyncRequest

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Tap:
    """What a technician did and the app said was saved. `at` is true time, whatever the phone's says."""

    id: UUID
    seq: int
    type: str
    body: bytes
    order_id: UUID | None
    technician_id: UUID
    at: datetime
    boot: int
    skew: timedelta
    device_id: UUID
    turn: int
    """How often the phone had been handed to another technician by then."""
    note: str | None = None
    digest: str | None = None
    clock_stood: bool = True
    """Whether the phone's clock was left alone from the tap until its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Work that went when the office's order to erase came with the answer to what was asked at `asked_at`.

    `whole`: everything that the phone held, not only what was kept aside of somebody. `heard`: the server
    took what was brought then.
    """

    taps: tuple[Tap, ...]
    asked_at: datetime
    whole: bool
    heard: bool


class Handset:
    """One phone. `boot` starts the app on what is on the disk; `die` ends it wherever it is."""

    def __init__(
        self,
        name: str,
        transport: SimulatedTransport,
        chance: Chance,
        trace: Trace,
        true_now: Callable[[], datetime],
        *,
        flushes: bool,
    ) -> None:
        self.name = name
        self.transport = transport
        self.disk = new_disk()
        self.disk.flushes = flushes
        self.skew = timedelta(0)
        self.taps: dict[UUID, Tap] = {}
        self.pictures: dict[str, bytes] = {}
        self.lost = False
        self.offered_again = False
        """Whether a restore of the server may make this phone send its decided work once more."""
        self.turns = 0
        self.wipe_ordered: set[UUID] = set()
        """Devices, this phone's registrations, that the office told to erase themselves."""
        self.erased: list[Erased] = []
        self.device_id: UUID | None = None
        """As which device the server knows it, by its last registration that went well."""
        self.app_alive = False
        self.boots = 0
        self.syncs = 0
        self.on_booted: list[Callable[[Handset], None]] = []
        self.on_tapped: list[Callable[[Handset, Tap], None]] = []
        self.on_synced: list[Callable[[Handset], None]] = []
        self.on_died: Callable[[Handset], None] = lambda _handset: None
        self._chance = chance
        self._trace = trace
        self._true_now = true_now
        self._entropy = chance.bytes_for(name)
        self._booted_at = 0.0
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self.store: ClientStore
        self.gateway: Gateway

    # Clocks

    def now(self) -> datetime:
        """What the phone's clock says."""
        return self._true_now() + self.skew

    def jump(self, by: timedelta) -> None:
        """Somebody sets the clock. What waits was made by the old one, and what may be asked for again."""
        self.skew += by
        query = "SELECT id FROM command" + ("" if self.offered_again else " WHERE outcome IS NULL")
        unsent = {UUID(row[0]) for row in self.peek(query)}
        for id in unsent & self.taps.keys():
            self.taps[id].clock_stood = False

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() - self._booted_at

    # The process

    def boot(self) -> None:
        self.boots += 1
        self._booted_at = asyncio.get_running_loop().time()
        self.disk = self.disk.power_on()
        try:
            self.store = ClientStore(self.disk, self.disk.flush)
        except NotSaved:  # no space even to open: somebody clears some
            self.disk.make_room()
            self.store = ClientStore(self.disk, self.disk.flush)
        self.gateway = Gateway(
            self.store,
            self.transport,
            now=self.now,
            entropy=self._entropy,
            monotonic=self.monotonic,
            app_version=f"sim {self.boots}",
        )
        self.app_alive = True
        self.note("booted", self.boots, *self.store_counts())
        self._notice_erasure()
        for look in self.on_booted:
            look(self)
        self._wake = asyncio.Event()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        self._pump = loop.watch(loop.create_task(self._talk(), name=f"{self.name} boot {self.boots}"))

    def die(self) -> None:
        """Kill -9."""
        if not self.app_alive:
            return
        self.app_alive = False
        self.disk.power_off()
        self.note("died")
        if self._pump:
            self._pump.cancel()
        self.on_died(self)

    def shut(self) -> None:
        """The end of the run."""
        if self._pump:
            self._pump.cancel()
        self.disk.close()

    def nudge(self) -> None:
        self._wake.set()

    async def _talk(self) -> None:
        """As mobile/sync_loop.py does, but looked at less often: the phone is in a pocket between taps."""
        while True:
            _, dice = self._chance.next(f"{self.name}/pump")
            self._wake.clear()
            wait = dice.minutes(3, 25)
            speaks = self.gateway.registered or self.gateway.must_confirm_wipe
            if speaks and (retry := await self.sync()) is not None:
                wait = min(wait, retry + dice.random())
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    async def sync(self) -> float | None:
        """One conversation. The seconds after which the app wants to try again by itself."""
        boot = self.boots
        try:
            report = await self.gateway.sync()
        except PhoneDied:
            self.die()
            await asyncio.Event().wait()
            raise
        self.syncs += 1
        if boot != self.boots or not self.app_alive:
            return None
        self._notice_erasure()
        self.note("synced", int(report.drained), int(report.online), report.rows, report.gone, report.problem)
        for look in self.on_synced:
            look(self)
        return report.retry_in_seconds

    def belong(self, registration: Registration) -> None:
        """Registered in the office, before the run began."""
        self.store.register(registration)
        self.device_id = registration.device_id

    def request_of_the_moment(self) -> tuple[str, SyncRequest] | None:
        """Its token, and what it would say to the server now; None before it was registered."""
        registration = self.store.registration
        if registration is None or self.store.cursor is None:
            return None
        commands = self.store.due(limit=20)
        request = SyncRequest(
            protocol=PROTOCOL,
            app_version="sim",
            device_now=self.now(),
            queue_length=len(commands),
            cursor=self.store.cursor,
            commands=tuple(commands),
        )
        return registration.token, request

    def _notice_erasure(self) -> None:
        """Take note of what the office's order has erased here: it is looked for on the server only."""
        here = {UUID(row[0]) for row in self.peek("SELECT id FROM command")}
        whole = not here and self.store.registration is None and self.store.refusal == ERASED
        if whole and self.device_id not in self.wipe_ordered:
            return  # nobody ordered that: the invariants will say so
        gone = [
            tap
            for tap in self.taps.values()
            if tap.id not in here and (whole or tap.device_id in self.wipe_ordered)
        ]
        if not gone and not (whole and not self.erased):
            return
        since = asyncio.get_running_loop().time() - self.transport.asked_at
        asked_at = self._true_now() - timedelta(seconds=since, milliseconds=1)
        heard = self.transport.heard
        self.erased.append(Erased(taps=tuple(gone), asked_at=asked_at, whole=whole, heard=heard))
        for tap in gone:
            del self.taps[tap.id]
        self.note("erased", len(gone), int(whole))
        if whole and self.store._disk.setting("erasing") is None:
            erased_means_erased(self.name, self.disk.image(), gone, self.pictures)

    async def register(self, code: str, *, insists: bool = False) -> None:
        """`insists`: what another technician has not sent yet is kept aside."""
        before = self.store.registration
        try:
            try:
                await self.gateway.register(code, f"{self.name} again", "test")
            except Conflict:
                if not insists:
                    raise
                await self.gateway.register(code, f"{self.name} again", "test", keep_aside=True)
        except PhoneDied:
            self.die()
        except (Problem, NoNetwork) as error:
            self.note("not-registered", type(error).__name__)
        else:
            registration = self.store.registration
            self.device_id = registration.device_id if registration else None
            if before and registration and before.technician_id != registration.technician_id:
                self.turns += 1
                self.note("handed-over", *self.store_counts(), self.store.counts().aside)
            self.note("registered")
            self.nudge()

    # Taps

    def tap(self, command: FieldCommand) -> bool:
        """Do it in the app. True when the app said that it is saved."""
        return self._tapped(lambda: self.gateway.send(command), command)

    def tap_through(self, act: Callable[[], object]) -> bool:
        """The same for what the gateway makes a command of."""
        return self._tapped(act, None)

    def attempt(self, act: Callable[[], T]) -> T | None:
        """Something in the app that is no command; None when it was refused, or the end of the app."""
        try:
            return act()
        except PhoneDied:
            self.die()
        except Problem as problem:
            self.note("refused", type(problem).__name__)
        return None

    def photograph(
        self, order_id: UUID, data: bytes, signer: str | None, *, check: str | None = None
    ) -> bool:
        def take() -> object:
            if signer is None:
                return self.gateway.add_photo(order_id, data, "image/png", check=check)
            return self.gateway.add_signature(order_id, data, signer)

        return self._tapped(take, None, data)

    def _tapped(
        self, act: Callable[[], object], command: FieldCommand | None, data: bytes | None = None
    ) -> bool:
        before = self._newest()
        try:
            act()
        except PhoneDied:
            self.die()
            return False
        except Problem as problem:
            self.note("refused", type(problem).__name__)
            require(self._newest() == before, "DURABLE_TAP", f"{self.name}: a refused tap was queued")
            return False
        newest = self._newest()
        require(
            newest is not None and newest != before, "DURABLE_TAP", f"{self.name}: saved, and not on the disk"
        )
        assert newest is not None
        seq, id, type_, body, order_id = newest
        registration = self.store.registration
        assert registration is not None
        digest = sha256(data).hexdigest() if data is not None else None
        tap = Tap(
            id=UUID(id),
            seq=seq,
            type=type_,
            body=bytes(body),
            order_id=UUID(order_id) if order_id else None,
            technician_id=registration.technician_id,
            at=self._true_now(),
            boot=self.boots,
            skew=self.skew,
            device_id=registration.device_id,
            turn=self.turns,
            note=command.text if isinstance(command, AddNote) else None,
            digest=digest,
        )
        if digest is not None and data is not None:
            self.pictures[digest] = data
        self.taps[tap.id] = tap
        self.note("tapped", type_, id)
        for look in self.on_tapped:
            look(self, tap)
        return True

    # Looking at the disk without the app

    def peek(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return sqlite3.Connection.execute(self.disk, query, arguments).fetchall()

    def _newest(self) -> tuple[Any, ...] | None:
        rows = self.peek("SELECT seq, id, type, body, work_order_id FROM command ORDER BY seq DESC LIMIT 1")
        return rows[0] if rows else None

    def store_counts(self) -> tuple[int, int]:
        counts = self.store.counts()
        return counts.unsent_commands, counts.unsent_photos

    def note(self, what: str, *details: object) -> None:
        self._trace.add(asyncio.get_running_loop().time(), self.name, what, *details)


def erased_means_erased(name: str, image: bytes, gone: list[Tap], pictures: dict[str, bytes]) -> None:
    """WIPED: nothing that was tapped, photographed or shown can be read on an erased phone's disk."""
    for what in (b"Fabianinkatu", b"Customer ", *(tap.body for tap in gone), *pictures.values()):
        require(what not in image, "WIPED", f"{name} was erased, and its file still has {what[:80]!r}")


__all__ = ["Dice", "Handset", "Tap"]
