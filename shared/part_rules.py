"""What a technician may say of parts that others have: ask, answer, take back; and what settles it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from shared import stock_commands as cmd
from shared import stock_events as ev
from shared.assets import HolderKind
from shared.part_requests import NOTE_LENGTH_MAX, PartRequest, settled_by
from shared.problems import BadValue
from shared.remarks import Remark
from shared.transfers import HandedDevice
from shared.van import Van
from shared.visit_rules import PART_QUANTITY_MAX, printable
from shared.work_orders import PartLine

Outcome = tuple[tuple[ev.StockEvent, ...], tuple[Remark, ...]]


def ask_for_part(command: cmd.AskForPart, now: Van, at: datetime) -> Outcome:
    """A wish, and no more: stock stays where it is, and nobody is promised any."""
    name = now.part_name(command.sku)
    if command.sku not in now.products:
        raise BadValue(f"There is no part {command.sku} in the catalogue", field="sku")
    if not 1 <= command.quantity <= PART_QUANTITY_MAX:
        raise BadValue(f"{name}: the quantity must be 1 to {PART_QUANTITY_MAX:,}", field="quantity")
    if len(command.note) > NOTE_LENGTH_MAX:
        raise BadValue(f"The note has more than {NOTE_LENGTH_MAX} characters", field="note")
    if command.holder_id == now.van_id:
        raise BadValue("Nobody asks their own van", field="holder_id")
    holder = now.places.get(command.holder_id)
    if now.knows_all and (holder is None or holder.kind not in (HolderKind.VAN, HolderKind.DEPOT)):
        raise BadValue("There is no such van or depot", field="holder_id")
    request = PartRequest(
        id=command.request_id,
        sku=command.sku,
        quantity=command.quantity,
        asker_id=now.actor_id,
        holder_id=command.holder_id,
        asked_at=at,
        for_order_id=command.for_order_id,
        note=" ".join(printable(command.note).split()),
        holder=holder.name if holder else "",
        holder_kind=holder.kind if holder else None,
    )
    known = now.requests.get(command.request_id)
    if known is not None and not known.asks_the_same(request):
        raise BadValue("Another request has that id: the app must mint a new one", field="request_id")
    return (ev.PartAskedFor(at=at, request=known or request),), ()


def answer_part_request(command: cmd.AnswerPartRequest, now: Van, at: datetime) -> Outcome:
    request = _known(command.request_id, now)
    if request.holder_id != now.van_id:
        raise BadValue("That was asked of somebody else", field="request_id")
    if len(command.note) > NOTE_LENGTH_MAX:
        raise BadValue(f"The note has more than {NOTE_LENGTH_MAX} characters", field="note")
    note = " ".join(printable(command.note).split())
    return (ev.PartRequestAnswered(at=at, request_id=request.id, can=command.can, note=note),), ()


def withdraw_part_request(command: cmd.WithdrawPartRequest, now: Van, at: datetime) -> Outcome:
    """It may be closed already: then nothing changes."""
    request = _known(command.request_id, now)
    if request.asker_id != now.actor_id:
        raise BadValue("Somebody else asked for that", field="request_id")
    return (ev.PartRequestWithdrawn(at=at, request_id=request.id),), ()


def _known(request_id: UUID, now: Van) -> PartRequest:
    if (request := now.requests.get(request_id)) is None:
        raise BadValue("There is no such request for a part", field="request_id")
    return request


def met(
    lines: Iterable[PartLine],
    devices: Iterable[HandedDevice],
    asker_id: UUID,
    holder_id: UUID,
    now: Van,
    at: datetime,
) -> tuple[ev.PartRequestSupplied, ...]:
    """The requests that what has just come from there settles, wholly or in part."""
    came = Counter({line.sku: line.quantity for line in lines})
    came.update(device.sku for device in devices)
    found = settled_by(now.requests.values(), asker_id, holder_id, dict(came))
    return tuple(ev.PartRequestSupplied(at=at, request_id=id, units=units) for id, units in found)
