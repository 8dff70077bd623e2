"""Why the work rests: one tap."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import line, mood_box
from mobile.parts.frame import frame
from mobile.parts.touch import choice, primary
from mobile.screens.guard import gone
from mobile.screens.job import ICONS, press
from mobile.state import Desk
from mobile.views.job import next_step
from shared.commands import PauseWork
from shared.work_orders import PauseReason


@ft.component
def PauseScreen(desk: Desk, order_id: UUID) -> ft.Control:
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.PAUSE)
    if order.pause is not None or not order.state.is_under_way:
        button = next_step(order, ())
        text = words.NOTHING_TO_PAUSE
        if order.pause is not None:
            text = words.paused_since(desk.clock(order.pause.started_at), order.pause.reason)
        return frame(
            desk,
            words.PAUSE,
            [mood_box(text, "warn")],
            back=True,
            bottom=[primary(button.text, lambda: press(desk, order, button), icon=ICONS[button.action])],
        )

    def pause(reason: PauseReason) -> None:
        command = PauseWork(work_order_id=order_id, reason=reason)
        if desk.send(command, said=f"{words.PAUSE}: {words.PAUSE_REASONS[reason]}. {words.SAVED}"):
            desk.open_job(order_id)

    return frame(
        desk,
        words.PAUSE,
        [
            line(words.WHY_PAUSE, bold=True, size=theme.LARGE),
            *(
                choice(name, name, False, lambda reason=reason: pause(reason))
                for reason, name in words.PAUSE_REASONS.items()
            ),
        ],
        second=words.listed([order.number, f"{order.place.street} {order.place.house_number}"]),
        back=True,
    )
