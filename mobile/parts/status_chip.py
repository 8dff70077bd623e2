"""The status line under every screen's title."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.parts.touch import tappable
from mobile.state import Desk, Shell
from mobile.views.status import StatusView, status_view


@ft.component
def StatusChip(desk: Desk, shell: Shell) -> ft.Control:
    """Always there and always true. A tap opens the Sync screen. `shell` makes it redraw."""
    view = status_view(desk.gateway.status(), desk.now(), desk.zone, desk.needs_attention())
    return tappable(
        _chip(view, shell.sending), f"{words.SYNC}: {view.text}", lambda: desk.go("/sync"), radius=0
    )


def _chip(view: StatusView, sending: bool) -> ft.Control:
    ink, back, icon = theme.MOODS[view.mood]
    if not view.online:
        icon = ft.Icons.CLOUD_OFF
    elif sending:
        icon = ft.Icons.CLOUD_SYNC
    elif view.mood == "warn":
        icon = ft.Icons.SAVE_OUTLINED
    elif view.mood == "good":
        icon = ft.Icons.CLOUD_DONE
    return ft.Container(
        content=ft.Row(
            [
                ft.Icon(icon, size=22, color=ink),
                ft.Text(
                    view.text,
                    size=theme.SMALL,
                    weight=ft.FontWeight.W_600,
                    color=ink,
                    expand=True,
                ),
                ft.Icon(ft.Icons.CHEVRON_RIGHT, size=22, color=ink),
            ],
            spacing=10,
        ),
        bgcolor=back,
        padding=ft.Padding.symmetric(horizontal=theme.EDGE, vertical=13),
    )
