"""The times of one visit, and the correction of one: both values stay."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import card, line, mood_box
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.touch import primary, tappable
from mobile.screens.guard import gone
from mobile.state import Desk
from mobile.views.my_time import PointRow, point_rows, typed_time
from shared.commands import CorrectTime


@ft.component
def VisitTime(desk: Desk, order_id: UUID) -> ft.Control:
    chosen, choose = use_draft(desk, "point", "")
    text, set_text = use_draft(desk, "time", "")
    reason, set_reason = use_draft(desk, "reason", "")
    refusal, set_refusal = ft.use_state("")
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.VISIT_TIMES)
    rows = point_rows(order.times, desk.clock)
    row = next((one for one in rows if one.key == chosen), None)

    def show(key: str) -> None:
        set_refusal("")
        set_text("")
        set_reason("")
        choose(key)

    def save() -> None:
        assert row is not None
        typed = desk.draft("time")
        value = typed_time(typed, row.value, desk.zone)
        if value is None:
            set_refusal(words.not_a_time(typed))
            return
        set_refusal("")
        command = CorrectTime(
            work_order_id=order_id,
            point=row.point,
            pause=row.pause,
            base=row.value,
            value=value,
            reason=desk.draft("reason"),
        )
        if desk.send(command, said=f"{row.title}: {desk.clock(value)}. {words.SAVED}"):
            show("")

    body: list[ft.Control] = [line(words.CORRECTION_TEXT, quiet=True)]
    if not rows:
        body = [line(words.NO_TIMES_YET)]
    for one in rows:
        if row is not None and one.key == row.key:
            body.append(
                card(
                    line(one.label, bold=True, size=theme.LARGE),
                    text_field(
                        words.RIGHT_TIME,
                        text,
                        text_size=theme.HUGE,
                        keyboard_type=ft.KeyboardType.DATETIME,
                        autocorrect=False,
                        refused=bool(refusal),
                        on_change=set_text,
                    ),
                    *([mood_box(refusal, "bad")] if refusal else []),
                    text_field(
                        words.WHY_CORRECTED,
                        reason,
                        text_size=theme.BODY,
                        on_change=set_reason,
                    ),
                    edge=theme.ACCENT,
                )
            )
        else:
            body.append(_short(one, lambda key=one.key: show(key)))
    body.append(ft.Container(height=4))
    bottom = [primary(words.SAVE_TIME, save, icon=ft.Icons.SAVE)] if row is not None else []
    return frame(
        desk,
        words.VISIT_TIMES,
        body,
        second=words.listed([order.number, f"{order.place.street} {order.place.house_number}"]),
        back=True,
        bottom=bottom,
    )


def _short(row: PointRow, show) -> ft.Control:  # type: ignore[no-untyped-def]
    said = [ft.Text(text, size=theme.SMALL, color=theme.QUIET) for text in row.said]
    shown = ft.Container(
        content=ft.Row(
            [
                ft.Column(
                    [
                        ft.Text(row.title, size=theme.BODY, weight=ft.FontWeight.W_600, color=theme.INK),
                        *said,
                    ],
                    spacing=0,
                    expand=True,
                ),
                ft.Text(row.shown, size=theme.TITLE, weight=ft.FontWeight.W_700, color=theme.INK),
                ft.Icon(ft.Icons.EDIT_OUTLINED, size=24, color=theme.ACCENT),
            ],
            spacing=12,
        ),
        bgcolor=theme.PAPER,
        border=ft.Border.all(theme.THIN, theme.LINE),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=14, vertical=12),
    )
    return tappable(shown, words.correct_it(row.label), show)
