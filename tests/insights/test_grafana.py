"""Dashboards and alert rules ask for metrics, labels and objectives that there really are."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from backend.insights.definitions import objectives
from backend.insights.slo_rules import PAIRS
from tests.support.system import clean_environment

BACKEND = Path(__file__).resolve().parents[2] / "backend"
FOLDER = BACKEND / "insights" / "grafana"
BOARDS = sorted(FOLDER.glob("*.json"))
# Everything that the processes import is imported, every instrument it made is used once, and
# what Prometheus would then be told is printed.
_EMIT = """
from backend.platform.telemetry import configure
from backend.settings import get_settings
configure("web", get_settings())
import backend.api, backend.worker
from opentelemetry import metrics
from prometheus_client import REGISTRY
from types import SimpleNamespace
from backend.tracking import live_hub
live_hub._running.append(SimpleNamespace(viewers=(), table=SimpleNamespace(size=0)))
for meter in metrics.get_meter_provider()._meters.values():
    for instrument in meter._instrument_id_instrument.values():
        use = getattr(instrument, "record", None) or getattr(instrument, "add", None)
        if use is not None:
            use(0)
for family in REGISTRY.collect():
    print(family.name)
    for sample in family.samples:
        print(sample.name)
"""
_METRIC = re.compile(r"\b((?:waypost|process)_\w+)\b")
_SELECTED = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPED = re.compile(r"\bby\s*\(([^)]*)\)")
_OF_PROMETHEUS = {"le", "process"}


def rules() -> list[dict[str, object]]:
    """Every alert rule."""
    read = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    return [rule for group in read["groups"] for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str]]:
    """Each query of the files, and where it stands."""
    for path in BOARDS:
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.name}: {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{path.name}: ${variable['name']}", variable["query"]["query"]
    for rule in rules():
        yield f"alerts.yaml: {rule['alert']}", str(rule["expr"])


@pytest.fixture(scope="module")
def emitted() -> set[str]:
    """The names of metrics as Prometheus is told them."""
    ran = subprocess.run(
        [sys.executable, "-c", _EMIT], cwd=BACKEND.parent, capture_output=True, text=True,
        check=True, env=clean_environment(),
    )  # fmt: skip
    return set(ran.stdout.split())


def labels_given() -> dict[str, set[str]]:
    """For each metric, the names of labels that its module gives; by the metric's first words."""
    found: dict[str, set[str]] = {}
    for path in BACKEND.rglob("*.py"):
        source = path.read_text()
        names = re.findall(r'create_\w+\(\s*"(waypost\.[\w.]+)"', source)
        if names:
            keys = {
                key.value
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Dict)
                for key in node.keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
            for name in names:
                found[name.replace(".", "_")] = keys
    return found


def test_every_metric_that_is_asked_for_is_emitted(emitted: set[str]) -> None:
    missing = {
        f"{place} asks for {name}"
        for place, query in queries()
        for name in _METRIC.findall(query)
        if name not in emitted
    }
    assert missing == set()


def test_every_metric_of_ours_is_shown_somewhere(emitted: set[str]) -> None:
    asked = {name for _, query in queries() for name in _METRIC.findall(query)}
    stems = {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in emitted}
    shown = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in asked}
    ours = {name for name in stems if name.startswith("waypost_")}
    assert ours - shown <= {"waypost_ingest_group"}, "a metric that no dashboard shows"


def test_every_label_that_is_asked_for_is_given() -> None:
    given = labels_given()
    wrong = set()
    for place, query in queries():
        metrics = [name for name in _METRIC.findall(query) if name.startswith("waypost_")]
        known = _OF_PROMETHEUS.union(
            *(keys for stem, keys in given.items() for name in metrics if name.startswith(stem))
        )
        asked = set(_SELECTED.findall(query))
        for names in _GROUPED.findall(query):
            asked |= {name.strip() for name in names.split(",")}
        wrong |= {f"{place}: {name}" for name in asked - known}
    assert wrong == set()


def test_alerts_of_objectives_are_those_of_their_file() -> None:
    burning = [rule for rule in rules() if rule["alert"] == "WaypostSloBurn"]
    wanted = {
        (name, pair.alarm, pair.long) for name in objectives() for pair in PAIRS
    }  # fmt: skip
    assert {
        (rule["labels"]["slo"], rule["labels"]["severity"], rule["labels"]["window"])  # type: ignore[index]
        for rule in burning
    } == wanted
    for rule in burning:
        labels, expr = rule["labels"], str(rule["expr"])
        objective = objectives()[labels["slo"]]  # type: ignore[index]
        [pair] = [p for p in PAIRS if p.long == labels["window"]]  # type: ignore[index]
        allowed = {round(float(share), 9) for share in re.findall(r"/ (0\.\d+) >=", expr)}
        assert allowed == {round(1 - objective.target, 9)}
        assert {float(rate) for rate in re.findall(r"/ 0\.\d+ >= ([\d.]+)", expr)} == {pair.rate}
        assert set(re.findall(r"\[(\w+)\]", expr)) == {pair.long, pair.short}
        assert f">= {objective.least_bad}\n" in expr
        assert labels["service"] == objective.service  # type: ignore[index]


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_imported(path: Path) -> None:
    board = json.loads(path.read_text())
    assert {"uid", "title", "panels", "templating", "schemaVersion", "time"} <= board.keys()
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}"


def test_the_boards_have_names_of_their_own() -> None:
    boards = [json.loads(path.read_text()) for path in BOARDS]
    assert len({board["uid"] for board in boards}) == len(boards) == 3
