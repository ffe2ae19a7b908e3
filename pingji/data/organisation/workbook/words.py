"""What people write in workbooks: headings, posts, vacancies, dates. The words themselves are in `words.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pingji.ops.organisation.kinds import Level, PostKind

# Full-width digits, letters and signs as their half-width ones; a blank of a whole character as a blank.
_HALF = {n: n - 0xFEE0 for n in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
_SPACES = re.compile(r"\s+")


def half_width(text: str) -> str:
    """Text with half-width letters, digits and signs.

    >>> half_width("\\uff11\\uff13\\uff18")
    '138'
    """
    return text.translate(_HALF)


def key(text: object) -> str:
    """A word as it is compared.

    >>> key(" Na\\u3000me ")
    'name'
    """
    return _SPACES.sub("", half_width(str(text or ""))).lower().rstrip("*")


@dataclass(frozen=True)
class Words:
    """The words by what they mean."""

    columns: Mapping[str, str]
    kinds: Mapping[str, PostKind]
    by_level: Mapping[str, Mapping[Level, PostKind]]
    vacant: frozenset[str]
    forever: frozenset[str]
    ended: tuple[str, ...]
    totals: tuple[str, ...]
    separators: re.Pattern[str]
    endings: tuple[str, ...]
    place_endings: tuple[str, ...]
    patterns: Mapping[str, re.Pattern[str]]

    def kind(self, written: str, level: Level) -> PostKind:
        """The post that a word means at a level; `other` where it means none of ours."""
        word = key(written)
        found = self.by_level.get(word, {}).get(level)
        return found or self.kinds.get(word) or PostKind.OTHER


@lru_cache(maxsize=1)
def words() -> Words:
    """The words of `words.toml`."""
    table = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    values, names = table["values"], table["names"]
    numbers = ("grid_number", "building_number", "stairwell_number")
    kinds = {key(word): PostKind(kind) for kind, said in table["kinds"].items() for word in said}
    return Words(
        columns={key(word): field for field, said in table["columns"].items() for word in (field, *said)},
        kinds=kinds | {kind.value: kind for kind in PostKind},
        by_level={
            key(word): {Level(level): PostKind(kind) for level, kind in meant.items()}
            for word, meant in table["by_level"].items()
        },
        vacant=frozenset(key(word) for word in values["vacant"]) | {""},
        forever=frozenset(key(word) for word in values["forever"]),
        ended=tuple(key(word) for word in values["ended"]),
        totals=tuple(key(word) for word in values["totals"]),
        separators=re.compile(values["separators"]),
        endings=tuple(sorted(names["endings"], key=len, reverse=True)),
        place_endings=tuple(names["place_endings"]),
        patterns={name: re.compile(pattern) for name, pattern in table["dates"].items()}
        | {name: re.compile(names[name]) for name in numbers},
    )
