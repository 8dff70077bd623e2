"""The phone's database: typed reads, and one transaction for each thing that happens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from shared.clocks import Contact
from sync.client.evidence import PICTURES_LEFT
from sync.client.holder import Holder
from sync.client.link import Link
from sync.client.records import (
    Applied,
    Counts,
    Entry,
    Images,
    NewCommand,
    NewEvidence,
)
from sync.protocol import UNSENT_LISTED_MAX, PushedCommand, Receipt, SyncResponse, UnsentItem, encode

KEPT_AFTER_RECEIPT = timedelta(days=14)


class ClientStore(Holder):
    """Images, outbox with receipts, evidence and settings in one SQLite file, owned by this object.

    `flush` is called after each commit: in the browser it is what makes the commit durable.
    Writes raise NotSaved, and then nothing of them was written.
    """

    # Settings

    @property
    def cursor(self) -> str | None:
        return self._disk.setting("cursor")

    def preference(self, name: str) -> str | None:
        """What the technician chose for this device, None when nothing."""
        return self._disk.setting(f"preference_{name}")

    def prefer(self, **chosen: str) -> None:
        with self._disk.transaction():
            for name, value in chosen.items():
                self._disk.set(f"preference_{name}", value)

    def draft(self, name: str) -> str | None:
        """What was begun under this name and is no command yet, until another technician signs in."""
        row = self._disk.execute("SELECT body FROM draft WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def drafts(self, prefix: str) -> dict[str, str]:
        """All whose names begin so."""
        query = "SELECT name, body FROM draft WHERE substr(name, 1, ?) = ?"
        return dict(self._disk.execute(query, (len(prefix), prefix)).fetchall())

    def keep_draft(self, name: str, body: str | None) -> None:
        """Durable when it returns. None: it is done, or given up."""
        with self._disk.transaction():
            self._put_draft(name, body)

    def _put_draft(self, name: str, body: str | None) -> None:
        if body is None:
            self._disk.execute("DELETE FROM draft WHERE name = ?", (name,))
        else:
            self._disk.execute("INSERT OR REPLACE INTO draft (name, body) VALUES (?, ?)", (name, body))

    @property
    def is_whole(self) -> bool:
        """Whether everything this technician may see has come once; False while a snapshot is on its way."""
        return self.cursor is not None and self._disk.setting("partial") is None

    @property
    def last_seen(self) -> str | None:
        """What of their jobs the technician has looked at (mobile/news.py); it goes with the technician."""
        return self._disk.setting("seen")

    def keep_seen(self, text: str) -> None:
        with self._disk.transaction():
            self._disk.set("seen", text)

    @property
    def lock(self) -> str | None:
        """What is kept of the PIN, in the app's own words (mobile/lock.py); None without one."""
        return self._disk.setting("lock")

    def keep_lock(self, text: str | None) -> None:
        with self._disk.transaction():
            self._disk.set("lock", text)

    @property
    def clock_offset(self) -> timedelta:
        """Server minus device, as of the last contact."""
        return contact.offset if (contact := self.contact) else timedelta()

    @property
    def contact(self) -> Contact | None:
        """All clocks as of the last contact: what times are corrected by."""
        if text := self._disk.setting("contact"):
            return msgspec.json.decode(text, type=Contact)
        return None

    @property
    def last_contact(self) -> datetime | None:
        """By the device's clock."""
        value = self._disk.setting("last_contact")
        return datetime.fromisoformat(value) if value else None

    @property
    def hlc(self) -> str | None:
        """The hybrid logical time of the last thing that happened here (shared/clocks.py)."""
        return self._disk.setting("hlc")

    @property
    def link(self) -> Link:
        """What the network could do lately."""
        return Link.from_text(self._disk.setting("link"))

    # Rows and commands

    def images(self) -> Images:
        """The server's rows. One that today's app cannot read is left out; it stays in the file."""
        return self._rows.images()

    def entries(self) -> list[Entry]:
        """Every command still kept of the technician whose device this is, oldest first."""
        return self._outbox.entries(self._me)

    def unsent(self, limit: int = -1) -> list[Entry]:
        """Commands without a receipt, in order."""
        return self._outbox.unsent(self._me, limit)

    def jobs_unsent(self) -> set[UUID]:
        """Which jobs have commands without a receipt."""
        return self._outbox.jobs_unsent(self._me)

    def due(
        self, limit: int = -1, *, after: int = 0, bytes_max: int | None = None, whose: UUID | None = None
    ) -> list[PushedCommand]:
        """What to send next, in order; see Outbox.due. `whose`: another than the present technician."""
        return self._outbox.due(str(whose) if whose else self._me, limit, after, bytes_max)

    def to_replay(self) -> list[Entry]:
        """What the server's rows may not show yet, in order."""
        return self._outbox.to_replay(self._me)

    def newest_due(self) -> int:
        return self._outbox.newest()

    def counts(self, whose: UUID | None = None) -> Counts:
        """What waits, of the present technician or of another who had the device."""
        me = str(whose) if whose else self._me
        unsent, oldest, held, confirming, aside = self._disk.execute(
            "SELECT count(*) FILTER (WHERE outcome IS NULL AND technician_id IS :me),"
            " min(made_at) FILTER (WHERE outcome IS NULL AND technician_id IS :me),"
            " count(*) FILTER (WHERE outcome = 'held' AND technician_id IS :me AND NOT EXISTS"
            "  (SELECT 1 FROM image WHERE kind = 'ruling' AND key = command.id)),"
            " count(*) FILTER (WHERE outcome IS NOT NULL AND confirm AND technician_id IS :me),"
            " count(*) FILTER (WHERE outcome IS NULL AND technician_id IS NOT :me) FROM command",
            {"me": me},
        ).fetchone()
        photos, refused, rechecking = self.shelf.count(me)
        return Counts(
            unsent_commands=unsent,
            unsent_photos=photos,
            held=held,
            photos_refused=refused,
            confirming=confirming,
            rechecking=rechecking,
            aside=aside + self.shelf.count_of_others(me),
            oldest_unsent_at=datetime.fromisoformat(oldest) if oldest else None,
        )

    def photos_left(self) -> int:
        """Photos of the present technician that are still to be uploaded."""
        return self.shelf.count_photos(self._me)

    def unsent_items(self, whose: UUID | None = None, *, after: int = 0) -> tuple[UnsentItem, ...]:
        """What only this device has, of commands only those behind `after`; the newest first, and bounded."""
        rows = self._disk.execute(
            "SELECT type, order_number, made_at FROM command WHERE (outcome IS NULL OR confirm)"
            # A photo's bytes are here for longer than its command, and are what would be lost.
            " AND technician_id IS :me AND seq > :after AND type <> 'add_evidence'"
            f" UNION ALL {PICTURES_LEFT} ORDER BY made_at DESC, order_number, type LIMIT :limit",
            {"me": str(whose) if whose else self._me, "after": after, "limit": UNSENT_LISTED_MAX},
        )
        return tuple(
            UnsentItem(type=type, order_number=number, made_at=datetime.fromisoformat(made_at))
            for type, number, made_at in rows
        )

    def enqueue(self, new: NewCommand, evidence: NewEvidence | None = None) -> int:
        """Queue a command, with the bytes it speaks of, in one transaction. Returns its `seq`."""
        return self.enqueue_all(((new, (evidence,) if evidence else ()),))[0]

    def enqueue_all(
        self, queued: Sequence[tuple[NewCommand, Sequence[NewEvidence]]], *, ends_draft: str | None = None
    ) -> list[int]:
        """All of them or none, in one transaction. Returns their `seq`s.

        `ends_draft`: the draft that became these commands, and is one no more.
        """
        seqs = []
        with self._disk.transaction():
            for new, files in queued:
                seqs.append(self._outbox.add(new, str(new.technician_id) if new.technician_id else self._me))
                if new.hlc:
                    self._disk.set("hlc", new.hlc)
                for file in files:
                    self.shelf.keep(file, new.made_at.isoformat())
            if ends_draft:
                self._put_draft(ends_draft, None)
        return seqs

    def apply(
        self,
        response: SyncResponse,
        *,
        received_at: datetime,
        clock_offset: timedelta = timedelta(0),
        contact: Contact | None = None,
        hlc: str | None = None,
        link: Link | None = None,
        photos: bool = True,
    ) -> Applied:
        """Take in one whole answer: receipts, rows, gone, token and cursor in one transaction.

        `contact`: all clocks at this contact; without one, `clock_offset` says what it lacks.
        `photos`: whether photos may be uploaded next.
        Raises Malformed, before anything is written, when a row of a known kind cannot be read.
        """
        self._rows.check(response)
        if contact is None:
            device_now = response.server_now - clock_offset
            contact = Contact(device_now=device_now, server_now=response.server_now)
        disk = self._disk
        with disk.transaction():
            before = disk.setting("epoch")
            if response.epoch and before and response.epoch != before:
                self._outbox.doubt_all()
                self.shelf.doubt_all()
            moved = (response.cursor or None) != self.cursor
            outcomes = [found for receipt in response.receipts if (found := self._outbox.settle(receipt))]
            self._rows.take_in(response, moved=moved)
            self.shelf.reconcile(response.missing_evidence, self._me)
            disk.set("cursor", response.cursor or None)
            disk.set("contact", encode(contact).decode())
            disk.set("last_contact", received_at.isoformat())
            disk.set("refusal", None)
            if response.reset and response.more:
                disk.set("partial", "yes")
            elif not response.more and (moved or response.reset):
                disk.set("partial", None)
            if response.epoch:
                disk.set("epoch", response.epoch)
            if response.token and response.token != (token := disk.setting("token")):
                disk.set("token_before", token)
                disk.set("token", response.token)
            if hlc:
                disk.set("hlc", hlc)
            if link:
                disk.set("link", link.as_text())
            limit = (received_at - KEPT_AFTER_RECEIPT).isoformat()
            self._outbox.purge(limit)
            self.shelf.purge(limit)
            me = self._me
            unsent, uploads = self._outbox.waiting(me), self.shelf.ready(me, photos=photos)
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

    def apply_aside(self, whose: UUID, receipts: tuple[Receipt, ...], missing: tuple[str, ...]) -> None:
        """Take in what the server said about the work of someone who had this device before."""
        with self._disk.transaction():
            for receipt in receipts:
                self._outbox.settle(receipt)
            self.shelf.reconcile(missing, str(whose))

    # Evidence

    def evidence(self, digest: str) -> NewEvidence | None:
        return self.shelf.find(digest)

    def reusable(self) -> int:
        """Bytes that the file has free within itself."""
        return self._disk.reusable()

    def mark_offered(self, digest: str) -> None:
        self.shelf.mark_offered(digest)

    def count_refusal(self, digest: str, detail: str) -> None:
        self.shelf.count_refusal(digest, detail)

    def refused_evidence(self) -> dict[str, str]:
        """Digest → the server's sentence, for what will not be sent again by itself."""
        return self.shelf.refused()
