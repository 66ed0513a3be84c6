"""Alertmanager's webhook, version 4.

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from typing import Any

from backend.incidents.doorways.reading import (
    Beat,
    Delivery,
    Fault,
    Item,
    Reading,
    alert_of,
    moment,
    object_of,
    severity_of,
    texts,
    unknown_version,
)
from backend.platform.errors import FieldError, Invalid

VERSION = "4"
_WATCHDOGS = frozenset({"Watchdog", "DeadMansSwitch"})
"""Alerts that fire always, so that their silence tells."""


def read(delivery: Delivery) -> Reading:
    """The alerts of a notification; `groupKey` and the common labels are hints and not used.

    Raises Invalid for another version or a body without alerts.
    """
    return read_alerts(delivery, VERSION)


def read_alerts(delivery: Delivery, version: str) -> Reading:
    """The same for senders that share the shape under a version of their own."""
    body = object_of(delivery.body)
    if body.get("version") != version:
        raise unknown_version("/version", version, body.get("version"))
    alerts = body.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        detail = "There are no alerts in it."
        raise Invalid(detail, errors=[FieldError("/alerts", "missing", detail)])
    return Reading([_item(delivery, alert) for alert in alerts])


def _item(delivery: Delivery, alert: Any) -> Item:
    if not isinstance(alert, dict):
        return Fault("not_an_object", "This alert is not an object.")
    labels = texts(alert.get("labels"))
    name = labels.get("alertname", "")
    if name in _WATCHDOGS:
        return Beat()
    fingerprint, status = alert.get("fingerprint"), alert.get("status")
    if not isinstance(fingerprint, str) or not fingerprint:
        return Fault("missing_fingerprint", "This alert has no fingerprint.")
    if status not in ("firing", "resolved"):
        return Fault("unknown_status", "An alert is firing or resolved.")
    notes = texts(alert.get("annotations"))
    more = {part: alert[part] for part in ("dashboardURL", "panelURL") if alert.get(part)}
    return alert_of(
        delivery,
        key=fingerprint,
        title=notes.get("summary") or notes.get("title") or name,
        severity=severity_of(labels.get("severity")),
        firing=status == "firing",
        service=labels.get("service") or labels.get("job"),
        region=labels.get("region"),
        started_at=moment(alert.get("startsAt")),
        ended_at=moment(alert.get("endsAt")),
        labels=texts(labels, notes, more),
        url=alert.get("generatorURL"),
        value=_value(alert.get("values")),
    )


def _value(values: Any) -> Any:
    """Grafana's first number, of those that its expressions came to."""
    return next(iter(values.values()), None) if isinstance(values, dict) else None
