"""A workbook as counties keep it: read, previewed, applied all or nothing, and written to be read again."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, func, select

from pingji.data.engine import reading, writing
from pingji.data.errors import EmptyFile, FileError, NotAFile, UnknownFormat, UnreadableFile
from pingji.data.organisation import posts as seats
from pingji.data.organisation.committees import load_pairs
from pingji.data.organisation.ground import EVERYWHERE, load_ground
from pingji.data.organisation.posts import Which
from pingji.data.organisation.workbook.plan import Plan, carry_out, plan_workbook
from pingji.data.organisation.workbook.writing import COLUMNS, BookWords, write_workbook
from pingji.data.tables import LAYER_TABLES, org_post, org_unit
from pingji.ops.organisation.kinds import PostKind, seat
from pingji.ops.organisation.post import Post
from tests import organisation_county as people
from tests.organisation_county import BLOCK, GRID, OTHER_GRID
from tests.world import C1, C2, COUNTY, NEAR

DAY = date(2026, 11, 22)
HEADINGS = ["序号", "社区", "网格", "岗位", "姓名", "联系电话", "副职", "副职电话", "任期起", "任期止", "备注"]


@pytest.fixture
def county(engine: Engine) -> Engine:
    return people.filled(engine)


def book(path: Path, *sheets: Sequence[Sequence[object]], merged: Sequence[str] = ()) -> Path:
    """A workbook; cells are merged in its first sheet."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for n, rows in enumerate(sheets, start=1):
        sheet = made.create_sheet(f"表{n}")
        for row in rows:
            sheet.append(list(row))
    for area in merged:
        made.worksheets[0].merge_cells(area)
    made.save(path)
    return path


def line(
    community: object, grid: object, post: str, name: object = "", phone: object = "", *rest: object
) -> list[object]:
    return [1, community, grid, post, name, phone, *rest]


def plan(engine: Engine, path: Path) -> Plan:
    with reading(engine) as conn:
        return plan_workbook(conn, load_ground(conn, COUNTY), path, DAY)


def apply(engine: Engine, path: Path) -> Plan:
    with writing(engine) as conn:
        ground = load_ground(conn, COUNTY)
        found = plan_workbook(conn, ground, path, DAY)
        assert found.errors == []
        carry_out(conn, ground, found, DAY)
    return found


def post(engine: Engine, code: str) -> Post:
    with reading(engine) as conn:
        found = seats.find(conn, load_ground(conn, COUNTY), code)
    assert found is not None, code
    return found


def complaints(engine: Engine, path: Path) -> list[tuple[int, str, str]]:
    return [(e.row, e.column, e.kind) for e in plan(engine, path).errors]


def test_a_table_as_counties_keep_it(county: Engine, tmp_path: Path) -> None:
    path = book(
        tmp_path / "posts.xlsx",
        [
            ["某县网格组织体系一览表", *[None] * 10],
            ["填报单位：民政局", None, "2026年11月"],
            HEADINGS,
            line(
                f"C{C1}",
                "G1",
                "网格长",
                "张 三",
                13812345678,
                "李四",
                "１３９１２３４５６７８",
                datetime(2025, 3, 1),
                "2028年2月",
            ),
            line(None, None, "包保干部", "王五", 13612345678.0, "无", "/", 45717, "2028.2.28"),
            line(None, "G2", "网格长", "空缺", "—"),
            HEADINGS,
            line(f"C{C2}", "第1网格", "社区干部", "赵六", "1.3512345678E+10", "", "", "2025-3-1", "长期"),
            [None, *["合计：4 人"] * 1],
        ],
        [["说明", "本表由民政局填写"]],
        merged=["A1:K1", "B4:B6", "C4:C5"],
    )
    found = plan(county, path)
    assert found.errors == []
    assert [sheet.name for sheet in found.sheets] == ["表1"]
    nothing = {"ended": 0, "units": 0, "pairs": 0, "errors": 0}
    assert found.counts == {"rows": 4, "added": 1, "changed": 2, "unchanged": 1, **nothing}
    apply(county, path)
    leader = post(county, seat(GRID, PostKind.GRID_LEADER)).term
    assert (leader.holder, leader.holder_phone, leader.deputy, leader.deputy_phone) == (
        *("张三", "13812345678"),
        *("李四", "13912345678"),
    )
    assert (leader.term_from, leader.term_to) == (date(2025, 3, 1), date(2028, 2, 29))
    escort = post(county, seat(GRID, PostKind.ESCORT_CADRE)).term
    assert (escort.holder, escort.holder_phone, escort.deputy) == ("王五", "13612345678", "")
    assert (escort.term_from, escort.term_to) == (date(2025, 3, 1), date(2028, 2, 28))
    assert post(county, seat(OTHER_GRID, PostKind.GRID_LEADER)).vacant
    cadre = post(county, seat(f"{C2}001", PostKind.COMMUNITY_CADRE)).term
    assert (cadre.holder_phone, cadre.term_to) == ("13512345678", None)


def test_the_same_again_changes_nothing(county: Engine, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [HEADINGS, line(f"C{C1}", "G1", "包保干部", "王五", 13612345678)])
    apply(county, path)
    assert plan(county, path).counts["unchanged"] == 1
    assert plan(county, path).changes == []


def test_nothing_is_lost(county: Engine, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [HEADINGS, line(f"C{C1}", "G1", "网格长", "张三", 13812345678)])
    apply(county, path)
    path = book(tmp_path / "b.xlsx", [HEADINGS, line(f"C{C1}", "G1", "网格长", "李四", 13912345678)])
    apply(county, path)
    with reading(county) as conn:
        past = [(p.term.holder, p.ended) for p in seats.past(conn, COUNTY, GRID)]
    assert post(county, seat(GRID, PostKind.GRID_LEADER)).term.holder == "李四"
    assert past == [("张三", DAY), ("Leader", DAY)]  # what the layer said before is kept too


def test_a_post_ends_where_the_workbook_says_so(county: Engine, tmp_path: Path) -> None:
    row = [*line(f"C{C1}", "G1", "包保干部", "Juliet", "13900000010"), "", "", "", "", "撤销"]
    found = apply(county, book(tmp_path / "a.xlsx", [HEADINGS, row]))
    assert [planned.what for planned in found.changes] == ["ended"]
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        stand = seats.standing(conn, ground, Which(ground.reach(EVERYWHERE), units=[GRID]))
        past = seats.past(conn, COUNTY, GRID)
    assert PostKind.ESCORT_CADRE not in {p.kind for p in stand}
    assert [(p.term.holder, p.ended) for p in past] == [("Juliet", DAY)]


def test_wrong_cells_are_named_with_row_and_column(county: Engine, tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        [
            HEADINGS,
            line(f"C{C1}", "第9网格", "网格长", "张三", 13812345678),
            line(f"C{C1}", "G1", "网格长", "张三", 138),
            line(f"C{C1}", "G1", "包保干部", "张三", "1.38E+10", "李*", "139****5678", "昨天"),
            line(f"C{C1}", "", "网格长", "张三", 13812345678),
            line(None, None, "网格长", "张三", 13812345678),
            line(f"C{C1}", "G2", "", "张三", 13812345678),
            line(f"C{C1}", "G2", "社区干部", "张三", 13812345678, "", "", "2025-05-01", "2024-05-01"),
            line(None, "G1", "网格长", "张三", 13812345678),
        ],
    )
    assert complaints(county, path) == [
        (2, "网格", "unknown_unit"),
        (3, "联系电话", "bad_phone"),
        (4, "任期起", "bad_date"),
        (4, "副职", "masked"),
        (4, "联系电话", "rounded_phone"),
        (4, "副职电话", "masked"),
        (5, "岗位", "wrong_level"),
        (6, "", "no_unit"),
        (7, "岗位", "no_post"),
        (8, "任期止", "term_backwards"),
        (9, "网格", "ambiguous_unit"),
    ]


def test_a_plan_with_errors_still_says_what_the_rest_would_change(county: Engine, tmp_path: Path) -> None:
    rows = [
        HEADINGS,
        line(f"C{C1}", "G1", "网格长", "张三", 138),
        line(f"C{C1}", "G1", "包保干部", "王五", 13612345678),
    ]
    found = plan(county, book(tmp_path / "a.xlsx", rows))
    assert (len(found.errors), len(found.changes)) == (1, 1)


def test_a_heading_may_name_the_post(county: Engine, tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        [
            ["社区", "网格", "网格长", "电话", "副网格长", "电话", "社区干部", "电话"],
            [f"C{C1}", "G1", "张三", 13812345678, "李四", 13912345678, "王五", 13612345678],
            [f"C{C1}", "G2", "赵六", 13512345678, None, None, None, None],
        ],
    )
    apply(county, path)
    term = post(county, seat(GRID, PostKind.GRID_LEADER)).term
    assert (term.holder, term.deputy, term.deputy_phone) == ("张三", "李四", "13912345678")
    assert post(county, seat(GRID, PostKind.COMMUNITY_CADRE)).term.holder == "王五"
    assert post(county, seat(OTHER_GRID, PostKind.GRID_LEADER)).term.holder == "赵六"
    # An empty column says nothing of a post that somebody holds.
    assert post(county, seat(OTHER_GRID, PostKind.COMMUNITY_CADRE)).term.holder == "Kilo"


def test_a_heading_of_two_rows(county: Engine, tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        [
            ["社区", "网格", "岗位", "姓名", "电话", "任期", None],
            [None, None, None, None, None, "起", "止"],
            [f"C{C1}", "G1", "网格长", "张三", 13812345678, "2025.3", "2028.2"],
        ],
        merged=["A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:E2", "F1:G1"],
    )
    apply(county, path)
    term = post(county, seat(GRID, PostKind.GRID_LEADER)).term
    assert (term.term_from, term.term_to) == (date(2025, 3, 1), date(2028, 2, 29))


def test_buildings_and_stairwells_by_their_numbers(county: Engine, tmp_path: Path) -> None:
    headings = ["社区", "网格", "楼栋", "单元", "岗位", "姓名", "电话"]
    rows = [
        [f"C{C1}", "G1", "1号楼", None, "楼栋长", "张三", 13812345678],
        [f"C{C1}", "G1", "1号楼", "2单元", "单元长", "李四", 13912345678],
    ]
    apply(county, book(tmp_path / "a.xlsx", [headings, *rows]))
    assert post(county, seat(BLOCK, PostKind.BUILDING_HEAD)).term.holder == "张三"
    assert post(county, seat(f"{BLOCK}-2", PostKind.STAIRWELL_HEAD)).term.holder == "李四"
    rows[0][2], rows[1][3] = "2号楼", "3单元"  # a house needs no head, and the block has two stairwells
    assert complaints(county, book(tmp_path / "b.xlsx", [headings, *rows])) == [
        (2, "楼栋", "unknown_unit"),
        (3, "单元", "unknown_unit"),
    ]


def test_branches_departments_and_pairs_come_with_the_workbook(county: Engine, tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        [
            ["社区", "区域党支部", "岗位", "姓名", "电话", "派出单位"],
            [f"C{C2}", "South", "区域党支部书记", "张三", 13812345678, None],
            [f"C{C2}", None, "第一书记", "李四", 13912345678, "Light"],
        ],
        [["部门", "包保社区"], ["Light", f"C{C1}、C{C2}"], ["Water", f"C{C2}"]],
    )
    found = apply(county, path)
    assert {(unit.code, unit.name) for unit in found.units} == {(f"{C2}R1", "South"), (f"{COUNTY}D003", "Light")}
    assert post(county, seat(f"{C2}R1", PostKind.REGIONAL_SECRETARY)).term.holder == "张三"
    assert post(county, seat(C2, PostKind.FIRST_SECRETARY)).term.department == f"{COUNTY}D003"
    with reading(county) as conn:
        pairs = load_pairs(conn, COUNTY)
        units = conn.scalar(select(func.count()).select_from(org_unit).where(org_unit.c.code == f"{C2}R1"))
    assert pairs == {C1: [f"{COUNTY}D003"], C2: [people.D1, people.D2, f"{COUNTY}D003"]}
    assert units == 1


def test_the_digest_is_of_file_and_organisation(county: Engine, tmp_path: Path) -> None:
    one = book(tmp_path / "a.xlsx", [HEADINGS, line(f"C{C1}", "G1", "网格长", "张三", 13812345678)])
    other = book(tmp_path / "b.xlsx", [HEADINGS, line(f"C{C1}", "G1", "社区干部", "李四", 13912345678)])
    before = plan(county, one).digest
    assert plan(county, one).digest == before
    assert plan(county, other).digest != before
    apply(county, other)
    assert plan(county, one).digest != before


def test_what_is_written_reads_back_as_the_same(county: Engine, tmp_path: Path) -> None:
    words = BookWords("Posts", "Departments", {name: name for name in COLUMNS})
    path = tmp_path / "out.xlsx"
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        n = write_workbook(conn, ground, ground.reach(EVERYWHERE), path, words)
        stand = seats.standing(conn, ground, Which(ground.reach(EVERYWHERE)))
    found = plan(county, path)
    assert n == len(stand) > len(people.POSTS)
    assert (found.errors, found.changes, found.units, found.pairs) == ([], [], [], [])
    assert found.unchanged == n


def test_a_masked_workbook_would_overwrite_names_and_is_refused(county: Engine, tmp_path: Path) -> None:
    words = BookWords("Posts", "Departments", {name: name for name in COLUMNS})
    path = tmp_path / "out.xlsx"
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        write_workbook(
            conn, ground, ground.reach(EVERYWHERE), path, words, lambda text, _: text[:1] + "**" if text else ""
        )
    assert {e.kind for e in plan(county, path).errors} == {"masked"}


def test_formulas_are_texts_when_they_leave(county: Engine, tmp_path: Path) -> None:
    with writing(county) as conn:
        table = LAYER_TABLES["communities"]
        conn.execute(table.update().where(table.c.code == C1).values(name='=HYPERLINK("http://x","y")'))
        conn.execute(org_post.update().where(org_post.c.kind == "grid_secretary").values(holder="=1+1"))
    words = BookWords("Posts", "Departments", {name: name for name in COLUMNS})
    path = tmp_path / "out.xlsx"
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        write_workbook(conn, ground, ground.reach(EVERYWHERE), path, words)
    cells = [cell for row in openpyxl.load_workbook(path)["Posts"].iter_rows() for cell in row]
    texts = [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith("=")]
    assert {cell.data_type for cell in texts} == {"s"}
    assert len({cell.value for cell in texts}) == 2


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.csv", b"a,b\n", UnknownFormat),
        ("a.xlsx", b"", EmptyFile),
        ("a.xlsx", b"PK\x03\x04 cut off", UnreadableFile),
        ("none.xlsx", None, NotAFile),
    ],
)
def test_files_that_are_none(
    county: Engine, tmp_path: Path, name: str, content: bytes | None, error: type[FileError]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        plan(county, path)


def test_a_workbook_without_a_table_of_posts(county: Engine, tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        plan(county, book(tmp_path / "a.xlsx", [["会议纪要"], ["第一项", "第二项"]]))


def test_whatever_stands_in_cells_is_text(county: Engine, tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    path = book(tmp_path / "a.xlsx", [HEADINGS, line(f"C{C1}", "G1", nasty, "'; DROP TABLE org_post; --", 13812345678)])
    apply(county, path)
    with reading(county) as conn:
        ground = load_ground(conn, COUNTY)
        found = seats.standing(conn, ground, Which(ground.reach(EVERYWHERE), kinds=[PostKind.OTHER]))
    assert [(p.term.title, p.term.holder) for p in found] == [(nasty, "'; DROP TABLE org_post; --")]


def test_townships_are_found_by_name(county: Engine, tmp_path: Path) -> None:
    rows = [["乡镇", "岗位", "姓名", "电话"], ["Near", "临时党委书记", "张三", 13812345678]]
    apply(county, book(tmp_path / "a.xlsx", rows))
    assert post(county, seat(NEAR, PostKind.TEMPORARY_SECRETARY)).term.holder == "张三"
