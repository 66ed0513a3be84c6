"""Sign-in and sign-out over HTTP, under `/auth`."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from backend.identity import pages, sessions, signin
from backend.identity.callers import is_own_origin
from backend.identity.demo_provider import create_router as create_demo_provider
from backend.identity.oidc import ProviderUnavailable, SignInRefused
from backend.identity.rules import safe_next, session_cookie, sign_in_cookie
from backend.platform.errors import RateLimited
from backend.platform.http import Res, client_address
from backend.settings import Settings

router = APIRouter(prefix="/auth", tags=["sign-in"], include_in_schema=False)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN_NAMES = {"demo": "demo", "development": "development", "production": ""}


def create_router(settings: Settings) -> APIRouter:
    """The doorways of sign-in; with the demo provider in a demo, and only there."""
    whole = APIRouter()
    whole.include_router(router)
    if settings.demo:
        whole.include_router(create_demo_provider(settings))
    return whole


def _environment(settings: Settings) -> str:
    return _SHOWN_NAMES[settings.env]


def _under_public_name(request: Request, settings: Settings) -> str | None:
    """This request's address under the public loopback name, None where it has that already.

    `127.0.0.1` and `localhost` do not share cookies, and the provider returns to the public one.
    """
    public, asked = urlsplit(settings.public_url), request.url
    loopback = {asked.hostname, public.hostname} <= _LOOPBACK
    if not loopback or asked.hostname == public.hostname:
        return None
    return urlunsplit((public.scheme, public.netloc, asked.path, asked.query, ""))


@router.get("/pages.css")
async def style() -> Response:
    """The style of the pages before sign-in."""
    return Response(
        pages.STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=300"}
    )


@router.get("/login")
async def login(
    request: Request,
    resources: Res,
    target: Annotated[str | None, Query(alias="next", max_length=2000)] = None,
    signed_out: bool = False,
) -> Response:
    """The sign-in page; straight on for somebody who is signed in."""
    settings = resources.settings
    if (named := _under_public_name(request, settings)) is not None:
        return RedirectResponse(named, HTTPStatus.TEMPORARY_REDIRECT)
    cookie = request.cookies.get(session_cookie(secure=settings.secure_cookies))
    if cookie and await sessions.principal_of_session(resources, cookie, touch=False):
        return RedirectResponse(safe_next(target), HTTPStatus.SEE_OTHER)
    return pages.sign_in(
        safe_next(target), environment=_environment(settings), signed_out=signed_out
    )


@router.get("/start")
async def start(
    request: Request,
    resources: Res,
    target: Annotated[str | None, Query(alias="next", max_length=2000)] = None,
) -> Response:
    """Off to the identity provider."""
    settings = resources.settings
    if (named := _under_public_name(request, settings)) is not None:
        return RedirectResponse(named, HTTPStatus.TEMPORARY_REDIRECT)
    name = sign_in_cookie(secure=settings.secure_cookies)
    try:
        await signin.limit(resources, client_address(request))
        started = await signin.start(resources, target, request.cookies.get(name))
    except (ProviderUnavailable, RateLimited) as error:
        return _later(error, settings)
    answer = RedirectResponse(started.url, HTTPStatus.SEE_OTHER)
    answer.headers["Cache-Control"] = "no-store"
    _set_cookie(answer, settings, name, started.browser_secret, max_age=signin.STATE_LIFE_S)
    return answer


@router.get("/callback")
async def callback(
    request: Request,
    resources: Res,
    code: Annotated[str, Query(max_length=8000)] = "",
    state: Annotated[str, Query(max_length=500)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Back from the identity provider."""
    settings = resources.settings
    address = client_address(request)
    session_name = session_cookie(secure=settings.secure_cookies)
    browser_name = sign_in_cookie(secure=settings.secure_cookies)
    try:
        await signin.limit(resources, address)
        if error:
            raise SignInRefused(error, "The directory did not let this sign-in through.")
        finished = await signin.finish(
            resources,
            code=code,
            state=state,
            browser_secret=request.cookies.get(browser_name),
            old_cookie=request.cookies.get(session_name),
            address=address,
            agent=request.headers.get("user-agent", ""),
        )
    except SignInRefused as refusal:
        await signin.refuse(resources, refusal, address)
        return pages.refused(refusal.code, refusal.detail, environment=_environment(settings))
    except (ProviderUnavailable, RateLimited) as later:
        return _later(later, settings)
    if finished.cookie_value is None:
        return pages.without_role(
            finished.name,
            finished.email,
            environment=_environment(settings),
            provider=_provider_origin(settings),
        )
    answer = RedirectResponse(finished.next, HTTPStatus.SEE_OTHER)
    answer.headers["Cache-Control"] = "no-store"
    _set_cookie(answer, settings, session_name, finished.cookie_value)
    _drop_cookie(answer, settings, browser_name)
    return answer


@router.get("/logout")
async def ask_sign_out(request: Request, resources: Res) -> Response:
    """Sign out where this console or the address bar asked for it, else ask first."""
    if request.headers.get("sec-fetch-site") in ("same-origin", "none"):
        return await _signed_out(request, resources)
    return _confirm(resources.settings)


@router.post("/logout")
async def sign_out(request: Request, resources: Res) -> Response:
    """Sign out here and at the identity provider."""
    if not is_own_origin(request, resources.settings.public_url):
        return _confirm(resources.settings)
    return await _signed_out(request, resources)


def _confirm(settings: Settings) -> Response:
    return pages.confirm_sign_out(
        environment=_environment(settings), provider=_provider_origin(settings)
    )


async def _signed_out(request: Request, resources: Res) -> Response:
    settings = resources.settings
    name = session_cookie(secure=settings.secure_cookies)
    back = f"{settings.public_url.rstrip('/')}/auth/login?" + urlencode({"signed_out": "true"})
    try:
        url = await signin.sign_out(resources, request.cookies.get(name), back)
    except ProviderUnavailable:
        url = back
    answer = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    answer.headers["Cache-Control"] = "no-store"
    _drop_cookie(answer, settings, name)
    return answer


@router.get("/front-channel-logout")
async def front_channel_logout(
    request: Request,
    resources: Res,
    sid: Annotated[str, Query(max_length=200)] = "",
    iss: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The provider says, in a frame of its page, that its session `sid` is over."""
    issuer = signin.provider_of(resources.settings).config.issuer
    await signin.limit(resources, client_address(request))
    if sid and iss in ("", issuer):
        await sessions.end_sessions_of_sid(resources, sid)
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; frame-ancestors {_provider_origin(resources.settings)}"
        ),
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(headers=headers)


def _provider_origin(settings: Settings) -> str:
    parts = urlsplit(signin.provider_of(settings).config.authority)
    return f"{parts.scheme}://{parts.netloc}"


def _later(error: ProviderUnavailable | RateLimited, settings: Settings) -> Response:
    answer = pages.refused(
        error.code, error.detail, environment=_environment(settings), status=error.status
    )
    answer.headers.update(error.headers)
    return answer


def _set_cookie(
    answer: Response, settings: Settings, name: str, value: str, *, max_age: int | None = None
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )


def _drop_cookie(answer: Response, settings: Settings, name: str) -> None:
    answer.delete_cookie(
        name, path="/", httponly=True, secure=settings.secure_cookies, samesite="lax"
    )
