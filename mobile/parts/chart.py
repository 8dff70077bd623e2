"""A small course of readings on a canvas, with the band they had to keep to. Its name says every value."""

from __future__ import annotations

import flet as ft
import flet.canvas as cv

from mobile import theme
from mobile.views.place import Chart

HEIGHT = 150
LEFT, RIGHT, TOP, BOTTOM = 14.0, 14.0, 26.0, 44.0
DOT = 6
LABEL_PIXELS = 62  # a value takes so much of the width


@ft.component
def _ReadingsChart(chart: Chart, likely_width: float) -> ft.Control:
    """`likely_width`: of the drawing, until it is known."""
    width, set_width = ft.use_state(likely_width)
    return ft.Semantics(
        label=chart.said,
        image=True,
        container=True,
        content=ft.Container(
            content=cv.Canvas(
                shapes=_shapes(chart, width), height=HEIGHT, on_resize=lambda event: set_width(event.width)
            ),
            border=ft.Border.all(theme.THIN, theme.LINE),
            border_radius=8,
            bgcolor=theme.PAPER,
        ),
    )


ReadingsChart = ft.memo(_ReadingsChart)


def _shapes(chart: Chart, width: float) -> list[cv.Shape]:
    def across(x: float) -> float:
        return LEFT + DOT + x * (width - LEFT - RIGHT - 2 * DOT)

    def up(y: float) -> float:
        return TOP + (1 - y) * (HEIGHT - TOP - BOTTOM)

    low, high = (up(edge) for edge in chart.band)
    edge = ft.Paint(
        color=theme.GOOD,
        stroke_width=theme.THIN + 0.5,
        style=ft.PaintingStyle.STROKE,
        stroke_dash_pattern=[5, 4],
    )
    shapes: list[cv.Shape] = [
        cv.Rect(0, high, width, low - high, paint=ft.Paint(color=theme.GOOD_BACK)),
        cv.Line(0, high, width, high, paint=edge),
        cv.Line(0, low, width, low, paint=edge),
    ]
    size = min(theme.SMALL, 16) - 2
    shapes.append(_text(chart.high, 4, high - 1, size, theme.GOOD, ft.Alignment.BOTTOM_LEFT))
    shapes.append(_text(chart.low, 4, low + 1, size, theme.GOOD, ft.Alignment.TOP_LEFT))
    path: list[cv.Path.PathElement] = [
        (cv.Path.LineTo if index else cv.Path.MoveTo)(across(dot.x), up(dot.y))
        for index, dot in enumerate(chart.dots)
    ]
    line = ft.Paint(color=theme.INK, stroke_width=theme.THICK, style=ft.PaintingStyle.STROKE)
    shapes.append(cv.Path(path, paint=line))
    said_until = -LABEL_PIXELS
    for index, dot in enumerate(chart.dots):
        x, y = across(dot.x), up(dot.y)
        color = theme.INK if dot.good else theme.BAD
        shapes.append(cv.Circle(x, y, DOT, paint=ft.Paint(color=color)))
        if not dot.good:  # never colour alone
            ring = ft.Paint(color=theme.BAD, stroke_width=2, style=ft.PaintingStyle.STROKE)
            shapes.append(cv.Circle(x, y, DOT + 4, paint=ring))
        is_last = index == len(chart.dots) - 1
        if x - said_until >= LABEL_PIXELS and (is_last or across(1) - x >= LABEL_PIXELS):
            at = x + DOT if is_last else x - DOT
            # A line that comes down to the last dot has its words below it, out of the way.
            falls = is_last and chart.dots[index - 1].y > dot.y
            shapes.append(_value(dot.value, at, y, size, color, end=is_last, below=falls))
            foot = ft.Alignment.BOTTOM_RIGHT if is_last else ft.Alignment.BOTTOM_LEFT
            shapes.append(_text(dot.day, at, HEIGHT - 3.0, size, theme.QUIET, foot))
            said_until = x
    return shapes


def _value(text: str, x: float, y: float, size: float, color: str, *, end: bool, below: bool) -> cv.Shape:
    if below:
        return _text(
            text, x, y + DOT + 3, size, color, ft.Alignment.TOP_RIGHT if end else ft.Alignment.TOP_LEFT
        )
    side = ft.Alignment.BOTTOM_RIGHT if end else ft.Alignment.BOTTOM_LEFT
    return _text(text, x, y - DOT - 3, size, color, side)


def _text(text: str, x: float, y: float, size: float, color: str, alignment: ft.Alignment) -> cv.Shape:
    style = ft.TextStyle(size=size, weight=ft.FontWeight.W_600, color=color)
    return cv.Text(x, y, text, style=style, alignment=alignment)
