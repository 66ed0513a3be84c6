"""Files of payments as HTTP answers."""

from fastapi import Response

from backend.platform.spreadsheet import file_answer


def csv_answer(name: str, text: str) -> Response:
    """CSV to save under a name."""
    return file_answer(f"waypost-{name}.csv", text, "text/csv; charset=utf-8")


def pdf_answer(name: str, content: bytes) -> Response:
    """A PDF to save under a name."""
    return file_answer(f"waypost-{name}.pdf", content, "application/pdf")
