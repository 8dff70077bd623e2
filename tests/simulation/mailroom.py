"""What leaves the server: the real courier, and an outside world that hears it or is away."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from simulation.chance import Dice
from simulation.violation import require

from server.db.engine import Database
from server.outbox.backoff import TRIES_MAX
from server.outbox.courier import ARRIVED, Courier, Message, Outcome
from server.outbox.models import WEBHOOK

if TYPE_CHECKING:
    from simulation.run import Simulation

CHANNELS = ("sms", "email", WEBHOOK)
PATIENCE = timedelta(days=10)
"""By then every message has arrived or was given up."""


class Mailroom:
    """`heard`: message → how often the world outside heard it."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation
        self._dice = simulation.chance.dice("mailroom")
        self._away = self._dice.pick((0.0, 0.1, 0.5))
        self.heard: Counter[UUID] = Counter()

    def send(self, message: Message, now: datetime) -> Outcome:
        """A sender. An answer may be lost on its way back, so that the same message comes again."""
        if self._sim.healed:
            self.heard[message.id] += 1
            return ARRIVED
        away, heard = self._dice.happens(self._away), self._dice.happens(0.5)
        if heard or not away:
            self.heard[message.id] += 1
        return Outcome(error="No connection", away=True) if away else ARRIVED

    async def work(self) -> None:
        while True:
            _, dice = self._sim.chance.next("courier")
            await asyncio.sleep(dice.minutes(5, 40))
            if self._sim.host.up:
                self._sim.office.do("courier", "round", lambda dice=dice: self._round(dice))

    def _round(self, dice: Dice) -> None:
        self._courier(self._sim.host.database, self._sim.now(), dice).step()

    def _courier(self, database: Database, now: datetime, dice: Dice) -> Courier:
        senders = dict.fromkeys(CHANNELS, self)
        return Courier(database, senders, name="courier", now=lambda: now, chance=dice.randbytes)

    def empties(self) -> None:
        """OUTBOX_DRAINED: every message that was committed is heard in the end, under its one id.

        Or it is on the list for a person, and then it was tried as often as promised.
        """
        sim = self._sim
        now, end = sim.now(), sim.now() + PATIENCE
        while now < end:
            if not self._courier(sim.host.database, now, self._dice).step():
                now += timedelta(hours=6)
        query = "SELECT id, state, tries, last_error FROM outbox WHERE state <> 'sent'"
        left = [row for row in sim.books.rows(query) if row[1:3] != ("dead", TRIES_MAX)]
        require(not left, "OUTBOX_DRAINED", left)
        sent = sim.books.rows("SELECT id FROM outbox WHERE state = 'sent'")
        unheard = [id for (id,) in sent if not self.heard[UUID(id)]]
        require(not unheard, "OUTBOX_DRAINED", f"sent, and nobody heard it: {unheard[:5]}")
        query = """SELECT n.id FROM notice n LEFT JOIN outbox o ON o.notice_id = n.id
                   GROUP BY n.id HAVING count(o.id) <> 1"""
        twice = sim.books.rows(query)
        require(not twice, "OUTBOX_DRAINED", f"notices without their one message: {twice[:5]}")
