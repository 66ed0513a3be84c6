"""A Chromium for the tests: the system's, or one from an npm package where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import fasteners

_PACKAGE = "@sparticuz/chromium@153.0.0"
# The first draws pages alone, without the windows around them.
_SHELL = "chromium-headless-shell"
_NAMES = (_SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # The software renderer draws the map; composing pages with it costs ten times their layout.
    "--disable-gpu-compositing",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# Unpacks the binary, its software renderer and the system libraries that it needs.
_UNPACK = """
import chromium from "@sparticuz/chromium";
import { createReadStream, createWriteStream } from "node:fs";
import { createBrotliDecompress } from "node:zlib";
import { pipeline } from "node:stream/promises";
chromium.setGraphicsMode = true;
console.log(await chromium.executablePath());
await pipeline(
  createReadStream("node_modules/@sparticuz/chromium/bin/al2023.tar.br"),
  createBrotliDecompress(), createWriteStream("libraries.tar"));
"""


@dataclass(frozen=True, slots=True)
class Chromium:
    """How to launch the browser."""

    executable: str
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def chromium() -> Chromium:
    """The system's browser where there is one, else one brought from npm and kept for later."""
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            headless = [] if name == _SHELL else ["--headless=new"]
            return Chromium(found, [*headless, *_ARGUMENTS])
    folder = Path(tempfile.gettempdir()) / f"waypost-chromium-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with fasteners.InterProcessLock(folder / "lock"):
        marker = folder / "executable"
        if not marker.exists():
            marker.write_text(_bring(folder))
    libraries = f"{folder}/lib:{Path(marker.read_text()).parent}"
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    return Chromium(marker.read_text(), ["--headless=shell", *_ARGUMENTS], environment)


def _bring(folder: Path) -> str:
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "TMPDIR": str(folder),
    }

    def run(*command: str) -> str:
        return subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True
        ).stdout

    run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", ".", _PACKAGE)
    (folder / "unpack.mjs").write_text(_UNPACK)
    executable = run("node", "unpack.mjs").strip().splitlines()[-1]
    run("tar", "-xf", "libraries.tar")
    return executable
