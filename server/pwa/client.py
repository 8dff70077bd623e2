"""Flet's prebuilt web client, trimmed to what one app needs and freed of every foreign address."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from flet.controls.types import RouteUrlStrategy, WebRenderer
from flet_web import get_package_web_dir, patch_font_manifest_json, patch_index_html

from server.pwa.stdlib import trim_stdlib

BASE_PATH = "/app/"

# Debug symbols, command line tools, renderers in the making, and what only Markdown formulas, video or sound
# recording would need. Patterns are relative to the client's folder.
UNUSED = (
    "**/*.symbols",
    "assets/packages/flutter_math_fork",
    "assets/packages/media_kit",
    "assets/packages/record_web",
    "assets/packages/cupertino_icons",
    "canvaskit/experimental_webparagraph",
    "canvaskit/skwasm_heavy.*",
    "canvaskit/wimp.*",
    "favicon.png",
    "flutter.js*",
    "flutter_service_worker.js",  # a stub that unregisters itself and reloads the page
    "icons",
    "manifest.json",
    "pyodide/*.d.ts",
    "pyodide/*.whl",
    "pyodide/package.json",
    "pyodide/pyodide.js",
    "pyodide/python",
    "pyodide/python.*",
    "pyodide/python_cli_entry.mjs",
    "version.json",
)
# Flutter picks one of these for each browser, and only that one is kept offline there. Starts of paths, by
# the file whose loading shows which it was.
RENDERERS = {
    "canvaskit/skwasm.wasm": ("canvaskit/skwasm.", "main.dart.wasm", "main.dart.mjs"),
    "canvaskit/chromium/canvaskit.wasm": ("canvaskit/chromium/", "main.dart.js"),
    "canvaskit/canvaskit.wasm": ("canvaskit/canvaskit.", "main.dart.js"),
}

# What mobile/web/python-worker.js relies on.
WORKER_PROTOCOL = (
    "flet_js.documentUrl = documentUrl;",
    "await self.flet_js.start_connection(self.receiveCallback);",
    'self.postMessage("initialized");',
    "flet_js.send(event.data);",
    "self.flet_js.receive_callback = self.receiveCallback;",
)

FOREIGN_NPM = "https://cdn.jsdelivr.net/npm/"


class ClientChanged(Exception):
    """Flet's client is not the one these edits were made for; the message names the file and the text."""


def copy_client(out: Path, *, app_name: str) -> None:
    """Put the patched client into `out`, an empty folder."""
    shutil.copytree(get_package_web_dir(), out, dirs_exist_ok=True)
    for pattern in UNUSED:
        found = list(out.glob(pattern))
        if not found:
            raise ClientChanged(f"Flet's web client holds no {pattern} to leave out.")
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    patch_index_html(
        index_path=str(out / "index.html"),
        base_href=BASE_PATH,
        app_name=app_name,
        pyodide=True,
        pyodide_script_path="main.py",
        pyodide_version=runtime(out)["version"],
        app_package_url="app.zip",
        web_renderer=WebRenderer.AUTO,
        route_url_strategy=RouteUrlStrategy.HASH,
        no_cdn=True,
    )
    patch_font_manifest_json(manifest_path=str(out / "assets/FontManifest.json"))
    trim_stdlib(out / "pyodide/python_stdlib.zip")
    # Which packages Pyodide could fetch by itself: ours come with the app.
    lock = out / "pyodide/pyodide-lock.json"
    lock.write_text(json.dumps({**json.loads(lock.read_text(encoding="utf-8")), "packages": {}}))
    _patch(out)


def runtime(client: Path) -> dict[str, str]:
    """Which Python lies in the client, and for which `python` and `platform` to resolve its wheels."""
    info = json.loads((client / "pyodide/pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    return {
        "version": info["python"],
        "python": ".".join(info["python"].split(".")[:2]),
        "platform": f"pyemscripten_{info['abi_version']}_{info['arch']}",
    }


def _patch(out: Path) -> None:
    # The module worker rejects the bare specifier that `no_cdn` writes.
    replace(
        out / "index.html",
        'flet.pyodideUrl="pyodide/pyodide.mjs"',
        f'flet.pyodideUrl="{BASE_PATH}pyodide/pyodide.mjs"',
    )
    # Flutter's own service worker would fight ours.
    replace_pattern(out / "flutter_bootstrap.js", r"serviceWorkerSettings: \{.*?\},\s*", "")
    # A loader for Rive animations, asked for at every start and never needed: it now gets a local 404.
    replace(out / "main.dart.js", FOREIGN_NPM, f"{BASE_PATH}npm/")
    wasm = out / "main.dart.wasm"
    held = wasm.read_bytes()
    if FOREIGN_NPM.encode() not in held:
        raise ClientChanged(f"{wasm.name} no longer holds: {FOREIGN_NPM!r}")
    # There its length must stay.
    wasm.write_bytes(
        held.replace(FOREIGN_NPM.encode(), f"{BASE_PATH}npm/".ljust(len(FOREIGN_NPM), "/").encode())
    )
    _patch_worker(out)
    fonts = json.loads((out / "assets/FontManifest.json").read_text(encoding="utf-8"))
    # Every family listed is fetched at each start.
    kept = [font for font in fonts if font["family"] in ("MaterialIcons", "Roboto")]
    if len(kept) != 2:
        raise ClientChanged("assets/FontManifest.json lists no MaterialIcons or no Roboto.")
    (out / "assets/FontManifest.json").write_text(json.dumps(kept), encoding="utf-8")


def _patch_worker(out: Path) -> None:
    """Let the page start Python before Flutter asks, in our own worker, which speaks as Flet's does."""
    page, worker = out / "python.js", out / "python-worker.js"
    replace_pattern(page, r'new Worker\(\s*(.*?),\s*\{ type: "module" \}\)', r"truckroll.takeWorker(\1)")
    for spoken in WORKER_PROTOCOL:
        replace(worker, spoken, spoken)
    worker.unlink()


def replace(path: Path, old: str, new: str) -> None:
    """Replace `old`, which must be there, in a text file. Raises ClientChanged."""
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise ClientChanged(f"{path.name} no longer holds: {old[:80]!r}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def replace_pattern(path: Path, pattern: str, new: str) -> None:
    """Replace the one match of `pattern` (dots match newlines) in a text file. Raises ClientChanged."""
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), flags=re.DOTALL)
    if count != 1:
        raise ClientChanged(f"{path.name} matches {count} times instead of once: {pattern[:80]!r}")
    path.write_text(text, encoding="utf-8")
