"""Airbyte's own standard tests, over the scenarios of acceptance-test-config.yml; advisory findings are errors."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from integration_tests.conftest import UNIVERSE
from sandbox.server import running
from source_kissmetrics.source import SourceKissmetrics

PROJECT = Path(__file__).parents[1]
ROOT = Path(tempfile.mkdtemp(prefix="standard-tests-"))
"""The connector's folder as the standard tests see it. A copy, because they find configs by path, and those hold the
port of this run's sandbox: runs beside each other must not share them."""

for _name in ("acceptance-test-config.yml", "metadata.yaml", "source_kissmetrics/spec.json"):
    (ROOT / _name).parent.mkdir(exist_ok=True)
    shutil.copy(PROJECT / _name, ROOT / _name)

pytestmark = pytest.mark.filterwarnings("error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning")


@pytest.fixture(autouse=True, scope="module")
def _configs() -> Iterator[None]:
    folder = ROOT / "integration_tests" / ".generated"
    folder.mkdir(parents=True)
    with running(UNIVERSE) as sandbox:
        for name, token in {"config": sandbox.token, "bad_token": "wrong-token-1234567890"}.items():
            credentials = {"auth_type": "api_token", "api_token": token, "base_url": sandbox.core_url}
            config = {"credentials": credentials, "start_date": "2026-01-01"}
            (folder / f"{name}.json").write_text(json.dumps(config))
        yield
    shutil.rmtree(ROOT)


class TestSuite(SourceTestSuiteBase):
    """spec, check, discover and read, in this process."""

    connector = SourceKissmetrics
    connector_name = "source-kissmetrics"

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT
