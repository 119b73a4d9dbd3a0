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
  const layers = [
    layer(given.ground, { "fill-color": colour("--land"), "stroke-color": colour("--edge"), "stroke-width": 1 }),
    layer(given.tileset, {
      "fill-color": `${mark}26`, "stroke-color": mark, "stroke-width": 2,
      "circle-radius": 5, "circle-fill-color": mark, "circle-stroke-color": colour("--land"),
    }),
  ];
  const interactions = ol.interaction.defaults.defaults({ mouseWheelZoom: false });
  const map = new ol.Map({ target, layers, interactions, view: new ol.View({ projection }) });
  const box = ol.proj.transformExtent(JSON.parse(given.box), "EPSG:4326", projection);
  const fit = () => map.getView().fit(box, { padding: [20, 20, 20, 20] });
  if (map.getSize()) fit();
  else map.once("change:size", fit);
  map.on("rendercomplete", () => {
    if (layers.every((one) => one.getSource()?.getState() === "ready")) target.dataset.ready = "yes";
  });
})();
