"""Routes asked thousands of times a second: an endpoint takes the request, nothing in between."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from backend.platform.errors import TooLarge


class PlainRoute(APIRoute):
    """A route whose endpoint takes the request and answers, with nothing in between."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request; any other method is refused as everywhere."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


async def body_of(request: Request, limit: int | None = None) -> bytes:
    """The whole body, which mostly comes in one piece; raises TooLarge over `limit` bytes.

    Without a limit the middleware's bound holds.
    """
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if limit is not None and size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        if not message.get("more_body"):
            return b"".join([*pieces, piece]) if pieces else piece
        pieces.append(piece)
