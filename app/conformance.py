"""Conformance classes that this service declares; each is tested in ``tests/conformance/``."""

_COMMON_1 = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf"
_COMMON_2 = "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf"
_FEATURES_1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_FEATURES_2 = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf"
_FEATURES_3 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
#: A draft (OGC 20-002r1); its classes may still change their names.
_FEATURES_4 = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf"
_FEATURES_5 = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_TILE_MATRIX_SETS = "http://www.opengis.net/spec/tms/2.0/conf"

CLASSES: tuple[str, ...] = (
    f"{_COMMON_1}/core",
    f"{_COMMON_1}/landing-page",
    f"{_COMMON_1}/json",
    f"{_COMMON_1}/html",
    f"{_COMMON_1}/oas30",
    f"{_COMMON_2}/collections",
    f"{_COMMON_2}/simple-query",
    f"{_FEATURES_1}/core",
    f"{_FEATURES_1}/geojson",
    f"{_FEATURES_1}/html",
    f"{_FEATURES_1}/oas30",
    f"{_FEATURES_2}/crs",
    f"{_FEATURES_3}/queryables",
    f"{_FEATURES_3}/queryables-query-parameters",
    f"{_FEATURES_3}/filter",
    f"{_FEATURES_3}/features-filter",
    f"{_FEATURES_4}/create-replace-delete",
    f"{_FEATURES_4}/update",
    f"{_FEATURES_4}/optimistic-locking-etags",
    f"{_FEATURES_4}/features",
    f"{_FEATURES_5}/schemas",
    f"{_FEATURES_5}/core-roles-features",
    f"{_FEATURES_5}/returnables-and-receivables",
    f"{_FEATURES_5}/queryables",
    f"{_FEATURES_5}/sortables",
    f"{_CQL2}/cql2-text",
    f"{_CQL2}/cql2-json",
    f"{_CQL2}/basic-cql2",
    f"{_CQL2}/advanced-comparison-operators",
    f"{_CQL2}/case-insensitive-comparison",
    f"{_CQL2}/accent-insensitive-comparison",
    f"{_CQL2}/basic-spatial-functions",
    f"{_CQL2}/basic-spatial-functions-plus",
    f"{_CQL2}/spatial-functions",
    f"{_CQL2}/temporal-functions",
    f"{_CQL2}/array-functions",
    f"{_CQL2}/property-property",
    f"{_CQL2}/functions",
    f"{_CQL2}/arithmetic",
    f"{_TILES}/core",
    f"{_TILES}/tileset",
    f"{_TILES}/tilesets-list",
    f"{_TILES}/geodata-tilesets",
    f"{_TILES}/mvt",
    f"{_TILES}/oas30",
    f"{_TILE_MATRIX_SETS}/tilematrixset",
    f"{_TILE_MATRIX_SETS}/json-tilematrixset",
    f"{_TILE_MATRIX_SETS}/tilematrixsetlimits",
    f"{_TILE_MATRIX_SETS}/json-tilematrixsetlimits",
    f"{_TILE_MATRIX_SETS}/tilesetmetadata",
    f"{_TILE_MATRIX_SETS}/json-tilesetmetadata",
)
