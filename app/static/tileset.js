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
  const radius = ["case", ["has", "point_count"], ["interpolate", ["linear"], points, 1, 1.5, 10, 2.5, 100, 4, 10000, 6], 5];
  const layers = [
    layer(given.ground, { "fill-color": colour("--land"), "stroke-color": colour("--edge"), "stroke-width": 1 }),
    layer(given.tileset, {
      "fill-color": `${mark}26`, "stroke-color": mark, "stroke-width": 2,
      "circle-radius": radius, "circle-fill-color": mark, "circle-stroke-color": colour("--land"),
    }),
  ];
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
