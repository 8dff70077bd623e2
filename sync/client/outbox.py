"""Commands on the phone: queued at the tap, kept for 14 days after their receipt. And their envelopes."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.commands import SCHEMA, FieldCommand, order_of
from shared.problems import Malformed
from shared.remarks import Remark
from sync.client.disk import Disk
from sync.client.records import Entry, NewCommand, references
from sync.protocol import PushedCommand, Receipt, decode_command, encode

_ENVELOPE = "id, seq, type, schema, made_at, base_version, body, made_mono_ms, boot, hlc, technician_id"
_ENTRY = f"""{_ENVELOPE}, work_order_id, order_number, confirm, outcome, decided_at, slug, detail,
             remarks"""
ENVELOPE_BYTES = 320
"""What an envelope weighs on the wire besides the command itself."""


class Outbox:
    """The command table. `technician_id` chooses whose entries: those who had the device before are apart."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def entries(self, technician_id: str | None) -> list[Entry]:
        """Every command still kept, oldest first."""
        query = f"SELECT {_ENTRY} FROM command WHERE technician_id IS ? ORDER BY seq"
        return [_entry(row) for row in self._disk.execute(query, (technician_id,))]

    def due(
        self, technician_id: str | None, limit: int, after: int = 0, bytes_max: int | None = None
    ) -> list[PushedCommand]:
        """What to send: without a receipt, or to be confirmed, in order, from behind `after`.

        At most `limit`, and as many as fit into `bytes_max` of JSON, but never none for being too big.
        """
        query = f"""SELECT {_ENVELOPE} FROM command WHERE (outcome IS NULL OR confirm) AND technician_id IS ?
                    AND seq > ? ORDER BY seq LIMIT ?"""
        found: list[PushedCommand] = []
        room = bytes_max
        for row in self._disk.execute(query, (technician_id, after, limit)):
            command = _envelope(row)
            if room is not None:
                room -= len(bytes(command.body)) + ENVELOPE_BYTES
                if found and room < 0:
                    break
            found.append(command)
        return found

    def unsent(self, technician_id: str | None, limit: int = -1) -> list[Entry]:
        """Commands without a receipt, in order."""
        query = f"""SELECT {_ENTRY} FROM command WHERE outcome IS NULL AND technician_id IS ?
                    ORDER BY seq LIMIT ?"""
        return [_entry(row) for row in self._disk.execute(query, (technician_id, limit))]

    def jobs_unsent(self, technician_id: str | None) -> set[UUID]:
        """Which jobs have commands without a receipt. Asked at each tap, so nothing is decoded for it."""
        query = "SELECT DISTINCT work_order_id FROM command WHERE outcome IS NULL AND technician_id IS ?"
        return {UUID(row[0]) for row in self._disk.execute(query, (technician_id,)) if row[0]}

    def to_replay(self, technician_id: str | None) -> list[Entry]:
        """What the server's rows may not show yet: unsent, or accepted and not echoed or confirmed."""
        query = f"""SELECT {_ENTRY} FROM command
                    WHERE (outcome IS NULL OR (outcome = 'accepted' AND (echo_due OR confirm)))
                    AND technician_id IS ? ORDER BY seq"""
        return [_entry(row) for row in self._disk.execute(query, (technician_id,))]

    def newest(self) -> int:
        """The highest `seq` that waits; 0 when none does."""
        row = self._disk.execute("SELECT max(seq) FROM command WHERE outcome IS NULL OR confirm").fetchone()
        return row[0] or 0

    def waiting(self, technician_id: str | None) -> int:
        """How many are due."""
        query = "SELECT count(*) FROM command WHERE (outcome IS NULL OR confirm) AND technician_id IS ?"
        return int(self._disk.execute(query, (technician_id,)).fetchone()[0])

    def add(self, new: NewCommand, technician_id: str | None) -> int:
        """Queue a command of this technician, within a transaction. Returns its `seq`."""
        command = new.command
        seq = self._disk.execute(
            "INSERT INTO command (id, type, schema, made_at, base_version, work_order_id, order_number, body,"
            " made_mono_ms, boot, hlc, technician_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                str(new.id),
                command.type,
                SCHEMA,
                new.made_at.isoformat(),
                new.base_version,
                str(order_of(command) or ""),
                new.order_number,
                encode(command),
                new.made_mono_ms,
                new.boot,
                new.hlc,
                technician_id,
            ),
        ).lastrowid
        assert seq is not None
        for kind, key in references(command):
            self._disk.execute("INSERT INTO reference (kind, key, seq) VALUES (?, ?, ?)", (kind, key, seq))
        return seq

    def settle(self, receipt: Receipt) -> str | None:
        """Keep a receipt, within a transaction. Returns its outcome when it told something new.

        The first one counts, until a restored server is asked again; one for a command that is not ours
        says nothing. What is about the van is not replayed once a restored server has confirmed it: that
        server's balance has it, and no version would tell.
        """
        changed = self._disk.execute(
            "UPDATE command SET outcome = ?, decided_at = ?, slug = ?, detail = ?, remarks = ?,"
            " echo_due = NOT (confirm AND work_order_id = ''), confirm = 0"
            " WHERE id = ? AND (outcome IS NULL OR confirm)",
            (
                receipt.outcome,
                receipt.decided_at.isoformat(),
                receipt.slug,
                receipt.detail,
                encode(receipt.remarks),
                str(receipt.command_id),
            ),
        ).rowcount
        return str(receipt.outcome) if changed else None

    def doubt_all(self) -> None:
        """The server was restored from a backup: offer it all that was decided and is still here."""
        self._disk.execute("UPDATE command SET confirm = 1 WHERE outcome IS NOT NULL")

    def purge(self, before: str) -> None:
        """Forget what was decided before, within a transaction."""
        self._disk.execute(
            "DELETE FROM command WHERE outcome IS NOT NULL AND NOT confirm AND decided_at < ?", (before,)
        )


def _envelope(row: tuple[Any, ...]) -> PushedCommand:
    """What goes on the wire: the very bytes that were queued, unread."""
    id, seq, type, schema, made_at, base_version, body, made_mono_ms, boot, hlc, technician_id = row
    return PushedCommand(
        id=UUID(id),
        seq=seq,
        type=type,
        schema=schema,
        made_at=datetime.fromisoformat(made_at),
        base_version=base_version,
        body=msgspec.Raw(body),
        made_mono_ms=made_mono_ms,
        boot=boot,
        hlc=hlc,
        technician_id=UUID(technician_id) if technician_id else None,
    )


_remarks = msgspec.json.Decoder(tuple[Remark, ...])


def _entry(row: tuple[Any, ...]) -> Entry:
    *envelope, work_order_id, order_number, confirm, outcome, decided_at, slug, detail, remarks = row
    queued = _envelope(tuple(envelope))
    command: FieldCommand | None = None
    # What an older app queued and this one no longer reads is sent all the same.
    with contextlib.suppress(Malformed):
        command = decode_command(queued)
    return Entry(
        id=queued.id,
        seq=queued.seq,
        type=queued.type,
        schema=queued.schema,
        made_at=queued.made_at,
        base_version=queued.base_version,
        body=bytes(queued.body),
        work_order_id=UUID(work_order_id) if work_order_id else None,
        order_number=order_number,
        command=command,
        outcome=outcome,
        decided_at=datetime.fromisoformat(decided_at) if decided_at else None,
        slug=slug,
        detail=detail,
        remarks=_remarks.decode(remarks) if remarks else (),
        made_mono_ms=queued.made_mono_ms,
        boot=queued.boot,
        hlc=queued.hlc,
        technician_id=queued.technician_id,
        confirm=bool(confirm),
    )
