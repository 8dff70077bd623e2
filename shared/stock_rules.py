"""What a technician may say of a van's stock. Pure; what was counted or given is a fact and is booked."""

from __future__ import annotations

from datetime import datetime

from shared import stock_commands as cmd
from shared import stock_events as ev
from shared.assets import Asset, AssetState, HolderKind
from shared.catalogue import Tracking
from shared.conflicts import CONFLICTS
from shared.problems import BadValue
from shared.remarks import Remark
from shared.situation import UNRECEIVED_PLACE
from shared.stock import StockMove
from shared.van import COUNT_PLACE, Van
from shared.visit_rules import PART_QUANTITY_MAX

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
    for device in dict.fromkeys(command.seen):
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
