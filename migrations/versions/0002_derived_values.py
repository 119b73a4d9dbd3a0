"""Derived values: county by position, drawn geometry, measured areas, versions of layers and rows

They are decided when a row is written, by the database, so that they hold however a row gets there (load, import,
edit) and counts add up.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VERSIONED = (
    "document", "kind", "unit", "region", "platform", "alias", "mention", "layout", "layout_element", "layout_axis",
    "layout_member", "industry", "industry_link", "industry_relation", "task", "indicator", "indicator_label",
    "indicator_value", "not_comparable", "disagreement", "disagreement_side", "search_entry",
)  # fmt: skip

BUMP = """
CREATE FUNCTION bump_layer_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'TRUNCATE' THEN
        -- a statement that touched no row changed nothing; truncation has no table of rows to look at
        IF NOT EXISTS (SELECT FROM changed) THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO layer_version AS l (layer, version, changed_at) VALUES (TG_TABLE_NAME, 1, now())
    ON CONFLICT (layer) DO UPDATE SET version = l.version + 1, changed_at = now();
    RETURN NULL;
END $$
"""

UNCHANGED = """
CREATE FUNCTION skip_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- by value: PostgreSQL's own trigger compares bytes, and a long value that was derived anew is not packed yet
    IF NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$
"""

REGION = """
CREATE FUNCTION region_derive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- EPSG:4549, CGCS2000 / 3-degree Gauss-Kruger CM 120E: the grid Jiaxing surveys in
    NEW.area_km2 := ST_Area(ST_Transform(NEW.geom, 4549)) / 1e6;
    NEW.land_area_km2 := ST_Area(ST_Transform(NEW.land_geom, 4549)) / 1e6;
    RETURN NEW;
END $$
"""

PLATFORM = """
CREATE FUNCTION platform_derive() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ground geometry;
BEGIN
    IF NEW.geometry_method = 'none' THEN
        NEW.position := NULL;
        NEW.geom := NULL;
    ELSIF NEW.geometry_method IN ('county_only', 'city_only') THEN
        -- somewhere in this county (city): a point on its land, as exact as the farthest stretch of its boundary
        SELECT coalesce(r.land_geom, r.geom) INTO ground FROM region r
        WHERE r.id = CASE NEW.geometry_method WHEN 'county_only' THEN NEW.county ELSE NEW.city END;
        IF ground IS NULL THEN
            RAISE EXCEPTION 'platform %: % needs a % with an outline', NEW.id, NEW.geometry_method,
                replace(NEW.geometry_method, '_only', '') USING ERRCODE = 'check_violation';
        END IF;
        NEW.position := ST_PointOnSurface(ground);
        NEW.position_accuracy_m := ceil(ST_MaxDistance(ST_Transform(NEW.position, 4549), ST_Transform(ground, 4549)));
        NEW.geom := NEW.position;
    ELSIF NEW.geometry_method = 'point' THEN
        NEW.geom := NEW.position;
    ELSIF NEW.geometry_method = 'schematic' AND NEW.area_km2 IS NOT NULL THEN
        -- a circle of the published area, r = sqrt(A / pi), round the anchor; 128 corners keep the area to 0.1 %
        NEW.geom := ST_Buffer(NEW.position::geography, sqrt(NEW.area_km2 * 1e6 / pi()), 'quad_segs=32')::geometry;
    END IF;
    -- on a shared edge the smallest adcode wins
    -- of a place known only by city the county stays unknown: its symbol's point says nothing
    SELECT r.id INTO NEW.position_county FROM region r
        WHERE r.level = 'county' AND NOT r.retired AND ST_Covers(r.geom, NEW.position)
          AND NEW.geometry_method <> 'city_only'
        ORDER BY r.id LIMIT 1;
    SELECT r.id INTO NEW.position_city FROM region r
        WHERE r.level = 'city' AND NOT r.retired
          AND (r.id = (SELECT parent FROM region WHERE id = NEW.position_county)
               OR NEW.position_county IS NULL AND ST_Covers(r.geom, NEW.position))
        ORDER BY r.id LIMIT 1;
    IF TG_OP = 'UPDATE' AND NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$
"""

ELEMENT = """
CREATE FUNCTION refresh_layout_geometry() RETURNS void LANGUAGE sql AS $$
    -- drawing parameters of the data, not statements of a plan; WHERE keeps an unchanged row untouched
    WITH axis AS (
        SELECT element, ST_MakeLine(point ORDER BY seq) AS line FROM layout_axis GROUP BY element HAVING count(*) > 1
    ), member AS (
        SELECT m.element,
               ST_Collect(coalesce(p.position, r.seat, ST_PointOnSurface(coalesce(r.land_geom, r.geom)))) AS points
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
    for function in (BUMP, UNCHANGED, REGION, PLATFORM, ELEMENT):
        op.execute(function)
    op.execute("CREATE TRIGGER derive BEFORE INSERT OR UPDATE ON region FOR EACH ROW EXECUTE FUNCTION region_derive()")
    op.execute(
        "CREATE TRIGGER derive BEFORE INSERT OR UPDATE ON platform FOR EACH ROW EXECUTE FUNCTION platform_derive()"
    )
    for table in VERSIONED:
        # after the derivation (triggers fire by name): an update that changes nothing is none
        op.execute(f"CREATE TRIGGER unchanged BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION skip_unchanged()")
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER version_{event.lower()} AFTER {event} ON {table}"
                f" REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_layer_version()"
            )
        op.execute(
            f"CREATE TRIGGER version_truncate AFTER TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION bump_layer_version()"
        )


def downgrade() -> None:
    for table in VERSIONED:
        for event in ("insert", "update", "delete", "truncate"):
            op.execute(f"DROP TRIGGER version_{event} ON {table}")
        op.execute(f"DROP TRIGGER unchanged ON {table}")
    op.execute("DROP TRIGGER derive ON platform")
    op.execute("DROP TRIGGER derive ON region")
    for function in (
        "refresh_layout_geometry",
        "platform_derive",
        "region_derive",
        "skip_unchanged",
        "bump_layer_version",
    ):
        op.execute(f"DROP FUNCTION {function}()")
