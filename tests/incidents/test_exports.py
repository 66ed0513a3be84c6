"""Incidents and alerts as files: what a caller may see, and no more."""

from __future__ import annotations

import csv
from io import StringIO

import httpx

from backend.identity import service as identity
from backend.identity.schemas import AuditFilter
from backend.platform.resources import Resources

from .world import ADMIN, raised


async def _token(resources: Resources, role: str, region: str) -> dict[str, str]:
    async with resources.database.unit_of_work() as session:
        issued = await identity.issue_api_token(
            session, ADMIN, f"exporter-{role.replace('_', '-')}-{region.lower()}",
            role=role, regions=(region,),
        )  # fmt: skip
    return {"Authorization": f"Bearer {issued.secret}"}


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(answer.text.lstrip("\ufeff"))))


async def test_a_file_holds_the_rows_of_the_callers_regions(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    one = await raised(resources, "exported")
    mine, foreign = await _token(resources, "viewer", "TH"), await _token(resources, "viewer", "VN")
    rows = _rows(await client.get("/api/v1/incidents.csv", headers=mine))
    row = next(each for each in rows if each["number"] == one.number)
    assert (row["severity"], row["state"], row["regions"]) == ("SEV2", "triggered", "TH-10")
    assert one.number not in [
        each["number"] for each in _rows(await client.get("/api/v1/incidents.csv", headers=foreign))
    ]
    alerts = _rows(await client.get("/api/v1/alerts.csv?status=firing", headers=mine))
    assert "exported" in [each["key"] for each in alerts]


async def test_filters_narrow_the_file_and_it_is_recorded(
    resources: Resources, client: httpx.AsyncClient
) -> None:
    await raised(resources, "narrowed")
    headers = await _token(resources, "viewer", "TH-10")
    none = await client.get("/api/v1/incidents.csv?states=closed&states=merged", headers=headers)
    assert _rows(none) == []
    answer = await client.get("/api/v1/incidents.csv?nonsense=1", headers=headers)
    assert answer.status_code == 422
    async with resources.database.unit_of_work() as session:
        found = await identity.list_audit(session, ADMIN, AuditFilter(action="incidents.exported"))
    assert found
