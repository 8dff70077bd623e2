"""The language that the app speaks: the catalogue that is open, and how numbers and names stand in it.

English stands in the code; each other language is one .po file in `mobile/languages/`, read as it lies there.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gettext
import io
import re
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from shared.money import Money

NO_BREAK = "\N{NO-BREAK SPACE}"
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
MARK = "\N{LEFT-TO-RIGHT MARK}"
_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?(".*")\s*')


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """`name` is its own for itself. Digits are 0 to 9 in all, as on labels and meters."""

    code: str
    name: str
    decimal_mark: str = "."
    symbol_first: bool = False  # of a currency, as in €12.40
    right_to_left: bool = False
    nouns_are_capitals: bool = False  # also in the middle of a sentence


ENGLISH = Language(code="en", name="English", symbol_first=True)
LANGUAGES = {
    language.code: language
    for language in (
        ENGLISH,
        Language(code="de", name="Deutsch", decimal_mark=",", nouns_are_capitals=True),
        Language(code="es", name="Español", decimal_mark=","),
        Language(code="ar", name="العربية", right_to_left=True),
    )
}


@dataclass(slots=True)
class _Spoken:
    language: Language
    catalogue: gettext.NullTranslations


_spoken = _Spoken(ENGLISH, gettext.NullTranslations())


def spoken() -> Language:
    return _spoken.language


def choose(code: str) -> None:
    """Open the catalogue of one of LANGUAGES. Whoever keeps sentences must fetch them anew."""
    _spoken.language = LANGUAGES[code]
    _spoken.catalogue = gettext.NullTranslations() if code == ENGLISH.code else catalogue(code)


@contextlib.contextmanager
def speaking(code: str) -> Iterator[Language]:
    """Say what is said within in another language, to somebody else than the technician."""
    before = _spoken.language, _spoken.catalogue
    _spoken.language = LANGUAGES[code]
    _spoken.catalogue = gettext.NullTranslations() if code == ENGLISH.code else _opened(code)
    try:
        yield _spoken.language
    finally:
        _spoken.language, _spoken.catalogue = before


@functools.lru_cache(maxsize=4)
def _opened(code: str) -> gettext.NullTranslations:
    return catalogue(code)


def best_of(wanted: Sequence[str]) -> str:
    """Ours for the device's languages, dearest first (`es-MX`, `de_AT.UTF-8`); English for none of them."""
    bare = (re.split(r"[-_.@]", tag)[0].lower() for tag in wanted)
    return next((code for code in bare if code in LANGUAGES), ENGLISH.code)


def say(sentence: str, **facts: object) -> str:
    """The sentence in the language of the moment, with its {facts} filled in."""
    return fill(_spoken.catalogue.gettext(sentence), facts)


def say_count(one: str, many: str, count: int, **facts: object) -> str:
    """The same for a {count} of things; which form it takes is the language's own rule."""
    return fill(_spoken.catalogue.ngettext(one, many, count), {"count": count, **facts})


def fill(sentence: str, facts: dict[str, object]) -> str:
    if not facts:
        return sentence
    return sentence.format_map({name: _as_said(fact) for name, fact in facts.items()})


def number(value: int | Decimal) -> str:
    """`-18,4` where people write a comma."""
    return str(value).replace(".", _spoken.language.decimal_mark)


def money(amount: Money) -> str:
    """`€1,234.50`, `1.234,50 €`, `12.400 KWD`: as the language writes it, with the currency's own digits."""
    sign, whole, fraction = amount.digits
    mark = _spoken.language.decimal_mark
    digits = f"{int(whole):,}".replace(",", "." if mark == "," else ",")
    digits += f"{mark}{fraction}" if fraction else ""
    symbol = SYMBOLS.get(amount.currency)
    if symbol and _spoken.language.symbol_first:
        return f"{sign}{symbol}{digits}"
    return as_written(f"{sign}{digits}{NO_BREAK}{symbol or amount.currency}")


def _as_said(fact: object) -> str:
    return as_written(number(fact) if isinstance(fact, int | Decimal) else str(fact))


def as_written(text: str) -> str:
    """A serial, a street, a phone number or -18.4 dBm keeps its own direction between Arabic words.

    With marks and not with isolates, for which our fonts have no glyph.
    """
    if not _spoken.language.right_to_left or not text:
        return text
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return text
    return f"{MARK}{text}{MARK}"


def catalogue(code: str) -> gettext.GNUTranslations:
    """The catalogue of one language, with the standard library's rules for plurals."""
    return gettext.GNUTranslations(io.BytesIO(compiled(read_po(code))))


def read_po(code: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """(sentence,) or (one, many) → its translations, more than one for a plural. ("",) is the header."""
    # In the browser the app lies in one archive, where there are no paths.
    text = files("mobile").joinpath("languages", f"{code}.po").read_text(encoding="utf-8")
    entries: dict[tuple[str, ...], tuple[str, ...]] = {}
    for block in text.split("\n\n"):
        keys: list[str] = []
        values: list[str] = []
        for word, quoted in _parts(block):
            side = keys if word.startswith("msgid") else values
            side.append(quoted)
        if keys:
            entries[tuple(keys)] = tuple(values)
    return entries


def _parts(block: str) -> Iterator[tuple[str, str]]:
    """(`msgid`, its text) and so on; a text may go on over lines of its own."""
    word, text = "", ""
    for line in block.splitlines():
        if match := _LINE.fullmatch(line):
            if match[1]:
                if word:
                    yield word, text
                word, text = match[1], ""
            text += ast.literal_eval(match[2])
    if word:
        yield word, text


def compiled(entries: dict[tuple[str, ...], tuple[str, ...]]) -> bytes:
    """The .mo file of `entries`: a head of seven numbers, two tables of (length, offset), the texts."""
    pairs = sorted(("\0".join(key).encode(), "\0".join(said).encode()) for key, said in entries.items())
    texts = [key for key, _ in pairs] + [said for _, said in pairs]
    head, table = 7 * 4, len(pairs) * 8
    offset, places = head + 2 * table, []
    for text in texts:
        places += [len(text), offset]
        offset += len(text) + 1
    numbers = (0x950412DE, 0, len(pairs), head, head + table, 0, head + 2 * table, *places)
    return struct.pack(f"<{len(numbers)}I", *numbers) + b"".join(text + b"\0" for text in texts)
