"""Flet's prebuilt web client, trimmed to what one app needs and freed of every foreign address."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Literal

from flet.controls.types import RouteUrlStrategy, WebRenderer
from flet_web import get_package_web_dir, patch_font_manifest_json, patch_index_html

Renderer = Literal["canvaskit", "skwasm"]
BASE_PATH = "/app/"

# Debug symbols, command line tools, other renderers, and what only Markdown formulas, video or sound
# recording would need. Patterns are relative to the client's folder.
UNUSED = (
    "**/*.symbols",
    "assets/packages/flutter_math_fork",
    "assets/packages/media_kit",
    "assets/packages/record_web",
    "assets/packages/cupertino_icons",
    "canvaskit/chromium",  # the full build serves every browser; both would have to be kept offline
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
UNUSED_BY: dict[Renderer, tuple[str, ...]] = {
    "canvaskit": ("canvaskit/skwasm.*", "main.dart.mjs", "main.dart.wasm"),
    "skwasm": ("canvaskit/canvaskit.*", "main.dart.js"),
}

FOREIGN_NPM = "https://cdn.jsdelivr.net/npm/"


class ClientChanged(Exception):
    """Flet's client is not the one these edits were made for; the message names the file and the text."""


def copy_client(out: Path, *, app_name: str, renderer: Renderer) -> None:
    """Put the patched client into `out`, an empty folder."""
    shutil.copytree(get_package_web_dir(), out, dirs_exist_ok=True)
    for pattern in (*UNUSED, *UNUSED_BY[renderer]):
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
        app_package_url="app.tar.gz",
        web_renderer=WebRenderer(renderer),
        route_url_strategy=RouteUrlStrategy.HASH,
        no_cdn=True,
    )
    patch_font_manifest_json(manifest_path=str(out / "assets/FontManifest.json"))
    _patch(out, renderer)


def runtime(client: Path) -> dict[str, str]:
    """Which Python lies in the client, and for which `python` and `platform` to resolve its wheels."""
    info = json.loads((client / "pyodide/pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    return {
        "version": info["python"],
        "python": ".".join(info["python"].split(".")[:2]),
        "platform": f"pyemscripten_{info['abi_version']}_{info['arch']}",
    }


def _patch(out: Path, renderer: Renderer) -> None:
    # The module worker rejects the bare specifier that `no_cdn` writes.
    replace(
        out / "index.html",
        'flet.pyodideUrl="pyodide/pyodide.mjs"',
        f'flet.pyodideUrl="{BASE_PATH}pyodide/pyodide.mjs"',
    )
    replace(
        out / "flutter_bootstrap.js",
        "flutterConfig.renderer = flet.webRenderer;",
        'flutterConfig.renderer = flet.webRenderer;\n    flutterConfig.canvasKitVariant = "full";',
    )
    # Flutter's own service worker would fight ours.
    replace_pattern(out / "flutter_bootstrap.js", r"serviceWorkerSettings: \{.*?\},\s*", "")
    if renderer == "canvaskit":
        # A loader for Rive animations, asked for at every start and never needed: it now gets a local 404.
        # In main.dart.wasm the same address is refused by the content security policy.
        replace(out / "main.dart.js", FOREIGN_NPM, f"{BASE_PATH}npm/")
    _patch_worker(out)
    fonts = json.loads((out / "assets/FontManifest.json").read_text(encoding="utf-8"))
    # Every family listed is fetched at each start.
    kept = [font for font in fonts if font["family"] in ("MaterialIcons", "Roboto")]
    if len(kept) != 2:
        raise ClientChanged("assets/FontManifest.json lists no MaterialIcons or no Roboto.")
    (out / "assets/FontManifest.json").write_text(json.dumps(kept), encoding="utf-8")


def _patch_worker(out: Path) -> None:
    """Let the page start Python before Flutter asks, and let Python import our modules without eval."""
    page, worker = out / "python.js", out / "python-worker.js"
    replace_pattern(page, r'new Worker\(\s*(.*?),\s*\{ type: "module" \}\)', r"truckroll.takeWorker(\1)")
    replace(worker, "self.flet_js = {};", "self.flet_js = { import_module: (url) => import(url) };")
    replace_pattern(
        worker,
        r"const pyodideModule = await import\(self\.pyodideUrl\);\s*"
        r"const loadPyodide = .*?;\s*"
        r"self\.pyodide = await loadPyodide\((\{.*?\})\);",
        "self.pyodide = await self.startPyodide(self.pyodideUrl);",
    )
    replace(
        worker,
        "self.initPyodide = async function () {",
        """self.startPyodide = (url) => self.pyodideStart ??= import(url).then((m) => m.loadPyodide({
    stdout: (text) => self.sendPythonOutput(text, false),
    stderr: (text) => self.sendPythonOutput(text, true),
}));

self.initPyodide = async function () {""",
    )
    replace(
        worker,
        "    // run only once\n",
        """    if (event.data?.preload) {
        self.startPyodide(event.data.preload).catch(() => {}); // reported when Flutter asks
        return;
    }
    // run only once
""",
    )


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
