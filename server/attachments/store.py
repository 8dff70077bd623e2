"""Where complete photos and signatures are kept: one small port, and the setting that says which store.

An empty setting keeps them in the data folder. `s3://bucket/prefix?endpoint=URL&region=NAME` keeps them in a
store that speaks S3, with the credentials of the usual AWS_ environment variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit


class StoreAway(Exception):
    """The store can't be reached or takes nothing now; what was to be kept is still where it was."""


class Store(Protocol):
    """Bytes by their SHA-256 (64 lower-case hex digits). May be called from any thread.

    Every method raises StoreAway when the store can't do its work.
    """

    def put(self, digest: str, file: Path) -> None:
        """Keep a copy of `file`, all of it or nothing, and return when it is safe. `file` stays."""

    def open(self, digest: str) -> Iterator[bytes]:
        """The bytes, in pieces. Raises KeyError, before the first piece, when they are not here."""

    def exists(self, digest: str) -> bool:
        """Whether `open` would find them."""

    def delete(self, digest: str) -> None:
        """Forget the bytes; nothing happens when they are not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A place in a store that speaks S3. `endpoint` is empty for Amazon's own."""

    name: str
    prefix: str
    endpoint: str
    region: str

    @classmethod
    def parse(cls, url: str) -> Bucket:
        """Raises ValueError with the sentence that says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"write it as s3://bucket/prefix?endpoint=…&region=…, not {url!r}")
        if "@" in parts.netloc:
            raise ValueError("keys do not belong in it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := set(options) - {"endpoint", "region"}:
            raise ValueError(f"it has endpoint and region, and no {', '.join(sorted(unknown))}")
        endpoint = options.get("endpoint", "").rstrip("/")
        if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
            raise ValueError(f"its endpoint starts with https:// or http://, not {endpoint!r}")
        return cls(
            name=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=endpoint,
            region=options.get("region") or "us-east-1",
        )


def key_of(digest: str) -> str:
    """The path of the bytes inside a store; the first two digits make folders that stay small."""
    return f"{digest[:2]}/{digest}"


def open_store(setting: str, folder: Path) -> Store:
    """The store that `setting` names, else the one in `folder`. Raises ValueError for one that can't be."""
    if not setting:
        from server.attachments.disk import DiskStore

        return DiskStore(folder)
    bucket = Bucket.parse(setting)
    try:
        # Only those who keep photos in S3 install the library for it.
        from server.attachments.s3 import S3Store
    except ImportError as error:
        raise ValueError(f"an S3 store needs the extra s3 (pip install 'truckroll[s3]'): {error}") from error
    return S3Store(bucket)
