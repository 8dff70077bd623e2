"""A field to sign in with a finger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft
import flet.canvas as cv

from mobile import theme, words
from mobile.device.signature import Point

Strokes = tuple[tuple[Point, ...], ...]
PAD_HEIGHT = 220
DRAG_MILLISECONDS = 16


@ft.component
def SignaturePad(
    strokes: Strokes,
    change: Callable[[Callable[[Strokes], Strokes]], None],
    sized: Callable[[float], None],
    hint: str = "",
) -> ft.Control:
    """`strokes` are points in pixels from the top left. `sized(width)` tells how wide the field came out.

    `hint`: what it says where somebody else than the technician reads it.

    `change` takes a function of the strokes as they are by then: events may outrun the drawing.
    """

    def begin(event: Any) -> None:
        point = (event.local_position.x, event.local_position.y)
        change(lambda now: (*now, (point,)))

    def draw(event: Any) -> None:
        point = (event.local_position.x, event.local_position.y)
        change(lambda now: (*now[:-1], (*now[-1], point)) if now else ((point,),))

    pen = ft.Paint(
        color=theme.INK, stroke_width=3, style=ft.PaintingStyle.STROKE, stroke_cap=ft.StrokeCap.ROUND,
        stroke_join=ft.StrokeJoin.ROUND,
    )  # fmt: skip
    shapes: list[cv.Shape] = [
        cv.Path([cv.Path.MoveTo(*stroke[0]), *(cv.Path.LineTo(*point) for point in stroke[1:])], paint=pen)
        for stroke in strokes
    ]
    surface = cv.Canvas(
        shapes=shapes,
        height=PAD_HEIGHT,
        expand=True,
        on_resize=lambda event: sized(event.width),
        content=ft.GestureDetector(
            on_pan_start=begin, on_pan_update=draw, drag_interval=DRAG_MILLISECONDS,
            exclude_from_semantics=True,
        ),
    )  # fmt: skip
    empty = ft.Text(hint or words.SIGN_HERE, size=theme.BODY, color=theme.QUIET, visible=not strokes)
    return ft.Semantics(
        label=hint or words.SIGN_HERE,
        image=True,
        container=True,
        content=ft.Container(
            content=ft.Stack(
                [
                    ft.Container(content=empty, left=14, right=14, bottom=34),
                    ft.Container(height=2, bgcolor=theme.LINE, left=14, right=14, bottom=28),
                    surface,
                ]
            ),
            height=PAD_HEIGHT,
            bgcolor=theme.PAPER,
            border=ft.Border.all(theme.THICK, theme.ACCENT),
            border_radius=theme.RADIUS,
            clip_behavior=ft.ClipBehavior.HARD_EDGE,
        ),
    )
