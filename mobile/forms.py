"""What was entered and is not saved yet, kept on the device too: a killed app finds its forms as they were.

Values are texts, numbers, choices, photos and groups of these. What else a screen keeps, such as what a scan
said, lives in memory only: after a restart it is looked at anew.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any
from uuid import UUID

from mobile.device.place import Spot
from mobile.parts.taken import Taken
from shared.network_faults import FaultSign
from shared.work_orders import (
    PauseReason,
    RemovalCause,
    SkipReason,
    TimePoint,
    UnfinishedReason,
    WorkOrderKind,
)
from sync.client.records import NotSaved

PREFIX = "form "
CHOICES = {
    kind.__name__: kind
    for kind in (
        *(FaultSign, PauseReason, RemovalCause, SkipReason, TimePoint, UnfinishedReason, WorkOrderKind),
        UUID,
    )
}
RECORDS: dict[str, Any] = {kind.__name__: kind for kind in (Spot, Taken)}
GROUPS = {kind.__name__: kind for kind in (tuple, list, frozenset)}

Drafts = dict[tuple[str, str], Any]
"""(screen's route, field) → what was entered."""


class Forgotten(ValueError):
    """This value is not for the disk."""


class Forms:
    """`keep(name, body)` writes durably, None takes away; `later` calls a function again and again, with a
    moment between, until that says False.

    What is typed is written when the typing pauses, for the disk would hold up the keys; a photo at once.
    """

    def __init__(
        self,
        kept: Mapping[str, str],
        keep: Callable[[str, str | None], None],
        later: Callable[[Callable[[], bool]], None],
        still: Callable[[str], bool] = lambda route: True,
    ) -> None:
        """`kept`: what earlier runs kept. `still(route)`: whether that screen can still be used."""
        self.drafts: Drafts = {}
        self._keep, self._later = keep, later
        self._due: set[tuple[str, str]] = set()
        self._waiting = self._typing = False
        for name, body in kept.items():
            route, _, field = name.removeprefix(PREFIX).rpartition(" ")
            try:
                if not still(route):
                    raise Forgotten(route)
                self.drafts[route, field] = value_of(json.loads(body))
            except (ValueError, LookupError, TypeError):  # of an app that kept it in another form
                self._write((route, field), None)

    def enter(self, route: str, field: str, value: Any) -> None:
        self.drafts[route, field] = value
        self._due.add((route, field))
        if has_bytes(value):
            self.write()
        else:
            self._typing = True
            if not self._waiting:
                self._waiting = True
                self._later(self.settle)

    def drop(self, route: str) -> None:
        """It became a command, or was given up."""
        for key in [key for key in self.drafts if key[0] == route]:
            del self.drafts[key]
            self._due.discard(key)
            self._write(key, None)

    def clear(self) -> None:
        """For another technician, whose device has forgotten them already."""
        self.drafts.clear()
        self._due.clear()

    def settle(self) -> bool:
        """Write once nothing was typed since the last call; whether that is still to come."""
        if self._typing:
            self._typing = False
            return True
        self.write()
        return False

    def write(self) -> None:
        due, self._due, self._waiting = self._due, set(), False
        for key in due:
            try:
                body = json.dumps(plain(self.drafts[key]), separators=(",", ":"))
            except Forgotten:
                body = None
            self._write(key, body)

    def _write(self, key: tuple[str, str], body: str | None) -> None:
        with contextlib.suppress(NotSaved):  # it is on the screen still, and nobody was told that it is saved
            self._keep(f"{PREFIX}{key[0]} {key[1]}", body)


def has_bytes(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(map(has_bytes, value))
    return isinstance(value, bytes | Taken)


def plain(value: Any) -> Any:
    """The value as JSON knows it. Raises Forgotten."""
    kind = type(value).__name__
    if kind in CHOICES:
        return {"is": kind, "of": str(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return {"is": "bytes", "of": base64.b64encode(value).decode()}
    if kind in GROUPS:
        return {"is": kind, "of": [plain(one) for one in value]}
    if isinstance(value, dict):
        return {"is": "dict", "of": [[plain(key), plain(one)] for key, one in value.items()]}
    if kind in RECORDS and is_dataclass(value):
        return {"is": kind, "of": {field.name: plain(getattr(value, field.name)) for field in fields(value)}}
    raise Forgotten(kind)


def value_of(found: Any) -> Any:
    """What `plain` made plain. Raises ValueError, LookupError or TypeError on what it never made."""
    if not isinstance(found, dict):
        return found
    kind, of = found["is"], found["of"]
    if kind == "bytes":
        return base64.b64decode(of)
    if kind == "dict":
        return {value_of(key): value_of(one) for key, one in of}
    if kind in RECORDS:
        return RECORDS[kind](**{name: value_of(one) for name, one in of.items()})
    return CHOICES[kind](of) if kind in CHOICES else GROUPS[kind](map(value_of, of))
