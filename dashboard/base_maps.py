"""Which of the configured base maps answer, so that no browser waits for one that does not."""

from __future__ import annotations

from time import monotonic

import httpx

from dashboard import gateway

_STYLE_PATIENCE_S = 1.5
_STYLE_REMEMBERED_S = 300.0


class _BaseMaps:
    """The answers, asked for again after some minutes."""

    def __init__(self) -> None:
        self._known: list[str] = []
        self._until = 0.0

    async def reachable(self) -> list[str]:
        """The light and the dark style's address, each empty when it does not answer in time."""
        if monotonic() >= self._until:
            settings = gateway.resources().settings
            wanted = [settings.map_style_url, settings.map_style_url_dark]
            async with httpx.AsyncClient(timeout=_STYLE_PATIENCE_S, follow_redirects=True) as http:
                answers = {url: await _answers(http, url) for url in dict.fromkeys(wanted)}
            self._known = [url if answers[url] else "" for url in wanted]
            self._until = monotonic() + _STYLE_REMEMBERED_S
        return list(self._known)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    if not url:
        return False
    try:
        return (await http.get(url)).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


reachable = _BaseMaps().reachable
