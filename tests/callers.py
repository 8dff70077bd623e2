"""Everybody who may stand at the server's doors, on a world of today behind the whole application.

with standing(database_url, folder) as doors:
    doors.ask("admin", "GET", "/api/board")
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from httpx import Response
from receivers import LOCAL
from world import World, a_world, uid

from server.access.guard import COOKIE, CSRF_HEADER
from server.access.models import DeviceRow, PersonRow, SessionRow
from server.access.roles import Role
from server.access.tokens import digest
from server.app import build_app

STAFF = tuple(role.value for role in Role)
DEVICES = ("ana", "ben", "revoked", "expired", "wiped")
"""Two technicians' phones; three more of Ana's: signed out by the office, run out, erased."""
CALLERS = ("nobody", *STAFF, *DEVICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The application with a session for each role and a token for each device, by the caller's name."""

    world: World
    client: TestClient

    def ask(self, caller: str, method: str, path: str, *, csrf: str | None = "own", **request: Any) -> Any:
        """One request, with the CSRF token of the caller's session, of another's session, or none."""
        headers = credentials(caller, csrf=csrf) | dict(request.pop("headers", {}))
        if path.partition("?")[0].endswith("/events"):
            return self._begin(method, path, headers)
        return self.client.request(method, path, headers=headers, **request)

    def _begin(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        """The beginning of an answer: a stream that is granted would never end."""

        async def first() -> Response:
            started: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            body = bytearray()
            asked_for = [{"type": "http.request", "body": b"", "more_body": False}]

            async def receive() -> dict[str, Any]:
                if asked_for:
                    return asked_for.pop()
                return await asyncio.Event().wait()  # type: ignore[return-value]  # listens until the end

            async def send(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    started.set_result(message)
                body.extend(message.get("body", b""))

            asked = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
                "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
                "root_path": "", "server": ("testserver", 80), "client": ("testclient", 50_000),
                "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
            }  # fmt: skip
            task = asyncio.create_task(self.client.app(asked, receive, send))  # type: ignore[arg-type]
            message = await asyncio.wait_for(started, 20)
            if message["status"] == 200:
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return Response(message["status"], headers=message["headers"], content=bytes(body))

        assert self.client.portal is not None
        return self.client.portal.call(first)


def credentials(caller: str, *, csrf: str | None = "own") -> dict[str, str]:
    """Headers that say who is asking."""
    if caller in STAFF:
        token = {"own": csrf_token(caller), "foreign": csrf_token(_another(caller)), None: ""}[csrf]
        return {"Cookie": f"{COOKIE}=session of {caller}"} | ({CSRF_HEADER: token} if token else {})
    return {} if caller == "nobody" else {"Authorization": f"Bearer token of {caller}"}


def csrf_token(role: str) -> str:
    return f"csrf of {role}"


def _another(role: str) -> str:
    return Role.VIEWER if role == Role.ADMIN else Role.ADMIN


def add_staff(world: World) -> None:
    """One person of each role, each with an open session."""
    with world.database.write() as session:
        for role in STAFF:
            person = PersonRow(
                id=uid(f"person {role}"), name=f"Person {role}", email=f"{role}@office.test", role=role,
                password_hash="no password fits",
            )  # fmt: skip
            session.add(person)
            session.flush()
            session.add(
                SessionRow(
                    token_hash=digest(f"session of {role}"), person_id=person.id, csrf_token=csrf_token(role),
                    created_at=world.now, expires_at=world.now + timedelta(hours=12),
                )
            )  # fmt: skip


def add_device(world: World, name: str, technician_id: UUID, **values: Any) -> UUID:
    """A device whose token is "token of NAME"."""
    with world.database.write() as session:
        session.add(
            DeviceRow(
                **{
                    "id": uid(f"device {name}"),
                    "technician_id": technician_id,
                    "name": f"Phone {name}",
                    "platform": "test",
                    "token_hash": digest(f"token of {name}"),
                    "registered_at": world.now,
                    "token_expires_at": world.now + timedelta(days=30),
                }
                | values
            )
        )
    return uid(f"device {name}")


@contextmanager
def standing(url: str, folder: Path, *, started: bool = True, **settings: Any) -> Iterator[Doors]:
    """The doors of a world of today on `url`, a migrated and empty database. Nothing is sent from here.

    `started`: else whoever drives the application starts and ends it.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    usual: Mapping[str, Any] = {
        "data_folder": folder / "data",
        "send_seconds": 0,
        "webhook_networks": LOCAL,
        "device_requests_per_second": 0,
    }
    with a_world(url, now=now, **(usual | settings)) as world:
        add_staff(world)
        ana = world.ana.technician_id
        add_device(world, "revoked", ana, revoked_at=now - timedelta(days=1))
        add_device(world, "expired", ana, token_expires_at=now - timedelta(days=1))
        add_device(
            world, "wiped", ana, revoked_at=now - timedelta(days=2), wipe_ordered_at=now - timedelta(days=2),
            wiped_at=now - timedelta(days=1),
        )  # fmt: skip
        app = build_app(world.settings, pwa_folder=folder / "no app was built")
        client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        with client if started else nullcontext():
            yield Doors(world=world, client=client)
