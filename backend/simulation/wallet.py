"""What a fleet keeps between its runs, readable by its owner alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NotRequired, TypedDict

import orjson

from backend.simulation.doorways import Device

_NAME = "fleet.json"


class _Kept(TypedDict):
    devices: dict[str, tuple[str, str]]
    places: dict[str, tuple[float, float]]
    sellers: NotRequired[dict[str, str]]
    customers: NotRequired[dict[str, list[str]]]
    flags_key: NotRequired[str | None]


class Wallet:
    """Tokens of phones and marketplaces, wallets, and drivers' last places, in one file."""

    def __init__(self, data_dir: Path, url: str) -> None:
        self._path = data_dir / _NAME
        self._all: dict[str, _Kept] = self._read()
        self._mine = self._all.setdefault(url, {"devices": {}, "places": {}})
        self.unsaved = 0

    def get(self, code: str) -> Device | None:
        """The driver's device, when it is known."""
        kept = self._mine["devices"].get(code)
        return Device(kept[0], code, kept[1]) if kept else None

    def place(self, code: str) -> tuple[float, float] | None:
        """Latitude and longitude of where the driver was when last saved."""
        kept = self._mine["places"].get(code)
        return (kept[0], kept[1]) if kept else None

    def keep(self, device: Device) -> None:
        """Remember a device; `save` writes what was not written yet."""
        self._mine["devices"][device.code] = (device.driver_id, device.token)
        self.unsaved += 1

    def seller_token(self, name: str) -> str | None:
        """The token of a marketplace, when it has one."""
        return self._mine.get("sellers", {}).get(name)

    def keep_seller(self, name: str, token: str) -> None:
        """Remember a marketplace's token."""
        self._mine.setdefault("sellers", {})[name] = token
        self.unsaved += 1

    @property
    def flags_key(self) -> str | None:
        """The key by which all phones read flags, when there is one."""
        return self._mine.get("flags_key")

    @flags_key.setter
    def flags_key(self, key: str | None) -> None:
        self._mine["flags_key"] = key
        self.unsaved += 1

    def customers(self, city: str) -> list[str]:
        """The wallets of a city's customers."""
        return self._mine.get("customers", {}).get(city, [])

    def keep_customer(self, city: str, wallet_id: str) -> None:
        """Remember a customer's wallet."""
        self._mine.setdefault("customers", {}).setdefault(city, []).append(wallet_id)
        self.unsaved += 1

    def note(self, code: str, place: tuple[float, float]) -> None:
        """Remember where a driver is."""
        self._mine["places"][code] = place
        self.unsaved += 1

    def save(self) -> None:
        """Write what is new, whole or not at all, with mode 0600."""
        if not self.unsaved:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(self._all))
        draft.replace(self._path)
        self.unsaved = 0

    def _read(self) -> dict[str, _Kept]:
        try:
            content: dict[str, _Kept] = orjson.loads(self._path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            # A lost or torn file costs new tokens, nothing else.
            return {}
        return content
