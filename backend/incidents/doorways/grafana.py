"""Grafana's webhook contact point, version 1: Alertmanager's shape with links and values.

Format: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from __future__ import annotations

from backend.incidents.doorways.alertmanager import read_alerts
from backend.incidents.doorways.reading import Delivery, Reading

VERSION = "1"


def read(delivery: Delivery) -> Reading:
    """The alerts of a notification; its `groupKey` may be `{}:{}` and says nothing."""
    return read_alerts(delivery, VERSION)
