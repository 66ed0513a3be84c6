"""Reads a gateway's report and compares it with the books: pure, line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

COLUMNS = ("reference", "kind", "amount", "currency")
KINDS = ("payment", "refund")


@dataclass(frozen=True, slots=True)
class Line:
    """One movement as the gateway reports it, in minor units."""

    number: int
    ref: str
    kind: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Ours:
    """The same movement as it stands in the books; `settled` if it moved money."""

    ref: str
    kind: str
    amount: int
    currency: str
    settled: bool
    expected: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which both do not agree."""

    kind: str
    ref: str
    line: int | None
    theirs: int | None
    ours: int | None
    currency: str | None
    detail: str


def read_report(
    content: str, exponents: Mapping[str, int]
) -> tuple[list[Line], list[Difference], list[str]]:
    """The report's lines, a difference for each that cannot be read, and the missing columns."""
    rows = csv.reader(io.StringIO(content.removeprefix("\ufeff")))
    header = [name.strip().lower() for name in next(rows, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        return [], [], missing
    lines: list[Line] = []
    faults: list[Difference] = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        values = dict(zip(header, (cell.strip() for cell in row), strict=False))
        line = _line(number, values, exponents)
        if isinstance(line, Line):
            lines.append(line)
        else:
            ref = values.get("reference", "")
            faults.append(Difference("bad_line", ref, number, None, None, None, line))
    return lines, faults, []


def _line(number: int, values: Mapping[str, str], exponents: Mapping[str, int]) -> Line | str:
    ref, kind = values.get("reference", ""), values.get("kind", "").lower()
    currency = values.get("currency", "").upper()
    if not ref or "\0" in ref or len(ref) > 200:
        return "There is no reference."
    if kind not in KINDS:
        return f"A line is a payment or a refund, not {kind[:40] or 'nothing'}."
    if currency not in exponents:
        return f"{currency[:10] or 'Nothing'} is not a currency that Waypost trades in."
    try:
        amount = Decimal(values.get("amount", ""))
    except InvalidOperation:
        return f"{values.get('amount', '')[:40] or 'Nothing'} is not an amount."
    if not amount.is_finite() or not 0 < amount < 10**13:
        return "The amount is out of bounds."
    minor = amount.scaleb(exponents[currency])
    if minor != minor.to_integral_value():
        return f"{currency} has no more than {exponents[currency]} decimals."
    return Line(number, ref, kind, int(minor), currency)


def compare(lines: Sequence[Line], ours: Sequence[Ours]) -> tuple[int, list[Difference]]:
    """How many lines agree, and every difference: theirs in the order of lines, then ours."""
    known = {(one.kind, one.ref): one for one in ours}
    seen: set[tuple[str, str]] = set()
    matched = 0
    found: list[Difference] = []
    for line in lines:
        key = (line.kind, line.ref)
        one = known.get(key)
        if key in seen:
            found.append(_of(line, one, "duplicate_line", "The report says this twice."))
            continue
        seen.add(key)
        if one is None:
            found.append(_of(line, one, "missing_here", f"No {line.kind} here has this reference."))
        elif one.currency != line.currency:
            detail = f"The report says {line.currency}, the books {one.currency}."
            found.append(_of(line, one, "currency", detail))
        elif not one.settled:
            found.append(_of(line, one, "state", "Here no money has moved for it."))
        elif one.amount != line.amount:
            found.append(_of(line, one, "amount", "The amounts are not the same."))
        else:
            matched += 1
    found += [
        Difference(
            "missing_there", one.ref, None, None, one.amount, one.currency,
            f"The report does not have this {one.kind}.",
        )
        for one in ours
        if one.expected and one.settled and (one.kind, one.ref) not in seen
    ]  # fmt: skip
    return matched, found


def _of(line: Line, one: Ours | None, kind: str, detail: str) -> Difference:
    ours = one.amount if one is not None and one.settled else None
    return Difference(kind, line.ref, line.number, line.amount, ours, line.currency, detail)


def totals(lines: Sequence[Line], ours: Sequence[Ours]) -> list[dict[str, int | str]]:
    """What both sides say in each currency, refunds taken off."""
    theirs_by: dict[str, int] = {}
    ours_by: dict[str, int] = {}
    for line in {(line.kind, line.ref): line for line in lines}.values():
        sign = 1 if line.kind == "payment" else -1
        theirs_by[line.currency] = theirs_by.get(line.currency, 0) + sign * line.amount
    for one in ours:
        if one.settled:
            sign = 1 if one.kind == "payment" else -1
            ours_by[one.currency] = ours_by.get(one.currency, 0) + sign * one.amount
    return [
        {
            "currency": currency,
            "theirs": theirs_by.get(currency, 0),
            "ours": ours_by.get(currency, 0),
        }
        for currency in sorted(theirs_by | ours_by)
    ]
