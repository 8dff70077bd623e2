"""What pages need beside their own routes: static files and the town's map."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from server.settings import Settings
from server.web import map_routes
from server.web.pages import HERE, VENDOR


class FreshFiles(StaticFiles):
    """Static files that browsers keep but ask about, so that a new version is never mixed with an old one."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def mount_static(app: FastAPI, settings: Settings) -> None:
    """Serve `/static` and `/api/map`."""
    # Some machines' registries give JavaScript another type, and browsers then refuse to run modules.
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("text/javascript", ".mjs")
    app.state.town_map = map_routes.TownMap(settings)
    app.include_router(map_routes.router)
    _mount(app, "/static/vendor", VENDOR)
    _mount(app, "/static", HERE / "static")


def _mount(app: FastAPI, path: str, folder: Path) -> None:
    files = FreshFiles(directory=folder, check_dir=False)
    app.mount(path, files, name=path.strip("/").replace("/", "-"))
