"""One visit in the day's list."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import facts, tag
from mobile.parts.touch import tappable
from mobile.views.today import JobCardView
from shared.work_orders import WorkOrderKind, WorkOrderState

ICONS = {
    WorkOrderKind.INSTALL: ft.Icons.ADD_HOME_OUTLINED,
    WorkOrderKind.UPGRADE: ft.Icons.SPEED,
    WorkOrderKind.REPAIR: ft.Icons.BUILD_OUTLINED,
    WorkOrderKind.SWAP: ft.Icons.SWAP_HORIZ,
    WorkOrderKind.DISCONNECT: ft.Icons.POWER_OFF_OUTLINED,
}


@ft.component
def JobCard(view: JobCardView, open_job: Callable[[UUID], None], selected: bool = False) -> ft.Control:
    """A card that opens its job. Wrapped in `ft.memo` by the list: an equal view is not drawn again."""
    return tappable(_card(view, selected), view.label, lambda: open_job(view.id))


def _card(view: JobCardView, selected: bool) -> ft.Control:
    over = view.state.is_over
    ink = theme.QUIET if over else theme.INK
    tags: list[ft.Control] = [*([_place(view, ink)] if view.place else [])]
    tags.append(ft.Text(view.starts, size=theme.LARGE, weight=ft.FontWeight.W_700, color=ink))
    if view.emergency:
        tags.append(tag(words.EMERGENCY, ink=theme.ON_BAD, back=theme.BAD, icon=ft.Icons.PRIORITY_HIGH))
    tags.append(
        tag(words.KINDS[view.kind], back=theme.PAPER if selected else theme.CALM_BACK, icon=ICONS[view.kind])
    )
    if view.state is not WorkOrderState.ASSIGNED:
        tags.append(_state_tag(view.state))
    lines: list[ft.Control] = [
        ft.Row(tags, wrap=True, spacing=8, run_spacing=4),
        ft.Text(view.street, size=theme.LARGE, weight=ft.FontWeight.W_700, color=ink),
        ft.Text(view.customer, size=theme.BODY, color=ink),
    ]
    if not over:
        lines.append(facts(view.facts))
        if view.take:
            lines.append(ft.Text(view.take, size=theme.SMALL, color=theme.INK))
    if view.late:
        lines.append(tag(view.late, ink=theme.BAD, back=theme.BAD_BACK, icon=ft.Icons.ACCESS_ALARM))
    lines += [tag(text, ink=theme.WARN, back=theme.WARN_BACK, icon=ft.Icons.FIBER_NEW) for text in view.news]
    strong = view.is_next or selected
    return ft.Container(
        content=ft.Column(lines, spacing=4),
        bgcolor=theme.CALM_BACK if selected else theme.CANVAS if over else theme.PAPER,
        border=ft.Border.all(theme.STRONG if strong else theme.THIN, theme.ACCENT if strong else theme.LINE),
        border_radius=theme.RADIUS,
        padding=ft.Padding.symmetric(horizontal=14, vertical=10),
    )


def _place(view: JobCardView, ink: str) -> ft.Control:
    """The number that the job has on the sketch of the route."""
    return ft.Text(f"{view.place}.", size=theme.LARGE, weight=ft.FontWeight.W_700, color=ink)


def _state_tag(state: WorkOrderState) -> ft.Control:
    match state:
        case WorkOrderState.COMPLETED:
            return tag(words.STATES[state], ink=theme.GOOD, back=theme.GOOD_BACK, icon=ft.Icons.CHECK_CIRCLE)
        case WorkOrderState.UNFINISHED | WorkOrderState.CANCELLED:
            return tag(words.STATES[state], ink=theme.WARN, back=theme.WARN_BACK, icon=ft.Icons.UNDO)
    return tag(words.STATES[state], ink=theme.ON_ACTION, back=theme.ACTION, icon=ft.Icons.NEAR_ME)
