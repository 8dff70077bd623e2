"""A technician with the app's own gateway on a real file, over real HTTP; also a program that can be killed.

Each tap that the app said is saved goes into a diary, a file beside the phone that only grows. The diary is
the harness's memory: what is in it must be on the phone and, in the end, in the server's log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from simulation import visits
from simulation.chance import Dice
from simulation.handset import Tap

from mobile.gateway import Gateway, SyncReport
from shared.commands import AddNote, FieldCommand
from shared.problems import Problem
from sync.client.records import Registration
from sync.client.store import ClientStore
from sync.client.transport import HttpxTransport

UNSENT_MAX = 80
"""Who has so much waiting takes a break from tapping until the server is back."""
REQUEST_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a technician's process is started with."""

    name: str
    file: Path
    diary: Path
    url: str
    contested: tuple[str, ...]


class Technician:
    """One open app on `kit.file`. Looks like simulation.handset.Handset to those who choose and check."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.name = kit.name
        self.pictures: dict[str, bytes] = {}
        self.decided = 0
        self.offline = 0
        self._diary = os.open(kit.diary, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._connection = sqlite3.connect(kit.file)
        self._connection.execute("PRAGMA journal_mode=TRUNCATE")  # as mobile/device/storage.py
        self.store = ClientStore(self._connection)
        self._transport = HttpxTransport(kit.url, timeout_seconds=REQUEST_SECONDS)
        self.gateway = Gateway(self.store, self._transport, app_version="hammer")

    async def close(self) -> None:
        await self._transport.close()
        self._connection.close()
        os.close(self._diary)

    # The day

    async def work(self, dice: Dice, stop: Callable[[], bool]) -> None:
        """Tap, sync, listen, until told to stop."""
        while not stop():
            for _ in range(dice.randint(1, 2)):
                if self.store.counts().unsent_commands < UNSENT_MAX:
                    self.do_something(dice)
            if dice.happens(0.15) and not self.store.counts().unsent_commands:
                report = await self.gateway.listen(1)
            else:
                report = await self.sync()
            await asyncio.sleep(dice.uniform(0.1, 0.5) if report.online else 0.1)

    def do_something(self, dice: Dice) -> None:
        before = self._newest()
        visits.next_tap(self, dice, list(self.kit.contested))  # type: ignore[arg-type]
        if self._newest() == before and dice.happens(0.05) and (orders := list(self.store.images().orders)):
            note = AddNote(work_order_id=dice.pick(orders), text=f"Nothing to do ✓ {dice.randbytes(6).hex()}")
            self.tap(note)

    async def sync(self) -> SyncReport:
        report = await self.gateway.sync()
        self.decided += report.accepted + report.held
        self.offline += not report.online
        return report

    # Taps

    def tap(self, command: FieldCommand) -> bool:
        return self._tapped(lambda: self.gateway.send(command), command)

    def photograph(self, order_id: UUID, data: bytes, signer: str | None) -> bool:
        def take() -> object:
            if signer is None:
                return self.gateway.add_photo(order_id, data, "image/png")
            return self.gateway.add_signature(order_id, data, signer)

        self.pictures[sha256(data).hexdigest()] = data
        return self._tapped(take, None, sha256(data).hexdigest())

    def _tapped(
        self, act: Callable[[], object], command: FieldCommand | None, digest: str | None = None
    ) -> bool:
        try:
            act()
        except Problem:
            return False
        newest = self._newest()
        assert newest is not None, "the app said that it is saved"
        seq, id, type_, body, order_id = newest
        line = {
            "id": id, "seq": seq, "type": type_, "body": bytes(body).decode(), "order_id": order_id,
            "note": command.text if isinstance(command, AddNote) else None, "digest": digest,
        }  # fmt: skip
        os.write(self._diary, json.dumps(line).encode() + b"\n")
        return True

    def _newest(self) -> tuple[Any, ...] | None:
        rows = self.peek("SELECT seq, id, type, body, work_order_id FROM command ORDER BY seq DESC LIMIT 1")
        return rows[0] if rows else None

    # Looking

    def peek(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, arguments).fetchall()

    @property
    def taps(self) -> dict[UUID, Tap]:
        """All that the app ever said is saved."""
        registration = self.store.registration
        assert registration is not None
        found = {}
        for line in self.kit.diary.read_text().splitlines():
            said = json.loads(line)
            found[UUID(said["id"])] = Tap(
                id=UUID(said["id"]), seq=said["seq"], type=said["type"], body=said["body"].encode(),
                order_id=UUID(said["order_id"]), technician_id=registration.technician_id,
                at=datetime.now(UTC), boot=0, skew=timedelta(), note=said["note"], digest=said["digest"],
                clock_stood=False, device_id=registration.device_id, turn=0,
            )  # fmt: skip
        return found


def hand_over(kit: Kit, registration: Registration) -> None:
    """Register a phone in the office, before anything starts."""
    connection = sqlite3.connect(kit.file)
    ClientStore(connection).register(registration)
    connection.close()


async def _live(kit: Kit, seed: int) -> None:
    technician = Technician(kit)
    harness = os.getppid()
    await technician.work(Dice(seed), lambda: os.getppid() != harness)


def main(words: Sequence[str] | None = None) -> None:
    """Work until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("name", "file", "diary", "url", "contested"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args(words)
    kit = Kit(
        name=given.name,
        file=Path(given.file),
        diary=Path(given.diary),
        url=given.url,
        contested=tuple(given.contested.split(",")),
    )
    asyncio.run(_live(kit, given.seed))


if __name__ == "__main__":
    main()
