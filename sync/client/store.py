"""The phone's database: typed reads, and one transaction for each thing that happens."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from shared.assets import Asset
from shared.catalogue import Product
from shared.commands import SCHEMA
from shared.problems import Malformed
from shared.remarks import Remark
from shared.stock import StockLine
from shared.work_orders import WorkOrder
from sync.client.records import (
    Applied,
    Counts,
    Entry,
    Images,
    NewCommand,
    NewEvidence,
    NotSaved,
    Registration,
    references,
)
from sync.client.schema import migrate
from sync.protocol import (
    KINDS,
    Image,
    Profile,
    PushedCommand,
    Receipt,
    SyncResponse,
    decode_command,
    decode_image,
    encode,
)

KEPT_AFTER_RECEIPT = timedelta(days=14)
REFUSALS_MAX = 3
"""Bytes that were damaged on the way may pass at the next try; after this many, a person must look."""

_ENTRY = """seq, id, type, schema, made_at, base_version, work_order_id, order_number, body,
            outcome, decided_at, slug, detail, remarks"""
_REFERRED = """EXISTS (SELECT 1 FROM reference JOIN command USING (seq)
               WHERE reference.kind = image.kind AND reference.key = image.key AND outcome IS NULL)"""


class ClientStore:
    """Images, outbox with receipts, evidence and settings in one SQLite file, owned by this object.

    `flush` is called after each commit: in the browser it is what makes the commit durable.
    Writes raise NotSaved, and then nothing of them was written.
    """

    def __init__(self, connection: sqlite3.Connection, flush: Callable[[], None] = lambda: None) -> None:
        """Raises NewerStore when a newer app has written the file."""
        self._db = connection
        self._flush = flush
        connection.isolation_level = None  # transactions begin where we say so
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        with self._saving():
            migrate(connection)

    # Settings

    @property
    def registration(self) -> Registration | None:
        if (token := self._setting("token")) is None:
            return None
        return Registration(
            device_id=UUID(self._setting("device_id")),
            token=token,
            technician_id=UUID(self._setting("technician_id")),
            technician_name=self._setting("technician_name") or "",
        )

    @property
    def cursor(self) -> str | None:
        return self._setting("cursor")

    @property
    def clock_offset(self) -> timedelta:
        """Server minus device, as of the last contact."""
        return timedelta(seconds=float(self._setting("clock_offset_seconds") or 0))

    @property
    def last_contact(self) -> datetime | None:
        """By the device's clock."""
        value = self._setting("last_contact")
        return datetime.fromisoformat(value) if value else None

    @property
    def refusal(self) -> str | None:
        """Why the server will not talk to this device until it is registered again."""
        return self._setting("refusal")

    def register(self, registration: Registration) -> None:
        """Belong to a technician. The next answer is a whole snapshot; another one's rows go at once."""
        with self._transaction():
            before = self._setting("technician_id")
            self._set("device_id", str(registration.device_id))
            self._set("token", registration.token)
            self._set("technician_id", str(registration.technician_id))
            self._set("technician_name", registration.technician_name)
            self._set("cursor", None)
            self._set("refusal", None)
            if before not in (None, str(registration.technician_id)):
                self._db.execute(f"DELETE FROM image WHERE NOT {_REFERRED}")

    def keep_refusal(self, detail: str) -> None:
        with self._transaction():
            self._set("refusal", detail)

    # Rows and commands

    def images(self) -> Images:
        """The server's rows. One that today's app cannot read is left out; it stays in the file."""
        orders: dict[UUID, WorkOrder] = {}
        assets: dict[str, Asset] = {}
        stock: dict[str, StockLine] = {}
        products: dict[str, Product] = {}
        profile: Profile | None = None
        for image in self._readable():
            match image:
                case WorkOrder():
                    orders[image.id] = image
                case Asset():
                    assets[image.serial] = image
                case StockLine():
                    stock[image.sku] = image
                case Product():
                    products[image.sku] = image
                case Profile():
                    profile = image
        return Images(profile=profile, orders=orders, assets=assets, stock=stock, products=products)

    def _readable(self) -> Iterator[Image]:
        for kind, body in self._db.execute("SELECT kind, body FROM image"):
            with contextlib.suppress(Malformed):
                yield decode_image(kind, body)

    def entries(self) -> list[Entry]:
        """Every command still kept, oldest first."""
        return [_entry(row) for row in self._db.execute(f"SELECT {_ENTRY} FROM command ORDER BY seq")]

    def unsent(self, limit: int = -1) -> list[Entry]:
        """Commands without a receipt, in order."""
        query = f"SELECT {_ENTRY} FROM command WHERE outcome IS NULL ORDER BY seq LIMIT ?"
        return [_entry(row) for row in self._db.execute(query, (limit,))]

    def to_replay(self) -> list[Entry]:
        """What the server's rows do not show yet, in order: unsent, or accepted and not echoed."""
        query = f"""SELECT {_ENTRY} FROM command
                    WHERE outcome IS NULL OR (echo_due AND outcome = 'accepted') ORDER BY seq"""
        return [_entry(row) for row in self._db.execute(query)]

    def counts(self) -> Counts:
        unsent, held = self._db.execute(
            "SELECT count(*) FILTER (WHERE outcome IS NULL), count(*) FILTER (WHERE outcome = 'held')"
            " FROM command"
        ).fetchone()
        photos, refused = self._db.execute(
            "SELECT count(*) FILTER (WHERE state IN ('unsent', 'offered')),"
            " count(*) FILTER (WHERE state = 'refused') FROM evidence"
        ).fetchone()
        return Counts(unsent_commands=unsent, unsent_photos=photos, held=held, photos_refused=refused)

    def enqueue(self, new: NewCommand, evidence: NewEvidence | None = None) -> int:
        """Queue a command, with the bytes it speaks of, in one transaction. Returns its `seq`."""
        command = new.command
        with self._transaction():
            seq = self._db.execute(
                "INSERT INTO command (id, type, schema, made_at, base_version, work_order_id, order_number,"
                " body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(new.id),
                    command.type,
                    SCHEMA,
                    new.made_at.isoformat(),
                    new.base_version,
                    str(command.work_order_id),
                    new.order_number,
                    encode(command),
                ),
            ).lastrowid
            assert seq is not None
            for kind, key in references(command):
                self._db.execute("INSERT INTO reference (kind, key, seq) VALUES (?, ?, ?)", (kind, key, seq))
            if evidence:
                self._db.execute(
                    "INSERT INTO evidence (digest, media_type, state, kept_at, body)"
                    " VALUES (?, ?, 'unsent', ?, ?) ON CONFLICT DO NOTHING",
                    (evidence.digest, evidence.media_type, new.made_at.isoformat(), evidence.body),
                )
        return seq

    def apply(self, response: SyncResponse, *, received_at: datetime, clock_offset: timedelta) -> Applied:
        """Take in one whole answer: receipts, rows, gone and cursor in one transaction.

        Raises Malformed, before anything is written, when a row of a known kind cannot be read.
        """
        for row in response.rows:
            if row.kind in KINDS:  # a kind that only a newer app knows is kept for that app
                decode_image(row.kind, row.body)
        with self._transaction():
            outcomes = [outcome for receipt in response.receipts if (outcome := self._settle(receipt))]
            if response.reset:
                self._db.execute("UPDATE image SET departed = 1")
            for gone in response.gone:
                self._db.execute(
                    "UPDATE image SET departed = 1 WHERE kind = ? AND key = ?", (gone.kind, gone.key)
                )
            for row in response.rows:
                self._db.execute(
                    "INSERT OR REPLACE INTO image (kind, key, departed, body) VALUES (?, ?, 0, ?)",
                    (row.kind, row.key, bytes(row.body)),
                )
                if row.kind == "work_order":
                    self._db.execute(
                        "UPDATE command SET echo_due = 0 WHERE work_order_id = ? AND echo_due", (row.key,)
                    )
            if not response.more:
                self._db.execute("UPDATE command SET echo_due = 0 WHERE echo_due")
            self._db.execute(f"DELETE FROM image WHERE departed AND NOT {_REFERRED}")
            uploads = self._reconcile_evidence(response.missing_evidence)
            moved = response.cursor != self.cursor
            self._set("cursor", response.cursor)
            self._set("clock_offset_seconds", str(clock_offset.total_seconds()))
            self._set("last_contact", received_at.isoformat())
            self._set("refusal", None)
            self._purge(received_at - KEPT_AFTER_RECEIPT)
            unsent = self._db.execute("SELECT count(*) FROM command WHERE outcome IS NULL").fetchone()[0]
        return Applied(
            accepted=outcomes.count("accepted"),
            held=outcomes.count("held"),
            rows=len(response.rows),
            gone=len(response.gone),
            more=response.more,
            moved=moved,
            unsent=unsent,
            uploads=uploads,
        )

    def _settle(self, receipt: Receipt) -> str | None:
        """Keep a receipt; the first one counts, and one for a command that is not ours says nothing."""
        changed = self._db.execute(
            "UPDATE command SET outcome = ?, decided_at = ?, slug = ?, detail = ?, remarks = ?, echo_due = 1"
            " WHERE id = ? AND outcome IS NULL",
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

    def _purge(self, before: datetime) -> None:
        limit = before.isoformat()
        self._db.execute("DELETE FROM command WHERE outcome IS NOT NULL AND decided_at < ?", (limit,))
        self._db.execute("DELETE FROM evidence WHERE state = 'sent' AND kept_at < ?", (limit,))

    # Evidence

    def evidence(self, digest: str) -> NewEvidence | None:
        row = self._db.execute(
            "SELECT digest, media_type, body FROM evidence WHERE digest = ?", (digest,)
        ).fetchone()
        return NewEvidence(digest=row[0], media_type=row[1], body=bytes(row[2])) if row else None

    def _reconcile_evidence(self, missing: tuple[str, ...]) -> tuple[str, ...]:
        """Believe an upload only when a whole answer of the server no longer asks for it.

        Any 2xx may have been a captive portal's. Returns what to upload: never bytes whose command waits.
        """
        asked = msgspec.json.encode(missing).decode()
        self._db.execute(
            "UPDATE evidence SET state = CASE WHEN digest IN (SELECT value FROM json_each(?))"
            " THEN 'unsent' ELSE 'sent' END WHERE state = 'offered'",
            (asked,),
        )
        self._db.execute(
            "UPDATE evidence SET state = 'unsent'"
            " WHERE state = 'sent' AND digest IN (SELECT value FROM json_each(?))",
            (asked,),
        )
        ready = self._db.execute(
            "SELECT digest FROM evidence WHERE state = 'unsent' AND NOT EXISTS"
            " (SELECT 1 FROM reference JOIN command USING (seq) WHERE reference.kind = 'evidence'"
            " AND reference.key = digest AND outcome IS NULL) ORDER BY kept_at, digest"
        )
        return tuple(row[0] for row in ready)

    def mark_offered(self, digest: str) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE evidence SET state = 'offered' WHERE digest = ? AND state = 'unsent'", (digest,)
            )

    def count_refusal(self, digest: str, detail: str) -> None:
        """The server says that these bytes are not what was announced, or no picture. They stay here."""
        with self._transaction():
            self._db.execute(
                "UPDATE evidence SET refusals = refusals + 1, detail = ?,"
                " state = CASE WHEN refusals + 1 >= ? THEN 'refused' ELSE state END WHERE digest = ?",
                (detail, REFUSALS_MAX, digest),
            )

    def refused_evidence(self) -> dict[str, str]:
        """Digest → the server's sentence, for what will not be sent again by itself."""
        return dict(self._db.execute("SELECT digest, detail FROM evidence WHERE state = 'refused'"))

    # Transactions

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and durable on a clean exit."""
        with self._saving():
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            if self._db.in_transaction:  # an earlier rollback failed too
                self._db.execute("ROLLBACK")
            yield
        except sqlite3.Error as error:
            raise NotSaved(
                f"This device could not save it ({error}). Free some space, then try again"
            ) from error
        finally:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
                    self._db.execute("ROLLBACK")
        self._flush()

    def _setting(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _set(self, name: str, value: str | None) -> None:
        if value is None:
            self._db.execute("DELETE FROM setting WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))


def pushed(entry: Entry) -> PushedCommand:
    """The envelope of an entry: the very bytes that were queued."""
    return PushedCommand(
        id=entry.id,
        seq=entry.seq,
        type=entry.type,
        schema=entry.schema,
        made_at=entry.made_at,
        base_version=entry.base_version,
        body=msgspec.Raw(entry.body),
    )


_remarks = msgspec.json.Decoder(tuple[Remark, ...])


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, id, type, schema, made_at, base_version, work_order_id, order_number, body, *answer = row
    outcome, decided_at, slug, detail, remarks = answer
    entry = Entry(
        id=UUID(id),
        seq=seq,
        type=type,
        schema=schema,
        made_at=datetime.fromisoformat(made_at),
        base_version=base_version,
        body=bytes(body),
        work_order_id=UUID(work_order_id),
        order_number=order_number,
        command=None,
        outcome=outcome,
        decided_at=datetime.fromisoformat(decided_at) if decided_at else None,
        slug=slug,
        detail=detail,
        remarks=_remarks.decode(remarks) if remarks else (),
    )
    # What an older app queued and this one no longer reads is sent all the same.
    with contextlib.suppress(Malformed):
        return replace(entry, command=decode_command(pushed(entry)))
    return entry
