"""Would the rules allow it by now? Held commands run on the present rows, without a lock or a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.assets import register
from server.assets.models import AssetRow
from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.faults import records as faults
from server.field.unit import requests_named
from server.inbox.reading import command_of, named_order, sender_of
from server.stock import ledger, part_requests, transfers
from server.stock.models import StockPlaceRow
from server.stock.products import products
from server.work_orders import repository
from shared.assets import Asset
from shared.commands import (
    DeviceCommand,
    FieldCommand,
    FittingCommand,
    JoblessCommand,
    VisitCommand,
    parts_named,
    serials_of,
)
from shared.decide import decide, decide_stock
from shared.network_faults import Cabinet, NetworkCommand, decide_network
from shared.problems import CountFarOff, NotFound, Problem, UnsealedTransfer
from shared.situation import Situation
from shared.stock_commands import (
    AskForPart,
    PickUpParts,
    StockCommand,
    TransferCommand,
    places_named,
    serials_named,
    skus_named,
)
from shared.van import Van


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What stands now, and for each command of the visit what still forbids it, None where nothing does.

    Each is judged after those before it that fit. `now` is None where there is no such job or technician;
    `van` stands in its place for a command about a van's stock, `cabinet` for one about the network.
    """

    now: Situation | None
    forbids: dict[UUID, Problem | None]
    van: Van | None = None
    cabinet: Cabinet | None = None

    @property
    def fits(self) -> bool:
        return not any(self.forbids.values())


def outlook(session: Session, visit: Sequence[CommandRow]) -> Outlook:
    """`visit`: held commands of one device about one job, in order; or one about no job."""
    read = {row.id: _read(row) for row in visit}
    if isinstance(alone := read[visit[0].id], StockCommand):
        return _about_van(session, visit[0], alone)
    if isinstance(alone, NetworkCommand):
        return _about_network(session, visit[0], alone)
    commands = [one for one in read.values() if not isinstance(one, Problem | JoblessCommand)]
    situation = _situation(session, visit[0], commands)
    forbids: dict[UUID, Problem | None] = {}
    now = situation
    for row in visit:
        found = read[row.id]
        assert not isinstance(found, JoblessCommand), "it is about no job, so it stands alone"
        if isinstance(found, Problem):
            forbids[row.id] = found
        elif now is None:
            forbids[row.id] = NotFound("There is no such job, or nobody whose work it is")
        else:
            try:
                now = decide(found, now, row.happened_at).after
                forbids[row.id] = None
            except Problem as problem:
                forbids[row.id] = problem
    return Outlook(now=situation, forbids=forbids)


def _about_van(session: Session, row: CommandRow, command: StockCommand) -> Outlook:
    """What was too far off when it came waits for a person, whatever the limit is by now."""
    found = _sender(session, row)
    if found is None:
        return Outlook(now=None, forbids={row.id: NotFound("Nobody's device sent this")})
    technician, van_name = found
    devices = register.find(session, AssetRow.serial.in_(sorted(serials_named(command))))
    skus = skus_named(command) | {asset.sku for asset in devices}
    ids = [command.transfer.id] if isinstance(command, TransferCommand) else []
    van = Van(
        actor_id=technician.id,
        van_id=technician.van_id,
        van_name=van_name,
        assets={asset.serial: asset for asset in devices},
        on_hand=ledger.balances(session, technician.van_id, skus),
        products=products(session, skus),
        transfers=transfers.find(session, ids),
        giver_on_hand=ledger.balances(session, command.depot_id, skus)
        if isinstance(command, PickUpParts)
        else None,
        requests=part_requests.find(session, *requests_named(command, technician.id)),
        places=ledger.holders(session, places_named(command)),
        knows_all=True,
    )
    problem: Problem | None = None
    try:
        for kind in (CountFarOff, UnsealedTransfer):
            if row.slug == kind.slug:
                raise kind(row.detail or "")
        if isinstance(command, AskForPart):
            repository.must_exist(session, command.for_order_id)
        decide_stock(command, van, row.happened_at)
    except Problem as forbidden:
        problem = forbidden
    return Outlook(now=None, forbids={row.id: problem}, van=van)


def _about_network(session: Session, row: CommandRow, command: NetworkCommand) -> Outlook:
    cabinet = faults.cabinet(session, command.cabinet)
    problem: Problem | None = None
    try:
        repository.must_exist(session, command.for_order_id)
        decide_network(command, cabinet, row.happened_at)
    except Problem as forbidden:
        problem = forbidden
    return Outlook(now=None, forbids={row.id: problem}, cabinet=cabinet)


def _read(row: CommandRow) -> FieldCommand | Problem:
    try:
        return command_of(row)
    except Problem as problem:
        return problem


def _situation(session: Session, row: CommandRow, commands: Sequence[VisitCommand]) -> Situation | None:
    order_id = named_order(row)
    orders = repository.load(session, [order_id]) if order_id else []
    found = _sender(session, row)
    if not orders or found is None:
        return None
    order, (technician, van_name) = orders[0], found
    assets = _assets(session, commands, order.handled_serials)
    used = {line.sku for item in commands for line in parts_named(item)}
    used |= {line.sku for line in order.parts}
    named = used | order.fitting_skus | {asset.sku for asset in assets.values()}
    named |= {item.sku for item in commands if isinstance(item, FittingCommand) and item.sku}
    return Situation(
        order=order,
        actor_id=technician.id,
        van_id=technician.van_id,
        van_name=van_name,
        assets=assets,
        on_hand=ledger.balances(session, technician.van_id, used) if used else {},
        products=products(session, named) if named else {},
    )


def _sender(session: Session, row: CommandRow) -> tuple[TechnicianRow, str] | None:
    """Whose work it is, and the name of their van."""
    found = session.execute(
        select(TechnicianRow, StockPlaceRow.name)
        .join(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
        .where(TechnicianRow.id == sender_of(session, row))
    ).one_or_none()
    return (found[0], found[1]) if found else None


def _assets(session: Session, commands: Sequence[VisitCommand], more: frozenset[str]) -> dict[str, Asset]:
    serials = set(more)
    for item in commands:
        if isinstance(item, DeviceCommand):
            serials.update(serials_of(item))
    found = register.find(session, AssetRow.serial.in_(sorted(serials))) if serials else []
    return {asset.serial: asset for asset in found}
