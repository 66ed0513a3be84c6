"""Orders from a table file: what is wrong cell by cell, and what is made."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.dispatch.import_table import MOST_ROWS, template
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import seeded
from tests.tracking.fleet import somebody

Problem = Callable[[httpx.Response], dict[str, Any]]
HEADER, EXAMPLE = list(csv.reader(io.StringIO(template())))


def table(*rows: dict[str, str], delimiter: str = ",", columns: list[str] = HEADER) -> str:
    """The template with a line for each change of its example."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(columns)
    example = dict(zip(HEADER, EXAMPLE, strict=True))
    for number, row in enumerate(rows):
        values = {**example, "reference": f"R-{number}", "barcodes": f"B{number}", **row}
        values["weight_g"] = row.get("weight_g", "900")
        writer.writerow([values.get(name, "") for name in columns])
    return text.getvalue()


@pytest.fixture
async def agent(resources: Resources) -> dict[str, str]:
    await seeded(resources)
    return await somebody(resources, "support_agent", "TH-10")


async def send(
    client: httpx.AsyncClient, headers: dict[str, str], content: str | bytes, path: str = "/preview"
) -> httpx.Response:
    data = content.encode() if isinstance(content, str) else content
    headers = {**headers, "Content-Type": "text/csv"}
    return await client.post(f"/api/v1/orders/import{path}", content=data, headers=headers)


async def test_the_template_is_an_import_that_works(
    client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    answer = await client.get("/api/v1/orders/import/template.csv", headers=agent)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    preview = (await send(client, agent, answer.content)).json()
    assert (preview["rows"], preview["good"], preview["faults"]) == (1, 1, [])
    made = (await send(client, agent, answer.content, "")).json()
    assert (made["created"], made["duplicates"]) == (1, 0)
    order = (await client.get(f"/api/v1/orders/{made['numbers'][0]}", headers=agent)).json()
    assert order["payment"]["amount"] == {"minor": 12_500, "currency": "THB"}
    assert [parcel["weight_g"] for parcel in order["parcels"]] == [900, 400]
    again = (await send(client, agent, answer.content, "")).json()
    assert (again["created"], again["duplicates"]) == (0, 1)
    seen = (await send(client, agent, answer.content)).json()
    assert (seen["good"], seen["duplicates"]) == (0, 1)


ENCODINGS: list[tuple[str, Callable[[str], bytes]]] = [
    (",", lambda text: text.encode("utf-8-sig")),
    (";", str.encode),
    ("\t", lambda text: text.encode("utf-16")),
    (",", lambda text: text.replace("\r\n", "\n").encode()),
]


@pytest.mark.parametrize(("delimiter", "encode"), ENCODINGS)
async def test_files_come_in_many_encodings(
    client: httpx.AsyncClient,
    agent: dict[str, str],
    delimiter: str,
    encode: Callable[[str], bytes],
) -> None:
    text = table({"drop_name": "มาลี ศรีสุข", "amount": "12,50"}, delimiter=delimiter)
    made = (await send(client, agent, encode(text), "")).json()
    order = (await client.get(f"/api/v1/orders/{made['numbers'][0]}", headers=agent)).json()
    assert order["drop"]["name"].startswith("ม")
    assert order["payment"]["amount"]["minor"] == 1_250


async def test_times_without_an_offset_are_the_citys(
    client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    day = (clock.now() + timedelta(days=3)).date()
    text = table({"drop_from": f"{day} 09:00", "drop_until": f"{day} 12:00"})
    made = (await send(client, agent, text, "")).json()
    order = (await client.get(f"/api/v1/orders/{made['numbers'][0]}", headers=agent)).json()
    assert order["drop"]["window"] == [f"{day}T02:00:00Z", f"{day}T05:00:00Z"]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"region": "XX-1"}, "region", "unknown"),
        ({"region": "IN-KA", "currency": "INR", "pickup_lat": "12.97", "pickup_lon": "77.59",
          "drop_lat": "12.97", "drop_lon": "77.6"}, "region", "forbidden"),
        ({"drop_phone": "081"}, "drop_phone", "string_pattern_mismatch"),
        ({"drop_lat": "north"}, "drop_lat", "not_a_number"),
        ({"drop_lat": "nan"}, "drop_lat", "not_a_number"),
        ({"drop_lat": "48.2", "drop_lon": "16.4"}, "drop_lat", "outside_region"),
        ({"pickup_address": ""}, "pickup_address", "string_too_short"),
        ({"pickup_from": "tomorrow", "pickup_until": "2030-01-01"}, "pickup_from", "not_a_time"),
        ({"pickup_from": "2030-01-01 09:00"}, "pickup_until", "missing"),
        ({"pickup_from": "2030-01-01 09:00", "pickup_until": "2030-01-01 08:00"}, "pickup_from",
         "reversed"),
        ({"amount": "12.345"}, "amount", "too_fine"),
        ({"amount": "1,250.00"}, "amount", "not_a_number"),
        ({"amount": "-1"}, "amount", "greater_than_equal"),
        ({"amount": ""}, "amount", "not_a_number"),
        ({"amount": "0"}, "amount", "zero"),
        ({"currency": "INR"}, "currency", "wrong_currency"),
        ({"terms": "later"}, "terms", "literal_error"),
        ({"terms": "wallet"}, "wallet_id", "missing"),
        ({"barcodes": ""}, "barcodes", "too_short"),
        ({"barcodes": "A|A"}, "barcodes", "repeated"),
        ({"barcodes": "A|B|C", "weight_g": "1|2"}, "weight_g", "wrong_count"),
        ({"weight_g": "1.5"}, "weight_g", "not_a_number"),
        ({"weight_g": "9000000"}, "weight_g", "less_than_equal"),
        ({"vehicle": "rocket"}, "vehicle", "literal_error"),
        ({"promised_at": "2020-01-01"}, "promised_at", "in_past"),
        ({"tags": "ok !no"}, "tags", "string_pattern_mismatch"),
        ({"reference": "R-0"}, "reference", "repeated"),
    ],
)  # fmt: skip
async def test_a_wrong_cell_is_named_by_line_and_column(
    client: httpx.AsyncClient,
    agent: dict[str, str],
    change: dict[str, str],
    column: str,
    code: str,
) -> None:
    preview = (await send(client, agent, table({}, {}, change))).json()
    assert (preview["rows"], preview["good"]) == (3, 2)
    told = {(fault["line"], fault["column"], fault["code"]) for fault in preview["faults"]}
    assert (4, column, code) in told, preview["faults"]
    assert {line for line, _, _ in told} == {4}


async def test_wrong_rows_stop_an_import_unless_they_are_skipped(
    client: httpx.AsyncClient, agent: dict[str, str], problem_of: Problem
) -> None:
    text = table({}, {"amount": "x"}, {})
    refused = await send(client, agent, text, "")
    assert refused.status_code == 422
    assert problem_of(refused)["errors"][0]["pointer"] == "/3/amount"
    assert (await client.get("/api/v1/orders", headers=agent)).json()["items"] == []
    made = (await send(client, agent, text, "?skip_wrong=true")).json()
    assert (made["created"], made["refused"]) == (2, 1)


async def test_a_reference_of_another_order_is_a_fault(
    client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    await send(client, agent, table({}), "")
    preview = (await send(client, agent, table({"drop_address": "Elsewhere 12"}))).json()
    assert [(fault["line"], fault["code"]) for fault in preview["faults"]] == [(2, "differs")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "missing_column"),
        (b"reference,region\nA,B\n", "missing_column"),
        (template().encode() + b"\xff\xfe\xfd", "encoding"),
        (template().encode() + b'"open', "bad_table"),
        (template().encode() + b"\0", "encoding"),
        (template().replace("tags", "terms").encode(), "repeated_column"),
    ],
)
async def test_a_file_that_is_no_table_is_refused(
    client: httpx.AsyncClient,
    agent: dict[str, str],
    problem_of: Problem,
    content: bytes,
    code: str,
) -> None:
    answer = await send(client, agent, content)
    assert answer.status_code == 422
    assert code in [error["code"] for error in problem_of(answer)["errors"]]


async def test_a_file_with_too_many_rows_is_refused(
    client: httpx.AsyncClient, agent: dict[str, str]
) -> None:
    text = ",".join(HEADER) + "\n" + "a\n" * (MOST_ROWS + 1)
    assert (await send(client, agent, text)).status_code == 413
    wide = table({}) + ",".join("x" * 40) + "\n"
    [fault] = (await send(client, agent, wide)).json()["faults"]
    assert (fault["line"], fault["code"]) == (3, "too_many_cells")


async def test_an_export_is_masked_safe_and_can_be_filtered(
    client: httpx.AsyncClient, agent: dict[str, str], resources: Resources
) -> None:
    await send(client, agent, table({"drop_address": "=HYPERLINK(1)", "reference": "@SUM"}, {}), "")
    viewer = await somebody(resources, "viewer", "TH-10")
    answer = await client.get("/api/v1/orders.csv", params={"q": "@SUM"}, headers=viewer)
    assert answer.content.startswith("\ufeffnumber".encode())
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["reference"], row["drop_address"]) == ("'@SUM", "'=HYPERLINK(1)")
    assert (row["drop_name"], row["amount"]) == ("M••• S•••", "125.00 THB")
    everything = await client.get("/api/v1/orders.csv", headers=viewer)
    assert len(everything.text.splitlines()) == 3
    admin = await somebody(resources, "admin")
    trail = (await client.get("/api/v1/audit?action=orders.exported", headers=admin)).json()
    assert [entry["after"].get("q") for entry in trail["items"]] == [None, "@SUM"]
