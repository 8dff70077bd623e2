"""The town under the board's map: GeoJSON layers, cut from the map file once and kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, Response

from server.access.guard import require
from server.access.people import Person
from server.access.roles import Permission
from server.settings import Settings
from shared.problems import NotFound

router = APIRouter(tags=["map"])

Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMap:
    """`folder` holds `{layer}.geojson` and its `.gz`; `attribution` must be shown with it."""

    folder: Path
    layers: tuple[str, ...]
    attribution: str
    made_up: bool


class TownMap:
    """The map that the settings name, cut when somebody first looks at it: seconds then, nothing later."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._shown: ShownMap | None = None

    def shown(self) -> ShownMap:
        """Raises NotFound, with a sentence, when there is no map or it cannot be read."""
        if not self._settings.map_file:
            raise NotFound("This server was started without a map file, so there are no streets")
        with self._lock:
            if self._shown is None:
                self._shown = _cut(Path(self._settings.map_file), self._settings.data_folder)
            return self._shown


def _cut(map_file: Path, cache: Path) -> ShownMap:
    # Late, because only this needs the map reader's library, and only where there is a map.
    import osmium

    from server.town.basemap import base_map
    from server.town.model import MapError
    from server.town.read import MADE_UP_ATTRIBUTION, MADE_UP_GENERATOR, OSM_ATTRIBUTION

    try:
        cut = base_map(map_file, cache)
    except MapError as error:
        raise NotFound(str(error)) from error
    with osmium.io.Reader(str(map_file)) as reader:
        made_up = reader.header().get("generator") == MADE_UP_GENERATOR
    return ShownMap(
        folder=cut.folder,
        layers=tuple(layer.name for layer in cut.layers),
        attribution=MADE_UP_ATTRIBUTION if made_up else OSM_ATTRIBUTION,
        made_up=made_up,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MapInfo:
    layers: tuple[str, ...]
    attribution: str
    made_up: bool


def _shown_by(request: Request) -> ShownMap:
    town: TownMap = request.app.state.town_map
    return town.shown()


@router.get("/api/map")
def map_info(request: Request, person: Looker) -> MapInfo:
    """Which layers there are, and whom to thank for them. 404 when the server has no map."""
    shown = _shown_by(request)
    return MapInfo(layers=shown.layers, attribution=shown.attribution, made_up=shown.made_up)


@router.get("/api/map/{layer}.geojson")
def map_layer(request: Request, person: Looker, layer: str) -> Response:
    """One layer as GeoJSON (RFC 7946), packed where the browser takes that."""
    shown = _shown_by(request)
    if layer not in shown.layers:
        raise NotFound(f"There is no map layer {layer}; there are {', '.join(shown.layers)}")
    headers = {"Cache-Control": "private, max-age=3600", "Vary": "Accept-Encoding"}
    name = f"{layer}.geojson"
    if "gzip" in request.headers.get("accept-encoding", ""):
        name, headers = f"{name}.gz", {**headers, "Content-Encoding": "gzip"}
    return FileResponse(shown.folder / name, media_type="application/geo+json", headers=headers)
