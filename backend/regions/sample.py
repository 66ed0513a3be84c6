"""Reads the demo regions from the data file beside this module."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson


@lru_cache
def sample() -> dict[str, Any]:
    """The demo regions as the data file holds them; outlines and rings are longitude first."""
    text = files("backend.regions").joinpath("samples/cities.json").read_bytes()
    content: dict[str, Any] = orjson.loads(text)
    return content
