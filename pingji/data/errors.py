"""Errors of the store; each subclass has a text of its own in `dashboard/locale`, under `error.<code>`."""


class DataError(Exception):
    """Base of every error that the store raises; `params` are the values that its message needs."""

    def __init__(self, **params: object) -> None:
        super().__init__(", ".join(f"{k}={v}" for k, v in params.items()))
        self.params = params


class UnsupportedDatabase(DataError):
    """A database URL that is neither a SQLite file nor PostgreSQL with PostGIS."""


class DatabaseUnreachable(DataError):
    """The database server doesn't answer, or the connection to it was lost."""


class DatabaseNotMigrated(DataError):
    """The store's tables are of another revision than this program's."""


class BackupFailed(DataError):
    """A backup or a restore couldn't be carried out; the store is as it was."""


class BackupToolMissing(DataError):
    """pg_dump or pg_restore isn't installed."""


class NotABackup(DataError):
    """The file isn't a backup of a Pingji store, or is damaged."""


class UnknownLayer(DataError):
    """No layer has this name."""


class FileError(DataError):
    """Base of what can be wrong with a file that is read; `params` have file, row, field, value and remedy.

    `row` is the line of a table and the number of the feature elsewhere, from 1. `remedy` is the option that helps.
    """

    remedy = ""

    def __init__(self, *, file: str, row: int | None = None, field: str = "", value: object = "") -> None:
        params = {"file": file, "row": "" if row is None else row, "field": field, "value": value}
        super().__init__(**params, remedy=self.remedy)


class NotAFile(FileError):
    """A directory, or nothing, where a file should be."""


class CantWrite(FileError):
    """A file can't be written where it was asked for; `value` is the system's reason."""


class EmptyFile(FileError):
    """The file has no bytes or no rows."""


class UnknownFormat(FileError):
    """The suffix is none that we read or write."""


class UnreadableFile(FileError):
    """The contents are not what the suffix says, or the file was cut off."""


class NotOneFile(FileError):
    """An archive with no readable file, or with several."""


class NotUtf8(FileError):
    """GeoJSON whose texts are not UTF-8, as the format wants them."""


class FileTooLarge(FileError):
    """Unpacked it would be larger than we accept."""


class UnsafeXml(FileError):
    """XML with entities or external references."""


class BadHeader(FileError):
    """A header row with merged, empty or repeated cells."""


class BadMapping(FileError):
    """The mapping file is missing or names what does not exist."""

    remedy = "--mapping"


class UnknownMapping(BadMapping):
    """Neither a shipped mapping nor a file; `value` lists those that are shipped."""


class MissingColumn(FileError):
    """A field that is needed is not in the file."""

    remedy = "--mapping"


class WrongCrs(FileError):
    """No usable coordinate system, or coordinates that can't be in it."""

    remedy = "--crs"


class UnknownCounty(FileError):
    """The county is neither in the store nor declared by a mapping."""

    remedy = "--county"


class AmbiguousEncoding(FileError):
    """Text that can't be decoded by the encoding given or guessed."""

    remedy = "--encoding"


class NoGeometry(FileError):
    """A row without geometry."""


class BrokenGeometry(FileError):
    """A ring that crosses itself, or otherwise invalid geometry."""

    remedy = "--repair"


class WrongGeometry(FileError):
    """Points where the layer has polygons, or the like."""


class NoCode(FileError):
    """A row without code."""


class DuplicateCode(FileError):
    """A code that occurs twice, in the file or already in the store."""

    remedy = "--replace"


class GridsHaveHistory(FileError):
    """Grids can't be replaced outright any more: some were published or have ended, or people are being counted."""

    remedy = "pingji grids import"


class DuplicateGrid(FileError):
    """The code of a grid that occurs twice in a file of grids."""


class UnknownGridCommunity(FileError):
    """The code of a grid begins with that of no community."""


class GridOnOthersGround(FileError):
    """A grid takes ground from a community that the file does not redraw."""


class GridDoesNotFit(FileError):
    """A grid can't be joined to its neighbours: nothing of one would be left, or a gap or an overlap."""


class BadValue(FileError):
    """A value that the field can't hold."""


class OutsideCounty(FileError):
    """Coordinates beyond the county's outline."""

    remedy = "--crs"


class ShiftUndecided(FileError):
    """The coordinates look like GCJ-02 or BD-09, and nobody has said yet what to do about it."""

    remedy = "--accept-offset"


class ImportRefused(FileError):
    """The file has errors, so nothing of it is saved."""
