"""Airbyte source connector for Kissmetrics."""

__version__ = "0.2.0"
