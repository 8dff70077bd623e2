"""The folder that the builder makes."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from server.pwa import build, client, page, payload
from server.pwa.build import BuildInfo, build_pwa, read_info

MAIN = Path(__file__).with_name("placeholder_main.py")


@pytest.fixture
def built(placeholder: Path) -> BuildInfo:
    info = read_info(placeholder)
    assert info is not None
    return info


class TestTheBuiltFolder:
    def test_names_no_foreign_host_but_in_comments_and_licences(self, placeholder: Path):
        index = (placeholder / "index.html").read_text()
        assert "https://" not in index
        assert client.FOREIGN_NPM not in (placeholder / "main.dart.js").read_text()

    def test_loads_python_by_absolute_path_and_from_our_own_worker(self, placeholder: Path):
        assert 'flet.pyodideUrl="/app/pyodide/pyodide.mjs"' in (placeholder / "index.html").read_text()
        assert "truckroll.takeWorker(" in (placeholder / "python.js").read_text()

    def test_leaves_out_what_one_app_never_loads(self, placeholder: Path):
        names = {path.relative_to(placeholder).as_posix() for path in placeholder.rglob("*")}
        assert not [name for name in names if name.endswith((".symbols", ".whl", ".exe"))]
        assert {"main.dart.js", "main.dart.wasm", "canvaskit/canvaskit.wasm", "assets/NOTICES"} <= names
        assert not {"canvaskit/wimp.wasm", "flutter_service_worker.js"} & names

    def test_keeps_offline_every_file_but_the_listed_exceptions_and_one_renderer(self, placeholder: Path):
        record = json.loads((placeholder / "build.json").read_text())
        worker = (placeholder / "sw.js").read_text()
        common = set(json.loads(re.search(r"const FILES = (\[.*?\]);", worker).group(1)))
        renderers = json.loads(re.search(r"const RENDERERS = (\{.*?\});", worker).group(1))
        assert renderers == {
            "canvaskit/skwasm.wasm": [
                "canvaskit/skwasm.js", "canvaskit/skwasm.wasm", "main.dart.mjs", "main.dart.wasm",
            ],
            "canvaskit/chromium/canvaskit.wasm": [
                "canvaskit/chromium/canvaskit.js", "canvaskit/chromium/canvaskit.wasm", "main.dart.js",
            ],
            "canvaskit/canvaskit.wasm": [
                "canvaskit/canvaskit.js", "canvaskit/canvaskit.wasm", "main.dart.js",
            ],
        }  # fmt: skip
        later = json.loads(re.search(r"const KEPT_WHEN_USED = (\[.*?\]);", worker).group(1))
        kept = common.union(*renderers.values())
        left = set(record["files"]) - kept - set(later)
        assert {name for name in left if "noto" not in name} == {
            "sw.js", "index.html", "assets/NOTICES", "vendor/zbar-wasm/LICENSE", "vendor/zxing-wasm/LICENSE",
            "icons/icon-512.png", "icons/icon-maskable-192.png", "icons/icon-maskable-512.png",
        }  # fmt: skip
        assert kept - set(record["files"]) == {"./"}
        assert f'"app-{record["info"]["version"]}"' in worker

    def test_holds_arabic_letters_where_the_client_asks_for_them_and_keeps_them_once_used(
        self, placeholder: Path
    ):
        worker = (placeholder / "sw.js").read_text()
        (font,) = json.loads(re.search(r"const KEPT_WHEN_USED = (\[.*?\]);", worker).group(1))
        assert font.removeprefix("assets/fonts/") in (placeholder / "main.dart.js").read_text()
        assert (placeholder / font).read_bytes().startswith(b"wOF2")
        assert (placeholder / font).stat().st_size < 60_000

    def test_carries_the_phones_python_and_none_of_the_servers(self, placeholder: Path):
        with zipfile.ZipFile(placeholder / "app.zip") as archive:
            names = set(archive.namelist())
            sent = archive.read("main.py")
        with zipfile.ZipFile(placeholder / "files.zip") as archive:
            files = set(archive.namelist())
            config = json.loads(archive.read("truckroll.json"))
        assert sent == MAIN.read_bytes()
        assert config["api_base"] == "/"
        assert {
            "mobile/device/storage.py", "sync/protocol.py", "sync/client/store.py", "shared/money.py",
            "flet/__init__.py", "flet_camera/__init__.py", "tzdata/zoneinfo/Europe/Berlin",
        } <= names  # fmt: skip
        everything = names | files
        assert not [n for n in everything if n.startswith(("httpx/", "oauthlib/", "certifi/"))]
        assert not [
            n
            for n in everything
            if n.startswith(("server/", "scheduler/", "sync/server", "mobile/web", "tests/"))
        ]
        assert not [n for n in everything if n.endswith((".pyc", ".pyi"))]

    def test_has_as_files_what_is_compiled_for_the_very_pyodide_it_carries(self, placeholder: Path):
        target = client.runtime(placeholder)
        tag = f"cpython-{target['python'].replace('.', '')}-wasm32-emscripten"
        with zipfile.ZipFile(placeholder / "app.zip") as archive:
            assert not [name for name in archive.namelist() if name.endswith(".so")]
        with zipfile.ZipFile(placeholder / "files.zip") as archive:
            compiled = [name for name in archive.namelist() if name.endswith(".so")]
        assert compiled == [f"msgpack/_cmsgpack.{tag}.so", f"msgspec/_core.{tag}.so"]

    def test_stays_light(self, built: BuildInfo):
        assert built.kept_brotli_bytes < 10_500_000  # the smallest build has a tenth less
        assert built.payload_bytes < 1_000_000


class TestBuildingAgain:
    def test_does_nothing_when_nothing_changed(self, tmp_path: Path):
        out = tmp_path / "pwa"
        first = build_pwa(out, app_name="Placeholder", main=MAIN)
        before = (out / "build.json").stat().st_mtime_ns
        again = build_pwa(out, app_name="Placeholder", main=MAIN)
        assert (first.rebuilt, again.rebuilt, again.version) == (True, False, first.version)
        assert (out / "build.json").stat().st_mtime_ns == before

    def test_makes_the_same_version_from_the_same_input_and_another_from_other_python(self, tmp_path: Path):
        built = build_pwa(tmp_path / "one", app_name="Placeholder", main=MAIN)
        same = build_pwa(tmp_path / "same", app_name="Placeholder", main=MAIN)
        assert same.version == built.version
        changed = tmp_path / "main.py"
        changed.write_text(MAIN.read_text() + "\n# changed\n")
        assert build_pwa(tmp_path / "other", app_name="Placeholder", main=changed).version != built.version

    def test_keeps_the_old_folder_when_a_part_is_missing(
        self, tmp_path: Path, placeholder: Path, monkeypatch: pytest.MonkeyPatch
    ):
        out = tmp_path / "pwa"
        shutil.copytree(placeholder, out)
        monkeypatch.setattr(page, "VENDOR", tmp_path / "nowhere")
        with pytest.raises(
            page.VendorMissing, match=r"zxing-wasm is missing: run python -m server\.web\.vendor_assets"
        ):
            build_pwa(out, app_name="Other", main=MAIN)
        assert read_info(out) == read_info(placeholder)


class TestEditingTheClient:
    def test_says_which_text_is_gone_when_flet_has_changed(self, tmp_path: Path):
        file = tmp_path / "python.js"
        file.write_text("new code")
        with pytest.raises(client.ClientChanged, match=r"python.js no longer holds: 'old code'"):
            client.replace(file, "old code", "")
        with pytest.raises(client.ClientChanged, match=r"python.js matches 2 times instead of once: 'e'"):
            client.replace_pattern(file, "e", "")


class TestTheDependencies:
    def test_are_the_products_core_requirements(self):
        names = {re.split(r"[=<>]", text)[0] for text in payload.dependencies()}
        assert names == {"flet", "flet-camera", "msgspec", "qrcodegen", "tzdata"}

    def test_name_what_could_not_be_had(self, tmp_path: Path):
        with pytest.raises(
            payload.DependenciesUnavailable, match=r"msgspec==0\.0\.0 could not be had for pyem"
        ):
            payload.resolve(
                ["msgspec==0.0.0"], python="3.14", platform="pyemscripten_2026_0_wasm32", cache=tmp_path
            )


def test_the_default_folders_are_ignored_by_git():
    assert build.DEFAULT_OUT.parent == build.DEFAULT_CACHE.parent.parent == payload.ROOT / "build"
