"""What a scan means on one job, and the command it leads to. Pure: the device's rows in, a verdict out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from mobile import words
from mobile.rule_words import said
from shared.assets import Asset, AssetState, HolderKind
from shared.barcodes import (
    FieldKind,
    KnownUnit,
    Place,
    Scan,
    ScanContext,
    ScanError,
    ScanKind,
    Verdict,
    VerdictKind,
    parse_scan,
    verdict,
)
from shared.barcodes.gpon import parse_gpon_serial
from shared.barcodes.gtin import gtin14
from shared.barcodes.label import NO_LABEL, Label, LabelPart, LabelReading, read_label
from shared.barcodes.mac import parse_mac
from shared.catalogue import Product, Tracking
from shared.commands import (
    DeviceCommand,
    FieldCommand,
    FittingCommand,
    InstallAsset,
    RemoveAsset,
    Source,
    SwapAsset,
    renamed,
)
from shared.decide import decide
from shared.problems import Problem
from shared.situation import Situation
from shared.work_orders import RemovalCause


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
    label: Label = NO_LABEL  # all that the same picture says

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

    def swap(
        self,
        old_serial: str,
        cause: RemovalCause,
        reason: str = "",
        *,
        confirmed: bool = False,
        sku: str | None = None,
    ) -> SwapAsset:
        """What was scanned goes up in the place of `old_serial`."""
        fit = self.install(confirmed=confirmed, sku=sku)
        return SwapAsset(
            work_order_id=fit.work_order_id,
            old_serial=old_serial,
            serial=fit.serial,
            source=fit.source,
            sku=fit.sku,
            mac=fit.mac,
            gpon_serial=fit.gpon_serial,
            confirmed=fit.confirmed,
            cause=cause,
            reason=reason,
        )

    def removal(self, reason: str, cause: RemovalCause | None = None) -> RemoveAsset:
        assert self.serial is not None, "nothing to remove was scanned"
        return RemoveAsset(work_order_id=self.work_order_id, serial=self.serial, reason=reason, cause=cause)


DISAGREES = "label-disagrees"
"""The verdict's kind where two codes of one label speak of two devices."""

QUARANTINED_LOT = "quarantined-lot"
"""The verdict's kind where another device of the same lot is in quarantine: a person decides."""


def label_of(readings: Iterable[LabelReading], products: Mapping[str, Product]) -> Label:
    """What the codes of one picture say together, with the models of the catalogue."""
    models = {gtin: f"{product.maker} {product.model}" for gtin, product in _by_gtin(products).items()}
    return read_label(readings, models=models)


def judge(
    situation: Situation, text: str, source: Source, at: datetime, label: Label = NO_LABEL
) -> ScanVerdict:
    """Judge `text` for the job of `situation`. Whether it may be used is what `decide` says to it.

    Any number on the label finds the device: its serial, its GPON serial or its MAC. `label` is what the
    other codes of the same picture say: it fills what `text` leaves open, and must not speak of another one.
    """
    order = situation.order
    try:
        scan, asset = _read(text, situation)
    except ScanError as error:
        return ScanVerdict(
            work_order_id=order.id,
            source=source,
            kind=error.slug,
            sentence=said(error.detail),
            field=error.field,
        )
    product = _product(scan, asset, situation.products) or _product_of(label, situation.products)
    found = ScanVerdict(
        work_order_id=order.id,
        source=source,
        kind="",
        sentence="",
        warnings=tuple(map(said, scan.warnings)),
        serial=asset.serial if asset else scan.serial,
        sku=asset.sku if asset else product.sku if product else None,
        mac=_printed_mac(label, asset),
        gpon_serial=label.value(LabelPart.GPON_SERIAL)
        or (asset.gpon_serial if asset else scan.value_for(FieldKind.GPON_SERIAL)),
        asset=asset,
        product=product,
        scan=scan,
        label=label,
    )
    if asset and (disagreement := _disagreement(asset, label)):
        return replace(found, kind=DISAGREES, sentence=disagreement)
    answer = verdict(scan, _context(scan, asset, situation))
    found = replace(found, kind=answer.kind.value, sentence=said(answer.sentence))
    if found.serial is None:
        return found
    return _wary_of_its_lot(_allowed(found, answer, situation, at), situation)


def canonical(command: FieldCommand, assets: Mapping[str, Asset]) -> FieldCommand:
    """The command with serials as the register writes them, also when the MAC or GPON serial was typed."""

    def serial(code: str) -> str:
        typed = "".join(code.split()).upper()
        asset = find_asset((typed,), assets)
        return asset.serial if asset else typed

    if isinstance(command, FittingCommand):
        gpon = _printed(command.gpon_serial, parse_gpon_serial)
        command = replace(command, mac=_printed(command.mac, parse_mac), gpon_serial=gpon)
    return renamed(command, serial) if isinstance(command, DeviceCommand) else command


def _printed(code: str | None, parse: Callable[[str], str]) -> str | None:
    """The canonical form; what cannot be read stays as typed, for the rules to say what is wrong."""
    if code is None or not code.strip():
        return None
    try:
        return parse(code)
    except ScanError:
        return code.strip().upper()


def serial_of(text: str, assets: Mapping[str, Asset]) -> str | None:
    """The serial of the device whose label bears `text`; None for a code that names none."""
    try:
        scan = parse_scan(text)
    except ScanError:
        return None
    asset = find_asset(tuple(number for number in (scan.serial, scan.value) if number), assets)
    return asset.serial if asset else scan.serial


def _printed_mac(label: Label, asset: Asset | None) -> str | None:
    """The MAC to record: the register's own if the label bears it, else the label's first."""
    known = asset.mac if asset else None
    return known if known in label.values(LabelPart.MAC) else label.value(LabelPart.MAC) or known


def _disagreement(asset: Asset, label: Label) -> str | None:
    """Why this label can't be that of `asset`: its serial or its MACs are another's."""
    serials = label.values(LabelPart.SERIAL)
    macs = label.values(LabelPart.MAC)
    if serials and asset.serial not in serials and asset.gpon_serial not in serials:
        return words.another_serial(serials[0], asset.serial)
    if asset.mac and macs and asset.mac not in macs:
        return words.another_mac(macs[0], asset.serial, asset.mac)
    return None


def find_asset(numbers: tuple[str, ...], assets: Mapping[str, Asset]) -> Asset | None:
    """The device with one of `numbers` as its serial, else as its GPON serial or MAC."""
    for number in numbers:
        if number in assets:
            return assets[number]
    wanted = {_bare(number) for number in numbers}
    return next(
        (
            asset
            for asset in assets.values()
            if any(number and _bare(number) in wanted for number in (asset.gpon_serial, asset.mac))
        ),
        None,
    )


def _bare(number: str) -> str:
    """Upper case, without what labels put between digits: to compare by, not to keep."""
    return re.sub(r"[\s:.-]", "", number).upper()


def _read(text: str, situation: Situation) -> tuple[Scan, Asset | None]:
    """Raises ScanError when it is neither a device we know nor a code that could be a serial."""
    scan = parse_scan(text)
    numbers = tuple(number for number in (scan.serial, scan.value) if number)
    if asset := find_asset(numbers, situation.assets):
        return scan, asset
    if scan.kind is ScanKind.GTIN and scan.gtin in _by_gtin(situation.products):
        return scan, None  # the product's own number, though a serial may look like it
    return parse_scan(text, wanted=FieldKind.SERIAL), None


def _product(scan: Scan, asset: Asset | None, products: Mapping[str, Product]) -> Product | None:
    if asset:
        return products.get(asset.sku)
    if scan.gtin is None:
        return None
    return _by_gtin(products).get(scan.gtin)


def _product_of(label: Label, products: Mapping[str, Product]) -> Product | None:
    return _by_gtin(products).get(label.value(LabelPart.GTIN) or "")


def _by_gtin(products: Mapping[str, Product]) -> dict[str, Product]:
    found = {}
    for product in products.values():
        with suppress(ScanError):  # a slip in the catalogue must not stop every scan
            found[gtin14(product.gtin or "")] = product
    return found


def _context(scan: Scan, asset: Asset | None, situation: Situation) -> ScanContext:
    order = situation.order
    return ScanContext(
        wanted=None if asset else FieldKind.SERIAL,
        units={scan.value: _unit(asset, situation)} if asset else {},
        models=frozenset(situation.product_name(sku) for sku in order.fitting_skus),
        model_of_gtin={
            gtin: situation.product_name(product.sku)
            for gtin, product in _by_gtin(situation.products).items()
        },
        on_this_job=frozenset(fitted.serial for fitted in order.fitted)
        | {removed.serial for removed in order.removed},
    )


def _unit(asset: Asset, situation: Situation) -> KnownUnit:
    match asset.holder_kind:
        case HolderKind.VAN:
            place = Place.MY_VAN if asset.holder_id == situation.van_id else Place.ANOTHER_VAN
        case HolderKind.CUSTOMER:
            here = asset.holder_id == situation.order.place.id
            place = Place.THIS_CUSTOMER if here else Place.ANOTHER_CUSTOMER
        case _:
            place = Place.STORE
    return KnownUnit(
        serial=asset.serial,
        model=situation.product_name(asset.sku),
        place=place,
        holder=asset.holder_name,
    )


def _allowed(found: ScanVerdict, answer: Verdict, situation: Situation, at: datetime) -> ScanVerdict:
    """Add what may be done with it. A rule's refusal replaces a sentence that sounded like a yes."""
    removal = _refusal(found.removal("scanned"), situation, at)
    if removal is None:
        return replace(found, may_remove=True)
    if answer.kind in (VerdictKind.ALREADY_ON_JOB, VerdictKind.WRONG_KIND):
        return found
    if answer.kind is VerdictKind.INSTALLED_HERE:
        return replace(found, kind=removal.slug, sentence=said(removal.detail))
    refusal = _refusal(found.install(), situation, at)
    if refusal is None:
        return replace(found, may_install=True)
    models = () if found.sku else _models(situation)
    trial = found.install(confirmed=True, sku=next(iter(models), None))
    if (final := _refusal(trial, situation, at)) is None:
        sentence = words.confirm_in_hand(found.sentence)
        return replace(found, sentence=sentence, may_confirm=True, models=models)
    if answer.kind in (VerdictKind.WRONG_MODEL, VerdictKind.ANOTHER_CUSTOMER):
        return found
    return replace(found, kind=final.slug, sentence=said(final.detail), field=final.field)


def _wary_of_its_lot(found: ScanVerdict, situation: Situation) -> ScanVerdict:
    """A device that could be fitted needs a second look where another one of its lot is in quarantine."""
    lot = found.asset.batch if found.asset else found.label.value(LabelPart.LOT) or _lot(found.scan)
    recalled = any(
        asset.state is AssetState.QUARANTINED and asset.batch == lot and asset.sku == found.sku
        for asset in situation.assets.values()
    )
    if not (lot and recalled and found.serial and (found.may_install or found.may_confirm)):
        return found
    sentence = words.quarantined_lot(found.serial, lot)
    return replace(found, kind=QUARANTINED_LOT, sentence=sentence, may_install=False, may_confirm=True)


def _lot(scan: Scan | None) -> str | None:
    return scan.batch if scan else None


def _models(situation: Situation) -> tuple[str, ...]:
    fitting = situation.order.fitting_skus
    return tuple(sorted(fitting)) or tuple(
        sorted(sku for sku, product in situation.products.items() if product.tracking is Tracking.SERIALISED)
    )


def _refusal(command: FieldCommand, situation: Situation, at: datetime) -> Problem | None:
    try:
        decide(command, situation, at)
    except Problem as problem:
        return problem
    return None
