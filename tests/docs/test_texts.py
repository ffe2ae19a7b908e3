"""Texts: in both languages, with the same placeholders, all used, none missing, and nowhere but in `locale/`."""

import re
import string
from pathlib import Path

import pytest

from pingji.dashboard.texts import LANGUAGES, catalogue
from pingji.data.tables import LAYER_TABLES
from pingji.layers.catalog import LAYERS

ROOT = Path(__file__).parents[2]
CODE = ROOT / "pingji"
OURS = [
    path
    for path in sorted(CODE.rglob("*"))
    if path.suffix in (".py", ".js", ".css")
    and not {"vendor", "static", "__pycache__", "node_modules"} & set(path.relative_to(CODE).parts)
]
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
# A comment or a docstring may give a word of the field its Chinese name.
COMMENTS = re.compile(r'#[^\n]*|"""(?s:.*?)"""|/\*(?s:.*?)\*/|(?<![:"])//[^\n]*')
# Data about Chinese files and places, not texts: names for the synthetic county, column headings to recognise.
DATA = ("data/demo/", "data/files/")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    chinese, english = (set(catalogue(language)) for language in LANGUAGES)
    assert chinese ^ english == set()


def test_both_languages_have_the_same_placeholders_and_no_text_is_empty() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    assert {k for k in chinese if placeholders(chinese[k]) != placeholders(english[k])} == set()
    empty = {k for texts in (chinese, english) for k, text in texts.items() if not text.strip()}
    assert empty <= {"unit.persons"}  # an English count has no measure word


def test_only_names_are_chinese_in_the_english_texts() -> None:
    chinese = {k for k, text in catalogue("en").items() if CJK.search(text)}
    assert chinese <= {"session.other_language"}


def mentioned() -> tuple[set[str], set[str]]:
    """Keys that the code names whole, and the beginnings of those that it puts together."""
    keys, beginnings = set(), set()
    for path in OURS:
        source = path.read_text(encoding="utf-8")
        keys |= set(re.findall(r"""["'`]([a-z]\w*(?:\.\w+)+)["'`]""", source))
        for found in re.findall(r"""["'`]([a-z]\w*(?:\.\w+)*\.?\w*?)(?:\$\{|\{)""", source):
            if "." in found:
                beginnings.add(found)
        if path.name != "features.py":  # which lists beginnings only to leave them out
            beginnings |= set(re.findall(r"""["'`]([a-z]\w*(?:\.\w+)*\.)["'`]""", source))
    return keys, beginnings


def test_no_text_is_unused() -> None:
    keys, beginnings = mentioned()
    unused = {k for k in catalogue("zh_CN") if k not in keys and not k.startswith(tuple(beginnings))}
    assert unused == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing(language: str) -> None:
    """Every literal that begins like a key, in a call that takes one."""
    texts = set(catalogue(language))
    missing = set()
    for path in OURS:
        source = path.read_text(encoding="utf-8")
        for key in re.findall(r"""(?<![\w.])(?:t|say|fail)\(\s*["']([a-z]\w*(?:\.\w+)+)["']""", source):
            if key not in texts:
                missing.add(f"{path.name}: {key}")
    assert missing == set()


def test_no_chinese_in_code() -> None:
    found = []
    for path in OURS:
        if str(path.relative_to(CODE)).startswith(DATA):
            continue
        source = COMMENTS.sub("", path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}: {line.strip()[:80]}" for line in source.splitlines() if CJK.search(line)]
    assert found == []


def test_every_layer_has_a_table_and_a_title() -> None:
    names = {layer.name for layer in LAYERS}
    assert names == set(LAYER_TABLES)
    for language in LANGUAGES:
        assert {f"layer.{name}.title" for name in names} <= set(catalogue(language))
