"""Photos and signatures on the phone, from the tap until the server is known to have them.

unsent ─▶ offered (it took the bytes) ─▶ sent (a later answer does not ask for them)
sent ─▶ recheck (the server was restored) ─▶ sent or unsent;  unsent ─▶ refused (a person must look)
"""

from __future__ import annotations

import msgspec

from sync.client.disk import Disk
from sync.client.records import NewEvidence, UploadState

REFUSALS_MAX = 3
"""Bytes that were damaged on the way may pass at the next try; after this many, a person must look."""

_WAITS = """EXISTS (SELECT 1 FROM reference JOIN command USING (seq) WHERE reference.kind = 'evidence'
            AND reference.key = evidence.digest AND (outcome IS NULL OR confirm))"""
_OWNER = """(SELECT technician_id FROM reference JOIN command USING (seq) WHERE reference.kind = 'evidence'
            AND reference.key = evidence.digest ORDER BY seq DESC LIMIT 1)"""

_KIND = """coalesce((SELECT coalesce(json_extract(CAST(command.body AS TEXT), '$.kind'),
           json_extract(CAST(command.body AS TEXT), '$.signature.kind')) FROM reference
           JOIN command USING (seq) WHERE reference.kind = 'evidence' AND reference.key = evidence.digest
           ORDER BY seq DESC LIMIT 1), 'photo')"""

PICTURES_LEFT = f"""SELECT {_KIND}, coalesce(order_number, ''), coalesce(made_at, kept_at)
    FROM evidence LEFT JOIN command ON command.seq = (SELECT max(seq) FROM reference
        WHERE reference.kind = 'evidence' AND reference.key = evidence.digest)
    WHERE state NOT IN ('sent', 'refused') AND coalesce({_OWNER}, :me) IS :me"""
"""Bytes that the server is not known to have, as (photo or signature, the job's number, since when)."""


class EvidenceShelf:
    """Bytes by their SHA-256. What changes inside another transaction says so."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def find(self, digest: str) -> NewEvidence | None:
        row = self._disk.execute(
            "SELECT digest, media_type, body FROM evidence WHERE digest = ?", (digest,)
        ).fetchone()
        return NewEvidence(digest=row[0], media_type=row[1], body=bytes(row[2])) if row else None

    def upload_state(self, digest: str) -> UploadState | None:
        row = self._disk.execute(
            "SELECT media_type, length(body), upload_path, upload_offset FROM evidence WHERE digest = ?",
            (digest,),
        ).fetchone()
        if row is None:
            return None
        return UploadState(digest=digest, media_type=row[0], size=row[1], path=row[2], offset=row[3])

    def chunk(self, digest: str, offset: int, size: int) -> bytes:
        """A part of the bytes, without reading the rest."""
        row = self._disk.execute(
            "SELECT substr(body, ?, ?) FROM evidence WHERE digest = ?", (offset + 1, size, digest)
        ).fetchone()
        return bytes(row[0]) if row else b""

    def ready(self, technician_id: str | None, *, photos: bool = True) -> tuple[str, ...]:
        """What to upload for this technician, oldest first: never bytes whose command still waits.

        Without `photos` signatures only: they are small, and the close speaks of them.
        """
        small = "" if photos else f"AND {_KIND} = 'signature'"
        rows = self._disk.execute(
            f"SELECT digest FROM evidence WHERE state = 'unsent' AND NOT {_WAITS} {small}"
            f" AND coalesce({_OWNER}, ?) IS ? ORDER BY kept_at, digest",
            (technician_id, technician_id),
        )
        return tuple(row[0] for row in rows)

    def count(self, technician_id: str | None) -> tuple[int, int, int]:
        """(unsent, refused, to be rechecked) of this technician."""
        unsent, refused, recheck = self._disk.execute(
            "SELECT count(*) FILTER (WHERE state IN ('unsent', 'offered')),"
            " count(*) FILTER (WHERE state = 'refused'), count(*) FILTER (WHERE state = 'recheck')"
            f" FROM evidence WHERE state <> 'sent' AND coalesce({_OWNER}, ?) IS ?",
            (technician_id, technician_id),
        ).fetchone()
        return unsent, refused, recheck

    def count_photos(self, technician_id: str | None) -> int:
        """Photos of this technician of which nothing was sent yet, or only a part."""
        query = f"""SELECT count(*) FROM evidence WHERE state = 'unsent' AND {_KIND} <> 'signature'
                    AND coalesce({_OWNER}, ?) IS ?"""
        return int(self._disk.execute(query, (technician_id, technician_id)).fetchone()[0])

    def is_photo(self, digest: str) -> bool:
        query = f"SELECT {_KIND} <> 'signature' FROM evidence WHERE digest = ?"
        row = self._disk.execute(query, (digest,)).fetchone()
        return row is not None and bool(row[0])

    def count_of_others(self, technician_id: str | None) -> int:
        """Not sent, of those who had the device before."""
        query = f"""SELECT count(*) FROM evidence WHERE state IN ('unsent', 'offered')
                    AND coalesce({_OWNER}, ?) IS NOT ?"""
        return int(self._disk.execute(query, (technician_id, technician_id)).fetchone()[0])

    def refused(self) -> dict[str, str]:
        """Digest → the server's sentence, for what will not be sent again by itself."""
        return dict(self._disk.execute("SELECT digest, detail FROM evidence WHERE state = 'refused'"))

    def keep(self, evidence: NewEvidence, kept_at: str) -> None:
        """Within the transaction that queues the command."""
        self._disk.execute(
            "INSERT INTO evidence (digest, media_type, state, kept_at, body)"
            " VALUES (?, ?, 'unsent', ?, ?) ON CONFLICT DO NOTHING",
            (evidence.digest, evidence.media_type, kept_at, evidence.body),
        )

    def reconcile(self, missing: tuple[str, ...], technician_id: str | None) -> None:
        """Believe an upload only when a whole answer of the server no longer asks for it.

        Any 2xx may have been a captive portal's. Within the transaction that takes in the answer.
        """
        asked = msgspec.json.encode(missing).decode()
        self._disk.execute(
            "UPDATE evidence SET upload_path = NULL, upload_offset = 0,"
            " state = CASE WHEN digest IN (SELECT value FROM json_each(?)) THEN 'unsent' ELSE 'sent' END"
            f" WHERE state IN ('offered', 'recheck') AND NOT {_WAITS} AND coalesce({_OWNER}, ?) IS ?",
            (asked, technician_id, technician_id),
        )
        if missing:
            self._disk.execute(
                "UPDATE evidence SET state = 'unsent'"
                " WHERE state = 'sent' AND digest IN (SELECT value FROM json_each(?))",
                (asked,),
            )

    def doubt_all(self) -> None:
        """The server was restored: what it had may be gone. Within the transaction that learns of it."""
        self._disk.execute("UPDATE evidence SET state = 'recheck' WHERE state = 'sent'")

    def purge(self, before: str) -> None:
        """Forget what was sent, once its command is forgotten too. Within a transaction."""
        self._disk.execute(
            "DELETE FROM evidence WHERE state = 'sent' AND kept_at < ? AND NOT EXISTS"
            " (SELECT 1 FROM reference WHERE kind = 'evidence' AND key = digest)",
            (before,),
        )

    def give_up_oldest(self, wanted: int) -> int:
        """Forget so many bytes of photos that the server is known to have, the oldest first; says how many.

        What is unsent, offered, refused or asked for again stays, however full the device is.
        """
        freed = 0
        with self._disk.transaction():
            rows = self._disk.execute(
                f"SELECT digest, length(body) FROM evidence WHERE state = 'sent' AND NOT {_WAITS}"
                " ORDER BY kept_at, digest"
            ).fetchall()
            for digest, size in rows:
                if freed >= wanted:
                    break
                self._disk.execute("DELETE FROM evidence WHERE digest = ?", (digest,))
                freed += size
        return freed

    def keep_progress(self, digest: str, path: str | None, offset: int) -> None:
        """The server has so many bytes at `path`."""
        with self._disk.transaction():
            self._disk.execute(
                "UPDATE evidence SET upload_path = ?, upload_offset = ? WHERE digest = ?",
                (path, offset, digest),
            )

    def mark_offered(self, digest: str) -> None:
        with self._disk.transaction():
            self._disk.execute(
                "UPDATE evidence SET state = 'offered' WHERE digest = ? AND state = 'unsent'", (digest,)
            )

    def count_refusal(self, digest: str, detail: str) -> None:
        """The server says that these bytes are not what was announced, or no picture. They stay here."""
        with self._disk.transaction():
            self._disk.execute(
                "UPDATE evidence SET refusals = refusals + 1, detail = ?, upload_path = NULL,"
                " upload_offset = 0, state = CASE WHEN refusals + 1 >= ? THEN 'refused' ELSE state END"
                " WHERE digest = ?",
                (detail, REFUSALS_MAX, digest),
            )
