"""MapLibre and OpenLayers, served from here, draw the vector tiles: every feature, in its place, and without another
host."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import shapely

from app.maps.vendored import asset_url
from tests.browser.conftest import PageLog
from tests.mvt import items

#: The middle of Jiaxing.
CENTRE = (120.8, 30.65)
MAPLIBRE = f"""<!doctype html>
<meta charset="utf-8"><title>MapLibre</title>
<link rel="stylesheet" href="{asset_url("maplibre-gl", "dist/maplibre-gl.css")}">
<style>html, body, #map {{ margin: 0; height: 100% }}</style>
<div id="map"></div>
<script type="module">
import * as maplibregl from "{asset_url("maplibre-gl", "dist/maplibre-gl.mjs")}";
const given = GIVEN;
const styles = await Promise.all(given.collections.map(async (name) =>
  (await fetch(`${{given.server}}/collections/${{name}}/style.json?lang=${{given.lang}}`)).json()));
const style = {{ version: 8, sources: {{}}, layers: [] }};
for (const [n, one] of styles.entries()) {{
  Object.assign(style.sources, one.sources);
  for (const layer of one.layers) {{
    if (layer.type !== "background") style.layers.push({{ ...layer, id: `${{given.collections[n]}}-${{layer.id}}` }});
    else if (n === 0) style.layers.push(layer);
  }}
}}
const map = new maplibregl.Map({{
  container: "map", style, center: given.centre, zoom: 8.6, fadeDuration: 0, attributionControl: false,
}});
window.errors = [];
map.on("error", (event) => window.errors.push(String(event.error)));
map.once("idle", () => {{ window.drawn = map; }});
</script>
"""
OPENLAYERS = f"""<!doctype html>
<meta charset="utf-8"><title>OpenLayers</title>
<link rel="stylesheet" href="{asset_url("ol", "ol.css")}">
<style>html, body, #map {{ margin: 0; height: 100% }}</style>
<div id="map"></div>
<script src="{asset_url("ol", "dist/ol.js")}"></script>
<script>
const given = GIVEN;
const crs = "http://www.opengis.net/def/crs/EPSG/0/4490";
const degrees = new ol.proj.Projection({{ code: crs, units: "degrees", axisOrientation: "neu" }});
ol.proj.addProjection(degrees);
ol.proj.addEquivalentProjections([degrees, ol.proj.get("EPSG:4326")]);
const projection = given.grid === "CGCS2000Quad" ? degrees : ol.proj.get("EPSG:3857");
const layers = given.collections.map((name) => new ol.layer.VectorTile({{
  source: new ol.source.OGCVectorTile({{
    url: `${{given.server}}/collections/${{name}}/tiles/${{given.grid}}`,
    format: new ol.format.MVT(),
    projection: given.grid === "CGCS2000Quad" ? degrees : undefined,
  }}),
  style: {{
    "fill-color": "#F7F7F5", "stroke-color": "#9AA0A6", "stroke-width": 1,
    "circle-radius": 5, "circle-fill-color": "#0072B2",
  }},
}}));
const map = new ol.Map({{
  target: "map", layers, controls: [],
  view: new ol.View({{
    projection, center: ol.proj.transform(given.centre, "EPSG:4326", projection),
    resolution: given.grid === "CGCS2000Quad" ? 0.0013 : 160,
  }}),
}});
let readySince = 0;
map.on("rendercomplete", () => {{
  if (!layers.every((one) => one.getSource()?.getState() === "ready")) return;
  // a source may have become ready while this very frame was drawn without it
  if (readySince++) window.drawn = map;
  else map.render();
}});
</script>
"""
#: Unique ids of what a layer drew or holds in the view.
DRAWN = "layer => [...new Set(drawn.queryRenderedFeatures({layers: [layer]}).map((one) => one.properties.id))]"
VIEW = "() => drawn.getBounds().toArray().flat()"
HELD = """() => layers.map((layer) =>
  [...new Set(layer.getFeaturesInExtent(map.getView().calculateExtent()).map((one) => one.get("id")))])"""
OL_VIEW = "() => ol.proj.transformExtent(map.getView().calculateExtent(), projection, 'EPSG:4326')"
POINTS = """() => layers[1].getFeaturesInExtent(map.getView().calculateExtent())
  .filter((one) => one.getType() === "Point")
  .map((one) => [one.get("id"), ...ol.proj.transform(one.getFlatCoordinates().slice(0, 2), projection, "EPSG:4326")])"""


def within(geometries: dict[str, shapely.Geometry], view: list[float], grown: float = 0.0) -> set[str]:
    box = shapely.box(*view).buffer(grown)
    return {id for id, one in geometries.items() if one.intersects(box)}


def page(template: str, **given: object) -> str:
    return template.replace("GIVEN", json.dumps(given))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_maplibre_draws_the_style(
    client: httpx.Client,
    live_server: str,
    page_log: PageLog,
    serve_page: Callable[[str], str],
    artifacts: Path,
    lang: str,
) -> None:
    collections = ["counties", "layout_elements", "platforms"]
    html = page(MAPLIBRE, server=live_server, collections=collections, centre=CENTRE, lang=lang)
    page_log.page.goto(serve_page(html))
    page_log.page.wait_for_function("window.drawn || window.errors?.length")
    assert page_log.page.evaluate("window.errors") == []
    view = page_log.page.evaluate(VIEW)
    platforms = items(client, "platforms")
    points = {id: one for id, one in platforms.items() if one.geom_type == "Point"}
    drawn = set(page_log.page.evaluate(DRAWN, "platforms-points"))
    # a circle whose centre is just outside reaches into the view
    assert within(points, view) <= drawn <= within(points, view, 0.02)
    assert len(drawn) > 20
    counties = set(page_log.page.evaluate(DRAWN, "counties-areas"))
    assert counties == within(items(client, "counties"), view)
    areas = set(page_log.page.evaluate(DRAWN, "platforms-areas"))
    assert areas == within(platforms, view) - set(points)
    assert len(areas) >= 8
    assert page_log.page.evaluate(DRAWN, "layout_elements-outlines-schematic")
    assert page_log.page.evaluate(DRAWN, "platforms-labels")
    # without a graphics card Chromium copies every picture and complains of its own slowness
    page_log.console_errors = [one for one in page_log.console_errors if "GPU stall due to ReadPixels" not in one]
    page_log.assert_clean()
    page_log.page.screenshot(path=artifacts / f"tiles-maplibre-{lang}.png")


@pytest.mark.parametrize("grid", ["WebMercatorQuad", "CGCS2000Quad"])
def test_openlayers_reads_the_tileset_and_draws_it(
    client: httpx.Client,
    live_server: str,
    page_log: PageLog,
    serve_page: Callable[[str], str],
    artifacts: Path,
    grid: str,
) -> None:
    """OpenLayers is given the tileset's address alone and takes template, grid and limits from its document."""
    html = page(OPENLAYERS, server=live_server, collections=["counties", "platforms"], centre=CENTRE, grid=grid)
    page_log.page.goto(serve_page(html))
    page_log.page.wait_for_function("window.drawn")
    view = page_log.page.evaluate(OL_VIEW)
    counties, platforms = page_log.page.evaluate(HELD)
    true = items(client, "platforms")
    assert set(counties) == within(items(client, "counties"), view)
    assert within(true, view) <= set(platforms) <= within(true, view, 0.02)
    assert len(platforms) > 20
    # a unit of these levels is at most 0.0002 degrees
    placed = page_log.page.evaluate(POINTS)
    assert len(placed) > 20
    for id, lon, lat in placed:
        assert true[id].distance(shapely.Point(lon, lat)) < 0.0002
    assert any(f"/tiles/{grid}/" in url for url in page_log.requests)
    page_log.assert_clean()
    page_log.page.screenshot(path=artifacts / f"tiles-openlayers-{grid}.png")
