"""Every text that a person sees, by language and dotted key, from the TOML files in `locale/`."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from pingji.ops.grids import DIGITS, is_provisional

LANGUAGES = ("zh_CN", "en")
LOCALE_DIR = Path(__file__).parent / "locale"


class UnknownText(KeyError):
    """A text key that no file of the language has."""


def _flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


@lru_cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of one language, key → text."""
    texts: dict[str, str] = {}
    for path in sorted((LOCALE_DIR / language).glob("*.toml")):
        texts.update(_flatten(tomllib.loads(path.read_text(encoding="utf-8"))))
    return texts


def t(key: str, language: str, **params: object) -> str:
    """The text of `key`, its `{placeholders}` filled from `params`.

    Raises
    ------
    UnknownText
        Where the language has no such key: a missing text is a defect that a test finds, not something to hide.
    """
    try:
        return catalogue(language)[key].format(**params)
    except KeyError as error:
        raise UnknownText(f"{language}: {key}") from error


def grid_label(code: str, language: str) -> str:
    """What a grid is called on a map: its last three digits, or that it is new while it has no code of its own.

    >>> grid_label("220221100001002", "en"), grid_label("220221100001n02", "en")
    ('002', 'new 2')
    """
    if is_provisional(code):
        return t("grids.label.new", language, n=int(code.rpartition("n")[2]))
    return code[-DIGITS:]
