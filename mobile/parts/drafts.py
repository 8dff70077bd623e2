"""A hook for what is entered but not yet saved: it survives a look at another screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import flet as ft

from mobile.state import Desk

T = TypeVar("T")


def use_draft(desk: Desk, name: str, default: T) -> tuple[T, Callable[[T], None]]:
    """Like `use_state`, and the value is still there when one comes back to this route.

    What comes late, a photo that was made smaller, is kept for the route that it was begun on.
    """
    route, _ = ft.use_state(lambda: desk.shell.route)
    value, set_value = ft.use_state(lambda: desk.draft(name, default))

    def change(new: T) -> None:
        desk.keep_draft(name, new, route=route)
        set_value(lambda _old: new)

    return value, change
