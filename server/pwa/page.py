"""The page around the app: start page with splash, scanner, service worker and security policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from server.pwa.client import RENDERERS, ClientChanged, replace, replace_pattern

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "mobile" / "web"
VENDOR = ROOT / "server" / "web" / "vendor"
# Of the vendored packages, what the phone uses.
DECODERS = ("zxing-wasm", "zbar-wasm")
FONTS = {"noto-sans-arabic": "notosansarabic"}  # → the folder that Flutter asks for

CHROMIUM = "canvaskit/skwasm.wasm"  # what a current one draws with
# Never kept offline: the service worker and its list, licence texts, icons that the browser takes over when
# the app is installed, and the page, kept as "./".
NOT_KEPT = (
    "sw.js", "index.html", "build.json", "assets/NOTICES", "vendor/zbar-wasm/LICENSE",
    "vendor/zxing-wasm/LICENSE", "icons/icon-512.png", "icons/icon-maskable-",
)  # fmt: skip
# Kept once somebody needed it: the letters of a language that few read.
KEPT_WHEN_USED = ("assets/fonts/noto",)


class VendorMissing(Exception):
    """The barcode decoders were not vendored; the message says how to get them."""


def add_page(out: Path, *, app_name: str, build: str) -> None:
    """Put our page files, decoders and fonts into `out` and rewrite its start page."""
    for name in DECODERS:
        shutil.copytree(_vendored(name), out / "vendor" / name)
    add_fonts(out)
    shutil.copytree(WEB, out, dirs_exist_ok=True)

    manifest = json.loads((WEB / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"name": app_name, "short_name": app_name}
    (out / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")

    index = out / "index.html"
    replace(index, "<html>", f'<html lang="en" data-build="{build}">')
    replace(
        index,
        '<meta charset="UTF-8">',
        '<meta charset="UTF-8">\n  <meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '  <meta name="theme-color" content="#0b3d4d">\n  <link rel="stylesheet" href="splash.css">\n'
        '  <link rel="stylesheet" href="scan/live.css">',
    )
    replace(index, 'content="Flet application."', f'content="{escape(str(manifest["description"]))}"')
    replace_pattern(index, r'<div id="loading".*?</div>', _splash(app_name))
    # boot.js loads Flutter's bootstrap itself, once the browser has proved able to run the app.
    replace(
        index,
        '<script src="flutter_bootstrap.js" async></script>',
        '<script src="boot.js"></script>\n  <script src="scan/live.js"></script>',
    )


def add_fonts(out: Path) -> None:
    """Put the letters that Roboto lacks where the client looks for them once a text needs them."""
    client = b"".join(
        path.read_bytes() for path in out.glob("main.dart.*") if path.suffix in (".js", ".wasm")
    )
    for name, asked in FONTS.items():
        found = re.search(rf"{asked}/v\d+/[\w-]+\.woff2".encode(), client)
        if found is None:
            raise ClientChanged(f"The client asks for no {asked}, so nobody would see its letters.")
        path = out / "assets" / "fonts" / found[0].decode()
        path.parent.mkdir(parents=True)
        shutil.copy(_vendored(name) / f"{name}.woff2", path)
        shutil.copy(_vendored(name) / "LICENSE", path.parent)


def _vendored(name: str) -> Path:
    if not (VENDOR / name).is_dir():
        raise VendorMissing(f"{name} is missing: run python -m server.web.vendor_assets")
    return VENDOR / name


def _splash(app_name: str) -> str:
    name = escape(app_name)
    return (
        f'<main id="splash"><img src="icons/icon-192.png" alt=""><h1>{name}</h1>'
        '<p id="splash-status" role="status">Starting…</p><div class="bar"></div>'
        "<noscript>This app needs JavaScript.</noscript></main>"
    )


def security_policy(out: Path, *, api_base: str) -> str:
    """Only our own files may run; of the inline scripts, exactly those in the start page."""
    page = (out / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    if not scripts:
        raise ClientChanged("index.html holds no inline script, so Flet's configuration has moved.")
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
    server = urlsplit(api_base)
    api = f" {server.scheme}://{server.netloc}" if server.netloc else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {hashes}",
            "style-src 'self' 'unsafe-inline'",  # Flutter writes styles into its elements
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            f"connect-src 'self' data: blob:{api}",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
        )
    )


def add_service_worker(out: Path, files: dict[str, str]) -> tuple[str, list[str]]:
    """Fill in the service worker with its exact list; `files` is path → SHA-256 of all files but it.

    Gives the version, which is a hash of everything the app consists of, and what a Chromium phone keeps.
    """
    later = [name for name in sorted(files) if name.startswith(KEPT_WHEN_USED) and name.endswith(".woff2")]
    kept = ["./", *(name for name in sorted(files) if not name.startswith((*NOT_KEPT, *KEPT_WHEN_USED)))]
    by_renderer = {
        shown_by: [name for name in kept if name.startswith(parts)] for shown_by, parts in RENDERERS.items()
    }
    common = sorted({*kept}.difference(*by_renderer.values()))
    template = (WEB / "sw.js").read_text(encoding="utf-8")
    everything = json.dumps([template, sorted(files.items())]).encode()
    version = hashlib.sha256(everything).hexdigest()[:12]
    filled = template.replace("%VERSION%", version).replace("%FILES%", json.dumps(common))
    filled = filled.replace("%KEPT_WHEN_USED%", json.dumps(later))
    filled = filled.replace("%RENDERERS%", json.dumps(by_renderer))
    (out / "sw.js").write_text(filled, encoding="utf-8")
    return version, common + by_renderer[CHROMIUM]
