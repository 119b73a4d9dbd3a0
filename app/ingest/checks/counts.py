"""How many of each there must be: numbers that the documents print of themselves, or number themselves."""

from collections.abc import Callable
from dataclasses import dataclass

from app.ingest.checks.result import Result
from app.ingest.files import DataSet, Row

JIAXING, JIASHAN, TWO_NEW, HAINING = (
    "jiaxing-sti-14fyp",
    "jiashan-sti-2035",
    "jiaxing-integration-2027",
    "haining-sti-14fyp",
)
ZHEJIANG, ZHEJIANG_HIGHTECH = "zhejiang-14fyp", "zhejiang-hightech-industry-14fyp"
CARRIERS = "“十四五”重点创新载体建设清单"
HAINING_CARRIERS = "海宁市“十四五”时期创新载体建设和提升任务表"


@dataclass(frozen=True)
class Expected:
    """``number`` of something in ``document``; ``source`` says by which lines."""

    name: str
    name_en: str
    number: int
    document: str
    source: str
    count: Callable[[DataSet], int]


def _rows(table: str, **wanted: str | None) -> Callable[[DataSet], int]:
    """Rows of a file table whose columns have these values."""

    def count(data: DataSet) -> int:
        return sum(all(row[name] == value for name, value in wanted.items()) for row in data.values(table))

    return count


def _numbered(table: str, document: str, name: str) -> Callable[[DataSet], int]:
    """Rows of a printed table by their numbers; 0 when these are not 1, 2, 3 …"""

    def count(data: DataSet) -> int:
        present = {row["row_no"] for row in _printed(data, table, document, name)} - {None}
        return len(present) if present == {str(number + 1) for number in range(len(present))} else 0

    return count


def _cells(document: str, name: str) -> Callable[[DataSet], int]:
    return lambda data: len(_printed(data, "indicator_values", document, name))


def _printed(data: DataSet, table: str, document: str, name: str) -> list[Row]:
    return [
        row
        for row in data.values(table)
        if row["document"] == document and (row["table_name"] or "").replace(" ", "").startswith(name)
    ]


def _carrier_places(data: DataSet) -> int:
    lists = ((JIAXING, CARRIERS), (HAINING, HAINING_CARRIERS))
    rows = [row for document, name in lists for row in _printed(data, "mentions", document, name)]
    return len({row["platform"] for row in rows if row["row_no"]})


EXPECTED = (
    Expected("表3科创湖区", "Lake districts of table 3", 8, JIAXING, "262–308",
             _numbered("mentions", JIAXING, "表3")),
    Expected("正文所列科创湖区", "Lake districts strung along the corridor", 7, JIAXING, "251",
             _rows("layout_members", element="jx-corridor-lake-districts")),
    Expected("高新区", "High-tech parks", 8, JIAXING, "525–582: 序号1–8; 23: 建设省级以上高新区8家",
             _numbered("mentions", JIAXING, "“十四五”高新区建设任务清单")),
    Expected("高新区目标任务", "Targets of the parks", 24, JIAXING, "527–587: 1–3 each",
             _rows("tasks", list="park_target", document=JIAXING)),
    Expected("创新载体（嘉兴）", "Carriers of Jiaxing", 24, JIAXING, "596–714: 序号1–24",
             _numbered("mentions", JIAXING, CARRIERS)),
    Expected("创新载体（海宁）", "Carriers of Haining", 22, HAINING, "1849–2206: 序号1–22",
             _numbered("mentions", HAINING, HAINING_CARRIERS)),
    Expected("两份清单的载体", "Places in both lists", 43, HAINING,
             "24 + 22 rows; Jiaxing 20, 21, 22 (692–704) are Haining 13, 22, 4 (2063, 2189, 1906)", _carrier_places),
    Expected("改革任务", "Reforms", 7, JIAXING, "722–741: 序号1–7", _rows("tasks", list="reform", document=JIAXING)),
    Expected("表1指标", "Indicators of table 1", 11, JIAXING, "36: 主要指标共11项",
             _numbered("indicator_values", JIAXING, "表1")),
    Expected("表1数值", "Cells of table 1", 33, JIAXING, "40–110: 11 × 3", _cells(JIAXING, "表1")),
    Expected("表2指标", "Indicators of table 2", 14, JIAXING, "162–230: 序号1–14",
             _numbered("indicator_values", JIAXING, "表2")),
    Expected("表2数值", "Cells of table 2", 28, JIAXING, "162–230: 14 × 2", _cells(JIAXING, "表2")),
    Expected("“两新”指标", "Indicators of the integration plan", 50, TWO_NEW, "48–443: 序号1–50",
             _numbered("indicator_values", TWO_NEW, "嘉兴市“两新深度融合”主要任务指标")),
    Expected("“两新”任务", "Tasks of the integration plan", 11, TWO_NEW, "14–30: 1–11",
             _rows("tasks", list="task", document=TWO_NEW)),
    Expected("海宁表1指标", "Indicators of Haining’s table 1", 9, HAINING, "184–204",
             _numbered("indicator_values", HAINING, "表1")),
    Expected("海宁表1数值", "Cells of Haining’s table 1", 27, HAINING, "184–204: 9 × 3", _cells(HAINING, "表1")),
    Expected("海宁表2指标", "Indicators of Haining’s table 2", 15, HAINING, "549–612: 序号1–15",
             _numbered("indicator_values", HAINING, "表2")),
    Expected("附件1地区与全市", "Areas of annex 1 and the total", 14, HAINING, "1768–1839: 13 + 全市",
             _numbered("indicator_values", HAINING, "附件1")),
    Expected("附件1数值", "Cells of annex 1", 168, HAINING, "1766–1839: 14 × 6 × 2", _cells(HAINING, "附件1")),
    Expected("省高新技术产业指标", "Indicators of the provincial table 1", 16, ZHEJIANG_HIGHTECH, "184–260",
             _numbered("indicator_values", ZHEJIANG_HIGHTECH, "表1")),
    Expected("省八个规划", "Plans in the provincial volume", 8, ZHEJIANG, "2, 115, 419, 633, 778, 923, 1026, 1166",
             _rows("documents", parent=ZHEJIANG)),
    Expected("“1”的组成", "Parts of the “1” of 1+4+N", 5, JIASHAN, "23–27: 1–5",
             _rows("layout_elements", parent="jiashan-1-4-n-1")),
    Expected("“4”大片区", "The “4” of 1+4+N", 4, JIASHAN, "29–32: 1–4",
             _rows("layout_elements", parent="jiashan-1-4-n-4")),
    Expected("“两区”", "The two kinds of zone", 2, JIAXING, "241", _rows("layout_elements", parent="jx-zones")),
    Expected("“两城”", "The two cities", 2, HAINING, "653–657", _rows("layout_elements", parent="haining-2c-cities")),
    Expected("走廊三段", "Sections of the corridor", 3, HAINING, "824–837: 西段, 中段, 东段",
             _rows("layout_elements", parent="haining-1111-corridor", role="section")),
    Expected("走廊双核", "Cores of the corridor", 2, HAINING, "820–824: 双核",
             _rows("layout_elements", parent="haining-1111-corridor", role="core")),
    Expected("三大科创高地", "Three highlands", 3, JIAXING, "147, 319", _rows("industries", parent="jx-highlands")),
    Expected("四大领域", "Four fields", 4, JIAXING, "147: 等四大领域", _rows("industries", parent="jx-fields")),
    Expected("战略性新兴产业", "Emerging industries", 3, JIASHAN, "36: 三大",
             _rows("industries", parent="js-emerging")),
    Expected("基础性传统产业", "Traditional industries", 3, JIASHAN, "36: 三大",
             _rows("industries", parent="js-traditional")),
    Expected("民生发展领域", "Fields of public welfare", 4, JIASHAN, "36: 四大",
             _rows("industries", parent="js-livelihood")),
    Expected("“142”之4", "The 4 of 142", 4, HAINING, "699–702", _rows("industries", parent="hn-142-4")),
    Expected("“142”之2", "The 2 of 142", 2, HAINING, "702", _rows("industries", parent="hn-142-2")),
    Expected("“3+X”之3", "The 3 of 3+X", 3, TWO_NEW, "28: 3大重点领域", _rows("industries", parent="jx-3x-key")),
)  # fmt: skip


def counts(data: DataSet) -> Result:
    """The counts of the documents that are there."""
    result = Result("文件自述的数目", "Counts the documents state")
    known = {row["id"] for row in data.values("documents")}
    for expected in EXPECTED:
        if expected.document not in known:
            continue
        result.checked += 1
        found = expected.count(data)
        line = (
            f"{expected.name} {expected.name_en}: {found} / {expected.number} ({expected.document} {expected.source})"
        )
        (result.notes if found == expected.number else result.failing).append(line)
    return result
