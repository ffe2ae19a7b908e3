"""Files over HTTP: taken in as they come, and made in a folder of their own, which goes when the last byte has left."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from pingji.dashboard.errors import UploadTooLarge

MEDIA = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".zip": "application/zip",
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


_MEGABYTE = 1 << 20


async def receive(request: Request, path: Path, limit_mb: int) -> None:
    """Write a request's body to a file as it comes; nothing of it is kept in memory.

    Raises
    ------
    UploadTooLarge
    """
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit_mb * _MEGABYTE:
                raise UploadTooLarge(limit=limit_mb)
            file.write(chunk)


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder to make a file in; it stays until `sent` has sent the file, or goes at once where making it failed."""
    folder = Path(tempfile.mkdtemp(prefix="pingji-"))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def sent(path: Path) -> FileResponse:
    """The answer that sends a file of a workshop."""
    cleaning = BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True)
    return FileResponse(path, filename=path.name, media_type=MEDIA[path.suffix], background=cleaning)
