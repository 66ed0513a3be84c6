"""Applies migrations and compares them with the models."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from alembic import command
from alembic.config import Config

import backend


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def load_models() -> None:
    """Import every module that declares tables, so that the metadata is whole."""
    importlib.import_module("backend.platform.consumers")
    importlib.import_module("backend.platform.outbox")
    importlib.import_module("backend.platform.idempotency")
    for package in pkgutil.iter_modules(backend.__path__):
        if package.ispkg:
            for file in sorted((Path(backend.__path__[0]) / package.name).glob("*models.py")):
                importlib.import_module(f"backend.{package.name}.{file.stem}")


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether a table belongs to the models; daily partitions are made at run time."""
    return kind != "table" or not (name or "").startswith("tracking_fix_")


def upgrade(url: str) -> None:
    """Bring the schema at `url` to the newest revision."""
    command.upgrade(configuration(url), "head")


def check(url: str) -> None:
    """Raise where the models and the migrated schema differ."""
    command.check(configuration(url))
