"""The table of roles that people read is the one that holds."""

from pathlib import Path

from pingji.ops.access import PERMISSIONS, Permission, Role

TEXT = (Path(__file__).parents[2] / "docs" / "access.md").read_text()


def _rows() -> dict[str, list[str]]:
    lines = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_the_table_of_permissions_is_true() -> None:
    rows = _rows()
    roles = rows["permission"]
    assert roles == [role.value for role in Role]
    told = {
        (role, permission)
        for permission in Permission
        for role, mark in zip(roles, rows[f"`{permission.value}`"], strict=True)
        if mark == "x"
    }
    assert told == {(role.value, permission) for role in Role for permission in PERMISSIONS[role]}


def test_every_permission_is_explained() -> None:
    explained = TEXT.split("## Areas")[0].rsplit("|\n\n", 1)[1]
    assert all(f"`{permission.value}`" in explained for permission in Permission)
