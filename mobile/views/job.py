"""One job: what is still to be done before it can be closed, and what the big button does next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mobile import words
from mobile.rule_words import said
from mobile.views.checklist import check_rows, done_of
from mobile.views.quantities import counted, product_name
from mobile.views.swap import swaps
from mobile.views.today import Lookup
from shared.problems import Problem
from shared.work_orders import EvidenceKind, WorkOrder, WorkOrderState

Action = Literal["start_travel", "arrive", "resume", "open", "back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the checklist. `screen` is where it is done; `needed` is False for what is optional."""

    title: str
    do: str  # what the big button says
    detail: str
    screen: str
    done: bool
    needed: bool = True
    failed: bool = False  # recorded, and not good enough

    @property
    def label(self) -> str:
        return words.listed([self.title, self.detail])


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The one big button: its words, and what it does. `screen` belongs to `open`."""

    text: str
    action: Action
    screen: str = ""


def steps(order: WorkOrder, lookup: Lookup) -> tuple[Step, ...]:
    """The checklist in the order in which a technician works; the same rules as `missing_for_close`."""
    return (
        *_equipment(order, lookup),
        *_removal(order, lookup),
        *_checks(order),
        _parts(order),
        *_evidence(order),
    )


def _equipment(order: WorkOrder, lookup: Lookup) -> Iterable[Step]:
    both = swaps(order)
    for need in order.required_equipment:
        device = next((device for device in order.fitted if device.sku in need.skus), None)
        yield Step(
            title=words.fit(need.role),
            do=words.SWAP if both else words.fit(need.role),
            detail=words.fitted(device.serial, product_name(lookup(device.sku), device.sku))
            if device
            else words.one_of([product_name(lookup(sku), sku) for sku in need.skus]),
            screen="swap" if both else "scan",
            done=device is not None,
        )


def _removal(order: WorkOrder, lookup: Lookup) -> Iterable[Step]:
    if order.removal_required or order.removed:
        gone = [words.fitted(item.serial, product_name(lookup(item.sku), item.sku)) for item in order.removed]
        expected = words.listed(order.on_site_serials) or words.NOT_YET
        yield Step(
            title=words.TAKE_AWAY,
            do=words.TAKE_AWAY,
            detail=words.listed(gone) or expected,
            screen="swap" if swaps(order) else "scan",
            done=bool(order.removed),
        )


def _checks(order: WorkOrder) -> Iterable[Step]:
    if order.checklist is not None:
        yield _checklist(order)
        return
    for spec in order.required_checks:
        result = order.result_of(spec.code)
        if result is None:
            detail = words.limits(spec.limits)
        elif result.passed:
            detail = words.measured(result.value, result.unit)
        else:
            detail = words.outside(result.value, result.unit, spec.limits)
        yield Step(
            title=said(spec.label),
            do=words.record(spec.label),
            detail=detail,
            screen="checks",
            done=result is not None and result.passed,
            failed=result is not None and not result.passed,
        )


def _checklist(order: WorkOrder) -> Step:
    rows = check_rows(order, words.clock)
    done = done_of(rows)
    bad = next((row for row in rows if row.mark == "bad"), None)
    return Step(
        title=words.CHECKLIST,
        do=words.GO_ON_CHECKLIST if done else words.BEGIN_CHECKLIST,
        detail=words.listed([bad.title, bad.stands]) if bad else words.points_done(done, len(rows)),
        screen="checks",
        done=done == len(rows),
        failed=bad is not None,
    )


def _parts(order: WorkOrder) -> Step:
    booked = len({line.sku for line in order.parts})
    return Step(
        title=words.PARTS_STEP,
        do=words.PARTS_STEP,
        detail=words.parts_booked(booked) if booked else words.IF_ANY,
        screen="parts",
        done=bool(booked),
        needed=False,
    )


def _evidence(order: WorkOrder) -> Iterable[Step]:
    photos = sum(item.kind is EvidenceKind.PHOTO and item.check is None for item in order.evidence)
    if order.photos_required or photos:
        yield Step(
            title=words.PHOTO_STEP,
            do=words.TAKE_PHOTO_STEP,
            detail=words.photos(photos) if photos else words.NOT_YET,
            screen="photo",
            done=photos >= order.photos_required,
        )
    signatures = [item for item in order.evidence if item.kind is EvidenceKind.SIGNATURE]
    if order.signature_required or signatures:
        detail = words.signed_by(signatures[-1].signer or "") if signatures else words.NOT_YET
        yield Step(
            title=words.SIGN_STEP, do=words.HAVE_SIGNED, detail=detail, screen="sign", done=bool(signatures)
        )


def parts_unbooked(order: WorkOrder, lookup: Lookup) -> tuple[str, ...]:
    """Parts that the job was planned with and nobody booked, `2 × Field connector SC/APC`."""
    return tuple(
        counted(need.quantity, lookup(need.sku), need.sku)
        for need in order.required_parts
        if not order.used(need.sku)
    )


def next_step(order: WorkOrder, checklist: Sequence[Step]) -> NextStep:
    """What the technician most likely does now."""
    if order.pause is not None:
        return NextStep(text=words.RESUME, action="resume")
    match order.state:
        case WorkOrderState.UNASSIGNED | WorkOrderState.ASSIGNED:
            return NextStep(text=words.START_TRAVEL, action="start_travel")
        case WorkOrderState.TRAVELLING:
            return NextStep(text=words.ARRIVED, action="arrive")
        case WorkOrderState.ON_SITE:
            waiting = next((step for step in checklist if step.needed and not step.done), None)
            if waiting is None:
                return NextStep(text=words.REVIEW_CLOSE, action="open", screen="close")
            return NextStep(text=waiting.do, action="open", screen=waiting.screen)
        case _:
            return NextStep(text=words.NEXT_JOB, action="back")


def place_of(problem: Problem, order: WorkOrder) -> str:
    """The screen on which a missing thing is done."""
    devices = "swap" if swaps(order) else "scan"
    places = {"fitted": devices, "removed": devices, "photo": "photo", "signature": "sign"}
    return places.get(problem.field or "", "checks")
