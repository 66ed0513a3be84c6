"""Files as HTTP answers."""

from fastapi import Response


def csv_answer(name: str, text: str) -> Response:
    """CSV to save under a name."""
    return _file(f"{name}.csv", text, "text/csv; charset=utf-8")


def pdf_answer(name: str, content: bytes) -> Response:
    """A PDF to save under a name."""
    return _file(f"{name}.pdf", content, "application/pdf")


def _file(name: str, content: str | bytes, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="waypost-{name}"'}
    return Response(content, media_type=media_type, headers=headers)
