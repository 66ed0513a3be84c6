"""A wallet's month as CSV and as PDF."""

from backend.payments.schemas import Statement


def statement_csv(statement: Statement) -> str:
    raise NotImplementedError


def statement_pdf(statement: Statement) -> bytes:
    raise NotImplementedError
