"""What the customer reads on the technician's phone, in the customer's language.

Called within `language.speaking(…)`: nothing here is kept, as `mobile/words.py` keeps the technician's words.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from mobile.language import best_of, number, say
from shared.work_orders import WorkOrder, WorkOrderKind


def language_of(order: WorkOrder) -> str:
    """Ours for the customer's; English for one that we lack."""
    return best_of([order.contact.language])


def kind_of_work(kind: WorkOrderKind) -> str:
    match kind:
        case WorkOrderKind.INSTALL:
            return say("Installing your fibre connection")
        case WorkOrderKind.UPGRADE:
            return say("Upgrading your connection")
        case WorkOrderKind.REPAIR:
            return say("Repairing your connection")
        case WorkOrderKind.SWAP:
            return say("Replacing your device")
        case WorkOrderKind.DISCONNECT:
            return say("Taking down your connection")


def price_title() -> str:
    return say("What this visit costs")


def with_tax(rate: Decimal, amount: str) -> str:
    return say("incl. {rate} % tax: {amount}", rate=number(rate), amount=amount)


def nothing_to_pay() -> str:
    return say("Nothing to pay")


def to_pay() -> str:
    return say("To pay")


def money_back() -> str:
    return say("You get back")


def first_month(plan: str, days: int, of_days: int) -> str:
    return say("{plan}: first month, {days} of {of_days} days", plan=plan, days=days, of_days=of_days)


def plan_change(plan: str, days: int, of_days: int) -> str:
    return say("Change to {plan}: {days} of {of_days} days", plan=plan, days=days, of_days=of_days)


def unused_days(plan: str, days: int, of_days: int) -> str:
    return say("{plan}: {days} of {of_days} days not used", plan=plan, days=days, of_days=of_days)


def not_charged() -> str:
    return say("Not agreed, so not charged")


def included(kind: WorkOrderKind) -> str:
    if kind is WorkOrderKind.DISCONNECT:
        return say("Travel and labour are included.")
    if kind in (WorkOrderKind.REPAIR, WorkOrderKind.SWAP):
        return say("Travel, labour, parts and devices are included.")
    return say("Travel, labour, devices and measurements are included.")


def by_what_is_used() -> str:
    return say("You pay for the parts that are really used. If it becomes more than this, we ask you first.")


def afterwards(plan: str, amount: str) -> str:
    return say("{plan} then costs {amount} a month.", plan=plan, amount=amount)


def your_name() -> str:
    return say("Your name")


def name_missing() -> str:
    return say("Please write your name.")


def sign_here() -> str:
    return say("Sign here if you like")


def clear() -> str:
    return say("Clear and sign again")


def agree(amount: str) -> str:
    return say("I agree: {amount}", amount=amount)


def disagree() -> str:
    return say("I do not agree")


def agreed_before(name: str, amount: str, time: str, day: str) -> str:
    """`day` is empty where it goes without saying."""
    if day:
        return say(
            "{name} agreed to {amount} on {day} at {time}.", name=name, amount=amount, day=day, time=time
        )
    return say("{name} agreed to {amount} at {time}.", name=name, amount=amount, time=time)


def refused_before(amount: str, time: str, day: str) -> str:
    if day:
        return say("{amount} was refused on {day} at {time}.", amount=amount, day=day, time=time)
    return say("{amount} was refused at {time}.", amount=amount, time=time)


def receipt_title() -> str:
    return say("Receipt")


def done_at(date: str, time: str) -> str:
    return say("{date}, {time}", date=date, time=time)


def done_by() -> str:
    return say("Technician")


def devices() -> str:
    return say("Your devices")


def parts_used() -> str:
    return say("Parts")


def readings() -> str:
    return say("Measured")


def total() -> str:
    return say("Total")


def taken_away(device: str) -> str:
    return say("{device} (taken away)", device=device)


def scan_for_page() -> str:
    return say("Scan with your phone: the receipt and all about this visit")


def scan_for_text() -> str:
    return say("Scan with your phone to keep this receipt")


def day(local: datetime) -> str:
    """`23 Nov 2026`."""
    months = say("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()
    return say("{day} {month} {year}", day=local.day, month=months[local.month - 1], year=str(local.year))


def clock(local: datetime) -> str:
    return f"{local:%H:%M}"
