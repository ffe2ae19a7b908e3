"""The workbench's contract says what the API has: every route, parameter, intent and kind, and no other."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from pingji.cli.grids import app as commands
from pingji.dashboard.app import create_app
from pingji.dashboard.texts import LANGUAGES, catalogue
from pingji.data.grids import problems
from pingji.geo.coverage.problems import Kind
from pingji.ops.change_set import Reason, Status, Step
from pingji.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "grids.md").read_text(encoding="utf-8")
ROUTE = re.compile(r"`(GET|POST|PATCH) (/[^\s`?]+)")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the running app says of itself."""
    store = tmp_path_factory.mktemp("contract") / "pingji.db"
    document: dict[str, Any] = create_app(Settings(database_url=f"sqlite:///{store}")).openapi()
    return document


def served(api: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Operations by method and path below `/api/v1`."""
    return {
        (method.upper(), path.removeprefix("/api/v1")): operation
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    }


def resolved(api: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def told(method: str, path: str) -> str:
    """The lines of the page that name a route."""
    wanted = re.compile(rf"`{method} {re.escape(path)}[`?\s]")
    return "\n".join(line for line in PAGE.splitlines() if wanted.search(line))


def test_the_page_names_the_routes_that_there_are(api: dict[str, Any]) -> None:
    named = {(method, path) for method, path in ROUTE.findall(PAGE)}
    there = served(api)
    ours = {route for route in named if route[1].startswith("/grids")}
    assert ours <= set(there)
    assert {route for route in named - ours if (route[0], "/layers/{name}") not in there} == set()
    assert {route for route in there if route[1].startswith("/grids")} == ours


def test_the_page_names_every_parameter(api: dict[str, Any]) -> None:
    missing = set()
    for (method, path), operation in served(api).items():
        if path.startswith("/grids"):
            asked = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            missing |= {(path, name) for name in asked if f"{name}=" not in told(method, path)}
            bodies = operation.get("requestBody", {}).get("content", {})
            for name in resolved(api, bodies.get("application/json", {}).get("schema", {})).get("properties", ()):
                if f'"{name}"' not in told(method, path):
                    missing.add((path, name))
    assert missing == set()


def test_the_page_names_no_parameter_that_would_be_refused(api: dict[str, Any]) -> None:
    """A body with a field that the API does not know is answered 422."""
    unknown = set()
    for (method, path), operation in served(api).items():
        bodies = operation.get("requestBody", {}).get("content", {})
        if not path.startswith("/grids") or "application/json" not in bodies:
            continue
        taken = set(resolved(api, bodies["application/json"]["schema"])["properties"])
        sent = re.search(rf"`{method} {re.escape(path)}` `\{{(.*?)\}}`", told(method, path))
        if sent is not None:
            named = re.findall(r'"(\w+)"\??(?=[,:]|$)', sent[1])
            unknown |= {(path, name) for name in named if name not in taken}
    assert unknown == set()


def test_the_page_lists_the_intents_with_all_that_they_take(api: dict[str, Any]) -> None:
    listed = PAGE.partition("Intents:")[2].partition("Difference:")[0]
    schema = resolved(api, api["components"]["schemas"]["EditIn"]["properties"]["intent"])
    taken = {kind: resolved(api, {"$ref": ref}) for kind, ref in schema["discriminator"]["mapping"].items()}
    assert set(re.findall(r'"kind": "(\w+)"', listed)) == set(taken)
    for kind, model in taken.items():
        lines = "".join(re.findall(rf'\{{"kind": "{kind}".*', listed))
        assert {name for name in model["properties"] if f'"{name}"' not in lines} == set(), kind


def kinds() -> set[str]:
    found = re.search(r'"kind": "(gap\|[\w|]+)"', PAGE)
    assert found is not None
    return set(found[1].split("|"))


def test_every_kind_of_problem_is_listed_and_has_its_texts() -> None:
    source = Path(problems.__file__).read_text(encoding="utf-8")
    found = set(re.findall(r'Problem\("(\w+)", "(?:error|warning)"', source))
    found |= {f"too_{light}" for light in ("few", "many") if 'Problem(f"too_{' in source}
    assert kinds() == {*get_args(Kind), *found}
    for language in LANGUAGES:
        wanted = {f"grids.problem.{start}{kind}" for kind in kinds() for start in ("", "title_")}
        assert wanted <= set(catalogue(language))


def test_statuses_and_steps_are_listed() -> None:
    assert f'"status": "{"|".join(Status)}"' in PAGE
    assert '"step": "' + "\\|".join(Step) + '"' in PAGE


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_statuses_and_steps_have_their_texts(language: str) -> None:
    wanted = {f"choice.grids.reason.{reason}" for reason in Reason} | {f"choice.step.{step}" for step in Step}
    wanted |= {
        f"{start}.{status}" for status in Status for start in ("choice.status", "grid_files.status", "grids.status")
    }
    assert wanted <= set(catalogue(language))


def test_the_page_names_the_commands_that_there_are() -> None:
    line = next(line for line in PAGE.splitlines() if "`pingji grids list" in line)
    named = {part.split()[0] for part in re.findall(r"pingji grids ([^`]+)", line)[0].split("|")}
    assert named == {command.name for command in commands.registered_commands}
