"""One HTTP question to a service that carries messages, and how its refusal is to be read."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from backend.notifications.channels.protocol import TIMEOUT_S, Answer, Outcome

_COME_BACK = frozenset({408, 425, 429})
_LONGEST_WAIT_S = 3600.0


def client(base_url: str = "") -> httpx.AsyncClient:
    """A client that asks where the settings say and nowhere else."""
    return httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_S, trust_env=False)


async def post(
    http: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> httpx.Response | Answer:
    """The service's answer, or that there was none."""
    try:
        return await http.post(url, content=body, headers=dict(headers))
    except httpx.TimeoutException:
        return Answer(Outcome.LATER, f"No answer within {TIMEOUT_S:.0f} s.")
    except httpx.HTTPError as error:
        return Answer(Outcome.LATER, f"No connection: {str(error)[:200] or type(error).__name__}")


def refusal(answer: httpx.Response, why: str) -> Answer:
    """A status that is no success: ask again later, or not on this channel."""
    later = answer.status_code >= 500 or answer.status_code in _COME_BACK
    wait = answer.headers.get("retry-after", "")
    wait_s = min(_LONGEST_WAIT_S, float(wait)) if wait.isdecimal() and len(wait) < 7 else 0.0
    return Answer(Outcome.LATER if later else Outcome.NEVER, why, wait_s)
