from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import day_of_work
import pytest
from flet_screen import Screen

from mobile.app import App
from mobile.gateway import Gateway
from mobile.state import Desk


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = day_of_work.MORNING

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(tmp_path: Path, clock: Clock) -> Gateway:
    """Aino's device on Monday morning, with her six jobs and no network."""
    return day_of_work.a_gateway(tmp_path, now=clock)


@pytest.fixture
def desk(gateway: Gateway, clock: Clock) -> Desk:
    return Desk(gateway, now=clock)


@pytest.fixture
def open_app(desk: Desk) -> Iterator[Callable[..., Screen]]:
    """`open_app()` shows the app; `open_app(route)` a screen of it."""
    shown: list[Screen] = []

    def open_at(route: str = "/", **options: Any) -> Screen:
        desk.shell.route = route
        for name, value in options.items():
            setattr(desk.shell, name, value)
        screen = Screen(App, desk)
        shown.append(screen)
        return screen.__enter__()

    yield open_at
    for screen in shown:
        screen.__exit__(None, None, None)
