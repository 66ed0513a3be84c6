"""SMS and WhatsApp through one gateway, by a protocol that any provider's adapter can speak.

A message is a POST of JSON, signed as Standard Webhooks are, whose `webhook-id` is the same for the
same sending. 2xx takes it, and may say that it is delivered; 408, 425, 429 and 5xx are asked again,
other refusals are final. What becomes of it is told to `/api/hooks/messages`, signed likewise.
"""

from __future__ import annotations

from typing import Any

import orjson

from backend.notifications.channels import asking
from backend.notifications.channels.protocol import Answer, Letter, Outcome
from backend.notifications.signing import headers
from backend.platform import clock


class Gateway:
    """The message gateway at one address."""

    name = "gateway"

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self._http = asking.client()

    async def send(self, letter: Letter) -> Answer:
        """Hand a message over."""
        body = orjson.dumps(
            {
                "id": str(letter.id),
                "channel": letter.channel,
                "to": letter.address,
                "text": letter.text,
                "kind": letter.kind,
                "params": dict(letter.params),
                "language": letter.language,
                "attempt": letter.attempt,
                "repeat": letter.repeat,
                "expires_at": letter.expires_at,
            }
        )
        sending = f"{letter.id}.{letter.channel}.{letter.attempt}"
        answer = await asking.post(
            self._http,
            self._url,
            body,
            {
                "content-type": "application/json",
                "user-agent": "Waypost-Messages/1",
                **headers(sending, body.decode(), [self._secret], clock.now()),
            },
        )
        if isinstance(answer, Answer):
            return answer
        said = _said(answer.content)
        if answer.is_success:
            delivered = said.get("state") == "delivered"
            return Answer(Outcome.DELIVERED if delivered else Outcome.SENT)
        detail = said.get("detail")
        words = str(detail)[:300] if detail else f"The gateway answered {answer.status_code}."
        return asking.refusal(answer, words)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._http.aclose()


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
