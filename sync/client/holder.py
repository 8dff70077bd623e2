"""Whose device this is: tokens, those who had it before, and the office's order to erase it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from uuid import UUID

from sync.client.disk import Disk
from sync.client.evidence import EvidenceShelf
from sync.client.outbox import Outbox
from sync.client.records import NotSaved, Registration
from sync.client.rows import Rows
from sync.client.schema import migrate

_TABLES = ("reference", "command", "evidence", "image", "aside", "draft", "setting")


class Holder:
    """The part of the store that is about people and tokens. See ClientStore."""

    def __init__(self, connection: sqlite3.Connection, flush: Callable[[], None] = lambda: None) -> None:
        """Raises NewerStore when a newer app has written the file."""
        self._disk = Disk(connection, flush)
        with self._disk.saving() as opened:
            migrate(opened)
        self._rows = Rows(self._disk)
        self._outbox = Outbox(self._disk)
        self.shelf = EvidenceShelf(self._disk)
        if self._disk.setting("erasing"):
            with contextlib.suppress(NotSaved):  # what counts is gone already; the next start tries again
                self._overwrite()

    @property
    def registration(self) -> Registration | None:
        if (token := self._disk.setting("token")) is None:
            return None
        return Registration(
            device_id=UUID(self._disk.setting("device_id")),
            token=token,
            technician_id=UUID(self._disk.setting("technician_id")),
            technician_name=self._disk.setting("technician_name") or "",
        )

    @property
    def token_before(self) -> str | None:
        """The token that the present one replaced: a restored server knows no newer one."""
        return self._disk.setting("token_before")

    @property
    def refusal(self) -> str | None:
        """Why the server will not talk to this device until it is registered again."""
        return self._disk.setting("refusal")

    # Whose device this is

    def register(self, registration: Registration) -> None:
        """Belong to a technician. The next answer is a whole snapshot; another one's rows go at once.

        What another technician did with this device stays theirs: it is kept aside, with their token.
        """
        disk = self._disk
        with disk.transaction():
            before = self.registration
            if before and before.technician_id != registration.technician_id:
                self._set_aside(before)
                disk.set("seen", None)
            disk.execute("DELETE FROM aside WHERE technician_id = ?", (str(registration.technician_id),))
            disk.set("device_id", str(registration.device_id))
            disk.set("token", registration.token)
            disk.set("technician_id", str(registration.technician_id))
            disk.set("technician_name", registration.technician_name)
            # A code of the office is worth more than the PIN, which may be forgotten, or be another's.
            for name in ("cursor", "refusal", "token_before", "wiped_token", "partial", "lock"):
                disk.set(name, None)

    def _set_aside(self, before: Registration) -> None:
        self._rows.forget_all()
        self._disk.execute("DELETE FROM draft")
        self._disk.execute(
            "INSERT OR REPLACE INTO aside (technician_id, technician_name, device_id, token)"
            " SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM command WHERE technician_id = ?)",
            (
                str(before.technician_id),
                before.technician_name,
                str(before.device_id),
                before.token,
                str(before.technician_id),
            ),
        )

    def asides(self) -> list[Registration]:
        """Who had this device before and still has work here that the server is not known to have."""
        rows = self._disk.execute("SELECT device_id, token, technician_id, technician_name FROM aside")
        found = [
            Registration(
                device_id=UUID(row[0]), token=row[1], technician_id=UUID(row[2]), technician_name=row[3]
            )
            for row in rows
        ]
        return [one for one in found if self._outbox.waiting(_id(one)) or self.shelf.count(_id(one))[0]]

    def keep_refusal(self, detail: str) -> None:
        with self._disk.transaction():
            self._disk.set("refusal", detail)

    def step_back(self, token: str) -> None:
        """Sign in with the token from before: the server was restored and knows no newer one."""
        with self._disk.transaction():
            self._disk.set("token", token)
            self._disk.set("token_before", None)

    def give_up_aside(self, technician_id: UUID) -> None:
        """Erase what is kept of someone who had this device before, by the office's order."""
        key = str(technician_id)
        with self._disk.transaction():
            self._disk.execute(
                "DELETE FROM evidence WHERE digest IN (SELECT key FROM reference JOIN command USING (seq)"
                " WHERE reference.kind = 'evidence' AND technician_id = ?)",
                (key,),
            )
            self._disk.execute("DELETE FROM command WHERE technician_id = ?", (key,))
            self._disk.execute("DELETE FROM aside WHERE technician_id = ?", (key,))

    # Erasing

    @property
    def wiped_token(self) -> str | None:
        """Set after an erasure until the server has been told of it: all that is left to say it with."""
        return self._disk.setting("wiped_token")

    def wipe(self, detail: str) -> None:
        """Erase everything, by the office's order; `detail` says so to whoever holds the device.

        Durable in one transaction. The space is overwritten then, at the next start if not now.
        """
        disk = self._disk
        with disk.transaction():
            token = disk.setting("token")
            for table in _TABLES:
                disk.execute(f"DELETE FROM {table}")
            disk.set("refusal", detail)
            disk.set("wiped_token", token)
            disk.set("erasing", "yes")
        self._overwrite()

    def _overwrite(self) -> None:
        with self._disk.saving() as connection:
            connection.execute("VACUUM")
        with self._disk.transaction():
            self._disk.set("erasing", None)

    def told_of_wipe(self) -> None:
        with self._disk.transaction():
            self._disk.set("wiped_token", None)

    @property
    def _me(self) -> str | None:
        return self._disk.setting("technician_id")


def _id(registration: Registration) -> str:
    return str(registration.technician_id)
