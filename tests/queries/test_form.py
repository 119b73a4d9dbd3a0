"""Statements that are written once for all questions of a form: none is asked by another's statement."""

from dataclasses import fields
from typing import Any

from sqlalchemy.dialects import postgresql

from app.catalog import COLLECTIONS
from app.queries.places import Place
from app.queries.selection import Along, Form, Near, Selection, conditions, form

PLATFORMS = COLLECTIONS["platforms"]
BOX = (120.5, 30.4, 121.0, 30.9)
PLACE = Place("counties", "330481", "海宁市", "county", False, Any)  # type: ignore[arg-type]
#: Whatever else a question may ask, each with a value.
MORE: dict[str, Any] = {
    "industries": ["新材料"], "industry_parts": ["材"], "layout_elements": ["x"], "within": [PLACE],
    "near": Near(120.7, 30.7, 100), "along": Along(PLACE, 100), "intersects": "POINT(120 30)", "where": lambda _: None,
}  # fmt: skip


def test_a_form_is_what_questions_differ_from_in_values_alone() -> None:
    one = form(Selection(PLATFORMS, BOX, {"kind": ["park", "college"], "county": ["330481"]}, asked="a"))
    other = form(Selection(PLATFORMS, (1, 2, 3, 4), {"kind": ["a", "b"], "county": ["c"]}, asked="b"))
    assert one is not None
    assert other is not None
    assert one[0] == other[0] == Form(PLATFORMS, True, (("kind", 2), ("county", 1)))
    assert one[1] == {
        "is_kind_0": "park", "is_kind_1": "college", "is_county_0": "330481",
        "west": 120.5, "south": 30.4, "east": 121.0, "north": 30.9,
    }  # fmt: skip
    for unlike in (Selection(PLATFORMS), Selection(PLATFORMS, BOX), Selection(COLLECTIONS["towns"], BOX)):
        assert (found := form(unlike)) is not None
        assert found[0] != one[0]


def test_a_question_with_more_has_no_form() -> None:
    # a box across the antimeridian is two, one without a width is not; a list is compared in another way
    assert form(Selection(PLATFORMS, (170, 0, -170, 1))) is None
    assert form(Selection(PLATFORMS, (120, 0, 120, 1))) is not None
    assert form(Selection(PLATFORMS, filters={"aliases": ["x"]})) is None
    # without a point or a corridor these two choose nothing
    known = {"collection", "bbox", "filters", "relation", "uncertain", "asked", "reads"}
    assert {one.name for one in fields(Selection)} == known | set(MORE)
    for name, value in MORE.items():
        assert form(Selection(PLATFORMS, **{name: value})) is None, name


def test_a_box_across_the_antimeridian_is_two() -> None:
    def written(box: tuple[float, float, float, float]) -> str:
        (condition,) = conditions(Selection(PLATFORMS, box), PLATFORMS.columns)
        return str(condition.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))

    across = written((170, 0, -170, 1))
    assert "(170, 0, 180.0, 1, 4326)" in across
    assert "(-180.0, 0, -170, 1, 4326)" in across
    for whole in (BOX, (120, 0, 120, 1)):
        assert written(whole).count("ST_MakeEnvelope") == 1


def test_a_shape_alone_decides() -> None:
    for one in (Selection(PLATFORMS), Selection(PLATFORMS, BOX), Selection(PLATFORMS, intersects="POINT(120 30)")):
        assert one.by_shape
    assert Selection(PLATFORMS, where=MORE["where"], reads={"geometry"}).by_shape
    assert not Selection(PLATFORMS, where=MORE["where"], reads={"geometry", "kind"}).by_shape
    for name in MORE.keys() - {"intersects", "where"}:
        assert not Selection(PLATFORMS, BOX, **{name: MORE[name]}).by_shape, name
    assert not Selection(PLATFORMS, BOX, {"kind": ["park"]}).by_shape
