"""The store behind an S3 API: Amazon's, or any other that speaks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Remote

from server.attachments.store import Bucket, StoreAway, key_of

PIECE_BYTES = 256 * 1024
PATIENCE = timedelta(seconds=20)  # then the phone is told to try later; it keeps its bytes and we keep ours
PUTS_AT_ONCE = 4  # each holds its picture, at most 10 MB, in memory


class S3Store:
    """Objects named by their digest below the bucket's prefix. An object is there whole or not at all."""

    def __init__(self, bucket: Bucket) -> None:
        self._turn = threading.BoundedSemaphore(PUTS_AT_ONCE)
        self._remote = Remote(
            bucket.name,
            prefix=bucket.prefix or None,
            region=bucket.region,
            endpoint=bucket.endpoint or None,
            virtual_hosted_style_request=not bucket.endpoint,
            client_options={
                "allow_http": bucket.endpoint.startswith("http:"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": PATIENCE,
            },
            retry_config={"max_retries": 3, "retry_timeout": PATIENCE},
        )

    def put(self, digest: str, file: Path) -> None:
        if not file.exists():
            raise FileNotFoundError(file)
        try:
            # One request and not several parts: nothing is left behind when this process dies half-way.
            with self._turn:
                obstore.put(self._remote, key_of(digest), file, use_multipart=False)
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error

    def open(self, digest: str) -> Iterator[bytes]:
        try:
            found = obstore.get(self._remote, key_of(digest))
        except FileNotFoundError as error:
            raise KeyError(digest) from error
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error
        return (bytes(piece) for piece in found.stream(min_chunk_size=PIECE_BYTES))

    def exists(self, digest: str) -> bool:
        try:
            obstore.head(self._remote, key_of(digest))
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error
        return True

    def delete(self, digest: str) -> None:
        try:
            obstore.delete(self._remote, key_of(digest))
        except FileNotFoundError:
            return  # Amazon says nothing of a key that is not there; others do
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error
