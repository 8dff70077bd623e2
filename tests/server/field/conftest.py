"""The phone's two doors over HTTP, on a world of today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from world import World, a_world

from server.db.engine import Database
from server.dependencies import answer_problems
from server.dispatch import board_feed
from server.field import routes
from server.live import Live
from server.settings import Settings


def the_doors(settings: Settings) -> FastAPI:
    """The routes for phones, put together as server/app.py does it."""
    app = FastAPI()
    app.state.database = Database(settings.database_url)
    app.state.settings = settings
    app.state.live = Live(app.state.database, board_feed.render)
    answer_problems(app)
    app.include_router(routes.router)
    return app


@pytest.fixture
def today(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A world whose Monday is now: what a phone may see depends on the day."""
    now = datetime.now(UTC).replace(microsecond=0)
    with a_world(database_url, now=now, data_folder=tmp_path / "data") as made:
        yield made


@pytest.fixture
def client(today: World) -> Iterator[TestClient]:
    app = the_doors(today.settings)
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made
    app.state.database.close()


@pytest.fixture
def doors() -> Callable[[Settings], FastAPI]:
    """Starts the server once more on the same data."""
    return the_doors
