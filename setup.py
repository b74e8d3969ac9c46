"""Packaging of the connectors and the kit they stand on; the sandbox and the tests stay in the checkout."""

from pathlib import Path

from setuptools import find_packages, setup

SANDBOX = ["starlette>=1.0,<2", "uvicorn[standard]>=0.30,<1"]
DEMO = ["airbyte>=0.71,<1; python_version < '3.13'", "duckdb>=1.4,<2"]  # PyAirbyte is not made for later Pythons
TEST = [
    "airbyte-connector-models>=0.1.12,<0.2",
    "hypothesis>=6.100,<7",
    "import-linter>=2.1,<3",
    "mypy>=1.13",
    "packaging>=24,<27",
    "psutil>=5.9,<8",
    "pytest>=8,<10",
    "pytest-xdist>=3.6,<4",
    "pyyaml>=6,<7",
    "ruff>=0.8",
    "setuptools>=77,<90",
    "types-jsonschema>=4.20,<5",
    "types-psutil>=5.9,<8",
    "types-pyyaml>=6,<7",
    "types-requests>=2.32,<3",
]

setup(
    name="airbyte-source-kissmetrics",
    version="0.2.0",
    description="Airbyte source connector for Kissmetrics",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10,<3.15",
    packages=find_packages(include=["connector_kit", "connector_kit.*", "source_kissmetrics", "source_kissmetrics.*"]),
    package_data={
        "connector_kit": ["py.typed"],
        "source_kissmetrics": ["py.typed", "spec.json", "schemas/*.json"],
    },
    install_requires=[
        "airbyte-cdk>=7.39,<8",
        "jsonschema>=4.17,<5",
        "orjson>=3.10,<4",
        "pendulum>=3,<4",
        "requests>=2.32,<3",
        "urllib3>=2.2,<3",
    ],
    extras_require={"sandbox": SANDBOX, "demo": SANDBOX + DEMO, "dev": SANDBOX + DEMO + TEST},
    entry_points={"console_scripts": ["source-kissmetrics=source_kissmetrics.run:run"]},
)
