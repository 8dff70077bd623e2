"""What `flet build` would take in for Android and iOS; docs/mobile-builds.md says what could not be tried."""

from __future__ import annotations

import json
import re
import struct
import sys
import tomllib
from pathlib import Path

import pytest

from mobile.device.config import AppConfig, load_config
from server.pwa import payload
from server.pwa.build import DEFAULT_CACHE

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FLET = PROJECT["tool"]["flet"]
APP = ROOT / FLET["app"]["path"]
HAVE_A_RECIPE = {"msgpack", "msgspec"}  # for phones, in Flet's own index


class TestTheInputsOfANativeBuild:
    def test_start_the_product_by_its_own_wheel_alone(self):
        assert (APP / "main.py").read_text() == (
            "import flet as ft\n\nfrom mobile.app import main\n\nft.run(main)\n"
        )
        assert FLET["android"]["dependencies"] == FLET["ios"]["dependencies"] == ["truckroll"]
        assert (ROOT / FLET["dev_packages"]["truckroll"] / "pyproject.toml").exists()

    def test_leave_the_servers_packages_out(self):
        left_out = {pattern.partition("/")[0] for pattern in FLET["cleanup"]["package_files"]}
        wheel = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
        assert left_out == {"server", "scheduler"}
        assert wheel - left_out == {"mobile", "sync", "shared"}

    def test_need_no_compiled_package_but_those_with_a_recipe_for_phones(self, packages: Path):
        compiled = {path.relative_to(packages).parts[0] for path in packages.rglob("*.so")}
        assert compiled == HAVE_A_RECIPE

    def test_ask_for_the_camera_and_nothing_else_and_say_why(self):
        assert FLET["permissions"] == ["camera"]
        assert set(FLET["ios"]["info"]) == {"NSCameraUsageDescription"}
        sources = "".join(path.read_text() for path in payload.sources().values())
        assert "flet_camera" in sources
        assert not re.search(r"flet_(geolocator|audio_recorder|permission_handler)", sources)

    def test_have_a_square_icon_that_is_the_browsers(self):
        icon = (APP / "assets" / "icon.png").read_bytes()
        assert struct.unpack(">II", icon[16:24]) == (512, 512)
        assert icon == (ROOT / "mobile/web/icons/icon-maskable-512.png").read_bytes()

    def test_find_the_servers_address_beside_the_script(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        (tmp_path / "truckroll.json").write_text(json.dumps({"api_base": "https://field.example.net"}))
        monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "main.py"), raising=False)
        assert load_config() == AppConfig(api_base="https://field.example.net")


@pytest.fixture
def packages() -> Path:
    """The phone's dependencies as the browser gets them: the same list, compiled for another machine."""
    return payload.resolve(
        payload.dependencies(), python="3.14", platform="pyemscripten_2026_0_wasm32", cache=DEFAULT_CACHE
    )
