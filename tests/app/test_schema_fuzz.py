"""The API as its own document describes it, asked well and badly by every role: no server error, no person in it."""

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from pingji.dashboard.app import create_app
from pingji.data import schema
from pingji.data.engine import open_engine
from pingji.ops.access import Grant, Role
from pingji.settings import Settings
from tests.app import canary
from tests.app.callers import Client
from tests.app.canary import Canary
from tests.app.phone import press
from tests.world import COUNTY

STREAM = "/api/v1/live"  # never ends
# Where a name in full is the answer to a right question; `test_leaks` says to whom.
NAMES = {"/api/v1/names", "/api/v1/layers/{name}/export", "/api/v1/places", "/api/v1/accounts", "/api/v1/accounts/{id}"}
GRIDS = "/api/v1/grids/"
EVERYBODY, TRIES, FEW = "all", 3, 1  # of each operation and mode: by somebody with every role, by one role
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]


class Served:
    """The small county with its markers, and the operations of its API."""

    def __init__(self, client: Client, markers: Canary) -> None:
        self.client = client
        self.markers = markers
        document = client.get("/api/openapi.json", headers=client.bearer()).json()
        loaded = schemathesis.openapi.from_dict(document)
        self.operations = [one.ok() for one in loaded.get_all_operations() if one.ok().path != STREAM]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'pingji.db'}"
    engine = open_engine(url)
    schema.upgrade(engine)
    markers = canary.filled(engine)
    engine.dispose()
    with Client(create_app(Settings(database_url=url, rate_limit=0)), url) as client:
        client.headers.update(client.bearer())
        assert press(client).status_code == 200
        del client.headers["authorization"]
        yield Served(client, markers)


def ask(served: Served, operation: Any, mode: GenerationMode, role: str, tries: int) -> set[int]:
    """Ask an operation so often; which answers came."""
    roles = list(Role) if role == EVERYBODY else [Role(role)]
    headers = served.client.bearer(f"{role} fuzz", *(Grant(one, COUNTY) for one in roles))
    answers: set[int] = set()

    @seed(zlib.crc32(f"{role} {operation.label} {mode}".encode()))
    @settings(max_examples=tries, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=QUIET)
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
        sent.pop("cookies", None)
        answer = served.client.request(sent.pop("method"), sent.pop("url"), **sent)
        answers.add(answer.status_code)
        assert answer.status_code < 500, answer.text
        if operation.path not in NAMES:
            found = {
                one
                for one in served.markers.found_in(answer.content)
                if not (
                    operation.path.startswith(GRIDS) and one.column.startswith("grids.") and "phone" not in one.column
                )
            }
            assert not found, (role, operation.label, found)

    try:
        one()
    except Unsatisfiable:  # there is no wrong way to ask for what takes nothing
        assert mode is GenerationMode.NEGATIVE, operation.label
    return answers


@pytest.mark.parametrize("role", [*Role, EVERYBODY])
def test_whatever_is_asked_is_answered(served: Served, role: str) -> None:
    tries = TRIES if role == EVERYBODY else FEW
    answers: set[int] = set()
    for operation in served.operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            answers |= ask(served, operation, mode, role, tries)
    assert 200 in answers
    assert answers & {403, 422}


def test_every_operation_is_asked(served: Served) -> None:
    asked = {operation.path for operation in served.operations}
    documented = served.client.get("/api/openapi.json", headers=served.client.bearer()).json()["paths"]
    assert asked == set(documented) - {STREAM}
    assert len(asked) > 50
