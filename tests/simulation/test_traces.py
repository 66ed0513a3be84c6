"""Readers of recorded traces, by small hand-made ones."""

from pathlib import Path

import pytest

from backend.simulation.traces import BadTrace, find, parse_time, read

GPX = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
 <wpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></wpt>
 <trk><name>ride</name><trkseg>
  <trkpt lat="13.7456" lon="100.5341"><ele>4.5</ele><time>2024-05-01T03:00:00Z</time>
   <extensions><x:TrackPointExtension><x:speed>6.25</x:speed><x:course>91</x:course>
   </x:TrackPointExtension></extensions></trkpt>
  <trkpt lat="13.7457" lon="100.5352"><time>2024-05-01T10:00:05+07:00</time></trkpt>
  <trkpt lat="13.7458" lon="100.5363"></trkpt>
 </trkseg></trk>
</gpx>"""

PLT = """Geolife trajectory
WGS 84
Altitude is in Feet
Reserved 3
0,2,255,My Track,0,0,2,8421376
0
39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04
39.984683,116.31845,0,-777,39744.1202546296,2008-10-23,02:53:10
39.9846,116.31
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_gpx_gives_places_times_and_the_extensions_speed(tmp_path: Path) -> None:
    trace = read(written(tmp_path, "ride.gpx", GPX))
    first, second = trace.fixes
    assert (first.lat, first.lon, first.altitude) == (13.7456, 100.5341, 4.5)
    assert (first.speed, first.bearing) == (6.25, 91)
    assert first.at == 1714532400
    assert second.at - first.at == 5
    assert trace.skipped == {"no_time": 1}


def test_gpx_with_a_document_type_is_refused_before_any_entity_expands(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>'
    with pytest.raises(BadTrace, match="document type"):
        read(written(tmp_path, "bomb.gpx", bomb))


@pytest.mark.parametrize("text", ["<gpx><trk>", "", "no xml", "<kml></kml>"])
def test_what_is_not_gpx_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadTrace, match=r"bad\.gpx"):
        read(written(tmp_path, "bad.gpx", text))


def test_plt_is_utc_and_its_feet_become_metres(tmp_path: Path) -> None:
    trace = read(written(tmp_path, "walk.plt", PLT))
    first, second = trace.fixes
    assert first.at == 1224730384
    assert first.altitude == pytest.approx(149.96, abs=0.1)
    assert second.altitude is None
    assert trace.skipped == {"malformed": 1}


@pytest.mark.parametrize(
    ("head", "row", "speed"),
    [
        ("lat,lon,time,speed", "13.75,100.5,2024-05-01T03:00:00Z,5", 5.0),
        ("Latitude,Longitude,Timestamp,Speed (km/h)", "13.75,100.5,1714532400,36", 10.0),
        ("time;lng;lat;speed_knots", "2024-05-01 03:00:00;100,5;13,75;10", 5.144),
        ("X\tY\trecorded_at", "100.5\t13.75\t1714532400000", None),
        ("date,time,lat_deg,lon_deg", "2024/05/01,03:00:00,13.75,100.5", None),
        ("\ufefflat,long,fix_time", "13.75,100.5,2024-05-01T08:30:00+05:30", None),
    ],
)
def test_csv_is_read_by_its_header(
    tmp_path: Path, head: str, row: str, speed: float | None
) -> None:
    (fix,) = read(written(tmp_path, "t.csv", f"{head}\n{row}\n\n")).fixes
    assert (fix.lat, fix.lon, fix.at) == (13.75, 100.5, 1714532400)
    assert fix.speed == (None if speed is None else pytest.approx(speed, abs=0.001))


def test_csv_rows_that_make_no_fix_are_counted_by_reason(tmp_path: Path) -> None:
    rows = "lat,lon,time\n,100.5,1\n13,100,\n13,100,yesterday\nnan,3,4\n13,100,5\n200,1,6\n"
    trace = read(written(tmp_path, "t.csv", rows))
    # A place off the globe is for the server to refuse, with its own code.
    assert [fix.lat for fix in trace.fixes] == [13, 200]
    assert trace.skipped == {"no_position": 2, "no_time": 2}


@pytest.mark.parametrize(
    ("text", "words"), [("", "empty"), ("a,b\n1,2\n", "lat and lon and time among: a, b")]
)
def test_csv_without_the_columns_names_what_is_missing(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(BadTrace, match=words):
        read(written(tmp_path, "t.csv", text))


def test_folders_are_searched_and_strangers_named(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    one, two = written(inner, "x.PLT", PLT), written(tmp_path, "y.gpx", GPX)
    written(tmp_path, "notes.txt", "")
    assert find([tmp_path, two]) == [one, two]
    with pytest.raises(BadTrace, match=r"notes.txt is not"):
        find([tmp_path / "notes.txt"])
    with pytest.raises(BadTrace, match="does not exist"):
        find([tmp_path / "gone.gpx"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadTrace, match="holds no"):
        find([tmp_path / "empty"])


@pytest.mark.parametrize("text", ["", "soon", "2024-13-01", "nan", "inf"])
def test_what_is_not_a_time_is_none(text: str) -> None:
    assert parse_time(text) is None
