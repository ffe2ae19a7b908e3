"""The organisation's contract says what the API has: every route, parameter, kind and command, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest

from pingji.cli.organisation import app as commands
from pingji.dashboard.app import create_app
from pingji.dashboard.texts import LANGUAGES, catalogue
from pingji.data.organisation.workbook.words import words
from pingji.ops.organisation.handover import State
from pingji.ops.organisation.kinds import NATURE, ROLES, Level, PostKind, UnitKind
from pingji.ops.organisation.post import Why
from pingji.ops.organisation.rules import NAMES
from pingji.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "organisation.md").read_text(encoding="utf-8")
ROUTE = re.compile(r"`(GET|POST|PUT) (/organisation[^\s`?]*)")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """Operations by method and path below `/api/v1`."""
    store = tmp_path_factory.mktemp("contract") / "pingji.db"
    document: dict[str, Any] = create_app(Settings(database_url=f"sqlite:///{store}")).openapi()
    return {
        (method.upper(), path.removeprefix("/api/v1")): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/organisation")
    }


def test_the_page_names_the_routes_that_there_are(served: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert set(ROUTE.findall(PAGE)) == set(served)


def test_the_page_names_every_parameter(served: dict[tuple[str, str], dict[str, Any]]) -> None:
    missing = set()
    for (method, path), operation in served.items():
        lines = "\n".join(line for line in PAGE.splitlines() if re.search(rf"`{method} {re.escape(path)}[`?\s]", line))
        asked = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
        missing |= {(path, name) for name in asked if f"{name}=" not in lines}
    assert missing == set()


def test_kinds_are_listed_with_level_and_chain() -> None:
    for kind in PostKind:
        nature = NATURE[kind]
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind.value}` |"))
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        assert cells[2] == (nature.level.value if nature.level else "any"), kind
        assert cells[3] == nature.chain.value, kind
        assert bool(cells[4]) == (kind in ROLES), kind
    for value in (*UnitKind, *State, *Why, *NAMES, *(level for level in Level if level is not Level.HOUSEHOLD)):
        assert str(value) in PAGE, value


def test_the_page_names_the_commands_that_there_are() -> None:
    line = next(line for line in PAGE.splitlines() if "`pingji organisation" in line)
    named = {part.split()[0] for part in re.findall(r"pingji organisation ([^`]+)", line)[0].split("|")}
    assert named == {command.name for command in commands.registered_commands}


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_wrong_with_a_cell_has_its_texts(language: str) -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "pingji/data/organisation/workbook").glob("*.py")
    )
    raised = set(re.findall(r'BadCell\("(\w+)"\)', source)) | set(re.findall(r'_complain\([^\n]*, "(\w+)"\)', source))
    assert len(raised) >= 10
    wanted = {f"organisation.import.{part}.{kind}" for kind in raised for part in ("error", "remedy")}
    assert wanted <= set(catalogue(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_post_is_recognised_by_the_name_it_is_shown_by(language: str) -> None:
    if language == "en":
        return
    for kind in set(PostKind) - {PostKind.OTHER}:
        level = NATURE[kind].level
        assert level is not None
        assert words().kind(catalogue(language)[f"org.post.{kind.value}"], level) is kind
