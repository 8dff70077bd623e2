"""Pulling a list down beyond its beginning: whoever can't drag has a button for the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

PULLED = 70.0  # pixels beyond the beginning; a flick that ends there brings a few
SCROLL_MILLISECONDS = 30


class Pull:
    """Tells once a drag when it went far enough. Android says what it held back, iOS how far it went."""

    def __init__(self, pulled: Callable[[], Any]) -> None:
        self._pulled = pulled
        self._beyond = 0.0
        self._told = False

    def on_scroll(self, event: ft.OnScrollEvent) -> Any:
        match event.event_type:
            case ft.ScrollType.START | ft.ScrollType.END:
                self._beyond, self._told = 0.0, False
            case ft.ScrollType.OVERSCROLL if event.overscroll is not None:
                self._beyond = max(0.0, self._beyond - event.overscroll)
            case ft.ScrollType.UPDATE:
                self._beyond = max(0.0, event.min_scroll_extent - event.pixels)
        if self._beyond >= PULLED and not self._told:
            self._told = True
            return self._pulled()
        return None
