"""Spans, metrics and structured logs, with the trace id in each log line."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from time import time_ns
from typing import Any, TextIO, cast

import structlog
from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger_provider, set_logger_provider
from opentelemetry.context import get_current
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from structlog.typing import EventDict, Processor

from backend.settings import Settings

tracer = trace.get_tracer("waypost")
meter = metrics.get_meter("waypost")

# From a cache hit to a request that timed out; 0.31 is the promise.
_SECONDS = ExplicitBucketHistogramAggregation(
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.31, 0.5, 1, 2.5, 5, 10)
)
_SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
# Without a collector one span in a hundred is made: ids for the logs, next to no cost.
_UNEXPORTED_RATIO = 0.01
_METRICS_EVERY_MS = 15_000


class LogFile:
    """A stream for log lines; one that cannot be written, on a full disk, is left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Push out what can be pushed out."""
        with suppress(OSError):
            self._stream.flush()


def _add_trace(_: Any, __: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def _export(_: Any, __: str, event: EventDict) -> EventDict:
    """Hand a log line to the collector as well; the line goes on as it is."""
    level = str(event.get("level", "info"))
    get_logger_provider().get_logger("waypost").emit(
        LogRecord(
            timestamp=time_ns(),
            context=get_current(),
            severity_text=level.upper(),
            severity_number=_SEVERITIES.get(level, SeverityNumber.UNSPECIFIED),
            body=str(event.get("event", "")),
            attributes={
                key: value if isinstance(value, bool | int | float) else str(value)
                for key, value in event.items()
                if key not in ("event", "level", "timestamp", "trace_id", "span_id")
                and not key.startswith("_")
            },
        )
    )
    return event


def _configure_logs(service: str, level: str, *, exported: bool) -> None:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if exported:
        shared.append(_export)
    renderer = structlog.processors.JSONRenderer()
    sink = cast(TextIO, LogFile(sys.stderr))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sink),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sink)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))


def configure(service: str, settings: Settings) -> None:
    """Set up logs, spans and metrics of this process; call once, before the first request."""
    _configure_logs(service, settings.log_level, exported=bool(settings.otel_endpoint))
    resource = Resource.create({"service.name": f"waypost-{service}"})
    ratio = settings.trace_sample if settings.otel_endpoint else _UNEXPORTED_RATIO
    readers: list[MetricReader] = [PrometheusMetricReader(scope_info_enabled=False)]
    provider = TracerProvider(resource=resource, sampler=ParentBasedTraceIdRatio(ratio))
    if settings.otel_endpoint:
        collector = settings.otel_endpoint.rstrip("/")
        spans = OTLPSpanExporter(endpoint=f"{collector}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(spans))
        figures = OTLPMetricExporter(endpoint=f"{collector}/v1/metrics")
        readers.append(PeriodicExportingMetricReader(figures, _METRICS_EVERY_MS))
        logs = LoggerProvider(resource=resource)
        lines = OTLPLogExporter(endpoint=f"{collector}/v1/logs")
        logs.add_log_record_processor(BatchLogRecordProcessor(lines))
        set_logger_provider(logs)
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(
        MeterProvider(
            resource=resource,
            metric_readers=readers,
            views=[View(instrument_unit="s", aggregation=_SECONDS)],
        )
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A structured logger; `log.info("what happened", driver=..., count=...)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger


def about(**things: str) -> None:
    """Say what the span in progress is about, so that a thing's traces can be found by its name."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes(things)


def current_trace_id() -> str | None:
    """The trace id of the span in progress, 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None
