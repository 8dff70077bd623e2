"""What a technician may say of a van's stock. Pure; what was counted or given is a fact and is booked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared import stock_commands as cmd
from shared import stock_events as ev
from shared.assets import Asset, AssetState, HolderKind
from shared.catalogue import Tracking
from shared.conflicts import CONFLICTS
from shared.part_rules import met
from shared.problems import BadValue
from shared.remarks import Remark
from shared.situation import UNRECEIVED_PLACE
from shared.stock import StockMove
from shared.transfers import HandedDevice, Transfer, in_words
from shared.van import COUNT_PLACE, Van
from shared.visit_rules import PART_QUANTITY_MAX, SERIAL, SERIAL_TEXT
from shared.work_orders import PartLine

Outcome = tuple[tuple[ev.StockEvent, ...], tuple[Remark, ...]]


def count_van(command: cmd.CountVan, now: Van, at: datetime) -> Outcome:
    """Books what differs. Raises BadValue, or CountFarOff where a dispatcher must agree first."""
    if not (command.parts or command.seen or command.listed_serials):
        raise BadValue("Count at least one thing", field="parts")
    moves = [move for line in command.parts if (move := _difference(line, now))]
    if len({line.sku for line in command.parts}) < len(command.parts):
        raise BadValue("Each part is counted once", field="parts")
    _must_be_near(command, now)
    remarks: list[Remark] = []
    for device in _each_once(command.seen, now):
        found, remark = _found(device, now)
        moves += found
        remarks += remark
    seen = {device.serial for device in command.seen}
    missing = tuple(sorted(set(command.listed_serials) - seen))
    if missing:
        words = {"van": now.van_name, "serials": ", ".join(missing)}
        remarks.append(CONFLICTS["count-missing"].remarked(**words))
    event = ev.VanCounted(at=at, technician_id=now.actor_id, moves=tuple(moves), missing=missing)
    return (event,), tuple(remarks)


def _each_once(seen: tuple[cmd.SeenDevice, ...], now: Van) -> list[cmd.SeenDevice]:
    """One entry a device, whichever of its codes was read, and the one that names its model."""
    once: dict[str, cmd.SeenDevice] = {}
    for device in seen:
        asset = now.assets.get(device.serial)
        known = asset.serial if asset else device.serial
        if known not in once or (device.sku and not once[known].sku):
            once[known] = device
    return list(once.values())


def _difference(line: cmd.CountedParts, now: Van) -> StockMove | None:
    name, product = now.part_name(line.sku), now.products.get(line.sku)
    if product is None:
        raise BadValue(f"There is no part {line.sku} in the catalogue", field="sku")
    if product.tracking is Tracking.SERIALISED:
        raise BadValue(f"{name} has a serial: scan it instead of counting it", field="sku")
    if not (0 <= line.counted <= PART_QUANTITY_MAX and abs(line.listed) <= PART_QUANTITY_MAX):
        raise BadValue(f"{name}: the quantity must be 0 to {PART_QUANTITY_MAX:,}", field="counted")
    more = line.counted - line.listed
    if not more:
        return None
    source, target = (COUNT_PLACE, now.van_id) if more > 0 else (now.van_id, COUNT_PLACE)
    return StockMove(sku=line.sku, quantity=abs(more), source_id=source, target_id=target)


def _must_be_near(command: cmd.CountVan, now: Van) -> None:
    if now.count_units_max is None:
        return
    far = [line for line in command.parts if abs(line.counted - line.listed) > now.count_units_max]
    if far:
        said = (f"{now.part_name(line.sku)}: {line.counted} counted, {line.listed} listed" for line in far)
        raise CONFLICTS["count-far-off"].refusal(differences="; ".join(said), field="parts")


def _found(device: cmd.SeenDevice, now: Van) -> tuple[list[StockMove], list[Remark]]:
    """What a device in hand changes: nothing where it is booked on this van."""
    asset = now.assets.get(device.serial)
    if asset is None:
        return _unknown(device, now)
    if asset.holder_id == now.van_id:
        return [], []
    if where := _not_in_stock(asset):
        words = {"serial": asset.serial, "van": now.van_name, "where": where}
        return [], [CONFLICTS["count-elsewhere"].remarked(**words)]
    move = _onto_van(asset.serial, asset.sku, asset, now)
    moved = CONFLICTS["serial-from-elsewhere"].remarked(serial=asset.serial, place=asset.holder_name)
    return [move], [moved]


def _unknown(device: cmd.SeenDevice, now: Van) -> tuple[list[StockMove], list[Remark]]:
    """Nobody has booked it in. Without its model it can't be booked; somebody has to look at it."""
    if device.sku is None:
        words = {"serial": device.serial, "van": now.van_name, "where": "in no list"}
        return [], [CONFLICTS["count-elsewhere"].remarked(**words)]
    _check_serial(device.serial)
    product = now.products.get(device.sku)
    if product is None or product.tracking is not Tracking.SERIALISED:
        raise BadValue(f"There is no device {device.sku} in the catalogue: choose its model", field="sku")
    remark = CONFLICTS["serial-unreceived"].remarked(serial=device.serial)
    return [_onto_van(device.serial, device.sku, None, now)], [remark]


def _not_in_stock(asset: Asset) -> str | None:
    """Why a device can't simply be moved to where it was seen; None where it can."""
    if asset.state is AssetState.INSTALLED or asset.holder_kind is HolderKind.CUSTOMER:
        return f"installed at {asset.holder_name}"
    if asset.claimed_by is not None:
        return "fitted on a job that is not closed"
    return None


def _onto_van(serial: str, sku: str, asset: Asset | None, now: Van) -> StockMove:
    source = asset.holder_id if asset else UNRECEIVED_PLACE
    return StockMove(sku=sku, quantity=1, source_id=source, target_id=now.van_id, serial=serial)


def hand_over(command: cmd.HandOver, now: Van, at: datetime) -> Outcome:
    return _transfer(command, now, at, by_giver=True)


def take_over(command: cmd.TakeOver, now: Van, at: datetime) -> Outcome:
    return _transfer(command, now, at, by_giver=False)


def _transfer(command: cmd.TransferCommand, now: Van, at: datetime, *, by_giver: bool) -> Outcome:
    """The first half books it, the second completes it; a half that comes twice changes nothing."""
    transfer = command.transfer
    mine = transfer.offer.giver_id if by_giver else transfer.taker_id
    if mine != now.actor_id:
        raise BadValue("This transfer is between two others", field="transfer")
    if now.sealed is False:
        raise CONFLICTS["transfer-unsealed"].refusal(field="transfer")
    known = now.transfers.get(transfer.id)
    if known is not None and known.transfer != transfer:
        stands = known.transfer
        words = {
            "theirs": in_words(stands.lines, stands.devices),
            "ours": in_words(transfer.lines, transfer.devices),
        }
        raise CONFLICTS["transfer-disagrees"].refusal(field="transfer", **words)
    if known is not None:
        return (ev.TransferSigned(at=at, transfer=transfer, by_giver=by_giver),), ()
    check_transfer(transfer, now)
    moves, remarks = _handed_parts(transfer, now, by_giver=by_giver)
    for device in transfer.devices:
        move, said = _moved_device(device, transfer.offer.giver_van_id, transfer.taker_van_id, now)
        moves += move
        remarks += said
    event = ev.TransferBooked(at=at, transfer=transfer, by_giver=by_giver, moves=tuple(moves))
    asked = met(transfer.lines, transfer.devices, transfer.taker_id, transfer.offer.giver_van_id, now, at)
    return (event, *asked), tuple(remarks)


def check_transfer(transfer: Transfer, now: Van) -> None:
    """Raises BadValue for what nobody can hand over: nothing, more than was offered, to oneself."""
    offer = transfer.offer
    if offer.giver_van_id == transfer.taker_van_id or offer.giver_id == transfer.taker_id:
        raise BadValue("Nothing is handed to oneself", field="transfer")
    if not (transfer.lines or transfer.devices):
        raise BadValue("Choose at least one thing to hand over", field="lines")
    offered = {line.sku: line.quantity for line in offer.lines}
    if len(offered) < len(offer.lines) or len({line.sku for line in transfer.lines}) < len(transfer.lines):
        raise BadValue("Each part is handed over once", field="lines")
    for line in transfer.lines:
        name, product = now.part_name(line.sku), now.products.get(line.sku)
        if product is None:
            raise BadValue(f"There is no part {line.sku} in the catalogue", field="sku")
        if product.tracking is Tracking.SERIALISED:
            raise BadValue(f"{name} has a serial: scan it instead of counting it", field="sku")
        if not 1 <= line.quantity <= min(offered.get(line.sku, 0), PART_QUANTITY_MAX):
            raise BadValue(f"{name}: {offered.get(line.sku, 0)} were offered", field="quantity")
    if not set(transfer.devices) <= set(offer.devices) or _twice(transfer.devices):
        raise BadValue("A device is taken that was not offered", field="devices")
    for device in transfer.devices:
        _check_serial(device.serial)
        product = now.products.get(device.sku)
        if product is None or product.tracking is not Tracking.SERIALISED:
            raise BadValue(f"There is no device {device.sku} in the catalogue: choose its model", field="sku")


def _check_serial(serial: str) -> None:
    if not SERIAL.fullmatch(serial):
        raise BadValue(SERIAL_TEXT, field="serial")


def _twice(devices: tuple[HandedDevice, ...]) -> bool:
    return len({device.serial for device in devices}) < len(devices)


def _handed_parts(transfer: Transfer, now: Van, *, by_giver: bool) -> tuple[list[StockMove], list[Remark]]:
    source, target = transfer.offer.giver_van_id, transfer.taker_van_id
    on_hand = now.on_hand if by_giver and source == now.van_id else now.giver_on_hand
    moves, remarks = [], []
    for line in transfer.lines:
        moves.append(StockMove(sku=line.sku, quantity=line.quantity, source_id=source, target_id=target))
        if on_hand is not None and line.quantity > (left := on_hand.get(line.sku, 0)):
            words = {"name": now.part_name(line.sku), "amount": line.quantity, "left": left}
            remarks.append(CONFLICTS["transfer-below-zero"].remarked(**words))
    return moves, remarks


def _moved_device(
    device: HandedDevice, giver: UUID, target: UUID, now: Van
) -> tuple[list[StockMove], list[Remark]]:
    """From wherever it is booked: whoever has it is right. What hangs on a wall is nobody's to give."""
    asset, remarks = now.assets.get(device.serial), []
    if asset is not None and _not_in_stock(asset):
        raise CONFLICTS["serial-twice"].refusal(serial=device.serial, subject=device.serial)
    source, sku = giver, device.sku
    if asset is not None:
        source, sku = asset.holder_id, asset.sku
        if source not in (giver, target):
            moved = CONFLICTS["serial-from-elsewhere"]
            remarks.append(moved.remarked(serial=device.serial, place=asset.holder_name))
    elif now.sealed or now.knows_all:  # here every device is known that anybody has received
        source = UNRECEIVED_PLACE
        remarks.append(CONFLICTS["serial-unreceived"].remarked(serial=device.serial))
    if source == target:
        return [], remarks
    move = StockMove(sku=sku, quantity=1, source_id=source, target_id=target, serial=device.serial)
    return [move], remarks


def pick_up_parts(command: cmd.PickUpParts, now: Van, at: datetime) -> Outcome:
    """What was fetched at a depot is on the van, whatever the depot's list says."""
    place = now.places.get(command.depot_id)
    if now.knows_all and (place is None or place.kind is not HolderKind.DEPOT):
        raise BadValue("There is no such depot", field="depot_id")
    if not (command.lines or command.devices):
        raise BadValue("Choose at least one thing to fetch", field="lines")
    if len({line.sku for line in command.lines}) < len(command.lines):
        raise BadValue("Each part is fetched once", field="lines")
    moves: list[StockMove] = []
    remarks: list[Remark] = []
    for line in command.lines:
        moves.append(_fetched(line, command.depot_id, now))
        left = now.giver_on_hand.get(line.sku, 0) if now.giver_on_hand is not None else None
        if left is not None and line.quantity > left:
            words = {"name": now.part_name(line.sku), "amount": line.quantity, "left": left}
            depot = place.name if place else ""
            remarks.append(CONFLICTS["depot-below-zero"].remarked(**words, depot=depot))
    if _twice(command.devices):
        raise BadValue("Each device is fetched once", field="devices")
    for device in command.devices:
        _check_serial(device.serial)
        product = now.products.get(device.sku)
        if product is None or product.tracking is not Tracking.SERIALISED:
            raise BadValue(f"There is no device {device.sku} in the catalogue: choose its model", field="sku")
        move, said = _moved_device(device, command.depot_id, now.van_id, now)
        moves += move
        remarks += said
    picked = ev.PartsPickedUp(at=at, depot_id=command.depot_id, moves=tuple(moves))
    asked = met(command.lines, command.devices, now.actor_id, command.depot_id, now, at)
    return (picked, *asked), tuple(remarks)


def _fetched(line: PartLine, depot_id: UUID, now: Van) -> StockMove:
    name, product = now.part_name(line.sku), now.products.get(line.sku)
    if product is None:
        raise BadValue(f"There is no part {line.sku} in the catalogue", field="sku")
    if product.tracking is Tracking.SERIALISED:
        raise BadValue(f"{name} has a serial: scan it instead of counting it", field="sku")
    if not 1 <= line.quantity <= PART_QUANTITY_MAX:
        raise BadValue(f"{name}: the quantity must be 1 to {PART_QUANTITY_MAX:,}", field="quantity")
    return StockMove(sku=line.sku, quantity=line.quantity, source_id=depot_id, target_id=now.van_id)
