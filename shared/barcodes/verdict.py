"""What a scan means here and now, for this technician on this job. Decides from data on the device only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.barcodes.scan import WORDS, FieldKind, Scan, ScanKind


class Place(StrEnum):
    """Where a known unit is booked, seen from this technician and job."""

    MY_VAN = "my_van"
    ANOTHER_VAN = "another_van"
    THIS_CUSTOMER = "this_customer"
    ANOTHER_CUSTOMER = "another_customer"
    STORE = "store"


class VerdictKind(StrEnum):
    """One answer for each way a scan can turn out."""

    MINE = "mine"
    INSTALLED_HERE = "installed_here"
    ANOTHER_VAN = "another_van"
    ANOTHER_CUSTOMER = "another_customer"
    IN_STORE = "in_store"
    UNKNOWN = "unknown"
    WRONG_MODEL = "wrong_model"
    WRONG_KIND = "wrong_kind"
    ALREADY_ON_JOB = "already_on_job"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUnit:
    """A unit of the asset register. `holder` names the van, customer or store for the technician's eyes."""

    serial: str
    model: str
    place: Place
    holder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanContext:
    """What the device knows. Serials, MACs and GTINs are canonical, as `parse_scan` gives them.

    `units` maps every canonical number of a unit (serial, GPON serial, MAC) to it. `models` are those the
    plan allows; empty allows any. `model_of_gtin` is the catalogue.
    """

    wanted: FieldKind | None = None
    units: Mapping[str, KnownUnit] = field(default_factory=dict)
    models: frozenset[str] = frozenset()
    model_of_gtin: Mapping[str, str] = field(default_factory=dict)
    on_this_job: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`sentence` is for the technician; `value` is what to put into the field, None when nothing fits."""

    kind: VerdictKind
    sentence: str
    value: str | None = None
    unit: KnownUnit | None = None

    @property
    def accepted(self) -> bool:
        """May be used as it is. Anything else needs another scan or the technician's own word."""
        return self.kind in (VerdictKind.MINE, VerdictKind.INSTALLED_HERE)


def verdict(scan: Scan, context: ScanContext) -> Verdict:
    """Judge `scan`. Where the unit is comes before what it is: a unit one may not use has no right model."""
    wanted = context.wanted
    value = scan.value if wanted is None else scan.value_for(wanted)
    if value is None and wanted is not None:
        detail = f"This is {WORDS[scan.kind]}, but {WORDS[wanted]} is wanted. Scan another code on the label."
        return Verdict(kind=VerdictKind.WRONG_KIND, sentence=detail)
    assert value is not None
    unit = context.units.get(value)
    if unit is None and (wrong_kind := _mac_taken_for_serial(scan, context)):
        return wrong_kind
    if value in context.on_this_job or (unit is not None and unit.serial in context.on_this_job):
        sentence = f"{value} is already on this job; it is not counted twice."
        return Verdict(kind=VerdictKind.ALREADY_ON_JOB, sentence=sentence, value=value, unit=unit)
    if unit is not None and (elsewhere := _elsewhere(unit)):
        kind, sentence = elsewhere
        return Verdict(kind=kind, sentence=sentence, value=value, unit=unit)
    here = unit is not None and unit.place is Place.THIS_CUSTOMER
    model = unit.model if unit is not None else context.model_of_gtin.get(scan.gtin or "")
    if model is not None and context.models and model not in context.models and not here:
        sentence = f"{value} is model {model}; this job needs {' or '.join(sorted(context.models))}."
        return Verdict(kind=VerdictKind.WRONG_MODEL, sentence=sentence, value=value, unit=unit)
    if here and unit is not None:
        sentence = f"{unit.model} {value} is installed at this customer."
        return Verdict(kind=VerdictKind.INSTALLED_HERE, sentence=sentence, value=value, unit=unit)
    if unit is not None:
        sentence = f"{unit.model} {value} is on your van."
        return Verdict(kind=VerdictKind.MINE, sentence=sentence, value=value, unit=unit)
    return Verdict(kind=VerdictKind.UNKNOWN, sentence=_unknown(value, model, wanted), value=value)


def _mac_taken_for_serial(scan: Scan, context: ScanContext) -> Verdict | None:
    """Twelve hex digits read as a serial that are the MAC of a unit we know."""
    if ScanKind.MAC not in scan.could_also_be:
        return None
    mac = ":".join(scan.value[i : i + 2] for i in range(0, 12, 2))
    unit = context.units.get(mac)
    if unit is None:
        return None
    sentence = f"This is the MAC address of {unit.model} {unit.serial}, not its serial. Scan the serial."
    return Verdict(kind=VerdictKind.WRONG_KIND, sentence=sentence, unit=unit)


def _elsewhere(unit: KnownUnit) -> tuple[VerdictKind, str] | None:
    match unit.place:
        case Place.ANOTHER_VAN:
            holder = unit.holder or "another technician"
            return VerdictKind.ANOTHER_VAN, (
                f"{unit.serial} is on the van of {holder}. Ask for a transfer, or scan a unit of your own."
            )
        case Place.ANOTHER_CUSTOMER:
            where = f" ({unit.holder})" if unit.holder else ""
            return VerdictKind.ANOTHER_CUSTOMER, (
                f"{unit.serial} is installed at another customer{where}. Put it aside and tell dispatch."
            )
        case Place.STORE:
            where = unit.holder or "the store"
            return VerdictKind.IN_STORE, (
                f"{unit.serial} is still booked in {where}. Have it moved to your van first."
            )
        case _:
            return None


def _unknown(value: str, model: str | None, wanted: FieldKind | None) -> str:
    if wanted is FieldKind.GTIN:
        if model is not None:
            return f"{value} is {model}."
        return f"The product number {value} is not in the catalogue. Keep the unit and tell dispatch."
    what = f"{model} {value}" if model else value
    return f"{what} is not in this device's stock list. Check it against the label, or scan another unit."
