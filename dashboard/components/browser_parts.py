"""Files of the browser that lie beside their Python module, offered to the build."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from reflex.assets import AssetPathStr
from reflex_base import constants

_PROJECT = Path(__file__).resolve().parents[2]
_ASSETS = _PROJECT / constants.Dirs.APP_ASSETS


def part(beside: str, name: str) -> AssetPathStr:
    """The file `name` beside the module whose `__file__` is `beside`, where the build finds it.

    The same as `rx.asset(name, shared=True)`, which looks for its caller by reading the sources of
    the whole stack: with some forty parts that was most of a web process's start.
    """
    source = Path(beside).resolve().with_name(name)
    if not source.is_file():
        raise FileNotFoundError(source)
    module = Path(beside).resolve().relative_to(_PROJECT).with_suffix("")
    address = Path(constants.Dirs.EXTERNAL_APP_ASSETS) / module / name
    _link(_ASSETS / address, source)
    return AssetPathStr(f"/{address.as_posix()}")


def _link(place: Path, source: Path) -> None:
    """Point `place` at `source`; replaced whole, since several processes may do so at once."""
    if place.is_symlink() and place.readlink() == source:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{uuid4().hex}.new")
    draft.symlink_to(source)
    draft.replace(place)
