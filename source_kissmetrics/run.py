"""The console script `source-kissmetrics`."""

from connector_kit.run import main


def run() -> None:
    """Runs the connector with the process's arguments: spec, check, discover or read."""
    main("source_kissmetrics", "source_kissmetrics.source:SourceKissmetrics")
