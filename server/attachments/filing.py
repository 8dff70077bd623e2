"""An upload's way from its announcement to the store, the database and the board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from server.attachments import pictures, records
from server.attachments.partial import Growing, Partial, Partials, WrongOffset
from server.attachments.records import Sender
from server.attachments.store import Store, StoreAway, open_store
from server.db.engine import Database
from server.settings import Settings
from shared.problems import BadEvidence, NotFound

NOT_BEGUN = "No upload of these bytes was begun, or it was thrown away: create it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an upload has come. `expires_at` is None once it is complete and kept."""

    offset: int
    length: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What the routes need. Its methods block, so they belong on a worker's thread.

    Bad pictures raise BadEvidence and are thrown away. StoreAway means "later", and costs no byte.
    """

    database: Database
    store: Store
    partials: Partials

    @classmethod
    def of(cls, database: Database, settings: Settings) -> Attachments:
        """Raises ValueError when the setting of the store can't be."""
        store = open_store(settings.attachment_store, settings.attachments)
        return cls(database=database, store=store, partials=Partials(settings.uploads))

    def offer(self, sender: Sender, digest: str, length: int, now: datetime) -> Standing:
        """The upload of these bytes by this technician: begun, half done or done. Raises TooMany."""
        self.admit(sender, digest)
        if kept := self._kept(sender, digest, now):
            return kept
        partial = self.partials.begin(sender.technician_id, digest, length, now)
        return self._standing(sender, digest, partial, now)

    def look(self, sender: Sender, digest: str, now: datetime) -> Standing | None:
        """The same without beginning one."""
        self.admit(sender, digest)
        if kept := self._kept(sender, digest, now):
            return kept
        if partial := self.partials.find(sender.technician_id, digest):
            return self._standing(sender, digest, partial, now)
        return self._kept(sender, digest, now)  # it may have been filed between the two looks

    def grow(self, sender: Sender, digest: str, offset: int, now: datetime) -> Growing | Standing:
        """Where to add bytes; or how it stands, for an upload that is complete already.

        Raises NotFound for one that was not begun, WrongOffset for one that ends elsewhere.
        """
        standing = self.look(sender, digest, now)
        if standing is None:
            raise NotFound(NOT_BEGUN)
        if standing.offset != offset:
            raise WrongOffset(standing.offset)
        partial = self.partials.find(sender.technician_id, digest)
        if standing.expires_at is None or partial is None:
            return standing
        try:
            return Growing(partial, offset, now)
        except FileNotFoundError as error:
            if kept := self._kept(sender, digest, now):
                raise WrongOffset(kept.offset) from error
            raise StoreAway("the upload was thrown away at this very moment") from error

    def admit(self, sender: Sender, digest: str) -> None:
        """Raises the sender's refusal where it may not bring these bytes.

        A phone that was signed out still brings the photos of work that it told of; nothing else.
        """
        if sender.refusal is None:
            return
        with self.database.read() as session:
            if not records.is_named(session, sender.technician_id, digest):
                raise sender.refusal

    def finish(self, sender: Sender, digest: str, partial: Partial, now: datetime) -> None:
        """File a full upload. Two may do so at once, or one again after a crash: it comes to the same."""
        try:
            self.file(sender, digest, partial.path, now)
        except BadEvidence:
            partial.discard()
            raise
        except FileNotFoundError as error:
            if self._kept(sender, digest, now) is None:
                raise StoreAway("the upload was thrown away meanwhile") from error
        else:
            partial.discard()  # only now: until the database knows of them, these bytes can be filed again

    def file(self, sender: Sender, digest: str, path: Path, now: datetime) -> bool:
        """Check, keep and record a complete file. True when nobody had sent these bytes before."""
        size_bytes, media_type = pictures.check(path, digest)
        self.store.put(digest, path)
        with self.database.write() as session:
            return records.record(session, sender, digest, size_bytes, media_type, now)

    def has(self, sender: Sender, digest: str) -> bool:
        """Whether this technician's devices sent these bytes."""
        self.admit(sender, digest)
        with self.database.read() as session:
            return bool(records.proven(session, sender.technician_id, [digest]))

    def _kept(self, sender: Sender, digest: str, now: datetime) -> Standing | None:
        with self.database.read() as session:
            size_bytes = records.size_of(session, sender.technician_id, digest)
            awaited = records.is_awaited(session, sender.technician_id, digest)
        # The disk may have lost them, and then the phone's copy is worth having.
        if size_bytes is None or not self.store.exists(digest):
            return None
        if awaited:
            with self.database.write() as session:
                records.settle(session, digest, now)
        return Standing(offset=size_bytes, length=size_bytes)

    def _standing(self, sender: Sender, digest: str, partial: Partial, now: datetime) -> Standing:
        try:
            offset, expires_at = partial.offset, partial.expires_at
        except FileNotFoundError as error:
            if kept := self._kept(sender, digest, now):
                return kept
            raise StoreAway("the upload was thrown away meanwhile") from error
        if offset < partial.length:
            return Standing(offset=offset, length=partial.length, expires_at=expires_at)
        # All is here and was not filed: the server ended between the last byte and the filing.
        self.finish(sender, digest, partial, now)
        return Standing(offset=partial.length, length=partial.length)
