"""Whether a caller may do something in a region: Casbin over `policies/`, with a decision cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import casbin
from casbin.persist.adapters.string_adapter import StringAdapter

from backend.identity.schemas import GrantScope, Principal
from backend.platform.errors import Forbidden
from backend.platform.scopes import EVERYWHERE, covers
from backend.platform.telemetry import get_logger

FOLDER = Path(__file__).resolve().parents[2] / "policies"
_FILES = ("model.conf", "policy.csv")
_CACHE_SIZE = 65_536
_LOOK_EVERY_S = 0.5
# The name under which the one caller being judged stands in the role manager.
_CALLER = "caller"

_log = get_logger(__name__)


class Denied(Forbidden):
    """The policy does not allow this caller this permission in this region."""

    def __init__(
        self, principal: Principal, permission: str, region: str | None, called: str | None = None
    ) -> None:
        place = "" if region in (None, EVERYWHERE) else f" in {called or region}"
        super().__init__(f"Your roles do not include {permission}{place}.")
        self.principal = principal
        self.permission = permission
        self.region = region

    def told(self, names: Mapping[str, str]) -> Denied:
        """The same for people, who know the region by its name; programs go by its code."""
        return Denied(self.principal, self.permission, self.region, names.get(self.region or ""))


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One permission line of `policy.csv`."""

    subject: str
    region: str
    permission: str
    allows: bool


def _clean(text: str) -> list[str]:
    return [line for raw in text.splitlines() if (line := raw.strip()) and line[0] != "#"]


class Policy:
    """The policy files as loaded once, and the decisions made with them."""

    def __init__(self, model_text: str, policy_text: str) -> None:
        lines = _clean(policy_text)
        model = casbin.Enforcer.new_model(text=model_text)
        self._enforcer: Any = casbin.Enforcer(model, StringAdapter("\n".join(lines)))
        self._enforcer.add_function("covers", covers)
        self._roles = self._enforcer.get_role_manager()
        self._roles.add_domain_matching_func(lambda region, scope: covers(scope, region))
        self._inclusions = [tuple(row) for row in self._enforcer.get_grouping_policy()]
        self.lines = tuple(
            PolicyLine(subject, region, f"{obj}:{act}", effect == "allow")
            for subject, region, obj, act, effect in self._enforcer.get_policy()
        )
        wrong = [row for row in self._enforcer.get_policy() if row[4] not in ("allow", "deny")]
        if wrong:
            # Casbin would take any other word for neither, and lose a misspelt deny.
            raise ValueError(f"policy lines that neither allow nor deny: {wrong}")
        self.permissions = frozenset(line.permission for line in self.lines)
        self.roles = tuple(
            dict.fromkeys(
                name.removeprefix("role:")
                for name in [line.subject for line in self.lines]
                + [row[0] for row in self._inclusions]
            )
        )
        self.version = hashlib.sha256(f"{model_text}\0{policy_text}".encode()).hexdigest()[:12]
        self._regions = tuple(dict.fromkeys(line.region for line in self.lines))
        self._lock = Lock()
        self._decisions: dict[tuple[tuple[GrantScope, ...], str, str], bool] = {}

    @property
    def includes(self) -> dict[str, tuple[str, ...]]:
        """The roles each role includes directly."""
        found: dict[str, tuple[str, ...]] = {}
        for role, included, _ in self._inclusions:
            name = role.removeprefix("role:")
            found[name] = (*found.get(name, ()), included.removeprefix("role:"))
        return found

    def allows(self, grants: tuple[GrantScope, ...], permission: str, region: str) -> bool:
        """Whether these grants together hold `permission` in `region`."""
        key = (grants, permission, region)
        known = self._decisions.get(key)
        if known is None:
            known = self._decide(grants, permission, region)
            if len(self._decisions) >= _CACHE_SIZE:
                self._decisions.clear()
            self._decisions[key] = known
        return known

    def scopes(self, grants: tuple[GrantScope, ...], permission: str) -> tuple[str, ...]:
        """The highest regions in which these grants hold `permission`.

        Exact because a deny line always stands at `*` (the policy lint sees to it): below a region
        that is allowed nothing is taken away again.
        """
        candidates = {grant.region for grant in grants}
        candidates |= {
            line for line in self._regions if any(covers(grant.region, line) for grant in grants)
        }
        held = [code for code in candidates if self.allows(grants, permission, code)]
        return highest(held)

    def permissions_of(self, role: str) -> frozenset[str]:
        """Every permission the role holds, its included roles' counted."""
        grants = (GrantScope(role, EVERYWHERE),)
        return frozenset(name for name in self.permissions if self.scopes(grants, name))

    def _decide(self, grants: tuple[GrantScope, ...], permission: str, region: str) -> bool:
        obj, _, act = permission.partition(":")
        # The role manager holds this one caller's grants and no one else's while it is asked.
        with self._lock:
            self._roles.clear()
            for role, included, scope in self._inclusions:
                self._roles.add_link(role, included, scope)
            for grant in grants:
                self._roles.add_link(_CALLER, f"role:{grant.role}", grant.region)
            try:
                return self._enforcer.enforce(_CALLER, region, obj, act) is True
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, the answer is no
                _log.error("policy_decision_failed", permission=permission, error=repr(error))
                return False


def highest(regions: list[str]) -> tuple[str, ...]:
    """`regions` without those that lie below another of them, sorted."""
    return tuple(
        sorted(
            code
            for code in set(regions)
            if not any(other != code and covers(other, code) for other in regions)
        )
    )


class PolicyFiles:
    """The policy in a folder, read again within half a second of a change to its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = self._stamped()
        self._policy = load_policy(folder)
        self._looked_at = monotonic()

    def current(self) -> Policy:
        """The newest policy that could be read; a broken file leaves the one before in force."""
        if monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = monotonic()
            self._look()
        return self._policy

    def _look(self) -> None:
        try:
            stamp = self._stamped()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._policy = load_policy(self._folder)
        except (OSError, RuntimeError, ValueError) as error:
            _log.error("policy_not_read", error=repr(error))
        else:
            _log.info("policy_read", version=self._policy.version)

    def _stamped(self) -> tuple[int, ...]:
        found = [(self._folder / name).stat() for name in _FILES]
        return tuple(part for stat in found for part in (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=1)
def _files() -> PolicyFiles:
    return PolicyFiles(FOLDER)


def current_policy() -> Policy:
    """The policy of this process, from `policies/`."""
    return _files().current()


def load_policy(folder: Path) -> Policy:
    """Read `model.conf` and `policy.csv` in `folder`; raises ValueError for an unknown effect."""
    model_text, policy_text = ((folder / name).read_text() for name in _FILES)
    return Policy(model_text, policy_text)


_OURS_ALONE = ("escalations:", "messages:read")
"""What lies in regions and belongs to no marketplace: all their customers' words are in it."""


def may(principal: Principal, permission: str, region: str | None = None) -> bool:
    """Whether the caller holds `permission` in `region`; without a region, anywhere at all."""
    if principal.kind == "system":
        return True
    if region is None:
        return bool(scopes(principal, permission))
    if _named(principal, permission):
        return any(covers(scope, region) for scope in principal.regions)
    return current_policy().allows(principal.grants, permission, region)


def merchant_of(principal: Principal) -> str | None:
    """The marketplace whose things are all that the caller sees; None for people and roles.

    An integration with permissions of its own is a marketplace; one that acts by a role is not.
    """
    return principal.id if principal.kind == "service" and not principal.grants else None


def _named(principal: Principal, permission: str) -> bool:
    """Whether a token names the permission, and a marketplace may have it."""
    if permission not in principal.permissions:
        return False
    return merchant_of(principal) is None or not permission.startswith(_OURS_ALONE)


def authorize(principal: Principal, permission: str, region: str | None = None) -> None:
    """Let the caller pass or raise Denied; without a region, holding it anywhere is enough."""
    if not may(principal, permission, region):
        raise Denied(principal, permission, region)


def scopes(principal: Principal, permission: str) -> tuple[str, ...]:
    """The highest regions in which the caller holds `permission`; `("*",)` is everywhere."""
    if principal.kind == "system":
        return (EVERYWHERE,)
    if _named(principal, permission):
        return highest(list(principal.regions))
    return current_policy().scopes(principal.grants, permission)
