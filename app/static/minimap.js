// The small maps of pages: shapes from the page itself, on the county outlines of this same service.
(() => {
  "use strict";
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function label(shape) {
    const words = document.createElement("span");
    words.textContent = shape.names.slice(0, 5).join("、") + (shape.names.length > 5 ? " …" : "");
    return words;
  }

  // With more shapes than this a map would be nothing but lines and dots.
  const MANY = 300;

  // A point known by county only is hollow; a schematic shape is dashed.
  function drawn(shape, many) {
    const line = { color: colour("--mark"), weight: many ? 1 : 2, dashArray: shape.schematic ? "6 4" : null };
    const area = { ...line, fillOpacity: 0.15 };
    const dot = { ...line, dashArray: null, fillColor: shape.uncertain ? colour("--land") : colour("--mark"), fillOpacity: 0.9 };
    return L.geoJSON(shape.geometry, {
      style: (feature) => (feature.geometry.type.endsWith("Point") ? dot : area),
      pointToLayer: (point, place) => L.circleMarker(place, { radius: many ? 3 : 6 }),
    });
  }

  // Leaflet cannot bind to a group of groups, which a collection of geometries becomes.
  function each(layer, act) {
    if (layer.eachLayer) layer.eachLayer((part) => each(part, act));
    else act(layer);
  }

  async function ground(map, addresses) {
    const style = { color: colour("--edge"), weight: 1, fillColor: colour("--land"), fillOpacity: 1 };
    for (const address of addresses) {
      const answer = await fetch(address, { headers: { Accept: "application/geo+json" } });
      if (answer.ok) L.geoJSON(await answer.json(), { style, interactive: false, pane: "ground" }).addTo(map);
    }
    map.getContainer().dataset.ready = "yes";
  }

  for (const figure of document.querySelectorAll(".minimap")) {
    const given = JSON.parse(figure.querySelector(".shapes").textContent);
    const many = given.shapes.length > MANY;
    const map = L.map(figure.querySelector(".map"), {
      attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: false, preferCanvas: many,
    });
    map.createPane("ground").style.zIndex = 300;
    const shapes = L.featureGroup();
    for (const shape of given.shapes) {
      const layer = drawn(shape, many);
      each(layer, (part) => {
        part.bindTooltip(label(shape));
        if (shape.href) part.on("click", () => { location.href = shape.href + "?f=html"; });
      });
      shapes.addLayer(layer);
    }
    map.setView([30.65, 120.8], 8.5);
    if (given.shapes.length) map.fitBounds(shapes.getBounds(), { maxZoom: 10, padding: [20, 20] });
    shapes.addTo(map);
    ground(map, given.ground);
  }
})();
