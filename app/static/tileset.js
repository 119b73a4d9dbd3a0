// The map of a tileset's page: its own tiles over those of the counties, in the tileset's grid.
(() => {
  "use strict";
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const target = document.querySelector("[data-tileset]");
  const given = target.dataset;

  // OpenLayers knows no CGCS2000; to the eye its degrees are those of WGS 84.
  const CGCS2000 = "http://www.opengis.net/def/crs/EPSG/0/4490";
  const degrees = new ol.proj.Projection({ code: CGCS2000, units: "degrees", axisOrientation: "neu" });
  ol.proj.addProjection(degrees);
  ol.proj.addEquivalentProjections([degrees, ol.proj.get("EPSG:4326")]);
  const projection = given.crs === CGCS2000 ? degrees : ol.proj.get("EPSG:3857");

  function layer(url, style) {
    const format = new ol.format.MVT();
    const source = new ol.source.OGCVectorTile({ url, format, projection: projection === degrees ? degrees : undefined });
    return new ol.layer.VectorTile({ source, style });
  }

  const mark = colour("--mark");
  // in a tile of many points a circle stands for so many
  const points = ["coalesce", ["get", "point_count"], 1];
  const several = ["interpolate", ["linear"], points, 1, 2, 10, 4, 100, 6, 10000, 8];
  const drawn = (radius) => ({
    "fill-color": `${mark}26`, "stroke-color": mark, "stroke-width": 2,
    "circle-radius": radius, "circle-fill-color": mark, "circle-stroke-color": colour("--land"),
  });
  const layers = [
    layer(given.ground, { "fill-color": colour("--land"), "stroke-color": colour("--edge"), "stroke-width": 1 }),
    layer(given.tileset, drawn(5)),
  ];
  // beside a thinned tile one of few points must not look the fuller: there single points are small as well
  layers[1].getSource().on("tileloadend", function look({ tile, target }) {
    if (!tile.getFeatures().some((one) => one.get("point_count"))) return;
    target.un("tileloadend", look);
    const near = ["<", ["resolution"], projection === degrees ? 0.0004 : 40];
    layers[1].setStyle(drawn(["case", near, ["clamp", several, 5, 8], several]));
  });
  const interactions = ol.interaction.defaults.defaults({ mouseWheelZoom: false });
  const map = new ol.Map({ target, layers, interactions, view: new ol.View({ projection }) });
  const box = ol.proj.transformExtent(JSON.parse(given.box), "EPSG:4326", projection);
  const fit = () => map.getView().fit(box, { padding: [20, 20, 20, 20] });
  if (map.getSize()) fit();
  else map.once("change:size", fit);
  const told = target.parentElement.querySelector("output");
  map.on("click", async (event) => {
    const [feature] = await layers[1].getFeatures(event.pixel);
    const count = feature?.get("point_count") ?? 1;
    if (!feature) told.value = "";
    else if (count > 1) told.value = told.dataset.several.replace("{}", count);
    else told.value = `${feature.get("name") ?? ""} ${feature.get("id")}`;
  });
  map.on("rendercomplete", () => {
    if (layers.every((one) => one.getSource()?.getState() === "ready")) target.dataset.ready = "yes";
  });
})();
