"""Barcodes out of pictures, and labels into them."""

from server.scanning.decode import FieldReading, decode, read_field
from server.scanning.engines import Reading, zbar_is_present
from server.scanning.labels import DAMAGES, damage, label_jpeg, label_png, render_label
from server.scanning.pictures import Limits

__all__ = [
    "DAMAGES",
    "FieldReading",
    "Limits",
    "Reading",
    "damage",
    "decode",
    "label_jpeg",
    "label_png",
    "read_field",
    "render_label",
    "zbar_is_present",
]
