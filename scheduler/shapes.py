"""Whether the fields of a request hold the kinds of things that they are declared with.

Python takes anything for a field: of a text where a tuple of texts belongs, each letter would be a territory.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

_WORDS = {
    str: ("a text", "texts"),
    bool: ("True or False", "True or False"),
    int: ("a whole number", "whole numbers"),
    tuple: ("a tuple", "tuples"),
    Mapping: ("a mapping", "mappings"),
}


class _Field(NamedTuple):
    """A field, the classes that its value may have, and of a tuple the class of its entries."""

    name: str
    classes: tuple[type, ...]
    inner: type | None


def misshapen(part: object) -> str | None:
    """The first field of the dataclass `part` that holds another kind of thing, in words; None if none does.

    Whole numbers and what mappings hold are left to whoever knows their limits.
    """
    cls: Any = type(part)
    for name, classes, inner in _declared(cls):
        value: Any = getattr(part, name)
        fits = isinstance(value, classes)
        if not fits:
            what = f"a tuple of {_called(inner)[1]}" if inner else _called(classes[-1])[0]
            return f"{name} must be {what}{' or None' if NoneType in classes else ''}, not {value!r:.80}"
        if inner and inner is not int:
            for number, entry in enumerate(value):
                if not isinstance(entry, inner):
                    return f"{name}[{number}] must be {_called(inner)[0]}, not {entry!r:.80}"
    return None


@cache
def _declared(cls: type) -> tuple[_Field, ...]:
    """All fields but plain whole numbers."""
    hints = get_type_hints(cls)
    found = []
    for field in fields(cls):
        kinds = [hints[field.name]]
        if get_origin(kinds[0]) in (Union, UnionType):
            kinds = sorted(get_args(kinds[0]), key=lambda kind: kind is not NoneType)
        classes = [get_origin(kind) or kind for kind in kinds]
        if classes[-1] is int:
            continue
        inner = get_args(kinds[-1])[0] if classes[-1] is tuple else None
        if classes[-1] is Mapping:
            classes.insert(0, dict)  # as nearly always, and quicker to tell
        found.append(_Field(field.name, tuple(classes), get_origin(inner) or inner))
    return tuple(found)


def _called(kind: type) -> tuple[str, str]:
    """One of the kind, and several."""
    name = kind.__name__
    return _WORDS.get(kind) or (f"{'an' if name[0] in 'AEIOU' else 'a'} {name}", name)
