"""Everybody who is not on the road: dispatchers, the clerk of held work, the desk that gives out phones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from simulation.chance import Dice
from simulation.handset import Handset
from simulation.host import NobodyHome, ServerDied
from simulation.town import START
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server import office
from server.access import devices
from server.clock import utc_now
from server.inbox import acts
from server.work_orders import intake
from shared.commands import (
    AssignWorkOrder,
    CancelWorkOrder,
    DeleteWorkOrder,
    EditContact,
    OfficeNote,
    ReopenWorkOrder,
    RescheduleWorkOrder,
    UnassignWorkOrder,
)
from shared.problems import Problem
from shared.work_orders import ContactField, WorkOrderKind
from sync.server.ports import TryAgain

if TYPE_CHECKING:
    from simulation.run import Simulation


KINDS = (
    "assign", "unassign", "cancel", "order", "reschedule", "contact", "note", "delete", "reopen",
)  # fmt: skip
WEIGHTS = (6, 2, 1, 2, 3, 2, 2, 1, 1)


class Office:
    """One object for all of them; each act is a step of its own with its own dice."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation
        self.acts = 0

    def do(self, who: str, what: str, act: Callable[[], object]) -> object | None:
        """One act on the server. None when the server was not there, died of it, or refused it."""
        sim = self._sim
        self.acts += 1
        try:
            with sim.host.fated(sim.office_fate(who)):
                found = act()
        except ServerDied:
            sim.server_died()
            return None
        except NobodyHome:
            return None
        except Problem as problem:
            sim.note(who, "office-refused", what, type(problem).__name__)
            return None
        except (OperationalError, PoolTimeout, TryAgain) as error:
            # As a web page would: an error for the person, who may try again.
            sim.note(who, "office-error", what, type(error).__name__)
            return None
        sim.note(who, what)
        return found if found is not None else True

    async def dispatch(self, who: str) -> None:
        """A dispatcher who moves, takes away, cancels and takes orders all day."""
        sim = self._sim
        while True:
            name, dice = sim.chance.next(who)
            await asyncio.sleep(dice.minutes(5, 60))
            if not sim.at_work() or not sim.host.up:
                continue
            kind = dice.choices(KINDS, WEIGHTS)[0]
            if not sim.step(name, kind):
                continue
            if kind == "order":
                self._take_order(who, dice)
            else:
                self._move(who, dice, kind)

    def _move(self, who: str, dice: Dice, kind: str) -> None:
        sim = self._sim
        ids = sim.books.order_ids()
        # Jobs are touched unevenly: a few hot ones again and again.
        order_id = UUID(
            ids[min(int(dice.paretovariate(0.7)) - 1, len(ids) - 1)] if dice.happens(0.5) else dice.pick(ids)
        )
        command: Any
        if kind == "assign":
            phone = dice.pick(sim.world.phones)
            begin = START + timedelta(hours=dice.uniform(0, sim.schedule.hours + 12))
            command = AssignWorkOrder(
                work_order_id=order_id,
                technician_id=phone.technician_id,
                planned_start=begin,
                planned_end=begin + timedelta(hours=2),
                travel_minutes=dice.randint(0, 40),
                route_position=dice.randint(1, 9),
            )
        elif kind == "unassign":
            command = UnassignWorkOrder(work_order_id=order_id)
        elif kind == "reschedule":
            begin = START + timedelta(hours=dice.uniform(0, sim.schedule.hours + 12))
            command = RescheduleWorkOrder(
                work_order_id=order_id, planned_start=begin, planned_end=begin + timedelta(hours=1)
            )
        elif kind == "contact":
            command = EditContact(
                work_order_id=order_id, field=ContactField.PHONE, value=f"+35840{dice.randint(0, 9999):04d}"
            )
        elif kind == "note":
            command = OfficeNote(work_order_id=order_id, text=f"Office ✓ {dice.randbytes(6).hex()}")
        elif kind == "delete":
            command = DeleteWorkOrder(work_order_id=order_id, reason="Entered twice")
        elif kind == "reopen":
            technician = dice.pick(sim.world.phones).technician_id
            command = ReopenWorkOrder(work_order_id=order_id, technician_id=technician)
        else:
            command = CancelWorkOrder(work_order_id=order_id, reason="The customer called")
        self.do(
            who, f"{kind} {order_id}", lambda: office.run(sim.host.database, sim.host.settings, command, who)
        )

    def _take_order(self, who: str, dice: Dice) -> None:
        """A second job for a customer that we have, so that two visits share an address."""
        sim = self._sim
        service_id, customer_id = dice.pick(sim.books.services())
        wanted = intake.CustomerOrder(
            kind=dice.pick((WorkOrderKind.REPAIR, WorkOrderKind.SWAP, WorkOrderKind.DISCONNECT)),
            customer_id=UUID(customer_id),
            service_id=UUID(service_id),
        )

        def take() -> object:
            with sim.host.database.write() as session:
                return intake.place(session, sim.host.settings, wanted, actor=who, now=utc_now())

        self.do(who, "order", take)

    async def decide_held(self, who: str) -> None:
        """A clerk who decides what is held, some of it."""
        sim = self._sim
        while True:
            name, dice = sim.chance.next(who)
            await asyncio.sleep(dice.minutes(20, 200))
            if not sim.host.up or not sim.at_work():
                continue
            waiting = sim.books.held_and_open()
            kinds = ("accept", "accept_visit", "dismiss", "call_out")
            kind = dice.choices(kinds, (4, 3, 3, 1))[0]
            if waiting and sim.step(name, kind):
                self._decide(who, UUID(dice.pick(waiting)), kind, dice.pick(("as_it_is", "reopen", "report")))

    def _decide(self, who: str, chosen: UUID, kind: str, way: Any) -> None:
        host = self._sim.host

        def act() -> object:
            match kind:
                case "accept":
                    return acts.accept(host.database, host.settings, chosen, who, way=way)
                case "accept_visit":
                    return acts.accept_visit(host.database, host.settings, chosen, who, way=way)
                case "call_out":
                    return acts.call_out_fee(host.database, host.settings, chosen, who)
            return acts.dismiss(host.database, chosen, who, "It was done twice")

        self.do(who, f"{kind} {chosen}", act)

    async def give_out_phones(self) -> None:
        """The desk: whose phone says that it must be registered again, gets a code."""
        sim = self._sim
        while True:
            _, dice = sim.chance.next("desk")
            await asyncio.sleep(dice.minutes(10, 90))
            if sim.at_work():
                for handset in sim.handsets:
                    await self.register(handset, insists=dice.happens(0.5))

    async def register(self, handset: Handset, *, insists: bool = False) -> None:
        """For whom it is meant for, where it is not theirs yet or has to sign in again."""
        sim = self._sim
        if handset.lost or not handset.app_alive or not sim.host.up:
            return
        technician_id = sim.owner_of[handset.name]
        holder = handset.store.registration
        theirs = holder is not None and holder.technician_id == technician_id
        if theirs and not handset.gateway.status().sign_in_needed:
            return

        def draw() -> str:
            with sim.host.database.write() as session:
                return devices.new_code(session, technician_id, utc_now())

        code = self.do("desk", f"code for {handset.name}", draw)
        if isinstance(code, str):
            await handset.register(code, insists=insists or sim.healed)

    async def hand_over_one(self) -> None:
        """Once in the run another technician gets a phone, with whatever waits on it; at times it returns."""
        sim = self._sim
        name, dice = sim.chance.next("handover")
        if not dice.happens(sim.schedule.rate("handed_over")):
            return
        await asyncio.sleep(dice.uniform(0.1, 0.6) * sim.schedule.hours * 3600)
        handset = dice.pick(sim.handsets)
        first = sim.owner_of[handset.name]
        second = dice.pick([p.technician_id for p in sim.world.phones if p.technician_id != first])
        if not sim.step(name, f"hand {handset.name} over"):
            return
        sim.owner_of[handset.name] = second
        sim.tap_a_last_time(handset, name)
        await self.register(handset, insists=True)
        if dice.happens(0.4):
            await asyncio.sleep(dice.minutes(10, 240))
            sim.owner_of[handset.name] = first
            await self.register(handset, insists=True)

    async def wipe_one(self) -> None:
        """Once in the run a phone is told to erase itself: it was stolen, or it is given out anew."""
        sim = self._sim
        name, dice = sim.chance.next("eraser")
        if not dice.happens(sim.schedule.rate("wiped")):
            return
        await asyncio.sleep(dice.uniform(0.1, 0.9) * sim.schedule.hours * 3600)
        handset = dice.pick(sim.handsets)
        device_id, stolen = handset.device_id, dice.happens(0.3)
        if device_id is None or not sim.host.up or not sim.step(name, f"erase {handset.name}"):
            return

        def act() -> object:
            with sim.host.database.write() as session:
                return devices.order_wipe(session, device_id, utc_now(), by="the office")

        if self.do("eraser", f"erase {handset.name}", act) is not None:
            handset.wipe_ordered.add(device_id)
            handset.lost = handset.lost or stolen

    async def revoke_one(self) -> None:
        """Once in the run a phone is signed out; often by mistake, sometimes because it is lost."""
        sim = self._sim
        name, dice = sim.chance.next("revoker")
        if not dice.happens(sim.schedule.rate("revoked")):
            return
        await asyncio.sleep(dice.uniform(0.1, 0.9) * sim.schedule.hours * 3600)
        handset = dice.pick(sim.handsets)
        lost = dice.happens(0.3)
        device_id = handset.device_id
        if device_id is None or not sim.host.up or not sim.step(name, f"revoke {handset.name}"):
            return

        def act() -> object:
            with sim.host.database.write() as session:
                return devices.revoke(session, device_id, utc_now())

        if self.do("revoker", f"revoke {handset.name}", act) is not None and lost:
            handset.lost = True
