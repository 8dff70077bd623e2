"""The frame around every screen: title, status, body, what was just saved, the one big button."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import mood_box
from mobile.parts.pull import SCROLL_MILLISECONDS, Pull
from mobile.parts.status_chip import StatusChip
from mobile.parts.touch import icon_button
from mobile.state import Desk


def top_screens() -> tuple[tuple[str, str, ft.IconData], ...]:
    """Route, name, icon."""
    return (
        ("/", words.TODAY, ft.Icons.TODAY),
        ("/stock", words.STOCK, ft.Icons.LOCAL_SHIPPING_OUTLINED),
        ("/sync", words.SYNC, ft.Icons.CLOUD_UPLOAD_OUTLINED),
    )


def frame(
    desk: Desk,
    heading: str,
    body: Sequence[ft.Control],
    *,
    second: str = "",
    back: bool = False,
    bottom: Sequence[ft.Control] = (),
    status: bool = True,
    notices: bool = True,
    begins_with: str = "body",
    pull: Pull | None = None,
) -> ft.Control:
    """`bottom` stays in sight while `body` scrolls; its last control is the primary button.

    Where `begins_with` changes, `body` is shown from its top again.
    With `pull` the body can be pulled down, or a button in the title tapped, to fetch what is new.

    Without `status` and `notices` it is the lesser of two panes: the other one says it.
    """
    notice = desk.shell.notice
    pinned: list[ft.Control] = []
    if notice is not None and notices:
        dismiss = icon_button(ft.Icons.CLOSE, words.DISMISS, desk.dismiss)
        said = mood_box(notice.text, notice.mood, trailing=dismiss)
        pinned.append(ft.Semantics(content=said, live_region=True, container=True))
    pinned.extend(bottom)
    return ft.Column(
        [
            _header(desk, heading, second, back=back, refresh=pull is not None),
            *([StatusChip(desk, desk.shell)] if status else []),
            ft.Container(
                content=ft.Column(
                    list(body),
                    key=begins_with,
                    spacing=theme.GAP,
                    scroll=ft.ScrollMode.AUTO,
                    horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                    expand=True,
                    scroll_interval=SCROLL_MILLISECONDS,
                    on_scroll=pull.on_scroll if pull else None,
                ),
                padding=ft.Padding.only(left=12, right=12, top=theme.GAP),
                expand=True,
            ),
            *([_bottom(pinned)] if pinned else []),
        ],
        spacing=0,
        expand=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _header(desk: Desk, heading: str, second: str, *, back: bool, refresh: bool) -> ft.Control:
    named: list[ft.Control] = [
        ft.Semantics(
            content=ft.Text(
                heading, size=theme.TITLE, weight=ft.FontWeight.W_700, color=theme.ON_BAR,
            ),
            header=True,
        )
    ]  # fmt: skip
    if second:
        named.append(ft.Text(second, size=theme.SMALL, color=theme.ON_BAR))
    arrow = icon_button(ft.Icons.ARROW_BACK, words.BACK, desk.back, color=theme.ON_BAR)
    again = icon_button(ft.Icons.REFRESH, words.REFRESH, desk.refresh_soon, color=theme.ON_BAR)
    return ft.Container(
        content=ft.Row(
            [
                *([arrow] if back else []),
                ft.Column(named, spacing=0, expand=True, alignment=ft.MainAxisAlignment.CENTER),
                *([again] if refresh else []),
            ],
            spacing=4,
        ),
        bgcolor=theme.BAR,
        padding=ft.Padding.symmetric(horizontal=4 if back else theme.EDGE, vertical=6 if back else 10),
    )


def _bottom(controls: list[ft.Control]) -> ft.Control:
    return ft.Container(
        content=ft.Column(controls, spacing=8, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        bgcolor=theme.PAPER,
        border=ft.Border.only(top=ft.BorderSide(theme.THIN, theme.LINE)),
        padding=ft.Padding.only(left=12, right=12, top=10, bottom=12),
    )


def navigation_bar(desk: Desk, current: str) -> ft.Control:
    """At the bottom of the three top screens on a phone."""
    return ft.NavigationBar(
        destinations=[ft.NavigationBarDestination(icon=icon, label=name) for _, name, icon in top_screens()],
        selected_index=_index(current),
        bgcolor=theme.PAPER,
        indicator_color=theme.ACTION,
        height=theme.BAR_NAME + 60,
        on_change=lambda event: _switch(desk, int(event.control.selected_index)),
    )


def navigation_rail(desk: Desk, current: str) -> ft.Control:
    """At the start of the line on a tablet."""
    return ft.NavigationRail(
        destinations=[
            ft.NavigationRailDestination(icon=icon, label=name, padding=ft.Padding.symmetric(vertical=6))
            for _, name, icon in top_screens()
        ],
        selected_index=_index(current),
        label_type=ft.NavigationRailLabelType.ALL,
        min_width=96,
        bgcolor=theme.PAPER,
        indicator_color=theme.ACTION,
        on_change=lambda event: _switch(desk, int(event.control.selected_index)),
    )


def _switch(desk: Desk, index: int) -> None:
    desk.dismiss()
    desk.go(top_screens()[index][0])


def _index(name: str) -> int:
    return {"stock": 1, "count": 1, "give": 1, "take": 1, "sync": 2}.get(name, 0)
