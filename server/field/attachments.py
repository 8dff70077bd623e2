"""Photos and signatures on disk, named by the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.clock import utc_now
from server.db.engine import Database
from server.work_orders.models import AttachmentRow
from shared.problems import BadEvidence
from shared.visit_rules import EVIDENCE_BYTES_MAX

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class Incoming:
    """Bytes on their way to disk; memory stays at one chunk."""

    def __init__(self, folder: Path, digest: str) -> None:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise BadEvidence("The name must be the SHA-256 of the bytes, in hex", field="digest")
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix="incoming-")
        self.digest = digest
        self.size_bytes = 0
        self.path = Path(name)
        self.target = folder / digest[:2] / digest
        self._file = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)
        if self.size_bytes > EVIDENCE_BYTES_MAX:
            limit = EVIDENCE_BYTES_MAX // 2**20
            raise BadEvidence(f"The picture is larger than {limit} MB: send it scaled down", field="body")
        self._hash.update(chunk)
        self._file.write(chunk)

    def finish(self) -> None:
        """On disk for good. Raises BadEvidence when the bytes are not what their name says."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self.size_bytes == 0:
            raise BadEvidence("The picture is empty: take it again", field="body")
        if self._hash.hexdigest() != self.digest:
            raise BadEvidence("The bytes do not match their digest: send them again", field="digest")

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def incoming(folder: Path, digest: str) -> Iterator[Incoming]:
    """A place for bytes that leaves nothing behind when they turn out bad."""
    arriving = Incoming(folder, digest)
    try:
        yield arriving
    finally:
        arriving.discard()


def keep(database: Database, arriving: Incoming, device_id: UUID) -> bool:
    """Check and file the bytes. True when they are new."""
    arriving.finish()
    found = _picture_type(arriving.path)
    # The bytes first: a row says that they are there. Same name, same bytes, so it may be done twice.
    arriving.target.parent.mkdir(exist_ok=True)
    os.replace(arriving.path, arriving.target)
    try:
        with database.write() as session:
            if session.get(AttachmentRow, arriving.digest):
                return False
            session.add(
                AttachmentRow(
                    digest=arriving.digest,
                    size_bytes=arriving.size_bytes,
                    media_type=found,
                    stored_at=utc_now(),
                    device_id=device_id,
                )
            )
    except IntegrityError:
        return False  # the same picture came twice at once, and the other was first
    return True


def _picture_type(path: Path) -> str:
    """The media type by the bytes themselves; what the sender calls it counts for nothing."""
    try:
        with Image.open(path) as picture:
            picture.verify()
            return MEDIA_TYPES[picture.format or ""]
    except (UnidentifiedImageError, OSError, SyntaxError, KeyError, Image.DecompressionBombError) as error:
        raise BadEvidence("This is not a JPEG, PNG or WebP picture: take it again", field="body") from error


def sent_by(session: Session, digest: str, device: DeviceRow) -> bool:
    """Whether these bytes came from a device of this technician; others must show that they hold them."""
    query = (
        select(AttachmentRow.digest)
        .join(DeviceRow, DeviceRow.id == AttachmentRow.device_id)
        .where(AttachmentRow.digest == digest, DeviceRow.technician_id == device.technician_id)
    )
    return session.scalar(query) is not None


def path_of(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest
