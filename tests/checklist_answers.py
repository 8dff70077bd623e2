"""What a technician says to a checklist so that the job can be closed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from shared.checklists import YES, applying, photos_of, standing
from shared.commands import AnswerCheck
from shared.work_orders import CheckItem, ItemKind, WorkOrder


def good_value(item: CheckItem) -> Decimal:
    """Within the limits of a number."""
    return Decimal("-19.4") if item.code == "optical_power" else (item.low or Decimal(1)) + 12


def good_answer(item: CheckItem) -> str:
    match item.kind:
        case ItemKind.YES_NO:
            return item.good[0] if item.good else YES
        case ItemKind.CHOICE:
            return item.good[0] if item.good else item.choices[-1].code
    return "Left of the front door"


def next_answer(order: WorkOrder) -> AnswerCheck | None:
    """To the first item that is neither a number nor a photo and has no answer yet."""
    for item in applying(order):
        if item.kind not in (ItemKind.NUMBER, ItemKind.PHOTO) and standing(order, item.code) is None:
            return AnswerCheck(work_order_id=order.id, code=item.code, value=good_answer(item))
    return None


def numbers_open(order: WorkOrder) -> Iterator[CheckItem]:
    yield from (
        item
        for item in applying(order)
        if item.kind is ItemKind.NUMBER and standing(order, item.code) is None
    )


def photos_open(order: WorkOrder) -> Iterator[CheckItem]:
    yield from (
        item
        for item in applying(order)
        if (item.kind is ItemKind.PHOTO or item.photo) and not photos_of(order, item.code)
    )
