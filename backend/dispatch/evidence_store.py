"""Where pictures of proof lie: files named by their hash, whole or not there at all."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from backend.platform.errors import DomainError
from backend.platform.resources import current

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PARTS = "parts"


class StorageFull(DomainError):
    """There is no room for the picture; nothing of this request was kept."""

    status = 507
    code = "storage_full"
    title = "There is no room for this picture now"

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "300"}


class PartLost(Exception):
    """What was uploaded so far is not here any more; the upload begins anew."""


class EvidenceStore(Protocol):
    """Keeps pictures by the SHA-256 of their content, in hexadecimal."""

    async def has(self, name: str) -> bool:
        """Whether the whole picture is there."""
        ...

    async def write(self, name: str, offset: int, chunk: bytes) -> None:
        """Durably put a chunk into the unfinished picture; raises StorageFull and PartLost."""
        ...

    async def part(self, name: str) -> bytes:
        """The unfinished picture as far as it is there."""
        ...

    async def keep(self, name: str) -> None:
        """Make the unfinished picture the whole one, in one step that survives a crash."""
        ...

    async def discard(self, name: str) -> None:
        """Forget the unfinished picture."""
        ...

    async def read(self, name: str) -> bytes:
        """The whole picture; raises FileNotFoundError."""
        ...


class FileStore:
    """The store in a folder of this machine, `ab/abcdef...` by the first two digits."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def has(self, name: str) -> bool:
        """Whether the whole picture is there."""
        return await asyncio.to_thread(self._whole(name).exists)

    async def write(self, name: str, offset: int, chunk: bytes) -> None:
        """Durably put a chunk into the unfinished picture; raises StorageFull and PartLost."""
        await asyncio.to_thread(self._write, name, offset, chunk)

    async def part(self, name: str) -> bytes:
        """The unfinished picture as far as it is there."""
        return await asyncio.to_thread(self._part(name).read_bytes)

    async def keep(self, name: str) -> None:
        """Make the unfinished picture the whole one, in one step that survives a crash."""
        await asyncio.to_thread(self._keep, name)

    async def discard(self, name: str) -> None:
        """Forget the unfinished picture."""
        await asyncio.to_thread(self._part(name).unlink, missing_ok=True)

    async def read(self, name: str) -> bytes:
        """The whole picture; raises FileNotFoundError."""
        return await asyncio.to_thread(self._whole(name).read_bytes)

    def _whole(self, name: str) -> Path:
        return self._root / name[:2] / name

    def _part(self, name: str) -> Path:
        return self._root / _PARTS / name

    def _write(self, name: str, offset: int, chunk: bytes) -> None:
        path = self._part(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise _refusal(error) from error
        try:
            if os.fstat(handle).st_size < offset:
                raise PartLost
            # What an interrupted request left behind the offset is not counted and goes.
            os.ftruncate(handle, offset)
            _write_all(handle, offset, chunk)
        finally:
            os.close(handle)

    def _keep(self, name: str) -> None:
        whole = self._whole(name)
        whole.parent.mkdir(parents=True, exist_ok=True)
        self._part(name).replace(whole)
        for folder in (whole.parent, self._root):
            _flush_folder(folder)


def _write_all(handle: int, offset: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    at = offset
    try:
        while rest:
            count = os.pwrite(handle, rest, at)
            at, rest = at + count, rest[count:]
        os.fsync(handle)
    except OSError as error:
        with suppress(OSError):
            os.ftruncate(handle, offset)
        raise _refusal(error) from error


def _refusal(error: OSError) -> Exception:
    return StorageFull() if error.errno in _FULL else error


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def evidence_store() -> EvidenceStore:
    """Where this installation keeps evidence: `DATA_DIR/evidence`."""
    return FileStore(current().settings.data_dir / "evidence")


def name_of(content: bytes) -> str:
    """The name of a content: its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def media_type_of(head: bytes) -> str | None:
    """JPEG, PNG or WebP by the first twelve bytes, None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None
