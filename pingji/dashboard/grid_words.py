"""What files of grids say: the register in the reader's language, and what an import did."""

from collections.abc import Mapping
from datetime import date

from pingji.dashboard.context import now_us
from pingji.dashboard.errors import FutureDay
from pingji.dashboard.file_texts import note_text
from pingji.dashboard.texts import catalogue, t
from pingji.data.grids.incoming import GridReport
from pingji.data.grids.register import COLUMNS, RegisterWords
from pingji.ops.day import day_of

_LIGHTS = "grid_files.light."
_REASONS = "choice.grids.reason."


def day_or_today(day: date | None) -> date:
    """The day that somebody asks for; today where none is named.

    Raises
    ------
    FutureDay
    """
    today = day_of(now_us())
    if day is not None and day > today:
        raise FutureDay(date=day.isoformat())
    return day or today


def register_words(county: str, day: date, language: str, *, exercise: bool) -> RegisterWords:
    """Titles and headings of the register of a day."""
    lines = [t("grid_files.register.as_of", language, date=day.isoformat())]
    if exercise:
        lines.append(t("grid_files.register.exercise", language))
    return RegisterWords(
        t("grid_files.register.sheet", language),
        t("grid_files.register.title", language, county=county),
        {name: t(f"grid_files.register.column.{name}", language) for name in COLUMNS},
        catalogue(language)["grid_files.register.total"],
        lines,
        {**_below(_LIGHTS, language), **_below(_REASONS, language)},
    )


def report_document(report: GridReport, language: str) -> dict[str, object]:
    """What an import did, as `docs/grids.md` has it."""
    return {
        "read": report.read,
        "kept": report.kept,
        "dropped": report.dropped,
        "notes": [note_text(note, language) for note in report.notes],
        "unchanged": report.unchanged,
        "matched_by_code": report.matched_by_code,
        "matched_by_overlap": report.matched_by_overlap,
        "new": report.new,
        "ended": len(report.ended),
        "ended_codes": list(report.ended),
        "recoded": [
            {"row": one.row, "given": one.given, "code": one.code, "how": one.how, "share": one.share}
            for one in report.recoded
        ],
    }


def _below(beginning: str, language: str) -> Mapping[str, str]:
    """Texts by the last part of their keys."""
    known = catalogue(language).items()
    return {key.removeprefix(beginning): text for key, text in known if key.startswith(beginning)}
