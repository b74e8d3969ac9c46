"""Benchmarks: the connector beside Airbyte's manifest form of the same stream, and beside a plain loop."""
