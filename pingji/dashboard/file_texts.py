"""What is wrong with files, in words: the sentences of `files.toml`, for the command line and for problem documents."""

import re
from collections.abc import Mapping

from pingji.dashboard.texts import UnknownText, catalogue, t
from pingji.data.errors import BrokenGeometry, DataError
from pingji.data.files.source import Note

_REASONS = {
    "self-intersection": "crosses_itself",
    "too few points": "too_few_points",
    "at least": "too_few_points",
    "points of linearring do not form": "not_closed",
    "hole": "hole_outside",
    "nested": "hole_outside",
    "duplicate rings": "hole_outside",
    "disconnected": "crosses_itself",
    "coordinate": "no_number",
}


def error_text(error: DataError, language: str) -> str:
    """The text of an error; its key is the name of its class, below `error` or `problem`."""
    key = error_key(error)
    try:
        said = in_words(error.params, language)
        if isinstance(error, BrokenGeometry):
            said["value"] = _reason(str(said["value"]), language)
        return t(f"error.{key}", language, **said, where=_where(said, language))
    except UnknownText:
        return t(f"problem.{key}.detail", language, **error.params)


def in_words(params: Mapping[str, object], language: str) -> dict[str, object]:
    """Values for a text, with layers and fields named as people name them.

    >>> in_words({"layer": "grids", "field": "leader", "n": 3}, "en")["layer"]
    'Grids'
    """
    known = catalogue(language)
    words = {"layer": "layer.{}.title", "field": "field.{}", "fields": "field.{}"}
    out = dict(params)
    for name in words.keys() & params.keys():
        parts = [part.strip() for part in str(params[name]).split(",")]
        out[name] = ", ".join(known.get(words[name].format(part), part) for part in parts)
    return out


def _where(params: Mapping[str, object], language: str) -> str:
    """Row and field, as far as they are known, to follow the name of a file."""
    known = "_".join(name for name in ("row", "field") if params.get(name))
    return " " + t(f"files.where.{known}", language, **params) if known else ""


def _reason(geos: str, language: str) -> str:
    """What is wrong with a ring, in words; GEOS says it in English, with the place in brackets."""
    place = f" {geos[geos.index('[') :]}" if "[" in geos else ""
    found = [key for words, key in _REASONS.items() if words.lower() in geos.lower()]
    return t(f"files.broken.{found[0]}", language) + place if found else geos


def error_key(error: DataError) -> str:
    """The key of an error's text.

    >>> from pingji.data.errors import NoCode
    >>> error_key(NoCode(file="a.csv"))
    'no_code'
    """
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


def note_text(note: Note, language: str) -> str:
    """What a note on a file says."""
    return t(f"files.note.{note.key}", language, **in_words(note.params, language))


def as_parameters(text: str) -> str:
    """A sentence that names options of the command line, for those who ask over HTTP: query parameters.

    >>> as_parameters("Correct it with --accept-offset gcj02.")
    'Correct it with accept_offset gcj02.'
    """
    return _OPTION.sub(lambda option: option[1].replace("-", "_"), text)
