"""My time: the day in pieces, its sums, and what was corrected."""

from __future__ import annotations

from datetime import timedelta

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import card, line, section
from mobile.parts.drafts import use_draft
from mobile.parts.frame import frame
from mobile.parts.touch import icon_button, tappable
from mobile.state import Desk
from mobile.views.my_time import TimeRow, corrected_lines, day_rows, totals
from shared.timesheet import Activity

ICONS = {
    Activity.TRAVEL: ft.Icons.NEAR_ME,
    Activity.WORK: ft.Icons.BUILD_OUTLINED,
    Activity.PAUSE: ft.Icons.PAUSE_CIRCLE_OUTLINE,
}


@ft.component
def MyTime(desk: Desk) -> ft.Control:
    back_days, set_back_days = use_draft(desk, "day", 0)
    today = desk.true_now.astimezone(desk.zone).date()
    day = today - timedelta(days=back_days)
    sheet = desk.gateway.timesheet(day)
    rows = day_rows(sheet, desk.clock)
    held = desk.held_days
    first = min(held[0], today) if held else today  # what was recorded earlier is not here
    shown = dict.fromkeys(row.work_order_id for row in rows)
    said = [
        text
        for id in shown
        if (order := desk.gateway.order(id))
        for text in corrected_lines(order, desk.clock)
    ]
    name = ft.Text(
        words.day_of_week(day),
        size=theme.BODY,
        weight=ft.FontWeight.W_700,
        text_align=ft.TextAlign.CENTER,
        expand=True,
    )
    earlier = icon_button(ft.Icons.CHEVRON_LEFT, words.DAY_BEFORE, lambda: set_back_days(back_days + 1))
    later = icon_button(ft.Icons.CHEVRON_RIGHT, words.DAY_AFTER, lambda: set_back_days(back_days - 1))
    place = ft.Container(width=theme.TARGET)  # nobody worked tomorrow, nor is anything older here
    body: list[ft.Control] = [
        ft.Row([earlier if day > first else place, name, later if back_days else place])
    ]
    if rows:
        body.append(card(*(_total(what, long) for what, long in totals(sheet))))
        body.append(section(words.TAP_TO_CORRECT, *(_row(desk, row) for row in rows)))
    else:
        body.append(line(words.NOTHING_RECORDED))
    if said:
        body.append(section(words.CORRECTED, *(line(text) for text in said)))
    if held:
        body.append(line(words.held_here(*held), quiet=True, size=theme.SMALL))
    body.append(ft.Container(height=4))
    return frame(desk, words.MY_TIME, body, back=True)


def _total(what: str, long: str) -> ft.Control:
    bold = ft.FontWeight.W_700 if what == words.TOTAL else None
    return ft.Row(
        [
            ft.Text(what, size=theme.BODY, weight=bold, expand=True),
            ft.Text(long, size=theme.BODY, weight=ft.FontWeight.W_700),
        ]
    )


def _row(desk: Desk, row: TimeRow) -> ft.Control:
    shown = ft.Container(
        content=ft.Row(
            [
                ft.Icon(ICONS[row.activity], size=28, color=theme.ACCENT),
                ft.Column(
                    [
                        ft.Text(
                            words.listed([row.span, row.title]), size=theme.BODY, weight=ft.FontWeight.W_600
                        ),
                        ft.Text(row.detail, size=theme.SMALL, color=theme.QUIET),
                    ],
                    spacing=0,
                    expand=True,
                ),
                ft.Icon(ft.Icons.CHEVRON_RIGHT, size=24, color=theme.QUIET),
            ],
            spacing=12,
        ),
        padding=ft.Padding.symmetric(vertical=10),
        border=ft.Border.only(top=ft.BorderSide(theme.THIN, theme.LINE)),
    )
    return tappable(shown, row.label, lambda: desk.open_job(row.work_order_id, "time"), radius=0)
