"""Pushes through Firebase Cloud Messaging, HTTP v1.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages and ErrorCode there; the
token by RFC 7523: https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from backend.notifications.channels import asking
from backend.notifications.channels.protocol import Answer, Letter, Outcome
from backend.platform import clock

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFE_S = 3600
_RENEWED_BEFORE_S = 120.0
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Account:
    """A service account as Google hands it out."""

    project: str
    email: str
    key: str
    key_id: str


def read_account(path: Path) -> Account:
    """The account in a JSON key file; raises ValueError for a file that is none."""
    try:
        read = orjson.loads(path.read_bytes())
        return Account(
            read["project_id"], read["client_email"], read["private_key"], read["private_key_id"]
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the key file of a service account") from error


class Firebase:
    """One project's messages, with an access token that is renewed before it ends."""

    name = "fcm"

    def __init__(self, account: Account, url: str, token_url: str) -> None:
        self._account = account
        self._url = f"{url.rstrip('/')}/v1/projects/{account.project}/messages:send"
        self._token_url = token_url
        self._http = asking.client()
        self._token, self._until = "", 0.0
        self._renewing = asyncio.Lock()

    async def send(self, letter: Letter) -> Answer:
        """Hand a push over; a repeat replaces what is shown already."""
        token = await self._access_token()
        if isinstance(token, Answer):
            return token
        answer = await asking.post(
            self._http,
            self._url,
            orjson.dumps({"message": _push(letter)}),
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
        )
        if isinstance(answer, Answer):
            return answer
        if answer.is_success:
            return Answer(Outcome.SENT)
        code, why = _fault(answer.content, answer.status_code)
        if code in ("UNREGISTERED", "SENDER_ID_MISMATCH"):
            return Answer(Outcome.GONE, why)
        if answer.status_code == 401:
            self._until = 0.0
            return Answer(Outcome.LATER, why)
        return asking.refusal(answer, why)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._http.aclose()

    async def _access_token(self) -> str | Answer:
        async with self._renewing:
            if time.monotonic() < self._until:
                return self._token
            try:
                assertion = self._assertion()
            except (JoseError, ValueError) as error:
                return Answer(Outcome.NEVER, f"The service account's key cannot sign: {error}")
            body = f"grant_type={_GRANT.replace(':', '%3A')}&assertion={assertion}"
            answer = await asking.post(self._http, self._token_url, body.encode(), _FORM)
            if isinstance(answer, Answer):
                return answer
            if not answer.is_success:
                return Answer(
                    Outcome.LATER, f"Google gave no access token: it answered {answer.status_code}."
                )
            read = orjson.loads(answer.content)
            self._token = read["access_token"]
            self._until = time.monotonic() + float(read["expires_in"]) - _RENEWED_BEFORE_S
            return self._token

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._account.email,
            "scope": _SCOPE,
            "aud": self._token_url,
            "iat": now,
            "exp": now + _ASSERTION_LIFE_S,
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": self._account.key_id}
        return jwt.encode(header, claims, RSAKey.import_key(self._account.key))


def _push(letter: Letter) -> dict[str, Any]:
    left_s = max(0, round((letter.expires_at - clock.now()).total_seconds()))
    tag = str(letter.id)
    return {
        "token": letter.address,
        "notification": {"title": letter.subject, "body": letter.text},
        "data": {"message_id": tag, "kind": letter.kind},
        "android": {"priority": "HIGH", "ttl": f"{left_s}s", "notification": {"tag": tag}},
        "apns": {"headers": {"apns-priority": "10", "apns-collapse-id": tag}},
    }


def _fault(body: bytes, status: int) -> tuple[str | None, str]:
    """Firebase's own code, where it names one, and a sentence."""
    try:
        error = orjson.loads(body)["error"]
        own = [each["errorCode"] for each in error.get("details", []) if "errorCode" in each]
        code = own[0] if own else error.get("status")
        return code, f"Firebase answered {status} {code}: {str(error.get('message'))[:200]}"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None, f"Firebase answered {status}."
