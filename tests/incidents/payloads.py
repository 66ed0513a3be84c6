"""Deliveries as the documentation of each sender gives them, with Waypost's labels."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from backend.platform import clock

YEAR_ONE = "0001-01-01T00:00:00Z"


def iso(at: datetime) -> str:
    """A moment as Go writes it, with nanoseconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


def ago(seconds: float) -> str:
    """A moment so long ago."""
    return iso(clock.now() - timedelta(seconds=seconds))


def alertmanager(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A notification of version 4."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="GatewayErrors"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "waypost",
        "groupLabels": {"alertname": "GatewayErrors"},
        "commonLabels": {"alertname": "GatewayErrors", "service": "payments"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com:9093",
        "alerts": list(alerts),
        **more,
    }


def firing(
    fingerprint: str = "09e9fe2d4c7a6d31", *, ago_s: float = 60, **more: Any
) -> dict[str, Any]:
    """An alert that fires."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "GatewayErrors",
            "severity": "critical",
            "service": "payments",
            "region": "TH-10",
        },
        "annotations": {"summary": "Gateway errors over 10 %", "description": "Look at Razorpay."},
        "startsAt": ago(ago_s),
        "endsAt": YEAR_ONE,
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=errors",
        "fingerprint": fingerprint,
        **more,
    }


def resolved(of: dict[str, Any], *, ago_s: float = 0) -> dict[str, Any]:
    """The same alert, over."""
    return {**deepcopy(of), "status": "resolved", "endsAt": ago(ago_s)}


def grafana(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A notification of Grafana's webhook contact point."""
    return {
        "receiver": "waypost",
        "status": "firing",
        "orgId": 1,
        "alerts": [
            {
                **alert,
                "silenceURL": "https://grafana.example.com/alerting/silence/new",
                "dashboardURL": "https://grafana.example.com/d/pay",
                "panelURL": "https://grafana.example.com/d/pay?viewPanel=2",
                "values": {"B": 44.23, "C": 1},
                "valueString": "[ var='B' labels={} value=44.23 ]",
            }
            for alert in alerts
        ],
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://grafana.example.com/",
        "version": "1",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "title": "[FIRING:1]",
        "state": "alerting",
        "message": "**Firing**",
        **more,
    }


def pagerduty(action: str = "trigger", **more: Any) -> dict[str, Any]:
    """An event of version 2."""
    return {
        "event_action": action,
        "payload": {
            "summary": "Disk of db-1 is full",
            "source": "db-1",
            "severity": "error",
            "component": "postgres",
            "group": "prod",
            "class": "disk",
            "custom_details": {"free": "1 %", "region": "TH-10", "service": "database"},
        },
        "links": [{"href": "https://example.com/db-1", "text": "db-1"}],
        "client": "Monitor",
        "client_url": "https://monitor.example.com",
        **more,
    }


def cloudevent(**more: Any) -> dict[str, Any]:
    """A structured event of version 1.0."""
    return {
        "specversion": "1.0",
        "id": "A234-1234-1234",
        "source": "/monitors/bangkok",
        "type": "com.example.queue.stuck",
        "subject": "parcels",
        "time": ago(30),
        "datacontenttype": "application/json",
        "data": {
            "title": "The parcel queue is stuck",
            "severity": "high",
            "service": "hubs",
            "region": "TH-10",
        },
        **more,
    }
