"""The visit could not be completed: say why in two taps."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import line
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.touch import choice, primary, secondary
from mobile.screens.guard import gone
from mobile.state import Desk
from shared.commands import CannotComplete


@ft.component
def Cannot(desk: Desk, order_id: UUID) -> ft.Control:
    reason, set_reason = use_draft(desk, "reason", None)
    text, set_text = use_draft(desk, "text", "")
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.CANNOT)

    def report(*, ask: bool = False) -> None:
        command = CannotComplete(work_order_id=order_id, reason=reason, text=desk.draft("text"))
        if desk.send(command, said=words.reported(order.number)):
            desk.drop_drafts()
            if ask:
                desk.open_job(order_id, "more")
            else:
                desk.go("/")

    return frame(
        desk,
        words.CANNOT,
        [
            line(words.WHY, bold=True, size=theme.LARGE),
            *(
                choice(name, name, key is reason, lambda key=key: set_reason(key))
                for key, name in words.REASONS.items()
            ),
            text_field(
                words.CANNOT_NOTE,
                text,
                multiline=True,
                min_lines=2,
                max_lines=5,
                text_size=theme.BODY,
                on_change=set_text,
            ),
            line(words.CANNOT_TEXT, quiet=True),
            ft.Container(height=4),
        ],
        second=words.listed([order.number, f"{order.place.street} {order.place.house_number}"]),
        back=True,
        bottom=[
            *(
                [secondary(words.REPORT_AND_ASK, lambda: report(ask=True), icon=ft.Icons.ADD_TASK)]
                if reason
                else []
            ),
            primary(
                words.REPORT if reason else words.CHOOSE_REASON,
                lambda: report(),
                icon=ft.Icons.UNDO,
                disabled=reason is None,
            ),
        ],
    )
