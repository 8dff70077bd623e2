"""What a visit of each kind is asked, as templates with a version, and how an order's own copy is read.

An order keeps the items that were current when it was made. To change a template, change its items and raise
its version: `tests/shared/test_checklists.py` holds the two together. Labels are English; the app translates
them (`mobile/rule_words.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from shared.problems import MissingChecks, Problem
from shared.work_orders import (
    OPTICAL_POWER,
    Answer,
    CheckItem,
    Checklist,
    CheckResult,
    CheckSpec,
    Choice,
    Condition,
    EvidenceKind,
    ItemKind,
    WorkOrder,
    WorkOrderKind,
    checks_for,
)

YES, NO = "yes", "no"
ANSWER_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """`items` in the order of the work. A number without limits is a test of the kind: checks_for."""

    version: int
    items: tuple[CheckItem, ...]


def _test(spec: CheckSpec) -> CheckItem:
    """A test that every app knows. It can't be left out: what runs from the close on rests on it."""
    return CheckItem(
        code=spec.code,
        label=spec.label,
        kind=ItemKind.NUMBER,
        unit=spec.unit,
        low=spec.low,
        high=spec.high,
        skippable=False,
    )


def _choice(code: str, label: str, *choices: tuple[str, str], **more: object) -> CheckItem:
    named = tuple(Choice(code=code, label=label) for code, label in choices)
    return replace(CheckItem(code=code, label=label, kind=ItemKind.CHOICE, choices=named), **more)  # type: ignore[arg-type]


_POWER = _test(OPTICAL_POWER)
_SPEED = CheckItem(code="download_speed", label="Download speed", kind=ItemKind.NUMBER, unit="Mbit/s")
_CLEANED = CheckItem(
    code="connectors_cleaned", label="Connectors cleaned and inspected", kind=ItemKind.YES_NO, good=(YES,)
)
_LIGHTS = _choice(
    "ont_lights",
    "Lights of the ONT",
    ("all_green", "All green"),
    ("pon_blinks", "PON blinks"),
    ("los_red", "LOS is red"),
    good=("all_green",),
)
_WIFI = CheckItem(
    code="wifi_speed",
    label="Wi-Fi speed where the customer uses it",
    kind=ItemKind.NUMBER,
    unit="Mbit/s",
    low=Decimal(50),
    must_pass=False,  # walls are no fault of the line
)
_WIFI_WHY = _choice(
    "wifi_why",
    "Why the Wi-Fi is slow there",
    ("walls", "Walls or distance"),
    ("crowded", "Many other networks"),
    ("own_router", "The customer's own router"),
    ("old_device", "The customer's device is old"),
    only_if=Condition(code="wifi_speed", out_of_range=True),
)
_LABEL = CheckItem(code="label_photo", label="The label of the ONT", kind=ItemKind.PHOTO)
_SHOWN = CheckItem(
    code="customer_shown", label="Customer shown how it works", kind=ItemKind.YES_NO, good=(YES,)
)

TEMPLATES: Mapping[WorkOrderKind, Template] = {
    WorkOrderKind.INSTALL: Template(
        version=1,
        items=(
            _choice(
                "drop_route",
                "Route of the drop cable",
                ("duct", "Duct"),
                ("facade", "Facade"),
                ("aerial", "Aerial"),
                ("existing", "Was there already"),
            ),
            CheckItem(
                code="cable_entry",
                label="Where the cable enters the house",
                kind=ItemKind.TEXT,
                photo=True,
                only_if=Condition(code="drop_route", answers=("duct", "facade", "aerial")),
            ),
            _CLEANED,
            _POWER,
            _SPEED,
            _WIFI,
            _WIFI_WHY,
            _LABEL,
            _SHOWN,
        ),
    ),
    WorkOrderKind.UPGRADE: Template(version=1, items=(_LIGHTS, _POWER, _SPEED, _WIFI, _WIFI_WHY, _SHOWN)),
    WorkOrderKind.REPAIR: Template(
        version=1,
        items=(
            _choice(
                "fault",
                "What was wrong",
                ("connector", "Connector dirty or loose"),
                ("splice", "Splice"),
                ("cable", "Cable damaged"),
                ("device", "Device"),
                ("power", "No power"),
                ("nothing", "Nothing found"),
            ),
            CheckItem(
                code="fault_photo",
                label="The damage before the repair",
                kind=ItemKind.PHOTO,
                only_if=Condition(code="fault", answers=("splice", "cable")),
            ),
            _CLEANED,
            _POWER,
            _SPEED,
            _LIGHTS,
        ),
    ),
    WorkOrderKind.SWAP: Template(
        version=1,
        items=(
            _choice(
                "swap_reason",
                "Why the old device goes",
                ("broken", "Broken"),
                ("outdated", "Too old for the plan"),
                ("recalled", "Recalled by its maker"),
                ("wish", "The customer wanted another one"),
            ),
            _LABEL,
            _LIGHTS,
            _POWER,
            _SPEED,
            _WIFI,
            _WIFI_WHY,
        ),
    ),
    WorkOrderKind.DISCONNECT: Template(
        version=1,
        items=(
            CheckItem(
                code="line_closed", label="Line closed at the outlet", kind=ItemKind.YES_NO, good=(YES,)
            ),
            CheckItem(
                code="all_collected", label="Power supply and cables collected too", kind=ItemKind.YES_NO
            ),
            CheckItem(
                code="left_behind",
                label="What is missing",
                kind=ItemKind.TEXT,
                only_if=Condition(code="all_collected", answers=(NO,)),
            ),
            CheckItem(code="place_photo", label="The place as you leave it", kind=ItemKind.PHOTO),
        ),
    ),
}


def checklist_for(kind: WorkOrderKind, down_mbps: int) -> Checklist:
    """The items for an order that is made now."""
    template, limits = TEMPLATES[kind], {spec.code: spec for spec in checks_for(kind, down_mbps)}
    items = tuple(
        _test(limits[item.code]) if item.code in limits and item.kind is ItemKind.NUMBER else item
        for item in template.items
    )
    return Checklist(kind=kind, version=template.version, items=items)


def asked(order: WorkOrder) -> tuple[CheckItem, ...]:
    """All that may be asked here, in order: the checklist, and required tests that it does not have.

    A test that a split has moved to another order is not asked any more.
    """
    tests = {spec.code: _test(spec) for spec in order.required_checks}
    moved = {spec.code for off in order.split_off for spec in off.checks}
    listed = order.checklist.items if order.checklist else ()
    codes = {item.code for item in listed}
    return (
        *(test for code, test in tests.items() if code not in codes),
        *(tests.get(item.code, item) for item in listed if item.code in tests or item.code not in moved),
    )


def item_of(order: WorkOrder, code: str) -> CheckItem | None:
    return next((item for item in asked(order) if item.code == code), None)


def applying(order: WorkOrder) -> tuple[CheckItem, ...]:
    """The items that count by the answers of now; what was said to the others stays on record."""
    kept: dict[str, CheckItem] = {}
    for item in asked(order):
        if item.only_if is None or (item.only_if.code in kept and _met(item.only_if, order)):
            kept[item.code] = item
    return tuple(kept.values())


def standing(order: WorkOrder, code: str) -> CheckResult | Answer | None:
    """What counts for an item: what was said last, whoever sent it when. Others stay on record."""
    said: list[CheckResult | Answer] = [*order.checks, *order.answers]
    return max((one for one in reversed(said) if one.code == code), key=lambda one: one.at, default=None)


def photos_of(order: WorkOrder, code: str) -> int:
    return sum(one.kind is EvidenceKind.PHOTO and one.check == code for one in order.evidence)


def _met(condition: Condition, order: WorkOrder) -> bool:
    match standing(order, condition.code):
        case CheckResult(passed=passed):
            return condition.out_of_range and not passed
        case Answer(value=value, skipped=None):
            return value in condition.answers
    return False


def missing_checks(order: WorkOrder) -> tuple[Problem, ...]:
    """What the checklist still lacks for the close, one Problem an item and lack, in the list's order."""
    return tuple(problem for item in applying(order) for problem in _lacks(item, order))


def _lacks(item: CheckItem, order: WorkOrder) -> list[Problem]:
    found = standing(order, item.code)
    if isinstance(found, Answer) and found.skipped:
        return []
    lacks: list[str] = []
    answered = found is not None or item.kind is ItemKind.PHOTO
    if not answered and item.required:
        lacks.append(
            f"Record {_within(item.label)} ({item.spec.limits})"
            if item.kind is ItemKind.NUMBER
            else f"Answer “{item.label}”"
        )
    elif isinstance(found, CheckResult) and not found.passed and item.must_pass:
        lacks.append(
            f"{item.label} {found.value} {item.unit} is outside {item.spec.limits}: mend it, measure again"
        )
    elif isinstance(found, Answer) and not found.passed and item.must_pass:
        answer = said(item, found.value)
        lacks.append(f"“{item.label}” is answered with {answer}: mend it, or leave it out with a reason")
    wants_photo = item.kind is ItemKind.PHOTO or item.photo
    if wants_photo and item.required and not photos_of(order, item.code):
        lacks.append(f"Take the photo “{item.label}”")
    return [MissingChecks(detail, field=item.code) for detail in lacks]


def _within(label: str) -> str:
    """In the middle of a sentence; names such as Wi-Fi keep their capitals."""
    return label if any(letter.isupper() for letter in label[1:]) else label.lower()


def said(item: CheckItem, value: str) -> str:
    """An answer as a person reads it."""
    return next((choice.label for choice in item.choices if choice.code == value), value)
