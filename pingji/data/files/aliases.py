"""Aliases: the headers and values that people write for our columns, in Chinese and English."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Aliases:
    """Headers by column, and values by column, in lower case."""

    columns: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Mapping[str, str]]

    def column(self, wanted: str, names: Iterable[str]) -> str | None:
        """The field among `names` that means the column `wanted`: its own name first, then its aliases in order."""
        by_key = {name.strip().lower(): name for name in reversed(list(names))}
        for alias in (wanted, *self.columns.get(wanted, ())):
            if alias in by_key:
                return by_key[alias]
        return None

    def value(self, kind: str, written: str) -> str:
        """What a written value is called in the store; itself where nothing is known."""
        return self.values.get(kind, {}).get(written.strip().lower(), written)


@lru_cache(maxsize=1)
def aliases() -> Aliases:
    """The aliases of `aliases.toml`."""
    table = tomllib.loads(Path(__file__).with_name("aliases.toml").read_text(encoding="utf-8"))
    return Aliases(
        {column: tuple(name.lower() for name in names) for column, names in table["columns"].items()},
        {
            kind: {written.lower(): meant for meant, words in meanings.items() for written in words}
            for kind, meanings in table["values"].items()
        },
    )
