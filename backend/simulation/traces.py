"""Reads recorded GPS traces: GPX, GeoLife `.plt` and CSV with position and time."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from xml.etree import ElementTree

from backend.platform.errors import Invalid
from backend.simulation.fixes import Fix

SUFFIXES = (".gpx", ".plt", ".csv")

_METRES_PER_FOOT = 0.3048
_MPS_PER_KNOT = 1852 / 3600
_MPS_PER_KMH = 1 / 3.6
_NO_ALTITUDE_FEET = -777
_PLT_HEADER_LINES = 6
_CHUNK = 64 * 1024
# Epoch numbers above this are milliseconds, the rule of the OsmAnd doorway.
_LARGEST_SECONDS = 2**31 - 1


class BadTrace(Invalid):
    """A file that cannot be read as a trace."""

    code = "bad_trace"
    title = "The trace cannot be read"


@dataclass(slots=True)
class Trace:
    """The fixes of one file in the order they stand there, and why others were left out."""

    name: str
    path: Path
    fixes: list[Fix] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def find(paths: Iterable[Path]) -> list[Path]:
    """The trace files among the paths and below the folders; raises BadTrace on others."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise BadTrace(f"{path} holds no .gpx, .plt or .csv file.")
            found.extend(inside)
        elif not path.exists():
            raise BadTrace(f"{path} does not exist.")
        elif path.suffix.lower() not in SUFFIXES:
            raise BadTrace(f"{path} is not a .gpx, .plt or .csv file.")
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def read(path: Path) -> Trace:
    """The trace in a file; raises BadTrace where the file as a whole makes no sense."""
    readers: dict[str, Callable[[Path, Trace], None]] = {
        ".gpx": _read_gpx,
        ".plt": _read_plt,
        ".csv": _read_csv,
    }
    trace = Trace(path.stem, path)
    try:
        readers[path.suffix.lower()](path, trace)
    except OSError as error:
        raise BadTrace(f"{path} cannot be opened: {error.strerror}.") from error
    except csv.Error as error:
        raise BadTrace(f"{path} is not a table: {error}.") from error
    except UnicodeDecodeError as error:
        raise BadTrace(f"{path} is not text in UTF-8.") from error
    return trace


def parse_time(text: str) -> float | None:
    """Seconds since 1970 from epoch seconds or milliseconds, or a date and time.

    A date and time without a zone is UTC. None where it is neither.
    """
    text = text.strip()
    number = _number(text)
    if number is not None:
        return number / 1000 if number > _LARGEST_SECONDS else number
    plain = text.replace("/", "-").removesuffix(" UTC").strip()
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def _number(text: str | None) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _keep(trace: Trace, at: float | None, lat: float | None, lon: float | None) -> Fix | None:
    """Add a fix when it has a time and a place; what is left out is counted by reason.

    Places that are off the globe are kept: refusing them, with a code, is the server's part.
    """
    if lat is None or lon is None:
        trace.skipped["no_position"] += 1
        return None
    if at is None:
        trace.skipped["no_time"] += 1
        return None
    fix = Fix(at=at, lat=lat, lon=lon)
    trace.fixes.append(fix)
    return fix


class _GpxPoints:
    """Collects track points while the document is parsed; holds no tree and no entities."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._point: dict[str, str] | None = None
        self._text: list[str] = []
        self.root: str | None = None

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse entity declarations before any is expanded."""
        raise BadTrace(f"{self._trace.path} declares a document type, which GPX does not have.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._text.clear()
        if name in ("trkpt", "rtept"):
            self._point = dict(attributes)

    def data(self, text: str) -> None:
        """Text inside the current element."""
        if self._point is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """Finish an element; a finished point becomes a fix."""
        name = tag.rpartition("}")[2]
        if self._point is None:
            return
        if name not in ("trkpt", "rtept"):
            self._point.setdefault(name, "".join(self._text).strip())
            return
        point, self._point = self._point, None
        fix = _keep(
            self._trace,
            parse_time(point.get("time", "")),
            _number(point.get("lat")),
            _number(point.get("lon")),
        )
        if fix is not None:
            fix.altitude = _number(point.get("ele"))
            fix.speed = _number(point.get("speed"))
            fix.bearing = _number(point.get("course") or point.get("bearing"))
            fix.accuracy = _number(point.get("accuracy"))

    def close(self) -> None:
        """The document is over."""


def _read_gpx(path: Path, trace: Trace) -> None:
    points = _GpxPoints(trace)
    # The target forbids document types, so no entity can be declared and none expands.
    parser = ElementTree.XMLParser(target=points)  # noqa: S314
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.feed(chunk)
            parser.close()
    except ElementTree.ParseError as error:
        raise BadTrace(f"{path} is not well-formed XML: {error}.") from error
    if points.root != "gpx":
        raise BadTrace(f"{path} is not a GPX document but <{points.root}>.")


def _read_plt(path: Path, trace: Trace) -> None:
    """GeoLife: six header lines, then `lat,lon,0,altitude in feet,days,date,time` in UTC."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.reader(file)):
            if number < _PLT_HEADER_LINES or not row:
                continue
            if len(row) < 7:
                trace.skipped["malformed"] += 1
                continue
            at = parse_time(f"{row[5].strip()} {row[6].strip()}")
            fix = _keep(trace, at, _number(row[0]), _number(row[1]))
            feet = _number(row[3])
            if fix is not None and feet is not None and feet != _NO_ALTITUDE_FEET:
                fix.altitude = round(feet * _METRES_PER_FOOT, 1)
    if not trace.fixes and not trace.skipped:
        raise BadTrace(f"{path} holds no position after its six header lines.")


# Header names by what they hold, compared in lower case without separators and units.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "lat": ("lat", "latitude", "latitudedeg", "latdeg", "y", "gpslat", "gpslatitude"),
    "lon": ("lon", "lng", "long", "longitude", "longitudedeg", "londeg", "x", "gpslon",
            "gpslongitude"),
    "time": ("time", "timestamp", "datetime", "recordedat", "fixtime", "gpstime", "tst", "ts",
             "utc", "utctime", "timeutc", "devicetime", "trackedat", "createdat", "unixtime",
             "epoch", "t"),
    "date": ("date", "day", "utcdate"),
    "speed": ("speed", "speedms", "speedmps", "speedmetersec", "velocity"),
    "speed_kmh": ("speedkmh", "speedkph", "kmh", "vel"),
    "speed_knots": ("speedknots", "speedkn", "knots"),
    "bearing": ("bearing", "heading", "course", "cog", "direction", "azimuth", "bearingdeg"),
    "altitude": ("altitude", "alt", "ele", "elevation", "altitudem", "elevationm", "height"),
    "altitude_ft": ("altitudeft", "altitudefeet", "elevationft"),
    "accuracy": ("accuracy", "acc", "hacc", "horizontalaccuracy", "accuracym", "hdopm"),
}  # fmt: skip


def _read_csv(path: Path, trace: Trace) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        head = file.read(4096)
        file.seek(0)
        delimiter = max(",;\t|", key=head.partition("\n")[0].count)
        rows = csv.reader(file, delimiter=delimiter)
        header = next(rows, None)
        if header is None:
            raise BadTrace(f"{path} is empty.")
        columns = _columns(header)
        missing = [name for name in ("lat", "lon") if name not in columns]
        if "time" not in columns and "date" not in columns:
            missing.append("time")
        if missing:
            names = ", ".join(header)
            raise BadTrace(f"{path} has no column for {' and '.join(missing)} among: {names}.")
        for row in _records(rows, columns, decimal_comma=delimiter == ";"):
            _csv_fix(row, trace)


def _columns(header: list[str]) -> dict[str, int]:
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in header]
    found: dict[str, int] = {}
    for name, aliases in _COLUMNS.items():
        at = next((plain.index(alias) for alias in aliases if alias in plain), None)
        if at is not None:
            found[name] = at
    return found


def _records(
    rows: Iterable[list[str]], columns: Mapping[str, int], *, decimal_comma: bool
) -> Iterator[dict[str, str]]:
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        record = {name: row[at] for name, at in columns.items() if at < len(row)}
        if decimal_comma:
            record = {name: _with_point(text) for name, text in record.items()}
        yield record


def _with_point(text: str) -> str:
    plain = text.replace(",", ".")
    return plain if text.count(",") == 1 and _number(plain) is not None else text


def _csv_fix(row: Mapping[str, str], trace: Trace) -> None:
    moment = " ".join(row[name].strip() for name in ("date", "time") if row.get(name))
    at = parse_time(moment)
    if at is None and "time" in row:
        # A column named "date" beside a complete time adds nothing.
        at = parse_time(row["time"])
    fix = _keep(trace, at, _number(row.get("lat")), _number(row.get("lon")))
    if fix is None:
        return
    fix.speed = _first(
        _number(row.get("speed")),
        _times(row.get("speed_kmh"), _MPS_PER_KMH),
        _times(row.get("speed_knots"), _MPS_PER_KNOT),
    )
    fix.bearing = _number(row.get("bearing"))
    fix.altitude = _first(
        _number(row.get("altitude")), _times(row.get("altitude_ft"), _METRES_PER_FOOT)
    )
    fix.accuracy = _number(row.get("accuracy"))


def _times(text: str | None, factor: float) -> float | None:
    value = _number(text)
    return None if value is None else value * factor


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
