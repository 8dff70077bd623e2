"""A QR code on the screen, for another phone to read."""

from __future__ import annotations

import io

import flet as ft
import segno

from mobile import theme

DOTS = 6  # pixels of the picture for each module; the screen scales it


def qr_code(text: str, name: str) -> ft.Control:
    """`text` as a picture as wide as the screen lets it be, dark on white in every theme; heard as `name`."""
    drawn = io.BytesIO()
    segno.make(text, error="l", micro=False).save(drawn, kind="png", scale=DOTS, border=4)
    return ft.Semantics(
        label=name,
        image=True,
        content=ft.Container(
            content=ft.Image(src=drawn.getvalue(), fit=ft.BoxFit.CONTAIN, exclude_from_semantics=True),
            bgcolor=ft.Colors.WHITE,
            border_radius=theme.RADIUS,
            padding=4,
            alignment=ft.Alignment.CENTER,
        ),
    )
