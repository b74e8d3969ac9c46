"""`python -m benchmarks.manifest_connector read …`: manifest.yaml, run by the CDK's `source-declarative-manifest`."""

from __future__ import annotations

import sys
from pathlib import Path

from airbyte_cdk.cli.source_declarative_manifest import run

if __name__ == "__main__":
    sys.argv += ["--manifest-path", str(Path(__file__).with_name("manifest.yaml"))]
    run()
