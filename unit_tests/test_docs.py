"""The pages say what the code does: commands, settings, streams, errors and cited facts are compared with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_kit.errors import EXCEPTION_RULES, STATUS_RULES, UNKNOWN_STATUS, Rule
from examples.demo import LAST_DAY, NEXT_DAY, PEOPLE, due_again, people
from sandbox import STREAMS, Universe
from source_kissmetrics.config import parse
from source_kissmetrics.core_api import ADVICE, CoreList
from source_kissmetrics.streams import CORE_STREAMS
from source_kissmetrics.streams.metric_series import MetricBySegment, MetricOverTime
from source_kissmetrics.streams.people_search_results import PeopleSearchResults

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
ALL_STREAMS = (*CORE_STREAMS, PeopleSearchResults, MetricOverTime, MetricBySegment)
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "examples/README.md",
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    fenced = [block.split("\n", 1) for block in text(page).split("```")[1::2]]
    return [content for first_line, content in fenced if first_line == language]


def table_rows(page: str) -> list[list[str]]:
    """The cells of every table row."""
    lines = [line for line in text(page).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


# --- Commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_shown_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    shown = set(re.findall(r"^make ([a-z]+)", "\n".join(blocks(page, "sh")), re.MULTILINE))
    shown |= set(re.findall(r"`make ([a-z]+)", text(page)))
    assert shown <= targets


def test_every_make_target_is_explained_by_make_help() -> None:
    makefile = text("Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(phony.split()) - {"help"} == set(re.findall(r'@echo "make ([a-z]+) ', makefile))


def test_readme_shows_commands_that_the_connector_has() -> None:
    commands = re.findall(r"source-kissmetrics(?::dev)? ([a-z]+) --config", text("README.md"))
    assert {"check", "discover"} <= set(commands) <= {"spec", "check", "discover", "read"}


def test_readme_shows_the_image_that_make_builds() -> None:
    (built,) = re.findall(r"docker build --tag (\S+)", text("Makefile"))
    assert set(re.findall(r"\S+/source-kissmetrics:\S+", text("README.md"))) == {built}


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md", "examples/README.md"])
def test_every_config_that_is_shown_is_accepted(page: str) -> None:
    shown = blocks(page, "json")
    assert shown
    for block in shown:
        assert parse(json.loads(block)).credentials.api_token == "YOUR-TOKEN"


def test_every_example_that_is_shown_exists() -> None:
    shown = set(re.findall(r"-m examples\.(\w+)", text("examples/README.md")))
    assert shown == {"signed_up_not_activated", "added_to_cart_not_checked_out"}
    assert [name for name in shown if not (ROOT / "examples" / f"{name}.py").is_file()] == []


def test_readme_s_python_is_python() -> None:
    (block,) = blocks("README.md", "python")
    compile(block, "README.md", "exec")


def test_the_stream_that_contributing_adds_declares_all_that_a_stream_must() -> None:
    (block,) = blocks("CONTRIBUTING.md", "python")
    names: Json = {"__name__": "source_kissmetrics.streams.annotations"}
    exec(block, names)
    stream = names["Annotations"]
    assert issubclass(stream, CoreList)
    for attribute in ("name", "primary_key", "cursor_field", "path", "parent", "path_in_parent"):
        assert getattr(stream, attribute), attribute


# --- Links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text(page)) if "://" not in target]
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


# --- Streams ------------------------------------------------------------------------------------------------------


def test_readme_lists_every_stream_with_its_key_and_cursor() -> None:
    listed = {row[0]: row[1:3] for row in table_rows("README.md") if len(row) == 4 and row[0].startswith("`")}
    declared = {
        f"`{stream.name}`": [", ".join(f"`{name}`" for name in stream.primary_key), f"`{stream.cursor_field}`"]
        for stream in ALL_STREAMS
    }
    assert listed == declared
    experimental = {row[0] for row in table_rows("README.md") if row[-1].startswith("experimental")}
    assert experimental == {"`metric_over_time`", "`metric_by_segment`"}


def test_readme_shows_the_table_that_the_demo_prints() -> None:
    shown = {}
    for line in blocks("README.md", "")[0].splitlines():
        name, *cells = line.split() or [""]
        if name in (*STREAMS, PEOPLE):
            shown[name] = [int(cell) for cell in cells[-3:]]
    universe = Universe()
    rows = {stream: universe.rows(stream) for stream in STREAMS}
    expected = {
        name: [len(rows[name]), len(due_again(name, rows[name], rows[name])), len(rows[name])] for name in STREAMS
    }
    before, again, after = expected["events"]
    expected["events"] = [before, again + 2, after + 1]
    first, both = len(people(universe, LAST_DAY)), len(people(universe, NEXT_DAY))
    expected[PEOPLE] = [first, both - first, both]
    assert shown == expected


# --- Settings -----------------------------------------------------------------------------------------------------


def test_every_setting_is_explained() -> None:
    spec = json.loads(text("source_kissmetrics/spec.json"))["connectionSpecification"]
    page = text("docs/configuration.md")
    missing = [path for path in _settings(spec) if f"`{path}`" not in page and f"`{path.split('.')[-1]}`" not in page]
    assert missing == []


def test_every_default_that_is_told_is_the_spec_s() -> None:
    spec = json.loads(text("source_kissmetrics/spec.json"))["connectionSpecification"]["properties"]
    told = {row[0].strip("`"): row[2].strip("`") for row in table_rows("docs/configuration.md") if len(row) == 3}
    assert told["num_workers"] == str(spec["num_workers"]["default"])
    assert told["include_tracking_keys"] == json.dumps(spec["include_tracking_keys"]["default"])
    assert told["page_size"] == str(CoreList.pagination.page_size)
    for part in ("people_search", "metric_series"):
        for name, setting in spec[part]["properties"].items():
            default = setting.get("default")
            if default is not None and default != []:
                assert told[f"{part}.{name}"] == (default if isinstance(default, str) else json.dumps(default)), name
    assert told["credentials.base_url"] == spec["credentials"]["oneOf"][0]["properties"]["base_url"]["default"]


def _settings(schema: Json, prefix: str = "") -> Iterator[str]:
    for variant in (schema, *schema.get("oneOf", ())):
        for name, child in variant.get("properties", {}).items():
            yield prefix + name
            yield from _settings(child, f"{prefix}{name}.")
            yield from _settings(child.get("items", {}), f"{prefix}{name}.")


# --- Errors -------------------------------------------------------------------------------------------------------


def _error_lines() -> Iterator[str]:
    for statuses, rule in STATUS_RULES.items():
        is_one = len(statuses) == 1
        yield _error_line(str(statuses.start) if is_one else f"{statuses.start} to {statuses.stop - 1}", rule)
    yield _error_line("any other", UNKNOWN_STATUS)
    for kind, rule in EXCEPTION_RULES:
        yield _error_line(f"`{kind.__module__.split('.')[0]}: {kind.__name__}`", rule)
    for status, advice in ADVICE.items():
        yield f"| {status} | {advice} |"


def _error_line(what: str, rule: Rule) -> str:
    retry = "yes" if rule.retry else "no"
    return f"| {what} | {rule.what} | {retry} | {rule.failure.value} | {rule.advice} |"


def test_every_row_of_the_error_tables_is_on_the_page() -> None:
    page = text("docs/errors.md").splitlines()
    assert [line for line in _error_lines() if line not in page] == []


def test_the_page_has_no_row_that_the_error_tables_have_not() -> None:
    known = set(_error_lines())
    tables = text("docs/errors.md").split("## The config")[0].splitlines()
    rows = [line for line in tables if line.startswith("| ") and not line.startswith(("| Status |", "| Exception |"))]
    assert [line for line in rows if line not in known] == []


# --- Facts --------------------------------------------------------------------------------------------------------


def _citations() -> Iterator[tuple[str, str]]:
    """Each place that cites the page of wire facts, with the words that follow."""
    for room in ("connector_kit", "source_kissmetrics", "sandbox"):
        for path in sorted((ROOT / room).rglob("*.py")):
            content = re.sub(r"\s+(?:# )?", " ", path.read_text("utf-8"))
            for words in re.findall(r"docs/wire-kissmetrics\.md, (.{0,40})", content):
                yield str(path.relative_to(ROOT)), words


def test_every_fact_that_the_code_cites_has_its_heading() -> None:
    headings = re.findall(r"^## (.+)$", text("docs/wire-kissmetrics.md"), re.MULTILINE)
    cited = list(_citations())
    assert cited
    known = re.compile("|".join(rf"{re.escape(heading)}(?!\w)" for heading in headings))
    assert [(path, words) for path, words in cited if not known.match(words)] == []


def test_every_stream_cites_its_facts() -> None:
    citing = {path for path, _ in _citations()}
    modules = {stream.name: f"{stream.__module__.replace('.', '/')}.py" for stream in ALL_STREAMS}
    assert [name for name, path in modules.items() if path not in citing] == []
