"""The question whether one has arrived, and the answer yes."""

from __future__ import annotations

import flet as ft

from mobile import words
from mobile.parts.blocks import mood_box, side_by_side
from mobile.parts.touch import secondary
from mobile.state import Desk
from shared.commands import Arrive
from shared.work_orders import WorkOrder, WorkOrderState


def arrival(desk: Desk, order: WorkOrder) -> ft.Control:
    """A question, never an entry: only a tap on yes records anything."""
    street = f"{order.place.street} {order.place.house_number}"
    asked = mood_box(words.seems_there(street), "calm", icon=ft.Icons.NEAR_ME)
    yes = secondary(words.ARRIVED_YES, lambda: arrive(desk, order), icon=ft.Icons.PLACE)
    no = secondary(words.ARRIVED_NO, lambda: desk.say_not_there(order.id))
    return ft.Semantics(
        content=ft.Column(
            [asked, side_by_side(yes, no)], spacing=8, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
        ),
        live_region=True,
        container=True,
    )


def arrive(desk: Desk, order: WorkOrder) -> None:
    desk.send(Arrive(work_order_id=order.id), said=f"{words.STATES[WorkOrderState.ON_SITE]}. {words.SAVED}")
