"""Runbooks: one Markdown file a service beside this one."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from backend.incidents.review_schemas import Runbook

FOLDER = Path(__file__).parent / "runbooks"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@lru_cache(maxsize=64)
def runbook(service: str) -> Runbook | None:
    """What to do when a service fails, None where nobody wrote it."""
    if _NAME.fullmatch(service) is None:
        return None
    file = FOLDER / f"{service}.md"
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8")
    title = text.partition("\n")[0].lstrip("# ").strip()
    return Runbook(service=service, title=title, text=text)


def services() -> list[str]:
    """The services that have a runbook."""
    return sorted(file.stem for file in FOLDER.glob("*.md"))
