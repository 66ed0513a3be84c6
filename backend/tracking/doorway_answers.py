"""How a doorway takes a request and answers it, with nothing in between."""

from collections.abc import Iterable, Sequence

import orjson
from fastapi import Response
from starlette.types import Receive, Scope, Send

from backend.platform.errors import BadRequest, FieldError
from backend.platform.http import problem
from backend.tracking.rules import ACCEPTED, DUPLICATE, Code, Status, Verdict

_JSON = "application/json"


class _Ready(Response):
    """An answer that is made once and given often."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the headers are copied, for others on the way out may add to them."""
        await send(
            {"type": "http.response.start", "status": self.status_code,
             "headers": list(self.raw_headers)}
        )  # fmt: skip
        await send({"type": "http.response.body", "body": self.body})


_TAKEN = _Ready(b'{"results":[{"index":0,"status":"accepted"}]}', 202, media_type=_JSON)


def answer_of_batch(verdicts: Sequence[Verdict], *, single: bool) -> Response:
    """202 where something was taken, 200 where nothing was, 422 for one refused fix alone."""
    if len(verdicts) == 1 and verdicts[0] is ACCEPTED:
        return _TAKEN
    body = b'{"results":[' + b",".join(_results(verdicts)) + b"]}"
    if all(verdict.status is Status.REJECTED for verdict in verdicts):
        if single:
            return _refused(verdicts[0], body)
        return Response(body, 200, media_type=_JSON)
    return Response(body, 202, media_type=_JSON)


def _results(verdicts: Sequence[Verdict]) -> Iterable[bytes]:
    for index, verdict in enumerate(verdicts):
        if verdict is ACCEPTED:
            yield b'{"index":%d,"status":"accepted"}' % index
        elif verdict is DUPLICATE:
            yield b'{"index":%d,"status":"duplicate"}' % index
        else:
            result = {"index": index, "status": verdict.status, "code": verdict.code,
                      "detail": verdict.detail}  # fmt: skip
            yield orjson.dumps({name: value for name, value in result.items() if value is not None})


def _refused(verdict: Verdict, body: bytes) -> Response:
    """Problem details with the one result among them, for who expects either."""
    code, detail = str(verdict.code), verdict.detail or ""
    pointer = "/" + detail.partition(":")[0].partition(",")[0] if ":" in detail else ""
    content = {
        "type": f"urn:waypost:problem:{code}",
        "title": "The fix was refused",
        "status": 422,
        "detail": detail,
        "errors": [{"pointer": pointer, "code": code, "detail": detail}],
        **orjson.loads(body),
    }
    return Response(orjson.dumps(content), 422, media_type="application/problem+json")


def answer_of_one(verdicts: Sequence[Verdict], body: bytes | None) -> Response:
    """The answer of a doorway whose app reads none; raises BadRequest for a value it cannot mean.

    What became of the fix stands in `Waypost-Result` too, for who does want to know.
    """
    wrong = next((verdict for verdict in verdicts if verdict.code is Code.INVALID), None)
    if wrong is not None and len(verdicts) == 1:
        detail = wrong.detail or ""
        fault = FieldError("/" + detail.partition(":")[0], Code.INVALID, detail)
        return problem(BadRequest(detail, errors=[fault]))
    headers = {}
    if len(verdicts) == 1:
        status, code = verdicts[0][:2]
        headers["Waypost-Result"] = f"{status} {code}" if code else f"{status}"
    if body is None:
        body = b'{"results":[' + b",".join(_results(verdicts)) + b"]}"
    return Response(body, 200, headers, media_type=_JSON)
