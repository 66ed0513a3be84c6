"""What a customer sends from their page: plain forms, which work where no script runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import customer_frame
from backend.dispatch.customer_endpoints import heard
from backend.dispatch.customer_links import NoSuchLink
from backend.platform.errors import Conflict, Invalid, RateLimited
from backend.platform.resources import Resources

_LONGEST = 64 * 1024
_MOST_FIELDS = 50

Fields = Mapping[str, list[str]]
Act = Callable[[AsyncSession, Fields], Awaitable[Any]]


async def posted(
    request: Request,
    resources: Resources,
    token: str,
    *,
    accept_language: str,
    act: Act,
    done: str,
    stay: bool = True,
) -> Response:
    """Do what a form asks for, and lead back to the order's page, to its section `done`.

    What cannot be done is told on a page of its own, and nothing of it is kept. The page stays in
    the language that was asked for, unless the form sets another.
    """
    lang = request.query_params.get("lang")
    words = heard(lang, accept_language)
    back = f"/track/{token}"
    try:
        fields = await _fields(request)
        async with resources.database.unit_of_work() as session:
            await act(session, fields)
    except NoSuchLink:
        return customer_frame.nowhere(words)
    except RateLimited as error:
        answer = customer_frame.later(words)
        answer.headers.update(error.headers)
        return answer
    except Conflict as error:
        return customer_frame.sorry(words, "later", status=error.status, back=back)
    except (Invalid, ValidationError, ValueError):
        return customer_frame.sorry(words, "wrong", status=Invalid.status, back=back)
    query = {"lang": lang} if lang and stay else {}
    return RedirectResponse(f"{back}?{urlencode({**query, 'done': done})}#{done}", 303)


async def _fields(request: Request) -> Fields:
    """The fields of an `application/x-www-form-urlencoded` body; ValueError for none or more."""
    body = await request.body()
    if len(body) > _LONGEST:
        raise ValueError("a form is shorter")
    return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)


def field(fields: Fields, name: str) -> str | None:
    """The last value of a field, None where it was not sent."""
    return fields[name][-1] if name in fields else None
