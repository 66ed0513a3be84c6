"""Traces, metrics and logs reach a collector, and one scrape tells of every process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from backend.platform import metrics_board
from backend.platform.resources import Resources
from tests.support.system import clean_environment

ROOT = Path(__file__).resolve().parents[2]
_WORK = """
from opentelemetry import _logs, metrics, trace
from backend.platform import telemetry
from backend.settings import get_settings
telemetry.configure("web", get_settings())
counter = telemetry.meter.create_counter("waypost.test.things")
with telemetry.tracer.start_as_current_span("deliver", attributes={"order": "WP-1"}) as span:
    telemetry.get_logger("test").warning("parcel_lost", order="WP-1", count=2)
    counter.add(3, {"city": "TH-10"})
print(telemetry.current_trace_id() or format(span.get_span_context().trace_id, "032x"))
trace.get_tracer_provider().shutdown()
metrics.get_meter_provider().shutdown()
_logs.get_logger_provider().shutdown()
"""


@contextmanager
def collector() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """A collector's address, and what it was sent by path."""
    received: dict[str, list[bytes]] = {}

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def work(endpoint: str, **settings: str) -> str:
    """Have a process do something and end; the id of its trace."""
    environment = {**clean_environment(), "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **settings}
    ran = subprocess.run(
        [sys.executable, "-c", _WORK], cwd=ROOT, capture_output=True, text=True, check=True,
        env=environment, timeout=60,
    )  # fmt: skip
    return ran.stdout.strip()


def test_a_span_its_log_line_and_its_count_reach_the_collector() -> None:
    with collector() as (endpoint, received):
        trace_id = work(endpoint)
    [span] = [
        span
        for body in received["/v1/traces"]
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert (span.name, span.trace_id.hex()) == ("deliver", trace_id)
    [line] = [
        line
        for body in received["/v1/logs"]
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in resource.scope_logs
        for line in scope.log_records
    ]
    told = {each.key: each.value for each in line.attributes}
    assert (line.body.string_value, line.severity_text) == ("parcel_lost", "WARNING")
    assert (line.trace_id.hex(), line.span_id) == (trace_id, span.span_id)
    assert (told["order"].string_value, told["count"].int_value) == ("WP-1", 2)
    counted = {
        metric.name: metric
        for body in received["/v1/metrics"]
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert counted["waypost.test.things"].sum.data_points[0].as_int == 3


def test_no_trace_is_sent_where_none_is_sampled_and_the_rest_is() -> None:
    with collector() as (endpoint, received):
        work(endpoint, WAYPOST_TRACE_SAMPLE="0")
    assert "/v1/traces" not in received
    assert received.keys() >= {"/v1/logs", "/v1/metrics"}


async def test_one_scrape_tells_of_every_process(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    worker = [["waypost_things", "counter", "Things.",
               [["waypost_things_total", {"city": "TH-10"}, "7.0"]]]]  # fmt: skip
    await resources.redis.set("metrics:worker-b-2", orjson.dumps(worker), ex=60)
    text = (await client.get("/metrics")).text
    assert 'waypost_things_total{city="TH-10",process="worker-b-2"} 7.0' in text
    own = metrics_board.process_name("web")
    assert f'process_open_fds{{process="{own}"}}' in text
    assert text.count("# TYPE process_open_fds gauge") == 1


async def test_a_process_that_ended_is_told_of_no_more(resources: Resources) -> None:
    await metrics_board.show(resources.redis, "web-a-1")
    assert 0 < await resources.redis.ttl("metrics:web-a-1") <= 20


async def test_without_the_hot_store_a_process_tells_of_itself(
    client: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise OSError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(resources.redis), "execute_command", away)
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert "process_open_fds" in answer.text
