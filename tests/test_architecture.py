"""The shape of the repository that its design promises."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "dashboard", "backend", "policies", "assets", "tests", "reflex.lock",
    "rxconfig.py", "pyproject.toml", "README.md",
}  # fmt: skip


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return listed.stdout.splitlines()


def _sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in (ROOT / package).rglob("*.py")]


def test_the_top_level_holds_only_what_it_should() -> None:
    top = {name.split("/")[0] for name in _tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_files_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in _sources("backend", "dashboard", "tests")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_the_environment_is_read_in_settings_alone() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in _sources("backend", "dashboard")
        if re.search(r"os\.(environ|getenv)", path.read_text())
    ]
    assert readers == ["backend/settings.py"]


def test_colours_stand_in_the_theme_alone() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?!\w)")
    places = [
        path.relative_to(ROOT).as_posix()
        for folder in ("backend", "dashboard")
        for kind in ("*.py", "*.jsx", "*.js")
        for path in (ROOT / folder).rglob(kind)
        if path.name != "theme.py" and literal.search(path.read_text())
    ]
    assert places == []


def test_installed_packages_are_the_pinned_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["tool"]["uv"]["constraint-dependencies"],
    ]
    different = {}
    for pin in pins:
        name, _, wanted = pin.partition("==")
        assert wanted, f"{pin} is not pinned exactly"
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        if found != wanted:
            different[name] = (wanted, found)
    assert different == {}


def test_no_file_carries_a_registry_address() -> None:
    address = re.compile(rb"https?://(files\.pythonhosted|pypi|registry\.npmjs|registry\.yarnpkg)")
    carrying = [
        name
        for name in _tracked()
        if name != "tests/test_architecture.py" and address.search((ROOT / name).read_bytes())
    ]
    assert carrying == []
