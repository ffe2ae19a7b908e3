"""A layer as a file: masked, unless with a right and a purpose; never more than the caller's area."""

import json
from typing import Any

from sqlalchemy import select

from pingji.data.engine import reading
from pingji.data.tables import audit
from pingji.ops.access import Grant, Role
from tests import world
from tests.app.callers import Client
from tests.app.phone import assert_problem

URL = "/api/v1/layers/households/export"


def _features(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [f["properties"] for f in json.loads(answer.content)["features"]]


def test_masked_for_whoever_may_export(client: Client) -> None:
    found = _features(client.get(URL, params={"format": "geojson"}))
    assert len(found) == 4 * world.HOUSEHOLDS_A_COMMUNITY
    assert {one["phone"] for one in found} == {"138****5678"}
    assert not any("Wang" in one["name"] for one in found)


def test_with_names_for_a_purpose_and_into_the_audit(client: Client) -> None:
    commander = client.bearer("Commander", Grant(Role.COMMANDER, world.COUNTY))
    asked = {"format": "geojson", "personal": True}
    assert_problem(client.get(URL, params=asked, headers=commander), 400, "bad_request")
    found = _features(client.get(URL, params={**asked, "purpose": "list for the buses"}, headers=commander))
    assert {one["phone"] for one in found} == {"13812345678"}
    with reading(client.engine) as conn:
        entry = conn.execute(select(audit).where(audit.c.action == "export_personal")).one()
    assert (entry.actor, entry.object, entry.purpose) == ("Commander", "households.geojson", "list for the buses")


def test_without_the_right_no_names(client: Client) -> None:
    editor = client.bearer("Editor", Grant(Role.GIS_EDITOR, world.COUNTY))
    asked = {"format": "geojson", "personal": True, "purpose": "curiosity"}
    assert_problem(client.get(URL, params=asked, headers=editor), 403, "not_permitted")


def test_only_the_own_area(client: Client) -> None:
    far = client.bearer("Far", Grant(Role.COMMANDER, world.FAR))
    found = _features(client.get(URL, params={"format": "geojson"}, headers=far))
    assert {one["community"] for one in found} == {world.C3, world.C4}
    nowhere = client.bearer("Nowhere", Grant(Role.COMMANDER, "22022"))
    assert_problem(client.get(URL, params={"format": "geojson"}, headers=nowhere), 422)
