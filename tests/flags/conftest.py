"""People, flags and environments of the tests of feature flags."""

from __future__ import annotations

from typing import Any

import pytest

from backend.flags import service
from backend.flags.rule_schemas import FlagSpec
from backend.flags.schemas import FlagDetail, SaveIn, SaveResult
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.platform.resources import Resources
from backend.regions import service as regions

ADA = Principal("user", "user:ada", "Ada Admin", (GrantScope("admin", "*"),))
BO = Principal("user", "user:bo", "Bo Admin", (GrantScope("admin", "*"),))
ADMIN_TH = Principal("user", "user:admin-th", "Chai Admin", (GrantScope("admin", "TH"),))
VIEWER = Principal("user", "user:viewer", "Vi Viewer", (GrantScope("viewer", "VN"),))
SCRIPT = Principal("service", "service:script", "script", (GrantScope("admin", "*"),))


def rule(number: int, *conditions: tuple[str, str, list[Any]], share: int = 100_000) -> Any:
    """A rule that serves `on`."""
    return {
        "id": f"r{number}",
        "conditions": [
            {"attribute": attribute, "operator": operator, "values": values}
            for attribute, operator, values in conditions
        ],
        "serve": [{"variant": "on", "share": share}],
    }


def spec(key: str = "wallet-topup", **more: Any) -> FlagSpec:
    """The smallest flag: on and off, off for everyone."""
    return FlagSpec.model_validate(
        {
            "key": key,
            "owner": "payments",
            "variants": {"on": True, "off": False},
            "default_variant": "off",
            "off_variant": "off",
            **more,
        }
    )


class Flags:
    """Flags of one database, each verb in a unit of work of its own."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    async def call(self, verb: Any, *args: Any, **more: Any) -> Any:
        """What the verb answers."""
        async with self.resources.database.unit_of_work() as session:
            return await verb(session, *args, **more)

    async def save(
        self,
        wanted: FlagSpec,
        seen: int = 0,
        *,
        by: Principal = ADA,
        environment: str = "production",
        confirm: str | None = None,
        **more: Any,
    ) -> SaveResult:
        """Save with the key typed."""
        typed = wanted.key if confirm is None else confirm
        asked = SaveIn(
            environment=environment, spec=wanted, version_seen=seen,
            reason="because of the test", confirm=typed, **more,
        )  # fmt: skip
        result: SaveResult = await self.call(service.save_flag, by, asked)
        return result

    async def get(self, key: str = "wallet-topup", environment: str = "production") -> FlagDetail:
        """The flag as an admin sees it."""
        found: FlagDetail = await self.call(service.get_flag, ADA, key, environment)
        return found

    async def served(self, key: str = "wallet-topup", **context: Any) -> str | None:
        """The variant that production serves."""
        found = await self.call(service.published, "production")
        from backend.flags import evaluate

        document = {"flags": found.flags, "$evaluators": found.evaluators}
        return evaluate(document, key, {"targetingKey": "someone", **context}).variant


@pytest.fixture
async def flags(resources: Resources) -> Flags:
    """An empty environment over the sample regions."""
    async with resources.database.unit_of_work() as session:
        await regions.seed(session, SYSTEM)
    return Flags(resources)
