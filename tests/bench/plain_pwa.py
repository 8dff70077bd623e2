"""The peer of the starts: an app of one screen as Flet publishes it, kept offline by a plain service worker.

Nothing of `server/pwa` speeds it up: Flet's own worker boots Python from nothing, unpacks one archive and
imports from source, and CanvasKit draws. Only what would not start at all without it is mended.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

from flet.controls.types import RouteUrlStrategy, WebRenderer
from flet_web import get_package_web_dir, patch_font_manifest_json, patch_index_html

from server.pwa import payload
from server.pwa.client import BASE_PATH, replace, replace_pattern, runtime
from server.pwa.compress import compress_all
from server.pwa.page import WEB

PAGE = """<main id="splash">Starting</main>
<script>
  new BroadcastChannel("page-page").onmessage = ({ data }) => {
    if (data.kind !== "opened") return;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      document.getElementById("splash").remove();
      performance.mark("truckroll-screen");
      setTimeout(() => navigator.serviceWorker.register("sw.js"), 500);
    }));
  };
</script>
<script src="flutter_bootstrap.js" async></script>"""

WORKER = """const FILES = %FILES%;
self.addEventListener("install", (event) => event.waitUntil(
  caches.open("plain").then((cache) => cache.addAll(FILES))));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => event.respondWith(caches.match(
  event.request.mode === "navigate" ? "./" : event.request, { ignoreSearch: true },
).then((kept) => kept ?? fetch(event.request))));
"""

NOT_KEPT = (
    "assets/NOTICES", "assets/packages/", "build.json", "canvaskit/canvaskit.", "canvaskit/exp",
    "canvaskit/skwasm", "canvaskit/wimp", "favicon.png", "icons/", "index.html", "main.dart.mjs",
    "main.dart.wasm", "sw.js",
)  # fmt: skip
KEPT_OF_PYODIDE = {
    "pyodide-lock.json", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide.mjs", "python_stdlib.zip",
}  # fmt: skip


def build_plain(out: Path, main: Path, cache: Path) -> None:
    """Build `main` into the new folder `out`."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(get_package_web_dir(), out)
    target = runtime(out)
    patch_index_html(
        index_path=str(out / "index.html"),
        base_href=BASE_PATH,
        app_name="Plain",
        pyodide=True,
        pyodide_script_path="main.py",
        pyodide_version=target["version"],
        app_package_url="app.tar.gz",
        web_renderer=WebRenderer.CANVAS_KIT,
        route_url_strategy=RouteUrlStrategy.HASH,
        no_cdn=True,
    )
    patch_font_manifest_json(manifest_path=str(out / "assets/FontManifest.json"))
    fonts = json.loads((out / "assets/FontManifest.json").read_text())
    kept_fonts = [font for font in fonts if font["family"] in ("MaterialIcons", "Roboto")]
    (out / "assets/FontManifest.json").write_text(json.dumps(kept_fonts))
    replace(out / "index.html", 'flet.pyodideUrl="pyodide/', f'flet.pyodideUrl="{BASE_PATH}pyodide/')
    replace(out / "index.html", '<script src="flutter_bootstrap.js" async></script>', PAGE)
    replace_pattern(out / "flutter_bootstrap.js", r"serviceWorkerSettings: \{.*?\},\s*", "")
    replace(out / "main.dart.js", "https://cdn.jsdelivr.net/npm/", f"{BASE_PATH}npm/")
    replace(
        out / "python-worker.js", "self.flet_js = {};", "self.flet_js = { import_module: (u) => import(u) };"
    )
    shutil.copytree(WEB / "storage", out / "storage")
    _pack(out / "app.tar.gz", main, target, cache)

    files = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    kept = [name for name in files if is_kept(name)]
    (out / "sw.js").write_text(WORKER.replace("%FILES%", json.dumps(["./", *kept])))
    files["sw.js"] = out / "sw.js"
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    served = {name: digests[name] for name in [*kept, "index.html", "sw.js"]}
    compress_all(out, served, cache / "compressed", smallest=False)
    policy = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'"
    (out / "build.json").write_text(json.dumps({"files": served, "policy": policy}))


def is_kept(name: str) -> bool:
    if name.startswith("pyodide/"):
        return name.removeprefix("pyodide/") in KEPT_OF_PYODIDE
    return not name.startswith(NOT_KEPT) and not name.endswith((".symbols", ".map", ".txt"))


def _pack(archive: Path, main: Path, target: dict[str, str], cache: Path) -> None:
    packages = payload.resolve(
        payload.dependencies(), python=target["python"], platform=target["platform"], cache=cache
    )
    files = {"main.py": main, **payload.sources()}
    files |= {
        f"__pypackages__/{path.relative_to(packages).as_posix()}": path
        for path in packages.rglob("*")
        if path.is_file()
    }
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, path in sorted(files.items()):
            tar.add(path, name)
    archive.write_bytes(gzip.compress(plain.getvalue(), 9, mtime=0))
