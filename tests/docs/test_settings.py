"""Every setting is described where an operator looks for it."""

import re
from pathlib import Path

import pytest

from pingji.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def described() -> dict[str, str]:
    rows = re.findall(r"^\| `PINGJI_(\w+)` \| ([^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower(): default.strip() for name, default in rows}


def test_all_settings_and_no_others() -> None:
    assert set(described()) == set(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_defaults_are_as_described(name: str) -> None:
    default = Settings.model_fields[name].default
    assert described()[name] == ("none" if default is None else f"`{default}`")
