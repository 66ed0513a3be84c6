"""The API without a server."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI


@cache
def shared_api() -> FastAPI:
    """The API on the run's settings, made once: it keeps nothing of a test, and making it is dear.

    FastAPI prepares some 250 routes, and each of them once more at its first request.
    """
    from backend.api import create_api

    return create_api()
