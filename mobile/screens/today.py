"""The day's visits in route order."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import line
from mobile.parts.frame import frame
from mobile.parts.job_card import JobCard
from mobile.parts.touch import primary, secondary
from mobile.state import Desk
from mobile.views.today import DayView, day_view

Card = ft.memo(JobCard)


@ft.component
def Today(desk: Desk, shown: UUID | None = None) -> ft.Control:
    """`shown` is the job open beside the list on a tablet."""
    gateway = desk.gateway
    day = day_view(gateway.today(), gateway.product, desk.now(), desk.zone)
    profile = gateway.profile
    body: list[ft.Control] = [
        _progress(day),
        *(Card(view, desk.open_job, view.id == shown, key=str(view.id)) for view in day.cards),
        ft.Container(height=4),
    ]
    if not day.cards:
        empty = words.NO_JOBS_TEXT if profile else words.PREPARING
        body = [ft.Text(words.NO_JOBS, size=theme.TITLE, weight=ft.FontWeight.W_700), line(empty)]
    elif day.next_id is None:
        body.insert(1, line(words.DAY_DONE, bold=True))
    if profile and not shown:
        body.append(secondary(words.MY_TIME, lambda: desk.go("/time"), icon=ft.Icons.SCHEDULE))
        body.append(ft.Container(height=4))
    return frame(
        desk,
        day.date,
        body,
        second=words.listed([profile.name, profile.van_name]) if profile else words.APP,
        bottom=[] if shown else _next_button(desk, day),
        status=not shown,
        notices=not shown,
    )


def _progress(day: DayView) -> ft.Control:
    total = len(day.cards)
    return ft.Semantics(
        container=True,
        label=words.progress(day.done, total),
        exclude_semantics=True,
        content=ft.Column(
            [
                ft.Text(words.progress(day.done, total), size=theme.BODY, weight=ft.FontWeight.W_600),
                ft.Container(
                    content=ft.ProgressBar(
                        value=day.done / total if total else 0,
                        bar_height=10,
                        border_radius=5,
                        color=theme.GOOD,
                        bgcolor=theme.PAPER,
                    ),
                    border=ft.Border.all(theme.THIN, theme.LINE),
                    border_radius=6,
                ),
            ],
            spacing=6,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
    )


def _next_button(desk: Desk, day: DayView) -> list[ft.Control]:
    card = next((card for card in day.cards if card.id == day.next_id), None)
    if card is None:
        return []
    text = words.go_on(card.street) if day.under_way else words.open_next(card.street)
    return [primary(text, lambda: desk.open_job(card.id), icon=ft.Icons.ARROW_FORWARD)]
