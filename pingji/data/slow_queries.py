"""Notes of statements that took long: their text with its placeholders, never what was filled in."""

import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

log = logging.getLogger(__name__)
MAX_TEXT = 600
_BEGAN = "pingji_began"


def note_slow(engine: Engine, ms: float, on_slow: Callable[[], None] = lambda: None) -> None:
    """Write a line for every statement of an engine that takes longer; `on_slow` counts them."""

    def before(conn: Connection, *_: Any) -> None:
        conn.info[_BEGAN] = time.perf_counter()

    def after(conn: Connection, _cursor: Any, statement: str, _parameters: Any, _context: Any, many: bool) -> None:
        took = (time.perf_counter() - conn.info[_BEGAN]) * 1000
        if took < ms:
            return
        on_slow()
        text = " ".join(statement.split())[:MAX_TEXT]
        log.warning("slow query", extra={"fields": {"statement": text, "ms": round(took, 1), "many": many}})

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
