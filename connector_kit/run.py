"""What a connector's console script calls."""

from __future__ import annotations

import json
import pkgutil
import sys
from importlib import import_module


def main(package: str, source: str) -> None:
    """Runs the source `module:Class` with the process's arguments.

    `spec` is answered from the package's spec.json before the CDK is imported, which takes a second and which it does
    not need.
    """
    args = sys.argv[1:]
    if args[:1] == ["spec"] and set(args[1:]) <= {"--debug"}:
        content = pkgutil.get_data(package, "spec.json")
        assert content is not None
        print(json.dumps({"type": "SPEC", "spec": json.loads(content)}))
        return
    from connector_kit.cdk.entrypoint import launch

    module, name = source.split(":")
    launch(getattr(import_module(module), name)(), args)
