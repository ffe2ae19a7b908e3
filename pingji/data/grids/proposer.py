"""`python -m pingji.data.grids.proposer`: works a proposal out in a process of its own, and tells how far it is.

Partitioning keeps a core busy for seconds. In the server's process it would hold up head-counts; a process of its own
can be killed at any moment, and the kernel takes care of the rest. The request comes as one JSON document on standard
input (a database's URL may hold a password, so not as an argument); progress goes out as lines of JSON.
"""

import os
import sys
from typing import Any, BinaryIO

import orjson

from pingji.data.engine import open_engine, reading, writing
from pingji.data.grids.proposals import ground_of, save_proposal, scene_of
from pingji.geo.partitioning import propose

NICE = 5  # head-counts first
_READ, _WORKED = 0.05, 0.95  # share that is done when the scene is read, and when the candidates are there


def run(request: dict[str, Any], out: BinaryIO) -> None:
    """Propose, keep the proposal under `id`, and write progress lines to `out`.

    Parameters
    ----------
    request : dict
        `database_url`, `county`, `id`, `community`, `set` (or None), `low`, `high`, `actor`, and `at`, microseconds
        since 1970 UTC.
    out : binary stream
        Where the reader has gone, writing raises BrokenPipeError, and the work ends.
    """

    def tell(share: float, step: str) -> None:
        out.write(orjson.dumps({"progress": round(share, 3), "step": step}) + b"\n")
        out.flush()

    tell(0.0, "ground")
    engine = open_engine(request["database_url"])
    county, community, low, high = (request[name] for name in ("county", "community", "low", "high"))
    with reading(engine) as conn:
        scene = scene_of(conn, ground_of(conn, county, community, request["set"]), community)
    candidates = propose(scene, low, high, progress=lambda share, step: tell(_READ + (_WORKED - _READ) * share, step))
    tell(_WORKED, "saving")
    asked = {"set": request["set"], "low": low, "high": high}
    with writing(engine) as conn:
        save_proposal(
            conn,
            county,
            id=request["id"],
            community=community,
            actor=request["actor"],
            at=request["at"],
            request=asked,
            candidates=candidates,
        )
    engine.dispose()
    tell(1.0, "saving")


def main() -> None:
    """Read the request, and work."""
    os.nice(NICE)
    request = orjson.loads(sys.stdin.buffer.read())
    try:
        run(request, sys.stdout.buffer)
    except BrokenPipeError:  # nobody is waiting for it any more
        os._exit(0)  # not by way of flushing standard output once more


if __name__ == "__main__":
    main()
