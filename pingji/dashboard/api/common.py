"""What several routes share."""

from pathlib import PurePosixPath

NO_NUL = r"^[^\x00]*$"  # PostgreSQL has no text with a NUL in it
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"

_NAME_BYTES = 200  # a file system takes 255, and some formats have companions with longer endings


def file_name(given: str, otherwise: str) -> str:
    """The name of a file as a browser gives it, without any folder, and short enough for any disk.

    >>> file_name("C:\\\\grids\\\\..\\\\new.gpkg", "grids"), file_name("../..", "grids")
    ('new.gpkg', 'grids')
    """
    name = given.replace("\\", "/").rpartition("/")[2].lstrip(".") or otherwise
    if len(name.encode()) <= _NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix.encode()[:_NAME_BYTES]
    stem = name.encode()[: _NAME_BYTES - len(suffix)]
    return (stem.decode(errors="ignore") + suffix.decode(errors="ignore")).strip(".") or otherwise
