"""The PIN of this device: a salted, stretched digest; wrong tries wait ever longer, also over a restart.

It keeps who holds the phone from reading and tapping in the app. It encrypts nothing (docs/adr/0026). No
number of wrong tries erases anything: what is unsent is worth more than what a thief could read of it.
"""

from __future__ import annotations

import hmac
import itertools
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from mobile import words
from mobile.device.stretch import stretch
from shared.problems import BadValue
from sync.client.store import ClientStore
from sync.protocol import PIN_LENGTHS

ROUNDS = 600_000
TRIES_MAX = 10
WAITS_SECONDS = {5: 30, 6: 60, 7: 300, 8: 900, 9: 3600}
"""Wrong tries in a row → how long the next one waits. After TRIES_MAX only a code of the office opens."""

Stretch = Callable[[str, bytes, int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the device's database holds of the PIN. `tried_at`: the last wrong try, seconds since 1970.

    `key`: the device's own key (mobile/device/passkey.py) that opens too; None without one.
    `length`: of the PIN, in digits; None where an older app set it and nobody typed it since.
    """

    salt: str
    rounds: int
    digest: str
    failures: int = 0
    tried_at: float = 0.0
    key: str | None = None
    length: int | None = None


class PinLock:
    """The PIN of whoever this device is registered for. A new registration takes it away with its tries."""

    def __init__(
        self,
        store: ClientStore,
        now: Callable[[], datetime],
        *,
        entropy: Callable[[int], bytes] = os.urandom,
        stretch: Stretch = stretch,
        rounds: int = ROUNDS,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called once there is a PIN, another one, or none."""
        self._store = store
        self._now = now
        self._entropy = entropy
        self._stretch = stretch
        self._rounds = rounds
        self._changed = changed

    @property
    def is_set(self) -> bool:
        return self._store.lock is not None

    @property
    def length(self) -> int:
        """Digits that the PIN has for certain; 0 without one.

        One whose length nobody kept counts as the shortest there is, until it is typed: no PIN is shorter.
        """
        kept = self._kept
        return (kept.length or PIN_LENGTHS.start) if kept else 0

    @property
    def is_shut(self) -> bool:
        """Too many wrong tries: a new registration code opens it, nothing else."""
        kept = self._kept
        return kept is not None and kept.failures >= TRIES_MAX

    @property
    def tries_left(self) -> int:
        kept = self._kept
        return TRIES_MAX - kept.failures if kept else TRIES_MAX

    @property
    def wait_seconds(self) -> float:
        """Until the next try. A clock that was set back makes nobody wait for longer than once more."""
        kept = self._kept
        if kept is None:
            return 0.0
        wait = WAITS_SECONDS.get(kept.failures, 0)
        return max(0.0, min(wait, kept.tried_at + wait - self._now().timestamp()))

    async def set(self, pin: str, length_min: int = 0) -> None:
        """From now on this PIN. Raises BadValue, or NotSaved, and then the one before holds."""
        check(pin, length_min)
        salt = self._entropy(16)
        digest = await self._stretch(pin, salt, self._rounds)
        kept = self._kept
        key = kept.key if kept else None
        self._keep(Kept(salt=salt.hex(), rounds=self._rounds, digest=digest.hex(), key=key, length=len(pin)))
        self._changed()

    async def opens(self, pin: str) -> bool:
        """Whether `pin` is right. A wrong one counts, and is on the disk before this says so."""
        kept = self._kept
        if kept is None:
            return True
        if self.is_shut or self.wait_seconds > 0:
            return False
        # Counted first: whoever kills the app while it computes has had this try.
        tried = replace(kept, failures=kept.failures + 1, tried_at=self._now().timestamp())
        self._keep(tried)
        found = await self._stretch(pin, bytes.fromhex(kept.salt), kept.rounds)
        right = hmac.compare_digest(found.hex(), kept.digest)
        if right:
            self._keep(replace(kept, failures=0, tried_at=0.0, length=len(pin)))
        return right

    @property
    def key(self) -> str | None:
        """The device's own key that opens too; none after too many wrong tries."""
        kept = self._kept
        return None if kept is None or self.is_shut else kept.key

    def use_key(self, key: str | None) -> None:
        """Let the device's own check open from now on, beside the PIN; None: no more. Raises NotSaved."""
        if kept := self._kept:
            self._keep(replace(kept, key=key))
            self._changed()

    def remove(self) -> None:
        """Raises NotSaved."""
        self._store.keep_lock(None)
        self._changed()

    @property
    def _kept(self) -> Kept | None:
        text = self._store.lock
        return Kept(**json.loads(text)) if text else None

    def _keep(self, kept: Kept) -> None:
        self._store.keep_lock(json.dumps(asdict(kept)))


def required_length(asked: int) -> int:
    """Digits that a PIN must have where the office asks for `asked`; 0: it asks for no PIN.

    Never more than a PIN can have: whatever a server of another version asks for, it can be met.
    """
    return min(max(asked, PIN_LENGTHS.start), PIN_LENGTHS.stop - 1) if asked > 0 else 0


def check(pin: str, length_min: int = 0) -> None:
    """Raises BadValue for one that is no PIN, too short for the office, or what anybody would try first."""
    if len(pin) < length_min:
        raise BadValue(words.pin_short(length_min), field="pin")
    if len(pin) not in PIN_LENGTHS or not (pin.isascii() and pin.isdigit()):
        raise BadValue(words.PIN_FORM, field="pin")
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise BadValue(words.PIN_EASY, field="pin")
