"""From scanned text to what it means. `parse_scan` says what it is, `verdict` what that means for the job."""

from shared.barcodes.errors import ScanError
from shared.barcodes.scan import FieldKind, Scan, ScanKind, clean_wedge, parse_scan
from shared.barcodes.verdict import KnownUnit, Place, ScanContext, Verdict, VerdictKind, verdict

__all__ = [
    "FieldKind",
    "KnownUnit",
    "Place",
    "Scan",
    "ScanContext",
    "ScanError",
    "ScanKind",
    "Verdict",
    "VerdictKind",
    "clean_wedge",
    "parse_scan",
    "verdict",
]
