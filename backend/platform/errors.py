"""Domain exceptions with a status, turned into RFC 9457 problem details at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: a JSON pointer into the request, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A refusal the caller can understand; subclasses set status, code and title."""

    status = 400
    code = "bad_request"
    title = "The request cannot be carried out"

    def __init__(self, detail: str | None = None, *, errors: Sequence[FieldError] = ()) -> None:
        self.detail = detail or self.title
        self.errors = tuple(errors)
        super().__init__(self.detail)

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers that go with the answer."""
        return {}


class BadRequest(DomainError):
    """The request could not be read."""


class Unauthenticated(DomainError):
    """Nobody is signed in, or the token is unknown or expired."""

    status = 401
    code = "unauthenticated"
    title = "Sign in or send a valid token"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"
    title = "You may not do this"


class NotFound(DomainError):
    """There is no such object, or the caller may not see it."""

    status = 404
    code = "not_found"
    title = "There is nothing here for you"


class Conflict(DomainError):
    """The object has moved on, or the same key is in flight."""

    status = 409
    code = "conflict"
    title = "This was changed meanwhile"


class MovedOn(Conflict):
    """Somebody changed it after the caller looked."""

    code = "moved_on"
    title = "Somebody was quicker"


class NotNow(Conflict):
    """It is in a state from which this does not go."""

    code = "not_now"
    title = "This does not go from here"


class TooLarge(DomainError):
    """The body or batch is over its bound."""

    status = 413
    code = "too_large"
    title = "The request is too large"


class Invalid(DomainError):
    """One or more fields are wrong."""

    status = 422
    code = "invalid"
    title = "Some fields are not right"


class _RetryLater(DomainError):
    """A refusal that asks the caller to come back."""

    def __init__(self, detail: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(max(1, round(self.retry_after_s)))}


class RateLimited(_RetryLater):
    """The caller asked too often."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"

    @property
    def headers(self) -> dict[str, str]:
        wait = super().headers["Retry-After"]
        return {"Retry-After": wait, "RateLimit": f'"default";r=0;t={wait}'}


class Unavailable(_RetryLater):
    """A part this needs is down or full; nothing was accepted."""

    status = 503
    code = "unavailable"
    title = "This is not available right now"


class InternalError(DomainError):
    """A fault of ours; the details are in the log, not in the answer."""

    status = 500
    code = "internal"
    title = "Something broke on our side"


def reason(error: BaseException) -> str:
    """The first line of what an error of a library says, of the driver's own where it wraps one."""
    cause = getattr(error, "orig", None) or error
    words = str(cause).strip().splitlines()
    return words[0] if words else type(cause).__name__
