"""What is shipped, and what it says about itself: versions, metadata, image, wheel and locked requirements."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from airbyte_cdk.models.connector_metadata import MetadataFile
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import ConnectorMetadataDefinitionV0
from jsonschema import Draft7Validator, FormatChecker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import source_kissmetrics
from source_kissmetrics.config import QUERY_HOSTS
from source_kissmetrics.streams import CORE_STREAMS
from source_kissmetrics.streams.people_search_results import PeopleSearchResults

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


@pytest.fixture(scope="module")
def setup_arguments() -> Json:
    """What setup.py hands to setuptools."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    return dict(setup.call_args.kwargs)


@pytest.fixture(scope="module")
def metadata() -> Json:
    """metadata.yaml as JSON: dates as text."""
    content: Json = json.loads(json.dumps(yaml.safe_load(text("metadata.yaml")), default=str))
    return content


# --- Versions -----------------------------------------------------------------------------------------------------


def test_every_version_is_the_package_s_own(setup_arguments: Json, metadata: Json) -> None:
    newest_change = re.search(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.MULTILINE)
    label = re.search(r"io\.airbyte\.version=(\S+)", text("Dockerfile"))
    assert newest_change is not None
    assert label is not None
    stated = {
        "setup.py": setup_arguments["version"],
        "metadata.yaml": metadata["data"]["dockerImageTag"],
        "CHANGELOG.md": newest_change[1],
        "Dockerfile": label[1],
    }
    assert stated == dict.fromkeys(stated, source_kissmetrics.__version__)


# --- metadata.yaml ------------------------------------------------------------------------------------------------


def test_metadata_fits_airbyte_s_schema(metadata: Json) -> None:
    schema = json.loads(
        (files("airbyte_connector_models.metadata.v0") / "ConnectorMetadataDefinitionV0.json").read_text()
    )
    schema = _without_nested_ids(schema)
    problems = [
        error.message for error in Draft7Validator(schema, format_checker=FormatChecker()).iter_errors(metadata)
    ]
    assert problems == []
    ConnectorMetadataDefinitionV0.model_validate(metadata)


def _without_nested_ids(schema: Any) -> Any:
    """The schema is a bundle: its references count from the root, which the ids of its parts would forbid."""
    if isinstance(schema, dict):
        return {key: _without_nested_ids(value) for key, value in schema.items() if key != "$id"}
    return [_without_nested_ids(item) for item in schema] if isinstance(schema, list) else schema


def test_metadata_can_be_read_by_the_cdk(metadata: Json) -> None:
    read = MetadataFile.from_file(ROOT / "metadata.yaml")
    assert read.data.dockerRepository == metadata["data"]["dockerRepository"]


def test_metadata_keeps_the_registry_s_rules(metadata: Json) -> None:
    data = metadata["data"]
    assert {"language:python", "cdk:python"} <= set(data["tags"])
    assert all(re.fullmatch(r"[a-z]+:[a-z-]+", tag) for tag in data["tags"])
    assert data["license"] in ("MIT", "ELv2")
    assert data["githubIssueLabel"] == data["dockerRepository"].removeprefix("airbyte/") == "source-kissmetrics"
    assert data["remoteRegistries"]["pypi"] == {"enabled": True, "packageName": "airbyte-source-kissmetrics"}
    assert re.fullmatch(r"\S+/python-connector-base:[\d.]+@sha256:[0-9a-f]{64}", _base_image(metadata))
    assert not re.search(r"http://", text("metadata.yaml"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["dockerImageTag"]), "a release candidate needs a progressive rollout"
    is_major = data["dockerImageTag"].endswith(".0.0")
    assert not is_major or data["dockerImageTag"] in data["releases"]["breakingChanges"]
    assert (ROOT / data["icon"]).is_file()


def test_metadata_names_streams_that_exist(metadata: Json) -> None:
    """None of the experimental ones is suggested."""
    known = {stream.name for stream in (*CORE_STREAMS, PeopleSearchResults)}
    assert set(metadata["data"]["suggestedStreams"]["streams"]) <= known


def test_metadata_allows_the_hosts_that_the_spec_allows(metadata: Json) -> None:
    variants = json.loads(text("source_kissmetrics/spec.json"))["connectionSpecification"]["properties"]["credentials"]
    default = variants["oneOf"][0]["properties"]["base_url"]["default"]
    hosts = metadata["data"]["allowedHosts"]["hosts"]
    assert default.removeprefix("https://") in hosts
    assert "${credentials.base_url}" in hosts
    assert {url.removeprefix("https://") for url in QUERY_HOSTS.values()} <= set(hosts)
    assert "${people_search.query_base_url}" in hosts


def test_acceptance_config_is_about_this_connector() -> None:
    config = yaml.safe_load(text("acceptance-test-config.yml"))
    assert config["connector_image"] == "airbyte/source-kissmetrics:dev"
    tests = [test for section in config["acceptance_tests"].values() for test in section.get("tests", ())]
    assert {test["config_path"] for test in tests} == {
        "integration_tests/.generated/config.json",
        "integration_tests/.generated/bad_token.json",
    }
    assert not any("configured_catalog_path" in test for test in tests), "it breaks the standard suite's spec tests"


# --- Image --------------------------------------------------------------------------------------------------------


def test_image_tells_the_platform_its_own_entrypoint() -> None:
    lines = text("Dockerfile").splitlines()
    stated = [line.split("=", 1)[1].strip('"') for line in lines if line.startswith("ENV AIRBYTE_ENTRYPOINT=")]
    real = [json.loads(line.removeprefix("ENTRYPOINT ")) for line in lines if line.startswith("ENTRYPOINT ")]
    assert real == [stated]


def test_image_is_built_on_the_declared_base_and_runs_without_privileges(metadata: Json) -> None:
    lines = text("Dockerfile").splitlines()
    assert lines[0] == f"ARG BASE_IMAGE={_base_image(metadata)}"
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER airbyte"


def test_image_can_be_built_by_old_engines() -> None:
    dockerfile = text("Dockerfile")
    assert "<<" not in dockerfile, "here-documents need BuildKit"
    assert not dockerfile.lower().startswith("# syntax"), "it is fetched from a registry"


def test_image_holds_no_sandbox_and_no_tests() -> None:
    let_in = [line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")]
    assert set(let_in) == {
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "constraints.txt",
        "connector_kit",
        "source_kissmetrics",
    }


def _base_image(metadata: Json) -> str:
    return str(metadata["data"]["connectorBuildOptions"]["baseImage"])


# --- Wheel --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_wheel_holds_the_connector_and_nothing_else(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("connector_kit", "source_kissmetrics", "sandbox", "unit_tests", "integration_tests", "examples"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".generated"))
    build = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    run = subprocess.run([sys.executable, "-c", build], cwd=tree, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr

    (wheel,) = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "source-kissmetrics = source_kissmetrics.run:run" in archive.read(entry_points).decode()
    shipped = {
        path.relative_to(tree).as_posix()
        for package in ("connector_kit", "source_kissmetrics")
        for path in (tree / package).rglob("*")
        if path.suffix in (".py", ".json") or path.name == "py.typed"
    }
    assert held == shipped
    assert "source_kissmetrics/spec.json" in held
    assert {f"source_kissmetrics/schemas/{stream.name}.json" for stream in CORE_STREAMS} <= held


# --- Requirements -------------------------------------------------------------------------------------------------


def test_runtime_requirements_name_nothing_of_sandbox_demo_or_tests(setup_arguments: Json) -> None:
    runtime = _names(setup_arguments["install_requires"])
    extras = _names(line for lines in setup_arguments["extras_require"].values() for line in lines)
    assert runtime & extras == set()


@pytest.mark.parametrize("python", PYTHONS)
def test_each_requirement_is_locked_within_its_range(setup_arguments: Json, python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    pins = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in _requirements(text("constraints.txt").splitlines())
        if pin.marker is None or pin.marker.evaluate(environment)
    }
    wanted = [*setup_arguments["install_requires"], *setup_arguments["extras_require"]["dev"]]
    loose = [
        str(requirement)
        for requirement in _requirements(wanted)
        if (requirement.marker is None or requirement.marker.evaluate(environment))
        and pins.get(canonicalize_name(requirement.name), "none") not in requirement.specifier
    ]
    assert loose == [], "run `make lock`"


def test_constraints_are_exact_and_name_no_index() -> None:
    lines = [
        line for line in text("constraints.txt").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert [line for line in lines if not re.match(r"[a-z0-9.-]+==[^ ;]+( ; .+)?$", line)] == []
    assert "make lock" in text("constraints.txt").splitlines()[1]


def test_makefile_installs_the_uv_that_pyairbyte_would_install() -> None:
    pinned = re.search(r"^UV_VERSION := (\S+)$", text("Makefile"), re.MULTILINE)
    assert pinned is not None
    assert f"\nuv=={pinned[1]} " in text("constraints.txt"), "else the demo replaces the uv that installs it"


def _requirements(lines: Any) -> Iterator[Requirement]:
    for line in lines:
        bare = line.split("#")[0].strip()
        if bare:
            yield Requirement(bare)


def _names(lines: Any) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in _requirements(lines)}


# --- The repository -----------------------------------------------------------------------------------------------

_NOT_OURS = {".git", ".venv", ".demo", ".bench", ".tmp", ".generated", "build", "dist", "secrets", "__pycache__"}
_TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".svg", ".cfg", ""}
_PLACES = re.compile("(?<![\\w.])/(?:" + "|".join(["work", "root", "opt"]) + r")/|\.\./shared")


def test_no_file_names_a_place_on_someone_s_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in _our_files(ROOT)
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        if _PLACES.search(line) and path != Path(__file__)
    ]
    assert found == []


def _our_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        is_made = path.name.endswith((".egg-info", "_cache")) or path.name == ".hypothesis"
        if path.name in _NOT_OURS or is_made:
            continue
        if path.is_dir():
            yield from _our_files(path)
        elif path.suffix in _TEXT:
            yield path
