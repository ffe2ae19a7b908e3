"""Words of the organisation's workbook and of what is wrong with one."""

from collections.abc import Mapping
from typing import Any

from pingji.dashboard.texts import LANGUAGES, t
from pingji.data.organisation.workbook.plan import Plan, RowError
from pingji.data.organisation.workbook.writing import COLUMNS, BookWords
from pingji.layers.masking import mask_name, mask_phone
from pingji.ops.organisation.kinds import PostKind
from pingji.ops.organisation.post import Post

Document = dict[str, Any]
_CHANGES, _ERRORS = 500, 200
_TEXTS = ("holder", "holder_phone", "deputy", "deputy_phone", "department", "title")


def book_words(language: str) -> BookWords:
    """What the workbook says in a language."""
    return BookWords(
        t("organisation.book.sheet", language),
        t("organisation.book.pairs", language),
        {name: t(f"organisation.book.column.{name}", language) for name in COLUMNS},
        {kind.value: t(f"org.post.{kind.value}", language) for kind in PostKind},
    )


def masked(text: str, phone: bool) -> str:
    """A name or a phone as a masked export has it."""
    return mask_phone(text) if phone else mask_name(text)


def plan_document(plan: Plan) -> Document:
    """A preview: counts, changes, and errors with their texts."""
    names = {unit.code: unit.name for unit in plan.units}
    return {
        "digest": plan.digest,
        "can_apply": not plan.errors and bool(plan.changes or plan.units or plan.pairs),
        "counts": plan.counts,
        "sheets": [
            {
                "sheet": sheet.name,
                "header_row": sheet.headings[0].row,
                "rows": len(sheet.lines),
                "columns": {sheet.headings[0].names[i]: field for field, i in sheet.headings[0].fields.items()},
            }
            for sheet in plan.sheets
        ],
        "changes": [
            {
                "change": planned.what,
                "sheet": planned.sheet,
                "row": planned.row,
                "post": planned.change.code,
                "unit_name": planned.unit_name,
                "kind": (planned.change.after or planned.change.before).kind.value,  # type: ignore[union-attr]
                "before": _term(planned.change.before, names),
                "after": _term(planned.change.after, names),
            }
            for planned in plan.changes[:_CHANGES]
        ],
        "errors": [error_document(error) for error in plan.errors[:_ERRORS]],
    }


def _term(post: Post | None, names: Mapping[str, str]) -> Document | None:
    if post is None:
        return None
    term = post.term
    return {
        "holder": mask_name(term.holder),
        "holder_phone": mask_phone(term.holder_phone),
        "deputy": mask_name(term.deputy),
        "deputy_phone": mask_phone(term.deputy_phone),
        "term_from": term.term_from.isoformat() if term.term_from else None,
        "term_to": term.term_to.isoformat() if term.term_to else None,
        "department": names.get(term.department, term.department),
        "title": term.title,
    }


def error_document(error: RowError) -> Document:
    """What is wrong with a cell, and what helps, in both languages."""
    chinese, english = LANGUAGES
    return {
        "sheet": error.sheet,
        "row": error.row,
        "column": error.column,
        "value": error.value,
        "kind": error.kind,
        "text": error_text(error, chinese),
        "text_en": error_text(error, english),
        "remedy": t(f"organisation.import.remedy.{error.kind}", chinese),
        "remedy_en": t(f"organisation.import.remedy.{error.kind}", english),
    }


def error_text(error: RowError, language: str) -> str:
    """One sentence about a cell."""
    return t(f"organisation.import.error.{error.kind}", language, value=error.value)
