"""The region tree as its codes spell it: `*` over `TH` over `TH-10` over `TH-10.siam`."""

from collections.abc import Sequence

EVERYWHERE = "*"


def parent(code: str) -> str | None:
    """The code one step up the tree, `*` above a country, None above `*`."""
    if code == EVERYWHERE:
        return None
    for separator in (".", "-"):
        head, found, _ = code.rpartition(separator)
        if found:
            return head
    return EVERYWHERE


def covers(scope: str, code: str) -> bool:
    """Whether `code` is `scope` itself or lies below it."""
    if scope in (EVERYWHERE, code):
        return True
    return code.startswith(scope) and code[len(scope)] in "-."


def narrowed(scopes: Sequence[str], region: str) -> list[str]:
    """The part of the scopes that lies at `region` or below; empty where they do not meet."""
    if any(covers(scope, region) for scope in scopes):
        return [region]
    return [scope for scope in scopes if covers(region, scope)]
