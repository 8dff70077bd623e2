"""The sketch of a route on a canvas. It is one picture with a name; the cards say each stop by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import flet as ft
import flet.canvas as cv

from mobile import theme, words
from mobile.views.sketch import Leg, Point, Sketch, Stop
from mobile.views.sketch import sketch as draw
from shared.work_orders import WorkOrder

HEIGHT = 190
MARK, NEXT_MARK = 14, 17  # radius
HOME = 9
DASHES = [7, 6]
NUMBER_SIZE = 15  # it stands in a mark of one size, however large other text is


@ft.component
def _RouteMap(
    orders: tuple[WorkOrder, ...],
    home: Point | None,
    next_id: UUID | None,
    likely_width: float,
    open_job: Callable[[UUID], None],
) -> ft.Control:
    """A tap on a stop opens its job. `home` as (latitude, longitude); `likely_width`: until it is known."""
    width, set_width = ft.use_state(likely_width)
    sketch = draw(orders, home, next_id, width, HEIGHT)

    def tapped(event: Any) -> None:
        found = sketch.nearest(event.local_position.x, event.local_position.y) if sketch else None
        if found:
            open_job(found)

    canvas = cv.Canvas(
        shapes=_shapes(sketch, width) if sketch else [],
        height=HEIGHT,
        on_resize=lambda event: set_width(event.width),
        content=ft.GestureDetector(
            on_tap_down=tapped, mouse_cursor=ft.MouseCursor.CLICK, exclude_from_semantics=True
        ),
    )
    return ft.Semantics(
        label=sketch.said if sketch else words.NO_SKETCH,
        image=True,
        container=True,
        content=ft.Container(
            content=canvas if sketch else ft.Text(words.NO_SKETCH, size=theme.BODY, color=theme.QUIET),
            padding=None if sketch else 14,
            bgcolor=theme.PAPER,
            border=ft.Border.all(theme.THIN, theme.LINE),
            border_radius=theme.RADIUS,
            clip_behavior=ft.ClipBehavior.HARD_EDGE,
        ),
    )


RouteMap = ft.memo(_RouteMap)
"""The same route is not drawn again."""


def _shapes(sketch: Sketch, width: float) -> list[cv.Shape]:
    shapes = [shape for leg in sketch.legs for shape in _line(leg)]
    shapes += [shape for leg in sketch.legs if leg.minutes for shape in _minutes(leg)]
    if sketch.home:
        shapes += _home(sketch.home)
    # The next stop last, so that no neighbour lies on it.
    for stop in sorted(sketch.stops, key=lambda stop: stop.state == "next"):
        shapes += _mark(stop)
    return [*shapes, *_bar(sketch), *_north(width)]


def _pen(color: str, width: float, *, dashed: bool = False) -> ft.Paint:
    return ft.Paint(
        color=color,
        stroke_width=width,
        style=ft.PaintingStyle.STROKE,
        stroke_cap=ft.StrokeCap.BUTT,
        stroke_dash_pattern=list(DASHES) if dashed else None,
    )


def _fill(color: str) -> ft.Paint:
    return ft.Paint(color=color, style=ft.PaintingStyle.FILL)


def _line(leg: Leg) -> list[cv.Shape]:
    pen = _pen(theme.LINE if leg.done else theme.ACCENT, theme.THIN + 1, dashed=True)
    path: list[cv.Path.PathElement] = [cv.Path.MoveTo(*leg.start), cv.Path.LineTo(*leg.end)]
    return [cv.Path(path, paint=pen)]


def _minutes(leg: Leg) -> list[cv.Shape]:
    """On paper of its own, so that the line does not run through the words."""
    x, y = (leg.start[0] + leg.end[0]) / 2, (leg.start[1] + leg.end[1]) / 2
    size = min(theme.SMALL, 18)
    wide, high = len(leg.minutes) * size * 0.56 + 6, size * 1.3
    return [
        cv.Rect(x - wide / 2, y - high / 2, wide, high, border_radius=4, paint=_fill(theme.PAPER)),
        _words(leg.minutes, x, y, size, theme.INK),
    ]


def _words(
    text: str, x: float, y: float, size: float, color: str, alignment: ft.Alignment = ft.Alignment.CENTER
) -> cv.Shape:
    style = ft.TextStyle(size=size, weight=ft.FontWeight.W_700, color=color)
    return cv.Text(x, y, text, style=style, alignment=alignment)


def _mark(stop: Stop) -> list[cv.Shape]:
    """Filled for what is to do, hollow for what is done; the next one larger, in the colour of the button."""
    radius = NEXT_MARK if stop.state == "next" else MARK
    back = {"next": theme.ACTION, "open": theme.ACCENT, "done": theme.CANVAS}[stop.state]
    ink = {"next": theme.ON_ACTION, "open": theme.PAPER, "done": theme.QUIET}[stop.state]
    edge = {"next": theme.INK, "open": theme.PAPER, "done": theme.QUIET}[stop.state]
    return [
        cv.Circle(stop.x, stop.y, radius, paint=_fill(back)),
        cv.Circle(stop.x, stop.y, radius, paint=_pen(edge, theme.STRONG if stop.state == "next" else 2)),
        _words(str(stop.number), stop.x, stop.y, NUMBER_SIZE, ink),
    ]


def _home(at: Point) -> list[cv.Shape]:
    x, y = at
    roof: list[cv.Path.PathElement] = [
        cv.Path.MoveTo(x - HOME - 2, y),
        cv.Path.LineTo(x, y - HOME),
        cv.Path.LineTo(x + HOME + 2, y),
        cv.Path.Close(),
    ]
    return [
        cv.Path(roof, paint=_fill(theme.INK)),
        cv.Rect(x - HOME + 2, y, 2 * HOME - 4, HOME, paint=_fill(theme.INK)),
    ]


def _bar(sketch: Sketch) -> list[cv.Shape]:
    """How long a distance is, at the lower left, with words above it."""
    left, low = 10.0, HEIGHT - 8.0
    right = left + sketch.bar_pixels
    ends: list[cv.Path.PathElement] = [
        cv.Path.MoveTo(left, low - 5),
        cv.Path.LineTo(left, low),
        cv.Path.LineTo(right, low),
        cv.Path.LineTo(right, low - 5),
    ]
    size = min(theme.SMALL, 18)
    return [
        cv.Path(ends, paint=_pen(theme.INK, 2)),
        _words(sketch.bar, left + 4, low - 3, size, theme.INK, ft.Alignment.BOTTOM_LEFT),
    ]


def _north(width: float) -> list[cv.Shape]:
    x = width - 16
    arrow: list[cv.Path.PathElement] = [
        cv.Path.MoveTo(x, 6),
        cv.Path.LineTo(x + 6, 20),
        cv.Path.LineTo(x, 16),
        cv.Path.LineTo(x - 6, 20),
        cv.Path.Close(),
    ]
    return [
        cv.Path(arrow, paint=_fill(theme.INK)),
        _words(words.NORTH, x, 30, min(theme.SMALL, 18), theme.INK),
    ]
