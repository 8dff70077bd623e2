"""Measurements: large digits, the limits beside them, and what to mend when they are missed.

A job that was made with a checklist has them in it; see mobile/screens/checklist.py.
"""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import words
from mobile.parts.blocks import card, line, mood_box
from mobile.parts.drafts import use_draft
from mobile.parts.fields import number_row
from mobile.parts.frame import frame
from mobile.parts.touch import primary
from mobile.screens.checklist import Checklist
from mobile.screens.guard import gone, not_on_site
from mobile.state import Desk
from mobile.views.checklist import typed_value
from shared.commands import RecordCheck
from shared.work_orders import CheckSpec, WorkOrder


@ft.component
def Checks(desk: Desk, order_id: UUID) -> ft.Control:
    order = desk.gateway.order(order_id)
    shown = Checklist if order is not None and order.checklist is not None else Measurements
    return shown(desk, order_id, key=f"{shown.__name__} {order_id}")


@ft.component
def Measurements(desk: Desk, order_id: UUID) -> ft.Control:
    """Each field keeps what was typed until a value within its limits is saved."""
    entered, set_entered = use_draft(desk, "entered", {})
    refusals, set_refusals = ft.use_state({})
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.CHECKS)
    if refusal := not_on_site(desk, order, words.CHECKS):
        return refusal

    def enter(code: str, text: str) -> None:
        set_refusals(lambda old: {key: said for key, said in old.items() if key != code})
        set_entered({**desk.draft("entered", {}), code: text})

    def save() -> None:
        now = desk.draft("entered", {})
        typed = {spec: now[spec.code] for spec in order.required_checks if now.get(spec.code, "").strip()}
        if not typed:
            desk.tell(words.NOTHING_MEASURED, "calm")
            return
        refused: dict[str, str] = {}
        desk.dismiss()
        keep = dict(now)
        for spec, text in typed.items():
            value, why = typed_value(text, spec)
            if value is None:
                refused[spec.code] = why
            elif desk.send(
                RecordCheck(work_order_id=order_id, code=spec.code, value=value),
                said=words.saved_measurement(spec.label, value, spec.unit),
            ):
                if spec.allows(value):
                    del keep[spec.code]
                else:
                    refused[spec.code] = words.outside(value, spec.unit, spec.limits)
            else:
                return  # the refusal is on the screen, and nothing that was typed is lost
        set_refusals(refused)
        set_entered(keep)
        if not refused and all(_passed(desk.gateway.order(order_id), spec) for spec in order.required_checks):
            desk.open_job(order_id)

    cards = [
        _card(order, spec, entered.get(spec.code, ""), refusals.get(spec.code, ""), enter)
        for spec in order.required_checks
    ]
    return frame(
        desk,
        words.CHECKS,
        cards or [line(words.NO_CHECKS)],
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=[primary(words.SAVE_CHECKS, save, icon=ft.Icons.SAVE)],
    )


def _passed(order: WorkOrder | None, spec: CheckSpec) -> bool:
    result = order.result_of(spec.code) if order else None
    return result is not None and result.passed


def _card(order: WorkOrder, spec: CheckSpec, text: str, refusal: str, enter) -> ft.Control:  # type: ignore[no-untyped-def]
    result = order.result_of(spec.code)
    row = number_row(spec, text, lambda new: enter(spec.code, new), refused=bool(refusal))
    below: list[ft.Control] = [line(words.limits(spec.limits), quiet=True)]
    if refusal:
        below.append(mood_box(refusal, "bad"))
    elif result is not None:
        value = words.measured(result.value, result.unit)
        good = result.passed
        below.append(
            mood_box(
                value if good else words.outside(result.value, result.unit, spec.limits),
                "good" if good else "bad",
            )
        )
    return card(row, *below)
