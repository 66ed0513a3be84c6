"""The list of flags as a file, where flags are served, and how it goes there."""

from __future__ import annotations

import csv
import io

import httpx

from backend.flags import count_repository, service
from backend.flags.schemas import Outcome
from backend.identity.schemas import SYSTEM
from backend.identity.service import issue_api_token
from backend.platform import clock
from tests.flags.conftest import ADA, VIEWER, Flags, rule, spec
from tests.support.in_process import shared_api


async def test_the_list_is_a_file_without_formulas_and_the_export_is_recorded(flags: Flags) -> None:
    await flags.save(spec("a-sum", description="=SUM(A1)"))
    await flags.save(spec("b-on", rules=[rule(1)]))
    issued = await flags.call(issue_api_token, SYSTEM, "viewer", role="viewer", regions=("VN",))
    headers = {"Authorization": f"Bearer {issued.secret}"}
    transport = httpx.ASGITransport(shared_api())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/api/v1/flags.csv?state=off", headers=headers)
        unknown = await client.get("/api/v1/flags.csv?state=odd", headers=headers)
        nobody = await client.get("/api/v1/flags.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["key"], row["state"], row["description"]) == ("a-sum", "off", "'=SUM(A1)")
    assert (unknown.status_code, nobody.status_code) == (422, 401)


async def test_the_exposure_of_many_flags_is_that_of_each(flags: Flags) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for key in ("a", "b", "c"):
        await flags.save(spec(key))
    rows = [
        {"environment": "production", "key": key, "hour": hour, "region": region,
         "variant": "on", "asked": asked}
        for key, region, asked in (("a", "VN-SG", 3), ("a", "TH-10", 5), ("b", "TH-10", 7))
    ]  # fmt: skip
    await flags.call(count_repository.add_exposure, rows)
    for caller in (ADA, VIEWER):
        together = await flags.call(service.exposures, caller, ["a", "b", "c"])
        for key in ("a", "b", "c"):
            assert together[key] == await flags.call(service.exposure, caller, key)
    assert [each.asked for each in together["a"]] == [3]


async def test_outcomes_are_shown_by_minute_and_only_of_the_callers_regions(flags: Flags) -> None:
    await flags.save(spec(rules=[rule(1)]))
    told = [
        Outcome(key="wallet-topup", variant="on", region="VN-SG", good=9, bad=1),
        Outcome(key="wallet-topup", variant="on", region="TH-10", good=5, bad=0),
        Outcome(key="wallet-topup", variant="off", region="VN-SG", good=20, bad=0),
    ]
    await flags.call(service.report_outcomes, ADA, told)
    everywhere = await flags.call(service.outcome_minutes, ADA, "wallet-topup")
    assert {(each.variant, each.good, each.bad) for each in everywhere} == {
        ("on", 14, 1),
        ("off", 20, 0),
    }
    of_viet_nam = await flags.call(service.outcome_minutes, VIEWER, "wallet-topup")
    assert {(each.variant, each.good, each.bad) for each in of_viet_nam} == {
        ("on", 9, 1),
        ("off", 20, 0),
    }
