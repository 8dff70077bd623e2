"""Screens that need the technician on site say so instead of refusing each tap."""

from __future__ import annotations

import flet as ft

from mobile import words
from mobile.parts.blocks import mood_box
from mobile.parts.frame import frame
from mobile.parts.touch import primary
from mobile.screens.job import ICONS, press
from mobile.state import Desk
from mobile.views.job import next_step
from shared.work_orders import WorkOrder, WorkOrderState


def gone(desk: Desk, heading: str) -> ft.Control:
    """The office took the job off this device."""
    return frame(desk, heading, [mood_box(words.JOB_GONE, "warn")], back=True)


def not_on_site(desk: Desk, order: WorkOrder, heading: str) -> ft.Control | None:
    """A screen that leads back to the job, or None when work may be recorded."""
    if order.state is WorkOrderState.ON_SITE:
        return None
    button = next_step(order, ())
    text = f"{words.STATES[order.state]}." if order.state.is_over else words.NOT_ON_SITE
    return frame(
        desk,
        heading,
        [mood_box(text, "warn")],
        back=True,
        bottom=[primary(button.text, lambda: press(desk, order, button), icon=ICONS[button.action])],
    )
