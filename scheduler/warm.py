"""Compile everything that is compiled, so that no plan and no map has to wait for it."""

import tempfile
from pathlib import Path

from scheduler.request import Job, PlanRequest, Technician, TravelMatrix
from scheduler.solve import solve
from scheduler.travel.roads import RoadNetwork

CROSSROADS = """<osm version="0.6">
<node id="1" lat="60.0" lon="25.0"/><node id="2" lat="60.001" lon="25.0"/>
<node id="3" lat="60.002" lon="25.0"/><node id="4" lat="60.001" lon="25.002"/>
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>
<way id="2"><nd ref="2"/><nd ref="4"/><tag k="highway" v="residential"/></way>
</osm>"""


def warm() -> None:
    """Plan a day of one visit, and drive over a map of one crossroads, there by each way of searching."""
    drive = ((0, 600), (600, 0))
    day = PlanRequest(
        technicians=(Technician(id="t", start_place=0, end_place=0, shift_start=0, shift_end=600),),
        jobs=(Job(id="j", place=1, minutes=30),),
        travel=TravelMatrix(seconds=drive, metres=drive, engine="none", estimated=True),
    )
    solve(day, rounds=100)
    with tempfile.TemporaryDirectory() as folder:
        map_file = Path(folder) / "crossroads.osm"
        map_file.write_text(CROSSROADS)
        roads = RoadNetwork.read(map_file)
    south, north, east = (60.0002, 25.0), (60.0018, 25.0), (60.001, 25.0018)
    roads.table([south, north], [east])
    roads.table([south], [north, east])
    roads.path([south, east])
