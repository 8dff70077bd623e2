"""What the image of Python's memory holds, with which the browser's later starts begin.

The worker calls `prepare` before anything of this device is there: no database, no page, and none of the
compiled packages, which an image can't hold. What needs those is compiled, and run at each start.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import re
import sys
import zipfile
import zipimport
from collections.abc import Callable
from types import CodeType
from typing import ClassVar

OURS = ("flet_camera", "main", "mobile", "shared", "sync")
NEEDS_COMPILED = "flet.messaging"  # these import a compiled package
ALWAYS = ("flet.app", "flet.components.component", "flet.pubsub.pubsub_hub")
OF_FLET = re.compile(r"\bft\.([A-Za-z]\w*)")


class CompiledOnce(zipimport.zipimporter):
    """Imports from a zip file, and keeps the code of each module as long as the memory lives."""

    _code: ClassVar[dict[str, CodeType]] = {}

    def get_code(self, fullname: str) -> CodeType:
        if fullname not in self._code:
            self._code[fullname] = super().get_code(fullname)
        return self._code[fullname]


def prepare(archive: str) -> None:
    """Import from the zip file `archive` what can be imported by now, and compile the rest of ours."""
    sys.path_hooks.insert(0, _importer(archive))
    sys.path_importer_cache.clear()
    with zipfile.ZipFile(archive) as opened:
        modules = {_module(name): name for name in opened.namelist() if name.endswith(".py")}
        ours = [name for name in modules if name.partition(".")[0] in OURS]
        used = {name for module in ours for name in OF_FLET.findall(opened.read(modules[module]).decode())}
    import flet

    for name in used:
        with contextlib.suppress(AttributeError, ImportError):
            getattr(flet, name)  # Flet imports the module of a control at its first use
    for name in (*ALWAYS, *ours):
        if name != "main":
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    for name in modules:
        if name in ours or name.startswith(NEEDS_COMPILED):
            CompiledOnce("/".join([archive, *name.split(".")[:-1]])).get_code(name)
    gc.collect()


def _importer(archive: str) -> Callable[[str], CompiledOnce]:
    def hook(path: str) -> CompiledOnce:
        if not path.startswith(archive):
            raise ImportError(path)
        return CompiledOnce(path)

    return hook


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
