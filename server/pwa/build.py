"""Assemble the technician app as a folder of static files."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from flet_web import get_package_web_dir

from server.pwa import page, payload
from server.pwa.client import copy_client, runtime
from server.pwa.compress import compress_all

DEFAULT_OUT = payload.ROOT / "build" / "pwa"
DEFAULT_CACHE = payload.ROOT / "build" / "cache" / "pwa"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInfo:
    """What was built. Sizes are bytes; those that are kept count what a Chromium phone keeps offline."""

    version: str
    inputs: str  # hash of everything the build reads
    files: int
    bytes: int
    kept_files: int
    kept_bytes: int
    kept_brotli_bytes: int
    kept_gzip_bytes: int
    payload_bytes: int  # Python of ours and of the packages, brotli
    rebuilt: bool = True


def build_pwa(
    out: Path = DEFAULT_OUT,
    *,
    api_base: str = "/",
    app_name: str = "Truckroll",
    smallest: bool = False,
    main: Path = payload.LAUNCH,
    cache: Path = DEFAULT_CACHE,
    say: Callable[[str], None] = lambda text: None,
) -> BuildInfo:
    """Build into `out`, unless it was already built from the same inputs.

    `main` is the script the browser runs. `api_base` is the server's address as seen by the app: "/" means
    the origin that served it. `smallest`: see compress_all. The folder changes at once, when everything is
    ready.
    """
    inputs = _inputs_hash(main, api_base=api_base, app_name=app_name, smallest=smallest)
    if (built := read_info(out)) and built.inputs == inputs:
        return BuildInfo(**{**asdict(built), "rebuilt": False})

    cache.mkdir(parents=True, exist_ok=True)
    fresh = out.with_name(f"{out.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    say("copying Flet's web client")
    copy_client(fresh, app_name=app_name)
    say("resolving the phone's dependencies")
    target = runtime(fresh)
    packages = payload.resolve(
        payload.dependencies(), python=target["python"], platform=target["platform"], cache=cache
    )
    say("packing the app's Python")
    config = {"api_base": api_base, "app_name": app_name, "build": inputs}
    payload.pack(fresh, main=main, packages=packages, config=config)
    page.add_page(fresh, app_name=app_name, build=inputs)
    (fresh / "sw.js").unlink()  # still the template

    digests = _digests(fresh)
    version, kept = page.add_service_worker(fresh, digests)
    digests = _digests(fresh)
    say("compressing")
    compress_all(fresh, digests, cache / "compressed", smallest=smallest)

    info = _measure(fresh, digests, version=version, inputs=inputs, kept=kept)
    policy = page.security_policy(fresh, api_base=api_base)
    record = {"info": asdict(info), "policy": policy, "files": digests}
    (fresh / "build.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    _swap(fresh, out)
    return info


def read_info(out: Path) -> BuildInfo | None:
    """What lies in `out`, or None when nothing complete does."""
    try:
        record = json.loads((out / "build.json").read_text(encoding="utf-8"))
        return BuildInfo(**record["info"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _inputs_hash(main: Path, **settings: str | bool) -> str:
    seen = hashlib.sha256()
    ours = [main, *payload.sources().values(), *sorted(page.WEB.rglob("*")), page.VENDOR / "stamp.json"]
    ours += sorted(Path(__file__).parent.glob("*.py"))
    for path in ours:
        if path.is_file():
            seen.update(str(path).encode() + b"\0" + path.read_bytes())
    versions = [metadata.version("flet-web"), str(get_package_web_dir())]
    seen.update(json.dumps([settings, payload.dependencies(), versions]).encode())
    return seen.hexdigest()[:12]


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _measure(out: Path, files: dict[str, str], *, version: str, inputs: str, kept: list[str]) -> BuildInfo:
    def size(name: str, suffix: str = "") -> int:
        path = out / (name + suffix)
        return path.stat().st_size if path.exists() else (out / name).stat().st_size

    names = ["index.html" if name == "./" else name for name in kept]
    return BuildInfo(
        version=version,
        inputs=inputs,
        files=len(files),
        bytes=sum(map(size, files)),
        kept_files=len(names),
        kept_bytes=sum(map(size, names)),
        kept_brotli_bytes=sum(size(name, ".br") for name in names),
        kept_gzip_bytes=sum(size(name, ".gz") for name in names),
        payload_bytes=size("app.zip", ".br") + size("files.zip", ".br"),
    )


def _swap(fresh: Path, out: Path) -> None:
    old = out.with_name(f"{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)
