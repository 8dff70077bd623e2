"""Serve the built technician app at `/app/`: right types, compressed twins, safe caching."""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from server.pwa.client import BASE_PATH

# Written out, because what a machine's own table says differs, and a wrong type stops the app.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".otf": "font/otf",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


@dataclass(frozen=True, slots=True)
class Built:
    """What `build.json` says: SHA-256 by path, and the content security policy."""

    files: dict[str, str]
    policy: str
    changed: float


class App:
    """The built folder. A rebuild while the server runs is noticed at the next request."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: Built | None = None

    def built(self) -> Built | None:
        """The record of the build, or None while there is none."""
        record = self._folder / "build.json"
        try:
            changed = record.stat().st_mtime
        except OSError:
            return None
        if self._built is None or self._built.changed != changed:
            read = json.loads(record.read_text(encoding="utf-8"))
            self._built = Built(read["files"], read["policy"], changed)
        return self._built

    def answer(self, name: str, request: Request) -> Response:
        """The file `name` in the best encoding the browser takes; only files of the build are served."""
        built = self.built()
        if built is None:
            return PlainTextResponse("The technician app is not built yet: run python -m server.pwa\n", 503)
        name = name or "index.html"
        if name not in built.files:
            return PlainTextResponse("Not found\n", 404)
        etag = f'"{built.files[name][:32]}"'
        headers = {
            "ETag": etag,
            "Vary": "Accept-Encoding",
            # File names stay the same from version to version, so the browser always asks; the service
            # worker sees to it that this costs nothing on later starts.
            "Cache-Control": "no-cache",
            "Content-Security-Policy": built.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(self)",
        }
        known = request.headers.get("if-none-match", "").split(",")
        if etag in (part.strip().removeprefix("W/") for part in known):
            return Response(status_code=304, headers=headers)
        path = self._folder / name
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        for encoding, suffix in ENCODINGS:
            twin = path.with_name(path.name + suffix)
            if encoding in accepted_encodings(request) and twin.exists():
                return FileResponse(twin, media_type=kind, headers={**headers, "Content-Encoding": encoding})
        return FileResponse(path, media_type=kind, headers=headers)


def accepted_encodings(request: Request) -> set[str]:
    """The content codings the client takes; one with `q=0` is refused."""
    offered = (
        part.strip().split(";") for part in request.headers.get("accept-encoding", "").lower().split(",")
    )
    return {name.strip() for name, *options in offered if "q=0" not in (o.strip() for o in options)}


def mount_app(app: FastAPI, folder: Path) -> None:
    """Serve `folder`, as `build_pwa` made it, under `/app/`."""
    built = App(folder)

    async def to_app() -> Response:
        return RedirectResponse(BASE_PATH, 308)

    def file(request: Request, name: str = "") -> Response:
        return built.answer(name, request)

    app.add_api_route(BASE_PATH.rstrip("/"), to_app, methods=["GET"], include_in_schema=False)
    app.add_api_route(BASE_PATH + "{name:path}", file, methods=["GET", "HEAD"], include_in_schema=False)
