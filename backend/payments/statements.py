"""A wallet's month as CSV and as PDF."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from backend.payments.exports import table
from backend.payments.formats import amount, with_code
from backend.payments.schemas import Statement
from backend.platform.money import plain

_WIDTHS = (34, 62, 34, 30, 30)
_HEADS = ("Date", "What", "Order", "Amount", "Balance")
_GREY = 245


def statement_csv(statement: Statement) -> str:
    """Opening balance, each line, closing balance; amounts in major units."""
    zone = ZoneInfo(statement.time_zone)

    def major(minor: int) -> str:
        return plain(minor, statement.currency).partition(" ")[0]

    rows: list[tuple[str, str, str, str, str]] = [
        ("", "Opening balance", "", "", major(statement.opening))
    ]
    rows += [
        (
            line.at.astimezone(zone).isoformat(timespec="seconds"),
            line.description,
            line.order or "",
            major(line.amount),
            major(line.balance),
        )
        for line in statement.lines
    ]
    rows.append(("", "Closing balance", "", "", major(statement.closing)))
    return table(("at", "what", "order", f"amount_{statement.currency}", "balance"), rows)


def statement_pdf(statement: Statement) -> bytes:
    """The same as a page to print; names beyond Latin-1 are spelled with question marks."""
    # Loaded here: the fonts that come with it take half a second, and few print.
    from fpdf import FPDF
    from fpdf.fonts import FontFace

    zone = ZoneInfo(statement.time_zone)
    pdf = FPDF(format="A4")
    pdf.set_title(f"Wallet statement {statement.month:%Y-%m}")
    pdf.set_creator("Waypost")
    pdf.set_auto_page_break(auto=True, margin=18)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 18)
    pdf.cell(0, 10, f"Statement {statement.month:%B %Y}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", size=10)
    for text in (
        f"{_latin(statement.name)} ({_latin(statement.holder)})",
        f"Wallet {statement.wallet_id}, {_latin(statement.place)}, times in {statement.time_zone}",
    ):
        pdf.cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    for name, minor in (
        ("Opening balance", statement.opening),
        ("Paid in", statement.paid_in),
        ("Paid out", statement.paid_out),
        ("Closing balance", statement.closing),
    ):
        pdf.cell(50, 6, name)
        figure = with_code(minor, statement.currency)
        pdf.cell(60, 6, figure, align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    pdf.set_font("Helvetica", size=9)
    with pdf.table(
        col_widths=_WIDTHS,
        text_align=("LEFT", "LEFT", "LEFT", "RIGHT", "RIGHT"),
        headings_style=FontFace(emphasis="BOLD", fill_color=_GREY),
        borders_layout="HORIZONTAL_LINES",
    ) as lines:
        lines.row(_HEADS)
        for line in statement.lines:
            lines.row(
                (
                    f"{line.at.astimezone(zone):%Y-%m-%d %H:%M}",
                    _latin(line.description),
                    line.order or "",
                    amount(line.amount, statement.currency),
                    amount(line.balance, statement.currency),
                )
            )
    return bytes(pdf.output())


def _latin(text: str) -> str:
    """What the built-in fonts of every PDF reader can show."""
    return text.encode("latin-1", "replace").decode("latin-1")
