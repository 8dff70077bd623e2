"""Read a printed code: live camera, a photo, a wedge scanner, or the technician's own typing.

An adapter only says what was read. What it means is `shared.barcodes`' business: a decoded code is a
candidate, never a fact.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from mobile import words
from mobile.device.browser import IN_BROWSER, channel, listener, load_module
from shared.barcodes.label import ERROR_CORRECTED, LabelReading

Source = Literal["camera", "photo", "wedge", "typed"]
Tone = Literal["yes", "ask", "no"]
PICTURE_MILLISECONDS_MAX = 2000
GROUP_SEPARATOR = "\x1d"
FRAMES_AGREEING = 2
FRAMES_FOR_THE_REST = 5  # half a second: what the label bears besides the code that was wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One code as it was read. `identifier` is AIM's ("]C1" means GS1-128), empty when unknown.

    `at` is the middle of the code in the picture (pixels), `frames` in how many looks it was read alike.
    """

    text: str
    source: Source
    symbology: str = ""
    identifier: str = ""
    at: tuple[float, float] = (0.0, 0.0)
    frames: int = 1


Judge = Callable[[Reading], str | None]
"""Says None when this is the code that was wanted, else the hint to show while the camera looks on."""


class ScannerError(Exception):
    """Nothing could be read at all. `str(error)` is a sentence for the technician."""


class CameraUnavailable(ScannerError):
    """No camera, or no leave to use it."""


class NotAPicture(ScannerError):
    """The file is empty or no picture format we know."""


class ScanClosed(Exception):
    """The technician closed the live picture, or it ran out of time."""

    def __init__(self, why: Literal["cancelled", "typed", "timeout"]) -> None:
        super().__init__(why)
        self.why = why


class Scanner(Protocol):
    """Reads codes on one platform."""

    live: bool  # False: there is no live picture here, offer a photo instead

    async def scan(
        self, *, title: str, hint: str = "", judge: Judge | None = None, seconds: int = 60
    ) -> tuple[Reading, ...]:
        """Show the camera until a code satisfies `judge`: that one, then what else the label bears.

        Raises ScanClosed or CameraUnavailable.
        """
        ...

    async def read_picture(self, picture: bytes) -> tuple[Reading, ...]:
        """Every code in an image file; empty when there is none. Raises NotAPicture."""
        ...


def scanner() -> Scanner:
    """The scanner of the platform the app runs on."""
    return WasmScanner() if IN_BROWSER else NativeScanner()


def from_wedge(text: str, *, separators: str = "|~") -> Reading:
    """What a keyboard-wedge scanner typed before Enter.

    An AIM prefix is split off; `separators` are what scanners send where the code has a group separator.
    """
    text = text.strip("\r\n\t ")
    identifier = ""
    if len(text) > 3 and text[0] == "]" and text[1].isalpha() and text[2].isalnum():
        identifier, text = text[:3], text[3:]
    for separator in separators:
        text = text.replace(separator, GROUP_SEPARATOR)
    return Reading(text=text, source="wedge", identifier=identifier)


def from_typing(text: str) -> Reading:
    """What the technician typed, without the blanks at its ends."""
    return Reading(text=text.strip(), source="typed")


def for_label(reading: Reading) -> LabelReading:
    """The reading as one code of a whole label."""
    return LabelReading(
        text=reading.text,
        symbology=reading.symbology,
        identifier=reading.identifier or None,
        at=reading.at,
        frames=reading.frames,
    )


class Candidates:
    """What the live camera has seen. A code is a candidate until a second frame agrees.

    One frame can be a misread with a valid check digit; two that agree hardly ever are. A code that corrects
    its own errors is read rightly or not at all.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Reading] = {}

    def see(self, frame: Iterable[Reading]) -> tuple[Reading, ...]:
        """Add a frame; what of it is settled by now."""
        shown = {(reading.symbology, reading.text): reading for reading in frame}
        for key, reading in shown.items():
            before = self._seen.get(key)
            self._seen[key] = replace(reading, frames=before.frames + 1 if before else 1)
        return tuple(self._seen[key] for key in shown if _is_settled(self._seen[key]))

    def settled(self) -> tuple[Reading, ...]:
        """All that a second look confirmed, in the order it was first seen."""
        return tuple(reading for reading in self._seen.values() if _is_settled(reading))

    def doubtful(self) -> tuple[Reading, ...]:
        """What was read in one frame only so far."""
        return tuple(reading for reading in self._seen.values() if not _is_settled(reading))


def _is_settled(reading: Reading) -> bool:
    return reading.frames >= FRAMES_AGREEING or reading.symbology in ERROR_CORRECTED


class WasmScanner:
    """The browser: live picture drawn by the page, photos decoded in this worker."""

    live = True

    async def scan(
        self, *, title: str, hint: str = "", judge: Judge | None = None, seconds: int = 60
    ) -> tuple[Reading, ...]:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        page = channel("scan")
        heard = listener(lambda event: messages.put_nowait(event.data.to_py()))
        page.onmessage = heard
        seen, wanted, frames_since = Candidates(), None, 0
        try:
            _post(page, kind="start", title=title, hint=hint, seconds=seconds, words=words.LIVE_SCANNER)
            while True:
                match await messages.get():
                    case {"kind": "frame", "codes": codes}:
                        settled = seen.see(_from_page(code, "camera") for code in codes)
                        if wanted is None:
                            wanted = _judge(settled, judge, lambda text: _post(page, kind="hint", text=text))
                            continue
                        frames_since += 1
                        if not seen.doubtful() or frames_since >= FRAMES_FOR_THE_REST:
                            rest = (reading for reading in seen.settled() if reading.text != wanted.text)
                            return (wanted, *rest)
                    case {"kind": "closed", "why": why}:
                        raise ScanClosed(why)
                    case {"kind": "failed", "name": name, "text": text}:
                        raise CameraUnavailable(_camera_words(name, text))
        finally:
            _post(page, kind="stop")
            page.close()
            heard.destroy()

    async def read_picture(self, picture: bytes) -> tuple[Reading, ...]:
        from pyodide.ffi import JsException, to_js

        decoder = await load_module("scan/decode.mjs")
        try:
            codes = (await decoder.readPicture(to_js(picture), PICTURE_MILLISECONDS_MAX)).to_py()
        except JsException as error:
            raise NotAPicture(words.NO_PICTURE_FORMAT) from error
        return tuple(_from_page(code, "photo") for code in codes)


class NativeScanner:
    """CPython: photos only, with zxing-cpp and pyzbar where they are installed."""

    live = False

    async def scan(
        self, *, title: str, hint: str = "", judge: Judge | None = None, seconds: int = 60
    ) -> tuple[Reading, ...]:
        raise CameraUnavailable(words.NO_LIVE_SCANNER)

    async def read_picture(self, picture: bytes) -> tuple[Reading, ...]:
        try:
            from PIL import Image, UnidentifiedImageError
        except ImportError as error:
            raise ScannerError(words.NO_CODES_FROM_PHOTOS) from error
        try:
            image = Image.open(io.BytesIO(picture)).convert("L")
        except (UnidentifiedImageError, OSError) as error:
            raise NotAPicture(words.NO_PICTURE_FORMAT) from error
        first = _read_zxing(image)
        known = {reading.text for reading in first}
        return (*first, *(reading for reading in _read_zbar(image) if reading.text not in known))


def _read_zxing(image: Any) -> tuple[Reading, ...]:
    try:
        import zxingcpp
    except ImportError:
        return ()
    wanted = ("Code128", "Code39", "EAN13", "EAN8", "UPCA", "UPCE", "DataMatrix", "QRCode")
    formats = [getattr(zxingcpp.BarcodeFormat, name) for name in wanted]
    return tuple(
        Reading(
            text=code.text,
            source="photo",
            symbology=str(code.format).rpartition(".")[2].replace(" ", "").replace("-", ""),
            identifier=code.symbology_identifier,
            at=(code.position.top_left.x, code.position.top_left.y),
        )
        for code in zxingcpp.read_barcodes(image, formats=formats, text_mode=zxingcpp.TextMode.Plain)
        if code.valid
    )


def _read_zbar(image: Any) -> tuple[Reading, ...]:
    try:
        from pyzbar import pyzbar
    except ImportError:  # also when the libzbar library itself is missing
        return ()
    return tuple(
        Reading(
            text=code.data.decode("utf-8", "replace"),
            source="photo",
            symbology=code.type.title(),
            at=(code.rect.left, code.rect.top),
        )
        for code in pyzbar.decode(image)
    )


def signal(tone: Tone) -> None:
    """Say a verdict by sound and vibration, where the page can: hands and eyes are on the device."""
    if IN_BROWSER:
        page = channel("scan")
        _post(page, kind="signal", tone=tone)
        page.close()


def _judge(readings: Iterable[Reading], judge: Judge | None, hint: Callable[[str], None]) -> Reading | None:
    """The first reading that is wanted; the last refusal becomes the hint on the screen."""
    refusal = None
    for reading in readings:
        refusal = judge(reading) if judge else None
        if refusal is None:
            return reading
    if refusal:
        hint(refusal)
    return None


def _from_page(code: dict[str, Any], source: Source) -> Reading:
    x, y = code["at"]
    return Reading(
        text=code["text"],
        source=source,
        symbology=code["symbology"],
        identifier=code["identifier"],
        at=(x, y),
    )


def _post(page: Any, **message: object) -> None:
    import js
    from pyodide.ffi import to_js

    page.postMessage(to_js(message, dict_converter=js.Object.fromEntries))


def _camera_words(name: str, text: str) -> str:
    match name:
        case "NotAllowedError" | "SecurityError":
            return words.CAMERA_REFUSED
        case "NotFoundError" | "OverconstrainedError":
            return words.CAMERA_MISSING
        case "NotReadableError" | "AbortError":
            return words.CAMERA_BUSY
        case _:
            return words.camera_trouble(text)
