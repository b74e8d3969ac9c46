"""Airbyte source connector for Kissmetrics."""

__version__ = "0.1.0"
