"""What a scan means on one job, and the command it leads to. Pure: the device's rows in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.assets import Asset
from shared.barcodes import Scan
from shared.catalogue import Product
from shared.commands import InstallAsset, RemoveAsset, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanVerdict:
    """`kind` is a VerdictKind, or the slug of what was wrong with the code. `sentence` is for the technician.

    `may_install`: send `install()` as it is. `may_confirm`: send `install(confirmed=True)` once the
    technician has read the sentence and holds the device; where `models` is not empty they choose one first.
    `may_remove`: the device is at this customer's, send `removal(reason)`. None of them: scan another one.
    """

    work_order_id: UUID
    source: Source
    kind: str
    sentence: str
    may_install: bool = False
    may_confirm: bool = False
    may_remove: bool = False
    field: str | None = None  # the input a malformed code belongs to
    warnings: tuple[str, ...] = ()
    serial: str | None = None
    sku: str | None = None
    mac: str | None = None
    gpon_serial: str | None = None
    asset: Asset | None = None
    product: Product | None = None
    models: tuple[str, ...] = ()  # SKUs to choose from
    scan: Scan | None = None

    def install(self, *, confirmed: bool = False, sku: str | None = None) -> InstallAsset:
        assert self.serial is not None, "nothing to install was scanned"
        return InstallAsset(
            work_order_id=self.work_order_id,
            serial=self.serial,
            source=self.source,
            sku=sku or self.sku,
            mac=self.mac,
            gpon_serial=self.gpon_serial,
            confirmed=confirmed,
        )

    def removal(self, reason: str) -> RemoveAsset:
        assert self.serial is not None, "nothing to remove was scanned"
        return RemoveAsset(work_order_id=self.work_order_id, serial=self.serial, reason=reason)
