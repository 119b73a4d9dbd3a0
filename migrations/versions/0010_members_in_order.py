"""Members are drawn in the order of their list, not in that of the rows on disk, which any edit or plan may change"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ELEMENT = """
CREATE OR REPLACE FUNCTION refresh_layout_geometry() RETURNS void LANGUAGE sql AS $$
    -- drawing parameters of the data, not statements of a plan; WHERE keeps an unchanged row untouched
    WITH axis AS (
        SELECT element, ST_MakeLine(point ORDER BY seq) AS line FROM layout_axis GROUP BY element HAVING count(*) > 1
    ), member AS (
        SELECT m.element,
               ST_Collect(coalesce(p.position, r.seat, ST_PointOnSurface(coalesce(r.land_geom, r.geom))){order})
               AS points
        FROM layout_member m
        LEFT JOIN platform p ON p.id = m.platform AND NOT p.retired
        LEFT JOIN region r ON r.id = m.region
        GROUP BY m.element
    ), drawn AS (
        SELECT e.id, axis.line AS axis,
               CASE e.shape
                   WHEN 'band' THEN ST_Buffer(axis.line::geography, e.band_m, 'endcap=flat join=round')::geometry
                   WHEN 'hull' THEN ST_Buffer(ST_ConvexHull(member.points)::geography, e.buffer_m)::geometry
                   WHEN 'circle' THEN ST_Buffer(e.position::geography, e.radius_m, 'quad_segs=16')::geometry
                   WHEN 'point' THEN e.position
                   WHEN 'members' THEN member.points
               END AS geom
        FROM layout_element e
        LEFT JOIN axis ON axis.element = e.id
        LEFT JOIN member ON member.element = e.id
    )
    UPDATE layout_element e SET axis = drawn.axis, geom = drawn.geom
    FROM drawn
    WHERE drawn.id = e.id AND (e.axis, e.geom) IS DISTINCT FROM (drawn.axis, drawn.geom)
$$
"""


def upgrade() -> None:
    op.execute(ELEMENT.format(order=" ORDER BY m.ord, m.platform, m.region"))
    op.execute("SELECT refresh_layout_geometry()")


def downgrade() -> None:
    op.execute(ELEMENT.format(order=""))
