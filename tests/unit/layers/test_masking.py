from hypothesis import given
from hypothesis import strategies as st

from pingji.layers.catalog import LAYERS, by_name
from pingji.layers.masking import mask_id, mask_name, mask_phone, shown


@given(st.text())
def test_a_mask_never_returns_a_whole_name(name: str) -> None:
    masked = mask_name(name)
    assert not name.strip() or "*" in masked or len(name.strip()) <= 1 or name.isascii()


@given(st.from_regex(r"1[0-9]{10}", fullmatch=True))
def test_a_phone_loses_its_middle(phone: str) -> None:
    masked = mask_phone(phone)
    assert len(masked) == 11
    assert masked[3:7] == "****"


@given(st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True))
def test_an_id_loses_its_birthday(number: str) -> None:
    assert number[6:14] not in mask_id(number) or set(number[6:14]) == {"*"}
    assert len(mask_id(number)) == 18


def test_personal_data_is_shown_only_when_asked() -> None:
    row = {"code": "H1", "name": "Wang Jianguo", "phone": "13812341234", "geom": b"", "residents": 3}
    layer = by_name("households")
    assert shown(layer, row, "staff")["phone"] == "138****1234"
    assert shown(layer, row, "staff", personal=True)["phone"] == "13812341234"
    assert "phone" not in shown(layer, row, "public")
    assert "geom" not in shown(layer, row, "staff", personal=True)


def test_the_public_sees_no_person_or_phone_on_any_layer() -> None:
    for layer in LAYERS:
        row = {field.column: "x" for field in layer.fields}
        kinds = {field.column: field.kind for field in layer.fields}
        assert not {kinds[column] for column in shown(layer, row, "public")} & {"person", "phone"}
