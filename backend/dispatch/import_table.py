"""Reads a table file of orders: its encoding, its columns, and each cell as part of an order."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from backend.dispatch.order_schemas import RowFault
from backend.platform.errors import FieldError, Invalid, TooLarge
from backend.platform.money import EXPONENTS
from backend.platform.spreadsheet import lines, uncovered
from backend.regions.service import Directory

MOST_ROWS = 5_000
_PLACE = ("name", "phone", "address", "lat", "lon", "from", "until")
REQUIRED = (
    "reference",
    "region",
    *(f"{end}_{part}" for end in ("pickup", "drop") for part in _PLACE[:5]),
    "barcodes",
    "weight_g",
    "terms",
    "amount",
)
COLUMNS = (
    "reference",
    "region",
    "service",
    *(f"{end}_{part}" for end in ("pickup", "drop") for part in _PLACE),
    "barcodes",
    "weight_g",
    "volume_cm3",
    "terms",
    "amount",
    "currency",
    "wallet_id",
    "promised_at",
    "vehicle",
    "skills",
    "tags",
)
_EXAMPLE = {
    "reference": "MKT-1001", "region": "TH-10", "service": "standard",
    "pickup_name": "Siam Books", "pickup_phone": "+6621234567",
    "pickup_address": "991 Rama I Road", "pickup_lat": "13.7456", "pickup_lon": "100.5341",
    "drop_name": "Malee Srisuk", "drop_phone": "+66812345678",
    "drop_address": "12 Sala Daeng Road", "drop_lat": "13.7307", "drop_lon": "100.5418",
    "barcodes": "PC0001|PC0002", "weight_g": "900|400", "terms": "cod", "amount": "125.00",
    "currency": "THB", "tags": "fragile",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows by column, each with the line it begins on."""

    columns: list[str]
    rows: list[tuple[int, dict[str, str]]]
    faults: list[RowFault]


def template() -> str:
    """An empty table with one row that shows how it is filled."""
    return lines([COLUMNS, [_EXAMPLE.get(name) for name in COLUMNS]])


def read_table(content: bytes) -> Table:
    """The file's table; raises Invalid where it is none, TooLarge above `MOST_ROWS` rows.

    UTF-8 and UTF-16 with their marks; commas, semicolons or tabs between the cells.
    """
    text = _text(content)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    rows: list[tuple[int, dict[str, str]]] = []
    faults = []
    line = 1
    try:
        for cells in reader:
            if not columns:
                columns = [name.strip().lower() for name in cells]
                _check_columns(columns)
            elif any(value.strip() for value in cells):
                if len(rows) == MOST_ROWS:
                    raise TooLarge(f"A file holds at most {MOST_ROWS} orders.")
                if len(cells) > len(columns):
                    detail = f"The row has {len(cells)} cells for {len(columns)} columns."
                    faults.append(
                        RowFault(line=line, column=None, code="too_many_cells", detail=detail)
                    )
                else:
                    values = [uncovered(value.strip()) for value in cells]
                    rows.append((line, dict(zip(columns, values, strict=False))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(
            "bad_table", f"Line {reader.line_num} is no table row: {error}."
        ) from error
    if not columns:
        raise _unreadable("empty", "The file is empty.")
    return Table(columns, rows, faults)


def _text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        detail = f"Line {line} is not UTF-8: save the file as CSV UTF-8."
        raise _unreadable("encoding", detail) from error
    if "\0" in text:
        raise _unreadable("encoding", "The file holds zero bytes: it is no text.")
    return text


def _check_columns(columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    twice = sorted({name for name in columns if columns.count(name) > 1 and name})
    faults = [
        *(FieldError("/1", "missing_column", f"The column {name} is missing.") for name in missing),
        *(
            FieldError("/1", "repeated_column", f"The column {name} is there twice.")
            for name in twice
        ),
    ]
    if faults:
        raise Invalid(" ".join(fault.detail for fault in faults), errors=faults)


def _unreadable(code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError("", code, detail)])


class _Wrong(Exception):
    """A cell that cannot be read."""

    def __init__(self, column: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.column, self.code, self.detail = column, code, detail


def body_of(cells: Mapping[str, str], directory: Directory) -> tuple[dict[str, Any], list[_Wrong]]:
    """The order that a row spells, as it would come over the wire, and the cells in the way.

    Times without an offset are the city's; amounts are in major units.
    """
    region = directory.get(cells.get("region", ""))
    zone = ZoneInfo(region.time_zone) if region and region.time_zone else ZoneInfo("UTC")
    currency = cells.get("currency") or (region.currency if region else None) or ""
    wrong: list[_Wrong] = []
    reading = _Reading(cells, zone, wrong)
    body: dict[str, Any] = {
        "reference": cells["reference"],
        "region": cells["region"],
        "pickup": reading.place("pickup"),
        "drop": reading.place("drop"),
        "parcels": reading.parcels(),
        "payment": {
            "terms": cells["terms"].lower(),
            "amount": {"minor": reading.minor("amount", currency), "currency": currency},
        },
        "skills": _words(cells.get("skills")),
        "tags": _words(cells.get("tags")),
    }
    for name in ("service", "vehicle"):
        if cells.get(name):
            body[name] = cells[name].lower()
    if cells.get("wallet_id"):
        body["payment"]["wallet_id"] = cells["wallet_id"]
    if cells.get("promised_at"):
        body["promised_at"] = reading.time("promised_at")
    return body, wrong


@dataclass(frozen=True, slots=True)
class _Reading:
    """One row being read; what cannot be read is noted and the rest goes on."""

    cells: Mapping[str, str]
    zone: ZoneInfo
    wrong: list[_Wrong]

    def _note(self, column: str, code: str, detail: str) -> None:
        self.wrong.append(_Wrong(column, code, detail))

    def place(self, end: str) -> dict[str, Any]:
        """A contact with its point and window."""
        found: dict[str, Any] = {
            part: self.cells[f"{end}_{part}"] for part in ("name", "phone", "address")
        }
        for part in ("lat", "lon"):
            number = self.number(f"{end}_{part}")
            found[part] = None if number is None else float(number)
        opens, closes = (self.cells.get(f"{end}_{part}") for part in ("from", "until"))
        if opens and closes:
            found["window"] = [self.time(f"{end}_from"), self.time(f"{end}_until")]
        elif opens or closes:
            missing = f"{end}_{'until' if opens else 'from'}"
            self._note(missing, "missing", "A window has a beginning and an end.")
        return found

    def parcels(self) -> list[dict[str, Any]]:
        """A parcel for each barcode; one weight stands for all of them, or each has its own."""
        barcodes = self.cells["barcodes"].replace("|", " ").split()
        weights = self._each("weight_g", len(barcodes))
        volumes = self._each("volume_cm3", len(barcodes))
        return [
            {
                "barcode": barcode,
                "weight_g": weight,
                **({} if volume is None else {"volume_cm3": volume}),
            }
            for barcode, weight, volume in zip(barcodes, weights, volumes, strict=True)
        ]

    def _each(self, column: str, count: int) -> list[int | None]:
        values = [
            self._whole(column, word)
            for word in self.cells.get(column, "").replace("|", " ").split()
        ]
        if len(values) <= 1:
            return (values or [None]) * count
        if len(values) != count:
            detail = f"{count} barcodes have {len(values)} values here."
            self._note(column, "wrong_count", detail)
            return [None] * count
        return values

    def _whole(self, column: str, word: str) -> int | None:
        if word.isascii() and word.isdigit() and len(word) < 12:
            return int(word)
        self._note(column, "not_a_number", f"{word[:40]} is not a whole number.")
        return None

    def number(self, column: str) -> Decimal | None:
        """A decimal number, with a point or one comma."""
        word = self.cells[column]
        plain = word.replace(",", ".") if word.count(",") == 1 and "." not in word else word
        try:
            number = Decimal(plain)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and len(word) < 30:
            return number
        self._note(column, "not_a_number", f"{word[:40] or 'Nothing'} is not a number.")
        return None

    def minor(self, column: str, currency: str) -> int | None:
        """An amount of major units in minor ones."""
        number = self.number(column)
        if number is None or currency not in EXPONENTS:
            return None if number is None else 0
        scaled = number.scaleb(EXPONENTS[currency])
        if scaled == scaled.to_integral_value():
            return int(scaled)
        detail = f"{self.cells[column]} is finer than {currency} is divided."
        self._note(column, "too_fine", detail)
        return None

    def time(self, column: str) -> str | None:
        """A time in ISO 8601, the city's where no offset is said."""
        word = self.cells[column]
        try:
            at = datetime.fromisoformat(word)
            local = at if at.tzinfo else at.replace(tzinfo=self.zone)
            return local.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            detail = f"{word[:40]} is not a time such as 2026-01-31 09:00."
            self._note(column, "not_a_time", detail)
            return None


def _words(text: str | None) -> list[str]:
    return (text or "").replace("|", " ").lower().split()


def column_of(pointer: str, code: str) -> str | None:
    """The column that a fault in an order comes from, by its pointer and code."""
    match pointer.strip("/").split("/"):
        case ["pickup" | "drop" as end, "window", *rest]:
            return f"{end}_{'until' if rest == ['1'] else 'from'}"
        case ["pickup" | "drop" as end, part, *_]:
            return f"{end}_{part}"
        case ["parcels", _, "weight_g" | "volume_cm3" as part]:
            return part
        case ["parcels"]:
            return {"too_heavy": "weight_g", "too_large": "volume_cm3"}.get(code, "barcodes")
        case ["parcels", *_]:
            return "barcodes"
        case ["payment", "amount", "currency"]:
            return "currency"
        case ["payment", part, *_]:
            return part
        case [name, *_] if name in COLUMNS:
            return name
    return None
