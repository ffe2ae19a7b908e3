"""Log lines: JSON on stderr, one a line, with the request they belong to and without anybody's personal data.

Values of the store never belong into a line: an exception is written as its kind and where it came from, without its
message, which may quote a row; other libraries' messages are written without what was filled in.
"""

import logging
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from typing import Literal

import orjson

from pingji.data.origin import origin

Format = Literal["json", "text"]
OURS = ("pingji",)
# Their messages name ports, processes and protocol errors; of any other library's, only the template is written.
KNOWN = ("uvicorn", "asyncio", "alembic", "concurrent")
WITHHELD = "(withheld)"
MAX_FRAMES = 30
_FIELDS = "fields"


def configure(log_format: Format = "json", level: str = "info") -> None:
    """Send every logger of this process to stderr in one format; replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(log_format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pingji").setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # it writes raw paths, with codes and queries in them
    warnings.showwarning = _show_warning


def note(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """One line with fields of its own. Fields are names of things (routes, tables), figures and ids: never values."""
    if logger.isEnabledFor(level):
        logger.log(level, message, extra={_FIELDS: fields})


class Lines(logging.Formatter):
    """A record as one line of JSON, or of text for a person at a terminal."""

    def __init__(self, log_format: Format = "json") -> None:
        super().__init__()
        self._format = log_format

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        values = _values(record)
        if self._format == "json":
            return orjson.dumps(values, default=lambda _: WITHHELD).decode()
        head = f"{values.pop('time')} {values.pop('level')} {values.pop('logger')}: {values.pop('message')}"
        return " ".join([head, *(f"{name}={value}" for name, value in values.items())])


def _values(record: logging.LogRecord) -> dict[str, object]:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    values: dict[str, object] = {
        "time": f"{seconds}.{int(record.msecs):03}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _message(record),
    }
    who = origin()
    if who.request:
        values["request"] = who.request
    if who.id:
        values["caller"] = who.id
    values.update(getattr(record, _FIELDS, None) or {})
    if record.exc_info and record.exc_info[1] is not None:
        values["error"], values["at"] = _error(record.exc_info[1])
    return values


def _message(record: logging.LogRecord) -> str:
    """What a record says, without what it quotes."""
    library = record.name.partition(".")[0]
    if library not in OURS:
        text = str(record.msg)
        if text.startswith("Traceback "):
            return _traceback(text)
        first = text.partition("\n")[0]
        return first if record.args or library in KNOWN else WITHHELD
    arguments = record.args
    if not arguments:
        return str(record.msg)
    if isinstance(arguments, tuple):
        arguments = tuple(type(a).__name__ if isinstance(a, BaseException) else a for a in arguments)
    return str(record.msg) % arguments


def _traceback(text: str) -> str:
    """A traceback that came as text, as uvicorn writes what kept it from starting: its kind and its place."""
    lines = text.strip().splitlines()
    places = [line.strip() for line in lines if line.startswith("  File ")]
    return " ".join([lines[-1].partition(":")[0], *places[-1:]])


def _error(error: BaseException) -> tuple[str, list[str]]:
    """The kinds of an error and its causes, and the way to it: files and functions, never their values."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    way = [f"{frame.filename.rpartition('/site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return " < ".join(_kinds(error)), way


def _kinds(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield type(error).__name__
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """A warning as a line: a spreadsheet's reader quotes the cell that it complains of."""
    note(logging.getLogger("pingji.warnings"), logging.WARNING, category.__name__, where=f"{filename}:{lineno}")
