"""One run: a crew, an office and a server for some simulated days, and what must hold of it."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from simulation import town
from simulation.books import Books
from simulation.chance import Chance, Dice
from simulation.clockwork import SimulatedLoop
from simulation.disk import PhoneDied
from simulation.handset import Handset
from simulation.host import Fate, Host, ServerDied
from simulation.invariants import Inspector
from simulation.mailroom import Mailroom
from simulation.network import SERVER_FATES, SimulatedTransport
from simulation.office import Office
from simulation.schedule import Schedule
from simulation.town import START, WORK_ENDS_HOUR, WORK_STARTS_HOUR
from simulation.trace import Trace
from simulation.van import van_tap
from simulation.violation import Violation, require
from simulation.visits import ask_for_visit, next_tap

from server.clock import running_on
from server.db import history
from sync.client.records import Registration
from sync.protocol import PROTOCOL, SyncRequest, encode

HEALING_ROUNDS = 12
PATIENCE_ROUNDS = 4
GAP_MAX = 6
"""So many rows of the feed one phone's work of a few minutes may write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that took place and could be left out."""

    name: str
    at: float
    what: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run came to. `violation` is None when every invariant held."""

    schedule: Schedule
    violation: Violation | None = None
    trace: str = ""
    clock_hours: float = 0
    device_hours: float = 0
    seconds: float = 0
    figures: Counter[str] = field(default_factory=Counter)
    steps: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    traceback: str = ""


class Simulation:
    """All parts of one run, within its own folder and on its own loop."""

    def __init__(self, schedule: Schedule, folder: Path, loop: SimulatedLoop) -> None:
        self.schedule = schedule
        self.loop = loop
        self.chance = Chance(schedule.seed)
        self.trace = Trace()
        self.steps: list[Step] = []
        self.healed = False
        self.folder = folder
        self._tasks: list[asyncio.Task[None]] = []
        self._outage = 0
        dice = self.chance.dice("town")
        aged = dice.happens(schedule.rate("token_ages"))
        self.world = town.build(folder, schedule, dice, device_token_days=1 if aged else 180)
        self.books = Books(folder / "server.db")
        self.host = Host(folder / "server.db", self.world.settings, self.trace, loop.time)
        self.handsets: list[Handset] = []
        self.owner_of: dict[str, UUID] = {}
        self.office = Office(self)
        self.mailroom = Mailroom(self)
        self.inspector = Inspector(self)

    # Time

    def now(self) -> datetime:
        """True time, which is also the server's."""
        return START + timedelta(seconds=self.loop.time())

    def at_work(self) -> bool:
        return WORK_STARTS_HOUR <= self.now().hour < WORK_ENDS_HOUR

    # Steps

    def step(self, name: str, what: str) -> bool:
        """Whether this step takes place; it is noted when it does."""
        if name in self.schedule.left_out:
            return False
        self.steps.append(Step(name=name, at=self.loop.time(), what=what))
        return True

    def note(self, who: str, what: str, *details: object) -> None:
        self.trace.add(self.loop.time(), who, what, *details)

    # The server's deaths

    def office_fate(self, who: str) -> Fate:
        fate = Fate()
        name, dice = self.chance.next(f"{who}/fate")
        for fault, attribute, most in SERVER_FATES:
            hit, number = dice.happens(self.schedule.rate(fault)), dice.randint(1, most)
            if hit and not self.healed and self.step(f"{name}/{fault}", f"fault {fault} {number}"):
                setattr(fate, attribute, number)
                break
        return fate

    def server_died(self) -> None:
        """Somebody starts it again, after a while."""
        _, dice = self.chance.next("operator")
        self._outage += 1
        self.spawn(self._start_server(dice.pick((2, 20, 200, 1800)), self._outage), f"start {self._outage}")

    async def _start_server(self, seconds: float, outage: int) -> None:
        await asyncio.sleep(0 if self.healed else seconds)
        if outage == self._outage and not self.host.up:
            self.host.start()
            self.note("server", "started", self.host.boots)

    async def _operate(self) -> None:
        """Planned restarts."""
        while True:
            name, dice = self.chance.next("operator/plan")
            await asyncio.sleep(dice.uniform(4, 20) * 3600)
            if dice.happens(self.schedule.rate("server_restarts")) and self.step(name, "restart the server"):
                self.host.stop()
                self.note("server", "stopped")
                self.server_died()

    async def _raise_the_floor(self) -> None:
        """From some hour on the server gives no rows to apps of the version before; it takes their work."""
        name, dice = self.chance.next("floor")
        if not dice.happens(self.schedule.rate("floor_raised")):
            return
        await asyncio.sleep(dice.uniform(0.2, 0.8) * self.schedule.hours * 3600)
        if self.step(name, "no more old apps"):
            self.host.protocol_min = PROTOCOL

    async def _back_up(self) -> None:
        """One copy of the database, put back later: what was decided in between is undone on the server."""
        name, dice = self.chance.next("backup")
        share, hours = sorted((dice.random(), dice.random())), self.schedule.hours
        if not dice.happens(self.schedule.rate("restored")):
            return
        await asyncio.sleep(share[0] * hours * 3600)
        if not self.host.up or not self.step(name, "restore a backup"):
            return
        image = self.host.backup()
        self.note("operator", "backup", len(image))
        soon = self.chance.dice("backup/soon").happens(self.schedule.rate("rolled_back"))
        if soon:
            await self._until_somebody_is_ahead()
        else:
            await asyncio.sleep((share[1] - share[0]) * hours * 3600 + 1)
        self.books.close()
        self.inspector.before_restore()
        self.host.restore(image)
        self.note("operator", "restored")
        self.inspector.after_restore()
        told = dice.happens(0.5) and not soon
        if told or not self._noticed_by_a_phone():
            history.renew(self.host.database, "an operator asked for it", self.now())

    async def _until_somebody_is_ahead(self) -> None:
        """An upgrade is rolled back at the worst moment: a phone has seen a little more, and brings work.

        What that writes could fill the gap that shows what happened.
        """
        place = self._place()
        for _ in range(240):
            await asyncio.sleep(60)
            if any(
                seen <= place[1] + GAP_MAX and request.commands for *_, seen, request in self._ahead(place)
            ):
                return

    def _place(self) -> tuple[str, int]:
        """The server's epoch and the newest number of its feed."""
        epoch = self.books.value("SELECT epoch FROM history")
        return epoch, self.books.value("SELECT coalesce(max(seq), 0) FROM feed")

    def _ahead(self, place: tuple[str, int]) -> Iterator[tuple[Handset, str, int, SyncRequest]]:
        """Phones that have seen more than there was at `place`: token, how far, and what they would say."""
        epoch, newest = place
        for handset in self.handsets:
            if not handset.app_alive or (found := handset.request_of_the_moment()) is None:
                continue
            token, request = found
            cursor = request.cursor or ""
            seen = int(cursor.partition("!")[0].partition("~")[0].rpartition(".")[2])
            if cursor.startswith(f"{epoch}-") and seen > newest:
                yield handset, token, seen, request

    def _noticed_by_a_phone(self) -> bool:
        """Nobody told the server; a phone that has seen more than the backup holds is the first to speak."""
        epoch, newest = place = self._place()
        # One that brings work first: what that writes is what could hide the gap.
        ahead = sorted(self._ahead(place), key=lambda found: not found[-1].commands)
        for handset, token, seen, request in ahead:
            headers = {"Authorization": f"Bearer {token}"}
            answer = self.host.handle("POST", "/sync", headers, encode(request))  # which nobody hears
            if answer.status != 200:
                continue  # its token is younger than the backup
            noticed = self.books.value("SELECT epoch FROM history") != epoch
            self.note(handset.name, "from-the-future", seen, newest, len(request.commands))
            require(noticed, "EPOCH", f"{handset.name} saw {seen} of {newest}, and no new epoch began")
            return True
        return False

    # Phones

    def _add_handset(self, name: str, technician: int) -> Handset:
        dice = self.chance.dice(f"{name}/made")
        handset: Handset
        transport = SimulatedTransport(
            name,
            self.host,
            self.chance,
            self.schedule,
            self.trace,
            self.step,
            lambda: handset.die(),
            self.server_died,
        )
        handset = Handset(name, transport, self.chance, self.trace, self.now, flushes=dice.happens(0.4))
        handset.on_died = self._phone_died
        handset.offered_again = self.schedule.rate("restored") > 0
        self.inspector.watch(handset)
        phone = self.world.phones[technician]
        self.owner_of[name] = phone.technician_id
        if dice.happens(self.schedule.rate("clock_skewed")):
            handset.skew = timedelta(seconds=dice.pick((60, 900, 86_400, 259_200)) * dice.uniform(-1, 1))
        transport.weather.old_protocol = dice.happens(self.schedule.rate("old_protocol"))
        self.handsets.append(handset)
        handset.boot()
        return handset

    def _phone_died(self, handset: Handset) -> None:
        _, dice = self.chance.next(f"{handset.name}/owner")

        async def start_again() -> None:
            await asyncio.sleep(0 if self.healed else dice.minutes(1, 90))
            if dice.happens(0.3):
                handset.transport.weather.old_protocol = False  # the app was brought up to date meanwhile
            if not handset.app_alive:
                handset.boot()

        self.spawn(start_again(), f"{handset.name} start {handset.boots}")

    async def _technician(self, handset: Handset) -> None:
        """Taps all day, sleeps at night."""
        contested = town.contested_serials(self.world)
        while True:
            name, dice = self.chance.next(f"{handset.name}/tap")
            await asyncio.sleep(dice.minutes(1, 16))
            if not self.at_work():
                await asyncio.sleep(dice.minutes(20, 40))
                continue
            if handset.app_alive and handset.gateway.registered and self.step(name, "tap"):
                self._misfortune(handset, name)
                if not handset.app_alive:
                    continue
                self._tap(handset, dice, contested)
                self._besides(handset, name, contested)
                if self.chance.dice(f"{name}/hurry").happens(self.schedule.rate("hurried")):
                    await self._hurry(handset, name, contested)

    def _tap(self, handset: Handset, dice: Dice, contested: list[str], nudges: float = 0.7) -> None:
        try:
            next_tap(handset, dice, contested)
        except PhoneDied:
            handset.die()
        if handset.app_alive and dice.happens(nudges):
            handset.nudge()

    def _besides(self, handset: Handset, tap: str, contested: list[str]) -> None:
        """What not every day has: something about the van, more work that was found."""
        for what in ("van_work", "more_work"):
            dice = self.chance.dice(f"{tap}/{what}")
            # An app of the version before knows neither.
            able = handset.app_alive and not handset.transport.weather.old_protocol
            if not (dice.happens(self.schedule.rate(what)) and able) or not self.step(f"{tap}/{what}", what):
                continue
            try:
                if what == "van_work":
                    van_tap(handset, self._colleagues(handset), dice, contested)
                else:
                    ask_for_visit(handset, dice)
            except PhoneDied:
                handset.die()

    def _colleagues(self, handset: Handset) -> list[Handset]:
        """Who could stand beside this technician now, with a phone that is on."""
        mine = self.owner_of[handset.name]
        return [
            other
            for other in self.handsets
            if other.app_alive
            and other.gateway.registered
            and not other.transport.weather.old_protocol
            and self.owner_of[other.name] != mine
        ]

    async def _hurry(self, handset: Handset, tap: str, contested: list[str]) -> None:
        """More taps within seconds, while the app still talks about the first."""
        for number in range(1, 4):
            name = f"{tap}/hurry-{number}"
            dice = self.chance.dice(name)
            await asyncio.sleep(dice.uniform(0.2, 8))
            if handset.app_alive and handset.gateway.registered and self.step(name, "tap at once"):
                self._tap(handset, dice, contested)

    def tap_a_last_time(self, handset: Handset, why: str) -> None:
        """What is done just before the phone changes hands has not been sent when it does."""
        for number in range(1, 4):
            name = f"{why}/tap-{number}"
            if handset.app_alive and handset.gateway.registered and self.step(name, "tap"):
                contested = town.contested_serials(self.world)
                self._tap(handset, self.chance.dice(name), contested, nudges=0.2)

    def _misfortune(self, handset: Handset, tap: str) -> None:
        """What may befall the phone itself at this tap."""
        rate = self.schedule.rate
        for fault in ("phone_dies_at_write", "phone_storage_full", "clock_jumps"):
            name = f"{tap}/{fault}"
            dice = self.chance.dice(name)
            if not dice.happens(rate(fault)) or not self.step(name, f"fault {fault}"):
                continue
            if fault == "phone_dies_at_write":
                handset.disk.die_at_write(dice.randint(1, 60))
            elif fault == "clock_jumps":
                handset.jump(timedelta(seconds=dice.pick((120, 3_600, 172_800)) * dice.uniform(-1, 1)))
            else:
                handset.disk.fill_up_at_write(dice.randint(1, 30))
                self.spawn(self._make_room(handset, dice.minutes(5, 120)), f"{name} room")

    async def _make_room(self, handset: Handset, seconds: float) -> None:
        await asyncio.sleep(seconds)
        handset.disk.make_room()

    async def _coverage(self, handset: Handset) -> None:
        """Hours without any network."""
        while True:
            name, dice = self.chance.next(f"{handset.name}/cover")
            await asyncio.sleep(dice.minutes(60, 240))
            gone, hours = dice.happens(self.schedule.rate("offline")), dice.pick((0.3, 1, 4, 14))
            if gone and self.step(name, f"offline for {hours} h"):
                handset.transport.weather.offline = True
                await asyncio.sleep(hours * 3600)
                handset.transport.weather.offline = False

    # The run

    def spawn(self, work: object, name: str) -> None:
        self._tasks.append(self.loop.watch(self.loop.create_task(work, name=name)))  # type: ignore[arg-type]

    async def live(self) -> None:
        for number, phone in enumerate(self.world.phones):
            handset = self._add_handset(f"phone-{number}", number)
            handset.belong(
                Registration(
                    device_id=phone.device_id,
                    token=phone.token,
                    technician_id=phone.technician_id,
                    technician_name=phone.name,
                )
            )
        if self.chance.dice("second").happens(self.schedule.rate("second_device")):
            self._add_handset("tablet-0", 0)  # one technician on two devices; the desk will register it
        for handset in self.handsets:
            self.spawn(self._technician(handset), f"{handset.name} technician")
            self.spawn(self._coverage(handset), f"{handset.name} coverage")
        for number in range(self.schedule.dispatchers):
            self.spawn(self.office.dispatch(f"dispatcher-{number}"), f"dispatcher {number}")
        self.spawn(self.office.decide_held("clerk"), "clerk")
        self.spawn(self.mailroom.work(), "courier")
        self.spawn(self.office.give_out_phones(), "desk")
        self.spawn(self.office.revoke_one(), "revoker")
        self.spawn(self.office.wipe_one(), "eraser")
        self.spawn(self.office.hand_over_one(), "handover")
        self.spawn(self._raise_the_floor(), "floor")
        self.spawn(self._operate(), "operator")
        self.spawn(self._back_up(), "backup")
        self.host.exchanges_max = 300 + round(20 * self.schedule.hours * len(self.handsets))
        end = self.schedule.hours * 3600
        while self.loop.time() < end:
            await asyncio.sleep(min(2 * 3600.0, end - self.loop.time()))
            self._look_for_broken_tasks()
            self.inspector.now_and_then()

    def _look_for_broken_tasks(self) -> None:
        """A task that ended with an exception found a violation, or is a bug of the simulator."""
        pumps = [handset._pump for handset in self.handsets]
        for task in (*self._tasks, *pumps):
            if task is not None and task.done() and not task.cancelled() and (error := task.exception()):
                raise error
        self._tasks = [task for task in self._tasks if not task.done()]

    async def heal(self) -> None:
        """The network is back, everybody stops working, and all that waits is said."""
        self.healed = True
        self.note("all", "heal")
        for task in self._tasks:
            task.cancel()
        if not self.host.up:
            self.host.start()
        for handset in self.handsets:
            handset.transport.healed = True
            handset.disk.make_room()
            handset.disk.die_at_write(None)
            handset.transport.weather.old_protocol = False
            if not handset.app_alive:
                handset.boot()
        for number in range(HEALING_ROUNDS):
            await asyncio.sleep(400)
            self._look_for_broken_tasks()
            for handset in self.handsets:
                if not handset.app_alive:
                    handset.boot()
                self._give_back(handset, number)
                await self.office.register(handset)
                handset.nudge()
            await asyncio.sleep(120)
            if all(self._is_done(handset) for handset in self.handsets):
                break
        self._look_for_broken_tasks()
        for handset in self.handsets:  # once more in the same hour, so that all have seen each other's work
            if not handset.lost:
                await handset.sync()
        for handset in self.handsets:
            said = handset.lost or self._said_all(handset)
            detail = f"{handset.name} still waits: {handset.gateway.status()}"
            require(said, "EVERY_INTENT_DECIDED", detail)

    def _give_back(self, handset: Handset, number: int) -> None:
        """Work kept aside whose token is no good any more goes once its technician signs in there again."""
        if number >= PATIENCE_ROUNDS and (waiting := handset.store.asides()):
            self.owner_of[handset.name] = waiting[0].technician_id

    def _is_done(self, handset: Handset) -> bool:
        if handset.device_id in handset.wipe_ordered and handset.gateway.registered:
            return False  # it has not fetched the order to erase itself
        return handset.lost or self._said_all(handset)

    def _said_all(self, handset: Handset) -> bool:
        status = handset.gateway.status()
        waits = status.unsent_commands or status.unsent_photos or handset.store.asides()
        return not (waits or status.syncing or status.problem)

    async def whole(self) -> None:
        try:
            await self.live()
            await self.heal()
            self.inspector.at_the_end()
        finally:
            for handset in self.handsets:
                handset.shut()

    def close(self) -> None:
        self.books.close()
        self.host.stop()


def run(schedule: Schedule) -> Outcome:
    """Simulate it. Never raises for what the product does: that is the outcome's `violation`."""
    started = time.perf_counter()
    outcome = Outcome(schedule=schedule)
    with _quiet(), tempfile.TemporaryDirectory(dir=town.memory_folder(), prefix="truckroll-sim-") as folder:
        loop = SimulatedLoop()
        dice = Chance(schedule.seed).bytes_for("server")
        simulation: Simulation | None = None
        try:
            with running_on(lambda: START + timedelta(seconds=loop.time()), dice):
                simulation = Simulation(schedule, Path(folder), loop)
                loop.run_for_good(simulation.whole())
        except Violation as violation:
            outcome.violation = violation
            outcome.traceback = traceback.format_exc()
        except (Exception, PhoneDied, ServerDied) as error:
            # Whatever the product let through to here is wrong too, or the simulator itself is.
            outcome.violation = Violation("NO_SURPRISE", f"{type(error).__name__}: {error}")
            outcome.traceback = traceback.format_exc()
        finally:
            if simulation is not None:
                simulation.close()
            if not loop.is_closed():
                loop.close()
    if simulation is not None:
        _count(outcome, simulation)
    outcome.seconds = time.perf_counter() - started
    return outcome


def _count(outcome: Outcome, simulation: Simulation) -> None:
    hours = simulation.loop.time() / 3600
    outcome.trace = simulation.trace.digest
    outcome.clock_hours = hours
    outcome.device_hours = hours * len(simulation.handsets)
    outcome.steps = simulation.steps
    outcome.lines = list(simulation.trace.lines)
    counts = simulation.trace.counts
    outcome.figures.update(
        {
            "taps": counts["tapped"],
            "refused_taps": counts["refused"],
            "requests": counts["request"],
            "exchanges": simulation.host.exchanges,
            "sql_statements": simulation.host.statements,
            "office_acts": simulation.office.acts,
            "server_deaths": counts["died"] - sum(h.boots - 1 for h in simulation.handsets),
            "server_boots": simulation.host.boots,
            "phone_deaths": sum(handset.boots - 1 for handset in simulation.handsets),
            "faults": sum(step.what.startswith("fault") for step in simulation.steps),
            "restores": counts["restored"],
            "restores_noticed_by_a_phone": counts["from-the-future"],
            "wipes": counts["erased"],
            "handovers": counts["handed-over"],
            "devices": len(simulation.handsets),
            "checks": simulation.inspector.checks,
            "messages_sent": sum(simulation.mailroom.heard.values()),
            "replays": simulation.inspector.replays,
        }
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Faults are logged by the product as they should be; here they are the plan."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


__all__ = ["Callable", "Outcome", "Simulation", "run"]
