"""The store on a local disk: `folder/ab/abcd…`, each file whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from server.attachments.store import StoreAway, key_of

PIECE_BYTES = 256 * 1024


class DiskStore:
    """Files named by their digest. Several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path_of(self, digest: str) -> Path:
        return self._folder / key_of(digest)

    def put(self, digest: str, file: Path) -> None:
        target = self.path_of(digest)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # A name of its own first: a reader, or a crash, must never meet half a picture.
            scratch = Path(tempfile.mkdtemp(dir=self._folder, prefix="incoming-"))
            try:
                _copy(file, scratch / digest)
                os.replace(scratch / digest, target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            for parent in (target.parent, self._folder):
                _sync(parent)
        except FileNotFoundError as error:
            if not file.exists():
                raise  # the caller's file is gone, and that is the caller's matter
            raise StoreAway(str(error)) from error
        except OSError as error:
            raise StoreAway(str(error)) from error

    def open(self, digest: str) -> Iterator[bytes]:
        try:
            file = self.path_of(digest).open("rb")
        except FileNotFoundError as error:
            raise KeyError(digest) from error
        except OSError as error:
            raise StoreAway(str(error)) from error
        return _pieces(file)

    def exists(self, digest: str) -> bool:
        return self.path_of(digest).is_file()

    def delete(self, digest: str) -> None:
        try:
            self.path_of(digest).unlink(missing_ok=True)
        except OSError as error:
            raise StoreAway(str(error)) from error


def _copy(source: Path, target: Path) -> None:
    """Without moving a byte where the disk allows it: both names then stand for one file."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece
