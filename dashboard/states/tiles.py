"""What the overview shows of any part: figures of the first row, and what needs someone."""

from __future__ import annotations

from typing import TypedDict


class Tile(TypedDict):
    """One figure: its name, value, note and tone, its small line, and where its items are."""

    name: str
    value: str
    note: str
    tone: str
    line: str
    area: str
    link: str


class NeedRow(TypedDict):
    """Something that wants a person."""

    tone: str
    word: str
    title: str
    detail: str
    age: str
    link: str


def tile(name: str, value: str, note: str, tone: str, link: str, drawn: tuple[str, str]) -> Tile:
    """A tile with the line and area that `drawing.sparkline` made."""
    line, area = drawn
    return {
        "name": name, "value": value, "note": note, "tone": tone,
        "line": line, "area": area, "link": link,
    }  # fmt: skip
